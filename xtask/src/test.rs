//! `cargo xtask test`: runs the stages one after the other and adds up what they counted.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::process::{Command, ExitCode};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use std::{env, thread};

use crate::counts::Counts;
use crate::repo::Repo;
use crate::screen::{bad, bold, good, say};
use crate::shell::Shell;
use crate::stages::{STAGES, Stage};
use crate::{Result, fail};

/// What a stage works with.
pub(crate) struct Context<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) shell: Shell,
    /// What may take hours is run too: soaks, and random tests for long.
    pub(crate) is_full: bool,
    /// `git status` before the first stage.
    pub(crate) tree_before: Result<String>,
}

impl Context<'_> {
    /// Runs every command; the first that fails ends the stage.
    pub(crate) fn cargo_all(&self, commands: &[&str]) -> Result<Counts> {
        for words in commands {
            self.shell.run(&mut self.repo.cargo(words))?;
        }
        Ok(Counts::PASSED)
    }

    /// `cargo test <words>`, counted test by test. That nothing was found is a failure.
    pub(crate) fn cargo_test(&self, words: &str) -> Result<Counts> {
        self.count_tests(&mut self.repo.cargo(&format!("test --locked --no-fail-fast {words}")))
    }

    /// `cargo test`, however it is called, counted test by test.
    pub(crate) fn count_tests(&self, command: &mut Command) -> Result<Counts> {
        self.count(command, Counts::of_cargo_test)
    }

    /// Runs a test runner and counts by what it prints. That nothing was found is a failure.
    pub(crate) fn count(&self, command: &mut Command, read: fn(&str) -> Counts) -> Result<Counts> {
        let finished = self.shell.finish(command)?;
        let mut counts = read(&finished.text);
        if !finished.success && counts.failed == 0 {
            counts += Counts::FAILED; // it did not compile, or crashed
        } else if counts.ran() == 0 {
            say!("   {}", bad("no test was found"));
            counts += Counts::FAILED;
        }
        Ok(counts)
    }
}

pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    let (flags, names): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with('-'));
    if let Some(flag) = flags.iter().find(|flag| !["--verbose", "-v", FULL].contains(&flag.as_str())) {
        return fail(format!("`{flag}` is unknown here; the options are --verbose and {FULL}"));
    }
    if let Some(name) = names.iter().find(|name| STAGES.iter().all(|stage| stage.name != name.as_str())) {
        let known: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
        return fail(format!("there is no stage `{name}`; there are: {}", known.join(", ")));
    }
    let is_full = flags.iter().any(|flag| *flag == FULL);
    let is_verbose = flags.iter().any(|flag| *flag != FULL);
    let context = Context {
        repo: &if is_full { repo.at_full_effort() } else { repo.clone() },
        shell: if is_verbose { Shell::live() } else { Shell::quiet_until_failure() },
        is_full,
        tree_before: repo.git_status(),
    };

    let mut total = Counts::default();
    let (mut failed, mut skipped) = (Vec::new(), Vec::new());
    for stage in STAGES.iter().filter(|stage| names.is_empty() || names.iter().any(|name| *name == stage.name)) {
        let counts = run_stage(&context, stage);
        if counts.failed > 0 {
            failed.push(stage.name);
        }
        if counts.skipped > 0 {
            skipped.push(stage.name);
        }
        total += counts;
    }
    Ok(conclude(total, &failed, &skipped))
}

fn run_stage(context: &Context<'_>, stage: &Stage) -> Counts {
    say!("{} {}", bold(&format!("== {}:", stage.name)), stage.about);
    let started = Instant::now();
    let counts = (stage.run)(context).unwrap_or_else(|error| {
        say!("   {error}");
        Counts::FAILED
    });
    let verdict = match counts {
        Counts { failed: 1.., .. } => bad("FAILED"),
        Counts { skipped: 1.., .. } => bad("SKIPPED"),
        _ => good("ok"),
    };
    say!("   {verdict}: {counts} in {:.1} s", started.elapsed().as_secs_f64());
    counts
}

const FULL: &str = "--full";

/// Does as many jobs at a time as there are processors, and gives the outcomes in the order of the jobs.
pub(crate) fn side_by_side<J: Send, T: Send>(jobs: Vec<J>, act: impl Fn(J) -> Result<T> + Sync) -> Vec<Result<T>> {
    let count = jobs.len();
    let waiting = Mutex::new(jobs.into_iter().enumerate());
    let done = Mutex::new(BTreeMap::new());
    let next = || lock(&waiting).next();
    let work = || {
        while let Some((index, job)) = next() {
            let outcome = act(job);
            lock(&done).insert(index, outcome);
        }
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(count);
    thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether CI runs this: then nothing may be skipped.
pub(crate) fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
}

/// The last line stands alone and in this form: CI and people read it.
fn conclude(total: Counts, failed: &[&str], skipped: &[&str]) -> ExitCode {
    let strict = is_ci();
    say!("");
    if !failed.is_empty() {
        say!("{} {}", bad("failed in:"), failed.join(", "));
    }
    if !skipped.is_empty() {
        let consequence = if strict { " (under CI=true that is a failure)" } else { "" };
        say!("{} {}{consequence}", bad("skipped in:"), skipped.join(", "));
    }
    if total.ran() == 0 {
        say!("{}", bad("no test ran"));
    }
    say!("{total}");
    if total.failed == 0 && total.ran() > 0 && (total.skipped == 0 || !strict) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
