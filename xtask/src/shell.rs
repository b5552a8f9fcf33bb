//! Runs other programs: with their output live, kept back until they fail, or piped.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::screen::{self, Progress, say};
use crate::{Result, fail};

/// How the output of a program reaches the terminal.
pub(crate) struct Shell {
    live: bool,
}

/// A program that ran to its end.
pub(crate) struct Finished {
    pub(crate) success: bool,
    /// Standard output and standard error, line by line as they came.
    pub(crate) text: String,
}

impl Shell {
    pub(crate) fn live() -> Self {
        Self { live: true }
    }

    pub(crate) fn quiet_until_failure() -> Self {
        Self { live: false }
    }

    /// Runs a program that has to succeed.
    pub(crate) fn run(&self, command: &mut Command) -> Result<()> {
        if self.finish(command)?.success { Ok(()) } else { fail(format!("`{}` failed", describe(command))) }
    }

    /// Runs a program to its end, well or not, without standard input, and shows what it printed if it failed.
    pub(crate) fn finish(&self, command: &mut Command) -> Result<Finished> {
        let finished = self.watch(command)?;
        if !finished.success && !self.live {
            say!("$ {}", describe(command));
            screen::write_raw(finished.text.as_bytes());
        }
        Ok(finished)
    }

    /// Runs a program to its end, for a caller that shows itself what is worth it.
    pub(crate) fn watch(&self, command: &mut Command) -> Result<Finished> {
        let what = describe(command);
        if self.live {
            say!("$ {what}");
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{what}` does not start: {error}"))?;
        let (sender, lines) = mpsc::channel();
        forward(child.stdout.take(), sender.clone());
        forward(child.stderr.take(), sender);

        let started = Instant::now();
        let mut progress = Progress::of(&what);
        let mut output = Vec::new();
        loop {
            match lines.recv_timeout(TICK) {
                Ok(line) => {
                    if self.live {
                        screen::write_raw(&line);
                    }
                    output.extend(line);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if !self.live {
                progress.show(started.elapsed());
            }
        }
        let status = child.wait().map_err(|error| format!("`{what}`: {error}"))?;
        drop(progress);
        Ok(Finished { success: status.success(), text: String::from_utf8_lossy(&output).into_owned() })
    }
}

/// Feeds a program its standard input and returns its standard output; it has to succeed. For short texts only.
pub(crate) fn pipe(command: &mut Command, input: &str) -> Result<String> {
    let what = describe(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{what}` does not start: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends without reading says why on standard error: that is the better message.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| format!("`{what}`: {error}"))?;
    if !output.status.success() {
        return fail(format!("`{what}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{what}` printed something that is not UTF-8"))
}

/// The command as one could type it, without the variables that every command gets.
fn describe(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let (Some(name), Some(value)) = (name.to_str(), value)
            && !["CARGO_TARGET_DIR", "CARGO_TERM_COLOR"].contains(&name)
        {
            words.push(format!("{name}='{}'", value.to_string_lossy()));
        }
    }
    let program = std::path::Path::new(command.get_program());
    words.push(program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned());
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Whole lines, so that the two streams of a program cannot tear each other's lines apart.
fn forward(stream: Option<impl Read + Send + 'static>, sender: Sender<Vec<u8>>) {
    let Some(stream) = stream else { return };
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = Vec::new();
            match stream.read_until(b'\n', &mut line) {
                Ok(1..) if sender.send(line).is_ok() => {}
                _ => return,
            }
        }
    });
}

const TICK: Duration = Duration::from_millis(250);
