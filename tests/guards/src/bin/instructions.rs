//! Does one job so many times: `instructions "seal 256 B" 100`. Without arguments it prints the jobs' names, one a line.
//!
//! Two runs that differ in the number of calls alone differ in the instructions of those calls alone: what is done once,
//! by the program, by its libraries or by the first call, is in both.

#![expect(clippy::print_stdout, reason = "a program for developers")]

use std::hint::black_box;

use cardseal::{Envelope, Timestamp, Window, json};
use cardseal_guards::payloads::{self, Payload};
use cardseal_guards::{Result, processor};
use dryoc::classic::crypto_box::{crypto_box_detached_afternm_inplace, crypto_box_open_detached_afternm_inplace};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let jobs = TASKS.iter().flat_map(|task| SIZES.iter().map(move |size| (format!("{} {size}", task.0), task.1, size)));
    match arguments.as_slice() {
        [] => jobs.for_each(|(name, ..)| println!("{name}")),
        [wanted, calls] => {
            let (_, task, size) = jobs.into_iter().find(|(name, ..)| name == wanted).ok_or("there is no such job")?;
            println!("processor: {}", processor());
            let is_wanted =
                |payload: &Payload| payload.size == *size && payload.shape == "fields" && payload.variant == "ascii";
            let payload = payloads::requests()?.into_iter().find(is_wanted).ok_or("there is no such payload")?;
            task(&payload, calls.parse()?)?;
        }
        _ => return Err("a job and a number of calls are expected, or nothing".into()),
    }
    Ok(())
}

/// Does something with a payload so many times.
type Task = fn(&Payload, u32) -> Result<()>;

const TASKS: &[(&str, Task)] = &[
    ("seal", seal),
    ("seal a struct", seal_struct),
    ("open", open),
    ("read JSON", read),
    ("encrypt in place", encrypt),
    ("decrypt in place", decrypt),
];

const SIZES: &[&str] = &["256 B", "16 KiB"];

fn seal(Payload { text, .. }: &Payload, calls: u32) -> Result<()> {
    let envelope = Envelope::from_key(&KEY)?;
    for _ in 0..calls {
        black_box(envelope.seal_json(black_box(text))?);
    }
    Ok(())
}

fn seal_struct(payload: &Payload, calls: u32) -> Result<()> {
    let envelope = Envelope::from_key(&KEY)?;
    for _ in 0..calls {
        black_box(envelope.seal(black_box(&payload.card))?);
    }
    Ok(())
}

fn open(Payload { text, .. }: &Payload, calls: u32) -> Result<()> {
    let envelope = Envelope::from_key(&KEY)?;
    let body = envelope.seal_json(text)?;
    let now = Timestamp::wall_clock()?;
    for _ in 0..calls {
        black_box(envelope.open_request(black_box(&body), now, Window::MAX)?);
    }
    Ok(())
}

fn read(Payload { text, .. }: &Payload, calls: u32) -> Result<()> {
    for _ in 0..calls {
        json::check(black_box(text))?;
    }
    Ok(())
}

fn encrypt(Payload { text, .. }: &Payload, calls: u32) -> Result<()> {
    let (mut message, mut tag) = (text.as_bytes().to_vec(), [0; 16]);
    for _ in 0..calls {
        crypto_box_detached_afternm_inplace(black_box(&mut message), &mut tag, &NONCE, &KEY);
    }
    Ok(())
}

fn decrypt(Payload { text, .. }: &Payload, calls: u32) -> Result<()> {
    let (mut sealed, mut tag) = (text.as_bytes().to_vec(), [0; 16]);
    crypto_box_detached_afternm_inplace(&mut sealed, &mut tag, &NONCE, &KEY);
    let mut message = sealed.clone();
    for _ in 0..calls {
        message.copy_from_slice(&sealed);
        crypto_box_open_detached_afternm_inplace(black_box(&mut message), &tag, &NONCE, &KEY)?;
    }
    Ok(())
}

const KEY: [u8; 32] = *b"0123456789abcdef0123456789abcdef";
const NONCE: [u8; 24] = *b"a nonce for guards only.";
