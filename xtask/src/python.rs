//! A Python environment of our own below the target directory, with pinned packages.

use std::fs;
use std::path::PathBuf;

use crate::Result;
use crate::repo::Repo;
use crate::shell::{self, Shell};

/// The interpreter of an environment that has what the file of requirements names. Made once, renewed when that changes.
pub(crate) fn with_requirements(repo: &Repo, shell: &Shell, requirements: &str) -> Result<PathBuf> {
    let folder = repo.target().join("xtask").join("python");
    let interpreter = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let marker = folder.join("installed.txt");

    let version = shell::pipe(repo.command(PYTHON).arg("--version"), "")?;
    let wanted = format!("{version}{}", repo.read(requirements)?);
    let installed = fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted);
    if !installed || !interpreter.exists() {
        shell.run(repo.command(PYTHON).args(["-m", "venv", "--clear"]).arg(&folder))?;
        shell.run(repo.command(&interpreter).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
            "-r",
            requirements,
        ]))?;
        fs::write(&marker, wanted).map_err(|error| format!("cannot write {}: {error}", marker.display()))?;
    }
    Ok(interpreter)
}

const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };
