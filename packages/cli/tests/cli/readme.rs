//! The README: its commands print what it says, and its table has every operation.

use crate::run::cardseal;

const README: &str = include_str!("../../README.md");
const OPERATIONS: &str = include_str!("../../src/batch/operations.rs");

#[test]
fn the_table_has_every_operation_and_no_other() {
    let (operations, _) = OPERATIONS.split_once("\n}\n").unwrap();
    let known = operations
        .lines()
        .filter_map(|line| line.strip_prefix("        \"")?.split_once("\" => "))
        .map(|(name, _)| name);
    let (_, table) = README.split_once("| operation | members |").unwrap();
    let listed =
        table.lines().skip(2).map_while(|line| line.strip_prefix("| `")?.split_once("` |")).map(|(name, _)| name);
    let (mut known, mut listed): (Vec<_>, Vec<_>) = (known.collect(), listed.collect());
    known.sort_unstable();
    listed.sort_unstable();
    assert!(known.len() > 20);
    assert_eq!(known, listed);
    for operation in known {
        let answer = cardseal(&["batch"]).input(format!("{{\"operation\":\"{operation}\"}}")).ok();
        assert!(answer.contains("is needed") || answer.contains("is missing"), "{answer}");
    }
}

#[cfg(unix)]
#[test]
fn the_commands_print_what_it_says() {
    use crate::run::{BARE_BODY, PAYLOAD};
    use std::path::Path;
    use std::process::Command;

    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("payload.json"), PAYLOAD).unwrap();
    std::fs::write(directory.join("answer.json"), BARE_BODY).unwrap();
    std::fs::write(directory.join("duplicate.json"), "{\"error\":\"Duplicate request detected\"}").unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_cardseal")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());

    let blocks = README.split("```console\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let commands: Vec<(&str, &str)> = blocks
        .flat_map(|(block, _)| block.split("$ ").skip(1))
        .map(|command| command.split_once('\n').unwrap())
        .collect();
    assert!(commands.len() >= 6);
    let mut exports = String::new();
    for (command, expected) in commands {
        if command.starts_with("export ") {
            exports = format!("{exports}{command}; ");
            continue;
        }
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{exports}{command} 2>&1")).current_dir(&directory).env("PATH", &path);
        let output = String::from_utf8(shell.output().unwrap().stdout).unwrap();
        assert!(is_like(&output, expected), "$ {command}\n{output}\ninstead of\n{expected}");
    }
}

/// Whether two texts agree line by line, where `…` stands for any text.
#[cfg(unix)]
fn is_like(output: &str, expected: &str) -> bool {
    let same = |(output, expected): (&str, &str)| match expected.split_once('…') {
        Some((start, end)) => {
            output.starts_with(start) && output.ends_with(end) && output.len() >= start.len() + end.len()
        }
        None => output == expected,
    };
    output.lines().count() == expected.lines().count() && output.lines().zip(expected.lines()).all(same)
}
