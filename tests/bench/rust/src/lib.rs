//! What the benchmarks share: the candidates, the payloads, and the timing of ratios. `../README.md` tells how to run
//! them and how to read what they print.

pub mod ciphers;
pub mod payloads;
pub mod peers;
pub mod rounds;
pub mod sodium;
pub mod versions;

/// Whatever went wrong; a benchmark can only stop.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
