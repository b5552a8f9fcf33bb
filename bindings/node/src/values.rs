//! JavaScript values by Node-API's functions alone.
//!
//! By hand, because a call is the whole cost of a small envelope: strings are read into buffers that are kept from call to
//! call, typed arrays are read where they are, and texts without wide characters are handed back as they lie in memory.

#![expect(unsafe_code, reason = "Node-API is a C interface")]

use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::marker::PhantomData;
use std::{ptr, slice};

use crate::host::OwnCell;
use crate::{lent, tape, text};
use cardseal::binding::{self, Encrypted, JsonText, Placed};
use cardseal::{ErrorCode, Plaintext};
use cardseal_calls::{Arguments, Reply, Verdict};
use napi_sys as sys;

/// The arguments of the call that runs now.
pub(crate) struct Values {
    env: sys::napi_env,
    values: [sys::napi_value; MAX_VALUES],
    count: usize,
}

/// Operation, handle, clock and eight fields.
const MAX_VALUES: usize = 11;

impl Values {
    /// The arguments, and the cell that the function was made with.
    ///
    /// # Safety
    /// `env` and `info` are those of a call that outlives the result, of a function made with what [`lend_cell`] gave.
    pub(crate) unsafe fn of_call(
        env: sys::napi_env,
        info: sys::napi_callback_info,
    ) -> (Self, Option<&'static OwnCell>) {
        let mut values = [ptr::null_mut(); MAX_VALUES];
        let (mut count, mut own) = (MAX_VALUES, ptr::null_mut());
        // SAFETY: by the contract above; `count` says how many values there is room for.
        let status =
            unsafe { sys::napi_get_cb_info(env, info, &mut count, values.as_mut_ptr(), ptr::null_mut(), &mut own) };
        let count = if status == sys::Status::napi_ok { count.min(MAX_VALUES) } else { 0 };
        // SAFETY: by the contract above it is null, or a cell that is never given back.
        (Self { env, values, count }, unsafe { own.cast::<OwnCell>().as_ref() })
    }

    /// An argument; null where there is none, which every function of Node-API refuses.
    pub(crate) fn at(&self, index: usize) -> sys::napi_value {
        if index < self.count { self.values.get(index).copied().unwrap_or(ptr::null_mut()) } else { ptr::null_mut() }
    }

    /// A whole number; the largest for what is none.
    pub(crate) fn number(&self, index: usize) -> usize {
        let mut number = 0;
        // SAFETY: `self` has the environment and the values of the call that runs now.
        let status = unsafe { sys::napi_get_value_uint32(self.env, self.at(index), &mut number) };
        if status == sys::Status::napi_ok { number as usize } else { usize::MAX }
    }

    /// An argument that is a `Float64Array`, by its first two elements.
    pub(crate) fn doubles(&self, index: usize) -> Option<Doubles<'_>> {
        let (kind, length, data) = self.typed_array(self.at(index))?;
        let is_pair = kind == sys::TypedarrayType::float64_array && length >= 2;
        is_pair.then_some(Doubles { data: data.cast(), call: PhantomData })
    }

    pub(crate) fn reply(&self) -> Answer {
        Answer { env: self.env, fields: [ptr::null_mut(); MAX_ANSWER], count: 0, is_whole: true }
    }

    /// A typed array in memory of this thread alone: what is shared could change while it is read.
    fn typed_array(&self, value: sys::napi_value) -> Option<(sys::napi_typedarray_type, usize, *mut u8)> {
        let (mut kind, mut length, mut data, mut buffer) = (0, 0, ptr::null_mut(), ptr::null_mut());
        let mut is_unshared = false;
        // SAFETY: as in `number`; what is no typed array is refused, and a `SharedArrayBuffer` is no `ArrayBuffer`.
        unsafe {
            let status = sys::napi_get_typedarray_info(
                self.env,
                value,
                &mut kind,
                &mut length,
                &mut data,
                &mut buffer,
                ptr::null_mut(),
            );
            let is_told = status == sys::Status::napi_ok
                && sys::napi_is_arraybuffer(self.env, buffer, &mut is_unshared) == sys::Status::napi_ok;
            (is_told && is_unshared).then_some((kind, length, data.cast()))
        }
    }
}

/// Two doubles of an array among the arguments, which keeps the memory alive: only JavaScript could take it away, and none
/// runs during a call.
pub(crate) struct Doubles<'v> {
    data: *mut [f64; 2],
    call: PhantomData<&'v Values>,
}

impl Doubles<'_> {
    pub(crate) fn get(&self) -> [f64; 2] {
        // SAFETY: there are two doubles, of this thread alone, and nothing writes to them meanwhile. Memory that an embedder
        // brought along can lie anywhere.
        unsafe { self.data.read_unaligned() }
    }

    /// Writes them. No field of the call may be read afterwards.
    pub(crate) fn set(&self, pair: [f64; 2]) {
        // SAFETY: there is room for two doubles, and nothing else reads or writes them meanwhile.
        unsafe { self.data.write_unaligned(pair) };
    }
}

/// The elements of an array among the arguments, as with [`Doubles`].
pub(crate) struct Integers<'v> {
    data: *mut i32,
    length: usize,
    call: PhantomData<&'v Values>,
}

impl Integers<'_> {
    /// Moves as many elements as the first one says behind `moved`, and leaves zeros in their place.
    pub(crate) fn move_to(self, moved: &mut Vec<i32>) {
        // SAFETY: there are so many elements, where JavaScript puts them, which is aligned, and of this thread alone; no
        // JavaScript runs meanwhile.
        let elements = unsafe { slice::from_raw_parts_mut(self.data, self.length) };
        let count = elements.first().map_or(0, |&count| usize::try_from(count).unwrap_or_default());
        let (used, _) = elements.split_at_mut(count.min(self.length));
        moved.extend_from_slice(used);
        used.fill(0);
    }
}

/// Exports a cell whose memory is this module's, if Node takes such memory.
///
/// It is never given back: JavaScript can hand its view of it to anyone, for as long as it likes.
///
/// # Safety
/// `env` and `exports` are Node's, and alive during the call.
pub(crate) unsafe fn lend_cell(env: sys::napi_env, exports: sys::napi_value) -> Option<&'static OwnCell> {
    let cell: &'static OwnCell = Box::leak(Box::default());
    let (mut buffer, mut array) = (ptr::null_mut(), ptr::null_mut());
    let (data, bytes) = (ptr::from_ref(cell).cast_mut().cast(), size_of::<OwnCell>());
    // SAFETY: by the contract above; the memory stays, and is read and written here as atomics alone.
    let is_lent = unsafe {
        sys::napi_create_external_arraybuffer(env, data, bytes, None, ptr::null_mut(), &mut buffer)
            == sys::Status::napi_ok
            && sys::napi_create_typedarray(env, sys::TypedarrayType::float64_array, 2, buffer, 0, &mut array)
                == sys::Status::napi_ok
            && sys::napi_set_named_property(env, exports, c"cell".as_ptr(), array) == sys::Status::napi_ok
    };
    is_lent.then_some(cell)
}

/// The fields among the arguments.
#[derive(Clone, Copy)]
enum Place {
    None,
    /// In the buffer.
    Text(usize, usize),
    /// Where JavaScript has them.
    Bytes(*const u8, usize),
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// Where payloads are read, encrypted and turned into the body, one over the other. In between it holds the last body.
    static SEALING: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// Where bodies are put together that cannot be so.
    static BODY: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static NARROW: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static WIDE: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

pub(crate) struct Fields;

impl Fields {
    /// Hands the fields from `first` on to `call`, and wipes what was copied of them. The first one is not read again if it
    /// is `json`.
    pub(crate) fn with<T>(
        values: &Values,
        first: usize,
        json: Option<JsonText<'_>>,
        call: impl FnOnce(Arguments<'_>) -> T,
    ) -> T {
        BUFFER.with_borrow_mut(|buffer| {
            let read = usize::from(json.is_some());
            let mut places = [Place::None; MAX_VALUES];
            for (index, place) in places.iter_mut().enumerate().take(values.count.saturating_sub(first)).skip(read) {
                *place = values.place(values.at(first + index), buffer);
            }
            let fields = places.map(|place| match place {
                Place::None => None,
                Place::Text(start, end) => buffer.get(start..end),
                // SAFETY: the array lives as long as the call, and nothing writes to it meanwhile: no JavaScript runs, and
                // shared memory was refused.
                Place::Bytes(data, length) => Some(unsafe { slice::from_raw_parts(data, length) }),
            });
            let result = call(Arguments::with_json(&fields, &Cell::new(json)));
            wipe(buffer, KEPT_BYTES);
            result
        })
    }
}

/// Empties a buffer that held text, and keeps room for so many elements.
///
/// By a fill that the compiler has to believe in, in blocks; `zeroize` writes byte by byte, which at a mebibyte takes as
/// long as the cipher.
pub(crate) fn wipe<T: Copy + Default>(buffer: &mut Vec<T>, kept: usize) {
    buffer.fill(T::default());
    std::hint::black_box(buffer.as_mut_slice());
    buffer.clear();
    buffer.shrink_to(kept);
}

/// Room that is kept for the next call: enough that payloads of a mebibyte cost no new pages each time. Only what is used of it
/// takes memory.
pub(crate) const KEPT_BYTES: usize = 1 << 22;

impl Values {
    fn place(&self, value: sys::napi_value, buffer: &mut Vec<u8>) -> Place {
        let start = buffer.len();
        if self.append_text(value, buffer) {
            return Place::Text(start, buffer.len());
        }
        match self.typed_array(value) {
            Some((kind, length, data)) if kind == sys::TypedarrayType::uint8_array => {
                Place::Bytes(if length == 0 { ptr::NonNull::dangling().as_ptr() } else { data }, length)
            }
            _ => Place::None,
        }
    }

    /// A string as JSON text where it can be encrypted, and become the body's text, without being moved; nothing for another
    /// value.
    pub(crate) fn placed(&self, index: usize) -> Option<JsonText<'static>> {
        let value = self.at(index);
        let mut buffer = SEALING.take();
        let mut start = Placed::ROOM.max(buffer.capacity() / 8);
        buffer.resize(start, 0); // of what the last body has left there, which is ASCII, nothing is written again
        buffer.reserve(FIRST_TRY_BYTES);
        let Some(mut written) = self.write_utf8(value, &mut buffer) else {
            SEALING.set(buffer);
            return None;
        };
        if is_cut(&buffer, written) {
            let units = self.units(value);
            // SAFETY: that many bytes were written there. They are text.
            unsafe { buffer.set_len(start + written) };
            wipe(&mut buffer, KEPT_BYTES);
            SEALING.set(buffer); // for what is smaller: a large one may be lent
            // The text of a body is a third longer than its bytes, and something stands around it.
            start = 2 * Placed::ROOM + units / 3;
            buffer = Vec::with_capacity(start + 3 * units + units / 6 + LONGEST_CHARACTER + 1);
            buffer.resize(start, 0);
            written = self.write_utf8(value, &mut buffer).unwrap_or_default();
        }
        // SAFETY: that many bytes were written there.
        unsafe { buffer.set_len(start + written) };
        if buffer.capacity() > KEPT_BYTES {
            buffer.shrink_to_fit(); // what is refused is wiped with all its room
        }
        // SAFETY: ASCII, and behind it whole characters.
        Some(Placed::new(unsafe { String::from_utf8_unchecked(buffer) }, start).into())
    }

    /// Appends a string as UTF-8, or says that the value is none: to ask that first would be a call too many. Half of a
    /// surrogate pair becomes U+FFFD.
    ///
    /// With three bytes of room for each of its units: then V8 copies one-byte strings in blocks. Where it has to see to the
    /// end of the buffer, it goes through the string once more before.
    pub(crate) fn append_text(&self, value: sys::napi_value, buffer: &mut Vec<u8>) -> bool {
        buffer.reserve(FIRST_TRY_BYTES);
        let Some(mut written) = self.write_utf8(value, buffer) else { return false };
        if is_cut(buffer, written) {
            let mut larger = Vec::with_capacity(buffer.len() + 3 * self.units(value) + LONGEST_CHARACTER + 1);
            larger.extend_from_slice(buffer);
            // SAFETY: that many bytes were written there. What is left behind is text.
            unsafe { buffer.set_len(buffer.len() + written) };
            wipe(buffer, 0);
            *buffer = larger;
            written = self.write_utf8(value, buffer).unwrap_or_default();
        }
        // SAFETY: that many bytes were written there.
        unsafe { buffer.set_len(buffer.len() + written) };
        true
    }

    /// How many units a string has: for most strings a call too many.
    pub(crate) fn units(&self, value: sys::napi_value) -> usize {
        let mut units = 0;
        // SAFETY: as in `number`; without a buffer the call only measures.
        unsafe { sys::napi_get_value_string_utf16(self.env, value, ptr::null_mut(), 0, &mut units) };
        units
    }

    /// Writes a string into the room there is, as many whole characters of it as fit, and says how many bytes; nothing for
    /// another value.
    fn write_utf8(&self, value: sys::napi_value, buffer: &mut Vec<u8>) -> Option<usize> {
        let room = buffer.spare_capacity_mut();
        let mut written = 0;
        // SAFETY: as in `number`; there is room for that many bytes, the last of which is a zero.
        let status = unsafe {
            sys::napi_get_value_string_utf8(self.env, value, room.as_mut_ptr().cast(), room.len(), &mut written)
        };
        (status == sys::Status::napi_ok).then_some(written)
    }

    /// An element of an array.
    pub(crate) fn element(&self, array: sys::napi_value, index: u32) -> sys::napi_value {
        let mut element = ptr::null_mut();
        // SAFETY: as in `number`; where it is no array, the element stays null.
        unsafe { sys::napi_get_element(self.env, array, index, &mut element) };
        element
    }

    /// An argument that is an `Int32Array`.
    pub(crate) fn integers(&self, index: usize) -> Option<Integers<'_>> {
        let (kind, length, data) = self.typed_array(self.at(index))?;
        let is_told = kind == sys::TypedarrayType::int32_array && length > 0;
        is_told.then_some(Integers { data: data.cast(), length, call: PhantomData })
    }

    pub(crate) fn undefined(&self) -> sys::napi_value {
        let mut value = ptr::null_mut();
        // SAFETY: as in `number`.
        unsafe { sys::napi_get_undefined(self.env, &mut value) };
        value
    }

    pub(crate) fn truth(&self) -> sys::napi_value {
        let mut value = ptr::null_mut();
        // SAFETY: as in `number`.
        unsafe { sys::napi_get_boolean(self.env, true, &mut value) };
        value
    }
}

/// Whether a string did not fit behind what is in the buffer, or only just.
const fn is_cut(buffer: &Vec<u8>, written: usize) -> bool {
    written + LONGEST_CHARACTER >= buffer.capacity() - buffer.len()
}

/// Enough for a text of two thousand units, whatever they are.
const FIRST_TRY_BYTES: usize = 3 * 2_048;

/// Bytes of a character in UTF-8: fewer are left free where the next one did not fit.
const LONGEST_CHARACTER: usize = 4;

/// The fields of a reply, as JavaScript values.
pub(crate) struct Answer {
    env: sys::napi_env,
    fields: [sys::napi_value; MAX_ANSWER],
    count: usize,
    /// Whether Node could make every value.
    is_whole: bool,
}

/// The version and the names of all operations.
const MAX_ANSWER: usize = 32;

impl Answer {
    /// The field or the array of fields; before it the verdict, where that is not `Done`.
    pub(crate) fn finish(mut self, mut verdict: Verdict) -> sys::napi_value {
        if !self.is_whole {
            // A field that is not there means something: half an answer would be another one.
            (self.count, self.is_whole, verdict) = (0, true, Verdict::Refused);
            self.text(ErrorCode::TooLarge.as_str());
            self.text("the answer is larger than a JavaScript value can be: send less at once");
        }
        let fields = self.fields;
        let fields = fields.get(..self.count).unwrap_or_default();
        if let (Verdict::Done, [field]) = (verdict, fields) {
            return *field;
        }
        let mut array = ptr::null_mut();
        // SAFETY: `env` is that of the call that runs now, and so are all values.
        unsafe {
            sys::napi_create_array_with_length(self.env, fields.len(), &mut array);
            let mut index = 0;
            if verdict != Verdict::Done {
                let mut mark = ptr::null_mut();
                sys::napi_create_uint32(self.env, verdict as u32, &mut mark);
                sys::napi_set_element(self.env, array, index, mark);
                index += 1;
            }
            for field in fields {
                sys::napi_set_element(self.env, array, index, *field);
                index += 1;
            }
        }
        self.count = 0;
        array
    }

    fn latin1(&self, text: &[u8]) -> (sys::napi_status, sys::napi_value) {
        let mut value = ptr::null_mut();
        // SAFETY: `env` is that of the call that runs now; the text is copied.
        let status =
            unsafe { sys::napi_create_string_latin1(self.env, text.as_ptr().cast(), text.len() as isize, &mut value) };
        (status, value)
    }

    fn utf16(&self, text: &str) -> (sys::napi_status, sys::napi_value) {
        WIDE.with_borrow_mut(|wide| {
            text::write_utf16(text, wide);
            let mut value = ptr::null_mut();
            // SAFETY: as above.
            let status =
                unsafe { sys::napi_create_string_utf16(self.env, wide.as_ptr(), wide.len() as isize, &mut value) };
            wipe(wide, KEPT_BYTES / size_of::<u16>());
            (status, value)
        })
    }

    /// A short body that cannot be written over what it is made of: so the writer's buffer stays the writer's.
    fn body_elsewhere(&mut self, encrypted: Encrypted) {
        let mut body = BODY.take();
        body.clear();
        body.reserve_exact(encrypted.body_bytes());
        encrypted.body_pieces(|piece| body.extend_from_slice(piece));
        binding::keep(encrypted);
        let (status, value) = self.latin1(&body); // ASCII alone
        self.push(status, value);
        BODY.set(body);
    }

    fn push(&mut self, status: sys::napi_status, field: sys::napi_value) {
        self.is_whole &= status == sys::Status::napi_ok && !field.is_null();
        if let Some(slot) = self.fields.get_mut(self.count) {
            *slot = field;
            self.count += 1;
        }
    }
}

impl Reply for Answer {
    fn text(&mut self, text: &str) {
        let (status, value) = if text.is_ascii() {
            self.latin1(text.as_bytes()) // ASCII is the same in both encodings
        } else {
            NARROW.with_borrow_mut(|narrow| {
                let made = if text::write_latin1(text, narrow) { self.latin1(narrow) } else { self.utf16(text) };
                wipe(narrow, KEPT_BYTES);
                made
            })
        };
        self.push(status, value);
    }

    fn body(&mut self, body: Encrypted) {
        // One that is lent leaves anyway: over what it is made of it takes less memory.
        let bytes = body.body_bytes();
        let is_long = lent::is_long(bytes);
        tape::expect(if is_long { bytes } else { 0 });
        if !body.fits_in_place() && !is_long {
            return self.body_elsewhere(body);
        }
        let body = body.into_body_in_place();
        if lent::is_lendable(self.env, &body) {
            let (status, value) = lent::lend(self.env, body, false);
            return self.push(status, value);
        }
        let (status, value) = self.latin1(&body); // ASCII alone
        self.push(status, value);
        if body.capacity() <= KEPT_BYTES {
            SEALING.set(body);
        }
    }

    fn plaintext(&mut self, text: Plaintext) {
        let text = text.into_string();
        if lent::is_lendable(self.env, text.as_bytes()) {
            let (status, value) = lent::lend(self.env, text.into_bytes(), true);
            return self.push(status, value);
        }
        self.text(&text);
        wipe(&mut text.into_bytes(), 0);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let (mut data, mut buffer, mut array) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: `env` is that of the call that runs now; the new buffer has room for the bytes. Where there is none, there
        // is no array in it either.
        let status = unsafe {
            sys::napi_create_arraybuffer(self.env, bytes.len(), &mut data, &mut buffer);
            if !data.is_null() {
                ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast(), bytes.len());
            }
            let kind = sys::TypedarrayType::uint8_array;
            sys::napi_create_typedarray(self.env, kind, bytes.len(), buffer, 0, &mut array)
        };
        self.push(status, array);
    }

    fn none(&mut self) {
        let mut value = ptr::null_mut();
        // SAFETY: `env` is that of the call that runs now.
        let status = unsafe { sys::napi_get_undefined(self.env, &mut value) };
        self.push(status, value);
    }
}

/// Throws an error that carries no code, because nothing that has one happened.
pub(crate) fn throw(env: sys::napi_env, message: &CStr) -> sys::napi_value {
    // SAFETY: `env` is that of the call that runs now.
    unsafe { sys::napi_throw_error(env, ptr::null(), message.as_ptr()) };
    ptr::null_mut()
}
