//! Failures on purpose: how many times, or how likely, on which path.

use std::sync::{Mutex, PoisonError};

use cardseal::{ENDPOINTS, PLAIN_ERRORS, normalize_path};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::Ids;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// A sealed error, in the place of the business rules.
    Slug {
        /// Its slug, documented or not.
        slug: String,
    },
    /// One of the eight plain errors, before anything is looked at.
    Plain {
        /// Its code, such as `duplicate_request`.
        code: String,
    },
    /// A plain error with a status, before or after the request is executed.
    Status {
        /// The HTTP status, 400 to 599.
        status: u16,
        /// On which side of the work.
        when: When,
    },
    /// The connection is closed without an answer, before or after the request is executed.
    Drop {
        /// On which side of the work.
        when: When,
    },
    /// The request is looked at late, by the system's clock.
    Delay {
        /// How long it waits, at most 60,000.
        millis: u64,
    },
    /// A proxy's page in the place of the server's answer; nothing is executed.
    Html {
        /// The HTTP status, 200 to 599; 502 if JSON leaves it out.
        #[serde(default = "bad_gateway")]
        status: u16,
    },
    /// Executed; the sealed answer has one bit of its tag flipped.
    FlippedTag,
    /// Executed; the sealed answer has another version byte.
    BadVersion,
    /// Executed; the answer is sealed with another key.
    OtherKey,
}

const fn bad_gateway() -> u16 {
    502
}

/// On which side of the work it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Nothing has been executed, and nothing claimed.
    Before,
    /// All has been executed and committed.
    After,
}

/// A fault with its conditions: on which path, how often, how likely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultRule {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    count: Option<u32>,
    #[serde(default)]
    probability: Option<f64>,
    #[serde(flatten)]
    fault: Fault,
}

impl FaultRule {
    /// A fault that happens to every request, until it is cleared.
    pub const fn new(fault: Fault) -> Self {
        Self { path: None, count: None, probability: None, fault }
    }

    /// Only to requests to an endpoint, such as `/cards/topup`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Only so many times.
    #[must_use]
    pub const fn count(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Only so likely, 0 to 1; with a seed, the same requests are hit in every run.
    #[must_use]
    pub const fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// A rule from JSON: the fault's members and `path`, `count`, `probability`.
    ///
    /// # Errors
    /// One line that names the member that is wrong.
    pub(crate) fn parse(rule: Value) -> Result<Self, String> {
        let given: Vec<String> = rule.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default();
        let rule: Self = serde_json::from_value(rule).map_err(|error| error.to_string())?;
        // Serde ignores members beside a kind that has none of its own.
        let known = serde_json::to_value(&rule).map_err(|error| error.to_string())?;
        match given.into_iter().find(|name| known.get(name).is_none()) {
            Some(unknown) => Err(format!("unknown field `{unknown}`: this kind of fault has none such")),
            None => Ok(rule),
        }
    }

    /// The rule with its path in the form that requests are compared in.
    ///
    /// # Errors
    /// One line that says what is wrong with it.
    pub(crate) fn checked(mut self) -> Result<Self, String> {
        if let Some(path) = &mut self.path {
            *path = normalize_path(path).map_err(|error| error.message().to_owned())?;
            if !ENDPOINTS.iter().any(|endpoint| endpoint.path == path) {
                return Err("`path` has to be that of an endpoint, such as /cards/topup".to_owned());
            }
        }
        if self.count == Some(0) {
            return Err("`count` has to be at least 1".to_owned());
        }
        if self.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Err("`probability` has to be between 0 and 1".to_owned());
        }
        match &self.fault {
            Fault::Slug { slug } if !is_slug(slug) => {
                Err("`slug` has to have 1 to 64 characters of a-z, 0-9 and _".to_owned())
            }
            Fault::Plain { code } if !PLAIN_ERRORS.iter().any(|error| error.code == code) => {
                Err("`code` has to be that of a plain error, such as duplicate_request".to_owned())
            }
            Fault::Status { status, .. } if !(400..=599).contains(status) => {
                Err("`status` has to be between 400 and 599".to_owned())
            }
            Fault::Html { status } if !(200..=599).contains(status) => {
                Err("`status` has to be between 200 and 599".to_owned())
            }
            Fault::Delay { millis } if *millis > MOST_DELAY_MILLIS => {
                Err(format!("`millis` can be at most {MOST_DELAY_MILLIS}"))
            }
            _ => Ok(self),
        }
    }
}

fn is_slug(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

const MOST_DELAY_MILLIS: u64 = 60_000;

/// The rules that are in force, and how many chances were taken.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<FaultRule>,
    chances: i64,
}

impl Faults {
    pub(crate) fn add(&self, rules: Vec<FaultRule>) {
        self.lock().rules.extend(rules);
    }

    pub(crate) fn rules(&self) -> Vec<FaultRule> {
        self.lock().rules.clone()
    }

    pub(crate) fn clear(&self) {
        *self.lock() = State::default();
    }

    /// What goes wrong with a request to a normalised path: by the first rule that applies.
    pub(crate) fn on(&self, path: &str, ids: Ids) -> Option<Fault> {
        let State { rules, chances } = &mut *self.lock();
        let applies = |rule: &FaultRule| rule.path.as_deref().is_none_or(|only| only == path);
        for place in 0..rules.len() {
            let Some(rule) = rules.get_mut(place).filter(|rule| applies(rule)) else { continue };
            if let Some(probability) = rule.probability {
                *chances += 1;
                let drawn = ids.below("fault", *chances, CHANCES).unwrap_or_default();
                if drawn as f64 >= probability * CHANCES as f64 {
                    continue;
                }
            }
            let fault = rule.fault.clone();
            match &mut rule.count {
                Some(1) => drop(rules.remove(place)),
                Some(count) => *count -= 1,
                None => {}
            }
            return Some(fault);
        }
        None
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const CHANCES: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<FaultRule, String> {
        FaultRule::parse(serde_json::from_str(text).unwrap())?.checked()
    }

    fn rule(text: &str) -> FaultRule {
        parse(text).unwrap()
    }

    #[test]
    fn a_rule_counts_down_and_keeps_to_its_path() {
        let faults = Faults::default();
        faults.add(vec![rule(r#"{"kind":"drop","when":"after","path":"/cards/topup","count":2}"#)]);
        let on = |path| faults.on(path, Ids { seed: None });
        assert_eq!(on("/api/v1/cards/create"), None);
        assert_eq!(on("/api/v1/cards/topup"), Some(Fault::Drop { when: When::After }));
        assert_eq!(on("/api/v1/cards/topup"), Some(Fault::Drop { when: When::After }));
        assert_eq!(on("/api/v1/cards/topup"), None);
    }

    #[test]
    fn chances_follow_the_seed() {
        let draws = |seed| {
            let faults = Faults::default();
            faults.add(vec![rule(r#"{"kind":"html","probability":0.25}"#)]);
            (0..400).map(|_| faults.on("/api/v1/x", Ids { seed: Some(seed) }).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        let hits = draws(7).into_iter().filter(|hit| *hit).count();
        assert!((60..=140).contains(&hits), "{hits}");
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_refused() {
        for (text, named) in [
            (r#"{"kind":"html","probability":1.5}"#, "`probability`"),
            (r#"{"kind":"html","probability":-0.1}"#, "`probability`"),
            (r#"{"kind":"html","count":0}"#, "`count`"),
            (r#"{"kind":"html","status":99}"#, "`status`"),
            (r#"{"kind":"status","status":200,"when":"before"}"#, "`status`"),
            (r#"{"kind":"status","status":500}"#, "`when`"),
            (r#"{"kind":"drop","when":"later"}"#, "`later`"),
            (r#"{"kind":"plain","code":"nonsense"}"#, "`code`"),
            (r#"{"kind":"slug","slug":"Not a slug"}"#, "`slug`"),
            (r#"{"kind":"delay","millis":60001}"#, "`millis`"),
            (r#"{"kind":"html","path":"/a/../b"}"#, "/a/../b"),
            (r#"{"kind":"html","path":"/cards/nothing"}"#, "`path`"),
            (r#"{"kind":"nonsense"}"#, "`nonsense`"),
            (r#"{"count":1}"#, "`kind`"),
            (r#"{"kind":"flipped_tag","when":"after"}"#, "`when`"),
            (r#"{"kind":"drop","when":"after","often":2}"#, "`often`"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(named) && !message.contains('\n'), "{text}: {message}");
        }
    }
}
