//! The Python package: built as it is published, tested in every CPython that is here.

use std::path::Path;
use std::process::Command;

use crate::counts::Counts;
use crate::python::{self, Interpreter};
use crate::screen::say;
use crate::test::{Context, side_by_side};
use crate::{Result, demo, system};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let Context { repo, shell, .. } = context;
    let default = Interpreter::default(repo)?;
    let tools = python::environment(repo, shell, &default, "python-tools", python::DEVELOPMENT)?;
    let folder = repo.path("packages/python");
    let tool = |words: &[&str]| {
        let mut command = repo.command(&tools);
        shell.run(quiet(command.current_dir(&folder).arg("-m").args(words), &repo.target().join("xtask")))
    };
    for check in [&["check"][..], &["format", "--check"]] {
        let sources: Vec<&str> = SOURCES.split(' ').collect();
        tool(&[&["ruff"], check, &sources].concat())?;
    }
    system::ensure("redis-server", "redis-server", repo, shell);
    let server = demo::build_tool(repo)?;

    let mut counts = Counts::PASSED;
    let (mut files, mut tests) = (Vec::new(), Vec::new());
    for interpreter in Interpreter::all(repo)? {
        let wheel = python::build_wheel(repo, shell, &tools, &interpreter)?;
        let program = python::environment(repo, shell, &interpreter, "python-tests", python::TESTS)?;
        python::install_wheel(repo, shell, &program, &wheel)?;
        let mut command = repo.command(&program);
        command
            .current_dir(&folder)
            .args(["-m", "pytest", "-p", "no:cacheprovider", "-q"])
            .env("CARDSEAL_CLI", &server);
        quiet(&mut command, &repo.target().join("xtask").join(&interpreter.version));
        tests.push((interpreter.version, command));
        files.push(wheel);
    }
    for each in side_by_side(tests, |(version, mut command)| {
        let counts = context.count(&mut command, Counts::of_pytest)?;
        say!("   CPython {version}: {counts}");
        Ok(counts)
    }) {
        counts += each?;
    }

    say!("   types");
    if let Some(wheel) = files.first() {
        python::install_wheel(repo, shell, &tools, wheel)?;
    }
    tool(&["mypy", "src/cardseal", "tests/typed_sample.py"])?;
    tool(&["mypy.stubtest", "cardseal._native"])?;

    say!("   wheel and sdist in environments with nothing else");
    let sdist = python::build_sdist(repo, shell, &tools)?;
    files.push(sdist);
    for (name, file) in [("wheel", files.first()), ("sdist", files.last())] {
        let Some(file) = file else { continue };
        let folder = repo.target().join("xtask/python").join(format!("empty-{name}"));
        let program = python::empty_environment(repo, shell, &default, &folder)?;
        // The sdist has to build from what is in it: in a target directory of its own, with the crates it names.
        let target = repo.target().join("xtask/python/sdist-target");
        let mut install = repo.command(&program);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
        shell.run(install.env("CARGO_TARGET_DIR", target).arg(file))?;
        shell.run(repo.command(&program).args(["-I", "-c", SMOKE]).current_dir(&folder))?;
        counts += Counts::PASSED;
    }
    let mut twine = repo.command(&tools);
    shell.run(twine.args(["-m", "twine", "check", "--strict"]).args(&files))?;
    Ok(counts)
}

/// What ruff looks at, from the package's folder.
const SOURCES: &str = "--no-cache --config pyproject.toml . ../../tests/adapters ../../tests/interop ../../tests/bench ../../examples/python";

/// Seals and opens, and says that it is the installed package that does.
const SMOKE: &str = "import cardseal\n\
    envelope = cardseal.Envelope('your_api_secret_key_here')\n\
    assert envelope.open(envelope.seal_response({'a': [1]})) == {'a': [1]}\n\
    assert 'site-packages' in cardseal.__file__";

/// A command that leaves nothing in the working tree, but what it remembers in a folder below the target directory.
fn quiet<'c>(command: &'c mut Command, folder: &Path) -> &'c mut Command {
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HYPOTHESIS_STORAGE_DIRECTORY", folder.join("hypothesis"))
        .env("MYPY_CACHE_DIR", folder.join("mypy"))
}
