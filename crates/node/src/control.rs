//! The control socket: one JSON request a line, one JSON answer a line, on a Unix socket only its owner can open.

use crate::data_dir::DataDir;
use crate::error::NodeError;
use crate::inbox::Input;
use crate::kill_switch::KillSwitch;
use crate::operate::{OperatorReply, OperatorRequest};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tradewind_domain::Coded;

/// Longest request: an order in words is a few hundred bytes.
const REQUEST_BYTES_MAX: u64 = 64 * 1024;
/// How long a client waits for the answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Longest path that the system takes for a socket.
const SOCKET_PATH_MAX: usize = 100;

/// Where the control socket of a data directory is. A path too long for a socket is moved to the temporary folder
/// under a name made of its hash, by both sides alike.
#[must_use]
pub fn socket_path(data_dir: &Path) -> PathBuf {
    let dir = std::fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let path = DataDir::new(&dir).control_socket();
    if path.as_os_str().len() <= SOCKET_PATH_MAX {
        return path;
    }
    let name = hex::encode(&Sha256::digest(dir.as_os_str().as_encoded_bytes())[..12]);
    std::env::temp_dir().join(format!("tradewind-{name}.sock"))
}

/// The socket's file, removed when the node ends.
pub(crate) struct ControlSocket(PathBuf);

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0); // one that stays is replaced at the next start
    }
}

/// Opens the socket. The journal's lock was taken before, so a socket that is there belongs to a dead process.
pub(crate) fn listen(data_dir: &Path) -> Result<(UnixListener, ControlSocket), NodeError> {
    let path = socket_path(data_dir);
    let failed = |source| NodeError::Control { path: path.clone(), source };
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => (),
    }
    let listener = UnixListener::bind(&path).map_err(failed)?;
    let socket = ControlSocket(path.clone());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok((listener, socket))
}

/// Who owns the socket's file, and so this process.
pub(crate) fn owner_of(socket: &ControlSocket) -> Result<u32, NodeError> {
    let failed = |source| NodeError::Control { path: socket.0.clone(), source };
    Ok(std::fs::metadata(&socket.0).map_err(failed)?.uid())
}

/// Whether whoever is at the other end, as the kernel says, may speak: the owner of this process alone. The mode of the
/// socket's file says the same; this holds even if somebody changes that, or where the file system keeps no modes.
pub(crate) fn is_owner(peer: Option<u32>, owner: u32) -> bool {
    peer == Some(owner)
}

/// Serves requests until it is dropped. `stop` is told when a person asks for the end; `admits` is asked about the user
/// at the other end of each connection, `None` where the kernel does not tell.
pub(crate) async fn serve(
    listener: UnixListener,
    inbox: mpsc::Sender<Input>,
    stop: watch::Sender<bool>,
    switch: KillSwitch,
    admits: impl Fn(Option<u32>) -> bool,
) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let peer = stream.peer_cred().ok().map(|peer| peer.uid());
                    if admits(peer) {
                        clients.spawn(answer(stream, inbox.clone(), stop.clone(), switch.clone()));
                    } else {
                        tracing::warn!(?peer, "another user was turned away from the control socket");
                        clients.spawn(turn_away(stream, peer, inbox.clone(), switch.clone()));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket failed");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = clients.join_next() => (),
        }
    }
}

/// Answers whatever is asked with the reason why it is not heard. A signed call of the kill switch proves itself,
/// whoever brings it.
async fn turn_away(stream: UnixStream, peer: Option<u32>, inbox: mpsc::Sender<Input>, switch: KillSwitch) {
    let (reader, mut writer) = stream.into_split();
    let mut line = Vec::new();
    let asked = tokio::io::BufReader::new(reader).take(REQUEST_BYTES_MAX).read_until(b'\n', &mut line).await;
    let who = peer.map_or_else(|| "a user that the system does not name".to_owned(), |uid| format!("the user {uid}"));
    let turned_away = OperatorReply::Failed {
        code: "NODE-41".to_owned(),
        message: format!("{who} does not own this node"),
        hint: "run the command as the user that runs the node".to_owned(),
    };
    if asked.is_ok() {
        let reply = match read(&line) {
            Ok(call @ OperatorRequest::HaltSigned(_)) => heard(&inbox, &switch, call).await,
            _ => turned_away,
        };
        let text = serde_json::to_string(&reply).unwrap_or_default();
        let _ = writer.write_all(format!("{text}\n").as_bytes()).await; // whoever asked may be gone
    }
}

async fn answer(stream: UnixStream, inbox: mpsc::Sender<Input>, stop: watch::Sender<bool>, switch: KillSwitch) {
    let (reader, mut writer) = stream.into_split();
    let mut reader = tokio::io::BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        match (&mut reader).take(REQUEST_BYTES_MAX).read_until(b'\n', &mut line).await {
            Ok(1..) => (),
            Ok(0) | Err(_) => return, // the client is gone
        }
        let whole = line.ends_with(b"\n");
        let request = if whole { read(&line) } else { Err("it does not end in a line break".to_owned()) };
        let asks_to_stop = request.as_ref().is_ok_and(OperatorRequest::stops);
        let reply = match request {
            Ok(request) => heard(&inbox, &switch, request).await,
            Err(reason) => OperatorReply::Failed {
                code: "NODE-13".to_owned(),
                message: format!("the request cannot be read: {reason}"),
                hint: "use the command line of the same version".to_owned(),
            },
        };
        let stops = asks_to_stop && matches!(reply, OperatorReply::Done { .. });
        let mut text = serde_json::to_string(&reply).unwrap_or_default();
        text.push('\n');
        let written = writer.write_all(text.as_bytes()).await;
        if stops {
            stop.send_replace(true); // after the answer: the end takes this connection with it
        }
        if written.is_err() || !whole {
            return;
        }
    }
}

/// The answer to a request, which the kill switch hears before the engine does.
async fn heard(inbox: &mpsc::Sender<Input>, switch: &KillSwitch, request: OperatorRequest) -> OperatorReply {
    match switch.hear(&request) {
        Ok(()) => ask(inbox, request).await,
        Err(reply) => reply,
    }
}

fn read(line: &[u8]) -> Result<OperatorRequest, String> {
    serde_json::from_slice(line).map_err(|error| error.to_string())
}

async fn ask(inbox: &mpsc::Sender<Input>, request: OperatorRequest) -> OperatorReply {
    let (reply, answer) = oneshot::channel();
    let sent = inbox.send(Input::Operator(Box::new(request), reply)).await;
    let answer = if sent.is_ok() { answer.await.ok() } else { None };
    answer.unwrap_or_else(|| OperatorReply::Failed {
        code: NodeError::Stopped.code().to_owned(),
        message: NodeError::Stopped.to_string(),
        hint: NodeError::Stopped.hint().to_owned(),
    })
}

/// Asks the node that runs on `data_dir`.
///
/// # Errors
/// [`NodeError::NotRunning`] if none does; [`NodeError::NoAnswer`] if it says nothing usable within ten seconds.
pub fn request(data_dir: &Path, request: &OperatorRequest) -> Result<OperatorReply, NodeError> {
    let path = socket_path(data_dir);
    let silent = |reason: String| NodeError::NoAnswer { path: path.clone(), reason };
    let failed = |error: std::io::Error| silent(error.to_string());
    let mut stream = std::os::unix::net::UnixStream::connect(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused => {
            NodeError::NotRunning { dir: data_dir.to_owned() }
        }
        _ => failed(error),
    })?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).map_err(failed)?;
    let mut text = serde_json::to_string(request).map_err(|error| silent(error.to_string()))?;
    text.push('\n');
    stream.write_all(text.as_bytes()).map_err(failed)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).map_err(failed)?;
    if line.is_empty() {
        return Err(silent("it closed the connection".to_owned()));
    }
    serde_json::from_str(&line).map_err(|error| silent(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_alone_is_heard() {
        assert!(is_owner(Some(1_000), 1_000));
        for other in [Some(0), Some(1_001), Some(u32::MAX), None] {
            assert!(!is_owner(other, 1_000), "{other:?}");
        }
    }

    #[tokio::test]
    async fn a_signed_call_of_another_user_reaches_the_kill_switch_and_an_unsigned_one_does_not() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::TempDir::new().unwrap();
        let (listener, _socket) = listen(dir.path()).unwrap();
        let path = dir.path().join("kill.key");
        std::fs::write(&path, "k".repeat(32)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let key = crate::kill_call::KillKey::read(&path).unwrap();
        let calls = crate::kill_call::KillCalls::new(Some(key.clone()), std::collections::BTreeSet::new());
        let switch = KillSwitch::new(false).with_calls(calls);
        let (inbox, mut heard) = mpsc::channel(1);
        let server = tokio::spawn(serve(listener, inbox, watch::channel(false).0, switch.clone(), |_| false));
        let call = key.sign("x", crate::clock::wall()).unwrap();
        let forged = crate::kill_call::SignedHalt { signature: "0".repeat(64), ..call.clone() };
        let dir = dir.path().to_owned();
        let ask = |call| {
            let dir = dir.clone();
            tokio::task::spawn_blocking(move || request(&dir, &OperatorRequest::HaltSigned(call)))
        };
        let refused = ask(forged).await.unwrap().unwrap();
        assert!(matches!(refused, OperatorReply::Failed { code, .. } if code == "NODE-45"));
        assert!(!switch.flag().load(std::sync::atomic::Ordering::SeqCst));
        let answer = ask(call);
        let Some(Input::Operator(asked, reply)) = heard.recv().await else { panic!("the engine hears of it") };
        assert!(matches!(*asked, OperatorRequest::HaltSigned(_)));
        assert!(switch.flag().load(std::sync::atomic::Ordering::SeqCst), "sends stop before the engine has answered");
        drop(reply);
        answer.await.unwrap().unwrap();
        server.abort();
    }

    /// What a request to a socket of `dir` comes to whose peers are judged by `admits`, and whether anything of it was heard.
    async fn asked(admits: impl Fn(Option<u32>, u32) -> bool + Send + 'static) -> (String, bool) {
        let dir = tempfile::TempDir::new().unwrap();
        let (listener, socket) = listen(dir.path()).unwrap();
        let (inbox, mut heard) = mpsc::channel(1);
        let (stop, stopped) = watch::channel(false);
        let switch = KillSwitch::new(false);
        let flag = switch.flag();
        let owner = owner_of(&socket).unwrap();
        let server = tokio::spawn(serve(listener, inbox, stop, switch, move |peer| admits(peer, owner)));
        let path = dir.path().to_owned();
        let mut codes = Vec::new();
        for asked in [OperatorRequest::Halt { reason: "x".to_owned() }, OperatorRequest::Stop] {
            let path = path.clone();
            let reply = tokio::task::spawn_blocking(move || request(&path, &asked));
            let reply = tokio::select! {
                reply = reply => reply.unwrap().unwrap(),
                Some(Input::Operator(asked, reply)) = heard.recv() => {
                    if asked.stops() {
                        reply.send(crate::operate::done(&"stopping")).unwrap();
                        codes.push("done".to_owned());
                    } // else an engine that ended
                    continue;
                }
            };
            codes.push(match reply {
                OperatorReply::Failed { code, .. } => code,
                OperatorReply::Done { .. } => "done".to_owned(),
            });
        }
        server.abort();
        (codes.join(" "), flag.load(std::sync::atomic::Ordering::SeqCst) || *stopped.borrow())
    }

    #[tokio::test]
    async fn another_user_is_turned_away_with_a_code_and_nothing_of_what_it_says_is_heard() {
        assert_eq!(
            asked(|peer, owner| is_owner(peer.map(|uid| uid + 1), owner)).await,
            ("NODE-41 NODE-41".to_owned(), false)
        );
        assert_eq!(asked(|_, owner| is_owner(None, owner)).await, ("NODE-41 NODE-41".to_owned(), false));
        assert_eq!(asked(is_owner).await, ("done".to_owned(), true), "the kernel names the one who runs this test");
    }
}
