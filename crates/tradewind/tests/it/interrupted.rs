//! A signal before there is a result: the command says so, ends with 130, and leaves nothing that is half done.

use crate::standby::Pair;
use crate::support::{Run, Running, text, tradewind, wait_until, waves};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(3);
const KEYS: [(&str, &str); 2] = [("TRADEWIND_KEY", "nobody's"), ("TRADEWIND_SECRET", "nobody's")];

/// Sends the signal, and asserts that the command ends for it.
fn interrupt(process: Running, signal: &str) -> Run {
    process.signal(signal);
    let (run, took) = process.end();
    assert!(took < SOON, "{signal}: {took:?}");
    run.failed_with(130, "CLI-12")
}

/// Waits until something is there.
fn wait_for(path: &Path) {
    wait_until(20, &format!("{} does not come", path.display()), || path.exists());
}

/// Waits until the process watches for signals: from then on none ends it without a word.
fn until_it_listens(process: &Running) {
    const INT_AND_TERM: u64 = (1 << 1) | (1 << 14);
    let status = format!("/proc/{}/status", process.id());
    let caught = || {
        let status = std::fs::read_to_string(&status).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap()
    };
    wait_until(20, "it does not listen", || caught() & INT_AND_TERM == INT_AND_TERM);
}

/// A file whose reader waits for a writer, and whose writer waits for a reader.
fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A venue that takes connections and answers nothing.
struct Silent(TcpListener);

impl Silent {
    fn open() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn settings(&self, dir: &Path) -> PathBuf {
        let address = self.0.local_addr().unwrap().to_string();
        let minimal = include_str!("../../../../examples/minimal.toml").replace("127.0.0.1:9090", &address);
        let file = dir.join("silent.toml");
        std::fs::write(&file, minimal).unwrap();
        file
    }

    /// Waits until somebody asks something.
    fn asked(&self) -> TcpStream {
        self.0.accept().unwrap().0
    }
}

/// A data directory that holds the journal of a run.
fn journal_of_a_run(dir: &Path) -> PathBuf {
    let (kept, data) = (concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data-v6/journal"), dir.join("kept"));
    std::fs::create_dir_all(data.join("journal")).unwrap();
    for entry in std::fs::read_dir(kept).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), data.join("journal").join(entry.file_name())).unwrap();
    }
    data
}

#[test]
fn a_start_on_a_venue_that_answers_nothing_ends_at_the_first_signal() {
    for signal in ["INT", "TERM"] {
        let (venue, dir) = (Silent::open(), tempfile::tempdir().unwrap());
        let (file, data) = (venue.settings(dir.path()), dir.path().join("data"));
        let process = Running::start_with(&["paper", "--config", text(&file), "--data-dir", text(&data)], &KEYS);
        let _open = venue.asked();
        let run = interrupt(process, signal);
        assert!(run.err.contains("before the node was ready"), "{}", run.err);
    }
}

#[test]
fn a_start_that_is_interrupted_on_its_way_leaves_neither_lock_nor_socket() {
    let pair = Pair::new();
    pair.exchange.post("/tradewind/v1/faults", r#"[{"path": "/api/v3/exchangeInfo", "kind": "hang"}]"#);
    let process = pair.start(&pair.data, false);
    let socket = pair.data.join("control.sock");
    wait_for(&socket);
    interrupt(process, "INT");
    assert!(!socket.exists());
    pair.exchange.post("/tradewind/v1/faults", "[]");
    let mut node = pair.start(&pair.data, false);
    node.until("ready in");
    node.signal("TERM");
    node.end().0.ended_with(0);
}

#[test]
fn a_drop_copy_that_has_compared_nothing_has_no_result() {
    let (venue, dir) = (Silent::open(), tempfile::tempdir().unwrap());
    let (file, data) = (venue.settings(dir.path()), journal_of_a_run(dir.path()));
    let args = ["drop-copy", "--config", text(&file), "--data-dir", text(&data), "--once"];
    let process = Running::start_with(&args, &KEYS);
    let _open = venue.asked();
    let run = interrupt(process, "INT");
    assert!(run.err.contains("before both sides were compared"), "{}", run.err);
}

#[test]
fn a_stop_says_how_many_orders_may_still_be_open_at_the_venue() {
    let pair = Pair::new();
    let mut node = pair.start(&pair.data, false);
    node.until("ready in");
    let mark = pair.ask(&["status"]).ended_with(0).json()["instruments"][0]["mark"].clone();
    let far = format!("{:.2}", mark.as_str().unwrap().parse::<f64>().unwrap() * 0.9);
    let buy = ["order", "place", "--symbol", "BTC/USDT", "--side", "buy", "--quantity", "0.001", "--price", &far];
    pair.ask(&buy).ended_with(0);
    let rests = || pair.ask(&["order", "list"]).ended_with(0).json()[0]["status"] == "open";
    wait_until(10, "the order does not rest", rests);
    let faults = r#"[{"path": "order.cancel", "kind": "nothing"},
        {"path": "/api/v3/order", "method": "DELETE", "kind": "hang"}]"#;
    pair.exchange.post("/tradewind/v1/faults", faults);
    node.signal("INT");
    let (run, took) = node.end();
    assert!(took < SOON, "{took:?}");
    let run = run.ended_with(0);
    assert!(run.out.contains("stopped in order: ") && run.out.contains("\n1 order may still be open"), "{}", run.out);
}

#[test]
fn a_diagnosis_is_interrupted_and_says_so_as_it_is_asked_to() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("WAVES_USDT-1h.csv");
    pipe(&data);
    let args = ["diagnose", "--data", text(&data), "--symbol", "WAVES/USDT", "--strategy", "vote"];
    let process = Running::start(&args);
    until_it_listens(&process);
    interrupt(process, "INT");
    let process = Running::start(&[&args[..], &["-o", "json"]].concat());
    until_it_listens(&process);
    process.signal("TERM");
    let run = process.end().0.ended_with(130);
    let said: Value = serde_json::from_str(&run.err).unwrap();
    assert_eq!((&said["error"]["code"], run.out.as_str()), (&"CLI-12".into(), ""), "{}", run.err);
}

#[test]
fn a_replay_is_interrupted() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("journal")).unwrap();
    pipe(&dir.path().join("journal/00000000000000000001.seg"));
    let process = Running::start(&["replay", text(dir.path())]);
    until_it_listens(&process);
    interrupt(process, "INT");
}

#[test]
fn an_interrupted_backup_takes_away_what_it_has_copied_and_nothing_else() {
    for is_new in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let (data, to) = (journal_of_a_run(dir.path()), dir.path().join("to"));
        pipe(&data.join("journal/00000000000000999999.snap"));
        if !is_new {
            std::fs::create_dir(&to).unwrap();
            std::fs::write(to.join("mine"), "").unwrap();
        }
        let process = Running::start(&["journal", "backup", text(&data), text(&to)]);
        wait_for(&to.join("journal"));
        interrupt(process, "INT");
        assert!(!to.join("journal").exists());
        assert_eq!((to.exists(), to.join("mine").exists()), (!is_new, !is_new));
    }
}

#[test]
fn an_interrupted_backup_leaves_what_others_put_into_its_folder_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let (data, to) = (journal_of_a_run(dir.path()), dir.path().join("to"));
    pipe(&data.join("journal/00000000000000999999.snap"));
    let process = Running::start(&["journal", "backup", text(&data), text(&to)]);
    wait_for(&to.join("journal"));
    std::fs::write(to.join("theirs"), "theirs").unwrap();
    interrupt(process, "INT");
    assert!(!to.join("journal").exists());
    assert_eq!(std::fs::read_to_string(to.join("theirs")).unwrap(), "theirs");
}

#[test]
fn an_interrupted_order_is_not_said_to_be_undone() {
    let dir = tempfile::tempdir().unwrap();
    let node = UnixListener::bind(dir.path().join("control.sock")).unwrap();
    let buy = ["order", "place", "--symbol", "BTC/USDT", "--side", "buy", "--quantity", "1"];
    for (args, may_be_done) in [
        (&buy[..], true),
        (&["position", "close", "BTC/USDT"], true),
        (&["flatten"], true),
        (&["order", "list"], false),
    ] {
        let process = Running::start(&[args, &["--data-dir", text(dir.path())]].concat());
        let (asking, _) = node.accept().unwrap();
        BufReader::new(&asking).read_line(&mut String::new()).unwrap(); // and no answer comes
        let run = interrupt(process, "INT");
        for words in ["may have been done", "`tradewind order list`", "--key"] {
            assert_eq!(run.err.contains(words), may_be_done, "{args:?}: {}", run.err);
        }
        assert_eq!(run.err.contains("start it again"), !may_be_done, "{args:?}: {}", run.err);
    }
}

#[test]
fn a_signal_is_obeyed_though_nobody_reads_what_the_process_says() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("journal")).unwrap();
    pipe(&dir.path().join("journal/00000000000000000001.seg"));
    let replay = ["replay", text(dir.path())];
    for (args, in_order) in [(&replay[..], false), (&["exchange", "-o", "json"], true)] {
        let (unread, full) = std::io::pipe().unwrap();
        let mut filling = full.try_clone().unwrap();
        let filler = std::thread::spawn(move || while filling.write_all(&[b'.'; 4096]).is_ok() {});
        let mut process = Running::start_unread(args, full);
        until_it_listens(&process);
        if in_order {
            process.line(); // it is ready
        }
        process.signal("INT");
        let (run, took) = process.end();
        assert!(took < SOON, "{args:?}: {took:?}");
        run.ended_with(if in_order { 0 } else { 130 });
        drop(unread);
        filler.join().unwrap();
    }
}

#[test]
fn an_interrupted_import_leaves_the_catalog_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = dir.path().join("catalog");
    let import = |file: &Path| {
        ["data", "import", text(file), "--symbol", "WAVES/USDT", "--catalog", text(&catalog), "--replace", "-o", "json"]
            .map(str::to_owned)
    };
    let first = import(&waves(dir.path(), 100));
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    let stored = tradewind(&first).ended_with(0).json()["stored"].as_str().map(PathBuf::from).unwrap();
    let before = std::fs::read(&stored).unwrap();

    let long = dir.path().join("long");
    std::fs::create_dir(&long).unwrap();
    let second = import(&waves(&long, 400_000));
    let second = second[..second.len() - 2].join("' '"); // in words
    // the shell hands its number on: what that process is to write beside the stored file is a pipe before it begins
    let process = Running::shell(&format!("mkfifo '{}'.$$.tmp && exec \"$0\" '{second}'", text(&stored)));
    let unfinished = stored.with_extension(format!("parquet.{}.tmp", process.id()));
    wait_for(&unfinished);
    let (begun, writes) = std::sync::mpsc::channel();
    let reader = unfinished.clone();
    std::thread::spawn(move || begun.send(std::fs::File::open(reader)));
    let _open = writes.recv_timeout(Duration::from_secs(50)).expect("it comes to write").unwrap();
    interrupt(process, "INT");
    assert!(!unfinished.exists());
    assert!(std::fs::read(&stored).unwrap() == before, "what was stored stays");
}
