//! What a test can do to a running sandbox: move its clock, break things on purpose, look inside.

pub(crate) mod faults;
pub(crate) mod holds;
pub(crate) mod journal;
pub(crate) mod plane;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::business;
use crate::clock::{iso, signed};
use crate::money::Money;
use crate::orders::Order;
use crate::refusal::Refusal;
use crate::server::{Server, in_words};
use crate::webhooks::Sender;
use faults::Rule;
use holds::Point;

/// What the control plane offers, for tests in the same process.
#[derive(Debug, Clone)]
pub struct Control {
    server: Arc<Server>,
}

impl Control {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        Self { server }
    }

    /// What the server's clock shows, in microseconds since 1970.
    ///
    /// # Errors
    /// `clock_unavailable`.
    pub fn now_micros(&self) -> Result<u64, ControlError> {
        Ok(self.server.clock.now()?.as_micros())
    }

    /// Lets the clock stand still.
    ///
    /// # Errors
    /// `clock_is_shared` where replay claims are in Redis, whose times cannot be moved.
    pub fn freeze(&self) -> Result<(), ControlError> {
        self.own_clock()?.freeze()?;
        Ok(())
    }

    /// Lets the clock run on from where it stands.
    ///
    /// # Errors
    /// As [`freeze`](Self::freeze).
    pub fn thaw(&self) -> Result<(), ControlError> {
        self.own_clock()?.thaw()?;
        self.server.wake();
        Ok(())
    }

    /// Sets how far the clock is from the system's, in milliseconds, and lets it run. Nothing is done on the way there.
    ///
    /// # Errors
    /// As [`freeze`](Self::freeze).
    pub fn set_offset(&self, millis: i64) -> Result<(), ControlError> {
        self.own_clock()?.set_offset(millis.saturating_mul(1_000))?;
        self.server.wake();
        Ok(())
    }

    /// Moves the clock on, and returns once everything that became due on the way has been done, each at its own time.
    ///
    /// # Errors
    /// As [`freeze`](Self::freeze); `internal_error`.
    pub async fn advance(&self, by: Duration) -> Result<(), ControlError> {
        let clock = self.own_clock()?;
        let micros = i64::try_from(by.as_micros()).map_err(|_| ControlError::invalid("this is too far ahead"))?;
        let target = signed(clock.now()?).saturating_add(micros);
        loop {
            self.settle().await?;
            let now = signed(clock.now()?);
            let next = self.server.next_due().await?.filter(|due| *due < target).unwrap_or(target);
            if next > now {
                clock.advance(next - now)?;
            }
            if next >= target {
                return self.settle().await;
            }
        }
    }

    /// Does everything that is due, and returns once it is done.
    ///
    /// # Errors
    /// `internal_error`.
    pub async fn settle(&self) -> Result<(), ControlError> {
        Ok(self.server.settle().await?)
    }

    /// Everything as it was at the start: no users, cards, orders, subscriptions, claims, faults; full wallets; the system's
    /// clock.
    ///
    /// # Errors
    /// `internal_error`.
    pub async fn reset(&self) -> Result<(), ControlError> {
        Ok(self.server.reset().await?)
    }

    /// Puts money into a wallet, the first project's unless an API key names another, and gives the new balance.
    ///
    /// # Errors
    /// `invalid_amount`; `api_key_not_found`.
    pub async fn fund(&self, amount: &str, api_key: Option<&str>) -> Result<String, ControlError> {
        let amount = Money::parse(amount).filter(|amount| *amount > Money::ZERO);
        let wrong = "`amount` has to be above zero with at most two decimals, such as \"25.00\"";
        let amount = amount.ok_or_else(|| ControlError::new("invalid_amount", wrong))?;
        let project = match api_key {
            None => self.server.projects.first(),
            Some(api_key) => self
                .server
                .projects
                .by_key(api_key)
                .ok_or_else(|| ControlError::new("api_key_not_found", "no project has this API key"))?,
        };
        Ok(self.server.fund(project.number, amount).await?.to_string())
    }

    /// Adds faults: one rule or a list of rules, in the JSON that the README shows.
    ///
    /// # Errors
    /// `invalid_fault`.
    pub fn add_faults(&self, rules: &Value) -> Result<(), ControlError> {
        let rules = if rules.is_array() { rules.clone() } else { json!([rules]) };
        let wrong = |error: String| ControlError::new("invalid_fault", error);
        let rules: Vec<Rule> = serde_json::from_value(rules).map_err(|error| wrong(error.to_string()))?;
        let rules = rules.into_iter().map(Rule::checked).collect::<Result<_, _>>().map_err(wrong)?;
        self.server.faults.add(rules);
        Ok(())
    }

    /// The faults that are in force, with what is left of their counts.
    pub fn faults(&self) -> Value {
        json!(self.server.faults.rules())
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.server.faults.clear();
    }

    /// The last thousand requests, each with its verdict. Kept only where the control plane listens.
    pub fn journal(&self) -> Value {
        json!(self.server.journal.entries())
    }

    /// Forgets them.
    pub fn clear_journal(&self) {
        self.server.journal.clear();
    }

    /// What every wallet gained and paid.
    ///
    /// # Errors
    /// `internal_error`.
    pub async fn ledger(&self) -> Result<Value, ControlError> {
        Ok(self.server.database.read(business::ledger).await?)
    }

    /// All orders, of all projects.
    ///
    /// # Errors
    /// `internal_error`.
    pub async fn orders(&self) -> Result<Value, ControlError> {
        Ok(self.server.database.read(Order::all).await?)
    }

    /// All deliveries of webhooks, those that were given up too.
    ///
    /// # Errors
    /// `internal_error`.
    pub async fn deliveries(&self) -> Result<Value, ControlError> {
        Ok(self.server.database.read(Sender::all).await?)
    }

    /// Holds whatever comes to a point until the process ends, so that a test can kill it there; nothing without a name.
    ///
    /// # Errors
    /// `invalid_point`, with the names there are.
    pub fn hold(&self, point: Option<&str>) -> Result<(), ControlError> {
        let point = point.map(|name| serde_json::from_value::<Point>(name.into())).transpose();
        let point = point.map_err(|error| ControlError::new("invalid_point", error.to_string()))?;
        self.server.holds.arm(point);
        Ok(())
    }

    /// Clock, faults and counts.
    fn state(&self) -> Result<Value, ControlError> {
        let clock = &self.server.clock;
        Ok(json!({
            "now": iso(signed(clock.now()?)),
            "now_micros": clock.now()?.as_micros(),
            "offset_millis": clock.offset_micros()? / 1_000,
            "is_frozen": clock.is_frozen(),
            "faults": self.server.faults.rules().len(),
            "journal": self.server.journal.entries().len(),
        }))
    }

    fn own_clock(&self) -> Result<&crate::clock::Clock, ControlError> {
        if self.server.replay.is_redis() {
            let message = "the clock cannot be moved while Redis keeps the replay claims: start without --redis";
            return Err(ControlError::new("clock_is_shared", message));
        }
        Ok(&self.server.clock)
    }
}

/// Why the control plane does not do what it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlError {
    code: &'static str,
    message: String,
}

impl ControlError {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new("invalid_request", message)
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        self.code
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for ControlError {}

impl From<Refusal> for ControlError {
    fn from(refusal: Refusal) -> Self {
        Self::new("internal_error", in_words(refusal))
    }
}

impl From<cardseal::Error> for ControlError {
    fn from(error: cardseal::Error) -> Self {
        Self::new(error.code(), error.message())
    }
}
