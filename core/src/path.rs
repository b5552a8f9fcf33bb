//! One spelling for a path, because replay keys and fingerprints are taken of it.

use alloc::string::String;

use crate::error::{Error, ErrorCode, Result, quoted};

/// A path or URL as the protocol counts it: from `/api/v1` on, without query, fragment and trailing slash.
///
/// Scheme and host are dropped, `/api/v1` is put before a path that has no version, nothing is decoded, case is kept.
///
/// # Errors
/// `invalid_path` for an empty path, empty or dot segments, `%`, `\`, and anything but printable ASCII.
///
/// ```
/// use cardseal::normalize_path;
/// assert_eq!(normalize_path("https://api.example.com/api/v1/cards/get/?page=2")?, "/api/v1/cards/get");
/// assert_eq!(normalize_path("/cards/get")?, "/api/v1/cards/get");
/// assert_eq!(normalize_path("/cards/../get").unwrap_err().code(), "invalid_path");
/// # Ok::<(), cardseal::Error>(())
/// ```
pub fn normalize_path(path_or_url: &str) -> Result<String> {
    // What a message quotes is without authority, query and fragment, where passwords and tokens can stand.
    let given = without_authority(path_or_url);
    let given = given.get(..position(given, b"?#")).unwrap_or_default();
    let slashes = given.bytes().rev().take_while(|&byte| byte == b'/').count();
    let path = given.get(..given.len() - slashes).unwrap_or_default();
    let path = path.strip_prefix('/').unwrap_or(path);
    check_segments(path).map_err(|wrong| {
        let message = ["the path ", &quoted(given), " ", wrong, ": use one like `/cards/get`"].concat();
        Error::new(ErrorCode::InvalidPath, message)
    })?;
    Ok([if is_versioned(path) { "/" } else { DEFAULT_PREFIX }, path].concat())
}

const DEFAULT_PREFIX: &str = "/api/v1/";

fn without_authority(text: &str) -> &str {
    let scheme = position(text, b":");
    let Some(rest) = text.get(scheme..).and_then(|rest| rest.strip_prefix("://")) else { return text };
    let scheme = text.as_bytes().get(..scheme).unwrap_or_default();
    let is_scheme = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(byte));
    if is_scheme { rest.get(position(rest, b"/?#")..).unwrap_or_default() } else { text }
}

/// Where the first of some ASCII characters stands, or the text's end.
fn position(text: &str, characters: &[u8]) -> usize {
    text.bytes().position(|byte| characters.contains(&byte)).unwrap_or(text.len())
}

fn check_segments(path: &str) -> Result<(), &'static str> {
    if path.is_empty() || api_version_end(path) == Some(path.len()) {
        return Err("names no endpoint");
    }
    if position(path, b"%\\") < path.len() {
        return Err("holds `%` or `\\`");
    }
    if !path.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
        return Err("holds a character that is not printable ASCII");
    }
    for segment in path.as_bytes().split(|&byte| byte == b'/') {
        match segment {
            b"" => return Err("has an empty segment"),
            b"." | b".." => return Err("has a dot segment"),
            _ => {}
        }
    }
    Ok(())
}

fn is_versioned(path: &str) -> bool {
    api_version_end(path).is_some_and(|end| path.get(end..).is_some_and(|rest| rest.starts_with('/')))
}

/// Where `api/v<digits>` ends at the start of a path.
fn api_version_end(path: &str) -> Option<usize> {
    let rest = path.strip_prefix("api/v")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then_some(path.len() - rest.len() + digits)
}
