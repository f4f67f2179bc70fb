//! A soak: the program as it is shipped trades for hours, and may take no more memory, handles or threads than at its start.

use super::kills::{Exchange, Left, left, paper};
use crate::{env, process, programs};
use anyhow::{Context, Result, ensure};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Market seconds in a second of ours.
const SPEED: &str = "20";
/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(5);
/// What fills its tables first: this part of the time does not count.
const WARM_UP: f64 = 0.125;
/// Growth of resident memory after that, in all.
const MOST_GROWTH: i64 = 32 << 20;
/// Handles and threads may differ by so much: connections that are made anew overlap for a moment.
const MOST_SPREAD: i64 = 4;

/// What the system says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    resident: i64,
    handles: i64,
    threads: i64,
}

/// Lets `tradewind paper` trade on a local exchange for so many minutes.
pub(super) fn soak(minutes: u32) -> Result<(bool, String)> {
    let program = programs::release("tradewind")?;
    let folder = env::cache()?.join("long").join("soak");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let exchange = Exchange::start(&program, SPEED)?;
    let settings = std::fs::read_to_string(env::root().join("examples/minimal.toml"))?;
    let (file, data) = (folder.join("soak.toml"), folder.join("data"));
    std::fs::write(&file, settings.replace("127.0.0.1:9090", &exchange.address))?;
    let mut command = paper(&program, &file, &data, &exchange);
    let mut node = process::spawn(command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()))?;
    let looks = watched(&mut node, Duration::from_secs(60 * u64::from(minutes)));
    let stopped = std::process::Command::new("kill").args(["-TERM", &node.id().to_string()]).status();
    let ended = node.wait()?;
    let looks = looks?;
    ensure!(stopped?.success() && ended.success(), "it did not stop in order: {ended}");
    ensure!(left(&program, &data)? == Left::Whole, "its journal is not whole");
    let (passed, figures) = judged(&looks).context("the run was too short")?;
    Ok((passed, format!("{minutes} min at {SPEED}x the market's time: {figures}; journal verified and replayed")))
}

fn watched(node: &mut Child, time: Duration) -> Result<Vec<Look>> {
    let (start, mut looks, mut told) = (Instant::now(), Vec::new(), 0);
    while start.elapsed() < time {
        std::thread::sleep(EVERY);
        if let Some(status) = node.try_wait()? {
            anyhow::bail!("it ended by itself with {status} after {:?}", start.elapsed());
        }
        let look = Look::at(node.id())?;
        looks.push(look);
        if start.elapsed().as_secs() / 300 > told {
            told = start.elapsed().as_secs() / 300;
            let Look { resident, handles, threads } = look;
            println!("{} min: {} MiB, {handles} handles, {threads} threads", told * 5, resident >> 20);
        }
    }
    Ok(looks)
}

impl Look {
    fn at(process: u32) -> Result<Self> {
        let of = |what: &str| format!("/proc/{process}/{what}");
        let status = std::fs::read_to_string(of("status"))?;
        let number = |key: &str| -> Result<i64> {
            let line = status.lines().find(|line| line.starts_with(key)).with_context(|| format!("no {key}"))?;
            Ok(line.split_whitespace().nth(1).context("a number")?.parse()?)
        };
        let handles = i64::try_from(std::fs::read_dir(of("fd"))?.count())?;
        Ok(Self { resident: number("VmRSS:")? << 10, handles, threads: number("Threads:")? })
    }
}

/// Whether nothing grew, and what there was; `None` for fewer than eight looks.
fn judged(looks: &[Look]) -> Option<(bool, String)> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a part")]
    let looks = &looks[(looks.len() as f64 * WARM_UP).ceil() as usize..];
    if looks.len() < 8 {
        return None;
    }
    // means of a quarter each: one look says little
    let quarter = looks.len() / 4;
    let mean = |some: &[Look]| some.iter().map(|look| look.resident).sum::<i64>() / some.len() as i64;
    let growth = mean(&looks[looks.len() - quarter..]) - mean(&looks[..quarter]);
    let spread = |of: fn(&Look) -> i64| {
        let values = || looks.iter().map(of);
        Some((values().min()?, values().max()?))
    };
    let (handles, threads) = (spread(|look| look.handles)?, spread(|look| look.threads)?);
    let constant = |(least, most): (i64, i64)| most - least <= MOST_SPREAD;
    let passed = growth <= MOST_GROWTH && constant(handles) && constant(threads);
    let most = looks.iter().map(|look| look.resident).max()?;
    let figures = format!(
        "resident at most {:.1} MiB, {:+.1} MiB from the first quarter to the last, {} to {} handles, {} to {} threads",
        mib(most),
        mib(growth),
        handles.0,
        handles.1,
        threads.0,
        threads.1
    );
    Some((passed, figures))
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mib(bytes: i64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(resident: impl Fn(i64) -> i64, handles: impl Fn(i64) -> i64) -> (bool, String) {
        let look = |at| Look { resident: resident(at) << 20, handles: handles(at), threads: 9 };
        judged(&(0..80).map(look).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn what_grows_for_ever_fails_and_what_fills_its_tables_first_does_not() {
        assert!(run(|_| 40, |_| 20).0);
        assert!(run(|at| 40 + 60 * at.min(8), |_| 20).0, "the beginning does not count");
        let (passed, figures) = run(|at| 40 + at, |_| 20);
        assert!(!passed && figures.contains("+53.0 MiB"), "{figures}");
        assert!(!run(|_| 40, |at| 20 + at / 10).0, "handles that are never closed");
        assert!(run(|_| 40, |at| 20 + at % 3).0);
        assert_eq!(judged(&[]), None);
    }

    #[test]
    fn a_process_is_looked_at_by_its_number() {
        let look = Look::at(std::process::id()).unwrap();
        assert!(look.resident > 1 << 20 && look.handles > 2 && look.threads > 0, "{look:?}");
    }
}
