//! Why a body does not open, step by step, without showing what it holds.
//!
//! For a person at a terminal or in a playground. A server keeps a report to itself: it tells a wrong secret from a
//! wrong layout, which an answer to a stranger must not.
//!
#![cfg_attr(feature = "std", doc = "```")]
#![cfg_attr(not(feature = "std"), doc = "```ignore")]
//! use cardseal::Envelope;
//! use cardseal::inspect::{InspectOptions, Verdict, inspect};
//!
//! let body = Envelope::new("the_secret_of_staging")?.seal_json(r#"{"card_id":"card_abc123"}"#)?;
//! let envelope = Envelope::new("the_secret_of_production")?;
//! let report = inspect(Some(&envelope), body.as_bytes(), &InspectOptions::new());
//! assert_eq!(report.verdict().code(), Some("decryption_failed"));
//! for step in report.steps() {
//!     println!("{:<6} {:<9} {}", step.outcome, step.name, step.detail);
//! }
//! # Ok::<(), cardseal::Error>(())
//! ```

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::wipe::Wiped;

use crate::envelope::{DEFAULT_MAX_BYTES, Envelope, find_field, find_field_within, opened_text_invalid};
use crate::error::{Error, ErrorCode, Result};
use crate::json::{self, Found, Kind, Members};
use crate::layout::{self, FIELD_NAME, Layout};
use crate::payload::{REQUEST_TIMESTAMP, read_unsealed};
use crate::request::{REQUEST_MEMBERS, request_timestamp};
use crate::response::PlainText;
use crate::timestamp::{Timestamp, Window};

/// What a body is compared with.
#[derive(Debug, Clone, Copy)]
pub struct InspectOptions {
    now: Option<Timestamp>,
    window: Window,
    layout: Layout,
    max_bytes: usize,
}

impl InspectOptions {
    /// No clock, the window of 30 seconds; without an envelope the versioned layout and 10 MiB.
    pub const fn new() -> Self {
        Self { now: None, window: Window::MAX, layout: Layout::Versioned, max_bytes: DEFAULT_MAX_BYTES }
    }

    /// The server's clock to compare the request's timestamp with.
    #[must_use]
    pub const fn now(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// How far the two may be apart.
    #[must_use]
    pub const fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// The layout to expect where there is no envelope, which has its own.
    #[must_use]
    pub const fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// The largest HTTP body where there is no envelope, which has its own limit.
    #[must_use]
    pub const fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }
}

impl Default for InspectOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What was found: the steps in their order and the conclusion.
#[derive(Clone)]
pub struct Report {
    steps: Vec<Step>,
    verdict: Verdict,
    message: Option<Wiped<Vec<u8>>>,
}

impl Report {
    /// The checks that were made, and notes on what they met. None of them quotes what the envelope holds.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The conclusion.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What the envelope holds, if it opened: any bytes, JSON or not. This is the plaintext.
    pub fn message(&self) -> Option<&[u8]> {
        self.message.as_ref().map(|message| message.as_slice())
    }

    /// Adds a note on what is odd about the secret, if it opened nothing. Says nothing of what is in it.
    pub fn doubt(&mut self, secret: &str) {
        if self.verdict != Verdict::DoesNotOpen(ErrorCode::DecryptionFailed) {
            return;
        }
        let is_quoted = |mark: char| secret.starts_with(mark) && secret.ends_with(mark);
        let detail = if secret.trim() != secret {
            "the secret has white space at its start or end, which counts like any other character"
        } else if is_quoted('"') || is_quoted('\'') {
            "the secret has quotation marks around it, which count like any other character"
        } else {
            return;
        };
        self.steps.push(Step { name: "secret", outcome: Outcome::Note, code: None, detail: detail.to_string() });
    }

    /// The report for programs, without what the envelope holds.
    ///
    /// ```text
    /// {"verdict":"does_not_open","code":"invalid_json","steps":[
    ///   {"name":"size","outcome":"passed","code":null,"detail":"5 bytes, at most 10485760"}, …]}
    /// ```
    pub fn to_json(&self) -> String {
        let Self { steps, verdict, message: _ } = self;
        let steps: Vec<String> = steps.iter().map(Step::to_json).collect();
        format!(
            r#"{{"verdict":{},"code":{},"steps":[{}]}}"#,
            literal(verdict.as_str()),
            literal_or_null(verdict.code()),
            steps.join(",")
        )
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, verdict, message: _ } = self;
        f.debug_struct("Report").field("steps", steps).field("verdict", verdict).finish_non_exhaustive()
    }
}

/// One check, or one note.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// What was looked at: `size`, `json`, `field`, `base64`, `version`, `secret`, `payload`; for a request also
    /// `object`, `timestamp`, `window`.
    pub name: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// For a failure its [`Error::code`].
    pub code: Option<&'static str>,
    /// What was found, in one line.
    pub detail: String,
}

impl Step {
    fn to_json(&self) -> String {
        let Self { name, outcome, code, detail } = self;
        format!(
            r#"{{"name":{},"outcome":{},"code":{},"detail":{}}}"#,
            literal(name),
            literal(outcome.as_str()),
            literal_or_null(*code),
            literal(detail)
        )
    }
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The rule is kept.
    Passed,
    /// The rule is broken; later ones were not looked at.
    Failed,
    /// No rule: something worth knowing.
    Note,
}

impl Outcome {
    /// `passed`, `failed` or `note`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a report comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// It opens and keeps a request's rules; the window only counts if a clock was given.
    OpensAsRequest,
    /// It opens, but is no request that a server takes, for this code. Responses and webhooks are like that.
    OpensNotAsRequest(ErrorCode),
    /// It is well formed; there was no secret to try.
    WellFormed,
    /// It does not open, for this code.
    DoesNotOpen(ErrorCode),
}

impl Verdict {
    /// `opens_as_request`, `opens_not_as_request`, `well_formed` or `does_not_open`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpensAsRequest => "opens_as_request",
            Self::OpensNotAsRequest(_) => "opens_not_as_request",
            Self::WellFormed => "well_formed",
            Self::DoesNotOpen(_) => "does_not_open",
        }
    }

    /// What it comes to, as a sentence for a person.
    pub fn sentence(self) -> Cow<'static, str> {
        match self {
            Self::OpensAsRequest => "It opens, and keeps the rules of a request.".into(),
            Self::OpensNotAsRequest(code) => format!(
                "It opens; a server would refuse it as a request ({code}). Responses and webhooks need no timestamp."
            )
            .into(),
            Self::WellFormed => "It is well formed; give a secret to see whether it opens.".into(),
            Self::DoesNotOpen(code) => format!("It does not open ({code}).").into(),
        }
    }

    /// The code of what stands in the way.
    pub const fn code(self) -> Option<&'static str> {
        match self {
            Self::OpensNotAsRequest(code) | Self::DoesNotOpen(code) => Some(code.as_str()),
            Self::OpensAsRequest | Self::WellFormed => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Takes a body apart and says at each step what it met; without an envelope as far as one gets without a secret.
///
/// Where a step fails it also looks at what usually lies behind it: another layout, another alphabet, a body sealed or
/// serialised twice. It tries no secret but the envelope's.
pub fn inspect(envelope: Option<&Envelope>, body: &[u8], options: &InspectOptions) -> Report {
    let layout = envelope.map_or(options.layout, Envelope::layout);
    let mut walk = Walk { envelope, layout, options, steps: Vec::new(), message: None };
    let verdict = walk.body(body).unwrap_or_else(|stopped| stopped);
    let Walk { steps, message, .. } = walk;
    Report { steps, verdict, message }
}

struct Walk<'i> {
    envelope: Option<&'i Envelope>,
    layout: Layout,
    options: &'i InspectOptions,
    steps: Vec<Step>,
    message: Option<Wiped<Vec<u8>>>,
}

/// A verdict is reached where a step fails, or at the end.
type Reached<T = Verdict> = Result<T, Verdict>;

impl Walk<'_> {
    fn body(&mut self, body: &[u8]) -> Reached {
        let field = self.field(body)?;
        let sealed = self.decode(&field)?;
        let Some(envelope) = self.envelope else {
            self.hint_other_version(&field);
            self.note("secret", "there is no secret to open it with: this is as far as one gets");
            return Ok(Verdict::WellFormed);
        };
        let message = match envelope.open_sealed(sealed) {
            Ok(message) => message,
            Err(error) => {
                let stopped = self.fail("secret", &error);
                if !self.hint_other_layout(&field) {
                    self.hint_other_version(&field);
                }
                return Err(stopped);
            }
        };
        self.pass("secret", opened_by(message.key_index));
        self.message = Some(message.message.clone());
        let text = message.into_text().map_err(|error| self.fail("payload", &error))?.plaintext;
        let mut members = Members::new(REQUEST_MEMBERS);
        json::read(&text, &mut members.finder()).map_err(|fault| self.fail("payload", &opened_text_invalid(&fault)))?;
        self.pass("payload", format!("strict JSON, {}", described(members.root())));
        self.as_request(&text, &members)
    }

    /// The steps up to the text under `encrypted`. One call checks them all; its code tells which one failed.
    fn field<'b>(&mut self, body: &'b [u8]) -> Reached<Cow<'b, str>> {
        let max_bytes = self.envelope.map_or(self.options.max_bytes, Envelope::max_bytes);
        let found = find_field_within(body, max_bytes);
        let failed = found.as_ref().err().map(|error| match error.kind() {
            ErrorCode::TooLarge => "size",
            ErrorCode::InvalidJson => "json",
            _ => "field",
        });
        let characters = found.as_deref().map_or(0, str::len);
        let steps = [
            ("size", format!("{} bytes, at most {max_bytes}", body.len())),
            ("json", "strict JSON".to_string()),
            ("field", format!("`{FIELD_NAME}` is a string of {characters} characters")),
        ];
        for (name, detail) in steps.into_iter().take_while(|(name, _)| Some(*name) != failed) {
            self.pass(name, detail);
        }
        found.map_err(|error| {
            let stopped = self.fail(failed.unwrap_or_default(), &error);
            if error.kind() != ErrorCode::TooLarge {
                self.hint_unsealed(body, max_bytes);
            }
            stopped
        })
    }

    fn decode(&mut self, field: &str) -> Reached<layout::Sealed> {
        let decoded = layout::decode(self.layout, field.as_bytes());
        if let Err(error) = &decoded
            && error.kind() != ErrorCode::UnsupportedVersion
        {
            let stopped = self.fail("base64", error);
            self.hint_mended(field);
            return Err(stopped);
        }
        let header_bytes = self.layout.header_bytes();
        // The bytes are counted under the bare layout, because the versioned one may just have refused them.
        let bytes = layout::decode(Layout::Bare, field.as_bytes())
            .map_or(0, |sealed| sealed.message.len() + Layout::Bare.header_bytes());
        let message_bytes = bytes.saturating_sub(header_bytes);
        self.pass("base64", format!("canonical, {bytes} bytes: {header_bytes} before a message of {message_bytes}"));
        if looks_like_hex(field) {
            self.note(
                "base64",
                "every character is a hexadecimal digit: it was probably written as hex, not as base64",
            );
        }
        if layout::nonce(Layout::Bare, field.as_bytes()).is_some_and(|nonce| nonce.iter().all(|&byte| is_base64(byte)))
        {
            self.note("base64", "the decoded bytes are base64 text again: it was encoded twice");
        }
        let sealed = decoded.map_err(|error| {
            let stopped = self.fail("version", &error);
            self.hint_other_layout(field);
            stopped
        })?;
        match self.layout {
            Layout::Versioned => self.pass("version", "the first byte is 0x02"),
            _ => self.pass("version", "the layout `bare` has no version byte"),
        }
        Ok(sealed)
    }

    fn as_request(&mut self, text: &str, members: &Members<3>) -> Reached {
        self.hint_serialised_twice(members.root(), text);
        self.hint_sealed_twice(text);
        let timestamp = request_timestamp(members, text).map_err(|error| {
            let name = if error.kind() == ErrorCode::InvalidPayload { "object" } else { "timestamp" };
            let stopped = self.fail_as_request(name, &error);
            self.hint_wrapped(members, text);
            stopped
        });
        let [stamp, ..] = members.found();
        let timestamp = match timestamp {
            Ok(timestamp) => timestamp,
            Err(stopped) => {
                self.hint_unit(stamp.as_ref(), text);
                return Err(stopped);
            }
        };
        self.pass(
            "timestamp",
            format!("`{REQUEST_TIMESTAMP}` is well formed, {}", described(stamp.as_ref().map(|stamp| stamp.kind))),
        );
        let Some(now) = self.options.now else {
            self.hint_unit(stamp.as_ref(), text);
            self.note("window", "no clock was given to compare the timestamp with");
            return Ok(Verdict::OpensAsRequest);
        };
        let window = self.options.window;
        if let Err(error) = window.check(timestamp, now) {
            let stopped = self.fail_as_request("window", &error);
            self.hint_unit(stamp.as_ref(), text);
            return Err(stopped);
        }
        let skew = timestamp.as_micros().abs_diff(now.as_micros());
        let direction = if timestamp < now { "behind" } else { "ahead of" };
        self.pass(
            "window",
            format!(
                "{} s {direction} the server's clock, allowed are {} s",
                seconds(skew),
                window.as_micros() / 1_000_000
            ),
        );
        Ok(Verdict::OpensAsRequest)
    }

    fn pass(&mut self, name: &'static str, detail: impl Into<String>) {
        self.steps.push(Step { name, outcome: Outcome::Passed, code: None, detail: detail.into() });
    }

    fn note(&mut self, name: &'static str, detail: impl Into<String>) {
        self.steps.push(Step { name, outcome: Outcome::Note, code: None, detail: detail.into() });
    }

    fn fail(&mut self, name: &'static str, error: &Error) -> Verdict {
        let detail = error.message().into();
        self.steps.push(Step { name, outcome: Outcome::Failed, code: Some(error.code()), detail });
        Verdict::DoesNotOpen(error.kind())
    }

    fn fail_as_request(&mut self, name: &'static str, error: &Error) -> Verdict {
        self.fail(name, error);
        Verdict::OpensNotAsRequest(error.kind())
    }

    /// What a body without a usable field may be instead.
    fn hint_unsealed(&mut self, body: &[u8], max_bytes: usize) {
        if let Some(plain) = PlainText::read(body.into(), max_bytes).known() {
            self.note("json", format!("this is the API's plain error `{}` ({})", plain.text, plain.code));
            return;
        }
        let Ok(text) = core::str::from_utf8(body) else { return };
        let text = json::trim(text);
        let mut members = Members::new([FIELD_NAME, REQUEST_TIMESTAMP, "data"]);
        if json::read(text, &mut members.finder()).is_err() {
            if text.starts_with('<') {
                self.note("json", "it begins like HTML: a proxy or a login page answered, not the API");
            } else if text.starts_with("{'") {
                self.note("json", "its strings have single quotes: it was printed by a program, not written as JSON");
            } else if text.starts_with("encrypted=") {
                self.note("json", "it is form data: send JSON");
            } else if layout::decode(Layout::Bare, text.as_bytes()).is_ok() {
                self.note("json", "it is the field by itself: put it into `{\"encrypted\":\"…\"}`");
            }
            return;
        }
        let [field, stamp, data] = members.found();
        match (field, members.root()) {
            (Some(field), _) => {
                self.note("field", format!("`{FIELD_NAME}` is {}", described(Some(field.kind))));
            }
            (None, Some(Kind::Object)) if stamp.is_some() => {
                self.note("field", "it has a `request_timestamp`: this is a payload that nobody sealed");
            }
            (None, Some(Kind::Object)) => {
                if data.as_ref().is_some_and(|data| find_field(data.raw(text).as_bytes()).is_ok()) {
                    self.note("field", "a sealed body stands under `data`: it has to be the whole body");
                }
            }
            (None, root) => {
                self.note("field", format!("the body is {}, not an object", described(root)));
                self.hint_serialised_twice(root, text);
            }
        }
    }

    /// Whether the field would be one if it were written as base64 should be.
    fn hint_mended(&mut self, field: &str) {
        let mended = mended(field);
        if mended == field || layout::decode(self.layout, mended.as_bytes()).is_err() {
            return;
        }
        let what_then = match self.opens(self.layout, &mended) {
            Some(true) => "it would open: nothing else is wrong",
            Some(false) => "it would be an envelope that does not open: altered, or sealed with another secret",
            None => "it would be an envelope",
        };
        self.note("base64", format!("in standard base64, padded and in one piece, {what_then}"));
    }

    /// Whether the field opens under the layout that was not asked for. Only here: openers never guess.
    fn hint_other_layout(&mut self, field: &str) -> bool {
        let other = match self.layout {
            Layout::Versioned => Layout::Bare,
            Layout::Bare => Layout::Versioned,
        };
        let opens = self.opens(other, field) == Some(true);
        if opens {
            self.note("version", format!("it opens under the layout `{other}`: ask for that one"));
        }
        opens
    }

    /// A first byte that speaks for the other layout where there is no trying it.
    fn hint_other_version(&mut self, field: &str) {
        if self.layout == Layout::Bare && layout::decode(Layout::Versioned, field.as_bytes()).is_ok() {
            self.note("version", "the first byte is 0x02, as in the layout `versioned`; by chance 1 in 256 is");
        }
    }

    fn opens(&self, layout: Layout, field: &str) -> Option<bool> {
        let envelope = self.envelope?;
        Some(layout::decode(layout, field.as_bytes()).and_then(|sealed| envelope.open_sealed(sealed)).is_ok())
    }

    fn hint_serialised_twice(&mut self, root: Option<Kind>, text: &str) {
        let Some(kind @ Kind::String { .. }) = root else { return };
        let literal = json::trim(text);
        let inside = Found { kind, span: 0..literal.len() }.string(literal);
        let mut members = Members::new([]);
        if inside.is_some_and(|inside| json::read(&inside, &mut members.finder()).is_ok()) && members.is_object() {
            self.note("json", "the string holds a JSON object: it was serialised twice");
        }
    }

    fn hint_sealed_twice(&mut self, text: &str) {
        let Err(error) = read_unsealed(text) else { return };
        if error.kind() != ErrorCode::AlreadySealed {
            return;
        }
        let opens = find_field(text.as_bytes()).is_ok_and(|field| self.opens(self.layout, &field) == Some(true));
        let by_whom = if opens { ", both times with a secret that is at hand" } else { "" };
        self.note("payload", format!("the payload is itself a sealed body: it was sealed twice{by_whom}"));
    }

    /// Fields that stand in a `data` object, as in other APIs.
    fn hint_wrapped(&mut self, members: &Members<3>, text: &str) {
        let [None, None, Some(data)] = members.found() else { return };
        let mut inner = Members::new([REQUEST_TIMESTAMP]);
        if json::read(data.raw(text), &mut inner.finder()).is_ok() && inner.is_object() {
            let [stamp] = inner.found();
            let with = if stamp.is_some() { ", `request_timestamp` too" } else { "" };
            self.note("timestamp", format!("the fields stand in a `data` object{with}: put them at the root"));
        }
    }

    /// A number whose size is that of today in another unit.
    fn hint_unit(&mut self, stamp: Option<&Found>, text: &str) {
        let Some(stamp) = stamp else { return };
        let number = match stamp.kind {
            Kind::Number => stamp.raw(text).parse::<f64>().ok(),
            _ => stamp.string(text).and_then(|digits| digits.parse().ok()),
        };
        let unit = match number {
            Some(1e9..1e10) => "seconds",
            Some(1e12..1e13) => "milliseconds",
            Some(1e18..1e19) => "nanoseconds",
            _ => return,
        };
        self.note("timestamp", format!("its size is that of {unit} since 1970, the protocol counts microseconds"));
    }
}

fn literal(text: &str) -> String {
    let mut literal = String::new();
    json::write_string(&mut literal, text);
    literal
}

fn literal_or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_string(), literal)
}

fn opened_by(key_index: usize) -> String {
    match key_index {
        0 => "the secret opens it (key_index 0)".to_string(),
        older => format!("older secret {older} opens it (key_index {older}): the sender has not changed over yet"),
    }
}

fn described(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Null) => "null",
        Some(Kind::Boolean(_)) => "true or false",
        Some(Kind::Number) => "a number",
        Some(Kind::String { .. }) => "a string",
        Some(Kind::Array) => "an array",
        Some(Kind::Object) => "an object",
        None => "nothing",
    }
}

fn seconds(micros: u64) -> String {
    format!("{}.{:03}", micros / 1_000_000, micros / 1_000 % 1_000)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Two digits a byte of the shortest envelope.
fn looks_like_hex(field: &str) -> bool {
    field.len() >= 2 * Layout::Bare.header_bytes() && field.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The field in the standard alphabet, without white space and backslashes, padded.
fn mended(field: &str) -> String {
    let characters =
        field.trim_end_matches('=').chars().filter(|character| !character.is_ascii_whitespace() && *character != '\\');
    let mut mended: String = characters
        .map(|character| match character {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    let padding = mended.len().next_multiple_of(4) - mended.len();
    mended.extend(core::iter::repeat_n('=', padding));
    mended
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hazmat::{self, Nonce};

    const SECRET: &str = "your_api_secret_key_here";
    const NOW_MICROS: u64 = 1_700_000_000_000_000;
    const NONCE: Nonce = [7; 24];
    const PAYLOAD: &str = r#"{"request_timestamp":1700000000000000,"card_id":"card_abc123"}"#;

    fn envelope(layout: Layout) -> Envelope {
        Envelope::builder().secret(SECRET).layout(layout).build().unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from_micros(NOW_MICROS).unwrap()
    }

    fn options() -> InspectOptions {
        InspectOptions::new().now(now())
    }

    fn look(body: &str) -> Report {
        inspect(Some(&envelope(Layout::Versioned)), body.as_bytes(), &options())
    }

    /// The field that holds any text, under the versioned layout.
    fn field(message: &str) -> String {
        hazmat::encrypt(&envelope(Layout::Versioned), message.as_bytes(), &NONCE).unwrap()
    }

    fn wrap(field: &str) -> String {
        format!(r#"{{"encrypted":"{field}"}}"#)
    }

    fn sealed(message: &str) -> String {
        wrap(&field(message))
    }

    #[track_caller]
    fn assert_passed(report: &Report, name: &str, detail: &str) {
        let step = report.steps().iter().find(|step| step.name == name && step.outcome == Outcome::Passed);
        assert_eq!(step.map(|step| step.detail.as_str()), Some(detail), "{report:?}");
    }

    /// The one step that failed, and the verdict, which is the same code.
    #[track_caller]
    fn assert_failed(report: &Report, name: &str, code: &str) {
        let failed: Vec<_> = report.steps().iter().filter(|step| step.outcome == Outcome::Failed).collect();
        assert_eq!(
            failed.iter().map(|step| (step.name, step.code)).collect::<Vec<_>>(),
            [(name, Some(code))],
            "{report:?}"
        );
        assert_eq!(report.verdict().code(), Some(code), "{report:?}");
    }

    #[track_caller]
    fn assert_noted(report: &Report, name: &str, words: &str) {
        let found = report.steps().iter().any(|step| {
            step.name == name && step.outcome == Outcome::Note && step.code.is_none() && step.detail.contains(words)
        });
        assert!(found, "no note on {name} with `{words}`: {report:?}");
    }

    #[track_caller]
    fn assert_no_note(report: &Report) {
        assert!(report.steps().iter().all(|step| step.outcome != Outcome::Note), "{report:?}");
    }

    #[test]
    fn a_fresh_request_passes_every_step() {
        let report = look(&sealed(PAYLOAD));
        let names: Vec<_> = report.steps().iter().map(|step| step.name).collect();
        assert_eq!(names, ["size", "json", "field", "base64", "version", "secret", "payload", "timestamp", "window"]);
        assert_eq!(report.verdict(), Verdict::OpensAsRequest);
        assert_passed(&report, "size", "156 bytes, at most 10485760");
        assert_passed(&report, "field", "`encrypted` is a string of 140 characters");
        assert_passed(&report, "base64", "canonical, 103 bytes: 41 before a message of 62");
        assert_passed(&report, "version", "the first byte is 0x02");
        assert_passed(&report, "secret", "the secret opens it (key_index 0)");
        assert_passed(&report, "payload", "strict JSON, an object");
        assert_passed(&report, "timestamp", "`request_timestamp` is well formed, a number");
        assert_passed(&report, "window", "0.000 s ahead of the server's clock, allowed are 30 s");
        assert_eq!(report.message(), Some(PAYLOAD.as_bytes()));
    }

    #[test]
    fn as_json_it_has_its_members_and_not_what_the_envelope_holds() {
        assert_eq!(
            look("\u{feff}{}").to_json(),
            "{\"verdict\":\"does_not_open\",\"code\":\"invalid_json\",\"steps\":[\
            {\"name\":\"size\",\"outcome\":\"passed\",\"code\":null,\"detail\":\"5 bytes, at most 10485760\"},\
            {\"name\":\"json\",\"outcome\":\"failed\",\"code\":\"invalid_json\",\"detail\":\
            \"the body is not strict JSON: a byte order mark: send plain UTF-8 (byte 0)\"}]}"
        );
        let json = look(&sealed(PAYLOAD)).to_json();
        assert!(json.starts_with("{\"verdict\":\"opens_as_request\",\"code\":null,"), "{json}");
        assert!(!json.contains("card_abc123") && !json.contains(SECRET), "{json}");
        let detail = "a \"quoted\" word".to_string();
        let step = Step { name: "json", outcome: Outcome::Note, code: None, detail };
        assert!(step.to_json().ends_with(r#""detail":"a \"quoted\" word"}"#), "{}", step.to_json());
    }

    #[test]
    fn a_verdict_is_a_sentence() {
        for (verdict, says) in [
            (Verdict::OpensAsRequest, "keeps the rules"),
            (Verdict::OpensNotAsRequest(ErrorCode::TimestampNotFound), "as a request (timestamp_not_found)"),
            (Verdict::WellFormed, "give a secret"),
            (Verdict::DoesNotOpen(ErrorCode::DecryptionFailed), "does not open (decryption_failed)"),
        ] {
            assert!(verdict.sentence().contains(says), "{}", verdict.sentence());
        }
    }

    #[test]
    fn a_secret_that_looks_odd_is_mentioned_where_it_opens_nothing() {
        let body = sealed(PAYLOAD);
        let doubted = |secret: &str, body: &str| {
            let mut report = inspect(Some(&Envelope::new(secret).unwrap()), body.as_bytes(), &options());
            report.doubt(secret);
            report
        };
        assert_noted(&doubted("your_api_secret_key_here ", &body), "secret", "white space");
        assert_noted(&doubted("'your_api_secret_key_here'", &body), "secret", "quotation marks");
        assert_no_note(&doubted("another_secret", &body));
        let odd = "\"odd secret\"";
        let own = Envelope::new(odd).unwrap().seal_json(PAYLOAD).unwrap();
        assert_no_note(&doubted(odd, &own));
    }

    #[test]
    fn size_counts_the_whole_body() {
        let small = Envelope::builder().secret(SECRET).max_bytes(155).build().unwrap();
        let report = inspect(Some(&small), sealed(PAYLOAD).as_bytes(), &options());
        assert_failed(&report, "size", "too_large");
        let report = inspect(None, sealed(PAYLOAD).as_bytes(), &options().max_bytes(155));
        assert_failed(&report, "size", "too_large");
    }

    #[test]
    fn what_is_no_json_is_told_apart() {
        let report = look("<html><body>502 Bad Gateway</body></html>");
        assert_failed(&report, "json", "invalid_json");
        assert_noted(&report, "json", "HTML");
        assert_noted(&look("{'encrypted': 'AgAB'}"), "json", "single quotes");
        assert_noted(&look("encrypted=AgAB"), "json", "form data");
        assert_noted(&look(&field(PAYLOAD)), "json", "the field by itself");
        assert_noted(&look("Duplicate request detected"), "json", "(duplicate_request)");
        for body in ["", "{\"encrypted\":", "\u{feff}{}", "{\"a\":1,\"a\":1}"] {
            let report = look(body);
            assert_failed(&report, "json", "invalid_json");
            assert_no_note(&report);
        }
        assert_failed(&inspect(None, b"\xff\xfe", &options()), "json", "invalid_json");
    }

    #[test]
    fn what_is_json_without_an_envelope_is_told_apart() {
        let report = look(PAYLOAD);
        assert_failed(&report, "field", "envelope_not_found");
        assert_noted(&report, "field", "nobody sealed");
        assert_noted(&look(r#"{"error": "API key not found"}"#), "json", "(api_key_not_found)");
        assert_noted(&look(&format!(r#"{{"data": {}}}"#, sealed(PAYLOAD))), "field", "under `data`");
        assert_noted(&look("[1]"), "field", "an array, not an object");
        let twice = look(&format!("{:?}", sealed(PAYLOAD)));
        assert_failed(&twice, "field", "envelope_not_found");
        assert_noted(&twice, "json", "serialised twice");
        assert_no_note(&look("{}"));
    }

    #[test]
    fn a_field_that_is_no_string_is_named() {
        let report = look(r#"{"encrypted": {"type": "Buffer"}}"#);
        assert_failed(&report, "field", "invalid_envelope");
        assert_noted(&report, "field", "`encrypted` is an object");
    }

    #[test]
    fn a_field_in_another_spelling_is_tried_in_the_right_one() {
        let standard = hazmat::encrypt(&envelope(Layout::Versioned), PAYLOAD.as_bytes(), &[0xfb; 24]).unwrap();
        let url_safe = standard.replace('+', "-").replace('/', "_");
        assert_ne!(url_safe, standard);
        let (head, tail) = standard.split_at(60);
        for other in [url_safe.clone(), url_safe.trim_end_matches('=').into(), format!("{head}\\n{tail}")] {
            let report = look(&wrap(&other));
            assert_failed(&report, "base64", "invalid_envelope");
            assert_noted(&report, "base64", "it would open");
        }
        let stranger = Envelope::new("another_secret").unwrap();
        let report = inspect(Some(&stranger), wrap(&url_safe).as_bytes(), &options());
        assert_noted(&report, "base64", "does not open");
        assert_noted(&inspect(None, wrap(&url_safe).as_bytes(), &options()), "base64", "it would be an envelope");
        for hopeless in ["", "AgAB", "äöü", "Ag=="] {
            let report = look(&wrap(hopeless));
            assert_failed(&report, "base64", "invalid_envelope");
            assert_no_note(&report);
        }
    }

    #[test]
    fn other_encodings_are_recognised() {
        let hex: String =
            field(PAYLOAD).bytes().flat_map(|byte| [b'0' + byte % 10, b'a' + byte % 6]).map(char::from).collect();
        assert_noted(&look(&wrap(&hex)), "base64", "hexadecimal");
        let twice = {
            let once = field(PAYLOAD).into_bytes();
            let whole = 0..once.len();
            layout::Encrypted::new(once, whole).into_field()
        };
        let report = look(&wrap(&twice));
        assert_failed(&report, "version", "unsupported_version");
        assert_noted(&report, "base64", "encoded twice");
    }

    #[test]
    fn the_other_layout_is_tried() {
        let bare = wrap(&hazmat::encrypt(&envelope(Layout::Bare), PAYLOAD.as_bytes(), &NONCE).unwrap());
        let report = look(&bare);
        assert_failed(&report, "version", "unsupported_version");
        assert_passed(&report, "base64", "canonical, 102 bytes: 41 before a message of 61");
        assert_noted(&report, "version", "under the layout `bare`");
        assert_eq!(report.message(), None);

        let report = inspect(Some(&envelope(Layout::Bare)), sealed(PAYLOAD).as_bytes(), &options());
        assert_failed(&report, "secret", "decryption_failed");
        assert_noted(&report, "version", "under the layout `versioned`");
        let report = inspect(Some(&envelope(Layout::Bare)), bare.as_bytes(), &options());
        assert_passed(&report, "version", "the layout `bare` has no version byte");
        assert_eq!(report.verdict(), Verdict::OpensAsRequest);

        // A bare envelope whose nonce begins with 0x02 and whose tag is wrong either way.
        let mut nonce = NONCE;
        nonce[0] = 2;
        let chance = wrap(&hazmat::encrypt(&envelope(Layout::Bare), PAYLOAD.as_bytes(), &nonce).unwrap());
        assert_noted(&look(&chance), "version", "under the layout `bare`");
    }

    #[test]
    fn another_secret_and_an_altered_body_look_the_same() {
        let stranger = Envelope::new("another_secret").unwrap();
        let report = inspect(Some(&stranger), sealed(PAYLOAD).as_bytes(), &options());
        assert_failed(&report, "secret", "decryption_failed");
        assert_no_note(&report);
        let mut altered = field(PAYLOAD);
        altered.replace_range(100..101, if altered[100..].starts_with('A') { "B" } else { "A" });
        let report = look(&wrap(&altered));
        assert_failed(&report, "secret", "decryption_failed");
        assert_no_note(&report);
    }

    #[test]
    fn without_a_secret_it_stops_before_opening() {
        let report = inspect(None, sealed(PAYLOAD).as_bytes(), &options());
        assert_eq!(report.verdict(), Verdict::WellFormed);
        assert_noted(&report, "secret", "no secret");
        assert_eq!(report.message(), None);
        let report = inspect(None, sealed(PAYLOAD).as_bytes(), &options().layout(Layout::Bare));
        assert_eq!(report.verdict(), Verdict::WellFormed);
        assert_noted(&report, "version", "0x02");
    }

    #[test]
    fn an_older_secret_is_named_by_its_index() {
        let rotated = Envelope::builder().secret("the_new_secret").open_secret("older_secret").open_secret(SECRET);
        let report = inspect(Some(&rotated.build().unwrap()), sealed(PAYLOAD).as_bytes(), &options());
        assert_passed(&report, "secret", "older secret 2 opens it (key_index 2): the sender has not changed over yet");
        assert_eq!(report.verdict(), Verdict::OpensAsRequest);
    }

    #[test]
    fn a_plaintext_that_is_no_json_is_placed_but_not_quoted() {
        let report = look(&sealed(r#"{"pan":4111111111111111,"pan":1}"#));
        assert_failed(&report, "payload", "invalid_payload");
        assert!(format!("{report:?}").contains("byte 24"), "{report:?}");
        assert!(!format!("{report:?}").contains("4111"), "{report:?}");
        assert_eq!(report.message(), Some(br#"{"pan":4111111111111111,"pan":1}"#.as_slice()));

        let field = hazmat::encrypt(&envelope(Layout::Versioned), b"\xff\xfe", &NONCE).unwrap();
        assert_failed(&look(&wrap(&field)), "payload", "invalid_payload");
    }

    #[test]
    fn what_opens_but_is_no_request_is_said_to_open() {
        let report = look(&sealed("[1]"));
        assert_failed(&report, "object", "invalid_payload");
        assert_eq!(report.verdict(), Verdict::OpensNotAsRequest(ErrorCode::InvalidPayload));
        let report = look(&sealed(r#"{"success":true}"#));
        assert_failed(&report, "timestamp", "timestamp_not_found");
        assert_eq!(report.verdict().as_str(), "opens_not_as_request");
        assert_no_note(&report);
        assert_noted(&look(&sealed(r#""{\"request_timestamp\":1}""#)), "json", "serialised twice");
    }

    #[test]
    fn a_body_sealed_twice_is_recognised() {
        let report = look(&sealed(&sealed(PAYLOAD)));
        assert_failed(&report, "timestamp", "timestamp_not_found");
        assert_noted(&report, "payload", "sealed twice, both times with a secret that is at hand");
        let by_another = hazmat::seal_json(&Envelope::new("another_secret").unwrap(), PAYLOAD, now(), &NONCE).unwrap();
        let report = look(&sealed(&by_another));
        assert_noted(&report, "payload", "sealed twice");
        assert!(!format!("{report:?}").contains("both times"), "{report:?}");
    }

    #[test]
    fn a_wrapped_data_object_is_recognised() {
        let report = look(&sealed(r#"{"data":{"request_timestamp":1700000000000000}}"#));
        assert_failed(&report, "timestamp", "timestamp_not_found");
        assert_noted(&report, "timestamp", "in a `data` object, `request_timestamp` too");
        assert_noted(&look(&sealed(r#"{"data":{}}"#)), "timestamp", "in a `data` object: ");
        assert_no_note(&look(&sealed(r#"{"data":[]}"#)));
    }

    #[test]
    fn a_timestamp_in_another_unit_is_recognised() {
        let stamped = |stamp: &str| sealed(&format!(r#"{{"request_timestamp":{stamp}}}"#));
        for (stamp, unit, failed, code) in [
            ("1700000000", "seconds", "window", "timestamp_outside_window"),
            ("1700000000.123", "seconds", "timestamp", "invalid_timestamp"),
            ("\"1700000000.5\"", "seconds", "timestamp", "invalid_timestamp"),
            ("1700000000000", "milliseconds", "window", "timestamp_outside_window"),
            ("\"1700000000000\"", "milliseconds", "window", "timestamp_outside_window"),
            ("1700000000000000000", "nanoseconds", "window", "timestamp_outside_window"),
        ] {
            let report = look(&stamped(stamp));
            assert_failed(&report, failed, code);
            assert_noted(&report, "timestamp", unit);
        }
        for stamp in ["null", "true", "[]", "-1", "\"\"", "\"2023-11-14T22:13:20Z\"", "1.7e15"] {
            let report = look(&stamped(stamp));
            assert_failed(&report, "timestamp", "invalid_timestamp");
            assert_no_note(&report);
        }
    }

    #[test]
    fn the_skew_is_told_whether_it_passes_or_not() {
        let stamped = |micros: u64| sealed(&format!(r#"{{"request_timestamp":"{micros}"}}"#));
        let report = look(&stamped(NOW_MICROS - 30_000_000));
        assert_passed(&report, "window", "30.000 s behind the server's clock, allowed are 30 s");
        assert_failed(&look(&stamped(NOW_MICROS + 30_000_001)), "window", "timestamp_outside_window");
        let options = options().window(Window::from_seconds(5).unwrap());
        let report = inspect(Some(&envelope(Layout::Versioned)), stamped(NOW_MICROS + 5_000_001).as_bytes(), &options);
        assert_failed(&report, "window", "timestamp_outside_window");
        assert!(format!("{report:?}").contains("5.000 s ahead of"), "{report:?}");

        let report = inspect(Some(&envelope(Layout::Versioned)), stamped(5).as_bytes(), &InspectOptions::new());
        assert_noted(&report, "window", "no clock");
        assert_eq!(report.verdict(), Verdict::OpensAsRequest);
    }

    /// A report may say more than the openers, but never something else.
    #[test]
    fn verdicts_are_those_of_the_openers() {
        let whole = sealed(PAYLOAD).into_bytes();
        let mut bodies: Vec<Vec<u8>> = ["", "{}", "[]", "\"\"", "null", "{\"encrypted\":null}", "{\"encrypted\":\"\"}"]
            .iter()
            .map(|body| body.as_bytes().to_vec())
            .collect();
        for message in [
            "",
            "x",
            "1",
            "{}",
            "[]",
            "{\"request_timestamp\":0}",
            "{\"request_timestamp\":-1}",
            "{\"a\":1,\"a\":2}",
            PAYLOAD,
        ] {
            bodies.push(sealed(message).into_bytes());
        }
        for index in 0..whole.len() {
            for other in [b'A', b'"', b'=', b'-', b' ', 0xff] {
                let mut altered = whole.clone();
                altered[index] = other;
                bodies.push(altered);
            }
            bodies.push(whole[..index].to_vec());
        }
        for layout in [Layout::Versioned, Layout::Bare] {
            let envelope = envelope(layout);
            for body in &bodies {
                let report = inspect(Some(&envelope), body, &options());
                let opened = envelope.open_json(body);
                let request = envelope.open_request(body, now(), Window::MAX);
                let code = request.as_ref().err().map(Error::code);
                assert_eq!(report.verdict().code(), code, "{report:?}");
                assert_eq!(matches!(report.verdict(), Verdict::DoesNotOpen(_)), opened.is_err(), "{report:?}");
                if let Ok(opened) = opened {
                    assert_eq!(report.message(), Some(opened.as_bytes()));
                }
                let failure = report.steps().iter().find(|step| step.outcome == Outcome::Failed);
                assert_eq!(failure.map(|step| step.detail.as_str()), request.as_ref().err().map(Error::message));
            }
        }
    }
}
