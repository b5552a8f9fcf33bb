//! The parser: one pass over the text, every event handed to a sink.

use super::fault::{Fault, FaultKind};
use super::names::{MemberNames, Names, Place};
use super::scan::{hex4, skip_plain};
use super::text::{Number, Text};
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

    /// A number.
    #[expect(unused_variables, reason = "an event that a sink may ignore")]
    #[inline]
    fn number(&mut self, token: Number<'_>) -> Result<(), Self::Error> {
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
    fn name(&mut self, name: Text<'_>, place: Place) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The `}` that ends just before `end`, and the names of the object's members.
    #[expect(unused_variables, reason = "an event that a sink may ignore")]
    #[inline]
    fn end_object(&mut self, end: usize, names: MemberNames<'_>) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Two sinks that see the same events, the first one first.
impl<A: Sink, B: Sink<Error = A::Error>> Sink for (&mut A, &mut B) {
    type Error = A::Error;

    #[inline]
    fn null(&mut self, at: usize) -> Result<(), Self::Error> {
        self.0.null(at)?;
        self.1.null(at)
    }

    #[inline]
    fn boolean(&mut self, value: bool, at: usize) -> Result<(), Self::Error> {
        self.0.boolean(value, at)?;
        self.1.boolean(value, at)
    }

    #[inline]
    fn number(&mut self, token: Number<'_>) -> Result<(), Self::Error> {
        self.0.number(token)?;
        self.1.number(token)
    }

    #[inline]
    fn string(&mut self, value: Text<'_>) -> Result<(), Self::Error> {
        self.0.string(value)?;
        self.1.string(value)
    }

    #[inline]
    fn begin_array(&mut self, at: usize) -> Result<(), Self::Error> {
        self.0.begin_array(at)?;
        self.1.begin_array(at)
    }

    #[inline]
    fn end_array(&mut self, end: usize) -> Result<(), Self::Error> {
        self.0.end_array(end)?;
        self.1.end_array(end)
    }

    #[inline]
    fn begin_object(&mut self, at: usize) -> Result<(), Self::Error> {
        self.0.begin_object(at)?;
        self.1.begin_object(at)
    }

    #[inline]
    fn name(&mut self, name: Text<'_>, place: Place) -> Result<(), Self::Error> {
        self.0.name(name, place)?;
        self.1.name(name, place)
    }

    #[inline]
    fn end_object(&mut self, end: usize, names: MemberNames<'_>) -> Result<(), Self::Error> {
        self.0.end_object(end, names)?;
        self.1.end_object(end, names)
    }
}

/// Reads one JSON value that is the whole text but for white space around it.
///
/// # Errors
/// The first fault of the text, or whatever stopped the sink.
#[cfg(not(feature = "small"))]
pub fn read<S: Sink>(text: &str, sink: &mut S) -> Result<(), S::Error> {
    read_into(text, sink)
}

/// Reads one JSON value that is the whole text but for white space around it. One reader serves all sinks.
///
/// # Errors
/// The first fault of the text, or whatever stopped the sink.
#[cfg(feature = "small")]
pub fn read<S: Sink>(text: &str, sink: &mut S) -> Result<(), S::Error> {
    read_into::<dyn Sink<Error = S::Error> + '_>(text, sink)
}

fn read_into<S: Sink + ?Sized>(text: &str, sink: &mut S) -> Result<(), S::Error> {
    if u32::try_from(text.len()).is_err() {
        return Err(Fault::new(FaultKind::Length, 0).into());
    }
    if text.starts_with('\u{feff}') {
        return Err(Fault::new(FaultKind::ByteOrderMark, 0).into());
    }
    let mut reader =
        Reader { text, bytes: text.as_bytes(), depth: 0, escaped: false, names: Names::new(), sink, error: None };
    match reader.document() {
        Some(()) => Ok(()),
        // Nothing ends early without an error.
        None => Err(reader.error.unwrap_or_else(|| Fault::new(FaultKind::End, text.len()).into())),
    }
}

/// Reads one JSON value from bytes, and returns them as text.
///
/// # Errors
/// As [`read`], and [`FaultKind::Utf8`].
pub fn read_utf8<'t, S: Sink>(bytes: &'t [u8], sink: &mut S) -> Result<&'t str, S::Error> {
    let text = core::str::from_utf8(bytes).map_err(|error| Fault::new(FaultKind::Utf8, error.valid_up_to()))?;
    read(text, sink)?;
    Ok(text)
}

/// Every step takes the offset it begins at and gives the one it ends at, so that the place lives in a register; `None`
/// means that `error` says why.
struct Reader<'t, 's, S: Sink + ?Sized> {
    text: &'t str,
    bytes: &'t [u8],
    depth: usize,
    /// Whether an escape stood in the last literal.
    escaped: bool,
    names: Names,
    sink: &'s mut S,
    error: Option<S::Error>,
}

impl<'t, S: Sink + ?Sized> Reader<'t, '_, S> {
    fn document(&mut self) -> Option<()> {
        let start = self.skip_space(0);
        if start == self.bytes.len() {
            return self.fail(FaultKind::Empty, 0);
        }
        let end = self.value(start)?;
        let end = self.skip_space(end);
        if end < self.bytes.len() { self.fail(FaultKind::Trailing, end) } else { Some(()) }
    }

    // In line in the loops below, so that only arrays and objects cost a call.
    #[cfg_attr(not(feature = "small"), inline(always))]
    #[cfg_attr(feature = "small", inline(never))]
    fn value(&mut self, at: usize) -> Option<usize> {
        match self.byte(at) {
            Some(b'"') => {
                let end = self.literal(at)?;
                let value = self.text_of(at, end);
                let result = self.sink.string(value);
                self.proceed(result, end)
            }
            Some(b'{') => self.object(at),
            Some(b'-' | b'0'..=b'9') => self.number(at),
            Some(b'[') => self.array(at),
            Some(b't') => {
                let end = self.word(at, b"true")?;
                let result = self.sink.boolean(true, at);
                self.proceed(result, end)
            }
            Some(b'f') => {
                let end = self.word(at, b"false")?;
                let result = self.sink.boolean(false, at);
                self.proceed(result, end)
            }
            Some(b'n') => {
                let end = self.word(at, b"null")?;
                let result = self.sink.null(at);
                self.proceed(result, end)
            }
            _ => self.unexpected(at),
        }
    }

    #[inline(never)]
    fn object(&mut self, at: usize) -> Option<usize> {
        self.descend(at)?;
        let result = self.sink.begin_object(at);
        let mut at = self.proceed(result, at + 1)?;
        let mark = self.names.mark();
        at = self.skip_space(at);
        if self.byte(at) != Some(b'}') {
            at = self.members(at)?;
            if let Some(repeated) = self.names.find_repeated(self.text, mark) {
                return self.fail(FaultKind::RepeatedName, repeated - 1);
            }
        }
        self.depth -= 1;
        let result = self.sink.end_object(at + 1, self.names.since(mark));
        self.names.truncate(mark);
        self.proceed(result, at + 1)
    }

    /// The members from the first name at `at` on; ends at the closing brace.
    #[inline(always)]
    fn members(&mut self, mut at: usize) -> Option<usize> {
        loop {
            if self.byte(at) != Some(b'"') {
                return self.unexpected(at);
            }
            if let Some((place, end)) = self.names.push_again(self.bytes, at + 1) {
                let result = self.sink.name(Text::new(self.text, at + 1, end, false), place);
                at = self.proceed(result, end + 1)?;
            } else {
                let end = self.literal(at)?;
                let place = self.names.push(self.text, at + 1, end - 1, self.escaped);
                let name = self.text_of(at, end);
                let result = self.sink.name(name, place);
                at = self.proceed(result, end)?;
                at = self.skip_space(at);
                if self.byte(at) != Some(b':') {
                    return self.unexpected(at);
                }
            }
            at = self.skip_space(at + 1);
            at = self.value(at)?;
            at = self.skip_space(at);
            match self.byte(at) {
                Some(b',') => at = self.skip_space(at + 1),
                Some(b'}') => return Some(at),
                _ => return self.unexpected(at),
            }
        }
    }

    #[inline(never)]
    fn array(&mut self, at: usize) -> Option<usize> {
        self.descend(at)?;
        let result = self.sink.begin_array(at);
        let mut at = self.proceed(result, at + 1)?;
        at = self.skip_space(at);
        if self.byte(at) != Some(b']') {
            loop {
                at = self.value(at)?;
                at = self.skip_space(at);
                match self.byte(at) {
                    Some(b',') => at = self.skip_space(at + 1),
                    Some(b']') => break,
                    _ => return self.unexpected(at),
                }
            }
        }
        self.depth -= 1;
        let result = self.sink.end_array(at + 1);
        self.proceed(result, at + 1)
    }

    /// The literal whose opening quote is at `at`; ends behind the closing one.
    #[inline(always)]
    fn literal(&mut self, at: usize) -> Option<usize> {
        let end = skip_plain(self.bytes, at + 1);
        if self.byte(end) == Some(b'"') {
            self.escaped = false;
            return Some(end + 1);
        }
        self.literal_with_escapes(end)
    }

    #[inline(never)]
    /// The rest of a literal from its first special byte on.
    fn literal_with_escapes(&mut self, mut at: usize) -> Option<usize> {
        self.escaped = true;
        while self.byte(at) == Some(b'\\') {
            at = self.escape(at)?;
            if self.byte(at) != Some(b'\\') {
                at = skip_plain(self.bytes, at);
            }
        }
        match self.byte(at) {
            Some(b'"') => Some(at + 1),
            Some(_) => self.fail(FaultKind::ControlCharacter, at),
            None => self.fail(FaultKind::End, at),
        }
    }

    fn escape(&mut self, at: usize) -> Option<usize> {
        match self.byte(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Some(at + 2),
            Some(b'u') => match hex4(self.bytes, at + 2) {
                Some(0xd800..0xdc00) => {
                    let low = self.bytes.get(at + 6..).is_some_and(|rest| rest.starts_with(b"\\u"));
                    match low.then(|| hex4(self.bytes, at + 8)).flatten() {
                        Some(0xdc00..0xe000) => Some(at + 12),
                        _ => self.fail(FaultKind::LoneSurrogate, at),
                    }
                }
                Some(0xdc00..0xe000) => self.fail(FaultKind::LoneSurrogate, at),
                Some(_) => Some(at + 6),
                None => self.fail(FaultKind::Escape, at),
            },
            Some(_) => self.fail(FaultKind::Escape, at),
            None => self.fail(FaultKind::End, at),
        }
    }

    #[inline]
    fn number(&mut self, start: usize) -> Option<usize> {
        match scan_number(self.text, start) {
            Ok(end) => {
                let result = self.sink.number(Number::new(self.text, start, end));
                self.proceed(result, end)
            }
            Err(fault) => self.fail(fault.kind(), fault.at()),
        }
    }

    #[inline]
    fn word<const N: usize>(&mut self, at: usize, word: &[u8; N]) -> Option<usize> {
        let is_there = self.bytes.get(at..).and_then(<[u8]>::first_chunk) == Some(word);
        if is_there { Some(at + N) } else { self.fail(FaultKind::Unexpected, at) }
    }

    #[inline]
    fn descend(&mut self, at: usize) -> Option<()> {
        if self.depth == MAX_DEPTH {
            return self.fail(FaultKind::Depth, at);
        }
        self.depth += 1;
        Some(())
    }

    /// The offset of the next byte that is not white space. As a rule there is none: one compare shows that.
    #[inline(always)]
    fn skip_space(&self, at: usize) -> usize {
        if self.byte(at).is_some_and(|byte| byte > b' ') { at } else { self.skip_some_space(at) }
    }

    #[inline(never)]
    fn skip_some_space(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            at += 1;
        }
        at
    }

    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The literal from quote to quote.
    #[inline]
    fn text_of(&self, at: usize, end: usize) -> Text<'t> {
        Text::new(self.text, at + 1, end - 1, self.escaped)
    }

    /// Goes on at `at` unless the sink has had enough.
    #[inline]
    fn proceed(&mut self, result: Result<(), S::Error>, at: usize) -> Option<usize> {
        match result {
            Ok(()) => Some(at),
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }

    #[cold]
    fn unexpected(&mut self, at: usize) -> Option<usize> {
        self.fail(if at < self.bytes.len() { FaultKind::Unexpected } else { FaultKind::End }, at)
    }

    #[cold]
    fn fail<T>(&mut self, kind: FaultKind, at: usize) -> Option<T> {
        self.error = Some(Fault::new(kind, at).into());
        None
    }
}

/// Accepts a text that is one number token and nothing else.
#[cfg(feature = "writer")]
pub(super) fn check_number(token: &str) -> Result<(), Fault> {
    match scan_number(token, 0)? {
        end if end == token.len() => Ok(()),
        end => Err(Fault::new(FaultKind::Trailing, end)),
    }
}

/// The end of the number token that begins at `start`.
#[inline]
fn scan_number(text: &str, start: usize) -> Result<usize, Fault> {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied();
    let digits = |mut at: usize| {
        while matches!(byte(at), Some(b'0'..=b'9')) {
            at += 1;
        }
        at
    };
    let some_digits = |at: usize| match digits(at) {
        end if end == at => Err(Fault::new(FaultKind::Number, at)),
        end => Ok(end),
    };

    let whole = if byte(start) == Some(b'-') { start + 1 } else { start };
    let mut at = digits(whole);
    if at == whole || (at > whole + 1 && byte(whole) == Some(b'0')) {
        return Err(Fault::new(FaultKind::Number, at));
    }
    let mut in_range = at - whole <= SAFE_DIGITS;
    if byte(at) == Some(b'.') {
        at = some_digits(at + 1)?;
    }
    if matches!(byte(at), Some(b'e' | b'E')) {
        let has_sign = matches!(byte(at + 1), Some(b'+' | b'-'));
        at = some_digits(at + if has_sign { 2 } else { 1 })?;
        in_range = false;
    }
    let too_long = at - start > MAX_NUMBER_BYTES;
    if too_long || !(in_range || is_finite(text.get(start..at).unwrap_or_default())) {
        return Err(Fault::new(FaultKind::NumberRange, start));
    }
    Ok(at)
}

/// Integer digits that cannot reach beyond binary64: 309 nines round to infinity, 308 do not.
const SAFE_DIGITS: usize = 308;

/// Whether a number token rounds to a finite binary64.
///
/// By its decimal digits: parsing the value would take a thousand times as long on tokens made for it.
#[cold]
#[inline(never)]
fn is_finite(token: &str) -> bool {
    let unsigned = token.strip_prefix('-').unwrap_or(token).as_bytes();
    let mut parts = unsigned.split(|byte| b"eE".contains(byte));
    let (mantissa, exponent) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (negative, exponent) = match exponent {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    // A token has at most 1,024 bytes: no mantissa makes up for an exponent that is capped here.
    let add = |value: i32, digit: &u8| (10 * value + i32::from(digit - b'0')).min(i32::MAX / 20);
    let exponent = exponent.iter().fold(0, add);
    let exponent = if negative { -exponent } else { exponent };
    let whole = mantissa.iter().position(|&byte| byte == b'.').unwrap_or(mantissa.len());
    let digits = mantissa.iter().copied().filter(|&byte| byte != b'.');
    let Some(zeros) = digits.clone().position(|digit| digit != b'0') else { return true };
    // The power of ten that the first digit which is not zero stands for.
    let magnitude = whole as i32 - 1 - zeros as i32 + exponent;
    if magnitude != LARGEST_MAGNITUDE {
        return magnitude < LARGEST_MAGNITUDE;
    }
    let mut limit = ROUNDS_TO_INFINITY.bytes();
    for digit in digits.skip(zeros) {
        match limit.next() {
            Some(limit) if digit == limit => {}
            Some(limit) => return digit < limit,
            None => return false,
        }
    }
    limit.any(|digit| digit != b'0')
}

const LARGEST_MAGNITUDE: i32 = 308;

/// 2¹⁰²⁴ − 2⁹⁷⁰, halfway from the largest binary64 to the next power of two: from here on a number rounds to infinity.
const ROUNDS_TO_INFINITY: &str = "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497792";

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use super::*;

    #[test]
    fn finite_is_what_the_float_parser_calls_finite() {
        let half = ROUNDS_TO_INFINITY;
        let mut tokens = alloc::vec![
            String::from(half),
            format!("-{half}"),
            format!("{half}.0"),
            format!("{half}.{}1", "0".repeat(50)),
            format!("{}.{}e308", &half[..1], &half[1..]),
            format!("0.{half}e309"),
            format!("0.000{half}e+312"),
            format!("{half}000e-3"),
        ];
        for at in 0..half.len() {
            for digit in ['0', '1', '5', '9'] {
                let mut near = String::from(half);
                near.replace_range(at..=at, digit.encode_utf8(&mut [0; 4]));
                tokens.push(format!("{}.{}e308", &near[..1], &near[1..]));
                tokens.push(format!("{}.{}E+307", &near[..2], &near[2..at.max(2) + 1]));
                tokens.push(near);
            }
        }
        for mantissa in
            ["0", "-0", "0.0", "1", "9.99", "0.001", "17976931348623157", "17976931348623159", "123456789.5"]
        {
            for exponent in (-330..330).chain([i64::from(i32::MAX), -i64::from(i32::MAX), i64::MAX, i64::MIN + 1]) {
                tokens.push(format!("{mantissa}e{exponent}"));
            }
        }
        for token in tokens {
            assert_eq!(is_finite(&token), token.parse::<f64>().unwrap().is_finite(), "{token}");
        }
    }
}
