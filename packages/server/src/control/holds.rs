//! Points at which the server can be made to stand still, so that a test can kill it exactly there.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;

/// A point in a request, a delivery or a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Point {
    /// The request is authentic; nothing has been claimed.
    BeforeClaim,
    /// Its replay keys are claimed.
    AfterClaim,
    /// The wallet is charged and the order written; nothing is committed.
    BeforeCommit,
    /// All is committed; nothing has been answered.
    BeforeAnswer,
    /// A webhook is about to be sent.
    DuringWebhook,
    /// An order's step is written; it is not committed.
    DuringStep,
}

/// The point at which to hold, if any.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    is_armed: AtomicBool,
    point: Mutex<Option<Point>>,
}

impl Holds {
    /// Holds whatever comes to the point from now on.
    pub(crate) fn arm(&self, point: Option<Point>) {
        *self.point.lock().unwrap_or_else(PoisonError::into_inner) = point;
        self.is_armed.store(point.is_some(), Ordering::SeqCst);
    }

    /// Stands still for good at an armed point, with a line in the log that says so.
    pub(crate) async fn reach(&self, point: Point) {
        if self.is_at(point) {
            std::future::pending::<()>().await;
        }
    }

    /// The same within a transaction, whose thread stands still.
    pub(crate) fn reach_blocking(&self, point: Point) {
        if self.is_at(point) {
            loop {
                std::thread::park();
            }
        }
    }

    fn is_at(&self, point: Point) -> bool {
        let is_armed = self.is_armed.load(Ordering::Relaxed)
            && *self.point.lock().unwrap_or_else(PoisonError::into_inner) == Some(point);
        if is_armed {
            tracing::warn!(?point, "held here until the process ends");
        }
        is_armed
    }
}
