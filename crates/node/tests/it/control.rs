//! One writer, one socket, many clients.

use crate::child::NodeProcess;
use crate::support::{Stage, check_journal, exchange_config, settings, status, surroundings};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use tradewind_domain::{Coded, Origin};
use tradewind_node::{Node, OperatorReply, OperatorRequest, request, socket_path};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_instance_is_refused_with_the_pid_of_the_first() {
    let stage = Stage::new(exchange_config()).await;
    let mut first = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), "");
    first.ready().await;
    let error = stage.node().await.err().expect("one writer at a time");
    assert_eq!(error.code(), "JRN-01");
    let pid = format!("process {}", first.process.id());
    assert!(error.to_string().contains(&pid), "{error}, not {pid}");
    assert!(first.ask(OperatorRequest::Status).await.is_ok(), "the first one keeps its socket");
    first.kill();
    assert!(socket_path(stage.dir.path()).exists(), "a killed process leaves its socket");
    let node = stage.node().await.expect("and the next one takes its place");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_stop_over_the_socket_is_answered_and_ends_the_process_in_order() {
    let stage = Stage::new(exchange_config()).await;
    let mut node = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), "");
    node.ready().await;
    assert!(matches!(node.ask(OperatorRequest::Stop).await.unwrap(), OperatorReply::Done { .. }));
    assert_eq!(node.end().await.0, Some(0));
    assert_eq!(node.ask(OperatorRequest::Status).await.unwrap_err().code(), "NODE-05");
    check_journal(stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_answered_and_the_next_request_too() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    let path = socket_path(stage.dir.path());
    let said = tokio::task::spawn_blocking(move || {
        let mut stream = UnixStream::connect(path).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut say = |bytes: &[u8]| {
            stream.write_all(bytes).unwrap();
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            line
        };
        let mut said = vec![
            say(b"hello\n"),
            say(b"\xff\xfe\x00\n"),
            say(b"{\"request\":\"halt\"}\n"),
            say(b"{\"request\":\"order-cancel\",\"client_id\":\"1\"}\n"),
            say(b"\n"),
        ];
        assert!(say(b"{\"request\":\"status\"}\n").contains("\"mode\":\"paper\""));
        said.push(say(&[b'x'; 64 * 1024]));
        said
    });
    for line in said.await.unwrap() {
        let answer: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["code"], "NODE-13", "{line}");
    }
    assert_eq!(status(&node).await["mode"], "paper");
    node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_clients_are_served_at_once() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    let ask = |number: usize| {
        let dir = stage.dir.path().to_owned();
        tokio::task::spawn_blocking(move || {
            let wanted = match number % 3 {
                0 => OperatorRequest::Status,
                1 => OperatorRequest::OrderList,
                _ => OperatorRequest::Resume { reason: number.to_string() },
            };
            matches!(request(&dir, &wanted), Ok(OperatorReply::Done { .. }))
        })
    };
    let asked: Vec<_> = (0..100).map(ask).collect();
    for (number, answer) in asked.into_iter().enumerate() {
        assert!(answer.await.unwrap(), "client {number}");
    }
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_has_one_elsewhere() {
    let stage = Stage::new(exchange_config()).await;
    let deep = stage.dir.path().join("a-long-name-for-a-directory/".repeat(6));
    let url = stage.exchange.url();
    let node = Node::start(settings(&url, &deep, &[]), surroundings(Origin::Simulated)).await.unwrap();
    let path = socket_path(&deep);
    assert!(path.exists() && !path.starts_with(&deep) && path.as_os_str().len() < 108, "{}", path.display());
    let asked = tokio::task::spawn_blocking(move || request(&deep, &OperatorRequest::Status));
    assert!(matches!(asked.await.unwrap(), Ok(OperatorReply::Done { .. })));
    node.stop().await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_that_says_nothing_usable_is_named() {
    let stage = Stage::new(exchange_config()).await;
    let dir = stage.dir.path().to_owned();
    assert_eq!(request(&dir, &OperatorRequest::Status).unwrap_err().code(), "NODE-05");
    let listener = UnixListener::bind(socket_path(&dir)).unwrap();
    for answer in ["", "what?\n"] {
        let asked = std::thread::spawn({
            let dir = dir.clone();
            move || request(&dir, &OperatorRequest::Status)
        });
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        drop(stream);
        assert_eq!(asked.join().unwrap().unwrap_err().code(), "NODE-19", "{answer:?}");
    }
}

#[tokio::test]
async fn a_node_that_is_dropped_lets_go_of_everything() {
    let stage = Stage::new(exchange_config()).await;
    drop(stage.node().await.unwrap());
    let again = async {
        loop {
            match stage.node().await {
                Ok(node) => return node,
                Err(error) => assert_eq!(error.code(), "JRN-01", "{error}"), // its engine ends in order meanwhile
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let node = tokio::time::timeout(std::time::Duration::from_secs(10), again).await.unwrap();
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}
