//! The core's tests and examples. Each engine also runs alone: with both on, `simd` hides the other.

use crate::Result;
use crate::counts::Counts;
use crate::test::Context;

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let mut counts = Counts::default();
    for features in FEATURES {
        counts += context.cargo_test(&format!("-p cardseal {features}"))?;
    }
    Ok(counts)
}

const FEATURES: &[&str] = &[
    "",                                                       // std, portable, serde
    "--all-features",                                         // with `small`, as in WebAssembly
    "--no-default-features --features std,simd,serde,writer", // as in Python
    // What another crate of a program may turn on: `serde_json` then reads in other ways.
    "--lib --features serde_json/arbitrary_precision,serde_json/raw_value json::deserialize",
];
