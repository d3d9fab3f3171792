use std::collections::BTreeMap;

use primitives::Digest;
use primitives::units::Height;
use primus_merkle::hash::MapHasher;
use primus_merkle::map::{MapProof, MapTree};
use primus_merkle::workers::Sequential;
use primus_merkle::{Map, TreeKeys};

use crate::draw::{Draw, digest};

type Records = BTreeMap<Digest, Digest>;

fn bit(position: &Digest, bit: u8) -> bool {
    position.0[usize::from(bit / 8)] & (128 >> (bit % 8)) != 0
}

/// The root as the specification defines it.
fn slow_root(hasher: &MapHasher, records: &[(Digest, Digest)]) -> Digest {
    match records {
        [] => hasher.empty(),
        [(position, hash)] => hasher.leaf(position, hash),
        [(first, _), .., (last, _)] => {
            let parting = (0..=255)
                .find(|at| bit(first, *at) != bit(last, *at))
                .unwrap();
            let middle = records.partition_point(|(position, _)| !bit(position, parting));
            let (left, right) = records.split_at(middle);
            let (left, right) = (slow_root(hasher, left), slow_root(hasher, right));
            hasher.node(parting, &left, &right)
        }
    }
}

/// A position that shares its first 200 bits with a quarter of the others, or a random one.
fn position(draw: &mut Draw) -> Digest {
    let mut position = digest(draw.below(4));
    let tail = digest(draw.number());
    let shared = if draw.below(8) == 0 { 0 } else { 25 };
    position.0[shared..].copy_from_slice(&tail.0[shared..]);
    position
}

fn check(
    hasher: &MapHasher,
    root: Digest,
    records: &Records,
    draw: &mut Draw,
    prove: impl Fn(&Digest) -> MapProof,
) {
    let sorted: Vec<_> = records.iter().map(|(at, hash)| (*at, *hash)).collect();
    assert_eq!(
        root,
        slow_root(hasher, &sorted),
        "{} records",
        records.len()
    );
    for _ in 0..40 {
        if !sorted.is_empty() {
            let (at, hash) = &sorted[draw.index(sorted.len())];
            assert_eq!(prove(at).root_if_present(hasher, at, hash), Ok(root));
            assert!(prove(at).root_if_absent(hasher, at).is_err());
        }
        let absent = position(draw);
        if !records.contains_key(&absent) {
            assert_eq!(prove(&absent).root_if_absent(hasher, &absent), Ok(root));
            let present = prove(&absent).root_if_present(hasher, &absent, &digest(0));
            assert!(present.is_err());
        }
    }
}

#[test]
fn every_version_of_maps_whose_positions_share_200_bits_is_proven_and_refreshed() {
    let keys = TreeKeys::new(&Digest([7; 32]));
    let hasher = keys.map(Map::Key);
    let part = hasher.part();
    for (seed, count) in (1..).zip([0, 1, 2, 3, 5, 8, 30, 300, 2_000, 10_000]) {
        let mut draw = Draw(seed);
        let mut tree = MapTree::new(Map::Key, &keys);
        let mut versions: Vec<(Records, Records)> = vec![(Records::new(), Records::new())];
        let mut undo: Vec<BTreeMap<Digest, Option<Digest>>> = Vec::new();
        let (watched, never) = (position(&mut draw), position(&mut draw));
        let mut held = Vec::new();
        for block in 1..=6_u64 {
            let mut records = versions.last().unwrap().0.clone();
            let mut batch = Records::new();
            if count > 0 {
                batch.insert(watched, digest(block));
            }
            for number in 0..count / 6 {
                let present = records
                    .range(position(&mut draw)..)
                    .next()
                    .map(|(at, _)| *at);
                let fresh = position(&mut draw);
                let at = present.filter(|_| number % 4 == 0).unwrap_or(fresh);
                batch.insert(at, digest(draw.number()));
            }
            undo.push(
                batch
                    .keys()
                    .map(|at| (*at, records.get(at).copied()))
                    .collect(),
            );
            let pairs: Vec<_> = batch.iter().map(|(at, hash)| (*at, *hash)).collect();
            tree.update(&pairs, Height::new(block), &Sequential)
                .unwrap();
            records.extend(batch.clone());
            held.push((
                block,
                tree.prove(&watched).unwrap(),
                tree.prove(&never).unwrap(),
            ));
            versions.push((records, batch));
        }
        let newest = tree.sized_root().root;
        let mut undone = BTreeMap::new();
        for (block, (records, _)) in versions.iter().enumerate().rev() {
            // The oldest of several values of a position is that of the oldest version.
            undone.extend(
                undo.get(block)
                    .into_iter()
                    .flatten()
                    .map(|(at, old)| (*at, *old)),
            );
            let changes: Vec<_> = undone.iter().map(|(at, old)| (*at, *old)).collect();
            let view = tree.view(&changes).unwrap();
            let root = view.sized_root().root;
            assert_eq!(view.sized_root().size, records.len() as u64, "seed {seed}");
            check(hasher, root, records, &mut draw, |at| {
                view.prove(at).unwrap()
            });
        }
        for (block, present, absent) in held {
            let refresh = tree.refresh(&watched, Height::new(block)).unwrap();
            let proof = refresh.apply(part, &present).unwrap();
            assert_eq!(
                proof,
                tree.prove(&watched).unwrap(),
                "seed {seed} block {block}"
            );
            let refresh = tree.refresh(&never, Height::new(block)).unwrap();
            let proof = refresh.apply(part, &absent).unwrap();
            assert_eq!(
                proof.root_if_absent(hasher, &never),
                Ok(newest),
                "seed {seed}"
            );
        }
    }
}
