//! What a line can ask for: each operation takes its members, makes sure that none is left, and calls the library.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cardseal::inspect::InspectOptions;
use cardseal::json::{self, Fault};
use cardseal::{
    Attempt, CardIssueStatus, CardTopupStatus, ErrorCode, IdempotencyKey, OrderStatus, Payload, ReplayKeys,
    RequestOptions, Timestamp,
};

use super::envelopes::Envelopes;
use super::fields::Fields;
use crate::answer::{self, Answer, many, one};
use crate::failure::{Failure, quoted};
use crate::input::Anything;
use crate::inspect::report_to_json;

pub(super) fn run(mut fields: Fields, envelopes: &mut Envelopes<'_>) -> Result<Answer, Failure> {
    let fields = &mut fields;
    match fields.take_operation()?.as_str() {
        "seal" => {
            let (choice, payload) = (fields.envelope()?, fields.text("payload")?);
            fields.finish()?;
            Ok(one("body", envelopes.get(choice)?.seal_json(&payload)?))
        }
        "seal_request" => seal_request(fields, envelopes),
        "seal_response" => {
            let (choice, payload) = (fields.envelope()?, fields.text("payload")?);
            fields.finish()?;
            Ok(one("body", envelopes.get(choice)?.seal_response_json(&payload)?))
        }
        "seal_webhook" => {
            let (choice, payload) = (fields.envelope()?, fields.text("payload")?);
            fields.finish()?;
            Ok(one("body", envelopes.get(choice)?.seal_webhook_json(&payload)?))
        }
        "open" => {
            let (choice, body) = (fields.envelope()?, fields.sealed_body()?);
            fields.finish()?;
            Ok(one("payload", envelopes.get(choice)?.open_json(&body)?.into_string()))
        }
        "open_request" => {
            let (choice, body) = (fields.envelope()?, fields.sealed_body()?);
            let (now, window) = (fields.now()?, fields.window()?);
            fields.finish()?;
            Ok(answer::request(envelopes.get(choice)?.open_request(&body, now, window)?))
        }
        "open_response" => {
            let (choice, body) = (fields.envelope()?, fields.sealed_body()?);
            let (status, request) = (fields.status()?, fields.optional_text("request")?);
            fields.finish()?;
            let opened = envelopes.get(choice)?.open_response_json(status, &body, request.as_deref());
            Ok(one("payload", opened.map_err(|error| Failure::with_payload(&error))?.into_string()))
        }
        "open_webhook" => {
            let (choice, body) = (fields.envelope()?, fields.sealed_body()?);
            fields.finish()?;
            Ok(answer::webhook(envelopes.get(choice)?.open_webhook(&body)?))
        }
        "encrypt" => {
            let (choice, message) = (fields.envelope()?, fields.bytes("message", "message_base64")?);
            fields.finish()?;
            Ok(one("field", envelopes.get(choice)?.encrypt(&message)?))
        }
        "decrypt" => {
            let (choice, field) = (fields.envelope()?, fields.text("field")?);
            fields.finish()?;
            Ok(one("message_base64", BASE64_STANDARD.encode(envelopes.get(choice)?.decrypt(&field)?)))
        }
        "inspect" => inspect(fields, envelopes),
        "validate_payload" => {
            let payload = fields.text("payload")?;
            fields.finish()?;
            Ok(one("timestamp_micros", Payload::parse(&payload)?.timestamp().map(Timestamp::as_micros)))
        }
        "check_json" => {
            let text = fields.bytes("json", "json_base64")?;
            fields.finish()?;
            json::read_utf8(&text, &mut Anything).map(|_| Answer::new()).map_err(|fault: Fault| {
                Failure::refusal(ErrorCode::InvalidJson, fault.to_string()).with("at", fault.at())
            })
        }
        "canonical_json" => {
            let payload = fields.text("payload")?;
            fields.finish()?;
            Ok(one("canonical", cardseal::canonical_json(&payload)?))
        }
        "fingerprint" => {
            let (path, payload) = (fields.text("path")?, fields.text("payload")?);
            fields.finish()?;
            Ok(one("fingerprint", cardseal::fingerprint(&path, &payload)?))
        }
        "normalize_path" => {
            let path = fields.text("path")?;
            fields.finish()?;
            Ok(one("path", cardseal::normalize_path(&path)?))
        }
        "endpoint_kind" => {
            let path = fields.text("path")?;
            fields.finish()?;
            Ok(one("kind", cardseal::endpoint_kind(&path)?.as_str()))
        }
        "replay_keys" => {
            let (api_key, path) = (fields.text("api_key")?, fields.text("path")?);
            let (micros, nonce) = (fields.whole("timestamp_micros")?, fields.nonce()?);
            fields.finish()?;
            let ReplayKeys { timestamp, nonce } =
                ReplayKeys::of(&api_key, &path, Timestamp::from_micros(micros)?, &nonce)?;
            Ok(many([("timestamp", timestamp.into()), ("nonce", nonce.into())]))
        }
        "derive_idempotency_key" => {
            let (namespace, id) = (fields.text("namespace")?, fields.text("event_id")?);
            fields.finish()?;
            Ok(one("idempotency_key", String::from(IdempotencyKey::derive(&namespace, &id)?)))
        }
        "parse_idempotency_key" => {
            let key = fields.text("idempotency_key")?;
            fields.finish()?;
            Ok(one("idempotency_key", String::from(IdempotencyKey::parse(&key)?)))
        }
        "should_retry" => should_retry(fields),
        "can_become" => {
            let model = model(&fields.text("model")?)?;
            let (from, to) = (fields.text("from")?, fields.text("to")?);
            fields.finish()?;
            Ok(one("can_become", (model.can_become)(&from, &to)))
        }
        "is_terminal" => {
            let model = model(&fields.text("model")?)?;
            let status = fields.text("status")?;
            fields.finish()?;
            Ok(one("is_terminal", (model.is_terminal)(&status)))
        }
        unknown => Err(Failure::usage(format!("the operation {} is unknown", quoted(unknown)))),
    }
}

fn seal_request(fields: &mut Fields, envelopes: &mut Envelopes<'_>) -> Result<Answer, Failure> {
    let (choice, path, payload) = (fields.envelope()?, fields.text("path")?, fields.text("payload")?);
    let (api_key, idempotency_key) = (fields.text("api_key")?, fields.optional_text("idempotency_key")?);
    fields.finish()?;
    let options = RequestOptions::new(&api_key);
    let options = idempotency_key.as_deref().map_or(options, |key| options.idempotency_key(key));
    Ok(answer::sealed_request(envelopes.get(choice)?.seal_request_json(&path, &payload, &options)?))
}

fn inspect(fields: &mut Fields, envelopes: &mut Envelopes<'_>) -> Result<Answer, Failure> {
    let (choice, body) = (fields.envelope()?, fields.bytes("body", "body_base64")?);
    let (now, window) = (fields.now()?, fields.window()?);
    fields.finish()?;
    let (layout, max_bytes) = envelopes.without_key(&choice);
    let options = InspectOptions::new().now(now).window(window).layout(layout).max_bytes(max_bytes);
    let envelope = envelopes.get_if_keyed(choice)?;
    Ok(report_to_json(&cardseal::inspect::inspect(envelope, &body, &options)))
}

fn should_retry(fields: &mut Fields) -> Result<Answer, Failure> {
    let code = fields.optional_text("code")?;
    let (kind, class, sent) = (fields.text("kind")?, fields.text("class")?, fields.text("sent")?);
    let (has_key, attempt) = (fields.boolean("has_key")?, fields.whole("attempt")?);
    fields.finish()?;
    let attempt = Attempt {
        kind: kind.parse()?,
        class: class.parse()?,
        code: code.as_deref(),
        sent: sent.parse()?,
        has_key,
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
    };
    Ok(one("decision", cardseal::should_retry(&attempt).as_str()))
}

/// A status model by the names of its statuses.
struct Model {
    can_become: fn(&str, &str) -> bool,
    is_terminal: fn(&str) -> bool,
}

fn model(name: &str) -> Result<Model, Failure> {
    macro_rules! model {
        ($status:ty) => {
            Ok(Model {
                can_become: |from, to| <$status>::from(from).can_become(&to.into()),
                is_terminal: |status| <$status>::from(status).is_terminal(),
            })
        };
    }
    match name {
        "order" => model!(OrderStatus),
        "card_issue" => model!(CardIssueStatus),
        "card_topup" => model!(CardTopupStatus),
        _ => Err(Failure::usage("`model` has to be `order`, `card_issue` or `card_topup`")),
    }
}
