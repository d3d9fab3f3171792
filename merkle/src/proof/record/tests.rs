use super::super::world::{at, world};
use super::*;
use crate::fixture::{check_tampering, digest};
use primitives::codec::encode;
use primitives::units::Height;

#[test]
fn records_and_their_absence_are_shown_in_both_maps_of_every_size() {
    for positions in 0..=8 {
        let world = world(3, positions);
        for map in [Map::Key, Map::Name] {
            for number in 0..positions + 4 {
                let at = at(map, number);
                let proof = world.record_proof(&at);
                let found = proof.verify(&world.keys, &at, &world.state());
                assert_eq!(found, Ok(world.record(&at)), "{number} of {positions}");
                assert_eq!(found.unwrap().is_some(), number < positions);
            }
        }
    }
}

#[test]
fn a_proof_of_one_map_position_or_state_is_none_of_another() {
    let world = world(3, 5);
    for number in 0..7 {
        let key = at(Map::Key, number);
        let proof = world.record_proof(&key);
        let passes = |at: &MapPosition, state: &State| proof.verify(&world.keys, at, state).is_ok();
        assert!(passes(&key, &world.state()));
        assert!(!passes(&at(Map::Name, number), &world.state()));
        for other in (0..5).filter(|other| *other != number) {
            assert!(
                !passes(&at(Map::Key, other), &world.state()),
                "{number} as {other}"
            );
        }
        let state = super::super::world::world(4, 5).state();
        assert!(!passes(&key, &state));
    }
}

#[test]
fn no_changed_proof_passes() {
    for positions in [0, 1, 2, 6] {
        let world = world(3, positions);
        for number in [0, 1, 99] {
            let at = at(Map::Name, number);
            check_tampering(&world.record_proof(&at), |proof| {
                proof.verify(&world.keys, &at, &world.state()).is_ok()
            });
        }
    }
}

#[test]
fn a_record_can_be_neither_withheld_nor_invented_nor_changed() {
    let world = world(3, 5);
    let verify = |proof: &RecordProof, at: &MapPosition| {
        proof
            .verify(&world.keys, at, &world.state())
            .unwrap_err()
            .to_string()
    };
    let (present, absent) = (at(Map::Key, 1), at(Map::Key, 9));
    let proof = world.record_proof(&present);
    let mismatch = "key map: the proof and the record disagree on whether there is one";

    let withheld = RecordProof {
        record: None,
        ..proof.clone()
    };
    assert_eq!(verify(&withheld, &present), mismatch);
    let invented = RecordProof {
        record: proof.record,
        ..world.record_proof(&absent)
    };
    assert_eq!(verify(&invented, &absent), mismatch);
    // Absence shown by the neighbour of the position.
    let neighbour = RecordProof {
        record: None,
        ..world.record_proof(&absent)
    };
    assert!(verify(&neighbour, &present).starts_with("state root "));

    let record = proof.record.unwrap();
    let changes = [
        Record {
            log_root: digest(0),
            ..record
        },
        Record { count: 3, ..record },
        Record {
            last_block: Height::new(9),
            ..record
        },
    ];
    for record in changes {
        let changed = RecordProof {
            record: Some(record),
            ..proof.clone()
        };
        assert!(verify(&changed, &present).starts_with("state root "));
    }
    let grown = RecordProof { size: 6, ..proof };
    assert!(verify(&grown, &present).starts_with("state root "));
}

#[test]
fn the_prover_is_told_when_record_and_map_disagree() {
    let world = world(3, 2);
    let (keys, roots, tree) = (&world.keys, &world.roots, &world.maps[&Map::Key]);
    let record = world.record(&at(Map::Key, 0));
    let part = Map::Key.part();
    for (number, record) in [(0, None), (9, record)] {
        let proof = RecordProof::prove(keys, roots, tree, &at(Map::Key, number), record);
        assert_eq!(proof, Err(Error::RecordMismatch { part }));
    }
}

#[test]
fn record_proofs_have_golden_encodings() {
    let top = TopProof {
        near: Digest([1; 32]),
        far: Digest([2; 32]),
    };
    let proof = RecordProof {
        record: Some(Record {
            log_root: Digest([3; 32]),
            count: 4,
            last_block: Height::new(5),
        }),
        map: MapProof::Empty,
        size: 6,
        top,
    };
    let u64s = |low: u8| [low, 0, 0, 0, 0, 0, 0, 0];
    let tops = [[1; 32], [2; 32]].concat();
    let golden = [
        &[1][..],
        &[3; 32],
        &u64s(4),
        &u64s(5),
        &[2],
        &u64s(6),
        &tops,
    ]
    .concat();
    assert_eq!(encode(&proof).unwrap(), golden);
    let proof = RecordProof {
        record: None,
        ..proof
    };
    assert_eq!(
        encode(&proof).unwrap(),
        [&[0, 2][..], &u64s(6), &tops].concat()
    );
}
