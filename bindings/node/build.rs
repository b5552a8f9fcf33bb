//! Keeps the module loaded on Linux, where a worker that ends would unload it: Node may still call back for texts it was
//! lent (`src/lent.rs`). On macOS a module with thread-local values always stays.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
