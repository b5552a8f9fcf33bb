//! The only file that reads a clock or the operating system's randomness.

use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, ErrorCode, Result};
use crate::timestamp::{Last, Timestamp};

/// `N` bytes from the operating system, asked for anew each time: a generator of our own would repeat itself in a fork.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| {
        Error::new(ErrorCode::EntropyUnavailable, "the operating system gives no random bytes: nothing was sealed")
    })?;
    Ok(bytes)
}

pub(crate) fn wall_clock() -> Result<Timestamp> {
    let wall = Last::default().next(wall_micros(), 0)?;
    Timestamp::from_micros(wall.wall)
}

/// The next timestamp of the process-wide clock.
///
/// Lock-free, so that a fork in the middle leaves nothing locked. The wall clock is read between loading the last
/// stamp and exchanging it: when the exchange succeeds, nobody has given a stamp in between, and every reading that
/// `LAST_WALL` can hold was taken earlier. So a reading below it means that the clock was set back, not that this
/// thread was late.
///
/// `shared` is what another clock of the host gave last, nothing as a rule.
pub(crate) fn next_stamp(shared: Last) -> Result<Last> {
    loop {
        let stamp = LAST_STAMP.load(Ordering::Acquire);
        let last = Last { stamp, wall: LAST_WALL.load(Ordering::Relaxed) };
        let (wall, offset) = (wall_micros(), OFFSET.load(Ordering::Acquire));
        let next = last.sharing(shared, wall, offset).next(wall, offset)?;
        if next.stamp == stamp {
            continue; // set back onto the very stamp that was given last
        }
        if LAST_STAMP.compare_exchange(stamp, next.stamp, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            LAST_WALL.store(next.wall, Ordering::Relaxed);
            return Ok(next);
        }
    }
}

/// Moves the stamps that come from now on; what was given before holds none of them back.
pub(crate) fn correct_clock(offset_micros: i64) {
    OFFSET.store(offset_micros, Ordering::Release);
    // After the offset: whoever finds no last stamp finds the new offset too, and an exchange that was under way fails.
    LAST_STAMP.store(0, Ordering::Release);
}

static OFFSET: AtomicI64 = AtomicI64::new(0);
static LAST_STAMP: AtomicU64 = AtomicU64::new(0);
static LAST_WALL: AtomicU64 = AtomicU64::new(0);

/// Microseconds since 1970; 0 before.
fn wall_micros() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_eight_threads_are_all_different_and_increase_in_each() {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                std::thread::spawn(|| {
                    (0..10_000).map(|_| next_stamp(Last::default()).unwrap().stamp).collect::<Vec<_>>()
                })
            })
            .collect();
        let mut all: Vec<u64> = Vec::new();
        for thread in threads {
            let stamps = thread.join().unwrap();
            assert!(stamps.is_sorted_by(|a, b| a < b));
            all.extend(stamps);
        }
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!((all.len(), count), (80_000, 80_000));
    }

    #[test]
    fn the_wall_clock_is_this_century_and_not_the_strict_clock() {
        let before = LAST_STAMP.load(Ordering::Relaxed);
        let now = wall_clock().unwrap();
        assert!(now.as_micros() > 1_700_000_000_000_000);
        assert!(before == 0 || now.as_micros().abs_diff(before) < 3_600_000_000);
    }

    #[test]
    fn random_bytes_differ() {
        assert_ne!(random::<24>().unwrap(), random::<24>().unwrap());
    }
}
