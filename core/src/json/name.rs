//! Names of members that are written more than once.

use zeroize::Zeroize;

use super::copy::copy_plain;

/// The literal of a member's name and the colon behind it: what [`Writer::name_again`] copies without looking at it.
///
/// Wiped when dropped, as everything that came out of a payload.
///
/// [`Writer::name_again`]: super::Writer::name_again
pub struct NameLiteral {
    /// Words, because that many are wiped by as many instructions. Zeros behind the literal.
    words: [u64; WORDS],
    length: usize,
}

impl NameLiteral {
    /// The literal of a name; nothing for one that is long, or has a character to escape.
    pub fn new(name: &str) -> Option<Self> {
        let mut literal = Self { words: [0; WORDS], length: name.len() + 3 };
        let mut bytes = [0; NAME_ROOM];
        let [open, inside @ .., close, colon] = bytes.get_mut(..literal.length)? else { return None };
        (*open, *close, *colon) = (b'"', b'"', b':');
        if copy_plain(name.as_bytes(), inside) < name.len() {
            return None;
        }
        for (word, bytes) in literal.words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Some(literal)
    }

    /// As many bytes as any has, and where the literal ends among them.
    #[inline(always)]
    pub(super) fn bytes(&self) -> ([u8; NAME_ROOM], usize) {
        let mut bytes = [0; NAME_ROOM];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(self.words) {
            *bytes = word.to_le_bytes();
        }
        (bytes, self.length)
    }
}

impl Drop for NameLiteral {
    fn drop(&mut self) {
        let Self { words, length } = self;
        words.zeroize();
        *length = 0;
    }
}

impl core::fmt::Debug for NameLiteral {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("NameLiteral") // what it holds may be plaintext
    }
}

const WORDS: usize = 4;

/// What a name takes in the text, at most, for it to be written again.
pub(super) const NAME_ROOM: usize = 8 * WORDS;
