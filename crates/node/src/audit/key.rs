//! The key that signs an audit trail: made, read and published.

use super::files::{audit_dir, failed};
use crate::error::NodeError;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use tradewind_governance::audit::{Key, PublicKey};

/// Reads the signing key, or makes one that only its owner can read. `given` is the path of the settings, if any.
pub(super) fn key(data_dir: &Path, given: &Path) -> Result<Key, NodeError> {
    let dir = audit_dir(data_dir);
    std::fs::create_dir_all(&dir).map_err(|error| failed(&dir, error))?;
    let path = if given.as_os_str().is_empty() { dir.join("key") } else { given.to_owned() };
    let mut seed = [0; 32];
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            getrandom::fill(&mut seed).map_err(|error| NodeError::Random(error.to_string()))?;
            let written = file.write_all(hex::encode(seed).as_bytes()).and_then(|()| file.sync_all());
            written.map_err(|error| failed(&path, error))?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return read_key(&path);
        }
        Err(error) => return Err(failed(&path, error)),
    }
    Ok(Key::from_seed(&seed))
}

/// Reads a signing key that only its owner can read.
pub(super) fn read_key(path: &Path) -> Result<Key, NodeError> {
    let mut seed = [0; 32];
    check_private(path)?;
    let text = std::fs::read_to_string(path).map_err(|error| failed(path, error))?;
    let unfit = |_| NodeError::Audit { path: path.to_owned(), reason: "it is not 64 hex digits".to_owned() };
    hex::decode_to_slice(text.trim(), &mut seed).map_err(unfit)?;
    Ok(Key::from_seed(&seed))
}

/// Leaves the public key beside the checkpoints, whole or not at all. Where it lies, something was signed.
pub(super) fn publish(dir: &Path, key: &PublicKey) -> Result<(), NodeError> {
    let (public, text) = (dir.join("key.pub"), format!("{key}\n"));
    if std::fs::read_to_string(&public).is_ok_and(|known| known == text) {
        return Ok(()); // a full disk would leave an empty file in its place
    }
    let fresh = dir.join("key.pub.new");
    let written = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, &public));
    written.map_err(|error| failed(&public, error))
}

/// A key that others can read signs nothing.
fn check_private(path: &Path) -> Result<(), NodeError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_err(|error| failed(path, error))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(NodeError::Audit {
        path: path.to_owned(),
        reason: format!("its mode is {:o}: others can read it", mode & 0o777),
    })
}
