//! `cardseal batch`: JSON lines in, JSON lines out, for tests and tools in other languages.
//!
//! The README has the schema. One answer a line, in order; a line that is wrong is answered like any other.

mod envelopes;
mod fields;
mod operations;

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use cardseal::ErrorCode;
use serde_json::Value;

use crate::arguments::{Common, Input};
use crate::failure::{Failure, Stop};
use crate::{input, output};
use envelopes::Envelopes;
use fields::Fields;

pub(crate) fn run(common: &Common, Input { file }: &Input) -> Result<(), Stop> {
    let mut envelopes = Envelopes::new(common)?;
    let max_line_bytes = MIN_LINE_BYTES.max(8 * common.max_bytes as u64);
    let mut lines = BufReader::with_capacity(BUFFER_BYTES, input::open(file.as_deref())?);
    let mut answers = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    let mut line = Vec::new();
    loop {
        // The next read may wait for somebody who waits for these answers.
        if !lines.buffer().contains(&b'\n') {
            answers.flush().map_err(|error| output::stopped(&error))?;
        }
        let next = read_line(&mut lines, max_line_bytes, &mut line)
            .map_err(|error| Failure::io(input::reading(file.as_deref()), &error))?;
        let answer = match next {
            Next::Line => answer(&line, &mut envelopes),
            Next::End => return answers.flush().map_err(|error| output::stopped(&error)),
            Next::TooLong => {
                let message = format!("the line has more than {max_line_bytes} bytes");
                answered(None, Err(Failure::refusal(ErrorCode::TooLarge, message)))
            }
        };
        write_line(&mut answers, &answer).map_err(|error| output::stopped(&error))?;
    }
}

/// The smallest limit for a line. A body of the default size fits in, however its text is escaped.
const MIN_LINE_BYTES: u64 = 64 * 1024 * 1024;

const BUFFER_BYTES: usize = 64 * 1024;

enum Next {
    Line,
    TooLong,
    End,
}

/// Reads a line without its newline; one that is too long is skipped.
fn read_line(lines: &mut impl BufRead, max_bytes: u64, line: &mut Vec<u8>) -> io::Result<Next> {
    line.clear();
    if lines.by_ref().take(max_bytes + 1).read_until(b'\n', line)? == 0 {
        return Ok(Next::End);
    }
    if line.pop_if(|last| *last == b'\n').is_some() || line.len() as u64 <= max_bytes {
        return Ok(Next::Line);
    }
    *line = Vec::new();
    lines.skip_until(b'\n')?;
    Ok(Next::TooLong)
}

fn answer(line: &[u8], envelopes: &mut Envelopes<'_>) -> Value {
    match Fields::parse(line) {
        Ok(mut fields) => {
            let id = fields.take_id();
            answered(id, operations::run(fields, envelopes))
        }
        Err(failure) => answered(None, Err(failure)),
    }
}

fn answered(id: Option<Value>, result: Result<crate::answer::Answer, Failure>) -> Value {
    let mut answer = crate::answer::Answer::new();
    answer.extend(id.map(|id| ("id".to_owned(), id)));
    match result {
        Ok(ok) => answer.insert("ok".to_owned(), ok.into()),
        Err(failure) => answer.insert("error".to_owned(), failure.to_json()),
    };
    answer.into()
}

fn write_line(answers: &mut impl Write, answer: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *answers, answer)?;
    answers.write_all(b"\n")
}
