//! `core/dependencies.txt`: which crates stand behind the core in each set-up, so that a new one shows in review.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::repo::Repo;
use crate::screen::say;
use crate::{Result, fail, shell, targets};

/// Writes the list, or with `check` fails if the committed one is stale. The limits hold either way.
pub(crate) fn run(repo: &Repo, check: bool) -> Result<()> {
    let mut fresh = String::from(HEADER);
    for set_up in SET_UPS {
        let crates = resolve(repo, set_up)?;
        let _ = write!(fresh, "\n[{}: {} crates]\n", set_up.name, crates.len()); // writing to a String cannot fail
        for name_and_version in crates {
            fresh += &name_and_version;
            fresh.push('\n');
        }
    }
    if !check {
        return repo.write(FILE, &fresh);
    }
    let committed = repo.read(FILE).map_err(|error| format!("{error}; make it with: cargo xtask dependencies"))?;
    if committed == fresh {
        return Ok(());
    }
    for difference in differences(&committed, &fresh) {
        say!("   {difference}");
    }
    fail(format!("{FILE} is stale; if the change is meant: cargo xtask dependencies"))
}

struct SetUp {
    name: &'static str,
    target: &'static str,
    features: &'static str,
    at_most: usize,
    without: &'static [&'static str],
}

/// One target is fixed for all hosts: the file must not depend on who writes it.
const LINUX: &str = "x86_64-unknown-linux-gnu";

const SET_UPS: &[SetUp] = &[
    SetUp { name: "default features, portable engine", target: LINUX, features: "", at_most: 30, without: &[] },
    SetUp { name: "all features", target: LINUX, features: "--all-features", at_most: 46, without: &[] },
    SetUp {
        name: "wasm32: portable, serde",
        target: targets::WASM,
        features: "--no-default-features --features portable,serde",
        at_most: 30,
        without: &["getrandom"], // the JavaScript side hands the random bytes in
    },
    // What dryoc names and the module does not call (getrandom, and wasm-bindgen for it) is taken out when it is packed.
    SetUp {
        name: "wasm32: simd, small, as in the npm package",
        target: targets::WASM,
        features: "--no-default-features --features simd,small",
        at_most: 40,
        without: &[],
    },
    SetUp {
        name: "no_std: portable",
        target: LINUX,
        features: "--no-default-features --features portable",
        at_most: 30,
        without: &["getrandom"],
    },
];

/// The crates that end up in a program, as sorted `name version`.
fn resolve(repo: &Repo, set_up: &SetUp) -> Result<BTreeSet<String>> {
    let SetUp { name, target, features, at_most, without } = set_up;
    let words = format!("tree --locked -p cardseal -e normal --prefix none --target {target} {features}");
    let tree = shell::pipe(repo.cargo(&words).env("CARGO_TERM_COLOR", "never"), "")?;
    let crates: BTreeSet<String> = tree.lines().filter_map(name_and_version).collect();
    if crates.len() > *at_most {
        return fail(format!("{name}: {} crates, but at most {at_most} are allowed", crates.len()));
    }
    if let Some(unwanted) =
        without.iter().find(|unwanted| crates.iter().any(|known| known.split(' ').next() == Some(**unwanted)))
    {
        return fail(format!("{name}: {unwanted} must not be among the dependencies"));
    }
    Ok(crates)
}

/// `libc v0.2.1 (*)` → `libc 0.2.1`; none for the crate itself.
fn name_and_version(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    (name != "cardseal").then(|| format!("{name} {version}"))
}

/// `+` for what is new, `-` for what is gone, each with its set-up.
fn differences(committed: &str, fresh: &str) -> Vec<String> {
    let (committed, fresh) = (entries(committed), entries(fresh));
    let gone = committed.difference(&fresh).map(|(set_up, entry)| (set_up, entry, '-'));
    let new = fresh.difference(&committed).map(|(set_up, entry)| (set_up, entry, '+'));
    let mut changes: Vec<_> = gone.chain(new).collect();
    changes.sort();
    changes.into_iter().map(|(set_up, entry, sign)| format!("{sign} {entry} ({set_up})")).collect()
}

/// Every crate with the set-up above it, whose count is left out: it changes with every crate.
fn entries(text: &str) -> BTreeSet<(String, String)> {
    let mut set_up = "";
    let mut entries = BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[') {
            Some(heading) => set_up = heading.rsplit_once(':').map_or(heading, |(name, _)| name),
            None => {
                entries.insert((set_up.to_owned(), line.to_owned()));
            }
        }
    }
    entries
}

const FILE: &str = "core/dependencies.txt";

const HEADER: &str = "\
# The crates behind `cardseal`, itself not counted. Written by `cargo xtask dependencies`: do not edit.
";

#[cfg(test)]
mod tests {
    use super::{differences, name_and_version};

    #[test]
    fn tree_lines_give_name_and_version() {
        assert_eq!(name_and_version("libc v0.2.1 (*)").as_deref(), Some("libc 0.2.1"));
        assert_eq!(name_and_version("serde_derive v1.0.2 (proc-macro)").as_deref(), Some("serde_derive 1.0.2"));
        assert_eq!(name_and_version("cardseal v0.1.0 (/some/where/core)"), None);
        assert_eq!(name_and_version(""), None);
    }

    #[test]
    fn differences_name_crate_and_set_up() {
        let committed =
            "# about\n\n[wasm32: portable: 2 crates]\naead 0.5.2\nsha2 0.10.0\n\n[all: 1 crates]\nsha2 0.10.0\n";
        let fresh = "# about\n\n[wasm32: portable: 3 crates]\naead 0.5.2\nlibc 0.2.1\nsha2 0.11.0\n\n[all: 1 crates]\nsha2 0.10.0\n";
        let expected =
            ["+ libc 0.2.1 (wasm32: portable)", "- sha2 0.10.0 (wasm32: portable)", "+ sha2 0.11.0 (wasm32: portable)"];
        assert_eq!(differences(committed, fresh), expected);
        assert!(differences(fresh, fresh).is_empty());
    }
}
