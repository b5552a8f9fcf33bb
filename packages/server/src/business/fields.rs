//! Members of a request's payload, each with a refusal that names it.

use serde_json::{Map, Value};

use crate::money::Money;
use crate::refusal::{Refusal, Result};

/// The payload. Members that an endpoint does not know are ignored; `null` counts as absent.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'p>(pub(crate) &'p Map<String, Value>);

impl<'p> Fields<'p> {
    /// A text that has to be there.
    pub(crate) fn text(self, name: &str) -> Result<&'p str> {
        self.optional_text(name)?.ok_or_else(|| Refusal::invalid(format!("`{name}` is missing")))
    }

    /// A text of 1 to 255 characters without control characters.
    pub(crate) fn optional_text(self, name: &str) -> Result<Option<&'p str>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if is_fit(text) => Ok(Some(text)),
            Some(Value::String(_)) => {
                Err(Refusal::invalid(format!("`{name}` has to have 1 to {MOST_CHARACTERS} visible characters")))
            }
            Some(_) => Err(Refusal::invalid(format!("`{name}` has to be a string"))),
        }
    }

    /// A text, or a whole number as older integrations send it.
    pub(crate) fn optional_code(self, name: &str) -> Result<Option<String>> {
        match self.0.get(name) {
            Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
            _ => Ok(self.optional_text(name)?.map(str::to_owned)),
        }
    }

    /// A day as `YYYY-MM-DD`.
    pub(crate) fn date(self, name: &str) -> Result<&'p str> {
        let text = self.text(name)?;
        let format = time::macros::format_description!("[year]-[month]-[day]");
        match time::Date::parse(text, format) {
            Ok(_) => Ok(text),
            Err(_) => Err(Refusal::invalid(format!("`{name}` has to be a day as YYYY-MM-DD"))),
        }
    }

    /// An amount of money above zero, if it is there.
    pub(crate) fn optional_amount(self, name: &str) -> Result<Option<Money>> {
        let text = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(Refusal::invalid(format!("`{name}` has to be a decimal string"))),
        };
        match Money::parse(&text).filter(|amount| *amount > Money::ZERO) {
            Some(amount) => Ok(Some(amount)),
            None => Err(Refusal::new(
                "invalid_amount",
                format!("`{name}` has to be above zero with at most two decimals, such as \"10.50\""),
            )),
        }
    }

    /// An amount of money above zero.
    pub(crate) fn amount(self, name: &str) -> Result<Money> {
        self.optional_amount(name)?.ok_or_else(|| Refusal::invalid(format!("`{name}` is missing")))
    }

    /// Who the call is about.
    pub(crate) fn external_user_id(self) -> Result<&'p str> {
        let missing = || Refusal::new("external_user_id_required", "`external_user_id` is missing");
        self.optional_text("external_user_id")?.ok_or_else(missing)
    }
}

fn is_fit(text: &str) -> bool {
    (1..=MOST_CHARACTERS).contains(&text.chars().count()) && !text.contains(char::is_control)
}

const MOST_CHARACTERS: usize = 255;
