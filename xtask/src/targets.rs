//! The targets of the toolchain beside the host's own.

use std::path::Path;

use crate::Result;
use crate::repo::Repo;
use crate::shell::{self, Shell};

pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// A target that has no `std` at all, so that a `no_std` build there proves what it says.
pub(crate) const BARE_METAL: &str = "thumbv7em-none-eabi";

/// Installs a target's standard library if it is missing. Cargo does not do so by itself.
pub(crate) fn ensure(target: &str, repo: &Repo, shell: &Shell) -> Result<()> {
    let folder = shell::pipe(repo.command("rustc").args(["--print", "target-libdir", "--target", target]), "")?;
    if Path::new(folder.trim()).exists() {
        return Ok(());
    }
    shell
        .run(repo.command("rustup").args(["target", "add", target]))
        .map_err(|error| format!("{error}; {target} has to be installed by hand"))
}
