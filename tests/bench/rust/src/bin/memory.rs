//! Prints how many bytes the peak of sealing a mebibyte is above what the process had before: on Linux.

#![expect(clippy::print_stdout, reason = "a program for developers")]

use std::fs;

use cardseal::Envelope;
use cardseal_bench::{Result, payloads};

fn main() -> Result<()> {
    let shape = std::env::var("BENCH_SHAPE")?;
    let is_wanted =
        |payload: &payloads::Payload| payload.bytes == 1 << 20 && payload.shape == shape && payload.variant == "ascii";
    let payloads = payloads::requests()?; // all are kept: memory that others gave back would be taken first
    let card = &payloads.iter().find(|payload| is_wanted(payload)).ok_or("BENCH_SHAPE is no shape")?.card;
    let envelope = Envelope::new("your_api_secret_key_here")?;
    envelope.seal_json("{}")?;
    fs::write("/proc/self/clear_refs", "5")?; // the peak starts anew
    let before = kilobytes("VmRSS:")?;
    let body = envelope.seal(card)?;
    let peak = kilobytes("VmHWM:")?;
    println!("{}", 1024 * (peak - before));
    if body.len() < 1 << 20 { Err("that was no mebibyte".into()) } else { Ok(()) }
}

fn kilobytes(name: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("the kernel does not say")?;
    Ok(line.split_whitespace().next().ok_or("the kernel does not say")?.parse()?)
}
