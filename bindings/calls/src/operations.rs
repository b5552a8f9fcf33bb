//! Every operation: its name, the fields it takes, the fields it gives.

use cardseal::binding::{self, RequestHead};
use cardseal::hazmat;
use cardseal::{
    Attempt, Envelope, EnvelopeBuilder, Error, ErrorCode, IdempotencyKey, Payload, ReplayKeys, RequestOptions,
    ResponseError, Result, Timestamp, Window,
};
#[cfg(feature = "inspect")]
use cardseal::{Layout, inspect::InspectOptions};

use crate::{Arguments, Host, Reply, Session, Verdict};

/// Writes the operations and their names.
macro_rules! operations {
    ($($(#[$condition:meta])? $operation:ident = $name:literal,)*) => {
        #[derive(Clone, Copy)]
        enum Operation {
            $($(#[$condition])? $operation,)*
        }

        impl Operation {
            const ALL: &'static [Self] = &[$($(#[$condition])? Self::$operation),*];
            const NAMES: &'static [&'static str] = &[$($(#[$condition])? $name),*];
        }
    };
}

operations! {
    Names = "names",
    FromSecret = "fromSecret",
    FromKey = "fromKey",
    Release = "release",
    Seal = "seal",
    SealResponse = "sealResponse",
    SealWebhook = "sealWebhook",
    SealRequest = "sealRequest",
    Open = "open",
    OpenRequest = "openRequest",
    OpenResponse = "openResponse",
    OpenWebhook = "openWebhook",
    Encrypt = "encrypt",
    Decrypt = "decrypt",
    Timestamp = "timestamp",
    GenerateKey = "generateKey",
    DeriveKey = "deriveKey",
    Validate = "validate",
    Path = "path",
    Fingerprint = "fingerprint",
    Canonical = "canonical",
    ReplayKeys = "replayKeys",
    Retry = "retry",
    CorrectClock = "correctClock",
    #[cfg(feature = "inspect")]
    Inspect = "inspect",
}

/// Performs the operation with a number, on the envelope with the number `handle` where it needs one.
///
/// Number 0 gives the version and then the names of all operations in the order of their numbers.
pub fn perform(
    session: &mut Session,
    host: &impl Host,
    operation: usize,
    handle: usize,
    arguments: Arguments<'_>,
    reply: &mut impl Reply,
) -> Verdict {
    let outcome = match Operation::ALL.get(operation) {
        Some(Operation::OpenResponse) => return open_response(session, handle, arguments, reply),
        Some(&operation) => dispatch(session, host, operation, handle, arguments, reply),
        None => Err(Error::new(ErrorCode::InvalidOption, "there is no such operation")),
    };
    match outcome {
        Ok(()) => Verdict::Done,
        Err(error) => refuse(reply, &error, None),
    }
}

/// Whether an operation seals its first field, JSON text: the text may come in a buffer where it is encrypted.
#[cfg(feature = "written")]
pub fn seals(operation: usize) -> bool {
    use Operation::{Seal, SealRequest, SealResponse, SealWebhook};
    matches!(Operation::ALL.get(operation), Some(Seal | SealRequest | SealResponse | SealWebhook))
}

fn dispatch(
    session: &mut Session,
    host: &impl Host,
    operation: Operation,
    handle: usize,
    arguments: Arguments<'_>,
    reply: &mut impl Reply,
) -> Result<()> {
    let json = |index| arguments.text(index, ErrorCode::InvalidPayload);
    match operation {
        // → version, names
        Operation::Names => [cardseal::VERSION].iter().chain(Operation::NAMES).for_each(|text| reply.text(text)),
        // secret, layout?, max_bytes?, older secrets → number, layout, max_bytes
        Operation::FromSecret => {
            let text = |index| arguments.text(index, ErrorCode::InvalidKey);
            let mut builder = options(arguments, Envelope::builder().secret(text(0)?))?;
            for index in arguments.rest(OLDER) {
                builder = builder.open_secret(text(index)?);
            }
            hold(session, builder.build()?, reply);
        }
        // key, layout?, max_bytes?, older keys → number, layout, max_bytes
        Operation::FromKey => {
            let bytes = |index| arguments.bytes(index).unwrap_or_default();
            let mut builder = options(arguments, Envelope::builder().key(bytes(0)))?;
            for index in arguments.rest(OLDER) {
                builder = builder.open_key(bytes(index));
            }
            hold(session, builder.build()?, reply);
        }
        Operation::Release => session.release(handle),
        // json → body
        Operation::Seal => reply.body(binding::seal_on(host, session.envelope(handle)?, arguments.json()?)?),
        // json → body
        Operation::SealResponse => {
            reply.body(binding::seal_response_on(host, session.envelope(handle)?, arguments.json()?)?)
        }
        // json → body
        Operation::SealWebhook => {
            reply.body(binding::seal_webhook_on(host, session.envelope(handle)?, arguments.json()?)?)
        }
        Operation::SealRequest => seal_request(session, host, handle, arguments, reply)?,
        // body?, field? → payload
        Operation::Open => reply.plaintext(session.envelope(handle)?.open_json(arguments.body()?)?),
        Operation::OpenRequest => open_request(session, host, handle, arguments, reply)?,
        Operation::OpenWebhook => open_webhook(session, handle, arguments, reply)?,
        // message → field
        Operation::Encrypt => {
            let missing = || Error::new(ErrorCode::InvalidPayload, "there is no message: hand in text or bytes");
            let message = arguments.bytes(0).ok_or_else(missing)?;
            reply.text(&hazmat::encrypt(session.envelope(handle)?, message, &host.nonce()?)?);
        }
        // field → message
        Operation::Decrypt => {
            let field = arguments.text(0, ErrorCode::InvalidEnvelope)?;
            reply.bytes(&cardseal::binding::Wiped::new(session.envelope(handle)?.decrypt(field)?));
        }
        // → timestamp
        Operation::Timestamp => reply.number(host.stamp()?.as_micros()),
        // microseconds, a flag for a clock that is ahead
        Operation::CorrectClock => {
            let offset = arguments.option::<u64>(0)?.unwrap_or_default() as i64;
            host.correct_clock(if arguments.bytes(1).is_some() { -offset } else { offset });
        }
        // → key
        Operation::GenerateKey => reply.text(IdempotencyKey::from_random(host.random()?).as_str()),
        // namespace, id → key
        Operation::DeriveKey => {
            let text = |index| arguments.text(index, ErrorCode::InvalidIdempotencyKey);
            reply.text(IdempotencyKey::derive(text(0)?, text(1)?)?.as_str());
        }
        // json → timestamp?
        Operation::Validate => match Payload::parse(json(0)?)?.timestamp() {
            Some(timestamp) => reply.number(timestamp.as_micros()),
            None => reply.none(),
        },
        // path → normalised path, kind, names of required headers
        Operation::Path => {
            let path = cardseal::normalize_path(arguments.text(0, ErrorCode::InvalidPath)?)?;
            reply.text(&path);
            reply.text(cardseal::endpoint_kind(&path)?.as_str());
            for name in cardseal::required_headers(&path)? {
                reply.text(name);
            }
        }
        // path, json → fingerprint
        Operation::Fingerprint => {
            reply.text(&cardseal::fingerprint(arguments.text(0, ErrorCode::InvalidPath)?, json(1)?)?)
        }
        // json → canonical json
        Operation::Canonical => reply.text(&cardseal::canonical_json(json(0)?)?),
        Operation::ReplayKeys => replay_keys(arguments, reply)?,
        Operation::Retry => retry(arguments, reply)?,
        #[cfg(feature = "inspect")]
        Operation::Inspect => inspect(host, arguments, reply)?,
        Operation::OpenResponse => {} // answers with an error of the API too: `perform` calls it by itself
    }
    Ok(())
}

// Operations that a program may never use have functions of their own: a runtime compiles one when it is first called.

/// json, path, api key, idempotency key? → body, path, timestamp, nonce, header name, its value, …
#[inline(never)]
fn seal_request(
    session: &Session,
    host: &impl Host,
    handle: usize,
    arguments: Arguments<'_>,
    reply: &mut impl Reply,
) -> Result<()> {
    let path = arguments.text(1, ErrorCode::InvalidPath)?;
    let mut options = RequestOptions::new(arguments.text(2, ErrorCode::InvalidApiKey)?);
    if let Some(key) = arguments.optional_text(3, ErrorCode::InvalidIdempotencyKey)? {
        options = options.idempotency_key(key);
    }
    let (envelope, json) = (session.envelope(handle)?, arguments.json()?);
    let sealed = binding::seal_request_on(host, envelope, RequestHead::new(path, &options)?, json)?;
    reply.body(sealed.body);
    reply.text(&sealed.path);
    reply.number(sealed.timestamp.as_micros());
    reply.bytes(&sealed.nonce);
    for (name, value) in &sealed.headers {
        reply.text(name);
        reply.text(value);
    }
    Ok(())
}

/// body?, field?, now?, window in seconds? → payload, timestamp, nonce, key index
#[inline(never)]
fn open_request(
    session: &Session,
    host: &impl Host,
    handle: usize,
    arguments: Arguments<'_>,
    reply: &mut impl Reply,
) -> Result<()> {
    let now = match arguments.option(2)? {
        Some(micros) => Timestamp::from_micros(micros)?,
        None => host.wall_clock()?,
    };
    let window = arguments.option(3)?.map_or(Ok(Window::MAX), Window::from_seconds)?;
    let request = session.envelope(handle)?.open_request(arguments.body()?, now, window)?;
    reply.plaintext(request.payload);
    reply.number(request.timestamp.as_micros());
    reply.bytes(&request.nonce);
    reply.number(request.key_index as u64);
    Ok(())
}

/// body?, field? → payload, type?, timestamp?, delivery id?, dedupe key, key index
#[inline(never)]
fn open_webhook(session: &Session, handle: usize, arguments: Arguments<'_>, reply: &mut impl Reply) -> Result<()> {
    let webhook = session.envelope(handle)?.open_webhook(arguments.body()?)?;
    reply.plaintext(webhook.payload);
    optional(reply, webhook.event_type.as_deref());
    optional(reply, webhook.timestamp.as_deref());
    optional(reply, webhook.delivery_id.as_deref());
    reply.text(&webhook.dedupe_key);
    reply.number(webhook.key_index as u64);
    Ok(())
}

/// api key, path, timestamp, nonce → timestamp key, nonce key
#[inline(never)]
fn replay_keys(arguments: Arguments<'_>, reply: &mut impl Reply) -> Result<()> {
    let timestamp = Timestamp::parse(arguments.text(2, ErrorCode::InvalidTimestamp)?)?;
    let nonce = arguments.bytes(3).and_then(|nonce| nonce.try_into().ok());
    let nonce = nonce.ok_or_else(|| Error::new(ErrorCode::InvalidOption, "a nonce has 24 bytes"))?;
    let api_key = arguments.text(0, ErrorCode::InvalidApiKey)?;
    let keys = ReplayKeys::of(api_key, arguments.text(1, ErrorCode::InvalidPath)?, timestamp, nonce)?;
    reply.text(&keys.timestamp);
    reply.text(&keys.nonce);
    Ok(())
}

/// kind, failure class, code?, sent, a flag for the key, attempt → decision
#[inline(never)]
fn retry(arguments: Arguments<'_>, reply: &mut impl Reply) -> Result<()> {
    let name = |index| arguments.text(index, ErrorCode::InvalidOption);
    let decision = cardseal::should_retry(&Attempt {
        kind: name(0)?.parse()?,
        class: name(1)?.parse()?,
        code: arguments.optional_text(2, ErrorCode::InvalidOption)?,
        sent: name(3)?.parse()?,
        has_key: arguments.bytes(4).is_some(),
        attempt: arguments.option(5)?.unwrap_or(1),
    });
    reply.text(decision.as_str());
    Ok(())
}

/// body, secret?, layout? → report as JSON, its verdict as a sentence
#[cfg(feature = "inspect")]
#[inline(never)]
fn inspect(host: &impl Host, arguments: Arguments<'_>, reply: &mut impl Reply) -> Result<()> {
    let secret = arguments.optional_text(1, ErrorCode::InvalidKey)?;
    let layout = arguments.optional_text(2, ErrorCode::InvalidOption)?;
    let layout = layout.map_or(Ok(Layout::default()), str::parse)?;
    let envelope = secret.map(|secret| Envelope::builder().secret(secret).layout(layout).build()).transpose()?;
    let options = InspectOptions::new().now(host.wall_clock()?).layout(layout);
    let mut report = cardseal::inspect::inspect(envelope.as_ref(), arguments.bytes(0).unwrap_or_default(), &options);
    if let Some(secret) = secret {
        report.doubt(secret);
    }
    reply.text(&report.to_json());
    reply.text(&report.verdict().sentence());
    Ok(())
}

/// Takes an envelope into the session, and says what it became.
fn hold(session: &mut Session, envelope: Envelope, reply: &mut impl Reply) {
    let (layout, max_bytes) = (envelope.layout(), envelope.max_bytes());
    reply.number(session.add(envelope) as u64);
    reply.text(layout.as_str());
    reply.number(max_bytes as u64);
}

/// Where an envelope's older secrets begin.
const OLDER: usize = 3;

fn options(arguments: Arguments<'_>, mut builder: EnvelopeBuilder) -> Result<EnvelopeBuilder> {
    if let Some(layout) = arguments.optional_text(1, ErrorCode::InvalidOption)? {
        builder = builder.layout(layout.parse()?);
    }
    if let Some(max_bytes) = arguments.option::<u64>(2)? {
        // What does not fit is out of range, as 0 is: the core says so.
        builder = builder.max_bytes(usize::try_from(max_bytes).unwrap_or_default());
    }
    Ok(builder)
}

/// body?, field?, status, body of the request? → payload
#[inline(never)]
fn open_response(session: &Session, handle: usize, arguments: Arguments<'_>, reply: &mut impl Reply) -> Verdict {
    let parts = || {
        let status = arguments.option(2)?.unwrap_or_default();
        // A request that is no text has no nonce that could be compared.
        let request = arguments.bytes(3).and_then(|request| core::str::from_utf8(request).ok());
        Ok((session.envelope(handle)?, arguments.body()?, status, request))
    };
    let (envelope, body, status, request) = match parts() {
        Ok(parts) => parts,
        Err(error) => return refuse(reply, &error, None),
    };
    match envelope.open_response_json(status, body, request) {
        Ok(payload) => reply.plaintext(payload),
        Err(ResponseError::Api(error)) => {
            optional(reply, error.slug.as_deref());
            optional(reply, error.code.as_deref());
            reply.text(&error.message);
            reply.text(error.failure_class.as_str());
            optional(reply, error.encrypted.then_some("true"));
            optional(reply, error.payload.as_deref());
            return Verdict::ApiError;
        }
        Err(refused) => {
            let class = refused.failure_class();
            if let ResponseError::Envelope { error, .. } | ResponseError::Payload { error, .. } = &refused {
                return refuse(reply, error, Some(class.as_str()));
            }
        }
    }
    Verdict::Done
}

fn refuse(reply: &mut impl Reply, error: &Error, failure_class: Option<&str>) -> Verdict {
    reply.text(error.code());
    reply.text(error.message());
    match error.skew_micros() {
        Some(skew @ 0..) => reply.number(skew.unsigned_abs()),
        Some(skew) => reply.text(&["-", cardseal::json::write_digits(skew.unsigned_abs(), &mut [0; 20])].concat()),
        None => reply.none(),
    }
    optional(reply, failure_class);
    Verdict::Refused
}

fn optional(reply: &mut impl Reply, field: Option<&str>) {
    match field {
        Some(text) => reply.text(text),
        None => reply.none(),
    }
}
