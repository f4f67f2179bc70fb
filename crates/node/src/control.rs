//! The control socket: one JSON request a line, one JSON answer a line, on a Unix socket only its owner can open.

use crate::core::Input;
use crate::error::NodeError;
use crate::operate::{OperatorReply, OperatorRequest};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};

/// Longest request: an order in words is a few hundred bytes.
const REQUEST_BYTES_MAX: u64 = 64 * 1024;
/// Longest path that the system takes for a socket.
const SOCKET_PATH_MAX: usize = 100;

/// Where the control socket of a data directory is. A path too long for a socket is moved to the temporary folder
/// under a name made of its hash, by both sides alike.
#[must_use]
pub fn socket_path(data_dir: &Path) -> PathBuf {
    let dir = std::fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let path = dir.join("control.sock");
    if path.as_os_str().len() <= SOCKET_PATH_MAX {
        return path;
    }
    let name = hex::encode(&Sha256::digest(dir.as_os_str().as_encoded_bytes())[..12]);
    std::env::temp_dir().join(format!("tradewind-{name}.sock"))
}

/// Opens the socket. The journal's lock was taken before, so a socket that is there belongs to a dead process.
pub(crate) fn listen(data_dir: &Path) -> Result<(tokio::net::UnixListener, PathBuf), NodeError> {
    let path = socket_path(data_dir);
    let failed = |source| NodeError::Control { path: path.clone(), source };
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => (),
    }
    let listener = tokio::net::UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok((listener, path))
}

/// Serves requests until the node ends. `stop` is told when a person asks for the end.
pub(crate) async fn serve(listener: tokio::net::UnixListener, inbox: mpsc::Sender<Input>, stop: watch::Sender<bool>) {
    let stopping = stop.subscribe();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(tokio::spawn(answer(stream, inbox.clone(), stop.clone()))),
                Err(error) => {
                    tracing::warn!(%error, "the control socket failed");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            () = told_to_stop(stopping.clone()) => return,
        }
    }
}

/// Waits until the watch says stop, or its sender is gone.
pub(crate) async fn told_to_stop(mut stopping: watch::Receiver<bool>) {
    while !*stopping.borrow_and_update() {
        if stopping.changed().await.is_err() {
            return;
        }
    }
}

async fn answer(stream: tokio::net::UnixStream, inbox: mpsc::Sender<Input>, stop: watch::Sender<bool>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = tokio::io::BufReader::new(reader.take(REQUEST_BYTES_MAX)).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let reply = match serde_json::from_str::<OperatorRequest>(&line) {
            Ok(OperatorRequest::Stop) => {
                stop.send_replace(true);
                OperatorReply::Done { data: serde_json::json!({ "stopping": true }) }
            }
            Ok(request) => ask(&inbox, request).await,
            Err(error) => OperatorReply::Failed {
                code: "NODE-13".to_owned(),
                message: format!("the request cannot be read: {error}"),
                hint: "use the command line of the same version".to_owned(),
            },
        };
        let mut text = serde_json::to_string(&reply).unwrap_or_default();
        text.push('\n');
        if writer.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn ask(inbox: &mpsc::Sender<Input>, request: OperatorRequest) -> OperatorReply {
    let (reply, answer) = oneshot::channel();
    let sent = inbox.send(Input::Operator(request, reply)).await;
    let answer = if sent.is_ok() { answer.await.ok() } else { None };
    answer.unwrap_or_else(|| OperatorReply::Failed {
        code: NodeError::Stopped.code_text(),
        message: NodeError::Stopped.to_string(),
        hint: "look at the log".to_owned(),
    })
}

/// Asks the node that runs on `data_dir`.
///
/// # Errors
/// [`NodeError::NotRunning`] if none does; [`NodeError::Control`] if it does not answer in ten seconds.
pub fn request(data_dir: &Path, request: &OperatorRequest) -> Result<OperatorReply, NodeError> {
    let path = socket_path(data_dir);
    let absent = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused => {
            NodeError::NotRunning { dir: data_dir.to_owned() }
        }
        _ => NodeError::Control { path: path.clone(), source: error },
    };
    let failed = |source| NodeError::Control { path: path.clone(), source };
    let mut stream = std::os::unix::net::UnixStream::connect(&path).map_err(absent)?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(failed)?;
    let mut text = serde_json::to_string(request).map_err(|error| failed(error.into()))?;
    text.push('\n');
    stream.write_all(text.as_bytes()).map_err(failed)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).map_err(failed)?;
    serde_json::from_str(&line).map_err(|error| failed(error.into()))
}

impl NodeError {
    fn code_text(&self) -> String {
        tradewind_domain::Coded::code(self).to_owned()
    }
}
