use super::*;
use crate::error::Part;
use crate::fixture::{Threads, digest, keys};
use crate::workers::Sequential;
use proptest::prelude::*;

/// The root as the specification defines it: part the sorted positions at their first differing bit.
pub(super) fn slow_root(hasher: &MapHasher, records: &[(Digest, Digest)]) -> Digest {
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
    let absent: Vec<_> = absent.into_iter().collect();
    let root = tree.sized_root().root;
    check_proofs_of(root, |at| tree.prove(at).unwrap(), records, &absent);
    for position in records.keys().chain(&absent) {
        let want = records.get(position).copied();
        assert_eq!(tree.record_hash(position), Ok(want));
    }
}

pub(super) fn check_proofs_of(
    root: Digest,
    prove: impl Fn(&Digest) -> MapProof,
    records: &Records,
    absent: &[Digest],
) {
    let hasher = keys().map(Map::Key).clone();
    let error = Error::RecordMismatch { part: Part::KeyMap };
    for (position, hash) in records {
        let proof = prove(position);
        assert_eq!(proof.root_if_present(&hasher, position, hash), Ok(root));
        let found = proof.root_if_absent(&hasher, position);
        assert_eq!(found, Err(error.clone()));
    }
    let is_absent = |position: &&Digest| !records.contains_key(position);
    for position in absent.iter().filter(is_absent) {
        let proof = prove(position);
        let found = proof.root_if_absent(&hasher, position);
        assert_eq!(found, Ok(root), "{position}");
        let found = proof.root_if_present(&hasher, position, &digest(0));
        assert_eq!(found, Err(error.clone()));
    }
}

pub(super) fn tree_of(records: &Records) -> MapTree {
    let mut tree = MapTree::new(Map::Key, &keys());
    let batch: Vec<_> = records.iter().map(|(at, hash)| (*at, *hash)).collect();
    tree.update(&batch, Height::ZERO, &Sequential).unwrap();
    tree
}

/// Positions of which many share 200 bits, or all but one.
pub(super) fn position() -> impl Strategy<Value = Digest> {
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

pub(super) fn records(most: usize) -> impl Strategy<Value = Records> {
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
            tree.update(&pairs, Height::ZERO, &Sequential).unwrap();
            all.extend(batch);
            check(&tree, &all);
        }
        check_proofs(&tree, &all, absent);
    }

    #[test]
    fn the_root_is_the_same_for_every_order_every_cut_into_batches_and_any_workers(
        pairs in records(400).prop_map(|all| all.into_iter().collect::<Vec<_>>()).prop_shuffle(),
        width in 1_usize..50,
    ) {
        let mut one_by_one = MapTree::new(Map::Key, &keys());
        for pair in &pairs {
            one_by_one.update(&[*pair], Height::ZERO, &Sequential).unwrap();
        }
        let mut cut = MapTree::new(Map::Key, &keys());
        for batch in pairs.chunks(width) {
            cut.update(batch, Height::ZERO, &Sequential).unwrap();
        }
        let mut at_once = MapTree::new(Map::Key, &keys());
        at_once.update(&pairs, Height::ZERO, &Threads).unwrap();
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
        tree.update(&pairs, Height::ZERO, &Sequential).unwrap();
        let pairs: Vec<_> = batch.iter().map(|at| (digest(*at), digest(!at))).collect();
        tree.update(&pairs, Height::ZERO, &Threads).unwrap();
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
    assert_eq!(tree.update(&batch, Height::ZERO, &Sequential), Err(error));
    check(&tree, &records);
    tree.update(&[], Height::ZERO, &Sequential).unwrap();
    check(&tree, &records);
}

#[test]
fn both_maps_give_the_same_records_other_roots() {
    let records = [(digest(1), digest(2))];
    let mut name = MapTree::new(Map::Name, &keys());
    name.update(&records, Height::ZERO, &Sequential).unwrap();
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
