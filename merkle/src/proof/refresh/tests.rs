use super::super::world::{at, entry, spent, world};
use super::*;
use crate::fixture::{check_tampering, digest};
use crate::leaf::output_leaf;
use crate::workers::Sequential;

/// The block at which the world was made; its proofs are held.
const HELD: Height = Height::ZERO;

#[test]
fn a_held_record_proof_is_refreshed_and_nothing_else_comes_of_it() {
    for map in [Map::Key, Map::Name] {
        let mut world = world(9, 7);
        let positions: Vec<_> = [0, 3, 6, 50, 51].map(|number| at(map, number)).to_vec();
        let held: Vec<_> = positions.iter().map(|at| world.record_proof(at)).collect();
        // One record changes, and one comes to be.
        for number in [3, 50] {
            let (at, block) = (at(map, number), Height::new(9));
            let mut entries = world.log(&at);
            entries.push(crate::LogEntry {
                block,
                ..entry(number, 77)
            });
            world.logs.insert((map, at.position), entries);
            let record = world.record(&at).unwrap();
            let change = [(at.position, record.hash(&world.keys, map))];
            let tree = world.maps.get_mut(&map).unwrap();
            tree.update(&change, block, &Sequential).unwrap();
        }
        let sized = world.maps[&map].sized_root();
        match map {
            Map::Key => world.roots.key = sized,
            Map::Name => world.roots.name = sized,
        }
        let (keys, state) = (&world.keys, world.state());
        for (at, held) in positions.iter().zip(&held) {
            let tree = &world.maps[&map];
            let given = (at, world.record(at));
            let refresh = RecordRefresh::prove(keys, &world.roots, tree, given, HELD).unwrap();
            assert_eq!(refresh.apply(map, held), Ok(world.record_proof(at)));
            check_tampering(&refresh, |refresh| {
                let applied = refresh.apply(map, held);
                applied.and_then(|proof| proof.verify(keys, at, &state)) == Ok(world.record(at))
            });
        }
    }
}

#[test]
fn a_held_output_proof_is_refreshed_and_nothing_else_comes_of_it() {
    let mut world = world(9, 3);
    let prove = |world: &super::super::world::World, number, spent| {
        OutputProof::prove(&world.keys, &world.roots, &world.outputs, number, spent).unwrap()
    };
    let held: Vec<_> = (0..11).map(|at| prove(&world, at, spent(at))).collect();
    let block = Height::new(9);
    let newly = Some(Spent {
        block,
        ..spent(0).unwrap()
    });
    let change = [(5, output_leaf(&world.keys, &digest(5), newly.as_ref()))];
    world.outputs.update(&change, block, &Sequential).unwrap();
    world.outputs.append(&[digest(77)], block, &Sequential);
    world.roots.outputs = world.outputs.sized_root().unwrap();
    let (keys, state) = (&world.keys, world.state());
    for (number, held) in (0..).zip(&held) {
        let spent = if number == 5 { newly } else { spent(number) };
        let given = (number, spent);
        let refresh =
            OutputRefresh::prove(keys, &world.roots, &world.outputs, given, HELD).unwrap();
        let newest = prove(&world, number, spent);
        assert_eq!(refresh.apply(held), Ok(newest.clone()));
        let want = newest.verify(keys, &digest(number), &state);
        assert!(want.is_ok());
        check_tampering(&refresh, |refresh| {
            let applied = refresh.apply(held);
            applied.and_then(|proof| proof.verify(keys, &digest(number), &state)) == want
        });
    }
}
