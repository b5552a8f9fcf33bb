//! How long and how often a call is tried, and who is told.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cardseal::{FailureClass, RETRY_ATTEMPTS, RETRY_DEADLINE_MILLIS};

use crate::clock::ClockCorrection;

/// How long and how often a call is tried, and who is told of each attempt.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// How many attempts a call has, the first included: 8.
    pub attempts: u32,
    /// How long a call may take with all its attempts and waits: 60 s. What is under way then is broken off.
    pub deadline: Duration,
    /// Is told of each attempt once it has ended.
    pub on_attempt: Option<Listener>,
    /// Puts the clock right, if it was asked for.
    pub(crate) clock: Option<Arc<ClockCorrection>>,
}

/// Whoever is told of attempts.
pub type Listener = Arc<dyn Fn(&AttemptEvent<'_>) + Send + Sync>;

impl Default for Options {
    fn default() -> Self {
        Self {
            attempts: u32::try_from(RETRY_ATTEMPTS).unwrap_or(u32::MAX),
            deadline: Duration::from_millis(RETRY_DEADLINE_MILLIS),
            on_attempt: None,
            clock: None,
        }
    }
}

impl Options {
    /// The same with another number of attempts, the first included: `Options::default().attempts(1)`.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The same with another deadline.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The same with a listener: `Options::default().on_attempt(|event| println!("{event:?}"))`.
    #[must_use]
    pub fn on_attempt(mut self, listener: impl Fn(&AttemptEvent<'_>) + Send + Sync + 'static) -> Self {
        self.on_attempt = Some(Arc::new(listener));
        self
    }

    /// The same for a machine whose clock cannot be trusted: where an `https` answer says that a timestamp is outside the
    /// window, its `Date` moves every timestamp of this process from then on, by 15 minutes at most and once a minute at most.
    /// `listener` is told by how many milliseconds. Better is to have the machine's clock set.
    #[must_use]
    pub fn correct_clock(mut self, listener: impl Fn(i64) + Send + Sync + 'static) -> Self {
        self.clock = Some(Arc::new(ClockCorrection::new(Arc::new(listener))));
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempts, deadline, on_attempt, clock } = self;
        f.debug_struct("Options")
            .field("attempts", attempts)
            .field("deadline", deadline)
            .field("on_attempt", &on_attempt.is_some())
            .field("correct_clock", &clock.is_some())
            .finish()
    }
}

/// An attempt that has ended. It holds no secret, key or payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptEvent<'e> {
    /// The normalised path.
    pub path: &'e str,
    /// Which attempt of its call it was, from 1.
    pub attempt: u32,
    /// The HTTP status; none if no answer came.
    pub status: Option<u16>,
    /// What its failure says about trying again; none if it succeeded.
    pub failure_class: Option<FailureClass>,
    /// The failure's code, if it has one.
    pub code: Option<&'e str>,
    /// How long the call waits before its next attempt; none if this was the last.
    pub wait: Option<Duration>,
}
