//! Microseconds since the Unix epoch: their grammar, the window, and a clock that never repeats itself.

use alloc::string::String;
use core::fmt;

use crate::error::{Error, ErrorCode, Result};
use crate::json::decimal;

/// Microseconds since the Unix epoch, 0 to 2⁶³ − 1 (protocol: overview, request timestamp).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The latest timestamp the protocol can carry.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// A timestamp from its microseconds.
    ///
    /// # Errors
    /// `invalid_timestamp` beyond 2⁶³ − 1.
    pub fn from_micros(micros: u64) -> Result<Self> {
        if micros > Self::MAX.0 {
            return Err(Error::new(ErrorCode::InvalidTimestamp, "the timestamp is beyond 2^63 - 1 microseconds"));
        }
        Ok(Self(micros))
    }

    /// The microseconds.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Reads decimal digits: `0`, or digits without a leading zero, at most 2⁶³ − 1.
    ///
    /// # Errors
    /// `invalid_timestamp` for anything else.
    ///
    /// ```
    /// use cardseal::Timestamp;
    /// assert_eq!(Timestamp::parse("1700000000000000")?.as_micros(), 1_700_000_000_000_000);
    /// assert_eq!(Timestamp::parse("017").unwrap_err().code(), "invalid_timestamp");
    /// # Ok::<(), cardseal::Error>(())
    /// ```
    pub fn parse(digits: &str) -> Result<Self> {
        Self::from_digits(digits).ok_or_else(|| malformed("this text"))
    }

    pub(crate) fn from_digits(digits: &str) -> Option<Self> {
        let canonical = digits == "0" || !digits.starts_with('0');
        if !canonical || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().filter(|micros| *micros <= MAX_MICROS).map(Self)
    }

    /// The next timestamp of this process: the clock's, or one more than the last if the clock has not moved on.
    ///
    /// Strictly increasing over all threads and envelopes, unless the system's clock is set back by more than five
    /// seconds: then the timestamps follow it.
    ///
    /// # Errors
    /// `clock_unavailable` when the system's clock stands before 1970.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn now() -> Result<Self> {
        crate::host::next_stamp(Last::default()).map(|last| Self(last.stamp))
    }

    /// [`now`](Self::now) for a binding whose host has a clock cell: `cell` is the pair of [`Clock::share`], before and
    /// after. A pair that is not of whole numbers from 0 up is taken for none.
    ///
    /// # Errors
    /// As [`now`](Self::now).
    #[doc(hidden)]
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn now_shared(cell: &mut [f64; 2]) -> Result<Self> {
        let last = crate::host::next_stamp(Last::from_cell(*cell))?;
        *cell = [last.stamp as f64, last.wall as f64];
        Ok(Self(last.stamp))
    }

    /// Moves every timestamp that this process makes from now on by `offset_micros`, in place of any earlier offset: for a
    /// client that learned how wrong the system's clock is. What a server compares with, [`wall_clock`](Self::wall_clock), stays.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn correct_clock(offset_micros: i64) {
        crate::host::correct_clock(offset_micros);
    }

    /// What the system's clock shows, which is what a server compares a request with.
    ///
    /// # Errors
    /// `clock_unavailable` when the system's clock stands before 1970.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn wall_clock() -> Result<Self> {
        crate::host::wall_clock()
    }
}

const MAX_MICROS: u64 = Timestamp::MAX.0;

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a request's clock may be from the server's: 30 seconds, or fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    seconds: u8,
}

impl Window {
    /// The protocol's window of 30 seconds. It can only be narrowed: replay keys are kept for this one.
    pub const MAX: Self = Self { seconds: 30 };

    /// A window of 1 to 30 whole seconds.
    ///
    /// # Errors
    /// `invalid_option` for any other number.
    pub fn from_seconds(seconds: u64) -> Result<Self> {
        match u8::try_from(seconds) {
            Ok(seconds) if (1..=Self::MAX.seconds).contains(&seconds) => Ok(Self { seconds }),
            _ => {
                let message = [
                    "a window of ",
                    &decimal(seconds),
                    " seconds is not possible: use 1 to ",
                    &decimal(Self::MAX.seconds.into()),
                ]
                .concat();
                Err(Error::new(ErrorCode::InvalidOption, message))
            }
        }
    }

    /// The window in microseconds.
    pub const fn as_micros(self) -> u64 {
        self.seconds as u64 * MICROS_PER_SECOND
    }

    /// Whether a request's timestamp lies within the window around the server's clock, both edges included.
    ///
    /// # Errors
    /// `timestamp_outside_window`, with the skew.
    pub fn check(self, timestamp: Timestamp, now: Timestamp) -> Result<()> {
        if timestamp.0.abs_diff(now.0) <= self.as_micros() {
            return Ok(());
        }
        // Both are below 2⁶³, so that the difference fits.
        let skew_micros = timestamp.0.wrapping_sub(now.0) as i64;
        Err(Error::outside_window(skew_micros, self.outside_message(timestamp, now, skew_micros)))
    }

    fn outside_message(self, timestamp: Timestamp, now: Timestamp, skew_micros: i64) -> String {
        let nearly_now = |factor: u64| {
            timestamp.0.checked_mul(factor).is_some_and(|micros| micros.abs_diff(now.0) <= 86_400 * MICROS_PER_SECOND)
        };
        let hint = if nearly_now(1_000) {
            ": it looks like milliseconds, the protocol counts microseconds"
        } else if nearly_now(MICROS_PER_SECOND) {
            ": it looks like seconds, the protocol counts microseconds"
        } else {
            ": set the clock right and seal again"
        };
        let millis = skew_micros.unsigned_abs() / 1_000;
        [
            "the request's timestamp is ",
            &decimal(millis / 1_000),
            ".",
            decimal(1_000 + millis % 1_000).get(1..).unwrap_or_default(), // with its leading zeros
            if skew_micros < 0 { " s behind" } else { " s ahead of" },
            " the server's clock, allowed are ",
            &decimal(self.seconds.into()),
            " s",
            hint,
        ]
        .concat()
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::MAX
    }
}

/// A clock that never gives the same timestamp twice, whatever the wall clock does. The wall clock is an argument.
///
/// ```
/// use cardseal::Clock;
/// let mut clock = Clock::new();
/// assert_eq!(clock.next(1_700_000_000_000_000)?.as_micros(), 1_700_000_000_000_000);
/// assert_eq!(clock.next(1_700_000_000_000_000)?.as_micros(), 1_700_000_000_000_001);
/// # Ok::<(), cardseal::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset_micros: i64,
    last: Last,
}

/// What a clock remembers: its last timestamp and the wall clock's reading behind it, both 0 before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Last {
    pub(crate) stamp: u64,
    pub(crate) wall: u64,
}

impl Clock {
    /// A clock that follows the wall clock as it is.
    pub fn new() -> Self {
        Self::default()
    }

    /// A clock that adds `offset_micros` to every reading.
    pub fn with_offset_micros(offset_micros: i64) -> Self {
        Self { offset_micros, last: Last::default() }
    }

    /// Takes over what another clock of the same host gave last, both 0 for nothing.
    ///
    /// For hosts where two copies of a package have to stay increasing together. Dropped is what is not later than this
    /// clock's own last stamp, what cannot be true (a stamp more than five seconds ahead of the wall clock, unless the
    /// wall clock was ahead as well), and what a double cannot hold exactly (2⁵³ and above).
    pub fn share(&mut self, last_stamp_micros: u64, last_wall_micros: u64, wall_micros: i64) {
        let shared = Last { stamp: last_stamp_micros, wall: last_wall_micros };
        self.last = self.last.sharing(shared, wall_micros, self.offset_micros);
    }

    /// [`next`](Self::next) for a binding whose host has a clock cell: `cell` is the pair of [`share`](Self::share), before
    /// and after. A pair that is not of whole numbers from 0 up is taken for none.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    #[doc(hidden)]
    pub fn next_shared(&mut self, cell: &mut [f64; 2], wall_micros: i64) -> Result<Timestamp> {
        self.last = self.last.sharing(Last::from_cell(*cell), wall_micros, self.offset_micros);
        let stamp = self.next(wall_micros)?;
        *cell = [self.last.stamp as f64, self.last.wall as f64];
        Ok(stamp)
    }

    /// The next timestamp: the wall clock's reading plus the offset, or one more than the last if that is later.
    ///
    /// A reading more than five seconds below the last one is followed.
    ///
    /// # Errors
    /// `clock_unavailable` for a reading that is not after 1970.
    pub fn next(&mut self, wall_micros: i64) -> Result<Timestamp> {
        self.last = self.last.next(wall_micros, self.offset_micros)?;
        Ok(Timestamp(self.last.stamp))
    }

    /// The last timestamp and the wall clock's reading behind it, for [`share`](Self::share).
    pub const fn last_micros(&self) -> (u64, u64) {
        (self.last.stamp, self.last.wall)
    }
}

impl Last {
    /// What a host's cell holds, as doubles; nothing where one of them is no whole number from 0 up.
    pub(crate) fn from_cell([stamp, wall]: [f64; 2]) -> Self {
        let whole = |number: f64| (number >= 0.0 && number as u64 as f64 == number).then_some(number as u64);
        whole(stamp).zip(whole(wall)).map(|(stamp, wall)| Self { stamp, wall }).unwrap_or_default()
    }

    /// The later of this and what another clock of the host gave, unless that cannot be true.
    pub(crate) fn sharing(self, shared: Self, wall_micros: i64, offset_micros: i64) -> Self {
        let wall = u64::try_from(wall_micros).unwrap_or_default();
        let latest = wall.saturating_add_signed(offset_micros).saturating_add(STEP_BACK_MICROS);
        let is_exact = shared.stamp.max(shared.wall) <= MAX_SHARED;
        let is_plausible = shared.stamp <= latest || shared.wall > wall;
        if is_exact && is_plausible && shared.stamp > self.stamp { shared } else { self }
    }

    pub(crate) fn next(self, wall_micros: i64, offset_micros: i64) -> Result<Self> {
        let stamp = wall_micros.saturating_add(offset_micros);
        let (Ok(wall @ 1..), Ok(mut stamp @ 1..)) = (u64::try_from(wall_micros), u64::try_from(stamp)) else {
            return Err(Error::new(
                ErrorCode::ClockUnavailable,
                "the clock stands at 1970 or before: set it right, or hand in a working one",
            ));
        };
        if wall.saturating_add(STEP_BACK_MICROS) >= self.wall {
            stamp = stamp.max(self.stamp.saturating_add(1));
        }
        Ok(Self { stamp: stamp.min(MAX_MICROS), wall })
    }
}

const MICROS_PER_SECOND: u64 = 1_000_000;

/// The largest whole number that a double, and so JavaScript, holds exactly with all below it.
const MAX_SHARED: u64 = (1 << 53) - 1;

/// A wall clock that falls back by more than this has been set, and is followed.
const STEP_BACK_MICROS: u64 = 5 * MICROS_PER_SECOND;

/// The error for a timestamp that is `what`. The value itself is plaintext, which no message shows.
pub(crate) fn malformed(what: &str) -> Error {
    Error::new(
        ErrorCode::InvalidTimestamp,
        [what, " is no timestamp: use microseconds since 1970, in digits alone"].concat(),
    )
}
