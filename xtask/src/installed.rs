//! Each language's package as its users install it, for programs that use it: drivers, examples, benchmarks.

use std::path::{Path, PathBuf};

use crate::npm::{self, Npm};
use crate::python::Interpreter;
use crate::repo::Repo;
use crate::shell::Shell;
use crate::{Result, fail, go, python};

/// An interpreter that has the wheel, and the libraries that go with it: HTTP clients, frameworks, PyNaCl.
pub(crate) fn python(repo: &Repo, shell: &Shell) -> Result<PathBuf> {
    let default = Interpreter::default(repo)?;
    let tools = python::environment(repo, shell, &default, "python-tools", python::DEVELOPMENT)?;
    let wheel = python::build_wheel(repo, shell, &tools, &default)?;
    let interpreter = python::environment(repo, shell, &default, "installed", python::TESTS)?;
    python::install_wheel(repo, shell, &interpreter, &wheel)?;
    Ok(interpreter)
}

/// A project that has the tarballs installed, and the libraries that go with them; `folders` of the repository are copied into it.
pub(crate) fn node(repo: &Repo, shell: &Shell, name: &str, folders: &[&str]) -> Result<PathBuf> {
    let npm = Npm::with_tools(repo, shell)?;
    let project = npm.project(name, &npm.pack()?)?;
    npm.link_tools(&project, npm::PACKAGE)?;
    for folder in folders {
        npm::copy_sources(&repo.path(folder), &project)?;
    }
    Ok(project)
}

/// The programs of a module, built into a folder, which is given back.
pub(crate) fn go(repo: &Repo, shell: &Shell, module: &str, packages: &str) -> Result<PathBuf> {
    if !go::is_installed(repo) {
        return fail(go::MISSING);
    }
    let folder = repo.target().join("xtask").join(module.replace('/', "-"));
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    shell.run(go::command(repo, module, &["build", "-o"]).arg(&folder).arg(packages))?;
    Ok(folder)
}

/// A path as an argument of a command that is written down.
pub(crate) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
