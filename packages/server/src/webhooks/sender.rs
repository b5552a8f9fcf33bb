//! Sends what is due, at least once: taken under a lease that is written first, and given up only after many attempts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::client::Client;
use crate::clock::{iso, signed};
use crate::control::holds::Point;
use crate::ids::Ids;
use crate::projects::Projects;
use crate::refusal::{Refusal, Result};
use crate::server::{LONGEST_PAUSE, Server};

/// Sends webhooks.
#[derive(Debug)]
pub(crate) struct Sender {
    client: Client,
    is_halted: watch::Sender<bool>,
}

impl Sender {
    /// `private`: whether webhooks may go to loopback and private addresses.
    pub(crate) fn new(private: bool) -> Self {
        Self { client: Client::new(private), is_halted: watch::Sender::new(false) }
    }

    /// Makes all deliveries that are due, and those that become due meanwhile; false if none was.
    ///
    /// A receiver that never answers keeps its own places busy, not those of others.
    pub(crate) async fn send_due(&self, server: &Arc<Server>) -> Result<bool> {
        let mut is_halted = self.is_halted.subscribe();
        tokio::select! {
            biased;
            _ = is_halted.wait_for(|is_halted| *is_halted) => Ok(false),
            sent = send_all(server) => sent,
        }
    }

    /// Breaks off what is being sent, and sends nothing until the guard is dropped.
    pub(crate) fn halt(&self) -> Halt<'_> {
        self.is_halted.send_replace(true);
        Halt(&self.is_halted)
    }

    /// When the next delivery of these projects is due.
    pub(crate) fn next_due(tx: &Connection, projects: &Projects) -> Result<Option<i64>> {
        let mut due = tx.prepare_cached(
            "SELECT min(due_at) FROM deliveries \
             WHERE due_at IS NOT NULL AND project IN (SELECT value FROM json_each(?1))",
        )?;
        Ok(due.query_row([numbers(projects)], |row| row.get(0))?)
    }

    /// All deliveries, for the control plane.
    pub(crate) fn all(tx: &Connection) -> Result<Value> {
        let mut deliveries = tx.prepare_cached("SELECT * FROM deliveries ORDER BY number")?;
        let rows = deliveries.query_map([], |row| {
            Ok(json!({
                "id": row.get::<_, String>("id")?,
                "subscription": row.get::<_, String>("subscription")?,
                "url": row.get::<_, String>("url")?,
                "event_type": row.get::<_, String>("event_type")?,
                "state": row.get::<_, String>("state")?,
                "attempts": row.get::<_, u32>("attempts")?,
                "last_error": row.get::<_, Option<String>>("last_error")?,
                "created_at": iso(row.get("created_at")?),
                "due_at": row.get::<_, Option<i64>>("due_at")?.map(iso),
            }))
        })?;
        Ok(Value::Array(rows.collect::<rusqlite::Result<_>>()?))
    }
}

/// While it lives, nothing is sent.
#[derive(Debug)]
pub(crate) struct Halt<'s>(&'s watch::Sender<bool>);

impl Drop for Halt<'_> {
    fn drop(&mut self) {
        let Self(is_halted) = self;
        is_halted.send_replace(false);
    }
}

async fn send_all(server: &Arc<Server>) -> Result<bool> {
    let mut has_sent = false;
    let mut busy = HashMap::<String, u32>::new();
    let mut under_way = JoinSet::new(); // dropped, it breaks off what is in it
    loop {
        for delivery in claim(server, &busy, AT_ONCE - under_way.len()).await? {
            *busy.entry(delivery.subscription.clone()).or_default() += 1;
            under_way.spawn(deliver(Arc::clone(server), delivery));
            has_sent = true;
        }
        if under_way.is_empty() {
            return Ok(has_sent);
        }
        tokio::select! {
            Some(ended) = under_way.join_next() => {
                let subscription = ended.map_err(Refusal::internal)??;
                busy.entry(subscription).and_modify(|places| *places -= 1);
            }
            () = server.deliveries.notified() => {}
            () = sleep(LONGEST_PAUSE) => {}
        }
    }
}

/// A delivery that this process alone makes until its lease ends.
#[derive(Debug)]
struct Delivery {
    number: i64,
    id: String,
    project: i64,
    subscription: String,
    url: String,
    payload: String,
    /// This one included.
    attempts: u32,
}

/// Takes what is due, the longest due first, as far as there is room. Each gets a lease: should this process end before the
/// result is written, the delivery is due again when the lease has ended.
async fn claim(server: &Arc<Server>, busy: &HashMap<String, u32>, room: usize) -> Result<Vec<Delivery>> {
    let now = signed(server.clock.now().map_err(Refusal::internal)?);
    let asking = Arc::clone(server);
    // Most of the time nothing is due, and asking must not write.
    let due = server.database.read(move |tx| Sender::next_due(tx, &asking.projects)).await?;
    if room == 0 || due.is_none_or(|due| due > now) {
        return Ok(Vec::new());
    }
    let busy = busy.clone();
    let projects = numbers(&server.projects);
    let take = move |tx: &Connection| {
        tx.prepare_cached(
            "UPDATE deliveries SET state = 'parked', due_at = NULL, last_error = 'the last attempt was cut short' \
             WHERE due_at <= ?1 AND attempts >= ?2 AND project IN (SELECT value FROM json_each(?3))",
        )?
        .execute((now, MOST_ATTEMPTS, &projects))?;
        let mut due = tx.prepare_cached(
            "SELECT number, id, project, subscription, url, payload, attempts + 1, \
             row_number() OVER (PARTITION BY subscription ORDER BY due_at, number) AS place \
             FROM deliveries WHERE due_at <= ?1 AND project IN (SELECT value FROM json_each(?2)) ORDER BY due_at, number",
        )?;
        let mut rows = due.query((now, &projects))?;
        let mut taken = Vec::new();
        while let Some(row) = rows.next()?
            && taken.len() < room
        {
            let delivery = Delivery {
                number: row.get(0)?,
                id: row.get(1)?,
                project: row.get(2)?,
                subscription: row.get(3)?,
                url: row.get(4)?,
                payload: row.get(5)?,
                attempts: row.get(6)?,
            };
            let place: u32 = row.get(7)?;
            if place + busy.get(&delivery.subscription).copied().unwrap_or_default() <= AT_ONCE_EACH {
                taken.push(delivery);
            }
        }
        for delivery in &taken {
            tx.prepare_cached("UPDATE deliveries SET attempts = ?2, due_at = ?3 WHERE number = ?1")?.execute((
                delivery.number,
                delivery.attempts,
                now + micros(LEASE),
            ))?;
        }
        Ok(taken)
    };
    server.database.write(take).await
}

/// Makes an attempt and writes down what became of it; gives the subscription back.
async fn deliver(server: Arc<Server>, delivery: Delivery) -> Result<String> {
    server.holds.reach(Point::DuringWebhook).await;
    let sent = attempt(&server, &delivery).await;
    let Delivery { number, id, project: _, subscription, url: _, payload: _, attempts } = delivery;
    let now = signed(server.clock.now().map_err(Refusal::internal)?);
    let (state, due_at) = match sent {
        Ok(()) => ("delivered", None),
        Err(_) if attempts >= MOST_ATTEMPTS => ("parked", None),
        Err(_) => ("pending", Some(now + backoff_micros(server.ids, number, attempts)?)),
    };
    let why = sent.err();
    tracing::info!(delivery = id, attempts, state, why, "webhook");
    let write = move |tx: &Connection| {
        // Nothing is written to a delivery that was called off meanwhile, or that somebody else has taken over.
        tx.prepare_cached(
            "UPDATE deliveries SET state = ?4, due_at = ?5, last_error = coalesce(?6, last_error) \
             WHERE number = ?1 AND id = ?2 AND attempts = ?3 AND state = 'pending'",
        )?
        .execute((number, id, attempts, state, due_at, why))?;
        Ok(())
    };
    server.database.write(write).await?;
    Ok(subscription)
}

async fn attempt(server: &Server, delivery: &Delivery) -> Result<(), String> {
    let project = server.projects.by_number(delivery.project).ok_or("the project is gone")?;
    // Sealed anew each time: no two attempts look alike.
    let body = project.envelope.seal_webhook_json(&delivery.payload).map_err(|error| error.message().to_owned())?;
    let sent = server.sender.client.post(&delivery.url, &project.api_key, body);
    timeout(TIME_OUT, sent).await.unwrap_or_else(|_| Err(format!("no answer within {} s", TIME_OUT.as_secs())))
}

/// Doubles with each attempt; any part of it, so that what failed together does not come back together.
fn backoff_micros(ids: Ids, number: i64, attempts: u32) -> Result<i64> {
    let longest = FIRST_BACKOFF.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1))).min(LONGEST_BACKOFF);
    let drawn = ids.below(&format!("backoff {attempts}"), number, micros(longest).unsigned_abs() + 1)?;
    Ok(i64::try_from(drawn).unwrap_or(i64::MAX / 2))
}

/// The projects that this process can seal for, as JSON: others in the same file are another process's.
fn numbers(projects: &Projects) -> String {
    Value::from_iter(projects.numbers()).to_string()
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 2)
}

/// Then it is parked.
const MOST_ATTEMPTS: u32 = 12;

const AT_ONCE: usize = 16;
/// Of one subscription.
const AT_ONCE_EACH: u32 = 4;

/// For an attempt from the name's resolution to the answer's last byte.
const TIME_OUT: Duration = Duration::from_secs(10);
/// Longer than an attempt can take, by the server's clock.
const LEASE: Duration = Duration::from_secs(15);

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_a_cap_and_is_spread() {
        let drawn = |attempts| {
            let draw = |number| backoff_micros(Ids { seed: Some(7) }, number, attempts).unwrap();
            (0..200).map(draw).collect::<Vec<_>>()
        };
        for (attempts, seconds) in [(1, 1), (2, 2), (3, 4), (10, 512), (11, 600), (12, 600), (40, 600)] {
            let drawn = drawn(attempts);
            let (least, most) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
            let longest = seconds * 1_000_000;
            assert!(*least >= 0 && *least < longest / 10, "{attempts}: {least}");
            assert!(*most <= longest && *most > longest / 10 * 9, "{attempts}: {most}");
        }
    }
}
