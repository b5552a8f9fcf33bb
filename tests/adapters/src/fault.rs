//! What the proxy does wrong.

use std::time::Duration;

/// A way in which a call fails on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Two attempts are answered 503; the server sees neither.
    UnavailableTwice,
    /// The connection is closed before the server has seen the request.
    DropBefore,
    /// The connection is closed after the server has executed the request.
    DropAfter,
    /// Every answer is followed by the end of its connection, unannounced.
    DropIdle,
    /// The request reaches the server twice; the second answer goes back.
    Duplicate,
    /// The answer comes when nobody waits for it any more.
    Delay,
    /// A page of a proxy in the place of the answer, after the server has executed the request.
    Html,
    /// 429 with `Retry-After: 1`.
    RetryAfter,
    /// A crowd's: what is lost, broken and sent twice, in turns.
    Mixed,
}

impl Fault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UnavailableTwice => "503 twice",
            Self::DropBefore => "dropped before",
            Self::DropAfter => "dropped after",
            Self::DropIdle => "idle dropped",
            Self::Duplicate => "duplicated",
            Self::Delay => "delayed",
            Self::Html => "HTML",
            Self::RetryAfter => "429",
            Self::Mixed => "mixed",
        }
    }

    /// What is done to a call that is chosen.
    pub(crate) fn of(self, id: usize) -> Self {
        const TURNS: [Fault; 4] = [Fault::DropAfter, Fault::Html, Fault::Duplicate, Fault::DropBefore];
        if self == Self::Mixed { TURNS[id / self.every() % TURNS.len()] } else { self }
    }

    /// Whether an attempt is hit: the `attempt`-th, from 1, of a call that is chosen.
    pub(crate) fn hits(self, attempt: usize) -> bool {
        attempt <= if self == Self::UnavailableTwice { 2 } else { 1 }
    }

    /// Which faults follow one another: lanes of about the same length, since most of the time is waiting.
    pub(crate) const LANES: [&[Self]; 3] = [
        &[Self::Delay],
        &[Self::UnavailableTwice, Self::DropBefore, Self::Html],
        &[Self::DropAfter, Self::DropIdle, Self::Duplicate, Self::RetryAfter],
    ];

    /// One call in so many is chosen. What takes real time is done to fewer.
    pub(crate) fn every(self) -> usize {
        match self {
            Self::Delay => 4,
            Self::Mixed => 8,
            _ => 2,
        }
    }
}

/// Longer than a driver waits.
pub(crate) const DELAY: Duration = Duration::from_millis(2_500);
