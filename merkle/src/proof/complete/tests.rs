use super::super::world::{World, at, entry, world};
use super::*;
use crate::fixture::{check_tampering, digest};
use primitives::Digest;
use primitives::codec::encode;

const POSITIONS: u64 = 7;

fn all(world: &World, at: &MapPosition, entries: Vec<LogEntry>) -> AllEntries {
    AllEntries {
        record: world.record_proof(at),
        entries: List::new(entries).unwrap(),
    }
}

fn recent(world: &World, at: &MapPosition, wanted: usize) -> RecentEntries {
    let mut entries = world.log(at);
    let newest = entries.split_off(entries.len().saturating_sub(wanted));
    let before = world
        .log_tree(at)
        .frontier_at(entries.len() as u64)
        .unwrap();
    RecentEntries::prove(at.map, world.record_proof(at), &before, newest).unwrap()
}

fn new(world: &World, at: &MapPosition, from: usize, to: usize) -> NewEntries {
    let (entries, tree) = (world.log(at), world.log_tree(at));
    let rest = tree.prove_consistency(to as u64, tree.size()).unwrap();
    NewEntries::prove(world.record_proof(at), entries[from..to].to_vec(), rest).unwrap()
}

#[test]
fn all_entries_are_shown_for_every_length_and_for_absent_keys() {
    let world = world(3, POSITIONS);
    for map in [Map::Key, Map::Name] {
        for number in 0..POSITIONS + 3 {
            let at = at(map, number);
            let entries = world.log(&at);
            let proof = AllEntries::prove(map, world.record_proof(&at), entries.clone()).unwrap();
            let shown = proof.verify(&world.keys, &at, &world.state()).unwrap();
            let record = world.record(&at);
            assert_eq!(
                shown,
                Entries {
                    record,
                    first: 0,
                    entries
                }
            );
        }
    }
}

#[test]
fn a_withheld_changed_added_or_swapped_entry_is_refused() {
    let world = world(3, POSITIONS);
    let at = at(Map::Key, 4);
    let passes = |entries| {
        let verified = all(&world, &at, entries).verify(&world.keys, &at, &world.state());
        verified.map_err(|error| error.to_string())
    };
    let entries = world.log(&at);
    assert!(passes(entries.clone()).is_ok());
    for index in 0..5 {
        let mut withheld = entries.clone();
        withheld.remove(index);
        let want = "key log: 4 entries where 5 were due";
        assert_eq!(
            passes(withheld.clone()),
            Err(want.into()),
            "without {index}"
        );
        withheld.push(entry(4, 77));
        assert!(
            passes(withheld).unwrap_err().starts_with("key log root "),
            "without {index}"
        );
        let mut doubled = entries.clone();
        doubled[index] = doubled[(index + 1) % 5];
        assert!(passes(doubled).is_err(), "doubled over {index}");
        let mut swapped = entries.clone();
        swapped.swap(index, (index + 1) % 5);
        assert!(passes(swapped).is_err(), "swapped {index}");
    }
    let longer = [entries.as_slice(), &[entry(4, 5)]].concat();
    assert_eq!(
        passes(longer),
        Err("key log: 6 entries where 5 were due".into())
    );
}

#[test]
fn no_changed_proof_of_all_entries_passes() {
    let world = world(3, POSITIONS);
    for number in [0, 2, 50] {
        let at = at(Map::Key, number);
        check_tampering(&all(&world, &at, world.log(&at)), |proof| {
            proof.verify(&world.keys, &at, &world.state()).is_ok()
        });
    }
}

#[test]
fn the_newest_entries_are_shown_for_every_number_asked_for() {
    let world = world(3, POSITIONS);
    for number in 0..POSITIONS + 2 {
        let at = at(Map::Name, number);
        let (record, entries) = (world.record(&at), world.log(&at));
        for wanted in 0..10 {
            let proof = recent(&world, &at, wanted);
            let first = entries.len().saturating_sub(wanted);
            let verify = |wanted| proof.verify(&world.keys, &at, wanted, &world.state());
            let want = Entries {
                record,
                first: first as u64,
                entries: entries[first..].to_vec(),
            };
            assert_eq!(
                verify(wanted as u64),
                Ok(want),
                "{wanted} of {}",
                entries.len()
            );
            // Fewer than asked for, or more, are refused.
            if wanted < entries.len() {
                assert!(verify(wanted as u64 + 1).is_err());
            }
            if (1..=entries.len()).contains(&wanted) {
                assert!(verify(wanted as u64 - 1).is_err());
            }
        }
    }
}

#[test]
fn the_newest_entries_can_not_be_older_ones_or_have_gaps() {
    let world = world(3, POSITIONS);
    let at = at(Map::Key, 6);
    let (entries, tree) = (world.log(&at), world.log_tree(&at));
    for from in 0..7 {
        for before in 0..7 {
            for to in from..=7 {
                let proof = RecentEntries {
                    record: world.record_proof(&at),
                    peaks: Path::new(tree.frontier_at(before).unwrap().peaks().to_vec()).unwrap(),
                    entries: List::new(entries[from as usize..to as usize].to_vec()).unwrap(),
                };
                for wanted in 0..8 {
                    let passes = proof
                        .verify(&world.keys, &at, wanted, &world.state())
                        .is_ok();
                    let due = to == 7 && from == 7 - wanted.min(7) && before == from;
                    assert_eq!(passes, due, "{from}..{to} before {before} wanted {wanted}");
                }
            }
        }
    }
}

#[test]
fn no_changed_proof_of_the_newest_entries_passes() {
    let world = world(3, POSITIONS);
    let at = at(Map::Key, 5);
    for wanted in [0, 1, 3] {
        check_tampering(&recent(&world, &at, wanted), |proof| {
            proof
                .verify(&world.keys, &at, wanted as u64, &world.state())
                .is_ok()
        });
    }
}

#[test]
fn every_page_after_every_known_frontier_is_shown() {
    let world = world(3, POSITIONS);
    for number in 0..POSITIONS + 1 {
        let at = at(Map::Key, number);
        let (record, entries, tree) = (world.record(&at), world.log(&at), world.log_tree(&at));
        for from in 0..=entries.len() {
            let known = tree.frontier_at(from as u64).unwrap();
            for to in from..=entries.len() {
                let proof = new(&world, &at, from, to);
                let verify =
                    |known: &Frontier| proof.verify(&world.keys, &at, known, &world.state());
                let want = EntryPage {
                    record,
                    entries: entries[from..to].to_vec(),
                    frontier: tree.frontier_at(to as u64).unwrap(),
                    remaining: (entries.len() - to) as u64,
                };
                assert_eq!(verify(&known), Ok(want), "{from}..{to}");
                for other in (0..=entries.len()).filter(|other| *other != from) {
                    let wrong = tree.frontier_at(other as u64).unwrap();
                    // A page without entries may fit, and then truly says how many follow.
                    if let Ok(page) = verify(&wrong) {
                        assert_eq!((from, page.entries.len()), (to, 0), "after {other}");
                        assert_eq!(page.remaining, (entries.len() - other) as u64);
                    }
                }
            }
        }
    }
}

#[test]
fn a_page_with_a_gap_or_of_a_log_that_shrank_is_refused() {
    let world = world(3, POSITIONS);
    let at = at(Map::Key, 6);
    let (entries, tree) = (world.log(&at), world.log_tree(&at));
    let known = tree.frontier_at(2).unwrap();
    let proof = new(&world, &at, 2, 5);
    for index in 0..3 {
        let mut kept = proof.entries.to_vec();
        kept.remove(index);
        for rest in 0..=7 {
            let gap = NewEntries {
                entries: List::new(kept.clone()).unwrap(),
                rest: tree.prove_consistency(rest, 7).unwrap(),
                ..proof.clone()
            };
            let passes = gap.verify(&world.keys, &at, &known, &world.state()).is_ok();
            // Without its last entry the page is a shorter page, and says that more remain.
            assert_eq!(
                passes,
                index == 2 && rest == 4,
                "without {index}, rest {rest}"
            );
        }
    }
    let mut longer = Frontier::new();
    for entry in entries.iter().chain(&entries[..1]) {
        longer
            .append(world.keys.log(at.map), entry.leaf(&world.keys, at.map))
            .unwrap();
    }
    let nothing = new(&world, &at, 7, 7);
    let error = nothing
        .verify(&world.keys, &at, &longer, &world.state())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "key log: size 8 where at most 7 is possible"
    );
}

#[test]
fn no_changed_page_passes() {
    let world = world(3, POSITIONS);
    let at = at(Map::Key, 6);
    for (from, to) in [(0, 7), (2, 5), (3, 3), (7, 7)] {
        let known = world.log_tree(&at).frontier_at(from as u64).unwrap();
        check_tampering(&new(&world, &at, from, to), |proof| {
            proof
                .verify(&world.keys, &at, &known, &world.state())
                .is_ok()
        });
    }
}

#[test]
fn the_prover_is_told_when_entries_are_missing() {
    let world = world(3, POSITIONS);
    let at = at(Map::Key, 3);
    let record = world.record_proof(&at);
    let error = AllEntries::prove(at.map, record.clone(), Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "key log: 0 entries where 4 were due");
    let before = world.log_tree(&at).frontier_at(2).unwrap();
    let error = RecentEntries::prove(at.map, record, &before, Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "key log: 0 entries where 2 were due");
}

#[test]
fn completeness_proofs_have_golden_encodings() {
    let world = world(3, POSITIONS);
    let record = world.record_proof(&at(Map::Key, 99));
    let head = {
        // The proof of the record is encoded in its own test.
        let proof = all(&world, &at(Map::Key, 99), Vec::new());
        let bytes = encode(&proof).unwrap();
        assert_eq!(bytes[bytes.len() - 4..], [0; 4]);
        bytes[..bytes.len() - 4].to_vec()
    };
    let entry = LogEntry {
        txid: digest(1),
        ..entry(0, 2)
    };
    let entries = List::new(vec![entry]).unwrap();
    let path = Path::new(vec![Digest([3; 32])]).unwrap();
    let list = [&[1, 0, 0, 0], encode(&entry).unwrap().as_slice()].concat();
    let digests = [&[1][..], &[3; 32]].concat();
    let proof = AllEntries {
        record: record.clone(),
        entries: entries.clone(),
    };
    assert_eq!(encode(&proof).unwrap(), [&head[..], &list].concat());
    let proof = RecentEntries {
        record: record.clone(),
        peaks: path.clone(),
        entries: entries.clone(),
    };
    assert_eq!(
        encode(&proof).unwrap(),
        [&head[..], &digests, &list].concat()
    );
    let proof = NewEntries {
        record,
        entries,
        rest: path,
    };
    assert_eq!(
        encode(&proof).unwrap(),
        [&head[..], &list, &digests].concat()
    );
}
