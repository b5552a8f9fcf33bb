//! The npm package: packed, installed as a user installs it, and tested from outside.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::counts::Counts;
use crate::npm::{self, Npm, PACKAGE, Tarballs};
use crate::test::Context;

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let npm = Npm::with_tools(context.repo, &context.shell)?;
    let tarballs = npm.pack()?;
    let mut counts = Counts::default();
    let project = project(&npm, &tarballs)?;
    counts += suites(&npm, &project)?;
    Ok(counts)
}

/// A project with the tarballs installed, offline: there is nothing to fetch, since the package depends on nothing. What
/// the tests themselves use is linked beside it.
fn project(npm: &Npm<'_>, tarballs: &Tarballs) -> Result<PathBuf> {
    let folder = npm.fresh_folder("project")?;
    npm::write(&folder.join("package.json"), "{\"private\": true, \"type\": \"module\"}\n")?;
    npm.install_tarballs(&folder, tarballs)?;
    npm.link_tools(&folder)?;
    npm.copy_tree(&format!("{PACKAGE}/tests"), &folder.join("tests"))?;
    npm.copy_tree(&format!("{PACKAGE}/tsconfig.json"), &folder.join("tsconfig.json"))?;
    Ok(folder)
}

/// The tests in TypeScript: checked, then run by Node's own runner.
fn suites(npm: &Npm<'_>, project: &Path) -> Result<Counts> {
    npm.shell.run(npm.tool("tsc").args(["-p", "tests"]).current_dir(project))?;
    let sources = files(&project.join("tests"), ".ts")?;
    npm.shell.run(
        npm.tool("esbuild")
            .args(sources)
            .args(["--format=esm", "--outdir=out", "--log-level=warning"])
            .current_dir(project),
    )?;
    let suites = files(&project.join("out"), ".test.js")?;
    npm.node_test(project, &suites)
}

/// The files below a folder whose names end so, in order.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    Ok(found)
}
