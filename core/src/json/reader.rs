//! The parser: one pass over the text, every event handed to a sink.

use super::fault::{Fault, FaultKind};
use super::names::Names;
use super::scan::{hex4, skip_plain};
use super::text::Text;
use super::{MAX_DEPTH, MAX_NUMBER_BYTES};

/// Receives the events of one text in its order. What a sink does not implement passes unseen.
///
/// Offsets count bytes from the start of the text that is read. When reading fails, some events have been delivered
/// before: a sink's result counts only once [`read`] has returned without a fault.
pub trait Sink {
    /// Why the sink stops the reader; the reader's own faults become this.
    type Error: From<Fault>;

    /// `null` at `at`.
    #[expect(unused_variables, reason = "an event that a sink may ignore")]
    #[inline]
    fn null(&mut self, at: usize) -> Result<(), Self::Error> {
        Ok(())
    }

    /// `true` or `false` at `at`.
    #[expect(unused_variables, reason = "an event that a sink may ignore")]
    #[inline]
    fn boolean(&mut self, value: bool, at: usize) -> Result<(), Self::Error> {
        Ok(())
    }

    /// A number token as it stands at `at`.
    #[expect(unused_variables, reason = "an event that a sink may ignore")]
    #[inline]
    fn number(&mut self, token: &str, at: usize) -> Result<(), Self::Error> {
        Ok(())
    }

    /// A string value.
    #[expect(unused_variables, reason = "an event that a sink may ignore")]
    #[inline]
    fn string(&mut self, value: Text<'_>) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The `[` at `at`.
    #[expect(unused_variables, reason = "an event that a sink may ignore")]
    #[inline]
    fn begin_array(&mut self, at: usize) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The `]` that ends just before `end`.
    #[expect(unused_variables, reason = "an event that a sink may ignore")]
    #[inline]
    fn end_array(&mut self, end: usize) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The `{` at `at`.
    #[expect(unused_variables, reason = "an event that a sink may ignore")]
    #[inline]
    fn begin_object(&mut self, at: usize) -> Result<(), Self::Error> {
        Ok(())
    }

    /// A member's name; its value is what comes next. That it is the only one of its name shows at the object's end.
    #[expect(unused_variables, reason = "an event that a sink may ignore")]
    #[inline]
    fn name(&mut self, name: Text<'_>) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The `}` that ends just before `end`.
    #[expect(unused_variables, reason = "an event that a sink may ignore")]
    #[inline]
    fn end_object(&mut self, end: usize) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Reads one JSON value that is the whole text but for white space around it.
///
/// # Errors
/// The first fault of the text, or whatever stopped the sink.
pub fn read<S: Sink>(text: &str, sink: &mut S) -> Result<(), S::Error> {
    if u32::try_from(text.len()).is_err() {
        return Err(Fault { kind: FaultKind::Length, at: 0 }.into());
    }
    if text.starts_with('\u{feff}') {
        return Err(Fault { kind: FaultKind::ByteOrderMark, at: 0 }.into());
    }
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, depth: 0, names: Names::new(), sink };
    if reader.next_byte().is_none() {
        return Err(Fault { kind: FaultKind::Empty, at: 0 }.into());
    }
    reader.value()?;
    match reader.next_byte() {
        None => Ok(()),
        Some(_) => Err(reader.fault(FaultKind::Trailing)),
    }
}

/// Reads one JSON value from bytes, and returns them as text.
///
/// # Errors
/// As [`read`], and [`FaultKind::Utf8`].
pub fn read_utf8<'t, S: Sink>(bytes: &'t [u8], sink: &mut S) -> Result<&'t str, S::Error> {
    let text = core::str::from_utf8(bytes).map_err(|error| Fault { kind: FaultKind::Utf8, at: error.valid_up_to() })?;
    read(text, sink)?;
    Ok(text)
}

struct Reader<'t, 's, S> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    depth: usize,
    names: Names,
    sink: &'s mut S,
}

impl<'t, S: Sink> Reader<'t, '_, S> {
    fn value(&mut self) -> Result<(), S::Error> {
        let at = self.at;
        match self.bytes.get(at) {
            Some(b'"') => {
                let value = self.literal()?;
                self.sink.string(value)
            }
            Some(b'{') => self.object(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'[') => self.array(),
            Some(b't') => self.word(b"true").and_then(|()| self.sink.boolean(true, at)),
            Some(b'f') => self.word(b"false").and_then(|()| self.sink.boolean(false, at)),
            Some(b'n') => self.word(b"null").and_then(|()| self.sink.null(at)),
            _ => Err(self.unexpected()),
        }
    }

    fn object(&mut self) -> Result<(), S::Error> {
        self.descend()?;
        self.sink.begin_object(self.at)?;
        self.at += 1;
        let mark = self.names.mark();
        if self.next_byte() == Some(b'}') {
            return self.ascend_object();
        }
        loop {
            if self.next_byte() != Some(b'"') {
                return Err(self.unexpected());
            }
            let name = self.literal()?;
            let inside = name.span().start + 1..self.at - 1;
            self.names.push(self.text, inside.start, inside.end, name.is_escaped());
            self.sink.name(name)?;
            if self.next_byte() != Some(b':') {
                return Err(self.unexpected());
            }
            self.at += 1;
            self.next_byte();
            self.value()?;
            match self.next_byte() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.unexpected()),
            }
        }
        if let Some(at) = self.names.close(self.text, mark) {
            return Err(Fault { kind: FaultKind::RepeatedName, at: at - 1 }.into());
        }
        self.ascend_object()
    }

    fn ascend_object(&mut self) -> Result<(), S::Error> {
        self.at += 1;
        self.depth -= 1;
        self.sink.end_object(self.at)
    }

    fn array(&mut self) -> Result<(), S::Error> {
        self.descend()?;
        self.sink.begin_array(self.at)?;
        self.at += 1;
        if self.next_byte() != Some(b']') {
            loop {
                self.next_byte();
                self.value()?;
                match self.next_byte() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break,
                    _ => return Err(self.unexpected()),
                }
            }
        }
        self.at += 1;
        self.depth -= 1;
        self.sink.end_array(self.at)
    }

    /// The literal whose opening quote is here.
    #[inline]
    fn literal(&mut self) -> Result<Text<'t>, S::Error> {
        let start = self.at + 1;
        let mut end = skip_plain(self.bytes, start);
        let mut escaped = false;
        while self.bytes.get(end) == Some(&b'\\') {
            escaped = true;
            end = skip_plain(self.bytes, self.escape(end)?);
        }
        self.at = end;
        match self.bytes.get(end) {
            Some(b'"') => {
                self.at += 1;
                Ok(Text::new(self.text, start, end, escaped))
            }
            Some(_) => Err(self.fault(FaultKind::ControlCharacter)),
            None => Err(self.fault(FaultKind::End)),
        }
    }

    /// Checks the escape whose backslash is at `at` and returns where it ends.
    fn escape(&mut self, at: usize) -> Result<usize, S::Error> {
        self.at = at;
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => match hex4(self.bytes, at + 2) {
                Some(0xd800..0xdc00) => {
                    let low = self.bytes.get(at + 6..).is_some_and(|rest| rest.starts_with(b"\\u"));
                    match low.then(|| hex4(self.bytes, at + 8)).flatten() {
                        Some(0xdc00..0xe000) => Ok(at + 12),
                        _ => Err(self.fault(FaultKind::LoneSurrogate)),
                    }
                }
                Some(0xdc00..0xe000) => Err(self.fault(FaultKind::LoneSurrogate)),
                Some(_) => Ok(at + 6),
                None => Err(self.fault(FaultKind::Escape)),
            },
            Some(_) => Err(self.fault(FaultKind::Escape)),
            None => Err(self.fault(FaultKind::End)),
        }
    }

    fn number(&mut self) -> Result<(), S::Error> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.at;
        self.digits();
        if self.at == whole || (self.at > whole + 1 && self.bytes.get(whole) == Some(&b'0')) {
            return Err(self.fault(FaultKind::Number));
        }
        let mut in_range = self.at - whole <= SAFE_DIGITS;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits()?;
            in_range = false;
        }
        let token = self.text.get(start..self.at).unwrap_or_default();
        let too_long = token.len() > MAX_NUMBER_BYTES;
        if too_long || !(in_range || token.parse::<f64>().is_ok_and(f64::is_finite)) {
            self.at = start;
            return Err(self.fault(FaultKind::NumberRange));
        }
        self.sink.number(token, start)
    }

    fn some_digits(&mut self) -> Result<(), S::Error> {
        let start = self.at;
        self.digits();
        if self.at == start { Err(self.fault(FaultKind::Number)) } else { Ok(()) }
    }

    #[inline]
    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), S::Error> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.fault(FaultKind::Unexpected))
        }
    }

    #[inline]
    fn descend(&mut self) -> Result<(), S::Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.fault(FaultKind::Depth));
        }
        self.depth += 1;
        Ok(())
    }

    /// The next byte that is not white space; the reader stands on it.
    #[inline]
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[cold]
    fn unexpected(&self) -> S::Error {
        self.fault(if self.at < self.bytes.len() { FaultKind::Unexpected } else { FaultKind::End })
    }

    #[cold]
    fn fault(&self, kind: FaultKind) -> S::Error {
        Fault { kind, at: self.at }.into()
    }
}

/// Integer digits that cannot reach beyond binary64: 309 nines round to infinity, 308 do not.
const SAFE_DIGITS: usize = 308;
