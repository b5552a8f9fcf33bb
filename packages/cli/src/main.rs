//! `cardseal`: seals, opens and explains the encrypted envelopes of a card-issuing API.
//!
//! Every rule is the library's; what stands here is arguments, files and the shape of the output. A file for each
//! command, or for a few that belong together.

mod answer;
mod arguments;
mod batch;
mod completions;
mod failure;
mod field;
mod generate;
mod input;
mod inspect;
mod key;
mod open;
mod output;
#[cfg(feature = "sandbox")]
mod sandbox;
mod seal;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use failure::Stop;

fn main() -> ExitCode {
    let (json, result) = match arguments::parse() {
        Ok(arguments) => (arguments.common.json, run(&arguments)),
        Err(stop) => (arguments::json_is_asked_for(), Err(stop)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Exit(code)) => ExitCode::from(code),
        Err(Stop::Failure(failure)) => {
            output::complain(&failure, json);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(Arguments { common, command }: &Arguments) -> Result<(), Stop> {
    match command {
        Command::Seal(seal) => seal::run(common, seal),
        Command::Open(open) => open::run(common, open),
        Command::Inspect(inspect) => inspect::run(common, inspect),
        Command::Encrypt(file) => field::encrypt(common, file),
        Command::Decrypt(file) => field::decrypt(common, file),
        Command::Timestamp => generate::timestamp(),
        Command::IdempotencyKey(key) => generate::idempotency_key(key),
        Command::GenerateSecret(secret) => generate::secret(secret),
        Command::Batch(file) => batch::run(common, file),
        #[cfg(feature = "sandbox")]
        Command::Sandbox(sandbox) => sandbox::run(common, sandbox),
        Command::Completions(completions) => completions::run(completions),
    }
}
