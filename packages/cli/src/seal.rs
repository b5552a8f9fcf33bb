//! `cardseal seal`.

use std::path::PathBuf;

use cardseal::{Envelope, RequestOptions, SealedRequest};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::arguments::Common;
use crate::failure::{Failure, Stop};
use crate::{answer, input, key, output};

/// Seal JSON text, and print the HTTP body
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Seal {
    /// Read the JSON text from this file; none, or `-`, is standard input
    file: Option<PathBuf>,
    /// Seal a request to this path or URL
    #[arg(long, conflicts_with_all = ["response", "webhook"])]
    path: Option<String>,
    /// The API key [else: CARDSEAL_API_KEY]
    #[arg(long, value_name = "KEY", requires = "path")]
    api_key: Option<String>,
    /// The idempotency key: required for card issue and card top-up, sent wherever it is given
    #[arg(long, value_name = "KEY", requires = "path")]
    idempotency_key: Option<String>,
    /// Print the body, the whole HTTP request to read or paste, or all of it as JSON
    #[arg(long, value_enum, requires = "path", value_name = "WHAT")]
    print: Option<Print>,
    /// Seal a response: any JSON value, no timestamp
    #[arg(long, conflicts_with = "webhook")]
    response: bool,
    /// Seal a webhook: an object, no timestamp
    #[arg(long)]
    webhook: bool,
}

const AFTER_HELP: &str = "\
The text is kept to the letter. A request payload gets a `request_timestamp` unless it has one; with
--path it is always stamped anew. A response or a webhook is sealed as it is.

Example: echo '{\"card_id\":\"card_abc123\"}' | cardseal seal --path /cards/get --api-key key_1";

#[derive(Clone, Copy, Default, ValueEnum)]
enum Print {
    #[default]
    Body,
    Request,
    Json,
}

pub(crate) fn run(common: &Common, seal: &Seal) -> Result<(), Stop> {
    let Seal { file, path, api_key, idempotency_key, print, response, webhook } = seal;
    let api_key = path.as_ref().map(|_| key::api_key(api_key.as_deref())).transpose()?;
    let envelope = common.envelope()?;
    let payload = input::payload_text(input::read(file.as_deref(), envelope.max_bytes())?)?;
    if let (Some(path), Some(api_key)) = (path, api_key) {
        let request = seal_request(&envelope, path, &payload, &api_key, idempotency_key.as_deref())?;
        return print_request(request, path, print.unwrap_or_default());
    }
    let body = if *response {
        envelope.seal_response_json(&payload)
    } else if *webhook {
        envelope.seal_webhook_json(&payload)
    } else {
        envelope.seal_json(&payload)
    };
    output::write_line(&body?)
}

fn seal_request(
    envelope: &Envelope,
    path: &str,
    payload: &str,
    api_key: &str,
    idempotency_key: Option<&str>,
) -> Result<SealedRequest, Failure> {
    let options = RequestOptions::new(api_key);
    let options = idempotency_key.map_or(options, |key| options.idempotency_key(key));
    Ok(envelope.seal_request_json(path, payload, &options)?)
}

fn print_request(request: SealedRequest, path: &str, print: Print) -> Result<(), Stop> {
    match print {
        Print::Body => output::write_line(&request.body),
        Print::Json => output::write_line(&Value::from(answer::sealed_request(request)).to_string()),
        Print::Request => {
            let mut lines = vec![format!("POST {} HTTP/1.1", request.path)];
            let url = key::variable("CARDSEAL_URL")?.unwrap_or_default();
            lines.extend(host(path).or_else(|| host(&url)).map(|host| format!("Host: {host}")));
            lines.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}")));
            lines.extend([String::new(), request.body]);
            output::write_line(&lines.join("\n"))
        }
    }
}

/// The host of a URL.
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next().filter(|host| !host.is_empty())?;
    host.bytes().all(|byte| byte.is_ascii_graphic()).then_some(host)
}
