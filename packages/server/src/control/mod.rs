//! What a test can do to a running sandbox: move its clock, break things on purpose, look inside.

mod error;
pub(crate) mod faults;
pub(crate) mod holds;
pub(crate) mod journal;
pub(crate) mod plane;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cardseal::Timestamp;
use rusqlite::Connection;
use serde_json::{Map, Value, json};

use crate::business;
use crate::clock::{iso, signed};
use crate::money::Money;
use crate::orders::Order;
use crate::refusal::Result as Found;
use crate::server::Server;
use crate::webhooks::Sender;
use faults::FaultRule;
use holds::Point as HoldPoint;

pub use error::ControlError;

/// What the control plane offers, for tests in the same process.
///
/// ```
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # use std::time::Duration;
/// # use cardseal_server::{Fault, FaultRule, Options, Sandbox, When};
/// let sandbox = Sandbox::start(Options::default()).await?;
/// let control = sandbox.control();
///
/// control.freeze().await?;
/// control.advance(Duration::from_secs(3_600)).await?; // returns once everything due within the hour has happened
/// assert_eq!(control.fund("250.00", None).await?, "1250.00");
/// control.add_faults([FaultRule::new(Fault::Drop { when: When::After }).path("/cards/topup").count(1)])?;
/// control.reset().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Control {
    server: Arc<Server>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server: _ } = self; // it knows every secret
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

/// The clock. Claims in Redis expire by Redis's own clock, so that a server with a Redis has no other.
impl Control {
    /// What the server's clock shows, in microseconds since 1970.
    ///
    /// # Errors
    /// `clock_unavailable`.
    pub fn now_micros(&self) -> Result<u64, ControlError> {
        Ok(self.server.clock.now()?.as_micros())
    }

    /// Lets the clock stand still, and gives what it shows, in microseconds.
    ///
    /// # Errors
    /// `clock_with_redis`.
    pub async fn freeze(&self) -> Result<u64, ControlError> {
        let _moving = self.may_move().await?;
        Ok(self.server.clock.freeze()?.as_micros())
    }

    /// Lets the clock run on from where it stands.
    ///
    /// # Errors
    /// `clock_with_redis`.
    pub async fn thaw(&self) -> Result<(), ControlError> {
        let _moving = self.may_move().await?;
        self.server.clock.thaw()?;
        self.server.wake();
        Ok(())
    }

    /// Sets the clock ahead of the system's, or behind it, and lets it run.
    ///
    /// Set back, it changes nothing that has happened: replay claims and orders keep their times.
    ///
    /// # Errors
    /// `invalid_clock` beyond what a clock can show, `clock_with_redis`.
    pub async fn set_offset(&self, millis: i64) -> Result<(), ControlError> {
        let moving = self.may_move().await?;
        let micros = millis.checked_mul(1_000).ok_or_else(too_far)?;
        check_time(signed(Timestamp::wall_clock()?), micros)?;
        self.server.clock.set_offset(micros)?;
        drop(moving);
        self.settle().await
    }

    /// Moves the clock, standing or running; returns once everything that became due has happened, webhooks too.
    ///
    /// It stops at each time at which something is due, so that orders take every step at the step's own time.
    ///
    /// # Errors
    /// `invalid_clock` beyond what a clock can show, `clock_with_redis`.
    pub async fn advance(&self, by: Duration) -> Result<(), ControlError> {
        let _moving = self.may_move().await?;
        let micros = i64::try_from(by.as_micros()).map_err(|_| too_far())?;
        check_time(signed(self.server.clock.now()?), micros)?;
        Ok(self.server.advance(micros).await?)
    }

    /// Returns once everything that is due has happened, webhooks too.
    ///
    /// # Errors
    /// `internal_error`.
    pub async fn settle(&self) -> Result<(), ControlError> {
        Ok(self.server.settle().await?)
    }

    async fn may_move(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, ControlError> {
        if self.server.replay.is_redis() {
            let message =
                "the control clock and Redis exclude each other: start the sandbox without Redis to move the clock";
            return Err(ControlError::new("clock_with_redis", message));
        }
        Ok(self.server.moving.lock().await)
    }
}

/// What there is.
impl Control {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        server.journal.keep();
        Self { server }
    }

    /// Everything as at the start: full wallets, no users, orders, claims or faults, the system's clock.
    ///
    /// The projects and their secrets stay, and claims in a Redis, which other processes share. What is being sent is broken off.
    ///
    /// # Errors
    /// `internal_error`.
    pub async fn reset(&self) -> Result<(), ControlError> {
        Ok(self.server.reset().await?)
    }

    /// Puts an amount such as `250.00` into a wallet, and gives the new balance.
    ///
    /// The wallet is the first project's unless an API key names another's.
    ///
    /// # Errors
    /// `invalid_amount`, `project_not_found`.
    pub async fn fund(&self, amount: &str, api_key: Option<&str>) -> Result<String, ControlError> {
        let malformed = "`amount` has to be text above zero with at most two decimals, such as \"250.00\"";
        let amount = Money::parse(amount).filter(|amount| *amount > Money::ZERO);
        let amount = amount.ok_or_else(|| ControlError::new("invalid_amount", malformed))?;
        let projects = &self.server.projects;
        let project = api_key.map_or(Some(projects.first()), |api_key| projects.by_key(api_key));
        let missing = || ControlError::new("project_not_found", "there is no project with this `api_key`");
        let number = project.ok_or_else(missing)?.number;
        Ok(self.server.fund(number, amount).await?.to_string())
    }

    /// Every movement of every wallet, the oldest first; a wallet's balance is its opening balance and these.
    ///
    /// # Errors
    /// `internal_error`.
    pub async fn ledger(&self) -> Result<Value, ControlError> {
        self.read(business::ledger).await
    }

    /// All orders as `/orders/check` shows them, the oldest first.
    ///
    /// # Errors
    /// `internal_error`.
    pub async fn orders(&self) -> Result<Value, ControlError> {
        self.read(Order::all).await
    }

    /// All webhooks and what became of them, the oldest first.
    ///
    /// # Errors
    /// `internal_error`.
    pub async fn deliveries(&self) -> Result<Value, ControlError> {
        self.read(Sender::all).await
    }

    /// The last 1,000 requests since there is a `Control`, the oldest first: body hash, payload, verdict and why.
    ///
    /// Card data in payloads is masked.
    ///
    /// # Errors
    /// `internal_error`.
    pub fn journal(&self) -> Result<Value, ControlError> {
        Ok(serde_json::to_value(self.server.journal.entries()).map_err(crate::refusal::Refusal::from)?)
    }

    /// Forgets the journal.
    pub fn clear_journal(&self) {
        self.server.journal.clear();
    }

    /// The clock, and how many there are of everything.
    ///
    /// # Errors
    /// `internal_error`, `clock_unavailable`.
    pub async fn state(&self) -> Result<Value, ControlError> {
        let Server { clock, faults, journal, .. } = &*self.server;
        let counts = self.read(count).await?;
        let now = clock.now()?;
        Ok(json!({
            "now": iso(signed(now)),
            "now_micros": now.as_micros(),
            "is_frozen": clock.is_frozen(),
            "offset_millis": clock.offset_micros()? / 1_000,
            "faults": faults.rules().len(),
            "requests": journal.len(),
            "counts": counts,
        }))
    }

    async fn read<T: Send + 'static>(&self, read: fn(&Connection) -> Found<T>) -> Result<T, ControlError> {
        Ok(self.server.database.read(read).await?)
    }
}

/// Failures on purpose.
impl Control {
    /// Adds faults behind those in force; of several that apply to a request the first happens.
    ///
    /// # Errors
    /// `invalid_fault`: a rule that makes no sense. Then none is added.
    pub fn add_faults(&self, rules: impl IntoIterator<Item = FaultRule>) -> Result<(), ControlError> {
        let checked: Result<Vec<_>, _> = rules.into_iter().map(FaultRule::checked).collect();
        self.server.faults.add(checked.map_err(|wrong| ControlError::new("invalid_fault", wrong))?);
        Ok(())
    }

    /// The faults in force, with what is left of their counts.
    pub fn faults(&self) -> Vec<FaultRule> {
        self.server.faults.rules()
    }

    /// Ends all faults; chances begin anew.
    pub fn clear_faults(&self) {
        self.server.faults.clear();
    }

    /// Lets whatever comes to a point stand still there until the process ends, which is to be killed then.
    ///
    /// `None` lifts it for what comes later. Nothing else works while something stands still within a transaction.
    pub fn hold(&self, point: Option<HoldPoint>) {
        self.server.holds.arm(point);
    }
}

fn count(tx: &Connection) -> Found<Value> {
    let mut counts = Map::new();
    for table in ["projects", "users", "cardholders", "cards", "orders", "ledger", "subscriptions", "deliveries"] {
        let count: i64 =
            tx.prepare_cached(&format!("SELECT count(*) FROM {table}"))?.query_row([], |row| row.get(0))?;
        counts.insert(table.into(), count.into());
    }
    Ok(Value::Object(counts))
}

/// Refuses times that a clock cannot show.
fn check_time(from: i64, micros: i64) -> Result<(), ControlError> {
    let is_fit = from.checked_add(micros).is_some_and(|at| (1..LAST_MICROS).contains(&at));
    if is_fit { Ok(()) } else { Err(too_far()) }
}

fn too_far() -> ControlError {
    ControlError::new("invalid_clock", "the clock shows times between 1970 and 2255 alone: move it less far")
}

/// Beyond it, a timestamp is not exact as a number of JavaScript.
const LAST_MICROS: i64 = 1 << 53;
