use super::super::world::{World, spent, world};
use super::*;
use crate::fixture::{check_tampering, digest};
use primitives::codec::encode;

fn proof_of(world: &World, number: u64) -> OutputProof {
    let (keys, roots, tree) = (&world.keys, &world.roots, &world.outputs);
    OutputProof::prove(keys, roots, tree, number, spent(number)).unwrap()
}

#[test]
fn every_output_is_shown_unspent_or_by_what_it_was_spent() {
    let world = world(3, 2);
    let as_of = world.state().height;
    for number in 0..11 {
        let proof = proof_of(&world, number);
        let verify = |of| proof.verify(&world.keys, &digest(of), &world.state());
        let unspent = OutputStatus::Unspent { as_of };
        let want = spent(number).map_or(unspent, OutputStatus::Spent);
        assert_eq!(verify(number), Ok(want));
        for other in (0..12).filter(|other| *other != number) {
            assert!(verify(other).is_err(), "{number} as {other}");
        }
    }
}

#[test]
fn a_spend_can_be_neither_hidden_nor_invented_nor_changed() {
    let world = world(3, 2);
    let by = spent(0).unwrap();
    let others = [
        None,
        spent(2),
        Some(Spent { input: 3, ..by }),
        Some(Spent {
            block: Height::new(5),
            ..by
        }),
    ];
    for number in 0..11 {
        for spent in others.into_iter().filter(|other| *other != spent(number)) {
            let proof = OutputProof {
                spent,
                ..proof_of(&world, number)
            };
            let verified = proof.verify(&world.keys, &digest(number), &world.state());
            let text = verified.unwrap_err().to_string();
            assert!(text.starts_with("state root "), "{text}");
        }
    }
}

#[test]
fn position_size_and_state_are_bound() {
    let world = world(3, 2);
    let proof = proof_of(&world, 1);
    let passes =
        |proof: &OutputProof, state: &State| proof.verify(&world.keys, &digest(1), state).is_ok();
    assert!(passes(&proof, &world.state()));
    for number in (0..40).filter(|number| *number != 1) {
        let position = number;
        assert!(!passes(
            &OutputProof {
                position,
                ..proof.clone()
            },
            &world.state()
        ));
    }
    for size in (0..40).filter(|size| *size != 11) {
        assert!(!passes(
            &OutputProof {
                size,
                ..proof.clone()
            },
            &world.state()
        ));
    }
    assert!(!passes(&proof, &super::super::world::world(4, 2).state()));
}

#[test]
fn no_changed_proof_passes() {
    let world = world(3, 2);
    for number in [0, 1, 10] {
        check_tampering(&proof_of(&world, number), |proof| {
            proof
                .verify(&world.keys, &digest(number), &world.state())
                .is_ok()
        });
    }
}

#[test]
fn output_proofs_have_golden_encodings() {
    let proof = OutputProof {
        position: 1,
        spent: None,
        path: Path::new(vec![Digest([3; 32])]).unwrap(),
        size: 2,
        top: TopProof {
            near: Digest([1; 32]),
            far: Digest([2; 32]),
        },
    };
    let u64s = |low: u8| [low, 0, 0, 0, 0, 0, 0, 0];
    let path = [&[1][..], &[3; 32]].concat();
    let tops = [[1; 32], [2; 32]].concat();
    let golden = [&u64s(1)[..], &[0], &path, &u64s(2), &tops].concat();
    assert_eq!(encode(&proof).unwrap(), golden);
    let spent = spent(0);
    let by = encode(&spent.unwrap()).unwrap();
    let golden = [&u64s(1)[..], &[1], &by, &path, &u64s(2), &tops].concat();
    assert_eq!(encode(&OutputProof { spent, ..proof }).unwrap(), golden);
}
