//! Each language's package as its users install it, for programs that use it: drivers, examples, benchmarks.

use std::path::{Path, PathBuf};

use crate::npm::{self, Npm};
use crate::python::Interpreter;
use crate::repo::Repo;
use crate::shell::Shell;
use crate::{Result, fail, go, python};

/// An interpreter that has the wheel, and the libraries that go with it: HTTP clients, frameworks, PyNaCl.
pub(crate) fn python(repo: &Repo, shell: &Shell) -> Result<PathBuf> {
    python_with(repo, shell, "installed", python::TESTS)
}

/// An interpreter that has the wheel and what a file of requirements names, in an environment of that name.
pub(crate) fn python_with(repo: &Repo, shell: &Shell, name: &str, requirements: &str) -> Result<PathBuf> {
    let default = Interpreter::default(repo)?;
    let tools = python::environment(repo, shell, &default, "python-tools", python::DEVELOPMENT)?;
    let wheel = python::build_wheel(repo, shell, &tools, &default)?;
    let interpreter = python::environment(repo, shell, &default, name, requirements)?;
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

/// The crates that are published, in the order in which they need one another.
pub(crate) const CRATES: &[(&str, &str)] = &[
    ("cardseal", "core"),
    ("cardseal-http", "packages/http"),
    ("cardseal-server", "packages/server"),
    ("cardseal-cli", "packages/cli"),
];

/// Packs the crates, and gives the archives.
pub(crate) fn crates(repo: &Repo, shell: &Shell) -> Result<Vec<PathBuf>> {
    // What is packed is built by those who ask for it; `--allow-dirty`: the tree of somebody who works is.
    let mut command = repo.cargo("package --quiet --locked --no-verify --allow-dirty");
    command.args(CRATES.iter().flat_map(|(name, _)| ["-p", name]));
    shell.run(&mut command)?;
    let archive = |name: &str| repo.target().join(format!("package/{name}-{}.crate", env!("CARGO_PKG_VERSION")));
    Ok(CRATES.iter().map(|(name, _)| archive(name)).collect())
}

/// The examples in Rust, built from the crates as they are packed, in a workspace that has nothing else of this repository.
pub(crate) fn rust(repo: &Repo, shell: &Shell) -> Result<PathBuf> {
    let folder = repo.target().join("xtask/crates");
    for archive in crates(repo, shell)? {
        unpack(repo, shell, &archive, &folder)?;
    }
    let mut manifest = repo.read("Cargo.toml")?;
    let members = manifest.find("members = [").zip(manifest.find("default-members"));
    let Some((from, to)) = members else { return fail("Cargo.toml has no members, or no default ones") };
    manifest.replace_range(from..to, "members = [\"examples\"]\n# ");
    let mut patch = String::from("\n[patch.crates-io]\n");
    for (name, path) in CRATES {
        let unpacked = format!("{name}-{}", env!("CARGO_PKG_VERSION"));
        manifest = manifest.replace(&format!("path = {path:?}"), &format!("path = {unpacked:?}"));
        patch += &format!("{name} = {{ path = {unpacked:?} }}\n");
    }
    npm::write(&folder.join("Cargo.toml"), &(manifest + &patch))?;
    npm::copy(&repo.path("Cargo.lock"), &folder.join("Cargo.lock"))?;
    npm::copy_tree(&repo.path("examples/rust"), &folder.join("examples"))?;
    let mut build = repo.cargo("build --quiet -p cardseal-examples --bins");
    build.current_dir(&folder).env("CARGO_TARGET_DIR", repo.target()); // what both workspaces need is built once
    shell.run(&mut build)?;
    Ok(repo.target().join("debug"))
}

/// Unpacks a crate, unless it is there as it is: cargo builds what is newer.
fn unpack(repo: &Repo, shell: &Shell, archive: &Path, folder: &Path) -> Result<()> {
    let name = archive.file_name().unwrap_or_default();
    let (fresh, kept) = (std::fs::read(archive), std::fs::read(folder.join(name)));
    if matches!((&fresh, &kept), (Ok(fresh), Ok(kept)) if fresh == kept) {
        return Ok(());
    }
    let unpacked = folder.join(Path::new(name).file_stem().unwrap_or_default());
    let _ = std::fs::remove_dir_all(&unpacked); // there may be none
    std::fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    shell.run(repo.command("tar").arg("-xzmf").arg(archive).arg("-C").arg(folder))?;
    npm::copy(archive, &folder.join(name))
}

/// A path as an argument of a command that is written down.
pub(crate) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
