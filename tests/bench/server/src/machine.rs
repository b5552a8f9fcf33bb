//! The machine: who runs where, and what a process has used. Linux alone; elsewhere nothing is pinned and nothing is read.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

pub(crate) const SERVER_CORE: u32 = 0;
const OWN_CORE: u32 = 1;

/// Keeps this process off the server's core.
pub(crate) fn pin_this_process() {
    pin(std::process::id(), OWN_CORE);
}

/// Keeps a process, with all its threads, on a core.
pub(crate) fn pin(process: u32, core: u32) {
    let command = ["-a", "-c", "-p", &core.to_string(), &process.to_string()];
    let told = Command::new("taskset").args(command).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !told.is_ok_and(|status| status.success()) {
        println!("not pinned to core {core}: taskset is not here, or there is no such core");
    }
}

/// The processor time that all threads of a process have had.
pub(crate) fn processor_time(process: u32) -> Option<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{process}/task")).ok()? {
        let file = task.ok()?.path().join("schedstat");
        // A thread may end in between.
        let Ok(text) = fs::read_to_string(file) else { continue };
        nanoseconds += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanoseconds))
}

/// The memory that a process has, in bytes.
pub(crate) fn resident_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// What figures have to be quoted with.
pub(crate) fn description() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("an unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("cardseal {}, {}, {cores} cores", cardseal::VERSION, name.trim_start_matches(['\t', ' ', ':']))
}
