//! What the opening of a journal found: told to people, and recorded where synced records were damaged.

use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use tradewind_domain::{PortfolioId, Source};
use tradewind_engine::EventKind;
use tradewind_journal::{Cut, ReadError, Recovery};

/// What `recovery` found, a sentence each.
pub(crate) fn told(recovery: &Recovery) -> Vec<String> {
    let went_on = !recovery.segments_set_aside.is_empty();
    let mut told: Vec<String> = recovery.cut.iter().map(|cut| cut_text(cut, went_on)).collect();
    let later = recovery.segments_set_aside.iter().rev();
    told.extend(later.map(|name| format!("what followed the damage, in a file of its own, was set aside as {name}")));
    told.extend(
        recovery
            .set_aside
            .iter()
            .map(|name| format!("the snapshot {name} was ahead of the journal and was set aside as {name}.ahead")),
    );
    told.extend(recovery.bad_snapshots.iter().map(|bad| {
        let name = &bad.segment;
        if bad.seq <= recovery.last_seq {
            format!("the snapshot {name} did not read and was set aside as {name}.bad: the journal goes on without it")
        } else {
            format!(
                "alarm: the snapshot {name} does not read, and the journal ends before it, at record {}: compare with \
                 your backups",
                recovery.last_seq
            )
        }
    }));
    told
}

/// `went_on`: a file of the journal followed the one that was cut, which was synced before that file was begun.
fn cut_text(cut: &Cut, went_on: bool) -> String {
    let place = match &cut.kept_in {
        Some(kept) => {
            format!("{} bytes of {} from offset {} were set aside in {kept}", cut.bytes, cut.segment, cut.offset)
        }
        None => format!("{} ends at offset {}", cut.segment, cut.offset),
    };
    if cut.acknowledged {
        format!(
            "alarm: the end of the journal was damaged after it had been synced, which no crash does: {place}; only what \
             reduces is allowed until somebody has compared with the venue and resumes"
        )
    } else if went_on {
        format!("the end of the journal was damaged after it had been synced; no record is known to be lost: {place}")
    } else if cut.bytes > 0 {
        format!("the journal ended in a torn write: {place}")
    } else if cut.truncated {
        format!("the journal's last file was shorter than it was made, and is whole again: {place}")
    } else {
        format!("the journal's last group of records was not complete, and is closed where it ended: {place}")
    }
}

/// Records damage to synced records, found at this start or at one before it that did not come so far: from here on only what
/// reduces is allowed, until a person says otherwise. The journal remembers it on disk until then.
pub(crate) fn restrict(core: &mut Core, recovery: &Recovery) -> Result<(), NodeError> {
    let Some(reason) = recovery.damaged.clone() else { return Ok(()) };
    core.record(core.now(), wall(), Source::Host, PortfolioId(0), EventKind::Restricted { reason })?;
    core.host.journal.sync()?;
    core.host.journal.damage_recorded().map_err(ReadError::from)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_journal::{Damage, Flaw};

    fn cut(bytes: u64, acknowledged: bool) -> Cut {
        let kept_in = (bytes > 0).then(|| "1.64.torn".to_owned());
        Cut { segment: "1.seg".to_owned(), offset: 64, bytes, records: 1, acknowledged, truncated: false, kept_in }
    }

    #[test]
    fn damage_is_not_told_as_a_torn_write() {
        let of = |cut| told(&Recovery { cut: Some(cut), ..Recovery::default() }).remove(0);
        assert_eq!(
            of(cut(800, false)),
            "the journal ended in a torn write: 800 bytes of 1.seg from offset 64 were set aside in 1.64.torn"
        );
        for cut in [cut(800, true), cut(0, true)] {
            let text = of(cut);
            assert!(text.starts_with("alarm: ") && !text.contains("torn write"), "{text}");
        }
        assert!(!of(cut(0, false)).contains("torn write"));
        for cut in [cut(800, false), cut(0, false)] {
            let segments_set_aside = vec!["6.0.torn".to_owned()];
            let found = told(&Recovery { cut: Some(cut), segments_set_aside, ..Recovery::default() });
            assert!(found[0].contains("was damaged after it had been synced; no record"), "{found:?}");
        }
    }

    #[test]
    fn files_behind_the_damage_are_named() {
        let segments_set_aside = vec!["3.0.torn".to_owned(), "2.0.torn".to_owned()];
        let told = told(&Recovery { cut: Some(cut(8, true)), segments_set_aside, ..Recovery::default() });
        assert!(told.len() == 3 && told[1].ends_with(" as 2.0.torn") && told[2].ends_with(" as 3.0.torn"), "{told:?}");
    }

    #[test]
    fn only_a_snapshot_that_the_journal_reaches_is_told_as_set_aside() {
        let bad = |seq| Damage { segment: format!("{seq}.snap"), offset: 0, seq, flaw: Flaw::Snapshot };
        let found = told(&Recovery { last_seq: 7, bad_snapshots: vec![bad(7), bad(8)], ..Recovery::default() });
        assert!(found[0].contains("set aside as 7.snap.bad") && found[1].starts_with("alarm: "), "{found:?}");
    }
}
