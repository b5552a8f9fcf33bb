//! Memory that is wiped before it is given back.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Deref, DerefMut};

use zeroize::Zeroize;

/// Text or bytes whose memory is wiped when it is dropped.
///
/// In blocks: `Zeroizing` wipes the elements of a vector one by one, which for a mebibyte takes longer than the cipher.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Wiped<T: Wipe>(T);

impl<T: Wipe> Wiped<T> {
    /// Takes charge of `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T: Wipe> Deref for Wiped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Wipe> DerefMut for Wiped<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Wipe> Drop for Wiped<T> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl<T: Wipe> fmt::Debug for Wiped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wiped") // what it holds may be plaintext
    }
}

/// What can be emptied and leaves nothing behind in its memory.
pub trait Wipe {
    /// Empties it, and writes zeros over all of its memory.
    fn wipe(&mut self);
}

impl Wipe for Vec<u8> {
    fn wipe(&mut self) {
        self.clear();
        self.spare_capacity_mut().zeroize();
    }
}

impl Wipe for String {
    fn wipe(&mut self) {
        core::mem::take(self).into_bytes().wipe();
    }
}
