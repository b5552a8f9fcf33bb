//! Every adapter under every fault: what goes over the wire, and what is charged. See the README beside this.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for developers: it stops at what it does not expect, and prints"
)]

mod axum;
mod cell;
mod crowd;
mod driver;
mod exchange;
mod fault;
mod lanes;
mod naive;
mod proxy;
mod rust;
mod servers;
mod suite;

use std::process::ExitCode;

use cell::Cell;
use driver::Command;
use fault::Fault;
use lanes::side_by_side;

const HELP: &str = "\
adapters DRIVERS [--only TEXT]   DRIVERS is a JSON file: a list of {\"name\", \"command\": [\"…\"], \"folder\"}
adapters servers DRIVERS         the same for middlewares, and then all of them on one Redis
adapters crowd DRIVERS           the first adapter of each language, all at once, against one server
adapters axum                    the driver of this repository's layer for axum
adapters rust ADAPTER            the drivers of this repository's Rust adapters: client, middleware
adapters naive                   the adapter that is wrong on purpose, as a driver";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["naive"] => {
            naive::run().await;
            ExitCode::SUCCESS
        }
        ["servers", drivers] => servers::table(drivers).await,
        ["crowd", drivers] => crowd::run(drivers).await,
        ["axum"] => {
            axum::run().await;
            ExitCode::SUCCESS
        }
        ["rust", adapter] => {
            rust::run(adapter).await;
            ExitCode::SUCCESS
        }
        [drivers] => table(drivers, "").await,
        [drivers, "--only", text] => table(drivers, text).await,
        _ => {
            println!("{HELP}");
            ExitCode::from(2)
        }
    }
}

/// Runs every driver under every fault, and prints a table; fails if a promise is broken, or if the control breaks none.
async fn table(drivers: &str, only: &str) -> ExitCode {
    let text = std::fs::read_to_string(drivers).expect("a file that lists the drivers");
    let mut commands: Vec<Command> = serde_json::from_str(&text).expect("a list of drivers");
    commands.retain(|command| command.name.contains(only));
    assert!(!commands.is_empty(), "no driver is to be run");
    commands.push(Command::naive());
    println!("{}", Cell::HEAD);
    let mut tables = side_by_side(&commands, cells).await;
    // If these promises cannot be broken, keeping them says nothing.
    let control = tables.pop().expect("the naive adapter's cells");
    let (mut kept, mut broken) = (0, Vec::new());
    for (command, cells) in commands.iter().zip(tables) {
        for (fault, cell) in cells {
            let promises = cell.broken();
            if promises.is_empty() {
                kept += 1;
            } else {
                broken.push(format!("{}, {}: {}", command.name, fault.name(), promises.join("; ")));
            }
        }
    }
    let count = |of: fn(&Cell) -> usize| control.iter().map(|(_, cell)| of(cell)).sum::<usize>();
    if count(|cell| cell.identical) == 0 || count(|cell| cell.unsafe_repeated) == 0 {
        broken.push("the naive adapter broke no promise: this program sees nothing".to_owned());
    }
    println!();
    for cell in &broken {
        println!("broken: {cell}");
    }
    println!("cells: {kept} kept, {} broken", broken.len());
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every fault for one driver, with a row each when all have ended.
async fn cells(command: &Command) -> Vec<(Fault, Cell)> {
    let lane = async |faults: &[Fault]| {
        let mut cells = Vec::new();
        for &fault in faults {
            cells.push((fault, cell::run(command, fault).await));
        }
        cells
    };
    let [one, two, three] = Fault::LANES;
    let (one, two, three) = tokio::join!(lane(one), lane(two), lane(three));
    let cells = [one, two, three].concat();
    for (fault, cell) in &cells {
        println!("{}", cell.row(&command.name, *fault));
    }
    cells
}
