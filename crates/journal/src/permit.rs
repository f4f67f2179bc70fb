//! The proof that an intent is durable.

/// Permission to act, given back once the intent and everything before it is synced.
///
/// Only [`Journal::permit`](crate::Journal::permit) makes one. It cannot be cloned, copied, stored or read from bytes, and
/// is consumed by value: one synced intent, one act. A driver that takes a `Permit` therefore cannot send what is not
/// recorded, nor send it twice.
///
/// Nobody else makes one:
/// ```compile_fail,E0451
/// let forged = tradewind_journal::Permit { seq: 1, permission: "order" };
/// ```
/// and nobody makes two of one:
/// ```compile_fail,E0599
/// fn twice(permit: tradewind_journal::Permit<String>) {
///     let copy = permit.clone();
/// }
/// ```
/// Used is used:
/// ```compile_fail,E0382
/// fn twice(permit: tradewind_journal::Permit<String>) {
///     permit.into_inner();
///     permit.into_inner();
/// }
/// ```
#[derive(Debug)]
#[must_use = "the intent is recorded: act on it, or record why not"]
pub struct Permit<T> {
    seq: u64,
    permission: T,
}

impl<T> Permit<T> {
    pub(crate) fn new(seq: u64, permission: T) -> Self {
        Self { seq, permission }
    }

    /// The sequence number of the intent.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Looks at what is permitted without using the permission up.
    pub fn get(&self) -> &T {
        &self.permission
    }

    /// Uses the permission up.
    pub fn into_inner(self) -> T {
        self.permission
    }
}
