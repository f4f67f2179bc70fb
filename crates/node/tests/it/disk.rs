//! Disks that are full, limited, read-only or not there.

use crate::child::NodeProcess;
use crate::support::{Stage, check_journal, exchange_config, settings, surroundings, words};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tradewind_domain::{ClientOrderId, Coded, Origin, Side};
use tradewind_engine::{EventKind, Verdict};
use tradewind_node::{Node, OperatorReply, OperatorRequest};

/// A file system of its own; gone when dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None`, said for `test`, where this process may not mount.
    fn of(size: &str, test: &str) -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let size = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            println!("skipped: {test}: this process may not mount a small disk");
            return None;
        }
        Some(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no byte.
    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.path().join("ballast")).unwrap();
        for size in [4096, 1] {
            while ballast.write_all(&vec![1; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// A folder that turned read-only: nothing is made, renamed or opened for writing in it from here on, while a file that
/// is open for writing still takes more. Writable again when dropped.
struct ReadOnly<'a>(&'a Path);

impl<'a> ReadOnly<'a> {
    /// `None`, said for `test`, where this process may not mount.
    fn of(dir: &'a Path, test: &str) -> Option<Self> {
        let mount = |args: &[&str]| {
            let run = Command::new("mount").args(args).arg(dir).output();
            run.is_ok_and(|output| output.status.success())
        };
        // onto itself, so that what is open does not keep it from turning read-only
        if !mount(&["--bind", dir.to_str().unwrap()]) {
            println!("skipped: {test}: this process may not mount a folder onto itself");
            return None;
        }
        let mounted = Self(dir);
        assert!(mount(&["-o", "remount,bind,ro"]), "what may be mounted may be remounted");
        assert!(std::fs::write(dir.join("probe"), "").is_err(), "it is read-only");
        Some(mounted)
    }
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

/// Fills the journal with requests until the node gives up, then looks for every one that it acknowledged.
async fn check(stage: &Stage, dir: &Path, limits: &str, code: &str) {
    let mut node = NodeProcess::spawn(&stage.exchange.url(), dir, limits);
    node.ready().await;
    let mut acknowledged = 0;
    for number in 0..2_000 {
        let reason = format!("{number} {}", "x".repeat(60_000));
        match node.ask(OperatorRequest::Halt { reason }).await {
            Ok(OperatorReply::Done { .. }) => acknowledged = number,
            _ => break,
        }
    }
    assert!((20..1_999).contains(&acknowledged), "{acknowledged}");
    let (exit, words) = node.end().await;
    assert!(exit == Some(3) && words.contains(code), "{exit:?}: {words}");
    let halts = tradewind_node::events(dir).unwrap().filter_map(|event| match event.kind {
        EventKind::Halted(halt) => halt.reason.split(' ').next().and_then(|number| number.parse::<usize>().ok()),
        _ => None,
    });
    let kept: Vec<usize> = halts.collect();
    assert_eq!(kept[..=acknowledged], (0..=acknowledged).collect::<Vec<_>>()[..], "nothing acknowledged is lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g04_a_full_disk_ends_the_node_with_its_code_and_keeps_what_was_acknowledged() {
    let stage = Stage::new(exchange_config()).await;
    let Some(disk) = SmallDisk::of("6m", "g04_a_full_disk_ends_the_node_with_its_code") else { return };
    check(&stage, disk.path(), "", "JRN-05").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g04_on_a_full_disk_orders_stop_and_cancels_and_the_kill_switch_work() {
    let Some(disk) = SmallDisk::of("2m", "g04_on_a_full_disk_orders_stop") else { return };
    let stage = Stage::new(exchange_config()).await;
    let mut node = NodeProcess::spawn(&stage.exchange.url(), disk.path(), "TRADEWIND_TEST_SEGMENT=65536");
    node.ready().await;
    let far = || words(Side::Buy, "0.001", Some("30000"));
    let resting = node.done(OperatorRequest::OrderPlace(far())).await;
    for _ in 0..9 {
        node.done(OperatorRequest::OrderPlace(far())).await;
    }
    disk.fill();
    // the segment at hand, and the one that was prepared, still take some
    let too_much = || words(Side::Buy, "500", Some("30000"));
    let hint = loop {
        match node.ask(OperatorRequest::OrderPlace(too_much())).await.unwrap() {
            OperatorReply::Failed { code, hint, .. } if code == "JRN-05" => break hint,
            OperatorReply::Failed { .. } => (),
            OperatorReply::Done { data } => panic!("{data}"),
        }
    };
    assert!(hint.contains("free space"), "{hint}");
    let seen = node.done(OperatorRequest::Status).await;
    let notices = seen["notices"].to_string();
    assert!(notices.contains("alarm: JRN-05") && notices.contains("no new orders"), "{notices}");
    let open = seen["open_orders"].as_u64().unwrap();
    let client_id = ClientOrderId::parse(resting["client_id"].as_str().unwrap()).unwrap();
    node.done(OperatorRequest::OrderCancel { client_id }).await;
    node.until("the order is cancelled", |it| it["open_orders"] == open - 1).await;
    let halted = node.done(OperatorRequest::Halt { reason: "the disk is full".to_owned() }).await;
    assert_eq!(halted["halted"], "the disk is full");
    assert!(disk.path().join("HALTED").exists(), "the latch is on disk");
    node.until("the halt cancels what adds", |it| it["open_orders"] == 0).await;
    assert_eq!(stage.open_orders().await, Vec::<Value>::new(), "the venue took the cancels");
    disk.make_room();
    node.until("there is room", |it| it["notices"].to_string().contains("has room again")).await;
    node.done(OperatorRequest::Resume { reason: "there is room".to_owned() }).await;
    node.done(OperatorRequest::OrderPlace(far())).await;
    node.kill();
    check_journal(disk.path());
}

/// Waits until the process answers, or gives what it said when it ended instead.
async fn up(node: &mut NodeProcess) -> Result<(), (Option<i32>, String)> {
    let deadline = Instant::now() + Duration::from_secs(120); // a hang, not a slow machine
    while node.ask(OperatorRequest::Status).await.is_err() {
        if node.process.try_wait().unwrap().is_some() {
            return Err(node.end().await);
        }
        assert!(Instant::now() < deadline, "it neither comes up nor ends");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g04_a_node_started_on_a_full_disk_takes_no_order_and_once_nothing_can_be_kept_does_not_start() {
    let Some(disk) = SmallDisk::of("2m", "g04_a_node_started_on_a_full_disk_takes_no_order") else { return };
    let stage = Stage::new(exchange_config()).await;
    let spawn = || NodeProcess::spawn(&stage.exchange.url(), disk.path(), "TRADEWIND_TEST_SEGMENT=65536");
    let far = || words(Side::Buy, "0.001", Some("30000"));
    let mut node = spawn();
    node.ready().await;
    let resting = node.done(OperatorRequest::OrderPlace(far())).await;
    node.until("it rests", |it| it["open_orders"] == 1 && it["unknown_orders"] == 0).await;
    node.kill();
    disk.fill();
    let client_id = ClientOrderId::parse(resting["client_id"].as_str().unwrap()).unwrap();
    let (mut cancelled, mut refused_orders) = (false, 0);
    let (exit, said) = loop {
        let mut node = spawn();
        if let Err(ended) = up(&mut node).await {
            break ended;
        }
        // what is left of the segment at hand takes some more; when it is used up the node is up and says no
        for _ in 0..200 {
            match node.ask(OperatorRequest::OrderPlace(words(Side::Buy, "500", Some("30000")))).await.unwrap() {
                OperatorReply::Failed { code, hint, .. } if code == "JRN-05" => {
                    assert!(hint.contains("free space"), "{hint}");
                    refused_orders += 1;
                    break;
                }
                OperatorReply::Failed { .. } => (),
                OperatorReply::Done { data } => panic!("{data}"),
            }
        }
        if refused_orders > 0 && !cancelled {
            node.done(OperatorRequest::OrderCancel { client_id }).await;
            node.until("a cancel goes out on a full disk", |it| it["open_orders"] == 0).await;
            cancelled = true;
        }
        node.kill();
    };
    eprintln!("a full disk: {refused_orders} starts took no order, the next one ended with {exit:?}");
    assert!(cancelled && exit == Some(3), "{exit:?}: {said}");
    assert!(said.contains("JRN-05") && said.contains("free space"), "{said}");
    assert_eq!(stage.open_orders().await, Vec::<Value>::new());
    disk.make_room();
    let mut node = spawn();
    node.ready().await;
    node.done(OperatorRequest::OrderPlace(far())).await;
    node.kill();
    check_journal(disk.path());
    assert!(tradewind_node::audit(disk.path(), None, None).unwrap().verified);
}

#[tokio::test]
async fn g04_a_node_does_not_start_on_a_read_only_disk_and_does_once_it_is_writable() {
    let stage = Stage::new(exchange_config()).await;
    let (url, used, fresh) = (stage.exchange.url(), stage.dir.path().join("used"), stage.dir.path().join("fresh"));
    let start = |dir: &Path| Node::start(settings(&url, dir, &[]), surroundings(Origin::Simulated));
    start(&used).await.unwrap().stop().await.unwrap();
    let test = "g04_a_node_does_not_start_on_a_read_only_disk";
    let Some(locked) = ReadOnly::of(stage.dir.path(), test) else { return };
    for (dir, code) in [(&used, "JRN-06"), (&fresh, "NODE-15")] {
        let error = start(dir).await.err().unwrap();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.hint().contains("writ"), "{}", error.hint());
    }
    drop(locked);
    start(&used).await.unwrap().stop().await.unwrap();
    check_journal(&used);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g04_a_disk_that_turns_read_only_ends_the_node_with_its_code_and_keeps_what_was_acknowledged() {
    let stage = Stage::new(exchange_config()).await;
    let dir = stage.dir.path();
    let mut node = NodeProcess::spawn(&stage.exchange.url(), dir, "TRADEWIND_TEST_SEGMENT=65536");
    node.ready().await;
    let test = "g04_a_disk_that_turns_read_only_ends_the_node";
    let Some(locked) = ReadOnly::of(dir, test) else { return };
    let mut told = Vec::new();
    for _ in 0..2_000 {
        match node.ask(OperatorRequest::OrderPlace(words(Side::Buy, "0.001", Some("30000")))).await {
            Ok(OperatorReply::Done { data }) => {
                told.push(ClientOrderId::parse(data["client_id"].as_str().unwrap()).unwrap());
            }
            Ok(OperatorReply::Failed { .. }) => (), // a refusal is recorded as well
            Err(_) => break,
        }
    }
    let (exit, words) = node.end().await;
    assert!(exit == Some(3) && words.contains("JRN-06"), "{exit:?}: {words}");
    assert!(!told.is_empty(), "the segment at hand takes some more");
    drop(locked);
    let approved = tradewind_node::events(dir).unwrap().filter_map(|event| match event.kind {
        EventKind::Judged(Verdict::Approved(order)) => Some(order.client_id()),
        _ => None,
    });
    let kept: Vec<ClientOrderId> = approved.collect();
    assert!(told.iter().all(|id| kept.contains(id)), "nothing acknowledged is lost: {told:?} and {kept:?}");
    let mut node = NodeProcess::spawn(&stage.exchange.url(), dir, "");
    node.ready().await;
    node.kill();
    check_journal(dir);
}

/// Whoever throws the kill switch is not told that it holds, and no order leaves all the same: the node is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g04_a_kill_switch_that_a_read_only_disk_cannot_keep_ends_the_node() {
    let stage = Stage::new(exchange_config()).await;
    let mut node = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), "");
    node.ready().await;
    let test = "g04_a_kill_switch_that_a_read_only_disk_cannot_keep";
    let Some(_locked) = ReadOnly::of(stage.dir.path(), test) else { return };
    let halted = node.ask(OperatorRequest::Halt { reason: "the disk".to_owned() }).await;
    assert!(!matches!(halted, Ok(OperatorReply::Done { .. })), "{halted:?}");
    let (exit, words) = node.end().await;
    assert!(exit == Some(3) && words.contains("NODE-36"), "{exit:?}: {words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g04_a_limit_on_file_size_ends_the_node_with_a_code_and_keeps_what_was_acknowledged() {
    let stage = Stage::new(exchange_config()).await;
    // in blocks of 512 bytes (of 1,024 in some shells): the first segment fits, the second one does not
    let limits = "trap '' XFSZ; ulimit -f 16384; TRADEWIND_TEST_SEGMENT=67108864";
    check(&stage, stage.dir.path(), limits, "JRN-05").await;
}

#[tokio::test]
async fn g04_a_data_directory_that_cannot_be_is_named_with_a_code() {
    let stage = Stage::new(exchange_config()).await;
    let file = stage.dir.path().join("file");
    std::fs::write(&file, "not a directory").unwrap();
    let in_the_way = stage.dir.path().join("data");
    std::fs::create_dir(&in_the_way).unwrap();
    std::fs::write(in_the_way.join("journal"), "not a directory either").unwrap();
    for (dir, code) in [(file.join("data"), "NODE-15"), (in_the_way, "JRN-0")] {
        let url = stage.exchange.url();
        let error = Node::start(settings(&url, &dir, &[]), surroundings(Origin::Simulated)).await.err().unwrap();
        assert!(error.code().starts_with(code), "{}: {error}", error.code());
        assert!(error.to_string().contains(&dir.display().to_string()) && !error.hint().is_empty(), "{error}");
    }
}
