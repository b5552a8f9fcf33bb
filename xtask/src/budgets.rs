//! `tests/guards/budgets.json`: how many instructions a call of the core may take. They are counted by valgrind, which
//! executes the program itself: the machine, its load and its clock change nothing.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::counts::Counts;
use crate::repo::Repo;
use crate::screen::{bad, good, say};
use crate::shell::{self, Shell};
use crate::{Result, fail, system};

/// Counts, and compares with the budgets of the processor that valgrind shows to programs here.
pub(crate) fn check(repo: &Repo, shell: &Shell) -> Result<Counts> {
    if !has_valgrind(repo, shell) {
        return Ok(Counts::SKIPPED);
    }
    let budgets = read(repo)?;
    let Measured { processor, jobs } = measure(repo, shell)?;
    let Some(Value::Object(budgets)) = budgets.get(&processor) else {
        say!("   {} {FILE} has no budgets for {processor}; {ADVICE}", bad("skipped:"));
        return Ok(Counts::SKIPPED);
    };
    say!("   {:24}{:>14}{:>10}{:>9}   on {processor}", "job", "instructions", "budget", "");
    let mut counts = Counts::default();
    for (job, instructions) in &jobs {
        let budget = budgets.get(job).and_then(Value::as_u64).unwrap_or_default();
        let verdict = judge(*instructions, budget);
        let difference = (*instructions as f64 / budget as f64 - 1.0) * 100.0;
        say!(
            "   {job:24}{instructions:>14}{budget:>10}{difference:>+7.1} %  {}",
            verdict.map_or_else(|| good("ok"), |why| bad(&format!("FAILED: {why}")))
        );
        counts += if verdict.is_none() { Counts::PASSED } else { Counts::FAILED };
    }
    if let Some(job) = budgets.keys().find(|budget| jobs.iter().all(|(job, _)| job != *budget)) {
        say!("   {} there is a budget for `{job}`, and no such job", bad("FAILED"));
        counts += Counts::FAILED;
    }
    if counts.failed > 0 {
        say!("   {ADVICE}");
    }
    Ok(counts)
}

/// Counts, and writes what was counted as the budgets of this processor.
pub(crate) fn write(repo: &Repo) -> Result<()> {
    let shell = Shell::quiet_until_failure();
    if !has_valgrind(repo, &shell) {
        return fail("instructions are counted by valgrind, which is not here");
    }
    let Measured { processor, jobs } = measure(repo, &shell)?;
    let mut budgets = read(repo)?;
    budgets.insert("about".to_owned(), json!(ABOUT));
    budgets.insert(processor, jobs.into_iter().map(|(job, instructions)| (job, json!(instructions))).collect());
    repo.write(FILE, &format!("{:#}\n", Value::Object(budgets)))
}

/// What is wrong with a number of instructions. Far fewer is wrong too: a budget that nobody lowers lets the next change
/// take the gain away unseen.
fn judge(instructions: u64, budget: u64) -> Option<&'static str> {
    let (instructions, budget) = (u128::from(instructions) * 100, u128::from(budget));
    if budget == 0 {
        Some("it has no budget")
    } else if instructions > budget * (100 + SLACK_PERCENT) {
        Some("more than allowed")
    } else if instructions < budget * (100 - SLACK_PERCENT) {
        Some("fewer: lower the budget")
    } else {
        None
    }
}

/// For what another C library, or another version of it, does in allocating and copying.
const SLACK_PERCENT: u128 = 5;

struct Measured {
    processor: String,
    /// Names, and instructions a call.
    jobs: Vec<(String, u64)>,
}

fn measure(repo: &Repo, shell: &Shell) -> Result<Measured> {
    shell.run(&mut repo.cargo("build --locked --release -p cardseal-guards"))?;
    let program = repo.target().join("release/instructions");
    let mut measured = Measured { processor: String::new(), jobs: Vec::new() };
    for job in shell::pipe(&mut repo.command(&program), "")?.lines() {
        let (processor, few) = count(repo, shell, &program, job, FEW_CALLS)?;
        let (_, many) = count(repo, shell, &program, job, FEW_CALLS + CALLS)?;
        measured.processor = processor;
        measured.jobs.push((job.to_owned(), many.saturating_sub(few) / CALLS));
    }
    Ok(measured)
}

/// What is done once is done before these or in them.
const FEW_CALLS: u64 = 20;
const CALLS: u64 = 100;

/// The processor that the program saw, and the instructions it took altogether.
fn count(repo: &Repo, shell: &Shell, program: &Path, job: &str, calls: u64) -> Result<(String, u64)> {
    let mut command = repo.command("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program).args([job, &calls.to_string()]);
    let text = shell.finish(command.env("GLIBC_TUNABLES", COPY_BY_VECTORS))?.text;
    let after = |mark: &str| text.lines().find_map(|line| Some(line.split_once(mark)?.1.trim().to_owned()));
    match (after("processor: "), after("Collected :").and_then(|number| number.parse().ok())) {
        (Some(processor), Some(instructions)) => Ok((processor, instructions)),
        _ => fail(format!("valgrind did not count the instructions of `{job}`")),
    }
}

/// Valgrind takes `rep movsb` for an instruction a byte, and the C library's choice of it depends on the processor's caches.
const COPY_BY_VECTORS: &str =
    "glibc.cpu.x86_rep_movsb_threshold=1000000000:glibc.cpu.x86_rep_stosb_threshold=1000000000";

fn read(repo: &Repo) -> Result<Map<String, Value>> {
    serde_json::from_str(&repo.read(FILE)?).map_err(|error| format!("{FILE}: {error}"))
}

fn has_valgrind(repo: &Repo, shell: &Shell) -> bool {
    system::ensure("valgrind", "valgrind", repo, shell)
}

const FILE: &str = "tests/guards/budgets.json";

const ABOUT: &str =
    "Instructions a call, by the processor that valgrind shows. Written by `cargo xtask budgets`: do not edit.";

const ADVICE: &str =
    "if these numbers are meant to stay, write them down and say why in the commit: cargo xtask budgets";

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn a_budget_is_held_within_five_percent_both_ways() {
        for instructions in [950, 1_000, 1_050] {
            assert_eq!(judge(instructions, 1_000), None, "{instructions}");
        }
        for instructions in [0, 949, 1_051, u64::MAX] {
            assert!(judge(instructions, 1_000).is_some(), "{instructions}");
        }
        assert!(judge(1_000, 0).is_some(), "a job without a budget");
    }
}
