//! Python interpreters, environments of our own below the target directory, and the package built for each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, iter};

use crate::repo::Repo;
use crate::shell::{self, Shell};
use crate::{Result, fail};

/// What builds and checks the package.
pub(crate) const DEVELOPMENT: &str = "packages/python/requirements-dev.txt";

/// What its tests need.
pub(crate) const TESTS: &str = "packages/python/tests/requirements.txt";

/// What the benchmarks compare it with.
pub(crate) const PEERS: &str = "tests/bench/python/requirements.txt";

/// A CPython that the package supports.
pub(crate) struct Interpreter {
    pub(crate) program: PathBuf,
    /// `3.13`, or `3.13t` for a free-threaded build.
    pub(crate) version: String,
}

impl Interpreter {
    /// The one that plain `python3` starts.
    pub(crate) fn default(repo: &Repo) -> Result<Self> {
        let program = PathBuf::from(PYTHON);
        match Self::at(repo, &program) {
            Some(interpreter) => Ok(interpreter),
            None => fail(format!("`{PYTHON}` is no CPython from 3.10 on: install one, and put it first in PATH")),
        }
    }

    /// The default one, then one of each other version that pyenv has.
    pub(crate) fn all(repo: &Repo) -> Result<Vec<Self>> {
        let mut found = vec![Self::default(repo)?];
        for program in pyenv_programs() {
            if let Some(interpreter) = Self::at(repo, &program)
                && found.iter().all(|known| known.version != interpreter.version)
            {
                found.push(interpreter);
            }
        }
        Ok(found)
    }

    fn at(repo: &Repo, program: &Path) -> Option<Self> {
        let answer = shell::pipe(repo.command(program).args(["-c", ABOUT]), "").ok()?;
        let mut words = answer.split_whitespace();
        let (name, major, minor, threads) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let minor: u32 = minor.parse().ok()?;
        if name != "cpython" || major != "3" || minor < 10 {
            return None;
        }
        let suffix = if threads == "1" { "t" } else { "" };
        Some(Self { program: program.to_path_buf(), version: format!("3.{minor}{suffix}") })
    }
}

const ABOUT: &str = "import sys, sysconfig; print(sys.implementation.name, *sys.version_info[:2], \
                     sysconfig.get_config_var('Py_GIL_DISABLED') or 0)";

fn pyenv_programs() -> Vec<PathBuf> {
    let root = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let Some(root) = root.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".pyenv"))) else {
        return Vec::new();
    };
    let folders = fs::read_dir(root.join("versions")).into_iter().flatten().flatten();
    let mut programs: Vec<PathBuf> = folders.map(|folder| folder.path().join("bin/python3")).collect();
    programs.sort();
    programs
}

/// The interpreter of an environment that has what the file of requirements names. Made once, renewed when that changes.
pub(crate) fn with_requirements(repo: &Repo, shell: &Shell, requirements: &str) -> Result<PathBuf> {
    let name = requirements.trim_end_matches(".txt").replace('/', "-");
    environment(repo, shell, &Interpreter { program: PYTHON.into(), version: "3".into() }, &name, requirements)
}

/// The same for a given interpreter, under a name of its own.
pub(crate) fn environment(
    repo: &Repo,
    shell: &Shell,
    base: &Interpreter,
    name: &str,
    requirements: &str,
) -> Result<PathBuf> {
    let folder = repo.target().join("xtask/python").join(format!("{name}-{}", base.version));
    let marker = folder.join("installed.txt");
    let version = shell::pipe(repo.command(&base.program).arg("--version"), "")?;
    let wanted = format!("{version}{}", texts(repo, requirements)?);
    let installed = fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted);
    let interpreter = program_in(&folder);
    if !installed || !interpreter.exists() {
        empty_environment(repo, shell, base, &folder)?;
        pip(repo, shell, &interpreter, &["-r", requirements])?;
        fs::write(&marker, wanted).map_err(|error| format!("cannot write {}: {error}", marker.display()))?;
    }
    Ok(interpreter)
}

/// A file of requirements with those that it takes in.
fn texts(repo: &Repo, requirements: &str) -> Result<String> {
    let text = repo.read(requirements)?;
    let folder = Path::new(requirements).parent().unwrap_or(Path::new(""));
    let others = text.lines().filter_map(|line| line.strip_prefix("-r ")).map(|other| {
        let path = folder.join(other.trim());
        texts(repo, &path.to_string_lossy())
    });
    iter::once(Ok(text.clone())).chain(others).collect()
}

/// An environment with nothing in it but pip. Gives its interpreter.
pub(crate) fn empty_environment(repo: &Repo, shell: &Shell, base: &Interpreter, folder: &Path) -> Result<PathBuf> {
    shell.run(repo.command(&base.program).args(["-m", "venv", "--clear"]).arg(folder))?;
    Ok(program_in(folder))
}

pub(crate) fn pip(repo: &Repo, shell: &Shell, interpreter: &Path, words: &[&str]) -> Result<()> {
    let quiet = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"];
    shell.run(repo.command(interpreter).args(quiet).args(words))
}

/// Builds the package's wheel for an interpreter, as it is published.
pub(crate) fn build_wheel(repo: &Repo, shell: &Shell, tools: &Path, base: &Interpreter) -> Result<PathBuf> {
    let folder = repo.target().join("xtask/wheels").join(&base.version);
    build(repo, shell, tools, "build", &folder, |command| command.args(["--locked", "-i"]).arg(&base.program))
}

/// Builds the package's source distribution.
pub(crate) fn build_sdist(repo: &Repo, shell: &Shell, tools: &Path) -> Result<PathBuf> {
    build(repo, shell, tools, "sdist", &repo.target().join("xtask/wheels/sdist"), |command| command)
}

/// Runs maturin into a folder of its own, and gives the one file that it wrote there.
fn build(
    repo: &Repo,
    shell: &Shell,
    tools: &Path,
    verb: &str,
    folder: &Path,
    options: impl FnOnce(&mut Command) -> &mut Command,
) -> Result<PathBuf> {
    let _ = fs::remove_dir_all(folder); // an old one is replaced, a missing one is fine
    let mut command = repo.command(tools);
    command.current_dir(repo.path("packages/python")).args(["-m", "maturin", verb, "--out"]).arg(folder);
    shell.run(options(&mut command))?;
    let files = fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let files: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    match &files[..] {
        [file] => Ok(file.clone()),
        _ => fail(format!("maturin wrote {} files, one is expected", files.len())),
    }
}

/// Puts a wheel, and nothing else, into an environment, in the place of what was there of it.
pub(crate) fn install_wheel(repo: &Repo, shell: &Shell, interpreter: &Path, wheel: &Path) -> Result<()> {
    pip(repo, shell, interpreter, &["--no-index", "--no-deps", "--force-reinstall", &wheel.to_string_lossy()])
}

fn program_in(folder: &Path) -> PathBuf {
    folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}

const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };
