//! The repository's own commands, and the only place that knows how to build and test it: `cargo xtask --help`.

mod bench;
mod budgets;
mod codegen;
mod counts;
mod data;
mod demo;
mod dependencies;
mod fresh;
mod go;
mod installed;
mod npm;
mod python;
mod repo;
mod screen;
mod shell;
mod stages;
mod system;
mod targets;
mod test;
mod vectors;

use std::process::ExitCode;

use repo::Repo;
use screen::say;
use shell::Shell;

/// Every error is one line for the person at the terminal.
type Result<T> = std::result::Result<T, String>;

fn fail<T>(why: impl Into<String>) -> Result<T> {
    Err(why.into())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        None => fail("a command is missing; cargo xtask --help lists them"),
        Some((name, _)) if ["--help", "-h", "help"].contains(&name.as_str()) => {
            help();
            Ok(ExitCode::SUCCESS)
        }
        Some((name, arguments)) => match COMMANDS.iter().find(|command| command.name == name) {
            Some(command) => Repo::find().and_then(|repo| (command.run)(&repo, arguments)),
            None => fail(format!("there is no command `{name}`; cargo xtask --help lists them")),
        },
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error}");
        ExitCode::FAILURE
    })
}

fn help() {
    say!("Usage: cargo xtask <command>\n\nCommands:");
    for Command { name, arguments, about, .. } in COMMANDS {
        say!("  {:26}{about}", format!("{name} {arguments}"));
    }
    say!("\nStages of `test`, in their order:");
    for stage in stages::STAGES {
        say!("  {:26}{}", stage.name, stage.about);
    }
    say!(
        "\n`test` shows the output of what fails; --verbose shows all of it. With --check nothing is written: a\n\
         committed file that is stale is an error. CI=true turns a skipped test into a failure."
    );
}

struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    /// Ok carries the exit code of a command that has said itself what went wrong.
    run: fn(&Repo, &[String]) -> Result<ExitCode>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        arguments: "",
        about: "Seal and open an example with every package, to and from PyNaCl",
        run: demo::run,
    },
    Command {
        name: "test",
        arguments: "[stage…] [--verbose] [--full]",
        about: "Run every test, or the stages named; --full for hours",
        run: test::run,
    },
    Command {
        name: "codegen",
        arguments: "[--check]",
        about: "Write the tables of all languages from core/data",
        run: |repo, arguments| done(codegen::run(repo, check_flag(arguments)?)),
    },
    Command {
        name: "vectors",
        arguments: "[--check]",
        about: "Write the test vectors with the oracle in Python",
        run: |repo, arguments| done(vectors::run(repo, &Shell::live(), check_flag(arguments)?)),
    },
    Command {
        name: "dependencies",
        arguments: "[--check]",
        about: "Write core/dependencies.txt",
        run: |repo, arguments| done(dependencies::run(repo, check_flag(arguments)?)),
    },
    Command {
        name: "budgets",
        arguments: "",
        about: "Count the core's instructions, and write them down as its budgets",
        run: |repo, arguments| done(no_arguments(arguments).and_then(|()| budgets::write(repo))),
    },
    Command {
        name: "npm",
        arguments: "",
        about: "Build the npm package and pack it below target/npm",
        run: |repo, arguments| {
            no_arguments(arguments)?;
            let shell = Shell::live();
            done(npm::Npm::with_tools(repo, &shell)?.pack().map(|_| ()))
        },
    },
    Command {
        name: "page",
        arguments: "",
        about: "Make the page of examples/browser below target/npm",
        run: |repo, arguments| {
            no_arguments(arguments)?;
            let page = npm::Npm::with_tools(repo, &Shell::live())?.page()?;
            say!("The page, for any file server: python3 -m http.server --directory '{}'", page.display());
            Ok(ExitCode::SUCCESS)
        },
    },
    Command {
        name: "bench",
        arguments: "[what] [option…]",
        about: "Measure against other implementations; `bench all --save` does it all",
        run: bench::run,
    },
];

fn done(outcome: Result<()>) -> Result<ExitCode> {
    outcome.map(|()| ExitCode::SUCCESS)
}

fn no_arguments(arguments: &[String]) -> Result<()> {
    if arguments.is_empty() { Ok(()) } else { fail(format!("`{}` is unknown here", arguments.join(" "))) }
}

fn check_flag(arguments: &[String]) -> Result<bool> {
    match arguments {
        [] => Ok(false),
        [flag] if flag == "--check" => Ok(true),
        _ => fail(format!("`{}` is unknown here; the only argument is --check", arguments.join(" "))),
    }
}
