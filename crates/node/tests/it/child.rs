//! A node in a process of its own, to be killed, starved of disk, or met as a second instance.

use crate::support::{settings, surroundings};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tradewind_domain::{Coded, Origin};
use tradewind_node::settings::{Seconds, Settings};
use tradewind_node::{Node, NodeError, OperatorReply, OperatorRequest, request};

const TOLD: &str = "TRADEWIND_TEST_CHILD";

/// Short windows, so that silence is proof within seconds, and short segments, so that there are many.
pub(crate) fn quick(url: &str, dir: &Path, strategies: &[&str]) -> Settings {
    let mut settings = settings(url, dir, strategies);
    settings.venue.recv_window = Seconds::from_millis(300);
    let told = std::env::var("TRADEWIND_TEST_SEGMENT").map(|bytes| bytes.parse().unwrap());
    settings.journal.segment_bytes = told.unwrap_or(16 << 10);
    settings
}

/// Not a test by itself: what the other process runs. Ends with 0 in order, with 3 and its code on stderr otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_in_a_process_of_its_own() {
    let Ok(told) = std::env::var(TOLD) else { return };
    let [url, dir, strategy] = told.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let strategies: Vec<&str> = (!strategy.is_empty()).then_some(strategy).into_iter().collect();
    let ended = async {
        let node = Node::start(quick(url, Path::new(dir), &strategies), surroundings(Origin::Simulated)).await?;
        node.stop_asked().await;
        node.stop().await
    };
    if let Err(error) = ended.await {
        eprintln!("{}: {error}; {}", error.code(), error.hint());
        std::process::exit(3);
    }
    std::process::exit(0);
}

/// The other process; ended when dropped.
pub(crate) struct NodeProcess {
    pub(crate) process: Child,
    dir: PathBuf,
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

impl NodeProcess {
    /// Starts it without strategies; `limits` are shell words before it, such as `ulimit -f 1;`.
    pub(crate) fn spawn(url: &str, dir: &Path, limits: &str) -> Self {
        Self::spawn_trading(url, dir, limits, "")
    }

    pub(crate) fn spawn_trading(url: &str, dir: &Path, limits: &str, strategy: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        let process = Command::new("sh")
            .args(["-c", &format!("{limits} exec \"$0\" \"$@\"")])
            .arg(program)
            .args(["child::a_node_in_a_process_of_its_own", "--exact", "--nocapture"])
            .env(TOLD, format!("{url} {} {strategy}", dir.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { process, dir: dir.to_owned() }
    }

    /// Asks it over its control socket.
    pub(crate) async fn ask(&self, wanted: OperatorRequest) -> Result<OperatorReply, NodeError> {
        let dir = self.dir.clone();
        tokio::task::spawn_blocking(move || request(&dir, &wanted)).await.unwrap()
    }

    /// What it answers to something that it must do.
    pub(crate) async fn done(&self, wanted: OperatorRequest) -> Value {
        let shown = format!("{wanted:?}");
        match self.ask(wanted).await.unwrap() {
            OperatorReply::Done { data } => data,
            OperatorReply::Failed { code, message, .. } => panic!("{shown}: {code}: {message}"),
        }
    }

    /// Asks for its status again and again until it is so.
    pub(crate) async fn until(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(120); // a hang, not a slow machine
        loop {
            let seen = self.done(OperatorRequest::Status).await;
            if is(&seen) {
                return seen;
            }
            assert!(Instant::now() < deadline, "not in 120 s: {what}\n{seen:#}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sends it a signal by its name, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until it answers.
    pub(crate) async fn ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(120); // a hang, not a slow machine
        while self.ask(OperatorRequest::Status).await.is_err() {
            assert!(self.process.try_wait().unwrap().is_none(), "it ended: {}", self.last_words());
            assert!(Instant::now() < deadline, "it does not come up");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill(); // it may have ended
        let _ = self.process.wait();
    }

    /// Waits until it ends by itself: its exit code and what it said last.
    pub(crate) async fn end(&mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + Duration::from_secs(120); // a hang, not a slow machine
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return (status.code(), self.last_words());
            }
            assert!(Instant::now() < deadline, "it does not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn last_words(&mut self) -> String {
        self.process.stderr.take().map(|pipe| std::io::read_to_string(pipe).unwrap()).unwrap_or_default()
    }
}
