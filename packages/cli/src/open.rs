//! `cardseal open`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::arguments::{Common, Freshness};
use crate::failure::{Failure, Stop};
use crate::{answer, input, output};

/// Open a sealed HTTP body, and print the payload
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Open {
    /// Read the body from this file; none, or `-`, is standard input
    file: Option<PathBuf>,
    /// Open a response that came with this HTTP status: an error of the API is reported as one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(100..=599))]
    #[arg(conflicts_with_all = ["server", "webhook"])]
    status: Option<u16>,
    /// The sealed request that the response answers: its own body sent back is refused
    #[arg(long, value_name = "FILE", requires = "status")]
    request: Option<PathBuf>,
    /// Open a request as a server does: timestamp and window count, replays are not noticed
    #[arg(long, conflicts_with = "webhook")]
    server: bool,
    #[command(flatten)]
    freshness: Freshness,
    /// Open a webhook: an object
    #[arg(long)]
    webhook: bool,
    /// Print the payload, or all that is known as JSON
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    print: Print,
}

const AFTER_HELP: &str = "\
Without --status, --server or --webhook any sealed body opens, and no timestamp counts.

Example: cardseal open --status 200 --request request.json answer.json";

#[derive(Clone, Copy, Default, ValueEnum)]
enum Print {
    #[default]
    Payload,
    Json,
}

pub(crate) fn run(common: &Common, open: &Open) -> Result<(), Stop> {
    let Open { file, status, request, server, freshness, webhook, print } = open;
    if !server && freshness.is_given() {
        return Err(Failure::usage("--window and --now-micros are for requests: add --server").into());
    }
    let request = request.as_deref();
    if request.is_some() && input::named(request).is_none() && input::named(file.as_deref()).is_none() {
        return Err(Failure::usage("body and --request cannot both come from standard input").into());
    }
    let window = freshness.window()?;
    let envelope = common.envelope()?;
    let max_bytes = envelope.max_bytes();
    let request = request.map(|file| input::read(Some(file), max_bytes).and_then(body_text)).transpose()?;
    let body = input::read_one_more(file.as_deref(), max_bytes)?;

    let opened = if let Some(status) = *status {
        let payload = envelope.open_response_json(status, &body, request.as_deref());
        answer::one("payload", payload.map_err(|error| Failure::from(&error))?.into_string())
    } else if *server {
        answer::request(envelope.open_request(&body, freshness.now()?, window)?)
    } else if *webhook {
        answer::webhook(envelope.open_webhook(&body)?)
    } else {
        answer::one("payload", envelope.open_json(&body)?.into_string())
    };
    match print {
        Print::Json => output::write_line(&Value::from(opened).to_string()),
        Print::Payload => output::write_line(opened.get("payload").and_then(Value::as_str).unwrap_or_default()),
    }
}

fn body_text(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|_| Failure::unusable("the file after --request is not UTF-8 text"))
}
