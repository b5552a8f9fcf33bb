//! What the command line may say.

use std::path::PathBuf;

use cardseal::{DEFAULT_MAX_BYTES, Layout, Timestamp, Window};
use clap::error::ErrorKind;
use clap::{Arg, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::failure::{Failure, Stop};
use crate::output;
#[cfg(feature = "sandbox")]
use crate::sandbox;
use crate::{completions, generate, inspect, open, seal};

/// Seal, open and explain the encrypted envelopes of a card-issuing API
#[derive(Parser)]
#[command(name = "cardseal", version, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Environment (a flag beats it; an empty variable counts as unset):
  CARDSEAL_SECRET   the API secret
  CARDSEAL_API_KEY  the API key for `seal --path`
  CARDSEAL_URL      names the host that `seal --print request` shows

Exit status: 0 done, 1 refused (an error of the envelope or the API),
  2 wrong usage, input or output

Example: echo '{\"card_id\":\"card_abc123\"}' | cardseal seal | cardseal open";

// No doc comment here has a second paragraph, and no value of an option has one at all: clap would spread the options
// of the whole command over three times as many lines.
#[derive(Subcommand)]
pub(crate) enum Command {
    Seal(seal::Seal),
    Open(open::Open),
    Inspect(inspect::Inspect),
    /// Encrypt any bytes into the text that goes under `encrypted`
    #[command(after_help = "Example: printf 'any bytes' | cardseal encrypt")]
    Encrypt(Input),
    /// Decrypt the text that stands under `encrypted` into bytes
    #[command(after_help = "Example: printf 'any bytes' | cardseal encrypt | cardseal decrypt")]
    Decrypt(Input),
    /// Print a `request_timestamp`: microseconds since 1970
    #[command(after_help = "Example: cardseal timestamp")]
    Timestamp,
    IdempotencyKey(generate::IdempotencyKey),
    GenerateSecret(generate::GenerateSecret),
    /// Answer JSON lines, one operation a line, for other programs
    #[command(after_help = BATCH)]
    Batch(Input),
    #[cfg(feature = "sandbox")]
    Sandbox(sandbox::Sandbox),
    Completions(completions::Completions),
}

const BATCH: &str = "\
Each line is an object with an `operation`; its answer is a line with `ok` or `error`, and with the
line's `id` if it has one. Answers are flushed whenever no further line is waiting. The README of
this tool lists the operations and their fields.

Example: echo '{\"operation\":\"normalize_path\",\"path\":\"/cards/get\"}' | cardseal batch";

/// Where the input comes from.
#[derive(Args)]
pub(crate) struct Input {
    /// Read from this file; none, or `-`, is standard input
    pub(crate) file: Option<PathBuf>,
}

/// What every command that needs a key understands, before or after its name.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Common {
    /// The secret [else: CARDSEAL_SECRET, or a prompt]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// An older secret, which only opens; up to 4
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) open_secret_file: Vec<PathBuf>,
    /// versioned or bare
    #[arg(long, global = true, value_enum, hide_possible_values = true, default_value_t, value_name = "LAYOUT")]
    pub(crate) layout: LayoutName,
    /// The largest HTTP body
    #[arg(long, global = true, value_name = "BYTES", default_value_t = DEFAULT_MAX_BYTES)]
    pub(crate) max_bytes: usize,
    /// Errors, and the report of `inspect`, as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The commands that have no key, so that their help is not about keys either.
const KEYLESS: &[&str] = &[
    "timestamp",
    "idempotency-key",
    "generate-secret",
    "completions",
    #[cfg(feature = "sandbox")]
    "sandbox",
];
const KEY_ARGUMENTS: [&str; 4] = ["secret_file", "open_secret_file", "layout", "max_bytes"];

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum LayoutName {
    #[default]
    Versioned,
    Bare,
}

impl From<LayoutName> for Layout {
    fn from(name: LayoutName) -> Self {
        match name {
            LayoutName::Versioned => Self::Versioned,
            LayoutName::Bare => Self::Bare,
        }
    }
}

/// The server's clock and window.
#[derive(Args)]
pub(crate) struct Freshness {
    /// How far the clocks may differ, 1 to 30 [default: 30]
    #[arg(long, value_name = "SECONDS")]
    window: Option<u64>,
    /// The server's clock, in microseconds since 1970 [default: now]
    #[arg(long, value_name = "N")]
    now_micros: Option<u64>,
}

impl Freshness {
    pub(crate) const fn is_given(&self) -> bool {
        self.window.is_some() || self.now_micros.is_some()
    }

    pub(crate) fn window(&self) -> cardseal::Result<Window> {
        self.window.map_or(Ok(Window::MAX), Window::from_seconds)
    }

    pub(crate) fn now(&self) -> cardseal::Result<Timestamp> {
        self.now_micros.map_or_else(Timestamp::wall_clock, Timestamp::from_micros)
    }
}

/// The command line, or help printed and an exit.
pub(crate) fn parse() -> Result<Arguments, Stop> {
    let parsed = command().try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches));
    parsed.or_else(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            error.print().map_err(|error| output::stopped(&error))?;
            Err(Stop::Exit(0))
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // Where standard error is closed, nobody wants the help.
            let _ = error.print();
            Err(Stop::Exit(2))
        }
        _ => Err(Failure::usage(in_one_line(&error)).into()),
    })
}

/// Where the command line itself is wrong, `--json` counts all the same.
pub(crate) fn json_is_asked_for() -> bool {
    std::env::args_os().take_while(|argument| argument != "--").any(|argument| argument == "--json")
}

/// The whole command line's definition.
pub(crate) fn command() -> clap::Command {
    let command = Arguments::command();
    let is_about_keys = |argument: &&Arg| KEY_ARGUMENTS.contains(&argument.get_id().as_str());
    let hidden: Vec<Arg> = command.get_arguments().filter(is_about_keys).map(|key| key.clone().hide(true)).collect();
    // A command that has an argument of this name keeps it when the global ones are handed down.
    KEYLESS.iter().fold(command, |command, name| command.mut_subcommand(name, |keyless| keyless.args(hidden.clone())))
}

/// What is wrong, without the usage and the pointer to the help that clap puts below it.
fn in_one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.split("\n\nUsage:").next().unwrap_or_default();
    let text = text.split("\n\nFor more information").next().unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ").trim_start_matches("error: ").replace(" tip: ", "; ")
}
