//! What the guards of the native core share. `../README.md` tells what they guard and how to run them.

// Not through the crate of the benchmarks, which has to build libsodium first.
#[path = "../../bench/rust/src/payloads.rs"]
pub mod payloads;
pub mod valgrind;

/// Whatever stops such a program is for the person who runs it.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The architecture and the vector instructions on which the engines choose their code, as a budget is named.
pub fn processor() -> String {
    format!("{} {}", std::env::consts::ARCH, vector_instructions())
}

#[cfg(target_arch = "x86_64")]
fn vector_instructions() -> &'static str {
    if std::is_x86_feature_detected!("avx512f") {
        "avx512"
    } else if std::is_x86_feature_detected!("avx2") {
        "avx2"
    } else {
        "sse2"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn vector_instructions() -> &'static str {
    "baseline"
}
