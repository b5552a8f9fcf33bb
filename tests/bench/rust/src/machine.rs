//! Where the numbers were taken, for they mean little without it.

use std::process::Command;

use crate::Result;
use crate::sodium::Sodium;

/// One line a fact, as a Markdown list.
///
/// # Errors
/// When libsodium does not start.
pub fn facts() -> Result<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(format!(
        "* processor: {}, {cores} logical, {}\n\
         * vector instructions: {}\n\
         * compiler: {}, {}\n\
         * cardseal {}, libsodium {}, {}\n",
        processor(),
        std::env::consts::ARCH,
        vector_instructions(),
        rustc(),
        if cfg!(debug_assertions) { "NOT optimised: these numbers mean nothing" } else { "optimised" },
        cardseal::VERSION,
        Sodium::new()?.version(),
        ["dryoc", "crypto_secretbox", "serde_json", "base64"]
            .map(|name| format!("{name} {}", locked_version(name).unwrap_or("?")))
            .join(", "),
    ))
}

fn processor() -> String {
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|facts| {
        let model = facts.lines().find_map(|line| line.strip_prefix("model name"))?;
        Some(model.trim_start_matches([' ', '\t', ':']).to_owned())
    });
    model.unwrap_or_else(|| "unknown".to_owned())
}

fn vector_instructions() -> String {
    #[cfg(target_arch = "x86_64")]
    let found = [
        ("AVX2", std::is_x86_feature_detected!("avx2")),
        ("AVX-512F", std::is_x86_feature_detected!("avx512f")),
        ("AVX-512IFMA", std::is_x86_feature_detected!("avx512ifma")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let found: [(&str, bool); 0] = [];
    let words: Vec<String> =
        found.into_iter().map(|(name, found)| format!("{name} {}", if found { "yes" } else { "no" })).collect();
    if words.is_empty() { "those of every such processor".to_owned() } else { words.join(", ") }
}

/// The compiler that cargo uses here, which is the one that compiled this.
fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").current_dir(env!("CARGO_MANIFEST_DIR")).output();
    output.map_or_else(|_| "rustc ?".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
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
