//! Reading what a command works on, never more than it may be.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Write as _};
use std::path::Path;

use cardseal::ErrorCode;
use cardseal::json::{self, Fault, Sink};

use crate::failure::{Failure, quoted};

/// All of a file or, without one or with `-`, of standard input; `too_large` beyond `max_bytes`.
pub(crate) fn read(file: Option<&Path>, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = read_one_more(file, max_bytes)?;
    if bytes.len() > max_bytes {
        bytes.clear();
        let message = format!("the input has more than {max_bytes} bytes: send less, or raise --max-bytes");
        return Err(Failure::refusal(ErrorCode::TooLarge, message));
    }
    Ok(bytes)
}

/// As [`read`], but cut after one byte too many, for those who judge the size themselves.
pub(crate) fn read_one_more(file: Option<&Path>, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    open(file)?.take(limit).read_to_end(&mut bytes).map_err(|error| Failure::io(reading(file), &error))?;
    Ok(bytes)
}

/// Opens a file or standard input.
pub(crate) fn open(file: Option<&Path>) -> Result<Box<dyn Read>, Failure> {
    match named(file) {
        Some(path) => Ok(Box::new(File::open(path).map_err(|error| Failure::io(reading(file), &error))?)),
        None => {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                // Somebody sits there and wonders why nothing happens.
                let _ = writeln!(io::stderr(), "(reading what you type; end it with Ctrl-D on a line of its own)");
            }
            Ok(Box::new(stdin.lock()))
        }
    }
}

/// Whether a file argument names a file, or standard input.
pub(crate) fn named(file: Option<&Path>) -> Option<&Path> {
    file.filter(|path| path.as_os_str() != "-")
}

/// What fails when a read fails.
pub(crate) fn reading(file: Option<&Path>) -> String {
    match named(file) {
        Some(path) => format!("read {}", quoted(&path.to_string_lossy())),
        None => "read standard input".to_owned(),
    }
}

/// A payload as text.
pub(crate) fn payload_text(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let fault = json::read_utf8(error.as_bytes(), &mut Anything).err();
        let why = fault.map(|fault| fault.to_string()).unwrap_or_default();
        Failure::refusal(ErrorCode::InvalidPayload, format!("the payload is not strict JSON: {why}"))
    })
}

/// The sink that lets every event of the strict reader pass.
pub(crate) struct Anything;

impl Sink for Anything {
    type Error = Fault;
}
