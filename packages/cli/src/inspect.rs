//! `cardseal inspect`.

use std::fmt::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cardseal::inspect::{InspectOptions, Outcome, Report, Verdict};
use clap::Args;
use serde_json::Value;

use crate::answer::{self, Answer};
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
    let report = cardseal::inspect::inspect(envelope.as_ref(), &body, &options);

    let mut rows = rows(&report);
    if report.verdict().code() == Some("decryption_failed") {
        rows.extend(secret.as_deref().and_then(|secret| doubt(secret)));
    }
    let message = report.message().filter(|_| *show_payload);
    if common.json {
        output::write_line(&Value::from(to_json(report.verdict(), rows, message)).to_string())?;
    } else {
        let mut text = table(&rows);
        let _ = writeln!(text, "\n{}", conclusion(report.verdict()));
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
pub(crate) fn report_to_json(report: &Report) -> Answer {
    to_json(report.verdict(), rows(report), None)
}

struct Row {
    name: &'static str,
    outcome: Outcome,
    code: Option<&'static str>,
    detail: String,
}

fn rows(report: &Report) -> Vec<Row> {
    let row = |step: &cardseal::inspect::Step| Row {
        name: step.name,
        outcome: step.outcome,
        code: step.code,
        detail: step.detail.clone(),
    };
    report.steps().iter().map(row).collect()
}

/// What is odd about a secret that opens nothing. Says nothing of what is in it.
fn doubt(secret: &str) -> Option<Row> {
    let quoted = |mark: char| secret.starts_with(mark) && secret.ends_with(mark);
    let detail = if secret.trim() != secret {
        "the secret has white space at its start or end, which counts like any other character"
    } else if quoted('"') || quoted('\'') {
        "the secret has quotation marks around it, which count like any other character"
    } else {
        return None;
    };
    Some(Row { name: "secret", outcome: Outcome::Note, code: None, detail: detail.to_owned() })
}

fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    for Row { name, outcome, code, detail } in rows {
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

fn conclusion(verdict: Verdict) -> String {
    match verdict {
        Verdict::OpensAsRequest => "It opens, and keeps the rules of a request.".to_owned(),
        Verdict::OpensNotAsRequest(code) => {
            format!(
                "It opens; a server would refuse it as a request ({code}). Responses and webhooks need no timestamp."
            )
        }
        Verdict::WellFormed => "It is well formed; give a secret to see whether it opens.".to_owned(),
        Verdict::DoesNotOpen(code) => format!("It does not open ({code})."),
        other => other.to_string(),
    }
}

fn to_json(verdict: Verdict, rows: Vec<Row>, message: Option<&[u8]>) -> Answer {
    let step = |Row { name, outcome, code, detail }| {
        let members = [
            ("name", Value::from(name)),
            ("outcome", outcome.as_str().into()),
            ("code", code.into()),
            ("detail", detail.into()),
        ];
        Value::from(answer::many(members))
    };
    let steps: Vec<Value> = rows.into_iter().map(step).collect();
    let mut json =
        answer::many([("verdict", verdict.as_str().into()), ("code", verdict.code().into()), ("steps", steps.into())]);
    json.extend(message.map(|message| match str::from_utf8(message) {
        Ok(text) => ("payload".to_owned(), text.into()),
        Err(_) => ("payload_base64".to_owned(), BASE64_STANDARD.encode(message).into()),
    }));
    json
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
