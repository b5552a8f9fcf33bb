//! The documentation; its examples run in the stages `rust`, `server` and `http`.

use crate::Result;
use crate::counts::Counts;
use crate::test::Context;

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    // Not the tool: its binary has the library's name and would overwrite its pages.
    let mut command =
        context.repo.cargo("doc --locked -p cardseal -p cardseal-http -p cardseal-server --no-deps --all-features");
    context.shell.run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Counts::PASSED)
}
