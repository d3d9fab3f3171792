//! Proofs of every kind with what their verifiers know beside them.

use primitives::codec::{Canonical, decode, encode};
use primitives::units::Height;
use primitives::{Digest, digest::to_hex};
use primus_merkle::proof::batch::{OutputBatch, RecordBatch};
use primus_merkle::proof::block::{BlockConsistency, BlockInclusion};
use primus_merkle::proof::complete::{AllEntries, NewEntries, RecentEntries};
use primus_merkle::proof::output::OutputProof;
use primus_merkle::proof::range::{BlockRange, EntryRange};
use primus_merkle::proof::record::{MapPosition, RecordProof};
use primus_merkle::proof::refresh::{OutputRefresh, RecordRefresh};
use primus_merkle::proof::transaction::{BlockTransactions, TransactionInclusion};
use primus_merkle::top::State;
use primus_merkle::transactions::TransactionTree;
use primus_merkle::{Map, Record};
use serde_json::{Value, json};

use crate::draw::digest;
use crate::picks::Picks;
use crate::world::{MADE, Newer, World};

type Accepts<'a> = Box<dyn Fn(&[u8]) -> bool + 'a>;

/// A proof, and whether bytes convince its verifier.
pub(crate) struct Case<'a> {
    pub(crate) kind: &'static str,
    /// What the verifier knows, as docs/spec/vectors/proofs.json shows it.
    pub(crate) given: Value,
    pub(crate) bytes: Vec<u8>,
    pub(crate) accepts: Accepts<'a>,
}

fn case<'a, T: Canonical>(
    (kind, given): (&'static str, Value),
    proof: &T,
    accepts: impl Fn(&T) -> bool + 'a,
) -> Case<'a> {
    let case = Case {
        kind,
        given,
        bytes: encode(proof).unwrap(),
        accepts: Box::new(move |bytes| decode::<T>(bytes).is_ok_and(|proof| accepts(&proof))),
    };
    assert!((case.accepts)(&case.bytes), "{kind} itself is refused");
    case
}

/// Proofs of every kind of what is picked, of the state and of the one after it.
pub(crate) fn all<'a>(world: &'a World, newer: &'a Newer, picks: &Picks) -> Vec<Case<'a>> {
    let mut cases = blocks(world, picks);
    cases.extend(records(world, picks));
    cases.extend(logs(world));
    cases.extend(outputs(world, picks));
    cases.extend(refreshes(world, newer, picks));
    cases.extend(transactions(world, picks));
    cases
}

fn state_of(state: &State) -> Value {
    json!({"height": state.height.get(), "root": state.root.to_string()})
}

fn names(digests: &[Digest]) -> Vec<String> {
    digests.iter().map(ToString::to_string).collect()
}

fn place(at: &MapPosition) -> Value {
    let map = match at.map {
        Map::Key => "key",
        Map::Name => "name",
    };
    json!({"map": map, "position": at.position.to_string()})
}

fn key(number: u64) -> MapPosition {
    MapPosition {
        map: Map::Key,
        position: digest(number),
    }
}

fn blocks<'a>(world: &'a World, picks: &Picks) -> Vec<Case<'a>> {
    let (keys, roots, state) = (&world.keys, &world.roots, &world.state);
    let mut all = Vec::new();
    for number in picks.indices.iter().copied() {
        let height = Height::new(number);
        let proof = BlockInclusion::prove(keys, roots, &world.blocks, height).unwrap();
        let root = digest(number);
        let given = json!({"height": number, "root": root.to_string(), "state": state_of(state)});
        all.push(case(
            ("block inclusion", given),
            &proof,
            move |proof: &BlockInclusion| proof.verify(keys, height, &root.0, state).is_ok(),
        ));
        let (old_roots, old) = world.before(number + 1);
        let proof = BlockConsistency::prove(keys, &old_roots, roots, &world.blocks).unwrap();
        let given = json!({"old": state_of(&old), "new": state_of(state)});
        all.push(case(
            ("block consistency", given),
            &proof,
            move |proof: &BlockConsistency| proof.verify(keys, &old, state).is_ok(),
        ));
    }
    for range in &picks.ranges {
        let (first, count) = (Height::new(range.start), range.end - range.start);
        let proof = BlockRange::prove(keys, roots, &world.blocks, first, count).unwrap();
        let headers: Vec<_> = range.clone().map(digest).collect();
        let given = json!({
            "first": first.get(), "roots": names(&headers), "state": state_of(state),
        });
        let headers: Vec<_> = headers.into_iter().map(|root| root.0).collect();
        all.push(case(
            ("block range", given),
            &proof,
            move |proof: &BlockRange| proof.verify(keys, first, &headers, state).is_ok(),
        ));
    }
    all
}

fn records<'a>(world: &'a World, picks: &Picks) -> Vec<Case<'a>> {
    let (keys, roots, state) = (&world.keys, &world.roots, &world.state);
    let mut all = Vec::new();
    for map in [Map::Key, Map::Name] {
        let tree = &world.maps[&map];
        for number in picks.with_absent(&picks.indices) {
            let at = MapPosition { map, ..key(number) };
            let proof = world.record_proof(&at);
            let given = json!({"at": place(&at), "state": state_of(state)});
            all.push(case(
                ("record", given),
                &proof,
                move |proof: &RecordProof| proof.verify(keys, &at, state).is_ok(),
            ));
        }
        for set in &picks.sets {
            let numbers = picks.with_absent(set).into_iter();
            let mut positions: Vec<_> = numbers.map(digest).collect();
            positions.sort_unstable();
            let of = |position: &Digest| {
                world.record_at(&MapPosition {
                    map,
                    position: *position,
                })
            };
            let held: Vec<Option<Record>> = positions.iter().map(of).collect();
            let proof = RecordBatch::prove(keys, roots, (map, tree), &positions, held).unwrap();
            let at = MapPosition { map, ..key(0) };
            let given = json!({
                "map": place(&at)["map"], "positions": names(&positions), "state": state_of(state),
            });
            all.push(case(
                ("record batch", given),
                &proof,
                move |proof: &RecordBatch| proof.verify(keys, map, &positions, state).is_ok(),
            ));
        }
    }
    all
}

fn logs(world: &World) -> Vec<Case<'_>> {
    let (keys, state, entries) = (&world.keys, &world.state, &world.leaves.entries);
    let log = world.log(Map::Key);
    let (count, at) = (entries.len() as u64, key(0));
    let record = world.record_proof(&at);
    let count = if record.record.is_some() { count } else { 0 };
    let index = |number: u64| usize::try_from(number).unwrap();
    let given = |more: Value| json!({"at": place(&at), "asked": more, "state": state_of(state)});
    let whole = entries[..index(count)].to_vec();
    let proof = AllEntries::prove(Map::Key, record.clone(), whole).unwrap();
    let mut all = vec![case(
        ("all entries", given(json!({}))),
        &proof,
        move |proof: &AllEntries| proof.verify(keys, &at, state).is_ok(),
    )];
    let picks = Picks::of(count);
    for first in picks.indices.iter().copied() {
        let before = log.frontier_at(first).unwrap();
        let newest = entries[index(first)..].to_vec();
        let proof = RecentEntries::prove(Map::Key, record.clone(), &before, newest).unwrap();
        let wanted = count - first;
        let given = given(json!({"count": wanted}));
        all.push(case(
            ("newest entries", given),
            &proof,
            move |proof: &RecentEntries| proof.verify(keys, &at, wanted, state).is_ok(),
        ));
    }
    for range in &picks.ranges {
        let (first, end) = (range.start, range.end);
        let some = entries[index(first)..index(end)].to_vec();
        let known = log.frontier_at(first).unwrap();
        let rest = log.prove_consistency(end, count).unwrap();
        let proof = NewEntries::prove(record.clone(), some.clone(), rest).unwrap();
        let more = given(json!({"known": {"size": first, "peaks": names(known.peaks())}}));
        all.push(case(
            ("new entries", more),
            &proof,
            move |proof: &NewEntries| proof.verify(keys, &at, &known, state).is_ok(),
        ));
        let siblings = log.prove_range(range.clone(), count).unwrap();
        let proof = EntryRange::prove(record.clone(), some, siblings).unwrap();
        let wanted = (first, end - first);
        let more = given(json!({"first": wanted.0, "count": wanted.1}));
        all.push(case(
            ("entry range", more),
            &proof,
            move |proof: &EntryRange| proof.verify(keys, &at, wanted, state).is_ok(),
        ));
    }
    all
}

fn outputs<'a>(world: &'a World, picks: &Picks) -> Vec<Case<'a>> {
    let (keys, roots, state) = (&world.keys, &world.roots, &world.state);
    let mut all = Vec::new();
    for number in picks.indices.iter().copied() {
        let proof = world.output_proof(number);
        let commitment = digest(number);
        let given = json!({"commitment": commitment.to_string(), "state": state_of(state)});
        all.push(case(
            ("output", given),
            &proof,
            move |proof: &OutputProof| proof.verify(keys, &commitment, state).is_ok(),
        ));
    }
    for set in &picks.sets {
        let some = set
            .iter()
            .map(|number| (*number, world.spent(*number)))
            .collect();
        let proof = OutputBatch::prove(keys, roots, &world.outputs, some).unwrap();
        let commitments: Vec<_> = set.iter().copied().map(digest).collect();
        let given = json!({"commitments": names(&commitments), "state": state_of(state)});
        all.push(case(
            ("output batch", given),
            &proof,
            move |proof: &OutputBatch| proof.verify(keys, &commitments, state).is_ok(),
        ));
    }
    all
}

fn refreshes<'a>(world: &'a World, newer: &'a Newer, picks: &Picks) -> Vec<Case<'a>> {
    let keys = &world.keys;
    let (roots, state) = (&newer.roots, &newer.state);
    let mut all = Vec::new();
    for number in picks.with_absent(&picks.indices) {
        let at = key(number);
        let held = world.record_proof(&at);
        let record = newer.record(&at);
        let whole = RecordProof::prove(keys, roots, &newer.map, &at, record).unwrap();
        let proof = RecordRefresh::prove(keys, roots, &newer.map, (&at, record), MADE).unwrap();
        assert_eq!(proof.apply(Map::Key, &held), Ok(whole));
        let given = json!({
            "at": place(&at), "held": to_hex(&encode(&held).unwrap()), "state": state_of(state),
        });
        all.push(case(
            ("record refresh", given),
            &proof,
            move |proof: &RecordRefresh| {
                let whole = proof.apply(Map::Key, &held);
                whole.is_ok_and(|whole| whole.verify(keys, &at, state).is_ok())
            },
        ));
    }
    for number in picks.indices.iter().copied() {
        let held = world.output_proof(number);
        let now = (number, newer.spent(world, number));
        let proof = OutputRefresh::prove(keys, roots, &newer.outputs, now, MADE).unwrap();
        let commitment = digest(number);
        let given = json!({
            "commitment": commitment.to_string(),
            "held": to_hex(&encode(&held).unwrap()),
            "state": state_of(state),
        });
        all.push(case(
            ("output refresh", given),
            &proof,
            move |proof: &OutputRefresh| {
                let whole = proof.apply(&held);
                whole.is_ok_and(|whole| whole.verify(keys, &commitment, state).is_ok())
            },
        ));
    }
    all
}

fn transactions<'a>(world: &'a World, picks: &Picks) -> Vec<Case<'a>> {
    let leaves: Vec<_> = (0..picks.count).map(digest).collect();
    let tree = TransactionTree::new(world.keys.transactions(), &leaves).unwrap();
    let block = BlockTransactions {
        root: tree.root(),
        count: tree.count(),
    };
    let sets = picks.sets.iter().map(|set| {
        let some: Vec<_> = set.iter().copied().map(digest).collect();
        let indices = set.iter().map(|index| u32::try_from(*index).unwrap());
        let proof = TransactionInclusion::prove(&tree, indices.collect()).unwrap();
        let given = json!({
            "count": block.count, "leaves": names(&some), "root": block.root.to_string(),
        });
        case(
            ("transactions", given),
            &proof,
            move |proof: &TransactionInclusion| proof.verify(&block, &some).is_ok(),
        )
    });
    sets.collect()
}
