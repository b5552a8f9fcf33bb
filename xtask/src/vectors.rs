//! The test vectors: written and checked by an oracle in Python that shares no code with the core.

use crate::repo::Repo;
use crate::shell::Shell;
use crate::{Result, python};

pub(crate) const REQUIREMENTS: &str = "tests/vectors/requirements.txt";

pub(crate) fn run(repo: &Repo, shell: &Shell, check: bool) -> Result<()> {
    let interpreter = python::with_requirements(repo, shell, REQUIREMENTS)?;
    let mut command = repo.command(interpreter);
    // -B: no __pycache__ in the working tree
    command.args(["-B", "tests/vectors/generate.py"]).args(check.then_some("--check"));
    shell
        .run(&mut command)
        .map_err(|error| if check { format!("{error}; mend stale files with: cargo xtask vectors") } else { error })
}
