//! Fields in memory that both sides see.

use alloc::vec::Vec;

use cardseal_calls::{Reply, Verdict};
use zeroize::Zeroize;

/// Where the host writes the fields of a call.
#[derive(Default)]
pub(crate) struct Input(Vec<u8>);

impl Input {
    pub(crate) fn reserve(&mut self, bytes: usize) -> *mut u8 {
        if self.0.len() < bytes {
            self.0.zeroize(); // a text that did not fit may have been begun; and with nothing to keep, nothing is moved
            self.0.resize(bytes, 0);
        }
        self.0.as_mut_ptr()
    }

    pub(crate) fn written(&self, bytes: usize) -> &[u8] {
        self.0.get(..bytes).unwrap_or_default()
    }

    pub(crate) fn wipe(&mut self, bytes: usize) {
        self.0.get_mut(..bytes).unwrap_or_default().zeroize();
        if self.0.len() > KEPT_BYTES {
            self.0 = Vec::new();
        }
    }
}

/// The fields of a call, as many as any operation takes.
pub(crate) struct Fields<'f> {
    fields: [Option<&'f [u8]>; MAX_FIELDS],
    count: usize,
}

const MAX_FIELDS: usize = 8;

impl<'f> Fields<'f> {
    pub(crate) fn read(mut bytes: &'f [u8]) -> Self {
        let mut read = Self { fields: [None; MAX_FIELDS], count: 0 };
        while let Some((&[kind, a, b, c, d], rest)) = bytes.split_first_chunk() {
            let length = u32::from_le_bytes([a, b, c, d]) as usize;
            let Some((field, rest)) = rest.split_at_checked(length) else { break };
            let Some(slot) = read.fields.get_mut(read.count) else { break };
            *slot = (kind != NONE).then_some(field);
            read.count += 1;
            bytes = rest;
        }
        read
    }

    pub(crate) fn as_slice(&self) -> &[Option<&'f [u8]>] {
        self.fields.get(..self.count).unwrap_or_default()
    }
}

/// The reply of the last call.
#[derive(Default)]
pub(crate) struct Output(Vec<u8>);

impl Output {
    /// Forgets the last reply. The host has wiped what it read.
    pub(crate) fn clear(&mut self) {
        if self.0.capacity() > KEPT_BYTES {
            self.0 = Vec::new();
        }
        self.0.clear();
        self.0.extend_from_slice(&[0; HEAD_BYTES]);
    }

    pub(crate) fn finish(&mut self, verdict: Verdict) -> *const u8 {
        let length = (self.0.len() - 4) as u32; // `clear` has put the head there; memory ends at four gibibytes
        if let Some(([a, b, c, d, mark], _)) = self.0.split_first_chunk_mut() {
            [*a, *b, *c, *d] = length.to_le_bytes();
            *mark = verdict as u8;
        }
        self.0.as_ptr()
    }

    fn field(&mut self, kind: u8, field: &[u8]) {
        self.0.reserve(field.len() + HEAD_BYTES);
        self.0.push(kind);
        self.0.extend_from_slice(&(field.len() as u32).to_le_bytes());
        self.0.extend_from_slice(field);
    }
}

impl Reply for Output {
    fn text(&mut self, text: &str) {
        self.field(TEXT, text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.field(BYTES, bytes);
    }

    fn none(&mut self) {
        self.field(NONE, &[]);
    }
}

const NONE: u8 = 0;
const TEXT: u8 = 1;
const BYTES: u8 = 2;

/// Length and kind of a field, or length and verdict of a reply.
const HEAD_BYTES: usize = 5;

/// A buffer that grew beyond this is given back after its call.
const KEPT_BYTES: usize = 1 << 16;
