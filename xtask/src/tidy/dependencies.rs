//! What must not be in the dependency tree that is built. Licences and sources are cargo-deny's work.

use super::Finding;
use crate::process;
use anyhow::Result;

/// Packages that bring a second TLS engine; ours is aws-lc-rs.
const KEPT_OUT: &[&str] = &["ring", "openssl-sys", "native-tls"];

/// Asks cargo which packages each of the unwanted ones would be built for.
///
/// The lock file may name them, as an optional dependency of something that we do not switch on.
///
/// # Errors
/// If cargo cannot be started, or cannot read the workspace.
pub(super) fn check() -> Result<Vec<Finding>> {
    let listing = "tree --workspace --locked --edges normal,build --prefix none --format {p}";
    let tree = process::stdout_of(&mut process::cargo(&listing.split(' ').collect::<Vec<_>>()))?;
    Ok(unwanted(&tree))
}

fn unwanted(tree: &str) -> Vec<Finding> {
    let built = |package: &&&str| tree.lines().any(|line| line.split(' ').next() == Some(**package));
    let found = KEPT_OUT.iter().filter(built);
    let message =
        |package| format!("`{package}` is built: see who wants it with `cargo tree --workspace -i {package}`");
    found.map(|package| Finding::new("Cargo.lock", 0, message(package))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_tls_engine_is_found_and_a_name_that_holds_its_name_is_not() {
        assert_eq!(unwanted("tradewind v0.1.0\nring v0.17.14\nring v0.17.14 (*)\n").len(), 1);
        assert_eq!(unwanted("tradewind v0.1.0\nstring v1.0.0\nring-compat v0.8.0\n"), Vec::new());
    }
}
