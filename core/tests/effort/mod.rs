//! How long random tests look: `cargo xtask test --full` sets CARDSEAL_EFFORT.

#![allow(clippy::unwrap_used, reason = "tests")]

/// As many cases as usual, or that many times as many.
pub(crate) fn cases(usual: u32) -> u32 {
    let effort = std::env::var("CARDSEAL_EFFORT").map(|effort| effort.parse().unwrap());
    usual * effort.unwrap_or(1_u32)
}
