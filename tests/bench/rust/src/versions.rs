//! What was measured, for the numbers mean little without it.

use std::process::Command;

use crate::Result;
use crate::sodium::Sodium;

/// Name and version of the compiler and of every candidate.
///
/// # Errors
/// When libsodium does not start.
pub fn versions() -> Result<Vec<(&'static str, String)>> {
    let mut versions =
        vec![("cardseal", cardseal::VERSION.to_owned()), ("Rust", rustc()), ("libsodium", Sodium::new()?.version())];
    for name in ["dryoc", "crypto_secretbox", "serde_json", "base64"] {
        versions.push((name, locked_version(name).unwrap_or("?").to_owned()));
    }
    Ok(versions)
}

/// The compiler that cargo uses here, which is the one that compiled this.
fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.split_whitespace().nth(1).unwrap_or("?").to_owned()
}

/// The version of a crate that the workspace is locked to.
fn locked_version(name: &str) -> Option<&'static str> {
    let (_, entry) = LOCK.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    Some(entry.split_once('"')?.0)
}

const LOCK: &str = include_str!("../../../../Cargo.lock");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_versions_are_found() {
        assert_eq!(locked_version("cardseal"), Some(cardseal::VERSION));
        assert_eq!(locked_version("no such crate"), None);
    }
}
