//! Signed checkpoints: every change of every byte is found, and the first bad record named.

use crate::support::seconds;
use proptest::prelude::*;
use tradewind_domain::ClientOrderId;
use tradewind_governance::audit::{
    CHECKPOINT_RECORDS, CSV_HEADER, Checkpoint, Fault, Flaw, Key, Link, Notary, PublicKey, Removal, Verified, chains,
    check_removals, to_csv, to_json_line, verify,
};

type Records = Vec<(u64, Vec<u8>)>;

fn key() -> Key {
    Key::from_seed(&[7; 32])
}

fn records(count: u64) -> Records {
    (1..=count).map(|sequence| (sequence, format!("record {sequence}").into_bytes())).collect()
}

/// Checkpoints of `key` over `records`, one after each `every`.
fn sign(key: Key, records: &Records, every: usize) -> Vec<Checkpoint> {
    let mut notary = Notary::new(key, None, records.first().map_or(1, |(sequence, _)| *sequence));
    let mut checkpoints = Vec::new();
    for chunk in records.chunks(every) {
        chunk.iter().for_each(|(sequence, payload)| notary.note(*sequence, payload, seconds(0)));
        checkpoints.extend(notary.sign(seconds(1)));
    }
    checkpoints
}

fn check(records: &Records, checkpoints: &[Checkpoint], anchor: Option<&Checkpoint>) -> Result<Verified, Fault> {
    verify(
        records.iter().map(|(sequence, payload)| (*sequence, payload.as_slice())),
        checkpoints,
        &key().public(),
        anchor,
    )
}

fn fault(record: u64, flaw: Flaw) -> Result<Verified, Fault> {
    Err(Fault { record, flaw })
}

#[test]
fn an_untouched_log_verifies_to_its_last_checkpoint() {
    let all = records(25);
    let checkpoints = sign(key(), &all[..20].to_vec(), 8);
    assert_eq!(
        check(&all, &checkpoints, checkpoints.last()),
        Ok(Verified { first: 1, records: 25, signed_to: 20, checkpoints: 3 })
    );
    assert_eq!(check(&all, &[], None), Ok(Verified { first: 1, records: 25, signed_to: 0, checkpoints: 0 }));
}

#[test]
fn a_checkpoint_over_more_records_than_there_can_be_is_none() {
    let line = sign(key(), &records(8), 8)[0].line();
    for (from, to) in [(0, u64::MAX), (1, u64::MAX), (u64::MAX, u64::MAX), (9, 8), (2, 1), (0, u64::MAX - 1)] {
        let changed = line.replace("\"from\":1,\"to\":8,", &format!("\"from\":{from},\"to\":{to},"));
        assert!(changed != line && Checkpoint::parse(&changed).is_err(), "{changed}");
        let one = sign(key(), &records(1), 1)[0].line();
        let one = one.replace("\"from\":1,\"to\":1,", &format!("\"from\":{from},\"to\":{to},"));
        assert!(Checkpoint::parse(&one).is_err(), "{one}");
    }
}

#[test]
fn s8_80_every_changed_byte_names_its_record() {
    let all = records(20);
    let checkpoints = sign(key(), &all, 8);
    for place in 0..all.len() {
        for byte in 0..all[place].1.len() {
            for bit in 0..8 {
                let mut changed = all.clone();
                changed[place].1[byte] ^= 1 << bit;
                assert_eq!(check(&changed, &checkpoints, None), fault(place as u64 + 1, Flaw::Changed));
            }
        }
    }
}

#[test]
fn s8_80_removed_inserted_swapped_and_truncated_records_are_named() {
    let all = records(20);
    let checkpoints = sign(key(), &all, 8);
    for place in 0..20 {
        let number = place as u64 + 1;
        let mut removed = all.clone();
        removed.remove(place);
        // the numbering has a hole; the last has no successor to show it, and the first makes it look like retention
        let want = match number {
            1 => Ok(Verified { first: 2, records: 19, signed_to: 20, checkpoints: 3 }),
            20 => fault(20, Flaw::Truncated),
            _ => fault(number, Flaw::OutOfOrder),
        };
        assert_eq!(check(&removed, &checkpoints, None), want, "{number}");
        let mut renumbered = removed;
        renumbered.iter_mut().zip(1..).for_each(|((sequence, _), number)| *sequence = number);
        let want = if number == 20 { fault(20, Flaw::Truncated) } else { fault(number, Flaw::Changed) };
        assert_eq!(check(&renumbered, &checkpoints, None), want, "{number}");
        let mut inserted = all.clone();
        inserted.insert(place, (number, b"mine".to_vec()));
        inserted.iter_mut().zip(1..).for_each(|((sequence, _), number)| *sequence = number);
        assert_eq!(check(&inserted, &checkpoints, None), fault(number, Flaw::Changed));
        if place > 0 {
            let mut swapped = all.clone();
            let (a, b) = (swapped[place - 1].1.clone(), swapped[place].1.clone());
            (swapped[place - 1].1, swapped[place].1) = (b, a);
            assert_eq!(check(&swapped, &checkpoints, None), fault(number - 1, Flaw::Changed));
        }
        assert_eq!(check(&all[..place].to_vec(), &checkpoints, None), fault(number, Flaw::Truncated));
    }
}

#[test]
fn s8_80_a_log_replaced_by_an_older_one_is_caught_by_the_anchor() {
    let all = records(24);
    let checkpoints = sign(key(), &all, 8);
    let (older, signed) = (all[..16].to_vec(), &checkpoints[..2]);
    assert!(check(&older, signed, None).is_ok()); // by itself it is a sound log
    assert_eq!(check(&older, signed, Some(&checkpoints[2])), fault(17, Flaw::Truncated));
    assert_eq!(check(&older, &[], Some(&checkpoints[0])), fault(1, Flaw::Truncated));
    assert!(check(&all, &checkpoints, Some(&checkpoints[0])).is_ok());
    let other = sign(Key::from_seed(&[9; 32]), &all, 8);
    assert_eq!(check(&all, &checkpoints, Some(&other[1])), fault(9, Flaw::Signature), "an anchor of another hand");
}

#[test]
fn s8_81_two_continuations_of_one_log_are_told_apart() {
    let mut fork = records(24);
    fork[20].1 = b"another history".to_vec();
    let (ours, theirs) = (sign(key(), &records(24), 8), sign(key(), &fork, 8));
    assert!(check(&fork, &theirs, None).is_ok()); // signed by the same key, sound by itself
    assert_eq!(check(&fork, &theirs, Some(&ours[2])), fault(17, Flaw::Forked));
    let mixed = [ours[0].clone(), ours[1].clone(), theirs[2].clone()];
    assert_eq!(check(&records(24), &mixed, None), fault(21, Flaw::Changed));
    let missing = [ours[0].clone(), ours[2].clone()];
    assert_eq!(check(&records(24), &missing, None), fault(17, Flaw::Forked));
    assert_eq!(check(&records(24), &ours[1..], None), fault(9, Flaw::Forked));
}

#[test]
fn s8_82_rewriting_data_and_hashes_takes_the_key() {
    let mut forged = records(16);
    forged[4].1 = b"never happened".to_vec();
    let by_another = sign(Key::from_seed(&[8; 32]), &forged, 8);
    assert_eq!(check(&forged, &by_another, None), fault(1, Flaw::Signature));
    let honest = sign(key(), &records(16), 8);
    type Forge = fn(&mut Checkpoint, &Checkpoint);
    let forgeries: [Forge; 8] = [
        |it, other| it.head.clone_from(&other.head),
        |it, other| it.leaves.clone_from(&other.leaves),
        |it, other| it.signature.clone_from(&other.signature),
        |it, _| it.previous = "00".into(),
        |it, _| it.at = seconds(99),
        |it, _| (it.from, it.to) = (it.from + 1, it.to + 1),
        |it, _| it.signature.clear(),
        |it, _| it.signature = it.signature.replace('0', "1"),
    ];
    for forge in forgeries {
        let mut forged = honest.clone();
        forge(&mut forged[0], &by_another[0]);
        assert_eq!(check(&records(16), &forged, None), fault(forged[0].from, Flaw::Signature));
    }
}

#[test]
fn retention_leaves_a_log_that_still_verifies() {
    let all = records(24);
    let checkpoints = sign(key(), &all, 8);
    for first in 1..24_usize {
        let left = all[first..].to_vec();
        assert!(check(&left, &checkpoints, None).is_ok(), "from {}", first + 1);
        let mut changed = left;
        changed[0].1.push(b'!');
        assert_eq!(check(&changed, &checkpoints, None), fault(first as u64 + 1, Flaw::Changed));
    }
}

#[test]
fn a_checkpoint_is_due_after_1000_records_or_60_seconds_and_goes_on_after_a_restart() {
    let all = records(CHECKPOINT_RECORDS + 10);
    let mut notary = Notary::new(key(), None, 1);
    assert!(notary.sign(seconds(0)).is_none());
    for (sequence, payload) in &all[..1_000] {
        assert!(!notary.is_due(seconds(59)));
        notary.note(*sequence, payload, seconds(0));
    }
    assert!(notary.is_due(seconds(0)));
    let first = notary.sign(seconds(0)).unwrap();
    notary.note(1_001, &all[1_000].1, seconds(5));
    assert!(!notary.is_due(seconds(64)) && notary.is_due(seconds(65)));
    drop(notary); // the process dies before it signs again
    let mut again = Notary::new(key(), Some(&first), 1);
    assert_eq!(again.next(), 1_001);
    all.iter().for_each(|(sequence, payload)| again.note(*sequence, payload, seconds(70)));
    let second = again.sign(seconds(70)).unwrap();
    assert_eq!((second.from, second.to), (1_001, 1_010));
    assert!(check(&all, &[first, second], None).is_ok());
}

#[test]
fn a_checkpoint_is_read_as_it_was_written_and_nothing_else_is() {
    let checkpoint = sign(key(), &records(3), 3).remove(0);
    let line = checkpoint.line();
    assert_eq!(Checkpoint::parse(&line), Ok(checkpoint));
    for (from, to) in [("\"v\":1", "\"v\":2"), ("\"to\":3", "\"to\":4"), ("\"to\":3", "\"to\":0"), ("{", "{\"x\":1,")] {
        assert!(Checkpoint::parse(&line.replacen(from, to, 1)).is_err(), "{to}");
    }
    assert!(Checkpoint::parse(&line.replacen("\"to\":3", "\"to\":18446744073709551615", 1)).is_err());
    let public = key().public();
    assert_eq!(PublicKey::parse(&public.to_string()), Some(public));
    assert_eq!(PublicKey::parse("00"), None);
    assert_eq!(format!("{:?}", key()), "Key(..)"); // shows nothing of itself
}

proptest! {
    /// Whatever is done to the records, an unchanged verdict means unchanged records. A log that begins later is one
    /// that retention left, which another test looks at.
    #[test]
    fn only_the_true_log_verifies(count in 1_u64..40, every in 1_usize..12, edits in proptest::collection::vec((0_usize..40, 0_u8..4, any::<u8>()), 0..4)) {
        let all = records(count);
        let checkpoints = sign(key(), &all, every);
        let mut edited = all.clone();
        for (place, edit, byte) in edits {
            let place = place % edited.len().max(1);
            match edit {
                _ if edited.is_empty() => (),
                0 => edited[place].1.push(byte),
                1 => drop(edited.pop()),
                2 => edited[place].1[0] ^= byte,
                _ => edited.insert(place, (byte.into(), vec![byte])),
            }
        }
        prop_assume!(edited.first().is_none_or(|(sequence, _)| *sequence == 1));
        prop_assert_eq!(check(&edited, &checkpoints, None).is_ok(), edited == all);
    }
}

fn link(sequence: u64, what: &'static str, cause: Option<u64>, order: Option<u128>, text: &str) -> Link {
    let order = order.map(ClientOrderId::from_u128);
    Link { sequence, at: seconds(0), source: "host".into(), what, cause, order, text: text.into() }
}

#[test]
fn an_order_is_exported_from_its_data_to_its_fills() {
    let links = [
        link(1, "bar", None, None, "close 100"),
        link(2, "bar", None, None, "another"),
        link(3, "decision", Some(1), None, "buy, \"cheap\""),
        link(4, "proposal", Some(3), None, "=cmd()"),
        link(5, "verdict", Some(4), Some(9), "approved"),
        link(6, "intent", Some(5), Some(9), "sha"),
        link(7, "verdict", Some(2), Some(8), "approved"),
        link(8, "fill", None, Some(9), "1 at 100"),
        link(9, "fill", Some(9), Some(9), "points at itself"),
    ];
    let found = chains(&links);
    let numbers = |place: usize| found[place].iter().map(|step| step.sequence).collect::<Vec<_>>();
    assert_eq!((numbers(0), numbers(1)), (vec![1, 3, 4, 5, 6, 8, 9], vec![2, 7]));
    assert_eq!(found[0].iter().map(|step| step.what).collect::<Vec<_>>()[..3], ["bar", "decision", "proposal"]);
    let chain = ClientOrderId::from_u128(9);
    assert_eq!(to_csv(&found[0][1]), format!("{chain},2,3,1700000000000000000,host,decision,1,\"buy, \"\"cheap\"\"\""));
    assert!(to_csv(&found[0][2]).ends_with(",\"'=cmd()\"")); // no formula for a spreadsheet
    assert_eq!(CSV_HEADER.split(',').count(), to_csv(&found[1][0]).split(',').count());
    let json: serde_json::Value = serde_json::from_str(&to_json_line(&found[0][6])).unwrap();
    assert_eq!((json["step"].as_u64(), json["what"].as_str()), (Some(7), Some("fill")));
}

/// Removals of `key`, each of the next stretch up to one of `ends`, in the history of `checkpoints`.
fn removals(key: &Key, checkpoints: &[Checkpoint], from: u64, ends: &[u64]) -> Vec<Removal> {
    let (mut from, mut all) = (from, Vec::<Removal>::new());
    for to in ends {
        let by = tradewind_governance::Name::new("anna").unwrap();
        let removal = Removal::sign(key, (from, *to), by, seconds(9), checkpoints.last().unwrap(), all.last());
        assert_eq!(Removal::parse(&removal.line()).unwrap(), removal);
        from = to + 1;
        all.push(removal);
    }
    all
}

#[test]
fn what_was_removed_on_purpose_is_told_from_what_was_taken() {
    let checkpoints = sign(key(), &records(40), 8);
    let lawful = removals(&key(), &checkpoints, 1, &[10, 20]);
    let public = key().public();
    let check = |removals: &[Removal], first| check_removals(removals, &checkpoints, &public, first);
    let gone = |record, flaw| Err(Fault { record, flaw });
    for first in [1, 11, 21] {
        assert_eq!(check(&lawful, first), Ok(()), "a removal that was not finished leaves more than it says");
    }
    assert_eq!(check(&[], 1), Ok(()));
    assert_eq!(check(&lawful, 22), gone(21, Flaw::Removed));
    assert_eq!(check(&[], 2), gone(1, Flaw::Removed));
    assert_eq!(check(&lawful[..1], 21), gone(11, Flaw::Removed));
    assert_eq!(check(&lawful[1..], 21), gone(11, Flaw::Forked), "the first statement is missing");
    let hole = removals(&key(), &checkpoints, 5, &[20]);
    assert_eq!(check(&hole, 21), gone(1, Flaw::Removed), "the first records are in no statement");
    let forged = removals(&Key::from_seed(&[8; 32]), &checkpoints, 1, &[20]);
    assert_eq!(check(&forged, 21), gone(1, Flaw::Signature));
    let elsewhere = sign(key(), &records(30), 7);
    let transplanted = removals(&key(), &elsewhere, 1, &[20]);
    assert_eq!(check(&transplanted, 21), gone(1, Flaw::Forked), "a statement about another history");
    for change in [
        |it: &mut Removal| it.to = 30,
        |it: &mut Removal| it.by = tradewind_governance::Name::new("ben").unwrap(),
        |it: &mut Removal| it.signature = "zz".to_owned(),
        |it: &mut Removal| it.at = seconds(10),
    ] {
        let mut changed = lawful.clone();
        change(&mut changed[1]);
        assert_eq!(check(&changed, 21), gone(11, Flaw::Signature));
    }
    // what was never signed cannot be missed: signing began after an older version had removed something
    let late = sign(key(), &records(40)[10..].to_vec(), 8);
    assert_eq!(check_removals(&[], &late, &public, 11), Ok(()));
    assert_eq!(check_removals(&[], &late, &public, 12), gone(11, Flaw::Removed));
    assert_eq!(check_removals(&[], &[], &public, 12), Ok(()));
}

#[test]
fn a_line_that_is_no_removal_is_named() {
    let checkpoints = sign(key(), &records(8), 8);
    let line = removals(&key(), &checkpoints, 1, &[4]).remove(0).line();
    for (bad, part) in [
        (line.replace("\"v\":1", "\"v\":2"), "version 2"),
        (line.replace("\"to\":4", "\"to\":0"), "records 1 to 0"),
        (line.replace("anna", "Anna"), "no name"),
        ("{}".to_owned(), "missing field"),
    ] {
        let error = Removal::parse(&bad).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
