//! Any day, any crash: the log is a prefix of what was appended and holds all that was acknowledged.

use proptest::prelude::*;
use tradewind_journal::{Crash, Fault, Journal, Options, SimStorage, latest_snapshot_storage, verify_storage};

use crate::support::{check_records, payload};

#[derive(Clone, Debug)]
enum Act {
    Append(u8),
    Sync,
    Snapshot,
    Retain,
    Reopen,
    Crash(u64),
    CrashAfter(u8, u64),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1..20u8).prop_map(Act::Append),
        4 => Just(Act::Sync),
        1 => Just(Act::Snapshot),
        1 => Just(Act::Retain),
        1 => Just(Act::Reopen),
        1 => any::<u64>().prop_map(Act::Crash),
        2 => (0..12u8, any::<u64>()).prop_map(|(after, seed)| Act::CrashAfter(after, seed)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// However a day goes, and wherever it is cut short.
    #[test]
    fn acknowledged_records_survive_any_day(
        acts in prop::collection::vec(any_act(), 1..60),
        segment_bytes in 600..6000u64,
    ) {
        let options = Options { segment_bytes, first_segment_bytes: 700, prepare_in_background: false };
        let mut disk = SimStorage::new();
        let mut journal = Journal::open_storage(disk.clone(), options).unwrap().0;
        for act in acts {
            let mut crash = None;
            match act {
                Act::Append(records) => {
                    for _ in 0..records {
                        let _ = journal.append(&payload(journal.last_seq() + 1));
                    }
                }
                Act::Sync => drop(journal.sync()),
                Act::Snapshot => drop(journal.write_snapshot(journal.synced_seq(), b"state")),
                Act::Retain => drop(journal.retain_from_snapshot()),
                Act::Reopen => {
                    let synced = journal.synced_seq();
                    drop(journal);
                    let opened = Journal::open_storage(disk.clone(), options);
                    match opened {
                        Ok((opened, recovery)) => {
                            prop_assert!(recovery.last_seq >= synced);
                            journal = opened;
                        }
                        Err(_) => { // the planned death came while opening
                            disk = disk.crash(Crash::LoseUnsynced);
                            journal = Journal::open_storage(disk.clone(), options).unwrap().0;
                            prop_assert!(journal.synced_seq() >= synced);
                        }
                    }
                }
                Act::Crash(seed) => crash = Some(seed),
                Act::CrashAfter(operations, seed) => {
                    disk.fail_at(disk.operations() + u64::from(operations), Fault::Die);
                    for _ in 0..3 {
                        let _ = journal.append(&payload(journal.last_seq() + 1));
                        let _ = journal.sync();
                    }
                    crash = Some(seed);
                }
            }
            if let Some(seed) = crash {
                let (synced, appended) = (journal.synced_seq(), journal.last_seq());
                disk = disk.crash(Crash::Seeded(seed));
                let (opened, recovery) = Journal::open_storage(disk.clone(), options).unwrap();
                prop_assert!((synced..=appended).contains(&recovery.last_seq));
                journal = opened;
            }
            let report = verify_storage(&disk).unwrap();
            prop_assert_eq!(&report.first_bad, &None);
            let snapshot = latest_snapshot_storage(&disk).unwrap();
            prop_assert!(snapshot.is_none_or(|snapshot| snapshot.seq <= journal.synced_seq()));
            check_records(&disk, report.first_seq, report.last_seq);
        }
    }
}
