//! The server as a process of its own: killed at every point, and crowded with connections.
//!
//! This program starts itself again as that process, so that no other binary has to be built first.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "in tests a broken assumption has to stop everything, and these have figures to show"
)]

mod books;
mod crash;
mod crowd;
mod subject;
#[path = "../api/support.rs"]
#[expect(dead_code, reason = "the tests in one process use more of it")]
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if subject::is_wanted() {
        subject::run();
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1); // they measure and kill: not beside each other
    let test = |name: &str, run: fn()| {
        Trial::test(name, move || {
            run();
            Ok(())
        })
    };
    let tests = vec![
        test("killed_at_every_point_it_charges_once_and_loses_nothing", crash::everywhere),
        test("without_its_unique_constraint_the_check_finds_double_charges", crash::without_unique),
        test("ten_thousand_idle_connections_cost_little_and_hold_nobody_up", crowd::idle),
        test("callers_without_a_key_leave_nothing_behind", crowd::strangers),
    ];
    libtest_mimic::run(&arguments, tests).exit_code()
}
