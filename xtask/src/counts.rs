//! Passed, failed, skipped: added up over test binaries and stages.

use std::fmt;
use std::ops::AddAssign;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// What a check without tests of its own counts as.
    pub(crate) const PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    pub(crate) const FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };
    pub(crate) const SKIPPED: Self = Self { passed: 0, failed: 0, skipped: 1 };

    /// Adds up the `test result:` lines of `cargo test`. An ignored test counts as skipped.
    pub(crate) fn of_cargo_test(output: &str) -> Self {
        let mut counts = Self::default();
        for result in output.lines().filter_map(|line| line.strip_prefix("test result: ")) {
            for part in result.split(';') {
                let mut words = part.split_whitespace().rev();
                let (what, number) = (words.next(), words.next().and_then(|number| number.parse::<u64>().ok()));
                match (what, number) {
                    (Some("passed"), Some(number)) => counts.passed += number,
                    (Some("failed"), Some(number)) => counts.failed += number,
                    (Some("ignored"), Some(number)) => counts.skipped += number,
                    _ => {}
                }
            }
        }
        counts
    }

    /// Reads the last line of pytest: `306 passed, 1 skipped in 46.86s`. An error outside a test counts as a failure.
    pub(crate) fn of_pytest(output: &str) -> Self {
        let mut counts = Self::default();
        let plain = |line: &str| line.trim_matches(['=', ' ']).to_owned();
        let mut summaries = output.lines().rev().map(plain).filter_map(|line| {
            let (results, time) = line.rsplit_once(" in ")?;
            time.starts_with(|digit: char| digit.is_ascii_digit()).then(|| results.to_owned())
        });
        let results = summaries.next().unwrap_or_default();
        for part in results.split(", ") {
            let mut words = part.split_whitespace();
            match (words.next().and_then(|number| number.parse::<u64>().ok()), words.next()) {
                (Some(number), Some("passed")) => counts.passed += number,
                (Some(number), Some("failed" | "error" | "errors" | "xpassed")) => counts.failed += number,
                (Some(number), Some("skipped" | "xfailed" | "deselected")) => counts.skipped += number,
                _ => {}
            }
        }
        counts
    }

    /// Adds up the last lines of `node --test --test-reporter=tap`: `# pass 3`. One that was cancelled has failed, one to do
    /// was skipped.
    pub(crate) fn of_node_test(output: &str) -> Self {
        let mut counts = Self::default();
        for (what, number) in output.lines().filter_map(|line| line.strip_prefix("# ")?.split_once(' ')) {
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "pass" => counts.passed += number,
                "fail" | "cancelled" => counts.failed += number,
                "skipped" | "todo" => counts.skipped += number,
                _ => {}
            }
        }
        counts
    }

    /// Reads the last line of a table in which each cell is a promise: `cells: 110 kept, 2 broken`.
    pub(crate) fn of_cells(output: &str) -> Self {
        let cells = |line: &str| line.strip_prefix("cells: ").map(str::to_owned);
        let last = output.lines().rev().find_map(cells).unwrap_or_default();
        let number = |what: &str| {
            let of = last.split(", ").find_map(|part| part.strip_suffix(what)).map(str::trim);
            of.and_then(|number| number.parse().ok()).unwrap_or_default()
        };
        Self { passed: number("kept"), failed: number("broken"), skipped: 0 }
    }

    pub(crate) fn ran(&self) -> u64 {
        self.passed + self.failed
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self { passed, failed, skipped } = other;
        self.passed += passed;
        self.failed += failed;
        self.skipped += skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn result_lines_of_all_binaries_add_up() {
        let output = "\
running 12 tests
test open::tests::tag ... ok
test result: ok. 10 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.02s

     Running tests/vectors.rs (target/debug/deps/vectors-1)
test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.50s
   Doc-tests cardseal
test result: \u{1b}[32mok\u{1b}[0m. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";
        assert_eq!(Counts::of_cargo_test(output), Counts { passed: 17, failed: 1, skipped: 2 });
    }

    #[test]
    fn the_last_lines_of_node_add_up() {
        let output = "TAP version 13\n# a comment of a test\nok 1 - vectors\n1..3\n# tests 9\n# suites 0\n# pass 3\n# fail 1\n\
                      # cancelled 1\n# skipped 2\n# todo 2\n# duration_ms 1234.5\n";
        assert_eq!(Counts::of_node_test(output), Counts { passed: 3, failed: 2, skipped: 4 });
    }

    #[test]
    fn the_last_line_of_cells_counts() {
        let counts = Counts::of_cells("| adapter | …\ncells: 2 kept, 0 broken\n…\ncells: 110 kept, 2 broken\n");
        assert_eq!(counts, Counts { passed: 110, failed: 2, skipped: 0 });
        assert_eq!(Counts::of_cells("thread 'main' panicked\n"), Counts::default());
    }

    #[test]
    fn other_lines_count_nothing() {
        let output = "error: could not compile `cardseal`\n  test result: ok. 5 passed\nnot a test result: 5 passed\n";
        assert_eq!(Counts::of_cargo_test(output), Counts::default());
    }

    #[test]
    fn the_last_line_of_pytest_counts() {
        let counts = |passed, failed, skipped| Counts { passed, failed, skipped };
        assert_eq!(Counts::of_pytest("....\n306 passed in 46.86s\n"), counts(306, 0, 0));
        assert_eq!(
            Counts::of_pytest("==== 1 failed, 300 passed, 2 skipped, 1 error in 74.84s (0:01:14) ====\n"),
            counts(300, 2, 2)
        );
        assert_eq!(Counts::of_pytest("no tests ran in 0.01s\n"), counts(0, 0, 0));
        assert_eq!(Counts::of_pytest("Fatal Python error: Aborted\n"), counts(0, 0, 0));
    }

    #[test]
    fn the_total_reads_as_ci_expects_it() {
        assert_eq!(Counts { passed: 3, failed: 0, skipped: 1 }.to_string(), "3 passed, 0 failed, 1 skipped");
    }
}
