//! The one error type of the crate, and the codes that are its contract.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use crate::digest::hex;
pub use crate::tables::ErrorCode;

/// What every call of this crate returns.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why a call failed: a stable code and a line that says what to do next.
///
/// The code is the contract ([`Error::code`], or [`Error::kind`] to match on); the message may change in any release.
/// No message holds a secret or plaintext.
///
/// ```
/// let error = cardseal::Envelope::new("short").unwrap_err();
/// assert_eq!(error.code(), "invalid_key");
/// assert_eq!(error.to_string(), "the secret has 5 bytes: use at least 8 (invalid_key)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorCode,
    message: Cow<'static, str>,
    skew_micros: Option<i64>,
}

impl Error {
    /// The stable code, `decryption_failed` for example; the same in every language.
    pub const fn code(&self) -> &'static str {
        self.kind.as_str()
    }

    /// The code as a value to match on.
    pub const fn kind(&self) -> ErrorCode {
        self.kind
    }

    /// What went wrong and what to do, in one line without the code.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Request clock minus server clock in microseconds, for `timestamp_outside_window` alone.
    pub const fn skew_micros(&self) -> Option<i64> {
        self.skew_micros
    }

    /// An error of your own making: for a [`ReplayStore`](crate::ReplayStore) that cannot answer, for a host without
    /// randomness. The message is one line in lowercase that says what to do, without a secret or plaintext.
    pub fn new(kind: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), skew_micros: None }
    }

    pub(crate) fn outside_window(skew_micros: i64, message: String) -> Self {
        Self { kind: ErrorCode::TimestampOutsideWindow, message: message.into(), skew_micros: Some(skew_micros) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("code", &self.code()).field("message", &self.message).finish()
    }
}

impl core::error::Error for Error {}

/// User input as it stands in a message: in backticks, cut at 40 characters, what cannot be seen escaped.
pub(crate) fn quoted(input: &str) -> String {
    let mut quoted = String::from("`");
    for (count, character) in input.chars().enumerate() {
        if count == QUOTED_CHARACTERS {
            quoted.push('…');
            break;
        }
        match character {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            unseen if is_unseen(unseen) => {
                let digits = hex(&u32::from(unseen).to_be_bytes());
                quoted.push_str("\\u{");
                quoted.push_str(
                    digits.get(digits.bytes().take(7).take_while(|&digit| digit == b'0').count()..).unwrap_or_default(),
                );
                quoted.push('}');
            }
            seen => quoted.push(seen),
        }
    }
    quoted.push('`');
    quoted
}

/// Whether a character shows nothing of its own: control characters, spaces but the plain one, marks that change their
/// neighbours or the direction of writing, private ones.
///
/// By hand, because the standard library's tables of what is a letter are as large as the strict reader.
const fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\0'..='\x1f'
            | '\x7f'..='\u{a0}'
            | '\u{ad}'
            | '\u{300}'..='\u{36f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{1680}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2000}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{205f}'..='\u{206f}'
            | '\u{3000}'
            | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..
    )
}

const QUOTED_CHARACTERS: usize = 40;

/// Writes the enum of codes from the table that `cargo xtask codegen` makes out of `core/data/error_codes.json`.
macro_rules! error_codes {
    ($($variant:ident = $code:literal, $meaning:literal, answer: $plain:expr, $status:expr;)*) => {
        /// Every code an [`Error`](crate::Error) can carry. The text is the same in every language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(#[doc = concat!("`", $code, "`: ", $meaning)] $variant,)*
        }

        impl ErrorCode {
            /// All codes, in the order of SPEC.md.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable text, `decryption_failed` for example.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What the code means, in one line.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// The status and the plain text that a server answers a request with which failed so (protocol: overview,
            /// errors); `None` for what no server meets. Without a documented text, it is the meaning.
            pub fn server_answer(self) -> Option<(u16, &'static str)> {
                let (plain, status): (Option<&str>, Option<u16>) = match self { $(Self::$variant => ($plain, $status),)* };
                let documented = $crate::tables::PLAIN_ERRORS.iter().find(|error| Some(error.code) == plain);
                status.map(|status| (status, documented.map_or(self.meaning(), |error| error.text)))
            }
        }

        impl core::fmt::Display for ErrorCode {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use error_codes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_answers_with_the_documented_texts() {
        let answer = |code: ErrorCode| code.server_answer();
        assert_eq!(answer(ErrorCode::DecryptionFailed), Some((400, "Invalid encrypted payload format")));
        assert_eq!(answer(ErrorCode::InvalidJson), Some((400, "Encrypted payload not found")));
        assert_eq!(answer(ErrorCode::TooLarge), Some((413, ErrorCode::TooLarge.meaning())));
        assert_eq!(answer(ErrorCode::InvalidKey), None);
    }

    #[test]
    fn quoted_input_is_cut_and_escaped() {
        assert_eq!(quoted("a\n\u{202e}é"), "`a\\n\\u{202e}é`");
        assert_eq!(quoted("\0\u{7f} „カ“ ☂\u{e0041}"), "`\\u{0}\\u{7f} „カ“ ☂\\u{e0041}`");
        assert_eq!(quoted(&"x".repeat(40)), alloc::format!("`{}`", "x".repeat(40)));
        assert_eq!(quoted(&"x".repeat(41)), alloc::format!("`{}…`", "x".repeat(40)));
    }
}
