//! What is fed. Each target is a closure over bytes; what it returns tells different ways through the reader apart.

mod exchange;
mod files;
mod log;
mod market;
mod orders;
mod texts;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher as _};
use tradewind_domain::Coded;

/// What is called for each input, with whatever it keeps between calls.
pub(crate) type Feed = Box<dyn FnMut(&[u8]) -> u64>;

/// A reader of bytes from outside, and what must hold of it.
pub(crate) struct Target {
    /// As `fuzz NAME` and the folder of what failed call it.
    pub(crate) name: &'static str,
    /// One line for `--list`: what is fed, and what must hold beside that nothing panics.
    pub(crate) about: &'static str,
    /// Where spoiling begins; told its own name, for what is missing.
    pub(crate) seeds: fn(&str) -> Vec<Vec<u8>>,
    /// Made at the start, and again behind an input that failed.
    pub(crate) make: fn() -> Feed,
}

/// Every target.
pub(crate) const ALL: &[Target] = &[
    texts::NUMBERS,
    texts::NAMES,
    texts::SETTINGS,
    texts::CONTROL,
    market::REST,
    market::STREAM,
    market::BOOKS,
    orders::USER_STREAM,
    orders::ANSWERS,
    exchange::REST,
    exchange::SOCKET,
    log::RECORDS,
    log::SEGMENTS,
    log::SNAPSHOTS,
    log::AUDIT,
    files::BARS,
    files::COLUMNS,
    files::TRADES,
    files::BOOKS,
    files::TABLES,
];

/// One way through a reader.
fn way(it: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    it.hash(&mut hasher);
    hasher.finish()
}

/// The way of an error: its code. It must have one that people find in the list, and a hint.
fn refused(error: &(impl Coded + ?Sized)) -> u64 {
    coded(error.code(), error.hint())
}

fn coded(code: &str, hint: &str) -> u64 {
    assert!(is_code(code) && !hint.is_empty(), "`{code}` is no code, or has no hint");
    way(code)
}

/// Letters, a hyphen, digits.
fn is_code(code: &str) -> bool {
    code.split_once('-').is_some_and(|(area, number)| {
        !area.is_empty() && area.bytes().all(|it| it.is_ascii_uppercase()) && number.parse::<u16>().is_ok()
    })
}

fn owned(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_target_has_a_name_of_its_own_and_passes_what_it_begins_with() {
        let names: BTreeSet<&str> = ALL.iter().map(|it| it.name).collect();
        assert!(names.len() == ALL.len() && names.len() >= 14);
        for target in ALL {
            let (seeds, mut feed) = ((target.seeds)(target.name), (target.make)());
            assert!(!seeds.is_empty(), "{} begins with nothing", target.name);
            let mut ways: BTreeSet<u64> = seeds.iter().map(|seed| feed(seed)).collect();
            ways.extend(seeds.iter().map(|seed| feed(&seed[..seed.len() / 2])));
            ways.insert(feed(b""));
            assert!(ways.len() > 1, "{} tells nothing apart", target.name);
        }
    }
}
