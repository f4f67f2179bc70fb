//! Damage at every byte: the last two records give a prefix, everything before is refused, nothing escapes `verify`.

use tradewind_journal::{
    Crash, Fault, Flaw, Journal, OpenError, ReadError, Recovery, SimStorage, Storage, StorageFile, verify_storage,
};

use crate::support::{
    RawFrame, SMALL, append_groups, check_sound_prefix, files, forge_sum, frames, open, replay, segments, written,
};

/// Journals whose last two records lie in one group, in two groups, and after others of a large group.
const ENDINGS: [&[u64]; 4] = [&[1, 1, 1, 1, 1], &[3, 2], &[1, 4, 2, 1], &[2, 9]];

/// The same, with a snapshot of the last record, as every stop in order leaves it.
fn stopped(groups: &[u64]) -> SimStorage {
    let disk = written(groups);
    let (mut journal, _) = open(&disk);
    journal.write_snapshot(journal.synced_seq(), b"the state at the stop").unwrap();
    drop(journal);
    disk
}

/// The last segment and where its second-last record begins.
fn last_two(disk: &SimStorage) -> (String, Vec<u8>, usize, Vec<RawFrame>) {
    let name = segments(disk).pop().unwrap();
    let bytes = disk.bytes(&name).unwrap();
    let frames = frames(&bytes);
    let begin = frames.iter().rfind(|frame| frame.is_record && frame.seq + 1 == frames.last().unwrap().seq).unwrap().at;
    (name, bytes, begin, frames)
}

/// Damages the last segment of each ending at each byte of its last two records, with and without a snapshot of the last
/// one; a prefix must remain, the bytes kept. Says how many cases there were.
fn check_every_tail(damage: impl Fn(&mut Vec<u8>, usize)) -> usize {
    let plain = ENDINGS.map(|groups| (groups, written(groups), false));
    let stopped = ENDINGS.map(|groups| (groups, stopped(groups), true));
    plain.into_iter().chain(stopped).map(|(groups, disk, knows)| check_tail(groups, &disk, knows, &damage)).sum()
}

/// `knows_last`: there is a snapshot of the last record, so that none can be lost in silence.
fn check_tail(groups: &[u64], disk: &SimStorage, knows_last: bool, damage: &impl Fn(&mut Vec<u8>, usize)) -> usize {
    let total: u64 = groups.iter().sum();
    let (name, sound, begin, frames) = last_two(disk);
    let end = frames.last().unwrap().end();
    for at in begin..end {
        let mut bytes = sound.clone();
        damage(&mut bytes, at);
        let damaged = disk.copy();
        damaged.set_bytes(&name, bytes.clone());
        let recovery = check_sound_prefix(&damaged, total - 2, total);
        let lost = recovery.last_seq < total;
        assert_eq!(recovery.set_aside.len(), usize::from(lost && knows_last), "byte {at}: {recovery:?}");
        let Some(cut) = recovery.cut else {
            // zeros from the end of a group on are what a log that ended there looks like
            let ends_there = frames.iter().any(|frame| !frame.is_record && frame.end() == at);
            let is_zero = bytes[at..].iter().all(|&byte| byte == 0);
            assert!(!lost || (ends_there && is_zero && !knows_last), "lost in silence at byte {at}");
            continue;
        };
        assert!(cut.acknowledged || !(lost && knows_last), "the snapshot knew of it: {cut:?}");
        let offset = usize::try_from(cut.offset).unwrap();
        let length = usize::try_from(cut.bytes).unwrap();
        match cut.kept_in {
            Some(kept) => assert_eq!(damaged.bytes(&kept).unwrap(), bytes[offset..offset + length]),
            None => assert_eq!(length, 0),
        }
    }
    end - begin
}

/// Every block of whole frames of the segment, written once more behind its end; nothing may be lost, the copy is cut.
fn check_every_repeated_block() -> usize {
    let mut cases = 0;
    for groups in ENDINGS {
        let total: u64 = groups.iter().sum();
        let disk = written(groups);
        let (name, sound, _, frames) = last_two(&disk);
        let end = frames.last().unwrap().end();
        for first in 0..frames.len() {
            for last in first..frames.len() {
                let block = frames[first].at..frames[last].end();
                if end + block.len() > sound.len() {
                    continue;
                }
                cases += 1;
                let mut bytes = sound.clone();
                bytes.copy_within(block.clone(), end);
                let damaged = disk.copy();
                damaged.set_bytes(&name, bytes);
                let recovery = check_sound_prefix(&damaged, total, total);
                let cut = recovery.cut.unwrap(); // zeros at the end of the copy are no part of it
                assert!((1..=block.len() as u64).contains(&cut.bytes), "frames {first} to {last}: {cut:?}");
                assert_eq!(cut.offset, end as u64);
            }
        }
    }
    cases
}

#[test]
fn g03_every_torn_tail_leaves_a_prefix() {
    let flips: usize = (0..8).map(|bit| check_every_tail(|bytes, at| bytes[at] ^= 1 << bit)).sum();
    let inverted = check_every_tail(|bytes, at| bytes[at] ^= 0xff);
    let cuts = check_every_tail(|bytes, at| bytes.truncate(at));
    let zeros = check_every_tail(|bytes, at| bytes[at..].fill(0));
    let garbage = check_every_tail(|bytes, at| {
        for (n, byte) in bytes[at..].iter_mut().enumerate() {
            *byte = (n * 167 + at) as u8 | 1;
        }
    });
    let repeated = check_every_repeated_block();
    let all = flips + inverted + cuts + zeros + garbage + repeated;
    println!(
        "figure: torn tails: {all} cases ({flips} bit flips, {inverted} bytes inverted, {cuts} cuts, {zeros} zero fills, \
         {garbage} of garbage, {repeated} repeated blocks)"
    );
    assert!(all >= 40_000, "{all}");
}

/// Journals whose last two records lie on both sides of a border: so many records in each of the last segments.
const BORDERS: [&[u64]; 5] = [&[5, 1], &[5, 0], &[5, 1, 1], &[5, 1, 0], &[1, 1]];

fn across(border: &[u64], is_stopped: bool) -> SimStorage {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    for (at, &records) in border.iter().enumerate() {
        if at > 0 {
            assert!(journal.has_room()); // for more than so small a segment holds: the next one is made
        }
        append_groups(&mut journal, &vec![1; usize::try_from(records).unwrap()]);
    }
    assert_eq!(segments(&disk).len(), border.len());
    if is_stopped {
        journal.write_snapshot(journal.synced_seq(), b"the state at the stop").unwrap();
    }
    disk
}

/// Damages every segment at every byte of the last two records; a prefix must remain, and nothing go in silence.
fn check_every_border(damage: impl Fn(&mut Vec<u8>, usize)) -> usize {
    let mut cases = 0;
    for (border, is_stopped) in BORDERS.into_iter().flat_map(|border| [(border, false), (border, true)]) {
        let total: u64 = border.iter().sum();
        let disk = across(border, is_stopped);
        for (name, sound) in files(&disk).into_iter().filter(|(name, _)| name.ends_with(".seg")) {
            for at in frames(&sound).iter().filter(|it| it.seq + 2 > total).flat_map(|it| it.at..it.end()) {
                cases += 1;
                let mut bytes = sound.clone();
                damage(&mut bytes, at);
                let damaged = disk.copy();
                damaged.set_bytes(&name, bytes);
                check_border(&disk, &damaged, &name, total);
            }
        }
    }
    cases
}

fn check_border(sound: &SimStorage, damaged: &SimStorage, name: &str, total: u64) {
    let Recovery { last_seq, cut, segments_set_aside, .. } = check_sound_prefix(damaged, total - 2, total);
    let later = segments(sound).into_iter().filter(|it| &**it > name);
    if last_seq < total && later.clone().next().is_some() {
        assert!(cut.is_some_and(|cut| cut.acknowledged), "what came before another segment had been synced");
    }
    if !segments_set_aside.is_empty() {
        let kept = segments_set_aside.iter().rev().map(|it| damaged.bytes(it).unwrap());
        assert!(kept.eq(later.map(|it| sound.bytes(&it).unwrap())), "whole and in order: {segments_set_aside:?}");
    }
}

#[test]
fn g03_the_last_two_records_leave_a_prefix_across_borders_of_segments_too() {
    let flips: usize = [0, 3, 7].map(|bit| check_every_border(|bytes, at| bytes[at] ^= 1 << bit)).iter().sum();
    let cuts = check_every_border(|bytes, at| bytes.truncate(at));
    let zeros = check_every_border(|bytes, at| bytes[at..].fill(0));
    let garbage = check_every_border(|bytes, at| bytes[at..].fill(0xa5));
    println!("figure: torn tails across borders: {} cases", flips + cuts + zeros + garbage);
    assert!(cuts >= 3_000, "{cuts}");
}

#[test]
fn g03_damage_to_the_third_last_record_is_refused_across_a_border_too() {
    for border in [&[5, 2][..], &[5, 1, 1], &[5, 1, 1, 0]] {
        let disk = across(border, false);
        let total: u64 = border.iter().sum();
        for (name, sound) in files(&disk).into_iter().filter(|(name, _)| name.ends_with(".seg")) {
            let third_last = frames(&sound).into_iter().find(|it| it.is_record && it.seq + 2 == total);
            let Some(frame) = third_last else { continue };
            let damaged = disk.copy();
            let mut bytes = sound;
            bytes[frame.at + 30] ^= 1;
            damaged.set_bytes(&name, bytes);
            let before = files(&damaged);
            let error = Journal::open_storage(damaged.clone(), SMALL).map(|_| ()).unwrap_err();
            assert!(matches!(&error, OpenError::Read(ReadError::Damaged(it)) if it.seq + 2 == total), "{error}");
            assert_eq!(files(&damaged), before);
        }
    }
}

#[test]
fn g03_a_header_that_does_not_read_is_refused_however_few_records_follow() {
    let disk = across(&[5, 1], false);
    let name = segments(&disk).pop().unwrap();
    let sound = disk.bytes(&name).unwrap();
    for at in 0..64 {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        disk.set_bytes(&name, bytes);
        let error = Journal::open_storage(disk.clone(), SMALL).map(|_| ()).unwrap_err();
        assert!(matches!(&error, OpenError::Read(ReadError::Damaged(it)) if it.flaw == Flaw::Header), "{at}: {error}");
    }
}

#[test]
fn g03_a_flip_in_the_unused_space_before_another_segment_is_refused_and_costs_no_record() {
    for border in BORDERS {
        let disk = across(border, false);
        let names = segments(&disk);
        for name in &names[..names.len() - 1] {
            let damaged = disk.copy();
            let mut bytes = disk.bytes(name).unwrap();
            let end = frames(&bytes).last().unwrap().end();
            bytes.resize(end + 1024, 0); // a backup gives every segment its full length
            bytes[end + 100] ^= 1;
            damaged.set_bytes(name, bytes);
            let before = files(&damaged);
            let error = Journal::open_storage(damaged.clone(), SMALL).map(|_| ()).unwrap_err();
            assert!(matches!(&error, OpenError::Read(ReadError::Damaged(it)) if &it.segment == name), "{error}");
            assert_eq!(files(&damaged), before);
        }
    }
}

#[test]
fn g03_a_crash_while_segments_are_set_aside_does_no_more_harm() {
    for (border, is_stopped) in BORDERS.into_iter().flat_map(|border| [(border, false), (border, true)]) {
        let total: u64 = border.iter().sum();
        let damaged = across(border, is_stopped);
        let files = files(&damaged);
        let second_last = |bytes: &[u8]| frames(bytes).into_iter().find(|it| it.is_record && it.seq + 1 == total);
        let mut logs = files.iter().filter(|(name, _)| name.ends_with(".seg"));
        let (name, place) = logs.find_map(|(name, bytes)| Some((name, second_last(bytes)?))).unwrap();
        let mut bytes = files[name].clone();
        bytes[place.at + 2] ^= 1;
        damaged.set_bytes(name, bytes);
        let whole = damaged.copy();
        let found = open(&whole).1;
        assert!(found.damaged.is_some());
        for at in 0..whole.operations() {
            for how in [Crash::LoseUnsynced, Crash::KeepUnsynced, Crash::Seeded(at), Crash::Seeded(at + 100)] {
                let disk = damaged.copy();
                disk.fail_at(at, Fault::Die);
                assert!(Journal::open_storage(disk.clone(), SMALL).is_err(), "operation {at}");
                let recovery = check_sound_prefix(&disk.crash(how), total - 2, total - 2);
                let words = recovery.damaged.unwrap();
                let is_named = found.segments_set_aside.iter().all(|name| words.contains(name));
                assert!(is_named, "operation {at}, {how:?}: {words}");
                assert!(recovery.cut.is_none_or(|cut| cut.acknowledged), "operation {at}, {how:?}: a torn write");
            }
        }
    }
}

#[test]
fn g03_a_flip_at_every_byte_before_the_last_two_records_is_refused_by_name_and_changes_nothing() {
    let disk = written(&[1, 3, 1, 1, 2, 1, 1, 20, 1, 1, 1, 1]);
    let names = segments(&disk);
    assert!(names.len() >= 2);
    let (_, _, last_begin, _) = last_two(&disk);
    for (n, name) in names.iter().enumerate() {
        let sound = disk.bytes(name).unwrap();
        let is_last = n + 1 == names.len();
        let end = if is_last { last_begin } else { sound.len() };
        for at in 0..end {
            let place = frames(&sound).into_iter().find(|frame| (frame.at..frame.end()).contains(&at));
            let closes_third_last = is_last && place.is_some_and(|frame| !frame.is_record && frame.end() == last_begin);
            if closes_third_last {
                continue; // this chain frame stands before the last two records: cut there, as the rule says
            }
            let damaged = disk.copy();
            let mut bytes = sound.clone();
            bytes[at] ^= 0x10;
            damaged.set_bytes(name, bytes);
            let before = files(&damaged);
            let Err(OpenError::Read(ReadError::Damaged(damage))) = Journal::open_storage(damaged.clone(), SMALL) else {
                panic!("{name} byte {at} was not refused");
            };
            assert_eq!(files(&damaged), before);
            assert_eq!(&damage.segment, name);
            if let Some(place) = place {
                assert_eq!(damage.offset, place.at as u64);
                assert_eq!(damage.seq, if place.is_record { place.seq } else { place.seq + 1 });
                assert!(matches!(replay(&damaged, 1), Err(ReadError::Damaged(found)) if found == damage));
            }
        }
    }
}

#[test]
fn g03_a_flip_inside_a_group_that_arrived_whole_is_no_torn_write() {
    let disk = written(&[2, 9]);
    let (name, sound, begin, frames) = last_two(&disk);
    for frame in frames.iter().filter(|frame| frame.is_record && frame.seq > 2 && frame.at < begin) {
        let mut bytes = sound.clone();
        bytes[frame.at + 2] ^= 4;
        disk.set_bytes(&name, bytes);
        let Err(error) = Journal::open_storage(disk.clone(), SMALL) else { panic!("record {} was cut", frame.seq) };
        assert_eq!(error.code(), "JRN-03");
    }
}

#[test]
fn verify_finds_a_flip_at_every_byte_of_every_file_and_names_the_record() {
    let disk = SimStorage::new();
    let (mut journal, _) = open(&disk);
    crate::support::append_groups(&mut journal, &[1, 3, 8, 2, 12, 1]);
    journal.write_snapshot(20, b"state after twenty").unwrap();
    drop(journal);
    assert_eq!(verify_storage(&disk).unwrap().first_bad, None);
    for (name, sound) in files(&disk) {
        for at in 0..sound.len() {
            for mask in [0x01, 0x80] {
                let mut bytes = sound.clone();
                bytes[at] ^= mask;
                disk.set_bytes(&name, bytes);
                let damage = verify_storage(&disk).unwrap().first_bad;
                let damage = damage.unwrap_or_else(|| panic!("{name} byte {at} escaped"));
                assert_eq!(damage.segment, name);
                let place = frames(&sound).into_iter().find(|frame| (frame.at..frame.end()).contains(&at));
                if let (Some(place), true) = (place, name.ends_with(".seg")) {
                    assert_eq!(damage.offset, place.at as u64, "{name} byte {at}");
                }
            }
        }
        disk.set_bytes(&name, sound);
    }
}

/// Changes a sound segment as someone who knows the format would; gives what `verify` then says.
fn tampered(groups: &[u64], change: impl Fn(&mut Vec<u8>, &[RawFrame])) -> (Flaw, u64) {
    let disk = written(groups);
    let name = segments(&disk).remove(0);
    let mut bytes = disk.bytes(&name).unwrap();
    let frames = frames(&bytes);
    change(&mut bytes, &frames);
    disk.set_bytes(&name, bytes);
    let damage = verify_storage(&disk).unwrap().first_bad.expect("tampering is found");
    (damage.flaw, damage.seq)
}

#[test]
fn removed_swapped_and_forged_records_are_found_by_name() {
    let groups = [1, 1, 3, 1, 1];
    let remove = |which: usize| {
        move |bytes: &mut Vec<u8>, frames: &[RawFrame]| {
            let frame = frames[which];
            bytes.drain(frame.at..frame.end());
            bytes.resize(bytes.len() + frame.bytes, 0);
        }
    };
    assert_eq!(tampered(&groups, remove(0)), (Flaw::Record, 1));
    assert_eq!(tampered(&groups, remove(5)), (Flaw::Record, 4)); // inside the group of three
    assert_eq!(tampered(&groups, remove(1)), (Flaw::Record, 2)); // a chain frame
    let swap = |bytes: &mut Vec<u8>, frames: &[RawFrame]| {
        let (a, b) = (frames[4], frames[5]);
        let moved = [&bytes[b.at..b.end()], &bytes[a.at..a.end()]].concat();
        bytes[a.at..b.end()].copy_from_slice(&moved);
    };
    assert_eq!(tampered(&groups, swap), (Flaw::Record, 3));
    let forge = |bytes: &mut Vec<u8>, frames: &[RawFrame]| {
        bytes[frames[6].at + 24] ^= 1;
        forge_sum(bytes, frames[6]);
    };
    assert_eq!(tampered(&groups, forge), (Flaw::Chain, 3)); // the first record of the forged one's sync group
}

#[test]
fn a_forged_record_is_refused_on_opening_too() {
    let disk = written(&[1, 1, 1]);
    let name = segments(&disk).remove(0);
    let mut bytes = disk.bytes(&name).unwrap();
    let last = frames(&bytes)[4];
    bytes[last.at + 24] ^= 1;
    forge_sum(&mut bytes, last);
    disk.set_bytes(&name, bytes);
    let Err(error) = Journal::open_storage(disk, SMALL) else { panic!("opened") };
    assert_eq!(error.to_string().split(": ").last().unwrap(), "the chain value of this sync group differs");
}

#[test]
fn a_missing_segment_is_refused() {
    let disk = written(&[10, 10, 10, 10, 10, 10]);
    let names = segments(&disk);
    assert!(names.len() >= 3);
    for missing in &names[..names.len() - 1] {
        let copy = disk.copy();
        copy.remove(missing).unwrap();
        let Err(error) = Journal::open_storage(copy.clone(), SMALL) else { panic!("opened without {missing}") };
        assert_eq!(error.code(), "JRN-04", "{error}");
        assert!(!verify_storage(&copy).unwrap().is_sound());
    }
    disk.remove(names.last().unwrap()).unwrap();
    assert_eq!(verify_storage(&disk).unwrap().first_bad.unwrap().flaw, Flaw::Truncated);
}

#[test]
fn g10_a_newer_format_is_refused_and_says_so() {
    let disk = written(&[1]);
    let name = segments(&disk).remove(0);
    let mut bytes = disk.bytes(&name).unwrap();
    bytes[8] = 2;
    let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..64]);
    bytes[12..16].copy_from_slice(&sum.to_le_bytes());
    disk.set_bytes(&name, bytes);
    let Err(error) = Journal::open_storage(disk.clone(), SMALL) else { panic!("opened") };
    assert_eq!(error.code(), "JRN-02");
    assert_eq!(error.to_string(), format!("{name} has format version 2, this program reads up to 1"));
    assert_eq!(verify_storage(&disk).unwrap_err().code(), "JRN-02");
}

#[test]
fn g03_the_same_tail_rules_hold_on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let disk = tradewind_journal::DiskStorage::new(dir.path());
    let mut total = 6;
    crate::support::append_groups(&mut open(&disk).0, &[1, 1, 4]);
    for step in 0..60 {
        let name = disk.list().unwrap().into_iter().filter(|name| name.ends_with(".seg")).max().unwrap();
        let bytes = std::fs::read(dir.path().join(&name)).unwrap();
        let end = frames(&bytes).last().unwrap().end();
        let file = disk.open(&name, true).unwrap();
        match step % 3 {
            0 => file.write_at(&[bytes[end - step - 1] ^ 2], (end - step - 1) as u64).unwrap(),
            1 => file.set_len((end - step) as u64).unwrap(),
            _ => file.write_at(&[step as u8; 13], end as u64).unwrap(),
        }
        let recovery = check_sound_prefix(&disk, total - 2, total);
        assert!(recovery.cut.is_some());
        total = recovery.last_seq + 3;
    }
    let torn = disk.list().unwrap().into_iter().filter(|name| name.ends_with(".torn")).count();
    assert!(torn >= 20, "{torn}");
}
