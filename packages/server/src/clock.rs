//! The server's clock, which a test can move.

use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use cardseal::{Error, Timestamp};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The system's clock with an offset, or one that stands still.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_micros: AtomicI64,
    /// Where it stands; 0 while it runs.
    frozen_micros: AtomicI64,
}

impl Clock {
    /// What it shows.
    pub(crate) fn now(&self) -> Result<Timestamp, Error> {
        match self.frozen_micros.load(SeqCst) {
            0 => shifted(Timestamp::wall_clock()?, self.offset_micros.load(SeqCst)),
            frozen => Timestamp::from_micros(frozen.unsigned_abs()),
        }
    }

    /// Lets it stand still at what it shows.
    pub(crate) fn freeze(&self) -> Result<Timestamp, Error> {
        let now = self.now()?;
        self.frozen_micros.store(signed(now), SeqCst);
        Ok(now)
    }

    /// Lets it run on from where it stands.
    pub(crate) fn thaw(&self) -> Result<(), Error> {
        let now = self.now()?;
        if self.is_frozen() {
            self.offset_micros.store(signed(now) - signed(Timestamp::wall_clock()?), SeqCst);
            self.frozen_micros.store(0, SeqCst);
        }
        Ok(())
    }

    /// Moves it, standing or running.
    pub(crate) fn advance(&self, micros: i64) -> Result<Timestamp, Error> {
        let moved = shifted(self.now()?, micros)?;
        if self.is_frozen() {
            self.frozen_micros.store(signed(moved), SeqCst);
        } else {
            self.offset_micros.fetch_add(micros, SeqCst);
        }
        self.now()
    }

    /// Sets how far it is from the system's.
    pub(crate) fn set_offset(&self, micros: i64) -> Result<(), Error> {
        shifted(Timestamp::wall_clock()?, micros)?;
        self.frozen_micros.store(0, SeqCst);
        self.offset_micros.store(micros, SeqCst);
        Ok(())
    }

    /// How far it is from the system's.
    pub(crate) fn offset_micros(&self) -> Result<i64, Error> {
        match self.frozen_micros.load(SeqCst) {
            0 => Ok(self.offset_micros.load(SeqCst)),
            frozen => Ok(frozen - signed(Timestamp::wall_clock()?)),
        }
    }

    /// Whether it stands still.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen_micros.load(SeqCst) != 0
    }

    /// The system's clock again.
    pub(crate) fn reset(&self) {
        self.frozen_micros.store(0, SeqCst);
        self.offset_micros.store(0, SeqCst);
    }
}

/// Microseconds as SQLite keeps them.
pub(crate) fn signed(at: Timestamp) -> i64 {
    at.as_micros() as i64 // below 2⁶³ by its type
}

/// A time as the API writes it.
pub(crate) fn iso(micros: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros / 1_000) * 1_000_000);
    time.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

fn shifted(at: Timestamp, micros: i64) -> Result<Timestamp, Error> {
    Timestamp::from_micros(at.as_micros().saturating_add_signed(micros).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_told() {
        let clock = Clock::default();
        let at = clock.freeze().unwrap();
        assert_eq!(clock.now().unwrap(), at);
        assert_eq!(clock.advance(5_000_000).unwrap().as_micros(), at.as_micros() + 5_000_000);
        clock.thaw().unwrap();
        let offset = clock.offset_micros().unwrap();
        assert!((4_000_000..=5_000_000).contains(&offset), "{offset}");
        clock.reset();
        assert_eq!(clock.offset_micros().unwrap(), 0);
    }

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        assert_eq!(iso(1_700_000_000_123_456), "2023-11-14T22:13:20.123Z");
        assert_eq!(iso(1_700_000_000_000_000), "2023-11-14T22:13:20Z");
    }
}
