use std::collections::BTreeMap;

use super::*;
use crate::error::Part;
use crate::fixture::{digest, keys};
use proptest::prelude::*;

type Records = BTreeMap<Digest, Digest>;

/// The root as the specification defines it: part the sorted positions at their first differing bit.
fn slow_root(hasher: &MapHasher, records: &[(Digest, Digest)]) -> Digest {
    match records {
        [] => hasher.empty(),
        [(position, record_hash)] => hasher.leaf(position, record_hash),
        [(first, _), .., (last, _)] => {
            let bit = (0..=255)
                .find(|bit| bit_at(first, *bit) != bit_at(last, *bit))
                .unwrap();
            let middle = records.partition_point(|(position, _)| !bit_at(position, bit));
            let (left, right) = records.split_at(middle);
            hasher.node(bit, &slow_root(hasher, left), &slow_root(hasher, right))
        }
    }
}

fn bit_at(position: &Digest, bit: u8) -> bool {
    let (byte, within) = (usize::from(bit / 8), bit % 8);
    position.0[byte] & (128 >> within) != 0
}

fn check(tree: &MapTree, records: &Records) {
    let hasher = keys().map(Map::Key).clone();
    let sorted: Vec<_> = records.iter().map(|(at, hash)| (*at, *hash)).collect();
    let sized = tree.sized_root();
    assert_eq!(sized.size, records.len() as u64);
    assert_eq!(sized.root, slow_root(&hasher, &sorted));
}

fn check_proofs(tree: &MapTree, records: &Records, absent: impl IntoIterator<Item = Digest>) {
    let hasher = keys().map(Map::Key).clone();
    let root = tree.sized_root().root;
    for (position, record_hash) in records {
        let proof = tree.prove(position).unwrap();
        assert_eq!(
            proof.root_if_present(&hasher, position, record_hash),
            Ok(root)
        );
        assert_eq!(tree.record_hash(position), Ok(Some(*record_hash)));
        let error = Error::RecordMismatch { part: Part::KeyMap };
        assert_eq!(proof.root_if_absent(&hasher, position), Err(error));
    }
    for position in absent
        .into_iter()
        .filter(|position| !records.contains_key(position))
    {
        let proof = tree.prove(&position).unwrap();
        assert_eq!(
            proof.root_if_absent(&hasher, &position),
            Ok(root),
            "{position}"
        );
        assert_eq!(tree.record_hash(&position), Ok(None));
        let error = Error::RecordMismatch { part: Part::KeyMap };
        let found = proof.root_if_present(&hasher, &position, &digest(0));
        assert_eq!(found, Err(error));
    }
}

fn tree_of(records: &Records) -> MapTree {
    let mut tree = MapTree::new(Map::Key, &keys());
    let batch: Vec<_> = records.iter().map(|(at, hash)| (*at, *hash)).collect();
    tree.update(&batch).unwrap();
    tree
}

/// Positions of which many share 200 bits, or all but one.
fn position() -> impl Strategy<Value = Digest> {
    let shared = (0_u64..4, any::<[u8; 7]>()).prop_map(|(prefix, tail)| {
        let mut position = digest(prefix);
        position.0[25..].copy_from_slice(&tail);
        position
    });
    let neighbour = (0_u64..4, any::<u8>()).prop_map(|(prefix, bit)| {
        let mut position = digest(prefix);
        position.0[usize::from(bit / 8)] ^= 128 >> (bit % 8);
        position
    });
    prop_oneof![any::<[u8; 32]>().prop_map(Digest), shared, neighbour]
}

fn records(most: usize) -> impl Strategy<Value = Records> {
    let record = (position(), any::<u64>().prop_map(digest));
    proptest::collection::vec(record, 0..most).prop_map(|pairs| pairs.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn roots_and_proofs_equal_those_of_the_definition_after_every_batch(
        batches in proptest::collection::vec(records(400), 0..5),
        absent in proptest::collection::vec(position(), 50),
    ) {
        let mut tree = MapTree::new(Map::Key, &keys());
        let mut all = Records::new();
        for batch in batches {
            let mut pairs: Vec<_> = batch.iter().map(|(at, hash)| (*at, *hash)).collect();
            pairs.reverse();
            tree.update(&pairs).unwrap();
            all.extend(batch);
            check(&tree, &all);
        }
        check_proofs(&tree, &all, absent);
    }

    #[test]
    fn the_root_is_the_same_for_every_order_and_every_cut_into_batches(
        pairs in records(200).prop_map(|all| all.into_iter().collect::<Vec<_>>()).prop_shuffle(),
        width in 1_usize..50,
    ) {
        let mut one_by_one = MapTree::new(Map::Key, &keys());
        for pair in &pairs {
            one_by_one.update(&[*pair]).unwrap();
        }
        let mut cut = MapTree::new(Map::Key, &keys());
        for batch in pairs.chunks(width) {
            cut.update(batch).unwrap();
        }
        let mut at_once = MapTree::new(Map::Key, &keys());
        at_once.update(&pairs).unwrap();
        prop_assert_eq!(one_by_one.sized_root(), at_once.sized_root());
        prop_assert_eq!(cut.sized_root(), at_once.sized_root());
    }
}

#[test]
fn five_thousand_records_in_batches_have_the_root_of_the_definition() {
    let all: Records = (0..5_000)
        .map(|number| (digest(number), digest(!number)))
        .collect();
    let mut tree = MapTree::new(Map::Key, &keys());
    for batch in (0..5_000).collect::<Vec<u64>>().chunks(700) {
        let pairs: Vec<_> = batch
            .iter()
            .map(|number| (digest(*number), digest(0)))
            .collect();
        tree.update(&pairs).unwrap();
        let pairs: Vec<_> = batch.iter().map(|at| (digest(*at), digest(!at))).collect();
        tree.update(&pairs).unwrap();
    }
    check(&tree, &all);
    check_proofs(&tree, &all, (5_000..6_000).map(digest));
}

#[test]
fn an_empty_map_proves_that_everything_is_absent() {
    let tree = MapTree::new(Map::Key, &keys());
    assert_eq!(tree.prove(&digest(1)), Ok(MapProof::Empty));
    check(&tree, &Records::new());
    check_proofs(&tree, &Records::new(), [digest(1)]);
}

#[test]
fn a_batch_with_a_repeated_position_changes_nothing() {
    let records: Records = [(digest(1), digest(2))].into();
    let mut tree = tree_of(&records);
    let batch = [
        (digest(3), digest(4)),
        (digest(1), digest(5)),
        (digest(3), digest(4)),
    ];
    let error = Error::RepeatedPosition {
        part: Part::KeyMap,
        position: digest(3),
    };
    assert_eq!(tree.update(&batch), Err(error));
    check(&tree, &records);
    tree.update(&[]).unwrap();
    check(&tree, &records);
}

#[test]
fn both_maps_give_the_same_records_other_roots() {
    let records = [(digest(1), digest(2))];
    let mut name = MapTree::new(Map::Name, &keys());
    name.update(&records).unwrap();
    assert_ne!(name.sized_root(), tree_of(&records.into()).sized_root());
}

/// Zero, and `branches` positions that part from it at the bits 0, 1, 2 and so on.
fn ladder(branches: u16) -> Records {
    let rungs = (0..branches).map(|bit| {
        let mut position = Digest::ZERO;
        position.0[usize::from(bit / 8)] = 128 >> (bit % 8);
        (position, digest(u64::from(bit)))
    });
    rungs.chain([(Digest::ZERO, digest(999))]).collect()
}

#[test]
fn a_path_of_255_branches_is_proven_and_one_of_256_is_refused() {
    let records = ladder(255);
    let tree = tree_of(&records);
    check(&tree, &records);
    check_proofs(&tree, &records, [digest(1)]);

    let records = ladder(256);
    let tree = tree_of(&records);
    check(&tree, &records);
    let (part, found, limit) = (Part::KeyMap, 256, 255);
    let error = Error::TooDeep { part, found, limit };
    assert_eq!(tree.prove(&Digest::ZERO), Err(error));
}

#[test]
fn a_path_among_random_positions_is_a_third_of_a_sibling_above_the_logarithm() {
    let count = 1 << 14;
    let records: Records = (0..count)
        .map(|number| (digest(number), digest(0)))
        .collect();
    let tree = tree_of(&records);
    let depth = |position| {
        let MapProof::Present { path } = tree.prove(position).unwrap() else {
            panic!("{position} is absent");
        };
        path.depth()
    };
    let total: usize = records.keys().map(depth).sum();
    // 14.33 in the mean.
    let thousandths = total * 1000 / count as usize;
    assert!((14_200..14_450).contains(&thousandths), "{thousandths}");
}
