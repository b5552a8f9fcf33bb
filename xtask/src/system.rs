//! Programs of the system that tests need: installed where that takes no question, else named.

use std::env;
use std::path::Path;

use crate::repo::Repo;
use crate::screen::say;
use crate::shell::{self, Shell};

/// Makes sure that a program is there, and says whether it is. Without it the tests that need it say so and are skipped.
pub(crate) fn ensure(program: &str, package: &str, repo: &Repo, shell: &Shell) -> bool {
    if is_installed(program) {
        return true;
    }
    let is_root = shell::pipe(repo.command("id").arg("-u"), "").is_ok_and(|id| id.trim() == "0");
    if !(is_root && is_installed("apt-get")) {
        say!("   {program} is not installed; on Debian: apt-get install {package}");
        return false;
    }
    say!("   installing {package}, which has {program} …");
    for words in [&["update", "-qq"][..], &["install", "-y", "-qq", "--no-install-recommends", package]] {
        if let Err(error) = shell.run(repo.command("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(words)) {
            say!("   {error}");
        }
    }
    is_installed(program)
}

fn is_installed(program: &str) -> bool {
    let Some(folders) = env::var_os("PATH") else { return false };
    env::split_paths(&folders).any(|folder| Path::new(&folder).join(program).is_file())
}
