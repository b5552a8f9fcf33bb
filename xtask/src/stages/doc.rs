//! The documentation; its examples run in the stage `rust`.

use crate::Result;
use crate::counts::Counts;
use crate::test::Context;

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    // The core alone: the tool's binary has the library's name and would overwrite its pages.
    let mut command = context.repo.cargo("doc --locked -p cardseal --no-deps --all-features");
    context.shell.run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Counts::PASSED)
}
