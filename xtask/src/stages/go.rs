//! The Go module: formatted, vetted, tested under the race detector, held to the core by the vectors and by the command
//! line tool, fuzzed.

use crate::counts::Counts;
use crate::go::{self, BENCH, DRIVER, EXAMPLES, INTEROP, MISSING, MODULE, REDIS_STORE};
use crate::screen::{bad, say};
use crate::test::Context;
use crate::{Result, demo, fail, shell, system};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    if !go::is_installed(context.repo) {
        say!("   {}", bad(MISSING));
        return Ok(Counts::SKIPPED);
    }
    let mut counts = gofmt(context)?;
    counts += lints(context)?;
    counts += dependencies(context)?;
    let tool = demo::build_tool(context.repo)?;
    let tool = tool.to_str().ok_or("the path of the command line tool is not UTF-8")?;
    counts += test(context, MODULE, &["-race", "./..."], &[("CARDSEAL_CLI", tool)])?;
    if context.is_full {
        let again = ["-run", "TestDifferential", "-count=20", "-timeout=2h", "."]; // each time with a seed of its own
        counts += test(context, MODULE, &again, &[("CARDSEAL_CLI", tool)])?;
    }
    counts += test(context, MODULE, &["-run", "TestAllocations", "."], &[])?; // what the race detector would disturb
    counts += test(context, BENCH, &["."], &[])?;
    system::ensure("redis-server", "redis-server", context.repo, &context.shell);
    counts += test(context, REDIS_STORE, &["-race", "."], &[])?;
    let time = if context.is_full { "10m" } else { "10s" };
    for target in ["FuzzReader", "FuzzOpen", "FuzzBase64"] {
        let pattern = format!("^{target}$");
        counts += test(context, MODULE, &["-run", &pattern, "-fuzz", &pattern, "-fuzztime", time, "."], &[])?;
    }
    Ok(counts)
}

/// What is formatted and linted; a module in the folder of another is one of its own.
const MODULES: [&str; 6] = [MODULE, REDIS_STORE, BENCH, DRIVER, INTEROP, EXAMPLES];

fn gofmt(context: &Context<'_>) -> Result<Counts> {
    match shell::pipe(context.repo.command("gofmt").arg("-l").args(MODULES), "")?.trim() {
        "" => Ok(Counts::PASSED),
        unformatted => fail(format!("mend with gofmt -w: {}", unformatted.replace('\n', ", "))),
    }
}

fn lints(context: &Context<'_>) -> Result<Counts> {
    for folder in MODULES {
        for words in [&["vet", "./..."][..], &["run", STATICCHECK, "./..."], &["mod", "tidy", "-diff"]] {
            context.shell.run(&mut go::command(context.repo, folder, words))?;
        }
    }
    Ok(Counts::PASSED)
}

/// Nothing beside the standard library and the two modules of the cipher, and nothing in C but what the standard library has
/// a choice about (the resolver of `net`): without cgo it builds too.
fn dependencies(context: &Context<'_>) -> Result<Counts> {
    let words = ["list", "-deps", "-f", "{{.ImportPath}} {{.Standard}} {{len .CgoFiles}}", "."];
    let listed = shell::pipe(&mut go::command(context.repo, MODULE, &words), "")?;
    for line in listed.lines() {
        let allowed = ["golang.org/x/crypto/", "golang.org/x/sys/", "github.com/cardseal/cardseal/packages/go "];
        let is_ours = line.ends_with(" 0") && allowed.iter().any(|prefix| line.starts_with(prefix));
        if !line.contains(" true ") && !is_ours {
            return fail(format!("the module depends on {line}"));
        }
    }
    context.shell.run(go::command(context.repo, MODULE, &["build", "."]).env("CGO_ENABLED", "0"))?;
    if listed.contains("golang.org/x/crypto/nacl/secretbox") {
        Ok(Counts::PASSED)
    } else {
        fail("`go list -deps` names no secretbox: it lists something else")
    }
}

/// `go test -json <words>`, counted test by test. That nothing was found is a failure.
fn test(context: &Context<'_>, folder: &str, words: &[&str], variables: &[(&str, &str)]) -> Result<Counts> {
    let mut command = go::command(context.repo, folder, &["test", "-json", "-count=1"]);
    command.args(words).envs(variables.iter().copied());
    let finished = context.shell.watch(&mut command)?;
    let mut counts = go::count_tests(&finished.text);
    if !finished.success && counts.failed == 0 {
        say!("   {}", finished.text.trim_end()); // it did not compile, or crashed
        counts += Counts::FAILED;
    } else if counts.ran() == 0 {
        say!("   {}", bad("no test was found"));
        counts += Counts::FAILED;
    }
    Ok(counts)
}

const STATICCHECK: &str = "honnef.co/go/tools/cmd/staticcheck@v0.8.2";
