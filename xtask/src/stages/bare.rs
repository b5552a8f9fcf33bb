//! Where there is no operating system: builds without `std`, for the host and for wasm32.

use crate::counts::Counts;
use crate::test::Context;
use crate::{Result, wasm};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    wasm::ensure_target(context.repo, &context.shell)?;
    context.cargo_all(&[
        "build --locked -p cardseal --no-default-features --features portable",
        "build --locked -p cardseal --no-default-features --features portable,serde",
        "build --locked -p cardseal --no-default-features --features portable --target wasm32-unknown-unknown",
        "build --locked -p cardseal --no-default-features --features portable,serde --target wasm32-unknown-unknown",
        "build --locked -p cardseal --no-default-features --features portable,serde,inspect --target wasm32-unknown-unknown",
    ])
}
