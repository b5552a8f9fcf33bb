//! Where there is no operating system: builds without `std`, on bare metal and for WebAssembly.

use crate::counts::Counts;
use crate::test::Context;
use crate::{Result, targets};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let mut builds = Vec::new();
    for target in [targets::BARE_METAL, targets::WASM] {
        targets::ensure(target, context.repo, &context.shell)?;
        for features in ["portable", "portable,serde", "portable,serde,inspect"] {
            builds.push(format!(
                "build --locked -p cardseal --no-default-features --features {features} --target {target}"
            ));
        }
    }
    let vectors = "build --locked -p cardseal --no-default-features --features simd,serde --target";
    builds.push(format!("{vectors} {}", targets::WASM));
    context.cargo_all(&builds.iter().map(String::as_str).collect::<Vec<_>>())
}
