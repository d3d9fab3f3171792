use super::super::Records;
use super::super::tests::{check_proofs_of, position, records, slow_root, tree_of};
use super::*;
use crate::fixture::{Threads, digest, keys};
use crate::hash::Map;
use primitives::units::Height;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn check(view: &MapView, records: &Records, absent: &[Digest]) {
    let sorted: Vec<_> = records.iter().map(|(at, hash)| (*at, *hash)).collect();
    let sized = view.sized_root();
    assert_eq!(sized.size, records.len() as u64);
    assert_eq!(sized.root, slow_root(keys().map(Map::Key), &sorted));
    let anew = tree_of(records);
    check_proofs_of(sized.root, |at| view.prove(at).unwrap(), records, absent);
    for position in records.keys().chain(absent) {
        assert_eq!(view.prove(position), anew.prove(position));
    }
    let mut all: Vec<_> = records.keys().chain(absent).copied().take(200).collect();
    all.sort_unstable();
    all.dedup();
    if !all.is_empty() {
        assert_eq!(view.prove_multi(&all), anew.prove_multi(&all));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_version_is_proven_from_the_newest_map_and_what_was_undone(
        blocks in proptest::collection::vec(records(60), 1..6),
        absent in proptest::collection::vec(position(), 20),
    ) {
        let mut tree = MapTree::new(Map::Key, &keys());
        let mut versions = vec![(Records::new(), BTreeMap::new())];
        for (height, block) in (1..).zip(&blocks) {
            let before = versions.last().unwrap().0.clone();
            let undo: BTreeMap<_, _> =
                block.keys().map(|at| (*at, before.get(at).copied())).collect();
            let batch: Vec<_> = block.iter().map(|(at, hash)| (*at, *hash)).collect();
            tree.update(&batch, Height::new(height), &Threads).unwrap();
            let after = before.into_iter().chain(block.clone()).collect();
            versions.last_mut().unwrap().1 = undo;
            versions.push((after, BTreeMap::new()));
        }
        let mut undone = BTreeMap::new();
        for (records, undo) in versions.iter().rev() {
            // The oldest of several values of a position is that of the oldest version.
            undone.extend(undo.clone());
            let changes: Vec<_> = undone.iter().map(|(at, hash)| (*at, *hash)).collect();
            check(&tree.view(&changes).unwrap(), records, &absent);
        }
    }

    #[test]
    fn a_view_with_any_changes_is_the_map_with_these_changes(
        all in records(200),
        set in records(60),
        gone in proptest::collection::vec(any::<prop::sample::Index>(), 0..60),
        missing in proptest::collection::vec(position(), 20),
    ) {
        let tree = tree_of(&all);
        let keys: Vec<_> = all.keys().copied().collect();
        let gone = gone.iter().filter(|_| !keys.is_empty()).map(|at| *at.get(&keys));
        let mut changes: BTreeMap<_, Option<Digest>> =
            gone.chain(missing.clone()).map(|at| (at, None)).collect();
        changes.extend(set.iter().map(|(at, hash)| (*at, Some(*hash))));
        let mut records = all;
        for (at, hash) in &changes {
            match hash {
                Some(hash) => records.insert(*at, *hash),
                None => records.remove(at),
            };
        }
        let mut changes: Vec<_> = changes.into_iter().collect();
        changes.reverse();
        check(&tree.view(&changes).unwrap(), &records, &missing);
    }
}

#[test]
fn a_position_named_twice_is_refused() {
    let tree = tree_of(&[(digest(1), digest(2))].into());
    let error = Error::RepeatedPosition {
        part: crate::Part::KeyMap,
        position: digest(1),
    };
    let changes = [(digest(1), None), (digest(1), Some(digest(3)))];
    assert_eq!(tree.view(&changes).err(), Some(error));
}
