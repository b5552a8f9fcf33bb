//! Where the numbers were taken, for they mean little without it.

use std::fs;

use serde_json::{Value, json};

pub(super) fn facts() -> Value {
    json!({
        "processor": processor(),
        "vectors": vectors(),
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "architecture": std::env::consts::ARCH,
        "os": os(),
    })
}

fn processor() -> String {
    line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned())
}

/// The widest that ciphers and base64 use.
fn vectors() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    return if std::is_x86_feature_detected!("avx512f") {
        "AVX-512"
    } else if std::is_x86_feature_detected!("avx2") {
        "AVX2"
    } else {
        "SSE2"
    };
    #[cfg(not(target_arch = "x86_64"))]
    "those of every such processor"
}

fn os() -> String {
    line_of("/etc/os-release", "PRETTY_NAME").unwrap_or_else(|| std::env::consts::OS.to_owned())
}

/// What stands behind a name in a file of `name: value` or `name="value"`.
fn line_of(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim_matches(|letter: char| letter.is_whitespace() || ":=\"".contains(letter)).to_owned())
}
