//! Timing that a noisy machine disturbs little: the candidates take turns in short batches, and what counts is the
//! median, over all rounds, of how one did against another in the same round.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// One thing to measure.
pub struct Candidate<'c> {
    name: &'static str,
    job: Box<dyn FnMut() + 'c>,
}

impl<'c> Candidate<'c> {
    /// A candidate that does its job once at each call. Dropping the result is part of the job.
    pub fn new<T>(name: &'static str, mut job: impl FnMut() -> T + 'c) -> Self {
        Self { name, job: Box::new(move || drop(black_box(job()))) }
    }

    /// Does the job once.
    pub fn run(&mut self) {
        (self.job)();
    }

    fn time(&mut self, count: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..count {
            self.run();
        }
        start.elapsed()
    }

    /// How many runs make a batch of about the given time.
    fn batch(&mut self, time: Duration) -> u32 {
        let mut count = 1;
        self.time(count); // the first run pays for everything that happens once
        loop {
            let elapsed = self.time(count);
            if 2 * elapsed >= time || count >= MAX_BATCH {
                let wanted = f64::from(count) * time.as_secs_f64() / elapsed.as_secs_f64().max(1e-9);
                return (wanted.round() as u32).clamp(1, MAX_BATCH);
            }
            count *= 2;
        }
    }
}

impl std::fmt::Debug for Candidate<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidate").field("name", &self.name).finish_non_exhaustive()
    }
}

const MAX_BATCH: u32 = 1 << 20;

/// How much to measure.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often every candidate gets its turn.
    pub rounds: usize,
    /// How long a turn is, about; one run at least.
    pub turn: Duration,
}

/// Nanoseconds a run, one number a round.
#[derive(Debug)]
pub struct Times {
    /// Whose they are.
    pub name: &'static str,
    nanos: Vec<f64>,
}

impl Times {
    /// Nanoseconds a run.
    pub fn spread(&self) -> Spread {
        Spread::of(self.nanos.clone())
    }

    /// How many times as long a run takes as one of `other`, round by round.
    pub fn ratio_to(&self, other: &Self) -> Spread {
        Spread::of(self.nanos.iter().zip(&other.nanos).map(|(own, other)| own / other).collect())
    }
}

/// Lets the candidates take turns.
///
/// A turn begins with a run that is not timed, which puts caches and heap in order after the one before. And who begins
/// changes, and every other round runs backwards, so that nobody always follows the same neighbour.
pub fn measure(candidates: &mut [Candidate<'_>], plan: Plan) -> Vec<Times> {
    let counts: Vec<u32> = candidates.iter_mut().map(|candidate| candidate.batch(plan.turn)).collect();
    let mut times: Vec<Times> =
        candidates.iter().map(|candidate| Times { name: candidate.name, nanos: Vec::new() }).collect();
    for round in 0..plan.rounds {
        for step in 0..candidates.len() {
            let step = if round % 2 == 0 { step } else { candidates.len() - 1 - step };
            let turn = (round / 2 + step) % candidates.len();
            candidates[turn].run();
            let elapsed = candidates[turn].time(counts[turn]);
            times[turn].nanos.push(elapsed.as_secs_f64() * 1e9 / f64::from(counts[turn]));
        }
    }
    times
}

/// The median and the quartiles on both sides of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// A quarter lies below.
    pub low: f64,
    /// A half lies below.
    pub median: f64,
    /// A quarter lies above.
    pub high: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at =
            |part: f64| values.get(((values.len() as f64 - 1.0) * part).round() as usize).copied().unwrap_or(f64::NAN);
        Self { low: at(0.25), median: at(0.5), high: at(0.75) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_sorted_values() {
        let spread = Spread::of(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(spread, Spread { low: 2.0, median: 3.0, high: 4.0 });
        assert_eq!(Spread::of(vec![7.0]), Spread { low: 7.0, median: 7.0, high: 7.0 });
    }

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        let own = Times { name: "own", nanos: vec![2.0, 20.0, 200.0] };
        let other = Times { name: "other", nanos: vec![1.0, 10.0, 100.0] };
        assert_eq!(own.ratio_to(&other), Spread { low: 2.0, median: 2.0, high: 2.0 });
    }

    #[test]
    fn everybody_has_a_turn_in_each_round_and_nobody_keeps_a_neighbour() {
        let turns = std::cell::RefCell::new(String::new());
        let mut candidates = ["a", "b", "c"].map(|name| Candidate::new(name, || turns.borrow_mut().push_str(name)));
        let times = measure(&mut candidates, Plan { rounds: 6, turn: Duration::ZERO });
        assert!(times.iter().all(|times| times.nanos.len() == 6));
        drop(candidates);
        let turns = turns.into_inner();
        assert_eq!(&turns[turns.len() - 36..], "aabbccccbbaabbccaaaaccbbccaabbbbaacc"); // one run untimed, one timed
    }
}
