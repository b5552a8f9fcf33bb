//! Standard output and standard error.

use std::io::{self, Write as _};

use crate::failure::{Failure, Stop};

/// Writes all of it at once to standard output.
pub(crate) fn write(pieces: &[&[u8]]) -> Result<(), Stop> {
    let mut stdout = io::stdout().lock();
    pieces
        .iter()
        .try_for_each(|piece| stdout.write_all(piece))
        .and_then(|()| stdout.flush())
        .map_err(|error| stopped(&error))
}

/// Writes a text and a newline.
pub(crate) fn write_line(line: &str) -> Result<(), Stop> {
    write(&[line.as_bytes(), b"\n"])
}

/// What to do when standard output takes no more. A reader that has seen enough, as `head` does, is no failure.
pub(crate) fn stopped(error: &io::Error) -> Stop {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Stop::Exit(0),
        _ => Failure::io("write to standard output", error).into(),
    }
}

/// Says on standard error what went wrong, in one line.
pub(crate) fn complain(failure: &Failure, json: bool) {
    let line = if json { failure.to_json().to_string() } else { format!("cardseal: {failure}") };
    // Where standard error is closed, the exit status is all that is left.
    let _ = writeln!(io::stderr(), "{}", line.replace('\n', " "));
}
