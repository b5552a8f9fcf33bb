//! Orders and cards, and how they advance: by the protocol's state machines, a step at a time.

use cardseal::{CardIssueStatus, CardStatus, CardTopupStatus, OrderStatus};
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::Serialize;
use serde_json::{Value, json};

use crate::business::{Call, credit};
use crate::clock::iso;
use crate::ids::Ids;
use crate::money::Money;
use crate::refusal::{Refusal, Result};
use crate::webhooks;

/// What an order does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderType {
    Issue,
    Topup,
    Freeze,
    Unfreeze,
}

impl OrderType {
    const ALL: [Self; 4] = [Self::Issue, Self::Topup, Self::Freeze, Self::Unfreeze];

    fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "card_issue",
            Self::Topup => "card_topup",
            Self::Freeze => "card_freeze",
            Self::Unfreeze => "card_unfreeze",
        }
    }

    fn first_progress(self) -> Progress {
        match self {
            Self::Issue => Progress::Issue(CardIssueStatus::CardCreatePending),
            Self::Topup => Progress::Topup(CardTopupStatus::New),
            Self::Freeze | Self::Unfreeze => Progress::None,
        }
    }
}

/// How far an order has come at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Progress {
    Issue(CardIssueStatus),
    Topup(CardTopupStatus),
    None,
}

impl Progress {
    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Issue(status) => Some(status.as_str()),
            Self::Topup(status) => Some(status.as_str()),
            Self::None => None,
        }
    }
}

/// What the provider does wrong, chosen by the cents of an amount (ours).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// Its first answer is an error, once.
    First,
    /// It fails while it works, once.
    Progress,
    /// It cannot be verified, once.
    Verification,
    /// It refuses, however often it is asked.
    Always,
}

impl Failure {
    const ALL: [Self; 4] = [Self::First, Self::Progress, Self::Verification, Self::Always];

    fn of(amount: Money) -> Option<Self> {
        match amount.odd_cents() {
            41 => Some(Self::First),
            42 => Some(Self::Progress),
            43 => Some(Self::Verification),
            44 => Some(Self::Always),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Progress => "progress",
            Self::Verification => "verification",
            Self::Always => "always",
        }
    }
}

/// How often the provider is asked before an order fails.
const MOST_FAILURES: u32 = 3;

/// An order about to be written.
pub(crate) struct NewOrder {
    pub(crate) order_type: OrderType,
    /// The number of its card.
    pub(crate) card: i64,
    /// What the card gets.
    pub(crate) amount: Money,
    /// What the wallet pays, fees included.
    pub(crate) cost: Money,
    pub(crate) data: Value,
}

/// An order as it is in the database.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    number: i64,
    id: String,
    project: i64,
    order_type: OrderType,
    status: OrderStatus,
    progress: Progress,
    card: i64,
    card_id: String,
    amount: Money,
    charged: Money,
    balance_before: Option<Money>,
    balance_after: Option<Money>,
    last_error: Option<String>,
    last_error_slug: Option<String>,
    failure: Option<Failure>,
    failures: u32,
    data: String,
    created_at: i64,
    completed_at: Option<i64>,
    failed_at: Option<i64>,
}

/// An order as the API shows it (protocol: workflows).
#[derive(Serialize)]
pub(crate) struct OrderView<'o> {
    order_id: &'o str,
    order_type: &'static str,
    status: &'o OrderStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    issue_status: Option<&'o CardIssueStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topup_status: Option<&'o CardTopupStatus>,
    card_id: &'o str,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_before: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_after: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error_slug: Option<&'o str>,
    data: Value,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<String>,
}

impl Order {
    /// Writes a new order, due for its first step after a rest. `balances` are the wallet's before and after the charge.
    pub(crate) fn create(
        call: &Call<'_>,
        number: i64,
        id: &str,
        new: &NewOrder,
        balances: Option<(Money, Money)>,
    ) -> Result<()> {
        let (before, after) = balances.unzip();
        call.tx
            .prepare_cached(
                "INSERT INTO orders (number, id, project, order_type, status, step, card, amount, charged, \
                 balance_before, balance_after, failure, data, created_at, due_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            )?
            .execute((
                number,
                id,
                call.project,
                new.order_type.as_str(),
                OrderStatus::New.as_str(),
                new.order_type.first_progress().as_str(),
                new.card,
                new.amount,
                new.cost,
                before,
                after,
                Failure::of(new.amount).map(Failure::as_str),
                new.data.to_string(),
                call.now,
                call.now + call.step_micros,
            ))?;
        let order = Self::read(call.tx, number)?;
        order.tell(&Step { tx: call.tx, ids: call.ids, now: call.now, rest_micros: call.step_micros })
    }

    /// The order with a number.
    pub(crate) fn read(tx: &Connection, number: i64) -> Result<Self> {
        Ok(tx.prepare_cached(&format!("{SELECT} WHERE orders.number = ?1"))?.query_row([number], Self::from_row)?)
    }

    /// A project's order.
    pub(crate) fn find(tx: &Connection, project: i64, id: &str) -> Result<Option<Self>> {
        let mut orders = tx.prepare_cached(&format!("{SELECT} WHERE orders.project = ?1 AND orders.id = ?2"))?;
        Ok(orders.query_row((project, id), Self::from_row).optional()?)
    }

    /// All orders, as the API shows them, for the control plane.
    pub(crate) fn all(tx: &Connection) -> Result<Value> {
        let mut orders = tx.prepare_cached(&format!("{SELECT} ORDER BY orders.number"))?;
        let orders = orders.query_map([], Self::from_row)?.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(serde_json::to_value(orders.iter().map(Self::view).collect::<Vec<_>>())?)
    }

    pub(crate) fn failed_topups_since(tx: &Connection, card: i64, since: i64) -> Result<u32> {
        let mut failed = tx.prepare_cached(
            "SELECT count(*) FROM orders WHERE card = ?1 AND order_type = 'card_topup' AND failed_at > ?2",
        )?;
        Ok(failed.query_row((card, since), |row| row.get(0))?)
    }

    pub(crate) fn has_open_status_change(tx: &Connection, card: i64) -> Result<bool> {
        let mut open = tx.prepare_cached(
            "SELECT 1 FROM orders WHERE card = ?1 AND due_at IS NOT NULL AND order_type IN ('card_freeze', 'card_unfreeze')",
        )?;
        Ok(open.exists([card])?)
    }

    /// The order as the API shows it.
    pub(crate) fn view(&self) -> OrderView<'_> {
        OrderView {
            order_id: &self.id,
            order_type: self.order_type.as_str(),
            status: &self.status,
            issue_status: if let Progress::Issue(status) = &self.progress { Some(status) } else { None },
            topup_status: if let Progress::Topup(status) = &self.progress { Some(status) } else { None },
            card_id: &self.card_id,
            balance_before: self.balance_before,
            balance_after: self.balance_after,
            last_error: self.last_error.as_deref(),
            last_error_slug: self.last_error_slug.as_deref(),
            data: serde_json::from_str(&self.data).unwrap_or_default(),
            created_at: iso(self.created_at),
            completed_at: self.completed_at.map(iso),
            failed_at: self.failed_at.map(iso),
        }
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let text = |column: &str| row.get::<_, String>(column);
        let order_type = text("order_type")?;
        let order_type = OrderType::ALL.into_iter().find(|known| known.as_str() == order_type);
        let order_type = order_type.unwrap_or(OrderType::Issue); // nothing else is ever written
        let progress = row.get::<_, Option<String>>("step")?.unwrap_or_default();
        let failure = row.get::<_, Option<String>>("failure")?;
        Ok(Self {
            number: row.get("number")?,
            id: text("id")?,
            project: row.get("project")?,
            order_type,
            status: OrderStatus::from(&*text("status")?),
            progress: match order_type {
                OrderType::Issue => Progress::Issue(CardIssueStatus::from(&*progress)),
                OrderType::Topup => Progress::Topup(CardTopupStatus::from(&*progress)),
                OrderType::Freeze | OrderType::Unfreeze => Progress::None,
            },
            card: row.get("card")?,
            card_id: text("card_id")?,
            amount: row.get("amount")?,
            charged: row.get("charged")?,
            balance_before: row.get("balance_before")?,
            balance_after: row.get("balance_after")?,
            last_error: row.get("last_error")?,
            last_error_slug: row.get("last_error_slug")?,
            failure: Failure::ALL.into_iter().find(|known| failure.as_deref() == Some(known.as_str())),
            failures: row.get("failures")?,
            data: text("data")?,
            created_at: row.get("created_at")?,
            completed_at: row.get("completed_at")?,
            failed_at: row.get("failed_at")?,
        })
    }
}

const SELECT: &str = "SELECT orders.*, cards.id AS card_id FROM orders JOIN cards ON cards.number = orders.card";

/// A card as it is in the database.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) number: i64,
    pub(crate) id: String,
    pub(crate) project: i64,
    pub(crate) user: i64,
    pub(crate) product_code: String,
    pub(crate) status: CardStatus,
    pub(crate) balance: Money,
    /// The end of its number, once the provider has made it.
    pub(crate) last4: Option<String>,
    pub(crate) created_at: i64,
}

impl Card {
    /// Writes a new card, which waits for its order, and gives its number.
    pub(crate) fn create(call: &Call<'_>, user: i64, product_code: &str) -> Result<i64> {
        let tx = call.tx;
        let number: i64 =
            tx.prepare_cached("SELECT coalesce(max(number), 0) + 1 FROM cards")?.query_row([], |row| row.get(0))?;
        tx.prepare_cached(
            "INSERT INTO cards (number, id, project, user, product_code, status, balance, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            number,
            call.ids.id("card", number)?,
            call.project,
            user,
            product_code,
            CardStatus::PendingOrder.as_str(),
            Money::ZERO,
            call.now,
        ))?;
        Ok(number)
    }

    /// The card with a number.
    pub(crate) fn read(tx: &Connection, number: i64) -> Result<Self> {
        Ok(tx.prepare_cached("SELECT * FROM cards WHERE number = ?1")?.query_row([number], |row| {
            Ok(Self {
                number: row.get("number")?,
                id: row.get("id")?,
                project: row.get("project")?,
                user: row.get("user")?,
                product_code: row.get("product_code")?,
                status: CardStatus::from(&*row.get::<_, String>("status")?),
                balance: row.get("balance")?,
                last4: row.get("last4")?,
                created_at: row.get("created_at")?,
            })
        })?)
    }

    fn become_status(&mut self, step: &Step<'_>, status: CardStatus) -> Result<()> {
        if self.status == status {
            return Ok(());
        }
        self.status = status;
        step.tx
            .prepare_cached("UPDATE cards SET status = ?2 WHERE number = ?1")?
            .execute((self.number, self.status.as_str()))?;
        let card = json!({"card_id": self.id, "provider_card_status": self.status});
        webhooks::emit(step.tx, step.ids, self.project, step.now, "card.status_changed", "card", card)
    }

    fn gain(&self, step: &Step<'_>, amount: Money) -> Result<()> {
        step.tx
            .prepare_cached("UPDATE cards SET balance = ?2 WHERE number = ?1")?
            .execute((self.number, self.balance.plus(amount)))?;
        Ok(())
    }
}

/// What a step may touch.
#[derive(Clone, Copy)]
pub(crate) struct Step<'t> {
    pub(crate) tx: &'t Connection,
    pub(crate) ids: Ids,
    pub(crate) now: i64,
    pub(crate) rest_micros: i64,
}

impl Step<'_> {
    /// Takes one step of an order that is due, the longest due first; false if none is.
    pub(crate) fn take(&self) -> Result<bool> {
        let due = self
            .tx
            .prepare_cached("SELECT number FROM orders WHERE due_at <= ?1 ORDER BY due_at, number LIMIT 1")?
            .query_row([self.now], |row| row.get(0))
            .optional()?;
        let Some(number) = due else { return Ok(false) };
        let mut order = Order::read(self.tx, number)?;
        order.advance(self)?;
        Ok(true)
    }

    /// When the next step is due.
    pub(crate) fn next_due(tx: &Connection) -> Result<Option<i64>> {
        Ok(tx
            .prepare_cached("SELECT min(due_at) FROM orders WHERE due_at IS NOT NULL")?
            .query_row([], |row| row.get(0))?)
    }
}

impl Order {
    fn advance(&mut self, step: &Step<'_>) -> Result<()> {
        if self.status == OrderStatus::New {
            self.move_to(if self.order_type == OrderType::Issue {
                OrderStatus::Activating
            } else {
                OrderStatus::Processing
            })?;
            self.write(step)?;
            self.tell(step)?;
            if self.progress == Progress::None {
                return Ok(());
            }
        }
        match self.progress.clone() {
            Progress::Issue(status) => self.advance_issue(step, &status),
            Progress::Topup(status) => self.advance_topup(step, &status),
            Progress::None => {
                let status = if self.order_type == OrderType::Freeze { CardStatus::Frozen } else { CardStatus::Active };
                Card::read(step.tx, self.card)?.become_status(step, status)?;
                self.complete(step)
            }
        }
    }

    fn advance_issue(&mut self, step: &Step<'_>, status: &CardIssueStatus) -> Result<()> {
        use CardIssueStatus as S;
        let mut card = Card::read(step.tx, self.card)?;
        match status {
            S::CardCreatePending if self.fails_once(Failure::First) => {
                self.provider_failed("the provider did not create the card");
                self.issue_to(S::CardCreateError)?;
            }
            S::CardCreatePending => {
                let last4 = step.ids.below("last4", self.card, 10_000)?;
                step.tx
                    .prepare_cached("UPDATE cards SET last4 = ?2 WHERE number = ?1")?
                    .execute((self.card, format!("{last4:04}")))?;
                card.become_status(step, CardStatus::PendingActivation)?;
                self.issue_to(S::CardCreateDone)?;
            }
            S::CardCreateError => self.issue_to(S::CardCreatePending)?,
            S::CardCreateDone if self.amount == Money::ZERO => {
                self.issue_to(S::InitialTopupSkipped)?;
                card.become_status(step, CardStatus::WaitForTopupActivationByUser)?;
                return self.complete(step);
            }
            S::CardCreateDone => self.issue_to(S::InitialTopupPending)?,
            S::InitialTopupPending if self.failure == Some(Failure::Always) || self.fails_once(Failure::Progress) => {
                self.provider_failed("the provider refused the first top-up");
                self.issue_to(S::InitialTopupError)?;
            }
            S::InitialTopupError if self.failures >= MOST_FAILURES => {
                card.become_status(step, CardStatus::Closed)?;
                return self.fail(step);
            }
            S::InitialTopupError => self.issue_to(S::InitialTopupPending)?,
            S::InitialTopupPending => self.issue_to(S::InitialTopupInProgress)?,
            S::InitialTopupInProgress => self.issue_to(S::InitialTopupDone)?,
            S::InitialTopupDone if self.fails_once(Failure::Verification) => {
                self.provider_failed("the provider does not confirm the first top-up yet");
                self.issue_to(S::InitialTopupVerifyError)?;
            }
            S::InitialTopupVerifyError => self.issue_to(S::InitialTopupDone)?,
            S::InitialTopupDone => {
                self.issue_to(S::Completed)?;
                card.gain(step, self.amount)?;
                card.become_status(step, CardStatus::Active)?;
                return self.complete(step);
            }
            status => return Err(Refusal::internal(format!("an issue in the status {status} has a step due"))),
        }
        self.rest(step)
    }

    fn advance_topup(&mut self, step: &Step<'_>, status: &CardTopupStatus) -> Result<()> {
        use CardTopupStatus as S;
        match status {
            S::New if self.fails_once(Failure::First) => {
                self.provider_failed("the provider did not take the top-up");
                self.topup_to(S::NewError)?;
            }
            S::New | S::NewError => self.topup_to(S::ProviderInProgress)?,
            S::ProviderInProgress if self.failure == Some(Failure::Always) || self.fails_once(Failure::Progress) => {
                self.provider_failed("the provider refused the top-up");
                self.topup_to(S::ProviderInProgressError)?;
            }
            S::ProviderInProgressError if self.failures >= MOST_FAILURES => {
                self.topup_to(S::Failed)?;
                return self.fail(step);
            }
            S::ProviderInProgressError => self.topup_to(S::ProviderInProgress)?,
            S::ProviderInProgress => self.topup_to(S::ProviderVerification)?,
            S::ProviderVerification if self.fails_once(Failure::Verification) => {
                self.provider_failed("the provider does not confirm the top-up yet");
                self.topup_to(S::ProviderVerificationError)?;
            }
            S::ProviderVerificationError => self.topup_to(S::ProviderVerification)?,
            S::ProviderVerification => {
                self.topup_to(S::Completed)?;
                let mut card = Card::read(step.tx, self.card)?;
                card.gain(step, self.amount)?;
                if card.status == CardStatus::WaitForTopupActivationByUser {
                    card.become_status(step, CardStatus::Active)?;
                }
                return self.complete(step);
            }
            status => return Err(Refusal::internal(format!("a top-up in the status {status} has a step due"))),
        }
        self.rest(step)
    }

    fn fails_once(&mut self, failure: Failure) -> bool {
        self.failure.take_if(|planned| *planned == failure).is_some()
    }

    fn provider_failed(&mut self, message: &str) {
        self.failures += 1;
        self.last_error = Some(message.to_owned());
        self.last_error_slug = Some("provider_error".to_owned());
    }

    fn complete(&mut self, step: &Step<'_>) -> Result<()> {
        self.move_to(OrderStatus::Completed)?;
        self.completed_at = Some(step.now);
        self.write(step)?;
        self.tell(step)
    }

    /// Ends it, and gives back what it cost.
    fn fail(&mut self, step: &Step<'_>) -> Result<()> {
        self.move_to(OrderStatus::Failed)?;
        self.failed_at = Some(step.now);
        if self.charged > Money::ZERO {
            credit(step.tx, self.project, "refund", &self.id, self.charged, step.now)?;
        }
        self.write(step)?;
        self.tell(step)
    }

    fn rest(&self, step: &Step<'_>) -> Result<()> {
        self.write(step)
    }

    fn move_to(&mut self, next: OrderStatus) -> Result<()> {
        if !self.status.can_become(&next) {
            return Err(forbidden(&self.status, &next));
        }
        self.status = next;
        Ok(())
    }

    fn issue_to(&mut self, next: CardIssueStatus) -> Result<()> {
        match &self.progress {
            Progress::Issue(status) if status.can_become(&next) => self.progress = Progress::Issue(next),
            progress => return Err(forbidden(progress.as_str().unwrap_or_default(), &next)),
        }
        Ok(())
    }

    fn topup_to(&mut self, next: CardTopupStatus) -> Result<()> {
        match &self.progress {
            Progress::Topup(status) if status.can_become(&next) => self.progress = Progress::Topup(next),
            progress => return Err(forbidden(progress.as_str().unwrap_or_default(), &next)),
        }
        Ok(())
    }

    /// Writes what a step changes; only the three moves above change a status.
    fn write(&self, step: &Step<'_>) -> Result<()> {
        let due_at = (!self.status.is_terminal()).then_some(step.now + step.rest_micros);
        step.tx
            .prepare_cached(
                "UPDATE orders SET status = ?2, step = ?3, failure = ?4, failures = ?5, last_error = ?6, \
                 last_error_slug = ?7, completed_at = ?8, failed_at = ?9, due_at = ?10 WHERE number = ?1",
            )?
            .execute((
                self.number,
                self.status.as_str(),
                self.progress.as_str(),
                self.failure.map(Failure::as_str),
                self.failures,
                &self.last_error,
                &self.last_error_slug,
                self.completed_at,
                self.failed_at,
                due_at,
            ))?;
        Ok(())
    }

    /// Tells the project's subscribers how it stands.
    fn tell(&self, step: &Step<'_>) -> Result<()> {
        let order = serde_json::to_value(self.view())?;
        webhooks::emit(step.tx, step.ids, self.project, step.now, "order.status_changed", "order", order)
    }
}

fn forbidden(from: impl std::fmt::Display, to: impl std::fmt::Display) -> Refusal {
    Refusal::internal(format!("a status cannot go from {from} to {to}"))
}
