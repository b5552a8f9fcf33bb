//! Lints. A set-up is listed where it compiles lines that no set-up above it does.

use crate::counts::Counts;
use crate::test::Context;
use crate::{Result, targets};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    targets::ensure(targets::WASM, context.repo, &context.shell)?;
    context.cargo_all(&[
        "clippy --locked --workspace --all-targets -- -D warnings",
        "clippy --locked -p cardseal --all-targets --all-features -- -D warnings",
        "clippy --locked -p cardseal --all-targets --no-default-features --features std,simd,serde,writer -- -D warnings",
        "clippy --locked -p cardseal --no-default-features --features portable -- -D warnings",
        "clippy --locked -p cardseal --no-default-features --features portable,serde,inspect --target wasm32-unknown-unknown -- -D warnings",
        "clippy --locked -p cardseal-server --all-targets --all-features -- -D warnings",
        "clippy --locked -p cardseal-http --all-targets --no-default-features --features middleware,server,redis -- -D warnings",
        "clippy --locked -p cardseal-cli --all-targets --no-default-features -- -D warnings",
        "clippy --locked -p cardseal-wasm --features inspect --target wasm32-unknown-unknown -- -D warnings",
    ])
}
