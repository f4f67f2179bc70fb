//! Benchmarks: our side of each workload, one binary a workload.
