//! Where things are: the repository's root, whatever the current directory, and the target directory.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::{Result, screen, shell};

#[derive(Clone)]
pub(crate) struct Repo {
    root: PathBuf,
    target: PathBuf,
    is_full: bool,
}

impl Repo {
    pub(crate) fn find() -> Result<Self> {
        // Cargo says at run time which checkout it runs; the compiled-in path is for a binary started by hand.
        let manifest =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = manifest.parent().ok_or("xtask has no folder above it")?.to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) if !folder.is_empty() => {
                env::current_dir().map_err(|error| format!("no current directory: {error}"))?.join(folder)
            }
            _ => root.join("target"),
        };
        Ok(Self { root, target, is_full: false })
    }

    /// Random tests look for longer in what is started from here.
    pub(crate) fn at_full_effort(&self) -> Self {
        Self { is_full: true, ..self.clone() }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    pub(crate) fn read(&self, relative: &str) -> Result<String> {
        fs::read_to_string(self.path(relative)).map_err(|error| format!("cannot read {relative}: {error}"))
    }

    pub(crate) fn write(&self, relative: &str, text: &str) -> Result<()> {
        fs::write(self.path(relative), text).map_err(|error| format!("cannot write {relative}: {error}"))
    }

    /// A command that runs in the root, with the same target directory as the caller of xtask.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        if self.is_full {
            command.env("CARDSEAL_EFFORT", FULL_EFFORT);
        }
        command
    }

    /// `cargo <words>`, split at white space.
    pub(crate) fn cargo(&self, words: &str) -> Command {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(words.split_whitespace());
        command.env("CARGO_TERM_COLOR", if screen::has_colour() { "always" } else { "never" });
        command
    }

    /// The files that differ from the last commit, one a line. In containers the checkout often has another owner.
    pub(crate) fn git_status(&self) -> Result<String> {
        shell::pipe(
            self.command("git").args(["-c", "safe.directory=*", "status", "--porcelain", "--untracked-files=all"]),
            "",
        )
    }
}

/// How many times as many random cases as usual.
const FULL_EFFORT: &str = "20";
