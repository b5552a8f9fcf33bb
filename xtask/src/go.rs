//! The Go toolchain: its commands, and what `go test -json` says.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::process::Command;

use serde_json::Value;

use crate::counts::Counts;
use crate::repo::Repo;
use crate::screen::say;
use crate::shell;

/// The module that is published.
pub(crate) const MODULE: &str = "packages/go";
/// The module of the claims in Redis, which is published too.
pub(crate) const REDIS_STORE: &str = "packages/go/redisstore";
/// The module of the drivers that call through the adapters.
pub(crate) const DRIVER: &str = "tests/adapters/drivers/go";
/// The module of the benchmarks.
pub(crate) const BENCH: &str = "tests/bench/go";
/// The module of the drivers that seal and open.
pub(crate) const INTEROP: &str = "tests/interop/drivers/go";
/// The module of the examples.
pub(crate) const EXAMPLES: &str = "examples/go";

pub(crate) const MISSING: &str = "Go is missing: install Go 1.25 or newer, so that `go version` works";

pub(crate) fn is_installed(repo: &Repo) -> bool {
    shell::pipe(repo.command("go").arg("version"), "").is_ok()
}

/// `go <words>` in a folder of the repository.
pub(crate) fn command(repo: &Repo, folder: &str, words: &[&str]) -> Command {
    in_folder(repo, folder, "go", words)
}

/// `<program> <words>` in a folder of the repository.
pub(crate) fn in_folder(repo: &Repo, folder: &str, program: impl AsRef<OsStr>, words: &[&str]) -> Command {
    let mut command = repo.command(program);
    command.current_dir(repo.path(folder)).args(words);
    command
}

/// Adds up the tests in the output of `go test -json`. A test that only groups others is not counted. What failed is
/// shown with all it printed.
pub(crate) fn count_tests(output: &str) -> Counts {
    let mut printed: BTreeMap<(String, String), String> = BTreeMap::new();
    let (mut results, mut groups) = (Vec::new(), BTreeSet::new());
    for event in output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let (package, test, action) = (text("Package"), text("Test"), text("Action"));
        if let Some((group, _)) = test.rsplit_once('/') {
            groups.insert((package.clone(), group.to_owned()));
        }
        match action.as_str() {
            "output" => *printed.entry((package, test)).or_default() += &text("Output"),
            "pass" | "fail" | "skip" if !test.is_empty() => results.push(((package, test), action)),
            _ => {}
        }
    }
    let mut counts = Counts::default();
    for (key, action) in results {
        let shown = printed.get(&key).map_or("", String::as_str).trim_end();
        if action != "pass" && !shown.is_empty() {
            say!("   {}", shown.replace('\n', "\n   "));
        }
        if groups.contains(&key) {
            continue;
        }
        counts += match action.as_str() {
            "pass" => Counts::PASSED,
            "fail" => Counts::FAILED,
            _ => Counts::SKIPPED,
        };
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::count_tests;
    use crate::counts::Counts;

    #[test]
    fn tests_count_once_and_groups_never() {
        let output = r#"{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestAll"}
{"Action":"run","Package":"p","Test":"TestAll/a/b"}
{"Action":"output","Package":"p","Test":"TestAll/a/b","Output":"why\n"}
{"Action":"fail","Package":"p","Test":"TestAll/a/b"}
{"Action":"pass","Package":"p","Test":"TestAll/c"}
{"Action":"fail","Package":"p","Test":"TestAll/a"}
{"Action":"fail","Package":"p","Test":"TestAll"}
{"Action":"pass","Package":"p","Test":"TestAllOfIt"}
{"Action":"pass","Package":"q","Test":"TestAll"}
{"Action":"skip","Package":"p","Test":"TestTool"}
{"Action":"fail","Package":"p"}
# not JSON
"#;
        assert_eq!(count_tests(output), Counts { passed: 3, failed: 1, skipped: 1 });
    }

    #[test]
    fn output_without_tests_counts_nothing() {
        assert_eq!(count_tests("{\"Action\":\"pass\",\"Package\":\"p\"}\nok p 0.1s\n"), Counts::default());
    }
}
