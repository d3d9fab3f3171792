use super::super::tests::{position, records, tree_of};
use super::super::{MapTree, Records};
use super::*;
use crate::fixture::{check_tampering, digest, keys};
use crate::hash::Map;
use primitives::codec::{decode, encode};
use proptest::prelude::*;

fn hasher() -> MapHasher {
    keys().map(Map::Key).clone()
}

fn asked(records: &Records, positions: &[Digest]) -> Vec<(Digest, Option<Digest>)> {
    let held = |position: &Digest| (*position, records.get(position).copied());
    positions.iter().map(held).collect()
}

fn sorted(mut positions: Vec<Digest>) -> Vec<Digest> {
    positions.sort_unstable();
    positions.dedup();
    positions
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_positions_are_proven_at_once_and_no_other_record_passes(
        all in records(300),
        picked in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
        others in proptest::collection::vec(position(), 1..20),
    ) {
        let (tree, hasher) = (tree_of(&all), hasher());
        let keys: Vec<_> = all.keys().copied().collect();
        let picked = picked.iter().filter(|_| !keys.is_empty()).map(|at| *at.get(&keys));
        let positions = sorted(picked.chain(others).collect());
        let proof = tree.prove_multi(&positions).unwrap();
        let bytes = encode(&proof).unwrap();
        let read: MapMulti = decode(&bytes).unwrap();
        prop_assert_eq!(&read, &proof);
        let (root, pairs) = (Ok(tree.sized_root().root), asked(&all, &positions));
        prop_assert_eq!(&proof.root(&hasher, &pairs), &root);
        for at in 0..pairs.len() {
            let mut changed = pairs.clone();
            changed[at].1 = match changed[at].1 {
                Some(_) => None,
                None => Some(digest(1 << 40)),
            };
            prop_assert_ne!(proof.root(&hasher, &changed), root.clone());
            // An absent position may share all it needs with another one.
            if pairs[at].1.is_some() {
                changed.remove(at);
                prop_assert_ne!(proof.root(&hasher, &changed), root.clone());
            }
        }
        let digests = proof.siblings.len() + 2 * proof.others.len();
        // With at most a byte and two bits for the shape of each step.
        prop_assert!(bytes.len() <= 16 + 32 * digests + proof.gaps.len() + proof.steps.len());
    }
}

#[test]
fn no_changed_proof_of_a_small_map_leads_to_its_root() {
    let hasher = hasher();
    for size in 0..=8 {
        let all: Records = (0..size).map(|at| (digest(at), digest(at + 100))).collect();
        let (tree, root) = (tree_of(&all), tree_of(&all).sized_root().root);
        for picked in [
            vec![0],
            vec![50],
            vec![0, 1, 50],
            (0..9).chain([50, 51]).collect(),
        ] {
            let positions = sorted(picked.into_iter().map(digest).collect());
            let (proof, pairs) = (
                tree.prove_multi(&positions).unwrap(),
                asked(&all, &positions),
            );
            check_tampering(&proof, |proof| proof.root(&hasher, &pairs) == Ok(root));
        }
    }
}

#[test]
fn a_proof_of_several_is_steps_gaps_siblings_and_other_leaves() {
    let at = |first: u8| {
        let mut position = Digest::ZERO;
        position.0[0] = first;
        position
    };
    // Branches at bit 0, at bit 1 on the left, and at bit 3 on the right.
    let all: Records = [0x00, 0x40, 0x80, 0x90]
        .map(|first| (at(first), Digest([first; 32])))
        .into();
    let (tree, hasher) = (tree_of(&all), hasher());
    let proof = tree.prove_multi(&[at(0x40), at(0x8f)]).unwrap();
    let leaf = |first| hasher.leaf(&at(first), &Digest([first; 32]));
    let golden = [
        // Bit 0 and bit 1 are due; a leaf; two bits skipped would be bit 3; a leaf.
        &[1, 0, 0, 0, 0b0000_0011][..],
        &[3, 0, 0, 0, 0, 2, 0],
        &[2, 0, 0, 0],
        &leaf(0x00).0,
        &leaf(0x90).0,
        &[1, 0, 0, 0],
        &at(0x80).0,
        &[0x80; 32],
    ]
    .concat();
    assert_eq!(encode(&proof).unwrap(), golden);
    let none = MapTree::new(Map::Key, &keys())
        .prove_multi(&[at(1)])
        .unwrap();
    assert_eq!(encode(&none).unwrap(), [0; 16]);
    assert_eq!(none.root(&hasher, &[(at(1), None)]), Ok(hasher.empty()));
    let error = Error::RecordMismatch { part: Part::KeyMap };
    assert_eq!(none.root(&hasher, &[(at(1), Some(at(2)))]), Err(error));
}

#[test]
fn positions_out_of_order_repeated_or_too_many_are_refused() {
    let tree = tree_of(&[(digest(1), digest(2))].into());
    let error = Error::IndexOrder { part: Part::KeyMap };
    let (one, two) = (Digest([1; 32]), Digest([2; 32]));
    for positions in [&[][..], &[one, one], &[two, one]] {
        assert_eq!(tree.prove_multi(positions), Err(error.clone()));
        let pairs: Vec<_> = positions.iter().map(|at| (*at, None)).collect();
        let found = tree.prove_multi(&[one]).unwrap().root(&hasher(), &pairs);
        assert_eq!(found, Err(error.clone()));
    }
    let many = sorted((0..257).map(digest).collect());
    assert!(tree.prove_multi(&many[..256]).is_ok());
    assert!(matches!(tree.prove_multi(&many), Err(Error::Encoding(_))));
}
