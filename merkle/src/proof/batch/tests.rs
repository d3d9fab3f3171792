use super::super::world::{at, spent, world};
use super::*;
use crate::fixture::{check_tampering, digest};

#[test]
fn records_are_proven_at_once_for_positions_with_and_without_one_and_nothing_else_passes() {
    for map in [Map::Key, Map::Name] {
        let world = world(9, 7);
        let state = world.state();
        let mut positions: Vec<_> = [0, 3, 6, 50, 51].map(digest).to_vec();
        positions.sort_unstable();
        let record = |position: &Digest| {
            let at = super::super::record::MapPosition {
                map,
                position: *position,
            };
            world.record(&at)
        };
        let records: Vec<_> = positions.iter().map(record).collect();
        let tree = (map, &world.maps[&map]);
        let proof =
            RecordBatch::prove(&world.keys, &world.roots, tree, &positions, records.clone());
        let proof = proof.unwrap();
        let verified = proof.verify(&world.keys, map, &positions, &state);
        assert_eq!(verified.as_ref(), Ok(&records));
        check_tampering(&proof, |proof| {
            proof.verify(&world.keys, map, &positions, &state) == verified
        });
        let fewer = proof.verify(&world.keys, map, &positions[1..], &state);
        let error = "key map: 5 entries where 4 were due";
        assert_eq!(fewer.unwrap_err().to_string().replace("name", "key"), error);
        assert_eq!(at(map, 0).position, digest(0));
    }
}

#[test]
fn outputs_are_proven_at_once_and_nothing_else_passes() {
    let world = world(9, 3);
    let state = world.state();
    let picked = [1, 2, 7, 10];
    let outputs = picked.map(|number| (number, spent(number))).to_vec();
    let commitments = picked.map(digest);
    let prove = |outputs| OutputBatch::prove(&world.keys, &world.roots, &world.outputs, outputs);
    let proof = prove(outputs.clone()).unwrap();
    let verified = proof.verify(&world.keys, &commitments, &state);
    let as_of = state.height;
    let status = |number| OutputStatus::new(spent(number), as_of);
    assert_eq!(verified, Ok(picked.map(status).to_vec()));
    check_tampering(&proof, |proof| {
        proof.verify(&world.keys, &commitments, &state) == verified
    });
    let reversed = outputs.into_iter().rev().collect();
    let part = crate::Part::Outputs;
    assert_eq!(prove(reversed), Err(Error::IndexOrder { part }));
    let (index, size) = (11, 11);
    let beyond = prove(vec![(11, None)]);
    assert_eq!(beyond, Err(Error::Index { part, index, size }));
}
