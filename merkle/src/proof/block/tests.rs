use super::super::world::{World, header, world};
use super::*;
use crate::fixture::check_tampering;
use primitives::codec::encode;

fn inclusion(world: &World, height: u64) -> BlockInclusion {
    let height = Height::new(height);
    BlockInclusion::prove(&world.keys, &world.roots, &world.blocks, height).unwrap()
}

#[test]
fn every_ancestor_is_shown_and_nothing_else() {
    for size in 1..=9 {
        let world = world(size, 2);
        let state = world.state();
        for height in 0..size {
            let proof = inclusion(&world, height);
            let verify = |proof: &BlockInclusion, at: u64, of: u64| {
                proof.verify(&world.keys, Height::new(at), &header(of), &state)
            };
            let ancestor = verify(&proof, height, height).unwrap();
            assert_eq!(ancestor.height, Height::new(height));
            assert_eq!(ancestor.of, state.height);
            for other in (0..=size).filter(|other| *other != height) {
                assert!(
                    verify(&proof, other, height).is_err(),
                    "{height} as {other}"
                );
                assert!(
                    verify(&proof, height, other).is_err(),
                    "{other} at {height}"
                );
            }
        }
    }
}

#[test]
fn an_inclusion_is_shown_under_older_states_than_the_tree_too() {
    let (now, then) = (world(9, 2), world(5, 2));
    let (roots, height) = (&then.roots, Height::new(3));
    let proof = BlockInclusion::prove(&now.keys, roots, &now.blocks, height).unwrap();
    let verified = proof.verify(&now.keys, height, &header(3), &then.state());
    assert_eq!(verified.unwrap().of, Height::new(5));
    assert!(
        proof
            .verify(&now.keys, height, &header(3), &now.state())
            .is_err()
    );
    let late = BlockInclusion::prove(&now.keys, roots, &now.blocks, Height::new(5));
    assert_eq!(
        late.unwrap_err().to_string(),
        "block tree: index 5 where the size is 5"
    );
}

#[test]
fn no_changed_inclusion_passes() {
    let world = world(5, 2);
    for height in 0..5 {
        check_tampering(&inclusion(&world, height), |proof| {
            let (keys, at) = (&world.keys, Height::new(height));
            proof
                .verify(keys, at, &header(height), &world.state())
                .is_ok()
        });
    }
}

#[test]
fn the_size_of_the_block_tree_is_bound_by_the_state() {
    let world = world(4, 2);
    let proof = inclusion(&world, 0);
    // The path of header 0 among 3 has as many siblings as that among 4.
    let state = State {
        height: Height::new(3),
        ..world.state()
    };
    let error = proof
        .verify(&world.keys, Height::ZERO, &header(0), &state)
        .unwrap_err();
    assert!(error.to_string().starts_with("state root "), "{error}");
}

#[test]
fn any_two_states_of_one_chain_are_consistent_and_no_others() {
    let worlds: Vec<_> = (0..=9)
        .map(|height| world(height, 1 + height % 3))
        .collect();
    let last = worlds.last().unwrap();
    for old in &worlds {
        for new in &worlds {
            let proof = BlockConsistency::prove(&old.keys, &old.roots, &new.roots, &last.blocks);
            let (from, to) = (old.state(), new.state());
            if from.height > to.height {
                assert!(matches!(proof, Err(Error::Size { .. })), "{from:?} {to:?}");
                continue;
            }
            let proof = proof.unwrap();
            let past = proof.verify(&old.keys, &from, &to).unwrap();
            assert_eq!((past.old, past.new), (from.height, to.height));
            for other in worlds.iter().map(World::state) {
                if other != from {
                    assert!(proof.verify(&old.keys, &other, &to).is_err());
                }
                if other != to {
                    assert!(proof.verify(&old.keys, &from, &other).is_err());
                }
            }
        }
    }
}

#[test]
fn no_changed_consistency_passes() {
    for (from, to) in [(0, 3), (3, 7), (4, 7), (5, 5)] {
        let (old, new) = (world(from, 1), world(to, 2));
        let proof = BlockConsistency::prove(&old.keys, &old.roots, &new.roots, &new.blocks);
        check_tampering(&proof.unwrap(), |proof| {
            proof.verify(&old.keys, &old.state(), &new.state()).is_ok()
        });
    }
}

#[test]
fn another_chain_is_not_consistent() {
    let (ours, mut theirs) = (world(5, 2), world(9, 2));
    let mut forked = LogTree::new(*theirs.keys.block());
    for height in 0..9 {
        let text = if height == 2 {
            b"another".to_vec()
        } else {
            header(height)
        };
        forked.append(theirs.keys.block().leaf(&text));
    }
    theirs.roots.block = forked.sized_root().unwrap();
    for tree in [&forked, &ours.blocks, &world(9, 2).blocks] {
        let proof = BlockConsistency::prove(&ours.keys, &ours.roots, &theirs.roots, tree);
        let passes = |proof: BlockConsistency| {
            proof
                .verify(&ours.keys, &ours.state(), &theirs.state())
                .is_ok()
        };
        assert!(!proof.is_ok_and(passes));
    }
}

#[test]
fn block_proofs_have_golden_encodings() {
    let top = TopProof {
        near: Digest([1; 32]),
        far: Digest([2; 32]),
    };
    let path = Path::new(vec![Digest([3; 32])]).unwrap();
    let golden = [&[1][..], &[3; 32], &[1; 32], &[2; 32]].concat();
    let proof = BlockInclusion {
        path: path.clone(),
        top,
    };
    assert_eq!(encode(&proof).unwrap(), golden);
    let proof = BlockConsistency {
        old_root: Digest([4; 32]),
        old_top: top,
        new_root: Digest([5; 32]),
        new_top: top,
        path,
    };
    let tops = [[1; 32], [2; 32]].concat();
    let golden = [&[4; 32], &tops[..], &[5; 32], &tops, &[1], &[3; 32]].concat();
    assert_eq!(encode(&proof).unwrap(), golden);
}
