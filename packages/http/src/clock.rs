//! A clock that is put right by what the server says (SPEC.md, section 27, rule 8).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cardseal::{CLOCK_CORRECTION_MAX_MILLIS, CLOCK_CORRECTION_PAUSE_MILLIS, Timestamp};
use http::HeaderMap;
use http::header::DATE;

/// Learns how wrong the system's clock is, and tells whoever asked for it.
pub(crate) struct ClockCorrection {
    listener: Arc<dyn Fn(i64) + Send + Sync>,
}

/// When the clock was corrected last: it is the process's, whoever corrected it.
static LAST: Mutex<Option<Instant>> = Mutex::new(None);

impl ClockCorrection {
    pub(crate) const fn new(listener: Arc<dyn Fn(i64) + Send + Sync>) -> Self {
        Self { listener }
    }

    /// Takes the time of an answer to a request whose timestamp was outside the window, if it can be believed.
    pub(crate) fn learn(&self, headers: &HeaderMap) {
        const PAUSE: Duration = Duration::from_millis(CLOCK_CORRECTION_PAUSE_MILLIS);
        let Some(offset_millis) = offset_millis(headers, SystemTime::now()) else { return };
        {
            let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
            if last.is_some_and(|last| last.elapsed() < PAUSE) {
                return;
            }
            *last = Some(Instant::now());
            Timestamp::correct_clock(offset_millis * 1_000);
        }
        (self.listener)(offset_millis);
    }
}

fn offset_millis(headers: &HeaderMap, now: SystemTime) -> Option<i64> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let millis = |time: SystemTime| i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok();
    // A date counts whole seconds: on average half of one has gone by.
    let offset = millis(date)? + 500 - millis(now)?;
    (offset.unsigned_abs() <= CLOCK_CORRECTION_MAX_MILLIS).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_believed_up_to_fifteen_minutes() {
        let date = |text: &str| HeaderMap::from_iter([(DATE, text.parse().unwrap())]);
        let now = UNIX_EPOCH + Duration::from_millis(1_700_000_000_500); // Tue, 14 Nov 2023 22:13:20.5 GMT
        assert_eq!(offset_millis(&date("Tue, 14 Nov 2023 22:13:20 GMT"), now), Some(0));
        assert_eq!(offset_millis(&date("Tue, 14 Nov 2023 22:28:20 GMT"), now), Some(900_000));
        assert_eq!(offset_millis(&date("Tue, 14 Nov 2023 21:58:20 GMT"), now), Some(-900_000));
        for not_believed in ["Tue, 14 Nov 2023 22:28:21 GMT", "Tue, 14 Nov 2023 21:58:19 GMT", "soon"] {
            assert_eq!(offset_millis(&date(not_believed), now), None);
        }
        assert_eq!(offset_millis(&HeaderMap::new(), now), None);
    }
}
