//! Which of our crates may know which: the architecture as a table.
//!
//! A new line here is a decision about the architecture, and the commit says why. Tests may use more
//! (`[dev-dependencies]` are not looked at).

use super::Finding;
use crate::files::Tree;
use std::collections::{BTreeMap, BTreeSet};

/// Each crate and all of ours that it depends on, from the lowest floor up.
pub(crate) const EDGES: &[(&str, &[&str])] = &[
    // 1: the words
    ("domain", &[]),
    // 2: pure domain logic
    ("book", &["domain"]),
    ("indicators", &[]),
    ("quant", &[]),
    ("risk", &["domain", "quant"]),
    ("governance", &["domain"]),
    // 3: the deterministic core, the durable log
    ("gate", &["domain", "governance", "risk"]),
    ("journal", &[]),
    ("engine", &["domain", "gate", "governance", "risk"]),
    // 4: deciders
    ("strategies", &["domain", "engine", "gate", "indicators", "quant"]),
    // 5: edges to the outside world
    ("history", &["domain"]),
    ("venues", &["domain", "gate", "journal"]),
    ("exchange", &["book", "domain", "history"]),
    // 6: hosts
    ("research", &["book", "domain", "engine", "gate", "quant", "strategies"]),
    ("host", &["domain", "engine", "gate", "journal", "strategies", "venues"]),
    ("node", &["domain", "engine", "gate", "governance", "host", "journal", "risk", "strategies", "venues"]),
    (
        "storm",
        &["domain", "engine", "exchange", "gate", "governance", "host", "journal", "risk", "strategies", "venues"],
    ),
    // 7: the binary
    (
        "tradewind",
        &[
            "book",
            "domain",
            "engine",
            "exchange",
            "gate",
            "governance",
            "history",
            "indicators",
            "journal",
            "node",
            "quant",
            "research",
            "risk",
            "storm",
            "strategies",
            "venues",
        ],
    ),
];

/// Compares the manifests under `crates/` with [`EDGES`].
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    compare(tree, EDGES)
}

fn compare(tree: &Tree, table: &[(&str, &[&str])]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let folders: BTreeSet<&str> = tree.crates().into_iter().collect();
    for name in &folders {
        let manifest = format!("crates/{name}/Cargo.toml");
        let Some((_, allowed)) = table.iter().find(|(row, _)| row == name) else {
            findings.push(Finding::new(&manifest, 0, "this crate is not in the table of edges in xtask"));
            continue;
        };
        let allowed: BTreeSet<String> = allowed.iter().map(|edge| (*edge).to_string()).collect();
        match own_dependencies(tree.get(&manifest).unwrap_or_default()) {
            Ok(found) => findings.extend(differences(&manifest, &allowed, &found)),
            Err(error) => findings.push(Finding::new(&manifest, 0, format!("not TOML: {error}"))),
        }
    }
    for (name, _) in table.iter().filter(|(name, _)| !folders.contains(name)) {
        findings.push(Finding::new(
            "xtask/src/tidy/edges.rs",
            0,
            format!("`{name}` is in the table, but not in crates/"),
        ));
    }
    if let Some(cycle) = cycle(table) {
        findings.push(Finding::new("xtask/src/tidy/edges.rs", 0, format!("the table holds a cycle: {cycle}")));
    }
    findings
}

fn differences(manifest: &str, allowed: &BTreeSet<String>, found: &BTreeSet<String>) -> Vec<Finding> {
    let new = found.difference(allowed).map(|edge| {
        Finding::new(manifest, 0, format!("depends on `{edge}`, which the table of edges in xtask does not allow"))
    });
    let gone = allowed.difference(found).map(|edge| {
        Finding::new(manifest, 0, format!("no longer depends on `{edge}`: take it out of the table of edges in xtask"))
    });
    new.chain(gone).collect()
}

/// The folders of our own crates that a manifest names in what it is built from.
fn own_dependencies(manifest: &str) -> Result<BTreeSet<String>, toml::de::Error> {
    let manifest: toml::Table = toml::from_str(manifest)?;
    let mut names = BTreeSet::new();
    let mut read = |section: Option<&toml::Value>| {
        for (key, value) in section.and_then(toml::Value::as_table).into_iter().flatten() {
            let package = value.get("package").and_then(toml::Value::as_str).unwrap_or(key);
            names.extend(package.strip_prefix("tradewind-").map(str::to_string));
        }
    };
    for section in ["dependencies", "build-dependencies"] {
        read(manifest.get(section));
        for (_, target) in manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten() {
            read(target.get(section));
        }
    }
    Ok(names)
}

/// A way from a crate back to itself, if there is one.
fn cycle(table: &[(&str, &[&str])]) -> Option<String> {
    let edges: BTreeMap<&str, &[&str]> = table.iter().copied().collect();
    edges.keys().find_map(|start| {
        let mut way = vec![*start];
        returns_to(start, start, &edges, &mut way).then(|| way.join(" -> "))
    })
}

fn returns_to<'a>(start: &str, at: &str, edges: &BTreeMap<&str, &'a [&'a str]>, way: &mut Vec<&'a str>) -> bool {
    for next in edges.get(at).copied().unwrap_or_default() {
        if way[1..].contains(next) {
            continue;
        }
        way.push(next);
        if *next == start || returns_to(start, next, edges, way) {
            return true;
        }
        way.pop();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], table: &[(&str, &[&str])]) -> Vec<String> {
        compare(&Tree::of(files), table).iter().map(ToString::to_string).collect()
    }

    const DOMAIN: (&str, &str) = ("crates/domain/Cargo.toml", "[dependencies]\nserde = \"1\"\n");
    const GATE: (&str, &str) = (
        "crates/gate/Cargo.toml",
        "[dependencies]\ntradewind-domain.workspace = true\n[dev-dependencies]\ntradewind-book.workspace = true\n",
    );

    #[test]
    fn edges_that_the_table_allows_pass_and_tests_may_use_more() {
        assert!(check(&[DOMAIN, GATE], &[("domain", &[]), ("gate", &["domain"])]).is_empty());
    }

    #[test]
    fn a_new_edge_is_found() {
        let found = check(&[DOMAIN, GATE], &[("domain", &[]), ("gate", &[])]);
        assert_eq!(
            found,
            ["crates/gate/Cargo.toml: depends on `domain`, which the table of edges in xtask does not allow"]
        );
    }

    #[test]
    fn a_renamed_or_conditional_edge_is_an_edge() {
        let renamed =
            "[target.'cfg(unix)'.dependencies]\nwords = { package = \"tradewind-domain\", path = \"../domain\" }\n";
        let found = check(&[DOMAIN, ("crates/gate/Cargo.toml", renamed)], &[("domain", &[]), ("gate", &[])]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn an_edge_that_is_gone_leaves_the_table() {
        let found = check(&[DOMAIN], &[("domain", &["book"])]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("no longer depends on `book`"), "{found:?}");
    }

    #[test]
    fn a_crate_and_its_row_come_and_go_together() {
        assert!(check(&[DOMAIN], &[])[0].contains("not in the table"));
        assert!(check(&[], &[("domain", &[])])[0].contains("not in crates/"));
    }

    #[test]
    fn a_cycle_is_found_and_a_diamond_is_none() {
        assert_eq!(cycle(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"])]).as_deref(), Some("a -> b -> c -> a"));
        assert_eq!(cycle(&[("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"]), ("d", &[])]), None);
        assert_eq!(cycle(EDGES), None);
    }
}
