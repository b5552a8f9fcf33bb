//! How many times as long as cardseal the other candidates take, as Markdown tables:
//! `cargo bench -p cardseal-bench --bench ratios`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table goes to one, the progress to the other")]

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use cardseal_bench::ciphers::{self, NONCE};
use cardseal_bench::payloads::{self, Payload};
use cardseal_bench::rounds::{Candidate, Plan, Spread, Times, measure};
use cardseal_bench::{Result, machine, peers};

const USAGE: &str = "usage: cargo bench -p cardseal-bench --bench ratios -- [--quick | --test] [part of a job's name]";

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ratios: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let (requests, texts) = (payloads::requests(), payloads::texts());
    eprintln!("checking that all candidates agree");
    peers::check(&requests)?;
    let mut groups = [envelope_jobs(&requests)?, json_jobs(&texts)?, cipher_jobs()?];
    for group in &mut groups {
        group.jobs.retain(|job| job.name().contains(&options.filter));
    }
    let count = groups.iter().map(|group| group.jobs.len()).sum();
    if count == 0 {
        return Err(format!("no job has `{}` in its name", options.filter).into());
    }
    let mut progress = Progress { done: 0, count };
    let Some(plan) = options.plan else {
        for job in groups.iter_mut().flat_map(|group| &mut group.jobs) {
            progress.next(&job.name());
            job.candidates.iter_mut().for_each(Candidate::run);
        }
        return Ok(());
    };
    println!("{}* {} rounds, turns of {:?} or one run\n\n{EXPLANATION}\n", machine::facts()?, plan.rounds, plan.turn);
    for group in groups.iter_mut().filter(|group| !group.jobs.is_empty()) {
        group.print(plan, &mut progress);
    }
    Ok(())
}

const EXPLANATION: &str = "\
The first candidate's cell is its median time for one run and half the distance of the quartiles. Every other cell is\n\
how many times as long that candidate takes, so that above 1 it is slower: median over the rounds, quartiles in\n\
brackets. `open` ends with checked JSON text for cardseal and lean and with a serde_json::Value for the others;\n\
`open to Value` ends with a Value for all.";

struct Options {
    /// Nothing: every candidate runs once, to show that it does.
    plan: Option<Plan>,
    filter: String,
}

impl Options {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options =
            Self { plan: Some(Plan { rounds: 101, turn: Duration::from_millis(1) }), filter: String::new() };
        for argument in arguments {
            match argument.as_str() {
                "--bench" => {} // from cargo
                "--quick" => options.plan = Some(Plan { rounds: 9, turn: Duration::from_micros(200) }),
                "--test" => options.plan = None,
                flag if flag.starts_with('-') => return Err(format!("`{flag}` is unknown\n{USAGE}").into()),
                filter => options.filter = filter.to_owned(),
            }
        }
        Ok(options)
    }
}

/// Jobs with the same candidates: one table.
struct Group<'g> {
    title: &'static str,
    candidates: Vec<&'static str>,
    /// Whether each cell also tells the throughput.
    throughput: bool,
    jobs: Vec<Job<'g>>,
}

/// One line: the first candidate is the one that the others are compared with.
struct Job<'j> {
    task: &'static str,
    size: &'static str,
    bytes: usize,
    candidates: Vec<Candidate<'j>>,
}

impl Job<'_> {
    fn name(&self) -> String {
        format!("{} {}", self.task, self.size)
    }
}

/// The whole job, JSON text to HTTP body and back.
fn envelope_jobs(requests: &[Payload]) -> Result<Group<'_>> {
    let mut jobs = Vec::new();
    let now = peers::now_micros()?;
    for task in ["seal", "open", "open to Value"] {
        for Payload { name: size, text } in requests {
            let mut candidates = Vec::new();
            for (name, mut peer) in peers::all()? {
                let body = peer.seal(text)?;
                candidates.push(match task {
                    "seal" => Candidate::new(name, move || peer.seal(text)),
                    "open" => Candidate::new(name, move || peer.open(&body, now)),
                    _ => Candidate::new(name, move || peer.open(&body, now)?.into_value()),
                });
            }
            jobs.push(Job { task, size, bytes: text.len(), candidates });
        }
    }
    let candidates = peers::all()?.into_iter().map(|(name, _)| name).collect();
    Ok(Group { title: "Envelope: JSON text to HTTP body and back", candidates, throughput: false, jobs })
}

/// The strict reader against one that is not: `IgnoredAny` passes repeated names and numbers out of range.
fn json_jobs(texts: &[Payload]) -> Result<Group<'_>> {
    let strict = |text| cardseal::json::check(text);
    let lenient = |text| serde_json::from_str::<serde::de::IgnoredAny>(text);
    let mut jobs = Vec::new();
    for Payload { name, text } in texts {
        strict(text).map_err(|fault| format!("{name}: {fault}"))?;
        lenient(text)?;
        jobs.push(Job {
            task: "json",
            size: name,
            bytes: text.len(),
            candidates: vec![
                Candidate::new("cardseal", move || strict(text)),
                Candidate::new("serde_json", move || lenient(text)),
            ],
        });
    }
    Ok(Group {
        title: "JSON: accept or refuse, keep nothing",
        candidates: vec!["cardseal", "serde_json"],
        throughput: true,
        jobs,
    })
}

/// Bytes to the field of a body, and the cipher by itself.
fn cipher_jobs() -> Result<Group<'static>> {
    let mut jobs = Vec::new();
    for (size, bytes) in [("256 B", 1 << 8), ("16 KiB", 1 << 14), ("1 MiB", 1 << 20)] {
        ciphers::check(&vec![b'x'; bytes])?;
        let (mut encrypt, mut in_place) = (Vec::new(), Vec::new());
        for (name, mut cipher) in ciphers::all()? {
            let message = vec![b'x'; bytes];
            encrypt.push(Candidate::new(name, move || cipher.encrypt(&message, &NONCE)));
        }
        for (name, mut cipher) in ciphers::all()? {
            let mut message = vec![b'x'; bytes];
            in_place.push(Candidate::new(name, move || cipher.seal_in_place(&mut message, &NONCE)));
        }
        jobs.push(Job { task: "encrypt to a field", size, bytes, candidates: encrypt });
        jobs.push(Job { task: "cipher in place", size, bytes, candidates: in_place });
    }
    let candidates = ciphers::all()?.into_iter().map(|(name, _)| name).collect();
    Ok(Group { title: "Secretbox (in place, cardseal is its engine `dryoc`)", candidates, throughput: true, jobs })
}

impl Group<'_> {
    /// Measures all jobs and prints what came out.
    fn print(&mut self, plan: Plan, progress: &mut Progress) {
        let Self { title, candidates, throughput, jobs } = self;
        println!("### {title}\n\n| job | size | {} |", candidates.join(" | "));
        println!("|---|---|{}", "---|".repeat(candidates.len()));
        for job in jobs {
            progress.next(&job.name());
            let times = measure(&mut job.candidates, plan);
            let cells: Vec<String> =
                times.iter().map(|own| cell(own, &times, throughput.then_some(job.bytes))).collect();
            println!("| {} | {} | {} |", job.task, job.size, cells.join(" | "));
        }
        println!();
    }
}

fn cell(own: &Times, times: &[Times], bytes: Option<usize>) -> String {
    let Spread { low, median, high } = own.spread();
    let throughput = bytes.map(|bytes| format!(", {:.2} GB/s", bytes as f64 / median)).unwrap_or_default();
    match times.first() {
        Some(first) if first.name != own.name => {
            let Spread { low, median, high } = own.ratio_to(first);
            format!("{median:.2}× ({low:.2}–{high:.2}){throughput}")
        }
        _ => {
            let time = Duration::from_secs_f64(median / 1e9);
            format!("{time:.2?} ± {:.0} %{throughput}", 50.0 * (high - low) / median)
        }
    }
}

/// A line on the terminal that says what is being measured.
struct Progress {
    done: usize,
    count: usize,
}

impl Progress {
    fn next(&mut self, job: &str) {
        self.done += 1;
        let Self { done, count } = self;
        if std::io::stderr().is_terminal() && !std::io::stdout().is_terminal() {
            eprint!("\r\x1b[K{done}/{count} {job}{}", if done == count { "\n" } else { "" });
        } else {
            eprintln!("{done}/{count} {job}");
        }
    }
}
