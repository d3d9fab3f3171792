//! Proofs of every kind, changed at random: `PRIMUS_MUTATIONS=10000000 cargo test -p
//! primus-merkle --test it changed_at_random` tries so many, `PRIMUS_SEED` chooses others.

use primitives::Digest;
use primitives::codec::{Canonical, decode, encode};
use primitives::units::Height;
use primus_merkle::proof::batch::{OutputBatch, RecordBatch};
use primus_merkle::proof::block::{BlockConsistency, BlockInclusion};
use primus_merkle::proof::complete::{AllEntries, NewEntries, RecentEntries};
use primus_merkle::proof::output::OutputProof;
use primus_merkle::proof::range::{BlockRange, EntryRange};
use primus_merkle::proof::record::{MapPosition, RecordProof};
use primus_merkle::proof::refresh::{OutputRefresh, RecordRefresh};
use primus_merkle::proof::transaction::{BlockTransactions, TransactionInclusion};
use primus_merkle::top::{State, StateRoots};
use primus_merkle::transactions::TransactionTree;
use primus_merkle::workers::Sequential;
use primus_merkle::{Map, TreeKeys};

use crate::draw::{Draw, digest};
use crate::world::World;

const SIZE: u64 = 1_000;

type Accepts<'a> = Box<dyn Fn(&[u8]) -> bool + 'a>;

/// A proof, and whether bytes convince its verifier.
struct Case<'a> {
    kind: &'static str,
    bytes: Vec<u8>,
    accepts: Accepts<'a>,
}

fn case<'a, T: Canonical>(
    kind: &'static str,
    proof: &T,
    accepts: impl Fn(&T) -> bool + 'a,
) -> Case<'a> {
    Case {
        kind,
        bytes: encode(proof).unwrap(),
        accepts: Box::new(move |bytes| decode::<T>(bytes).is_ok_and(|proof| accepts(&proof))),
    }
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn no_proof_of_any_kind_that_was_changed_at_random_is_accepted() {
    let count = from_environment("PRIMUS_MUTATIONS", 200_000);
    let seed = from_environment("PRIMUS_SEED", 1);
    let world = World::new(SIZE, 7);
    let other = World::new(SIZE, 8);
    let newer = newer(&world);
    let mut cases = blocks(&world);
    cases.extend(records(&world));
    cases.extend(logs(&world));
    cases.extend(outputs(&world));
    cases.extend(refreshes(&world, &newer));
    cases.extend(transactions(&world.keys));
    for case in &cases {
        assert!(
            (case.accepts)(&case.bytes),
            "{} itself is refused",
            case.kind
        );
    }
    let foreign: Vec<_> = [
        blocks(&other),
        records(&other),
        logs(&other),
        outputs(&other),
    ]
    .into_iter()
    .flatten()
    .map(|case| case.bytes)
    .collect();
    let mut draw = Draw(seed);
    let mut tried = 0;
    while tried < count {
        let case = &cases[draw.index(cases.len())];
        let changed = change(&mut draw, &case.bytes, &cases, &foreign);
        if changed == case.bytes {
            continue;
        }
        tried += 1;
        let what = || {
            format!(
                "{} accepted after {tried} of seed {seed}: {changed:?}",
                case.kind
            )
        };
        assert!(!(case.accepts)(&changed), "{}", what());
    }
    println!(
        "{tried} mutations of {} proofs, none accepted (seed {seed})",
        cases.len()
    );
}

/// The bytes with one to three things done to them.
fn change(draw: &mut Draw, bytes: &[u8], cases: &[Case<'_>], foreign: &[Vec<u8>]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for _ in 0..=draw.below(3) {
        if changed.is_empty() {
            changed.push(0);
        }
        let at = draw.index(changed.len());
        match draw.below(9) {
            0 | 1 => changed[at] ^= 1 << draw.below(8),
            2 => changed[at] = u8::try_from(draw.below(256)).unwrap(),
            3 => changed.truncate(at),
            4 => changed.push(u8::try_from(draw.below(256)).unwrap()),
            5 => {
                let from = draw.index(changed.len());
                let length = 32.min(changed.len() - at.max(from));
                let piece = changed[from..from + length].to_vec();
                changed[at..at + length].copy_from_slice(&piece);
            }
            6 => drop(changed.drain(at..(at + 32).min(bytes.len().max(at)).min(changed.len()))),
            7 => {
                let others = &cases[draw.index(cases.len())].bytes;
                let end = (at + 32).min(others.len());
                let piece = others.get(at..end).unwrap_or_default().to_vec();
                drop(changed.splice(at..at, piece));
            }
            _ => {
                let others = &foreign[draw.index(foreign.len())];
                let length = 32
                    .min(changed.len() - at)
                    .min(others.len().saturating_sub(at));
                if let Some(piece) = others.get(at..at + length) {
                    changed[at..at + length].copy_from_slice(piece);
                }
            }
        }
    }
    changed
}

fn key(number: u64) -> MapPosition {
    MapPosition {
        map: Map::Key,
        position: digest(number),
    }
}

fn blocks(world: &World) -> Vec<Case<'_>> {
    let World {
        keys,
        roots,
        blocks,
        state,
        ..
    } = world;
    let mut all = Vec::new();
    for height in [0, 1, 511, 512, 998, 999] {
        let proof = BlockInclusion::prove(keys, roots, blocks, Height::new(height)).unwrap();
        all.push(case(
            "block inclusion",
            &proof,
            move |proof: &BlockInclusion| {
                proof
                    .verify(keys, Height::new(height), &digest(height).0, state)
                    .is_ok()
            },
        ));
    }
    for size in [1, 512, 700, 999] {
        let mut older = *roots;
        older.block.size = size;
        older.block.root = blocks.root_at(size).unwrap();
        let old = State {
            height: Height::new(size),
            root: older.state_root(keys),
        };
        let proof = BlockConsistency::prove(keys, &older, roots, blocks).unwrap();
        all.push(case(
            "block consistency",
            &proof,
            move |proof: &BlockConsistency| proof.verify(keys, &old, state).is_ok(),
        ));
    }
    let first = Height::new(300);
    let headers: Vec<_> = (300..320).map(|height| digest(height).0).collect();
    let proof = BlockRange::prove(keys, roots, blocks, first, 20).unwrap();
    all.push(case("block range", &proof, move |proof: &BlockRange| {
        proof.verify(keys, first, &headers, state).is_ok()
    }));
    all
}

fn records(world: &World) -> Vec<Case<'_>> {
    let World {
        keys,
        roots,
        maps,
        state,
        ..
    } = world;
    let mut all = Vec::new();
    for map in [Map::Key, Map::Name] {
        for number in [0, 17, 999, SIZE, SIZE + 1] {
            let at = MapPosition { map, ..key(number) };
            let record = (number < SIZE).then(|| world.record(map));
            let proof = RecordProof::prove(keys, roots, &maps[&map], &at, record).unwrap();
            all.push(case("record", &proof, move |proof: &RecordProof| {
                proof.verify(keys, &at, state).is_ok()
            }));
        }
    }
    let mut positions: Vec<_> = (990..SIZE + 5).map(digest).collect();
    positions.sort_unstable();
    let tree = &maps[&Map::Key];
    let record = |at: &Digest| {
        tree.record_hash(at)
            .unwrap()
            .map(|_| world.record(Map::Key))
    };
    let held = positions.iter().map(record).collect();
    let proof = RecordBatch::prove(keys, roots, (Map::Key, tree), &positions, held).unwrap();
    all.push(case("record batch", &proof, move |proof: &RecordBatch| {
        proof.verify(keys, Map::Key, &positions, state).is_ok()
    }));
    all
}

fn logs(world: &World) -> Vec<Case<'_>> {
    let World {
        keys,
        roots,
        maps,
        state,
        ..
    } = world;
    let entries = &world.leaves.entries;
    let log = world.log(Map::Key);
    let at = key(5);
    let record = Some(world.record(Map::Key));
    let record = RecordProof::prove(keys, roots, &maps[&Map::Key], &at, record).unwrap();
    let all = AllEntries::prove(Map::Key, record.clone(), entries.clone()).unwrap();
    let before = log.frontier_at(33).unwrap();
    let newest = entries[33..].to_vec();
    let recent = RecentEntries::prove(Map::Key, record.clone(), &before, newest).unwrap();
    let known = log.frontier_at(11).unwrap();
    let rest = log.prove_consistency(21, 40).unwrap();
    let page = NewEntries::prove(record.clone(), entries[11..21].to_vec(), rest).unwrap();
    let siblings = log.prove_range(7..19, 40).unwrap();
    let range = EntryRange::prove(record, entries[7..19].to_vec(), siblings).unwrap();
    vec![
        case("all entries", &all, move |proof: &AllEntries| {
            proof.verify(keys, &at, state).is_ok()
        }),
        case("newest entries", &recent, move |proof: &RecentEntries| {
            proof.verify(keys, &at, 7, state).is_ok()
        }),
        case("new entries", &page, move |proof: &NewEntries| {
            proof.verify(keys, &at, &known, state).is_ok()
        }),
        case("entry range", &range, move |proof: &EntryRange| {
            proof.verify(keys, &at, (7, 12), state).is_ok()
        }),
    ]
}

fn outputs(world: &World) -> Vec<Case<'_>> {
    let World {
        keys,
        roots,
        leaves,
        outputs,
        state,
        ..
    } = world;
    let mut all = Vec::new();
    for number in [0, 1, 511, 512, 998, 999] {
        let spent = leaves.spent[usize::try_from(number).unwrap()];
        let proof = OutputProof::prove(keys, roots, outputs, number, spent).unwrap();
        all.push(case("output", &proof, move |proof: &OutputProof| {
            proof.verify(keys, &digest(number), state).is_ok()
        }));
    }
    let some = (40..60).map(|at| (at as u64, leaves.spent[at])).collect();
    let commitments: Vec<_> = (40..60).map(digest).collect();
    let proof = OutputBatch::prove(keys, roots, outputs, some).unwrap();
    all.push(case("output batch", &proof, move |proof: &OutputBatch| {
        proof.verify(keys, &commitments, state).is_ok()
    }));
    all
}

/// The same state after a block that changed a tenth of the keys and outputs.
struct Newer {
    map: primus_merkle::map::MapTree,
    outputs: primus_merkle::dense::DenseTree,
    roots: StateRoots,
    state: State,
}

fn newer(world: &World) -> Newer {
    let mut map = world.maps[&Map::Key].clone();
    let mut outputs = world.outputs.clone();
    let changed: Vec<_> = (600..700).map(|at| (digest(at), digest(at))).collect();
    map.update(&changed, Height::new(2), &Sequential).unwrap();
    let changed: Vec<_> = (600..700).map(|at| (at, digest(at))).collect();
    outputs
        .update(&changed, Height::new(2), &Sequential)
        .unwrap();
    let roots = StateRoots {
        key: map.sized_root(),
        outputs: outputs.sized_root().unwrap(),
        ..world.roots
    };
    let state = State {
        root: roots.state_root(&world.keys),
        ..world.state
    };
    Newer {
        map,
        outputs,
        roots,
        state,
    }
}

fn refreshes<'a>(world: &'a World, newer: &'a Newer) -> Vec<Case<'a>> {
    let World {
        keys,
        roots,
        leaves,
        ..
    } = world;
    let held_at = Height::new(1);
    let mut all = Vec::new();
    for number in [5, SIZE + 5] {
        let at = key(number);
        let record = (number < SIZE).then(|| world.record(Map::Key));
        let held = RecordProof::prove(keys, roots, &world.maps[&Map::Key], &at, record).unwrap();
        // What is held of the record is older than the block held.
        let held_at = if number < SIZE {
            Height::new(SIZE)
        } else {
            held_at
        };
        let sent = newer.map.refresh(&at.position, Height::new(1)).unwrap();
        let proof = RecordRefresh::prove(keys, &newer.roots, &newer.map, (&at, record), held_at);
        let proof = RecordRefresh {
            map: sent,
            ..proof.unwrap()
        };
        all.push(case(
            "record refresh",
            &proof,
            move |proof: &RecordRefresh| {
                let whole = proof.apply(Map::Key, &held);
                whole.is_ok_and(|whole| whole.verify(keys, &at, &newer.state).is_ok())
            },
        ));
    }
    let (number, spent) = (51, leaves.spent[51]);
    let held = OutputProof::prove(keys, roots, &world.outputs, number, spent).unwrap();
    let tree = &newer.outputs;
    let proof = OutputRefresh::prove(keys, &newer.roots, tree, (number, spent), held_at).unwrap();
    all.push(case(
        "output refresh",
        &proof,
        move |proof: &OutputRefresh| {
            let whole = proof.apply(&held);
            whole.is_ok_and(|whole| whole.verify(keys, &digest(number), &newer.state).is_ok())
        },
    ));
    all
}

fn transactions(keys: &TreeKeys) -> Vec<Case<'_>> {
    let leaves: Vec<_> = (0..777).map(digest).collect();
    let tree = TransactionTree::new(keys.transactions(), &leaves).unwrap();
    let block = BlockTransactions {
        root: tree.root(),
        count: tree.count(),
    };
    let mut all = Vec::new();
    for indices in [vec![0_u32], vec![776], vec![3, 4, 5, 100, 700]] {
        let some: Vec<_> = indices.iter().map(|at| digest(u64::from(*at))).collect();
        let proof = TransactionInclusion::prove(&tree, indices).unwrap();
        all.push(case(
            "transaction",
            &proof,
            move |proof: &TransactionInclusion| proof.verify(&block, &some).is_ok(),
        ));
    }
    all
}
