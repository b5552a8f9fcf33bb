//! `cardseal inspect`.

use std::fmt::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cardseal::inspect::{InspectOptions, Outcome, Report, Step, Verdict};
use clap::Args;
use serde_json::Value;

use crate::answer::Answer;
use crate::arguments::{Common, Freshness};
use crate::failure::Stop;
use crate::{input, output};

/// Say step by step what a body is, and why it does not open
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Inspect {
    /// Read the body from this file; none, or `-`, is standard input
    file: Option<PathBuf>,
    /// Also print what the envelope holds
    #[arg(long)]
    show_payload: bool,
    #[command(flatten)]
    freshness: Freshness,
}

const AFTER_HELP: &str = "\
Without a secret it goes as far as one gets without; nobody is asked for one. What the envelope
holds is not shown, unless --show-payload asks for it. Exit status 1: the body does not open.

Example: cardseal inspect --secret-file secret.txt body.json";

pub(crate) fn run(common: &Common, inspect: &Inspect) -> Result<(), Stop> {
    let Inspect { file, show_payload, freshness } = inspect;
    let (window, now) = (freshness.window()?, freshness.now()?);
    let options =
        InspectOptions::new().now(now).window(window).layout(common.layout.into()).max_bytes(common.max_bytes);
    let secret = common.secret()?;
    let envelope = match &secret {
        Some(secret) => Some(common.envelope_of(secret, &common.open_secrets()?)?),
        None => None,
    };
    let body = input::read_one_more(file.as_deref(), common.max_bytes)?;
    let mut report = cardseal::inspect::inspect(envelope.as_ref(), &body, &options);
    if let Some(secret) = &secret {
        report.doubt(secret);
    }
    let message = report.message().filter(|_| *show_payload);
    if common.json {
        let mut answer = report_to_json(&report);
        answer.extend(message.map(payload));
        output::write_line(&Value::from(answer).to_string())?;
    } else {
        let mut text = table(&report);
        let _ = writeln!(text, "\n{}", report.verdict().sentence());
        if let Some(message) = message {
            let _ = writeln!(text, "\n{}", shown(message));
        }
        output::write(&[text.as_bytes()])?;
    }
    match report.verdict() {
        Verdict::DoesNotOpen(_) => Err(Stop::Exit(1)),
        _ => Ok(()),
    }
}

/// A report as `batch` answers it.
#[expect(clippy::expect_used, reason = "the library writes it, as an object")]
pub(crate) fn report_to_json(report: &Report) -> Answer {
    serde_json::from_str(&report.to_json()).expect("a report is a JSON object")
}

fn table(report: &Report) -> String {
    let mut text = String::new();
    for Step { name, outcome, code, detail, .. } in report.steps() {
        let mark = match outcome {
            Outcome::Passed => "ok",
            Outcome::Failed => "FAIL",
            Outcome::Note => "note",
        };
        let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
        let _ = writeln!(text, "{mark:<5} {name:<10} {detail}{code}");
    }
    text
}

/// The member that holds what the envelope holds.
fn payload(message: &[u8]) -> (String, Value) {
    match str::from_utf8(message) {
        Ok(text) => ("payload".to_owned(), text.into()),
        Err(_) => ("payload_base64".to_owned(), BASE64_STANDARD.encode(message).into()),
    }
}

/// Any bytes, fit for a terminal: strict JSON comes through as it is.
fn shown(message: &[u8]) -> String {
    let Ok(text) = str::from_utf8(message) else { return message.escape_ascii().to_string() };
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => shown.push(character),
            control if control.is_control() => shown.extend(control.escape_default()),
            other => shown.push(other),
        }
    }
    shown
}
