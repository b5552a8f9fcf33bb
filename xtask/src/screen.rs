//! What a person sees: lines on standard output, and colour and progress if that is a terminal.

use std::io::{IsTerminal, Write as _};
use std::time::Duration;

/// `println!` that does not panic when nobody reads any more.
macro_rules! say {
    ($($text:tt)*) => { $crate::screen::write_line(format_args!($($text)*)) };
}
pub(crate) use say;

pub(crate) fn write_line(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

pub(crate) fn write_raw(bytes: &[u8]) {
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(bytes);
    let _ = stdout.flush();
}

pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

pub(crate) fn has_colour() -> bool {
    is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

pub(crate) fn good(text: &str) -> String {
    paint("32", text)
}

pub(crate) fn bad(text: &str) -> String {
    paint("31;1", text)
}

pub(crate) fn bold(text: &str) -> String {
    paint("1", text)
}

fn paint(style: &str, text: &str) -> String {
    if has_colour() { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
}

/// One line that overwrites itself while a command runs, and is gone afterwards. Nothing outside a terminal.
pub(crate) struct Progress {
    what: String,
    shown: Option<u64>,
}

impl Progress {
    pub(crate) fn of(what: &str) -> Self {
        Self { what: what.chars().take(WIDTH).collect(), shown: None }
    }

    pub(crate) fn show(&mut self, elapsed: Duration) {
        let seconds = elapsed.as_secs();
        if is_terminal() && self.shown != Some(seconds) {
            self.shown = Some(seconds);
            write_raw(format!("\r\x1b[2K   {seconds:>3} s  {}", self.what).as_bytes());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            write_raw(b"\r\x1b[2K");
        }
    }
}

const WIDTH: usize = 68; // with the seconds before it, a line of an 80-column terminal
