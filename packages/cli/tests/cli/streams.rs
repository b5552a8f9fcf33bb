//! Pipes that break, never end, or have to be answered at once.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Child;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::run::{BODY, cardseal};

/// Status and standard error of a run whose reader went away.
fn ended(mut child: Child) -> (Option<i32>, String) {
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code(), stderr)
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    for arguments in [&["open"][..], &["completions", "zsh"], &["--help"]] {
        let mut child = cardseal(arguments).start();
        drop(child.stdout.take());
        // Whether this still arrives depends on how fast the other side is gone.
        let _ = child.stdin.take().unwrap().write_all(BODY.as_bytes());
        assert_eq!(ended(child), (Some(0), String::new()), "{arguments:?}");
    }
}

#[test]
fn batch_stops_when_nobody_reads_its_answers() {
    let mut child = cardseal(&["batch"]).start();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let line = b"{\"operation\":\"normalize_path\",\"path\":\"/cards/get\"}\n";
    while stdin.write_all(line).is_ok() {}
    assert_eq!(ended(child), (Some(0), String::new()));
}

#[test]
fn an_endless_input_is_cut_off() {
    for (arguments, code) in [
        (&["open", "--max-bytes", "100000"][..], "too_large"),
        (&["seal", "--max-bytes", "100000"], "too_large"),
        (&["encrypt", "--max-bytes", "100000"], "too_large"),
        (&["decrypt", "--max-bytes", "100000"], "too_large"),
    ] {
        let mut child = cardseal(arguments).start();
        let mut stdin = child.stdin.take().unwrap();
        while stdin.write_all(&[b' '; 4096]).is_ok() {}
        let (status, stderr) = ended(child);
        assert_eq!(status, Some(1));
        assert!(stderr.ends_with(&format!("({code})\n")), "{stderr}");
    }
}

#[test]
fn batch_answers_before_the_next_line_is_written() {
    let mut child = cardseal(&["batch"]).start();
    let mut stdin = child.stdin.take().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (sender, answers) = mpsc::channel();
    thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    for round in 0..20 {
        // Two whole lines at once, and then a line in two pieces.
        let line = |id: &str| format!("{{\"id\":\"{round}{id}\",\"operation\":\"normalize_path\",\"path\":\"/x\"}}\n");
        let answer = |id: &str| format!("{{\"id\":\"{round}{id}\",\"ok\":{{\"path\":\"/api/v1/x\"}}}}");
        let (a, b, c) = (line("a"), line("b"), line("c"));
        let (start, end) = c.split_at(20);
        stdin.write_all(format!("{a}{b}{start}").as_bytes()).unwrap();
        for id in ["a", "b"] {
            // Far longer than it takes: only there so that a hang is a failure.
            assert_eq!(answers.recv_timeout(Duration::from_secs(60)).unwrap(), answer(id));
        }
        stdin.write_all(end.as_bytes()).unwrap();
        assert_eq!(answers.recv_timeout(Duration::from_secs(60)).unwrap(), answer("c"));
    }
    drop(stdin);
    assert_eq!(ended(child), (Some(0), String::new()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_input_output_error() {
    use std::process::{Command, Stdio};
    for arguments in [&["timestamp"][..], &["--help"], &["completions", "bash"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_cardseal"))
            .args(arguments)
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr, "cardseal: cannot write to standard output: no storage space (io_error)\n");
    }
}
