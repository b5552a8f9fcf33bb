//! Hands on what PyO3 knows about the interpreter: `Py_GIL_DISABLED` and its version.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
