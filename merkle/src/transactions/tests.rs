use super::*;
use crate::fixture::{digest, digests, keys};
use crate::log::LogTree;
use primitives::digest::derive;
use primitives::domain::{Domain, Kind, Tree};
use proptest::prelude::*;

fn tree_of(count: u64) -> TransactionTree {
    TransactionTree::new(keys().transactions(), &digests(count)).unwrap()
}

fn leaves_at(indices: &[u32]) -> Vec<(u32, Digest)> {
    indices
        .iter()
        .map(|index| (*index, digest(u64::from(*index))))
        .collect()
}

#[test]
fn the_node_key_is_derived_from_its_tag() {
    let key = derive(Domain::Tree(Tree::Tx, Kind::Node), &[]);
    assert_eq!(NODE_KEY, key);
}

#[test]
fn roots_and_single_proofs_equal_those_of_our_own_log() {
    let mut log = LogTree::new(*keys().transactions());
    for count in 0..=130 {
        let tree = tree_of(count);
        assert_eq!(Ok(tree.root()), log.root(), "count {count}");
        assert_eq!(u64::from(tree.count()), count);
        for index in 0..count {
            let siblings = tree.prove(&[index as u32]).unwrap();
            assert_eq!(*siblings, *log.prove_inclusion(index, count).unwrap());
            let leaves = leaves_at(&[index as u32]);
            let found = root_by_transactions(tree.count(), &leaves, &siblings);
            assert_eq!(found, Ok(tree.root()), "{index} of {count}");
        }
        log.append(digest(count));
    }
}

#[test]
fn every_set_of_transactions_of_a_small_block_is_proven_and_no_other_leaf_passes() {
    for count in 1..=9_u32 {
        let tree = tree_of(u64::from(count));
        for set in 1_u32..1 << count {
            let indices: Vec<u32> = (0..count).filter(|index| set & (1 << index) != 0).collect();
            let siblings = tree.prove(&indices).unwrap();
            let passes = |leaves: &[(u32, Digest)], siblings: &[Digest]| {
                root_by_transactions(count, leaves, siblings) == Ok(tree.root())
            };
            let leaves = leaves_at(&indices);
            assert!(passes(&leaves, &siblings), "{indices:?} of {count}");
            for at in 0..leaves.len() {
                let mut forged = leaves.clone();
                forged[at].1 = digest(77);
                assert!(
                    !passes(&forged, &siblings),
                    "leaf {at} of {indices:?} of {count}"
                );
            }
            for at in 0..siblings.len() {
                let mut forged = siblings.clone();
                forged[at] = digest(77);
                assert!(!passes(&leaves, &forged), "{indices:?} of {count}");
                forged.remove(at);
                assert!(!passes(&leaves, &forged), "{indices:?} of {count}");
            }
            let longer = [siblings.as_slice(), &[digest(77)]].concat();
            assert!(!passes(&leaves, &longer), "{indices:?} of {count}");
        }
    }
}

#[test]
fn the_guard_refuses_what_the_library_would_accept() {
    let part = Part::Transactions;
    let tree = tree_of(5);
    let index = |index, size| Error::Index { part, index, size };
    let order = Error::IndexOrder { part };
    let cases: [(&[u32], Error); 5] = [
        (&[], order.clone()),
        (&[4, 4], order.clone()),
        (&[1, 1], order.clone()),
        (&[3, 2], order),
        (&[0, 5], index(5, 5)),
    ];
    for (indices, error) in cases {
        assert_eq!(tree.prove(indices), Err(error.clone()), "{indices:?}");
        let found = root_by_transactions(5, &leaves_at(indices), &[]);
        assert_eq!(found, Err(error), "{indices:?}");
    }
    let siblings = tree.prove(&[4]).unwrap();
    for count in [6, 7, 8, 9, 100, u32::MAX] {
        let error = root_by_transactions(count, &leaves_at(&[4]), &siblings).unwrap_err();
        assert!(
            matches!(error, Error::SiblingCount { found: 1, .. }),
            "{count}: {error}"
        );
    }
    assert_eq!(
        root_by_transactions(4, &leaves_at(&[4]), &siblings),
        Err(index(4, 4))
    );
}

#[test]
fn the_chain_stands_in_the_empty_root_and_in_the_leaves() {
    let other = crate::TreeKeys::new(&Digest([8; 32]));
    let empty = |hasher: &B3| TransactionTree::new(hasher, &[]).unwrap().root();
    assert_eq!(empty(keys().transactions()), keys().transactions().empty());
    assert_ne!(empty(other.transactions()), empty(keys().transactions()));
    assert_ne!(
        other.transactions().leaf(b"a"),
        keys().transactions().leaf(b"a")
    );
}

proptest! {
    #[test]
    fn several_transactions_of_a_great_block_are_proven_with_exactly_the_siblings_due(
        count in 1_u32..3000,
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..40),
    ) {
        let tree = tree_of(u64::from(count));
        let mut indices: Vec<u32> =
            picks.iter().map(|pick| pick.index(count as usize) as u32).collect();
        indices.sort_unstable();
        indices.dedup();
        let siblings = tree.prove(&indices).unwrap();
        prop_assert_eq!(siblings.len(), siblings_due(indices.clone(), count));
        let found = root_by_transactions(count, &leaves_at(&indices), &siblings);
        prop_assert_eq!(found, Ok(tree.root()));
    }
}
