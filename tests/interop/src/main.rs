//! Every implementation opens what every other seals, and all of ours refuse alike.
//!
//! `interop DRIVERS.json REPORT.json`. Drivers are processes that answer JSON, a line each, in the form of `cardseal batch`; the file
//! is a list of `{"name": …, "command": […], "folder": …, "is_foreign": …}`. Three tests: the matrix, in which each opens what each has
//! sealed; the codes, which all of ours have to agree on for failing vectors and for mutations; and a control, a driver with another
//! secret, which has to open nothing.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test: it stops at what it does not expect"
)]

mod cases;
mod driver;

use std::collections::BTreeMap;
use std::process::ExitCode;

use cases::{Question, mutations, payloads, tampered, vectors};
use driver::{Answer, Driver};
use serde_json::{Value, json};

const SECRET: &str = "your_api_secret_key_here";
const LAYOUTS: [&str; 2] = ["versioned", "bare"];

/// What is counted: `kept` is a cell, a question or a control as it should be.
#[derive(Default)]
struct Verdict {
    kept: usize,
    broken: Vec<String>,
}

impl Verdict {
    fn note(&mut self, is_kept: bool, what: impl FnOnce() -> String) {
        if is_kept {
            self.kept += 1;
        } else {
            self.broken.push(what());
        }
    }
}

fn main() -> ExitCode {
    let [drivers, report] = [1, 2].map(|index| std::env::args().nth(index).expect("DRIVERS.json REPORT.json"));
    let list: Value = serde_json::from_slice(&std::fs::read(drivers).unwrap()).unwrap();
    let drivers: Vec<Driver> = list.as_array().unwrap().iter().map(Driver::new).collect();
    let mut verdict = Verdict::default();
    let matrix = matrix(&drivers, &mut verdict);
    let codes = codes(&drivers, &mut verdict);
    let report_json = json!({"matrix": matrix, "codes": codes, "kept": verdict.kept, "broken": verdict.broken});
    std::fs::write(report, serde_json::to_vec_pretty(&report_json).unwrap()).unwrap();
    for broken in verdict.broken.iter().take(20) {
        println!("broken: {broken}");
    }
    println!("cells: {} kept, {} broken", verdict.kept, verdict.broken.len());
    if verdict.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Bodies that one sealed, in one layout, and what is in them.
struct Sealed {
    layout: &'static str,
    bodies: Vec<String>,
    tampered: Vec<String>,
}

/// Each seals all payloads in both layouts, and each opens all of them, and refuses what was altered on the way.
fn matrix(drivers: &[Driver], verdict: &mut Verdict) -> Value {
    let payloads = payloads();
    let canonical: Vec<String> = payloads.iter().map(|payload| cardseal::canonical_json(payload).unwrap()).collect();
    println!(
        "{} payloads sealed by each, in both layouts: how many each opened, and how many altered ones it refused\n",
        payloads.len()
    );
    println!(
        "| sealed by \\ opened by | {} |",
        drivers.iter().map(|opener| &*opener.name).collect::<Vec<_>>().join(" | ")
    );
    println!("|---|{}", "---|".repeat(drivers.len()));
    let mut rows = BTreeMap::new();
    for sealer in drivers {
        let sealed = LAYOUTS.map(|layout| {
            let questions = payloads.iter().map(|payload| Question::seal(SECRET, layout, payload)).collect::<Vec<_>>();
            let bodies: Vec<String> =
                sealer.ask(&questions).into_iter().map(|answer| answer.body(&sealer.name)).collect();
            let tampered = tampered(&bodies);
            Sealed { layout, bodies, tampered }
        });
        let cells: Vec<(usize, usize)> =
            drivers.iter().map(|opener| open_all(opener, SECRET, &sealed, &canonical)).collect();
        let all = (2 * payloads.len(), sealed.iter().map(|sealed| sealed.tampered.len()).sum());
        for (opener, cell) in drivers.iter().zip(&cells) {
            verdict.note(*cell == all, || format!("{} opened {cell:?} of {all:?} by {}", opener.name, sealer.name));
        }
        let shown: Vec<String> = cells.iter().map(|(opened, refused)| format!("{opened}, {refused}")).collect();
        println!("| {} | {} |", sealer.name, shown.join(" | "));
        // The control: the same test with another secret is red.
        let (opened, _) = open_all(sealer, "another_secret_for_tests", &sealed, &canonical);
        verdict.note(opened == 0, || format!("{} opened {opened} of its bodies with another secret", sealer.name));
        rows.insert(sealer.name.clone(), json!({"opened and refused": cells, "opened with another secret": opened}));
    }
    println!(
        "\nwith another secret, each opened none of its own: {}",
        rows.values().all(|row| row["opened with another secret"] == 0)
    );
    json!(rows)
}

/// How many bodies gave their payload, and how many altered ones were refused.
fn open_all(opener: &Driver, secret: &str, sealed: &[Sealed], canonical: &[String]) -> (usize, usize) {
    let (mut opened, mut refused) = (0, 0);
    for Sealed { layout, bodies, tampered } in sealed {
        let questions: Vec<Question> =
            bodies.iter().chain(tampered).map(|body| Question::open(secret, layout, body)).collect();
        let answers = opener.ask(&questions);
        let (whole, altered) = answers.split_at(bodies.len());
        opened +=
            whole.iter().zip(canonical).filter(|(answer, wanted)| answer.canonical().as_ref() == Some(*wanted)).count();
        refused += altered.iter().filter(|answer| matches!(answer, Answer::Error(_))).count();
    }
    (opened, refused)
}

/// All of ours give the same code, or the same payload, to whatever they are asked.
fn codes(drivers: &[Driver], verdict: &mut Verdict) -> Value {
    let ours: Vec<&Driver> = drivers.iter().filter(|driver| !driver.is_foreign).collect();
    let effort = std::env::var("CARDSEAL_EFFORT").map_or(1, |effort| effort.parse().unwrap()); // `cargo xtask test --full`
    let mut report = BTreeMap::new();
    println!();
    for (kind, questions) in [("failing vectors", vectors()), ("mutations", mutations(5_000 * effort))] {
        let answers: Vec<Vec<String>> = ours
            .iter()
            .map(|driver| driver.ask(&questions.iter().map(|(question, _)| question.clone()).collect::<Vec<_>>()))
            .map(|answers| answers.iter().map(Answer::verdict).collect())
            .collect();
        let mut counts = BTreeMap::<String, usize>::new();
        for (index, (question, expected)) in questions.iter().enumerate() {
            let of_all: Vec<&str> = answers.iter().map(|of_one| &*of_one[index]).collect();
            let wanted = expected.as_deref().unwrap_or(of_all[0]);
            let is_kept = of_all.iter().all(|verdict| *verdict == wanted);
            verdict.note(is_kept, || format!("{kind}: {of_all:?}, expected {wanted}, for {}", question.line(index)));
            let code = if wanted.starts_with('{') { "opened" } else { wanted };
            *counts.entry(code.to_owned()).or_default() += 1;
        }
        let (refused, opened) =
            (questions.len() - counts.get("opened").unwrap_or(&0), counts.get("opened").unwrap_or(&0));
        println!(
            "{kind}: {} asked of each of {}, {refused} refused, {opened} opened, alike: {counts:?}",
            questions.len(),
            ours.len()
        );
        report.insert(kind, json!({"asked": questions.len(), "counts": counts}));
    }
    json!(report)
}
