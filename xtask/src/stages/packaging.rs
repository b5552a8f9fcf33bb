//! What is published: nothing is in it but what is meant to be, and all of it has one version. That it can be installed and used is the
//! demo's to show, and of the Python and npm packages their own stages'.

use std::path::Path;

use crate::counts::Counts;
use crate::python::Interpreter;
use crate::repo::Repo;
use crate::shell::{self, Shell};
use crate::test::Context;
use crate::{Result, fail, go, installed, python};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let Context { repo, shell, .. } = context;
    let mut counts = versions(repo)?;
    for archive in installed::crates(repo, shell)? {
        let listed = shell::pipe(repo.command("tar").arg("-tzf").arg(&archive), "")?;
        counts += only(
            &archive,
            listed.lines().filter_map(|line| line.split_once('/')).map(|(_, file)| file),
            &["src/", "data/", "Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json", "README.md"],
        )?;
    }
    counts += wheel(repo, shell)?;
    Ok(counts)
}

/// A module of Go and the packages of other registries cannot ask cargo for theirs.
fn versions(repo: &Repo) -> Result<Counts> {
    let version = env!("CARGO_PKG_VERSION");
    let mut counts = Counts::default();
    for (file, wanted) in [
        ("packages/go/tables_gen.go", format!("const Version = \"{version}\"")),
        ("packages/npm/package.json", format!("\"version\": \"{version}\"")),
        ("CHANGELOG.md", format!("## [{version}]")),
        (&*format!("{}/go.mod", go::EXAMPLES), format!("packages/go v{version}")),
    ] {
        if !repo.read(file)?.contains(&wanted) {
            return fail(format!("{file} does not have `{wanted}`: one version is everywhere"));
        }
        counts += Counts::PASSED;
    }
    Ok(counts)
}

fn wheel(repo: &Repo, shell: &Shell) -> Result<Counts> {
    let default = Interpreter::default(repo)?;
    let tools = python::environment(repo, shell, &default, "python-tools", python::DEVELOPMENT)?;
    let wheel = python::build_wheel(repo, shell, &tools, &default)?;
    if !wheel.to_string_lossy().contains(&format!("cardseal-{}-", env!("CARGO_PKG_VERSION"))) {
        return fail(format!("{} has another version", wheel.display()));
    }
    let script = "import sys, zipfile; print(*zipfile.ZipFile(sys.argv[1]).namelist(), sep='\\n')";
    let listed = shell::pipe(repo.command(&tools).args(["-c", script]).arg(&wheel), "")?;
    let info = format!("cardseal-{}.dist-info/", env!("CARGO_PKG_VERSION"));
    let files =
        listed.lines().map(|file| file.strip_prefix(&info).map_or(file, |file| file.trim_start_matches("licenses/")));
    only(&wheel, files, &["cardseal/", "METADATA", "WHEEL", "RECORD", "sboms/"])
}

/// Fails if anything but these, folders among them, and the two licences is in it, or if a licence is not.
fn only<'f>(archive: &Path, files: impl Iterator<Item = &'f str>, meant: &[&str]) -> Result<Counts> {
    const LICENSES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];
    let files: Vec<&str> = files.filter(|file| !file.is_empty()).collect();
    let is_meant = |file: &str| {
        meant.iter().any(|meant| *meant == file || meant.ends_with('/') && file.starts_with(meant))
            || LICENSES.contains(&file)
    };
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    if let Some(file) = files.iter().find(|file| !is_meant(file) || file.contains("test")) {
        return fail(format!("{file} is in {name}"));
    }
    match LICENSES.iter().find(|license| !files.contains(license)) {
        Some(license) => fail(format!("{license} is not in {name}")),
        None => Ok(Counts::PASSED),
    }
}
