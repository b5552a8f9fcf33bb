//! Cardholders: a user as a provider of cards knows them.

use cardseal::{CardholderKycLevel, CardholderKycStatus, CardholderRegistrationStatus};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Call, users};
use crate::catalog::is_subprovider;
use crate::refusal::{Refusal, Result};

#[derive(Serialize)]
struct Cardholder {
    cardholder_id: String,
    registration_status: CardholderRegistrationStatus,
    kyc_status: CardholderKycStatus,
    kyc_level: CardholderKycLevel,
}

/// `/cardholders/create`: a user's details → the cardholder. The sandbox's provider approves at once.
pub(super) fn create(call: &Call<'_>) -> Result<Value> {
    let fields = call.fields();
    let user = users::named(call)?;
    let subprovider_code = fields.text("subprovider_code")?;
    if !is_subprovider(subprovider_code) {
        return Err(Refusal::new("invalid_subprovider_id", "`subprovider_code` is none of those in `/cards/products`"));
    }
    let mut details = Map::new();
    for name in ["first_name", "last_name"] {
        details.insert(name.into(), fields.text(name)?.into());
    }
    details.insert("birth_date".into(), fields.date("birth_date")?.into());
    for (name, form, is_fit) in FORMS {
        let text = fields.text(name)?;
        if !is_fit(text) {
            return Err(Refusal::invalid(format!("`{name}` has to be {form}")));
        }
        details.insert((*name).into(), text.into());
    }
    let number = super::cards::next_number(call.tx, "cardholders")?;
    let cardholder_id = call.ids.id("cardholder", number)?;
    let created = call
        .tx
        .prepare_cached(
            "INSERT OR IGNORE INTO cardholders (number, id, project, user, subprovider_code, details, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            number,
            &cardholder_id,
            call.project,
            user,
            subprovider_code,
            Value::Object(details).to_string(),
            call.now,
        ))?;
    if created == 0 {
        let message = "this user is a cardholder with this provider already";
        return Err(Refusal::new("cardholder_already_exists", message));
    }
    Ok(serde_json::to_value(Cardholder {
        cardholder_id,
        registration_status: CardholderRegistrationStatus::Active,
        kyc_status: CardholderKycStatus::Approved,
        kyc_level: CardholderKycLevel::Basic,
    })?)
}

/// Whether a user is a cardholder with a provider.
pub(super) fn is_cardholder(call: &Call<'_>, user: i64, subprovider_code: &str) -> Result<bool> {
    let mut found = call.tx.prepare_cached("SELECT 1 FROM cardholders WHERE user = ?1 AND subprovider_code = ?2")?;
    Ok(found.exists((user, subprovider_code))?)
}

/// Name, form in words, form.
type Form = (&'static str, &'static str, fn(&str) -> bool);

const FORMS: &[Form] = &[
    ("email", "an e-mail address", |text| {
        text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
    }),
    ("phone_number_full", "a phone number with its country, such as +4915112345678", |text| {
        let digits = text.strip_prefix('+').unwrap_or(text);
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    }),
    ("country_iso", "a country as two or three capital letters", |text| {
        (2..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase())
    }),
];
