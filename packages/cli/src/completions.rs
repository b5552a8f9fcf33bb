//! `cardseal completions`.

use clap::Args;
use clap_complete::Shell;

use crate::failure::Stop;
use crate::{arguments, output};

/// Print a completion script for a shell
#[derive(Args)]
#[command(after_help = "Example: cardseal completions bash > ~/.local/share/bash-completion/completions/cardseal")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(Completions { shell }: &Completions) -> Result<(), Stop> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut arguments::command(), "cardseal", &mut script);
    output::write(&[&script])
}
