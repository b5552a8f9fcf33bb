//! How many times as long as cardseal the other candidates take: `cargo xtask bench rust`. `tests/bench/README.md` has the
//! format of the file that is written.

#![expect(clippy::print_stderr, reason = "a program for developers: it says how far it is")]

use std::process::ExitCode;
use std::time::Duration;

use cardseal_bench::ciphers::{self, NONCE};
use cardseal_bench::payloads::{self, Payload};
use cardseal_bench::rounds::{Candidate, Plan, Spread, Times, measure};
use cardseal_bench::versions::versions;
use cardseal_bench::{Result, peers};
use serde::{Serialize, Serializer};

const USAGE: &str =
    "usage: cargo bench -p cardseal-bench --bench ratios -- --json FILE [--quick] [part of a name]…, or -- --check";

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
    let requests = payloads::requests()?;
    peers::check(&requests)?;
    let many = payloads::members(MIB, 40_000);
    let mut jobs = [envelope_jobs(&requests)?, typed_jobs(&requests)?, json_jobs(&requests, &many)?, cipher_jobs()?]
        .into_iter()
        .flatten()
        .filter(|job| options.parts.iter().all(|part| job.name.contains(part)));
    let Some(file) = &options.file else {
        return jobs.try_for_each(|mut job| {
            job.candidates.iter_mut().for_each(Candidate::run);
            Ok(())
        });
    };
    if cfg!(debug_assertions) {
        return Err("this build is not optimised: its figures would mean nothing".into());
    }
    let results = jobs.map(|job| job.measure(options.plan)).collect();
    let report = Report { language: "rust", versions: versions()?, rounds: options.plan.rounds, results };
    Ok(std::fs::write(file, serde_json::to_string(&report)?)?)
}

struct Options {
    plan: Plan,
    /// Nothing: every candidate runs once, to show that it does.
    file: Option<String>,
    parts: Vec<String>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let plan = Plan { rounds: 61, turn: Duration::from_millis(1) };
        let mut options = Self { plan, file: None, parts: Vec::new() };
        let mut is_check = false;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => {} // from cargo
                "--quick" => options.plan = Plan { rounds: 7, turn: Duration::from_micros(200) },
                "--check" | "--test" => is_check = true, // the second is what criterion calls it
                "--json" => options.file = arguments.next(),
                flag if flag.starts_with('-') => return Err(format!("`{flag}` is unknown\n{USAGE}").into()),
                _ => options.parts.push(argument),
            }
        }
        if is_check == options.file.is_some() { Err(USAGE.into()) } else { Ok(options) }
    }
}

/// The first candidate is the one that the others are compared with.
struct Job<'j> {
    name: String,
    task: &'static str,
    bytes: usize,
    shape: String,
    variant: &'static str,
    candidates: Vec<Candidate<'j>>,
}

impl<'j> Job<'j> {
    fn of(task: &'static str, payload: &Payload, candidates: Vec<Candidate<'j>>) -> Self {
        let Payload { bytes, shape, variant, .. } = payload;
        let name = format!("{task}, {}", payload.name());
        Self { name, task, bytes: *bytes, shape: shape.clone(), variant, candidates }
    }
}

/// The whole job, JSON text to HTTP body and back.
fn envelope_jobs(requests: &[Payload]) -> Result<Vec<Job<'_>>> {
    let mut jobs = Vec::new();
    let now = peers::now_micros()?;
    for payload in requests {
        for task in ["seal JSON text", "open to JSON text", "open to Value"] {
            let mut candidates = Vec::new();
            for (name, mut peer) in peers::all()? {
                let text = &payload.text;
                let body = peer.seal(text)?;
                candidates.push(match task {
                    "seal JSON text" => Candidate::new(name, move || peer.seal(text)),
                    "open to JSON text" => Candidate::new(name, move || peer.open(&body, now)),
                    _ => Candidate::new(name, move || peer.open(&body, now)?.into_value()),
                });
            }
            jobs.push(Job::of(task, payload, candidates));
        }
    }
    Ok(jobs)
}

/// The whole job, struct to HTTP body and back.
fn typed_jobs(requests: &[Payload]) -> Result<Vec<Job<'_>>> {
    let mut jobs = Vec::new();
    for payload in requests {
        for task in [SEAL_STRUCT, "open to a struct"] {
            let mut candidates = Vec::new();
            for (name, mut peer) in peers::typed()? {
                let mut card = payload.card.clone();
                candidates.push(if task == SEAL_STRUCT {
                    Candidate::new(name, move || peer.seal(&mut card))
                } else {
                    let body = peer.seal(&mut card)?;
                    Candidate::new(name, move || peer.open(&body))
                });
            }
            let text = &payload.text;
            candidates.push(if task == SEAL_STRUCT {
                let envelope = cardseal::Envelope::from_key(&peers::KEY)?;
                Candidate::new("nonce, cipher and base64 alone", move || envelope.encrypt(text.as_bytes()))
            } else {
                Candidate::new("serde_json alone", move || serde_json::from_str::<payloads::Card>(text))
            });
            jobs.push(Job::of(task, payload, candidates));
        }
    }
    Ok(jobs)
}

const SEAL_STRUCT: &str = "seal a struct";

/// The strict reader against one that is not: `IgnoredAny` passes repeated names and numbers out of range.
fn json_jobs<'t>(requests: &'t [Payload], many: &'t str) -> Result<Vec<Job<'t>>> {
    let candidates = |text: &'t str| -> Result<Vec<Candidate<'t>>> {
        let strict = |text| cardseal::json::check(text);
        let lenient = |text| serde_json::from_str::<serde::de::IgnoredAny>(text);
        strict(text).map_err(|fault| fault.to_string())?;
        lenient(text)?;
        Ok(vec![
            Candidate::new("cardseal", move || strict(text)),
            Candidate::new("serde_json, IgnoredAny", move || lenient(text)),
        ])
    };
    let mut jobs = Vec::new();
    for payload in requests {
        jobs.push(Job::of(READ, payload, candidates(&payload.text)?));
    }
    let (shape, candidates) = ("40,000 members".to_owned(), candidates(many)?);
    jobs.push(Job {
        name: format!("{READ}, 1 MiB {shape}"),
        task: READ,
        bytes: MIB,
        shape,
        variant: "ascii",
        candidates,
    });
    Ok(jobs)
}

const READ: &str = "read JSON, keep nothing";

/// Bytes to the field of a body, and the cipher by itself.
fn cipher_jobs() -> Result<Vec<Job<'static>>> {
    let mut jobs = Vec::new();
    for (size, bytes) in [("256 B", 256), ("16 KiB", 16 << 10), ("1 MiB", MIB)] {
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
        for (task, candidates) in [("encrypt to a field", encrypt), ("cipher in place", in_place)] {
            let (name, shape) = (format!("{task}, {size} bytes"), "bytes".to_owned());
            jobs.push(Job { name, task, bytes, shape, variant: "ascii", candidates });
        }
    }
    Ok(jobs)
}

const MIB: usize = 1 << 20;

/// What is written.
#[derive(Serialize)]
struct Report {
    language: &'static str,
    #[serde(serialize_with = "in_order")]
    versions: Vec<(&'static str, String)>,
    rounds: usize,
    results: Vec<Outcome>,
}

#[derive(Serialize)]
struct Outcome {
    job: &'static str,
    size: usize,
    shape: String,
    variant: &'static str,
    cardseal_ns: f64,
    #[serde(serialize_with = "in_order")]
    peers: Vec<(&'static str, Comparison)>,
    /// What no candidate can do without.
    #[serde(serialize_with = "in_order", skip_serializing_if = "Vec::is_empty")]
    floors: Vec<(&'static str, Comparison)>,
}

/// A median time, and how many times as long as cardseal's it is: median and quartiles of the rounds.
#[derive(Serialize)]
struct Comparison {
    ns: f64,
    ratio: f64,
    q1: f64,
    q3: f64,
}

impl Job<'_> {
    fn measure(mut self, plan: Plan) -> Outcome {
        eprintln!("{}", self.name);
        let times = measure(&mut self.candidates, plan);
        let (own, peers) = times.split_first().unwrap_or_else(|| unreachable!("every job has candidates"));
        let compare = |peer: &Times| {
            let Spread { low, median, high } = peer.ratio_to(own);
            (peer.name, Comparison { ns: peer.spread().median, ratio: median, q1: low, q3: high })
        };
        let (floors, peers): (Vec<_>, Vec<_>) =
            peers.iter().map(compare).partition(|(name, _)| name.ends_with(" alone"));
        Outcome {
            job: self.task,
            size: self.bytes,
            shape: self.shape,
            variant: self.variant,
            cardseal_ns: own.spread().median,
            peers,
            floors,
        }
    }
}

fn in_order<S: Serializer, T: Serialize>(
    pairs: &[(&'static str, T)],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}
