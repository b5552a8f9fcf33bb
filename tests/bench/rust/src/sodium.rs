//! The few calls of libsodium that its candidates need, made safe.

#![expect(unsafe_code, reason = "libsodium is a C library: its calls take pointers")]

use std::ffi::CStr;
use std::ptr;

use libsodium_sys as sys;

use crate::Result;

const _: () = assert!(sys::crypto_secretbox_KEYBYTES == 32);
const _: () = assert!(sys::crypto_secretbox_NONCEBYTES == 24);
const _: () = assert!(sys::crypto_secretbox_MACBYTES == 16);

/// The library, initialised: having one is the proof.
#[derive(Debug, Clone, Copy)]
pub struct Sodium(());

impl Sodium {
    /// Initialises the library; again is harmless.
    ///
    /// # Errors
    /// When the library cannot start.
    pub fn new() -> Result<Self> {
        // SAFETY: takes nothing, and may be called at any time from any thread.
        let outcome = unsafe { sys::sodium_init() };
        if outcome < 0 { Err("libsodium does not start".into()) } else { Ok(Self(())) }
    }

    /// The library's version.
    pub fn version(self) -> String {
        // SAFETY: returns a constant that ends with a zero byte and lives as long as the program.
        unsafe { CStr::from_ptr(sys::sodium_version_string()) }.to_string_lossy().into_owned()
    }

    /// Encrypts `message` where it stands and returns its tag.
    pub fn seal_in_place(self, message: &mut [u8], nonce: &[u8; 24], key: &[u8; 32]) -> [u8; 16] {
        let mut tag = [0; 16];
        let text = message.as_mut_ptr();
        // SAFETY: `text` is valid for `message.len()` bytes to read and to write, and ciphertext and message may be the
        // same memory; `tag`, `nonce` and `key` have the lengths asserted above. The call always returns 0.
        unsafe {
            sys::crypto_secretbox_detached(
                text,
                tag.as_mut_ptr(),
                text,
                message.len() as u64,
                nonce.as_ptr(),
                key.as_ptr(),
            )
        };
        tag
    }

    /// Decrypts `message` where it stands if the tag is right.
    #[must_use]
    pub fn open_in_place(self, message: &mut [u8], tag: &[u8; 16], nonce: &[u8; 24], key: &[u8; 32]) -> bool {
        let text = message.as_mut_ptr();
        // SAFETY: as in `seal_in_place`; the tag is only read.
        let outcome = unsafe {
            sys::crypto_secretbox_open_detached(
                text,
                text,
                tag.as_ptr(),
                message.len() as u64,
                nonce.as_ptr(),
                key.as_ptr(),
            )
        };
        outcome == 0
    }

    /// Base64 with libsodium's own encoder, into a buffer that has room for the text and a zero byte.
    ///
    /// # Panics
    /// When the buffer has not.
    pub fn base64<'o>(self, bytes: &[u8], out: &'o mut [u8]) -> &'o [u8] {
        let length = bytes.len().div_ceil(3) * 4;
        assert!(length < out.len());
        // SAFETY: `out` is valid for writing `out.len()` bytes, which are enough; `bytes` is only read. The two do not
        // overlap, for one of them is borrowed mutably.
        unsafe {
            sys::sodium_bin2base64(
                out.as_mut_ptr().cast(),
                out.len(),
                bytes.as_ptr(),
                bytes.len(),
                sys::sodium_base64_VARIANT_ORIGINAL as i32,
            )
        };
        &out[..length]
    }

    /// The same in the other direction; the number of bytes, or nothing for text that is no base64.
    pub fn unbase64(self, text: &[u8], out: &mut [u8]) -> Option<usize> {
        let mut written = 0;
        // SAFETY: `out` is valid for writing `out.len()` bytes and `text` for reading its own; null stands for
        // characters to ignore and for the end, which nobody asks for; `written` outlives the call.
        let outcome = unsafe {
            sys::sodium_base642bin(
                out.as_mut_ptr(),
                out.len(),
                text.as_ptr().cast(),
                text.len(),
                ptr::null(),
                &raw mut written,
                ptr::null_mut(),
                sys::sodium_base64_VARIANT_ORIGINAL as i32,
            )
        };
        (outcome == 0).then_some(written)
    }
}
