//! The WebAssembly target of the toolchain.

use std::path::Path;

use crate::Result;
use crate::repo::Repo;
use crate::shell::{self, Shell};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Installs the target's standard library if it is missing. Cargo does not do so by itself.
pub(crate) fn ensure_target(repo: &Repo, shell: &Shell) -> Result<()> {
    let folder = shell::pipe(repo.command("rustc").args(["--print", "target-libdir", "--target", TARGET]), "")?;
    if Path::new(folder.trim()).exists() {
        return Ok(());
    }
    shell
        .run(repo.command("rustup").args(["target", "add", TARGET]))
        .map_err(|error| format!("{error}; {TARGET} has to be installed by hand"))
}
