//! W7: durable appends and replay of our journal, beside the floors and SQLite of `journal.c`.
//!
//! `journal append DIR N SIZE GROUP` appends N records of SIZE bytes to a new journal in DIR (which is emptied), synced in
//! groups of GROUP. The one segment is made large enough beforehand, as the preallocated floor's file is, with room for
//! what every segment keeps back; `N SIZE` that fill several segments of the default size are tried with
//! `journal live DIR N SIZE GROUP`, which leaves the journal's own settings alone.
//! `journal replay DIR` reads it back and checks every record; `journal replay-sum DIR` does the work of both other
//! replays besides: it counts as `bad` the records that do not begin with their sum, and `x` is the sums put together by
//! exclusive or. The records of a group are equal where SIZE is a multiple of 256, so that `x` is 0 for an even number.
//! Each prints one line of JSON. The bytes are those of `journal.c`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tradewind_journal::{Journal, Options, Reader, verify};

/// The most that a segment keeps back for records that may not wait: see `Journal::append_vital`.
const RESERVE_BYTES: usize = 512 << 10;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["append", dir, n, size, group] => append(Path::new(dir), [n, size, group], true),
        ["live", dir, n, size, group] => append(Path::new(dir), [n, size, group], false),
        ["replay", dir] => replay(Path::new(dir), false),
        ["replay-sum", dir] => replay(Path::new(dir), true),
        _ => Err("usage: journal append|live DIR N SIZE GROUP, or journal replay|replay-sum DIR".into()),
    };
    match done {
        #[expect(clippy::print_stdout, reason = "the result is this program's output")]
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn append(dir: &Path, [n, size, group]: [&str; 3], one_segment: bool) -> Result<Value, Failure> {
    let (n, size, group): (usize, usize, usize) = (n.parse()?, size.parse()?, group.parse()?);
    let records = records(size, group);
    let commits = n / group;
    if dir.exists() {
        std::fs::remove_dir_all(dir)?;
    }
    let mut options = Options::default();
    if one_segment {
        options.segment_bytes = (n * (size + 32) + commits * 56 + 4096 + RESERVE_BYTES) as u64;
        options.first_segment_bytes = options.segment_bytes;
        options.prepare_in_background = false;
    }
    let (mut journal, _) = Journal::open(dir, options)?;
    let mut times = Vec::with_capacity(commits);
    let start = Instant::now();
    for _ in 0..commits {
        let begin = Instant::now();
        for record in records.chunks_exact(size) {
            journal.append(record)?;
        }
        journal.sync()?;
        times.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    let seconds = start.elapsed().as_secs_f64();
    let synced = journal.synced_seq();
    drop(journal);
    let report = verify(dir)?;
    times.sort_by(f64::total_cmp);
    Ok(json!({
        "peer": "tradewind journal", "group": group,
        "records_per_s": (synced as f64 / seconds).round(), "commits_per_s": (commits as f64 / seconds).round(),
        "p50_us": times[commits / 2], "p99_us": times[commits * 99 / 100], "max_us": times[commits - 1],
        "records": report.records, "verified": report.is_sound() && report.records == synced, "chain": report.chain,
        "segments": report.segments,
    }))
}

fn replay(dir: &Path, with_sum: bool) -> Result<Value, Failure> {
    let begin = Instant::now();
    let cpu = cpu_seconds();
    let mut reader = Reader::open(dir, 1)?;
    let (mut records, mut bytes, mut bad, mut x) = (0_u64, 0_u64, 0_u64, 0_u32);
    while let Some(record) = reader.next()? {
        records += 1;
        bytes += record.payload.len() as u64;
        if with_sum {
            let sum = sum(record.payload);
            bad += u64::from(record.payload[..4] != sum.to_le_bytes());
            x ^= sum;
        }
    }
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let per = |seconds: f64| (records as f64 / seconds).round();
    let mut line = json!({
        "peer": "tradewind replay", "records": records, "bytes": bytes, "torn": reader.torn_tail(),
        "records_per_s": per(seconds), "records_per_cpu_s": per(cpu),
    });
    if with_sum {
        line["bad"] = json!(bad);
        line["x"] = json!(x);
    }
    Ok(line)
}

/// One group of records, each beginning with the sum of the rest.
#[expect(clippy::cast_possible_truncation, reason = "the pattern is made of low bytes")]
fn records(size: usize, group: usize) -> Vec<u8> {
    let mut records: Vec<u8> = (0..size * group).map(|at| (at * 131 + 7) as u8).collect();
    for record in records.chunks_exact_mut(size) {
        let sum = sum(record);
        record[..4].copy_from_slice(&sum.to_le_bytes());
    }
    records
}

/// FNV-1a over the words after the first.
fn sum(record: &[u8]) -> u32 {
    let words = record[4..].chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    words.fold(2_166_136_261, |hash, word| (hash ^ word).wrapping_mul(16_777_619))
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
