//! Failures on purpose: how many times, or how likely, on which path.

use std::sync::{Mutex, PoisonError};

use cardseal::normalize_path;
use serde::{Deserialize, Serialize};

use crate::ids::Ids;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fault {
    /// A sealed error, in the place of the business rules.
    Slug { slug: String },
    /// One of the plain errors, by its code; before anything is looked at.
    Plain { code: String },
    /// A plain error with a status, before or after the request is executed.
    Status { status: u16, when: When },
    /// The connection is closed without an answer, before or after the request is executed.
    Drop { when: When },
    /// The answer comes late.
    Delay { millis: u64 },
    /// What a proxy answers when it does not reach the server; the request is not executed.
    Html,
    /// Executed; the sealed answer has one bit of its tag flipped.
    FlippedTag,
    /// Executed; the sealed answer has another version byte.
    BadVersion,
    /// Executed; the answer is sealed with another key.
    OtherKey,
}

/// On which side of the work it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum When {
    Before,
    After,
}

/// A fault with its conditions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// Only requests to this path; all without it.
    #[serde(default)]
    path: Option<String>,
    /// How often it happens; without end if absent.
    #[serde(default)]
    count: Option<u32>,
    /// How likely it is, 0 to 1; certain if absent.
    #[serde(default)]
    probability: Option<f64>,
    #[serde(flatten)]
    fault: Fault,
}

impl Rule {
    /// The rule with its path in the form that requests are compared in.
    ///
    /// # Errors
    /// One line that says what is wrong with it.
    pub(crate) fn checked(mut self) -> Result<Self, String> {
        if let Some(path) = &mut self.path {
            *path = normalize_path(path).map_err(|error| error.message().to_owned())?;
        }
        if self.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Err("`probability` has to be between 0 and 1".to_owned());
        }
        match &self.fault {
            Fault::Status { status, .. } if !(400..=599).contains(status) => {
                Err("`status` has to be between 400 and 599".to_owned())
            }
            Fault::Plain { code } if !cardseal::PLAIN_ERRORS.iter().any(|error| error.code == code) => {
                Err("`code` has to be that of a plain error, such as duplicate_request".to_owned())
            }
            Fault::Delay { millis } if *millis > MOST_DELAY_MILLIS => {
                Err(format!("`millis` can be at most {MOST_DELAY_MILLIS}"))
            }
            _ => Ok(self),
        }
    }
}

const MOST_DELAY_MILLIS: u64 = 60_000;

/// The rules that are in force, and how many chances were taken.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    chances: i64,
}

impl Faults {
    pub(crate) fn add(&self, rules: Vec<Rule>) {
        self.lock().rules.extend(rules);
    }

    pub(crate) fn rules(&self) -> Vec<Rule> {
        self.lock().rules.clone()
    }

    pub(crate) fn clear(&self) {
        *self.lock() = State::default();
    }

    /// What goes wrong with a request to a normalised path: by the first rule that applies.
    pub(crate) fn on(&self, path: &str, ids: Ids) -> Option<Fault> {
        let State { rules, chances } = &mut *self.lock();
        let applies = |rule: &&mut Rule| rule.path.as_deref().is_none_or(|only| only == path) && rule.count != Some(0);
        for rule in rules.iter_mut().filter(applies) {
            if let Some(probability) = rule.probability {
                *chances += 1;
                let drawn = ids.below("fault", *chances, CHANCES).unwrap_or_default();
                if drawn as f64 >= probability * CHANCES as f64 {
                    continue;
                }
            }
            if let Some(count) = &mut rule.count {
                *count -= 1;
            }
            return Some(rule.fault.clone());
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

    fn rule(text: &str) -> Rule {
        serde_json::from_str::<Rule>(text).unwrap().checked().unwrap()
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
        for text in [
            r#"{"kind":"html","probability":1.5}"#,
            r#"{"kind":"status","status":200,"when":"before"}"#,
            r#"{"kind":"plain","code":"nonsense"}"#,
            r#"{"kind":"html","path":"/a/../b"}"#,
        ] {
            assert!(serde_json::from_str::<Rule>(text).unwrap().checked().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Rule>(r#"{"kind":"nonsense"}"#).is_err());
    }
}
