//! The key that signs an audit trail: made, read and published.

use super::files::{failed, has_checkpoints};
use crate::data_dir::DataDir;
use crate::error::NodeError;
use crate::whole_file::write_whole;
use std::path::Path;
use tradewind_governance::audit::{Key, PublicKey};

/// Reads the signing key, or makes one that only its owner can read. `given` is the path of the settings, if any.
///
/// An empty file is what a full disk or a crash left where a key was to be: as long as nothing is signed, one is made in its
/// place.
pub(super) fn key(data_dir: &Path, given: &Path) -> Result<Key, NodeError> {
    let dir = DataDir::new(data_dir);
    std::fs::create_dir_all(dir.audit()).map_err(|error| failed(&dir.audit(), error))?;
    let path = if given.as_os_str().is_empty() { dir.audit_key() } else { given.to_owned() };
    match std::fs::read(&path) {
        Ok(text) if text.is_empty() && !has_checkpoints(data_dir) => make_key(&path),
        Ok(_) => read_key(&path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_key(&path),
        Err(error) => Err(failed(&path, error)),
    }
}

fn make_key(path: &Path) -> Result<Key, NodeError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| NodeError::Random(error.to_string()))?;
    write_whole(path, hex::encode(seed).as_bytes(), 0o600).map_err(|error| failed(path, error))?;
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

/// Leaves the public key at `path`, whole or not at all. Where it lies, something was signed.
pub(super) fn publish(path: &Path, key: &PublicKey) -> Result<(), NodeError> {
    let text = format!("{key}\n");
    if std::fs::read_to_string(path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    write_whole(path, text.as_bytes(), 0o644).map_err(|error| failed(path, error))
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

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::Coded;

    #[test]
    fn an_empty_key_is_made_anew_while_nothing_is_signed_and_refused_after() {
        let dir = tempfile::TempDir::new().unwrap();
        let (data, path) = (dir.path(), DataDir::new(dir.path()).audit_key());
        std::fs::create_dir(DataDir::new(data).audit()).unwrap();
        std::fs::write(&path, "").unwrap();
        let made = key(data, Path::new("")).unwrap().public().to_string();
        assert_eq!(key(data, Path::new("")).unwrap().public().to_string(), made, "and kept");

        std::fs::write(&path, "").unwrap();
        std::fs::write(DataDir::new(data).checkpoints(), "").unwrap();
        assert_eq!(key(data, Path::new("")).err().unwrap().code(), "NODE-35");
    }

    #[test]
    fn a_key_of_another_shape_is_never_replaced() {
        let dir = tempfile::TempDir::new().unwrap();
        std::fs::create_dir(DataDir::new(dir.path()).audit()).unwrap();
        let path = DataDir::new(dir.path()).audit_key();
        crate::whole_file::write_whole(&path, b"ab", 0o600).unwrap();
        assert_eq!(key(dir.path(), Path::new("")).err().unwrap().code(), "NODE-35");
        assert_eq!(std::fs::read(&path).unwrap(), b"ab");
    }

    #[test]
    fn want_of_space_has_the_code_of_a_full_disk() {
        for (kind, code) in [
            (std::io::ErrorKind::StorageFull, "JRN-05"),
            (std::io::ErrorKind::QuotaExceeded, "JRN-05"),
            (std::io::ErrorKind::PermissionDenied, "NODE-35"),
        ] {
            let error = failed(Path::new("audit/key"), kind.into());
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains("audit/key"), "{error}");
            assert_eq!(error.hint().contains("free space"), code == "JRN-05");
        }
    }
}
