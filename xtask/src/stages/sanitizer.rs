//! AddressSanitizer: the core has no unsafe code, and the crates that it calls for speed have.

use crate::counts::Counts;
use crate::screen::{bad, say};
use crate::test::Context;
use crate::{Result, shell};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let Context { repo, shell, .. } = context;
    let host = shell::pipe(repo.command("rustc").args(["--print", "host-tuple"]), "")?;
    if !has_sanitizer(&shell::pipe(repo.command("rustc").args(["--print", "target-libdir"]), "")?) {
        say!("   {} the toolchain has no AddressSanitizer for {}", bad("skipped:"), host.trim());
        return Ok(Counts::SKIPPED);
    }
    let cargo = |words: &str| {
        // With a target named, build scripts and macros are left as they are.
        let mut command = repo.cargo(&format!("{words} --target {}", host.trim()));
        command.env("CARGO_TARGET_DIR", repo.target().join("sanitizer"));
        command.env("RUSTFLAGS", "-Zsanitizer=address").env("RUSTC_BOOTSTRAP", "1"); // the flag is unstable
        command
    };
    let mut counts = context.count_tests(&mut cargo(&format!("test --locked --no-fail-fast -p cardseal {TESTS}")))?;
    let control = shell.watch(&mut cargo("run --locked -p cardseal-guards --bin overflow"))?;
    if control.success || !control.text.contains("heap-buffer-overflow") {
        say!("   {} a read behind a block of the heap: nobody noticed it", bad("FAILED"));
        counts += Counts::FAILED;
    } else {
        counts += Counts::PASSED;
    }
    Ok(counts)
}

/// Both engines, and what is fast: `small` would take the place of the vector base64.
const TESTS: &str = "--no-default-features --features std,simd,portable,serde,inspect,writer --lib --tests";

fn has_sanitizer(libraries: &str) -> bool {
    let files = std::fs::read_dir(libraries.trim()).into_iter().flatten().flatten();
    files.into_iter().any(|file| file.file_name().to_string_lossy().contains("_rt.asan"))
}
