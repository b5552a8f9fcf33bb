//! What a client makes of a response: the payload, the API's error, or a refusal to believe it.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::str::Utf8Chunk;

use crate::envelope::{Body, Envelope, Opened, Plaintext, find_field};
use crate::error::{Error, ErrorCode, Result, quoted};
use crate::json::{self, Fault, Found, Kind, Members, Nothing, Sink, Unescaped, decimal};
use crate::layout::{self, FIELD_NAME};
use crate::retry::{FailureClass, class_of_plain, class_of_slug, class_of_status};
use crate::tables::PLAIN_ERRORS;

/// One of the eight errors that the server sends in plain text, before or instead of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlainError {
    /// The text, to the letter.
    pub text: &'static str,
    /// The HTTP status it comes with.
    pub status: u16,
    /// The constant it stands for.
    pub code: &'static str,
}

/// A stable code that the API puts under `error_slug`. The set is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorSlug {
    /// The code.
    pub slug: &'static str,
    /// The HTTP status it comes with.
    pub status: u16,
}

/// An error that the API answered with.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// `error_slug` of a sealed error.
    pub slug: Option<String>,
    /// The slug, or the constant of one of the eight plain texts.
    pub code: Option<String>,
    /// The API's text, at most 200 characters, without control characters; `http status N` where there is none.
    pub message: String,
    /// What it says about trying again.
    pub failure_class: FailureClass,
    /// Whether it came sealed. A plain error is nobody's word: never proof that no money moved.
    pub encrypted: bool,
    /// What a sealed error holds, to the letter.
    pub payload: Option<Plaintext>,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (http status {}", self.message, self.status)?;
        match &self.code {
            Some(code) => write!(f, ", {})", shown_code(code)),
            None => f.write_str(")"),
        }
    }
}

/// A code as it stands in a message. A sealed slug is any text at all, as long as a body.
fn shown_code(code: &str) -> Cow<'_, str> {
    let is_plain = code.len() <= 64 && code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if is_plain { code.into() } else { quoted(code).into() }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, slug, code, message, failure_class, encrypted, payload: _ } = self;
        f.debug_struct("ApiError")
            .field("status", status)
            .field("slug", slug)
            .field("code", code)
            .field("message", message)
            .field("failure_class", failure_class)
            .field("encrypted", encrypted)
            .finish_non_exhaustive()
    }
}

impl core::error::Error for ApiError {}

/// Why a response is no payload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The API answered with an error.
    Api(Box<ApiError>),
    /// A success, believed, that does not fit the type asked for.
    Payload {
        /// The HTTP status.
        status: u16,
        /// What the API answered.
        payload: Plaintext,
        /// `invalid_payload`, with the place.
        error: Error,
    },
    /// The response cannot be believed: a success that is not sealed as it should be, or a reflection.
    Envelope {
        /// The HTTP status.
        status: u16,
        /// Why.
        error: Error,
    },
}

impl ResponseError {
    /// The code: the API's slug or constant, or the [`Error`]'s.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api(error) => error.code.as_deref(),
            Self::Payload { error, .. } | Self::Envelope { error, .. } => Some(error.code()),
        }
    }

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Api(error) => error.status,
            Self::Payload { status, .. } | Self::Envelope { status, .. } => *status,
        }
    }

    /// What it says about trying again. After a success that does not open, the call may have been carried out.
    pub fn failure_class(&self) -> FailureClass {
        match self {
            Self::Api(error) => error.failure_class,
            Self::Payload { .. } => FailureClass::Never,
            Self::Envelope { error, .. } if error.kind() == ErrorCode::ReflectedResponse => FailureClass::Never,
            Self::Envelope { .. } => FailureClass::Transient,
        }
    }
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => error.fmt(f),
            Self::Payload { status, error, .. } | Self::Envelope { status, error } => {
                write!(f, "http status {status}: {error}")
            }
        }
    }
}

impl core::error::Error for ResponseError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Api(error) => Some(&**error),
            Self::Payload { error, .. } | Self::Envelope { error, .. } => Some(error),
        }
    }
}

impl Envelope {
    /// Opens a response: the payload of a success, or which error it is.
    ///
    /// `request` is the body of the sealed request that this answers, which clients always pass: a response that is
    /// that same envelope is refused.
    ///
    /// # Errors
    /// [`ResponseError::Api`] for whatever the API answers outside 2xx and for a `success` of false;
    /// [`ResponseError::Envelope`] for a 2xx answer that is not sealed as it should be, and for `reflected_response`.
    ///
    /// ```
    /// use cardseal::{Envelope, ResponseError};
    /// let envelope = Envelope::new("your_api_secret_key_here")?;
    /// let answer = br#"{"error": "Duplicate request detected"}"#;
    /// let Err(ResponseError::Api(error)) = envelope.open_response_json(400, answer, None) else { panic!() };
    /// assert_eq!(error.code.as_deref(), Some("duplicate_request"));
    /// assert!(!error.encrypted);
    /// # Ok::<(), cardseal::Error>(())
    /// ```
    pub fn open_response_json<'b>(
        &self,
        status: u16,
        body: impl Into<Body<'b>>,
        request: Option<&str>,
    ) -> Result<Plaintext, ResponseError> {
        self.unseal_response(status, body.into(), request)?.into_json(&mut Nothing)
    }

    /// Decrypts a response, if it can be, and refuses the request's own envelope.
    pub(crate) fn unseal_response<'b>(
        &self,
        status: u16,
        body: Body<'b>,
        request: Option<&str>,
    ) -> Result<OpenedResponse<'b>, ResponseError> {
        let field = self.find_field(body);
        if let (Some(request), Ok(field)) = (request, &field)
            && self.is_reflection(&field.text, request)
        {
            let message = "the response is the request's own envelope: something sends requests back, nothing answered";
            return Err(ResponseError::Envelope { status, error: Error::new(ErrorCode::ReflectedResponse, message) });
        }
        let opened = field.and_then(|field| self.open_field(field));
        Ok(OpenedResponse { status, body, max_bytes: self.max_bytes(), opened })
    }

    /// Opens a response into a type of yours.
    ///
    /// # Errors
    /// As [`open_response_json`](Self::open_response_json); [`ResponseError::Payload`] where the payload does not fit the
    /// type.
    #[cfg(feature = "serde")]
    pub fn open_response<'b, T: serde::de::DeserializeOwned>(
        &self,
        status: u16,
        body: impl Into<Body<'b>>,
        request: Option<&str>,
    ) -> Result<T, ResponseError> {
        let payload = self.open_response_json(status, body, request)?;
        payload.parse().map_err(|error| ResponseError::Payload { status, payload, error })
    }

    /// Whether a response's field is well formed and has the nonce of the request's.
    fn is_reflection(&self, field: &[u8], request: &str) -> bool {
        let layout = self.layout();
        let nonce = layout::nonce(layout, field);
        let Some(request) = nonce.and_then(|_| find_field(request.as_bytes()).ok()) else { return false };
        let request = request.as_bytes();
        nonce == layout::nonce(layout, request)
            && layout::is_well_formed(layout, field)
            && layout::is_well_formed(layout, request)
    }
}

/// A response that has been decrypted where it could be. Nothing has read its text yet.
#[derive(Debug)]
pub struct OpenedResponse<'b> {
    status: u16,
    body: Body<'b>,
    max_bytes: usize,
    opened: Result<Opened>,
}

impl OpenedResponse<'_> {
    /// Reads the response: the payload of a success, or which error it is. What was decrypted is handed to `sink` on the
    /// way, in either case.
    ///
    /// # Errors
    /// As [`Envelope::open_response_json`].
    pub fn into_json(self, sink: &mut impl Sink<Error = Fault>) -> Result<Plaintext, ResponseError> {
        let Self { status, body, max_bytes, opened } = self;
        let is_success = (200..300).contains(&status);
        match opened.and_then(|opened| Ok((opened.members(SEALED_MEMBERS, sink)?, opened.plaintext))) {
            Ok((members, payload)) => {
                let [success, ..] = members.found();
                if is_success && !is_false(success) {
                    return Ok(payload);
                }
                Err(ResponseError::Api(Box::new(sealed_error(status, payload, &members))))
            }
            Err(error) => {
                let plain = PlainText::read(body, max_bytes);
                if is_success && !plain.is_error() {
                    return Err(ResponseError::Envelope { status, error });
                }
                Err(ResponseError::Api(Box::new(plain.into_error(status))))
            }
        }
    }
}

const QUOTED_FIELD_NAME: &[u8] = b"\"encrypted\"";

/// Where an error's text stands, the first string of these.
const TEXT_MEMBERS: [&str; 4] = ["error", "detail", "message", "msg"];

/// What decides about a sealed response.
const SEALED_MEMBERS: [&str; 6] = {
    let [error, detail, message, msg] = TEXT_MEMBERS;
    ["success", "error_slug", error, detail, message, msg]
};

fn is_false(member: &Option<Found>) -> bool {
    matches!(member, Some(Found { kind: Kind::Boolean(false), .. }))
}

fn sealed_error(status: u16, payload: Plaintext, members: &Members<6>) -> ApiError {
    let [_, slug, texts @ ..] = members.found();
    let slug = slug
        .as_ref()
        .and_then(|found| found.string(&payload))
        .filter(|slug| !slug.is_empty())
        .map(|slug| slug.into_cow().into_owned());
    let text = first_string(texts, &payload);
    ApiError {
        status,
        code: slug.clone(),
        message: shown_or_status(text.map_or_else(String::new, |text| clean(&text)), status),
        failure_class: class_of_slug(slug.as_deref(), status),
        slug,
        encrypted: true,
        payload: Some(payload),
    }
}

/// A body that did not open, read leniently: nobody vouches for it, but people have to see what it says.
pub(crate) struct PlainText {
    known: Option<&'static PlainError>,
    /// Fit to be shown; empty where there is nothing to show.
    message: String,
    success_is_false: bool,
}

impl PlainText {
    pub(crate) fn read(body: Body<'_>, max_bytes: usize) -> Self {
        let bytes = match body {
            Body::Bytes(bytes) if bytes.len() <= max_bytes => bytes,
            Body::Bytes(_) | Body::Field(_) => &[],
        };
        let text = decode_lossily(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut members = Members::new(PLAIN_MEMBERS);
        let is_json = json::read(text, &mut members.finder()).is_ok();
        let [success, field, texts @ ..] = members.found();
        let holds_field = matches!(field, Some(Found { kind: Kind::String { .. }, .. }));
        let is_envelope = holds_field && text.as_bytes() == bytes;
        let found = match is_json {
            true if holds_field => Some(Unescaped::Borrowed("")),
            true => first_string(texts, text).or_else(|| root_string(members.root(), text)),
            false => None,
        };
        // Where nothing says which part is meant, the whole text is: but ciphertext is shown to nobody.
        let shows_field = || text.as_bytes().windows(QUOTED_FIELD_NAME.len()).any(|window| window == QUOTED_FIELD_NAME);
        let whole = || if shows_field() { "" } else { text.trim() };
        let found = found.unwrap_or_else(|| Unescaped::Borrowed(whole()));
        Self {
            known: PLAIN_ERRORS.iter().find(|plain| plain.text == &*found),
            message: clean(&found),
            success_is_false: is_json && !is_envelope && is_false(success),
        }
    }

    /// Which of the eight plain errors it is, if it is one.
    #[cfg(feature = "inspect")]
    pub(crate) const fn known(&self) -> Option<&'static PlainError> {
        self.known
    }

    fn is_error(&self) -> bool {
        self.success_is_false || self.known.is_some()
    }

    fn into_error(self, status: u16) -> ApiError {
        ApiError {
            status,
            slug: None,
            code: self.known.map(|plain| plain.code.into()),
            message: shown_or_status(self.message, status),
            failure_class: self.known.map_or(class_of_status(status), class_of_plain),
            encrypted: false,
            payload: None,
        }
    }
}

/// The text of any bytes, what is not UTF-8 replaced, in one allocation of the right size.
fn decode_lossily(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = core::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let replacement = |chunk: &Utf8Chunk<'_>| if chunk.invalid().is_empty() { "" } else { "\u{fffd}" };
    let length = bytes.utf8_chunks().map(|chunk| chunk.valid().len() + replacement(&chunk).len()).sum();
    let mut text = String::with_capacity(length);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.push_str(replacement(&chunk));
    }
    Cow::Owned(text)
}

/// What decides about a plain response.
pub const PLAIN_MEMBERS: [&str; 6] = {
    let [error, detail, message, msg] = TEXT_MEMBERS;
    ["success", FIELD_NAME, error, detail, message, msg]
};

fn first_string<'t>(members: &[Option<Found>], text: &'t str) -> Option<Unescaped<'t>> {
    members.iter().flatten().find_map(|found| found.string(text))
}

fn root_string(root: Option<Kind>, text: &str) -> Option<Unescaped<'_>> {
    let kind @ Kind::String { .. } = root? else { return None };
    let literal = json::trim(text);
    Found { kind, span: 0..literal.len() }.string(literal)
}

/// A text fit to be shown: no control characters, no white space around it, at most 200 characters.
fn clean(text: &str) -> String {
    let mut shown = String::new();
    let mut count = 0;
    let mut end = 0; // of what is shown, without white space behind it
    for character in text.chars().filter(|character| !character.is_control()) {
        let is_space = character.is_whitespace();
        if is_space && count == 0 {
            continue;
        }
        if count == MESSAGE_CHARACTERS {
            if is_space {
                continue;
            }
            return shown; // cut: the space before the cut is inside the text
        }
        shown.push(character);
        count += 1;
        if !is_space {
            end = shown.len();
        }
    }
    shown.truncate(end);
    shown
}

const MESSAGE_CHARACTERS: usize = 200;

fn shown_or_status(shown: String, status: u16) -> String {
    if shown.is_empty() { ["http status ", &decimal(status.into())].concat() } else { shown }
}
