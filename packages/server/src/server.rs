//! What all parts of a running server share, and the work it does by itself.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Mutex, Notify};
use tokio::time::sleep;

use crate::business;
use crate::clock::{Clock, signed};
use crate::control::faults::Faults;
use crate::control::holds::{Holds, Point};
use crate::control::journal::Journal;
use crate::database::{Database, savepoint};
use crate::ids::Ids;
use crate::money::Money;
use crate::options::Options;
use crate::orders::Step;
use crate::projects::{self, Projects};
use crate::refusal::{Refusal, Result};
use crate::replay::Replay;
use crate::webhooks::Sender;

/// A server without its sockets.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) options: Options,
    pub(crate) projects: Projects,
    pub(crate) database: Database,
    pub(crate) replay: Replay,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) faults: Faults,
    pub(crate) holds: Holds,
    pub(crate) journal: Journal,
    pub(crate) sender: Sender,
    /// Held by whoever moves the clock.
    pub(crate) moving: Mutex<()>,
    steps: Queue,
    pub(crate) deliveries: Queue,
}

/// Work that becomes due. Orders and deliveries have one each: no order waits for a receiver that does not answer.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Something new may be due.
    news: Notify,
    /// Held by whoever does what is due.
    at_work: Mutex<()>,
}

impl Queue {
    /// Waits until something new may be due.
    pub(crate) async fn notified(&self) {
        self.news.notified().await;
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Steps,
    Deliveries,
}

impl Server {
    /// Opens all that the options name.
    ///
    /// # Errors
    /// One line that says what cannot be had.
    pub(crate) async fn open(options: Options) -> Result<Arc<Self>, String> {
        let ids = Ids { seed: options.seed };
        let database = Database::open(&options)?;
        let wanted = options.clone();
        let rows = database.write(move |tx| projects::set_up(tx, &wanted, ids)).await.map_err(in_words)?;
        Ok(Arc::new(Self {
            projects: Projects::new(&rows)?,
            replay: Replay::open(&options).await?,
            sender: Sender::new(options.private_webhooks),
            options,
            database,
            clock: Clock::default(),
            ids,
            faults: Faults::default(),
            holds: Holds::default(),
            journal: Journal::default(),
            moving: Mutex::default(),
            steps: Queue::default(),
            deliveries: Queue::default(),
        }))
    }

    /// How long an order rests between two steps.
    pub(crate) fn rest_micros(&self) -> i64 {
        i64::try_from(self.options.step_millis.saturating_mul(1_000)).unwrap_or(i64::MAX / 2)
    }

    /// Says that something may have become due.
    pub(crate) fn wake(&self) {
        self.steps.news.notify_one();
        self.deliveries.news.notify_one();
    }

    /// Does what is due, as it becomes due, for as long as the server runs.
    pub(crate) async fn work(self: Arc<Self>) {
        tokio::join!(self.keep_at(Kind::Steps), self.keep_at(Kind::Deliveries));
    }

    async fn keep_at(self: &Arc<Self>, kind: Kind) {
        loop {
            let pause = match self.do_due(kind).await {
                Ok(true) => continue,
                Ok(false) => self.until_due(kind).await.unwrap_or(LONGEST_PAUSE),
                Err(error) => {
                    tracing::error!(error = %in_words(error), "the work in the background goes on after a pause");
                    LONGEST_PAUSE
                }
            };
            tokio::select! {
                () = self.queue(kind).notified() => {}
                () = sleep(pause.min(LONGEST_PAUSE)) => {}
            }
        }
    }

    /// Takes all steps and makes all deliveries that are due, and those that become due by it.
    pub(crate) async fn settle(self: &Arc<Self>) -> Result<()> {
        loop {
            let has_stepped = self.do_due(Kind::Steps).await?;
            let has_sent = self.do_due(Kind::Deliveries).await?;
            if !has_stepped && !has_sent {
                return Ok(());
            }
        }
    }

    /// Does some of what is due, once nobody else is at it; false if nothing was.
    async fn do_due(self: &Arc<Self>, kind: Kind) -> Result<bool> {
        let _at_work = self.queue(kind).at_work.lock().await;
        match kind {
            Kind::Deliveries => self.sender.send_due(self).await,
            Kind::Steps => {
                let has_stepped = self.take_steps().await?;
                if has_stepped {
                    self.deliveries.news.notify_one();
                }
                Ok(has_stepped)
            }
        }
    }

    fn queue(&self, kind: Kind) -> &Queue {
        match kind {
            Kind::Steps => &self.steps,
            Kind::Deliveries => &self.deliveries,
        }
    }

    async fn take_steps(self: &Arc<Self>) -> Result<bool> {
        let now = signed(self.clock.now().map_err(Refusal::internal)?);
        let server = Arc::clone(self);
        let step = move |tx: &Connection| {
            let step = Step { tx, ids: server.ids, now, rest_micros: server.rest_micros() };
            let mut taken = 0;
            while taken < STEPS_TOGETHER && savepoint(tx, || step.take())?? {
                server.holds.reach_blocking(Point::DuringStep);
                taken += 1;
            }
            Ok(taken > 0)
        };
        // Most of the time nothing is due, and asking must not write.
        let is_due = self.database.read(move |tx| Ok(Step::next_due(tx)?.is_some_and(|due| due <= now))).await?;
        if is_due { self.database.write(step).await } else { Ok(false) }
    }

    async fn until_due(self: &Arc<Self>, kind: Kind) -> Result<Duration> {
        let server = Arc::clone(self);
        let next = move |tx: &Connection| match kind {
            Kind::Steps => Step::next_due(tx),
            Kind::Deliveries => Sender::next_due(tx, &server.projects),
        };
        let Some(due) = self.database.read(next).await? else { return Ok(LONGEST_PAUSE) };
        if self.clock.is_frozen() {
            return Ok(LONGEST_PAUSE);
        }
        let now = signed(self.clock.now().map_err(Refusal::internal)?);
        Ok(Duration::from_micros(due.saturating_sub(now).max(0).unsigned_abs()))
    }

    /// Moves the clock from one time at which something is due to the next, and does there what is due. The caller holds `moving`.
    pub(crate) async fn advance(self: &Arc<Self>, micros: i64) -> Result<()> {
        let mut left = micros;
        loop {
            self.settle().await?;
            if left <= 0 {
                return Ok(());
            }
            let now = signed(self.clock.now().map_err(Refusal::internal)?);
            let due = self.database.read(move |tx| due_after(tx, now)).await?;
            let hop = due.map_or(left, |due| left.min(due - now));
            self.clock.advance(hop).map_err(Refusal::internal)?;
            left -= hop;
        }
    }

    /// Puts money into a project's wallet.
    pub(crate) async fn fund(&self, project: i64, amount: Money) -> Result<Money> {
        let now = signed(self.clock.now().map_err(Refusal::internal)?);
        self.database.write(move |tx| business::credit(tx, project, "fund", "", amount, now)).await
    }

    /// Everything as it was at the start: no users, cards, orders, subscriptions, faults; full wallets; the system's clock.
    pub(crate) async fn reset(&self) -> Result<()> {
        let _halt = self.sender.halt();
        let _moving = self.moving.lock().await;
        let _stepping = self.steps.at_work.lock().await;
        let _sending = self.deliveries.at_work.lock().await;
        self.clock.reset();
        self.faults.clear();
        self.holds.arm(None);
        self.replay.reset();
        let options = self.options.clone();
        self.database
            .write(move |tx| {
                for table in STATE_TABLES {
                    tx.prepare_cached(&format!("DELETE FROM {table}"))?.execute([])?;
                }
                projects::refill(tx, &options)
            })
            .await?;
        self.journal.clear();
        Ok(())
    }
}

/// When something is due next, later than a time.
fn due_after(tx: &Connection, now: i64) -> Result<Option<i64>> {
    let mut due = tx.prepare_cached(
        "SELECT min(due_at) FROM (SELECT due_at FROM orders WHERE due_at > ?1 \
         UNION ALL SELECT due_at FROM deliveries WHERE due_at > ?1)",
    )?;
    Ok(due.query_row([now], |row| row.get(0))?)
}

/// All tables but that of the projects.
const STATE_TABLES: &[&str] =
    &["replay", "users", "cardholders", "cards", "orders", "ledger", "subscriptions", "deliveries", "idempotency"];

/// How many steps share a transaction.
const STEPS_TOGETHER: usize = 64;

/// Another process may write orders into the same file.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A defect in one line.
pub(crate) fn in_words(refusal: Refusal) -> String {
    match refusal {
        Refusal::Business { message, .. } => message,
        Refusal::Asked { slug } => slug,
        Refusal::Internal(cause) => cause,
    }
}
