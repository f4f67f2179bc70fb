//! Disks that are full, limited or not there.

use crate::child::NodeProcess;
use crate::support::{Stage, exchange_config, settings, surroundings};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use tradewind_domain::{Coded, Origin};
use tradewind_engine::EventKind;
use tradewind_node::{Node, OperatorReply, OperatorRequest};

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
async fn a_full_disk_ends_the_node_with_its_code_and_keeps_what_was_acknowledged() {
    let stage = Stage::new(exchange_config()).await;
    let disk = TempDir::new().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(disk.path()).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("no full disk: this process may not mount a small one");
        return;
    }
    struct Mounted(TempDir);
    impl Drop for Mounted {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.0.path()).status();
        }
    }
    let disk = Mounted(disk);
    check(&stage, disk.0.path(), "", "JRN-05").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_on_file_size_ends_the_node_with_a_code_and_keeps_what_was_acknowledged() {
    let stage = Stage::new(exchange_config()).await;
    // in blocks of 512 bytes (of 1,024 in some shells): the first segment fits, the second one does not
    check(&stage, stage.dir.path(), "trap '' XFSZ; ulimit -f 16384;", "JRN-05").await;
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_is_named_with_a_code() {
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
