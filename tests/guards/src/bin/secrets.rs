//! Seals and opens under valgrind with keys and messages that must decide nothing: no jump, and no address. Valgrind's
//! memcheck follows what it holds for undefined through every computation and complains where it decides something.
//!
//! One decision is meant: whether a tag was right is the outcome of opening, and no secret. Each tag that is compared has
//! to bring the same number of complaints, right or forged, wherever it was forged: one that was compared only up to the
//! first difference would not.
//!
//! `secrets` checks the engine. `secrets branch`, `lookup` and `compare` make a mistake beside it, and have to fail:
//! else what the check says is worth nothing.

#![expect(clippy::print_stdout, reason = "a program for developers")]
#![expect(unsafe_code, reason = "text that is secret cannot be checked for UTF-8")]

use std::hint::black_box;
use std::process::ExitCode;

use cardseal::{Envelope, ErrorCode, binding, hazmat};
use cardseal_guards::{Result, processor, valgrind};

fn main() -> Result<ExitCode> {
    if !valgrind::is_here() {
        return Err("this program has to run under valgrind: cargo xtask test secrets".into());
    }
    let mistake: Mistake = match std::env::args().nth(1).as_deref() {
        None => |_| {},
        Some("branch") => branch,
        Some("lookup") => lookup,
        Some("compare") => compare,
        Some(other) => return Err(format!("there is no mistake `{other}`").into()),
    };
    let mut check = Check { mistake, steps: 0, leaks: 0 };
    check.derivation()?;
    for length in (0..=1_100).chain([4_095, 4_096, 4_097, 16_384, 65_537]) {
        check.sealing(length)?;
        check.opening(length)?;
    }
    check.rotation()?;
    println!("{}: {} steps, {} leaks", processor(), check.steps, check.leaks);
    Ok(if check.leaks == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Check {
    mistake: Mistake,
    steps: usize,
    leaks: usize,
}

impl Check {
    /// From the secret to the key.
    fn derivation(&mut self) -> Result<()> {
        for length in [8, 24, 55, 56, 63, 64, 65, 200] {
            let mut secret = vec![b's'; length];
            valgrind::mark_secret(&mut secret);
            // SAFETY: ASCII is UTF-8.
            let secret = unsafe { String::from_utf8_unchecked(secret) };
            let envelope = self.step("derive a key", length, 0, || Envelope::new(&secret))?;
            let sealed = binding::encrypt(&envelope, b"a public message")?.into_buffer();
            expect_secret(&sealed)?;
        }
        Ok(())
    }

    /// A secret message under a secret key.
    fn sealing(&mut self, length: usize) -> Result<()> {
        let envelope = secret_envelope()?;
        let mut message = vec![b'x'; length];
        valgrind::mark_secret(&mut message);
        let sealed = self.step("seal", length, 0, || binding::encrypt(&envelope, &message))?;
        expect_secret(&sealed.into_buffer())
    }

    /// A public envelope, right or forged, under a secret key.
    fn opening(&mut self, length: usize) -> Result<()> {
        let envelope = secret_envelope()?;
        let message = vec![b'x'; length];
        let field = hazmat::encrypt(&Envelope::from_key(&KEY)?, &message, &NONCE)?;
        let mut opened = self.step("open", length, 1, || envelope.decrypt(&field))?;
        if !valgrind::is_all_secret(&opened) {
            return Err("what was opened does not depend on the key: the check proves nothing".into());
        }
        valgrind::mark_public(&mut opened);
        if opened != message {
            return Err("another message was opened than sealed".into());
        }
        // Forged near the tag's start, near its end, and in the last characters.
        for at in [36, 52, field.trim_end_matches('=').len() - 2] {
            let mut forged = field.clone();
            forged.replace_range(at..=at, if field.as_bytes().get(at) == Some(&b'A') { "B" } else { "A" });
            match self.step("open a forgery", length, 1, || envelope.decrypt(&forged)) {
                Err(error) if error.kind() == ErrorCode::DecryptionFailed => {}
                other => return Err(format!("a forgery gives {other:?}").into()),
            }
        }
        Ok(())
    }

    /// Which of several keys opens is an outcome too, of as many tags as there were keys to try.
    fn rotation(&mut self) -> Result<()> {
        let (mut first, mut second) = ([1; 32], KEY);
        valgrind::mark_secret(&mut first);
        valgrind::mark_secret(&mut second);
        let envelope = Envelope::builder().key(&first).open_key(&second).build()?;
        let field = hazmat::encrypt(&Envelope::from_key(&KEY)?, &[b'x'; 300], &NONCE)?;
        self.step("open with the second key", 300, 2, || envelope.decrypt(&field))?;
        Ok(())
    }

    /// Does something, and with it the mistake; only the verdicts on so many tags may bring complaints.
    fn step<T>(&mut self, what: &str, length: usize, tags: usize, act: impl FnOnce() -> T) -> T {
        let before = valgrind::errors();
        let outcome = act();
        let mut secret = KEY;
        valgrind::mark_secret(&mut secret);
        (self.mistake)(&secret);
        let complaints = valgrind::errors() - before;
        let expected = tags * COMPLAINTS_A_VERDICT;
        self.steps += 1;
        if complaints != expected {
            self.leaks += 1;
            if self.leaks <= SHOWN {
                println!("{what}, {length} bytes: {complaints} complaints in the place of {expected}");
            }
        }
        outcome
    }
}

/// What no engine may do with a secret.
type Mistake = fn(&[u8; 32]);

fn branch(secret: &[u8; 32]) {
    if black_box(secret)[0] & 1 == 1 {
        black_box(secret);
    }
}

fn lookup(secret: &[u8; 32]) {
    let table: [u8; 256] = std::array::from_fn(|index| index as u8);
    black_box(black_box(&table)[usize::from(secret[0])]);
}

fn compare(secret: &[u8; 32]) {
    black_box(black_box(&secret[..16]) == black_box(&KEY[..16]));
}

/// The tag and the ciphertext of a sealed message have to depend on the secrets, or the check looked at something else.
fn expect_secret(sealed: &[u8]) -> Result<()> {
    match sealed.get(1 + NONCE.len()..) {
        Some(tag_and_ciphertext) if valgrind::is_all_secret(tag_and_ciphertext) => Ok(()),
        _ => Err("what was sealed does not depend on the secrets: the check proves nothing".into()),
    }
}

fn secret_envelope() -> Result<Envelope> {
    let mut key = KEY;
    valgrind::mark_secret(&mut key);
    Ok(Envelope::from_key(&key)?)
}

/// How many leaks are told one by one.
const SHOWN: usize = 8;

/// How often the compiled engine looks at whether a tag was right: `crypto_secretbox` keeps it in a register and jumps on it
/// twice, once to decrypt and once to return. Where a new compiler changes a number here, read what it made of it.
const COMPLAINTS_A_VERDICT: usize = if cfg!(feature = "simd") { 1 } else { 2 };

const KEY: [u8; 32] = *b"0123456789abcdef0123456789abcdef";
const NONCE: [u8; 24] = *b"a nonce for guards only.";
