//! Benchmarks: our side of each workload, one binary a workload.

/// The most memory that this process ever held, in KiB, as the kernel counts it; `None` where it does not say.
#[must_use]
pub fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
