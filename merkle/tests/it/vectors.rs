//! The vectors of docs/spec/vectors for hashes, roots and proofs, the same bytes on every machine.
//! `PRIMUS_BLESS=1 cargo test -p primus-merkle --test it vectors` writes them anew.

use std::fs;
use std::path::Path;

use primitives::digest::to_hex;
use primitives::units::Height;
use primitives::{Digest, codec};
use primus_merkle::hash::TreeHasher;
use primus_merkle::leaf::output_leaf;
use primus_merkle::log::LogTree;
use primus_merkle::map::MapTree;
use primus_merkle::transactions::TransactionTree;
use primus_merkle::workers::Sequential;
use primus_merkle::{Map, TreeKeys};
use serde_json::{Value, json};

use crate::cases;
use crate::draw::digest;
use crate::picks::Picks;
use crate::world::{MADE, Newer, World};

const CHAIN: u8 = 7;
const LEAVES: u64 = 5;

/// Compares with the file on disk, or writes it where that was asked for.
fn check(name: &str, value: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/spec/vectors");
    let path = folder.join(format!("{name}.json"));
    let text = format!("{value:#}\n");
    if std::env::var_os("PRIMUS_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{name}: the bytes drifted from docs/spec/vectors; if that is meant, change docs/spec with \
         them and run: PRIMUS_BLESS=1 cargo test -p primus-merkle --test it vectors"
    );
}

/// A node, a leaf and the empty root of every tree, and every other hash of one content.
fn hashes(keys: &TreeKeys) -> Vec<Value> {
    let (left, right) = (digest(1), digest(2));
    let mut all = Vec::new();
    let mut add = |tree: &str, kind: &str, bit: u8, content: &[u8], digest: Digest| {
        all.push(json!({
            "tree": tree, "kind": kind, "bit": bit, "content": to_hex(content),
            "digest": digest.to_string(),
        }));
    };
    let pair = [left.0, right.0].concat();
    let plain = [
        ("block", keys.block()),
        ("tx", keys.transactions()),
        ("klog", keys.log(Map::Key)),
        ("nlog", keys.log(Map::Name)),
        ("outs", keys.outputs()),
    ];
    for (tree, hasher) in plain {
        add(tree, "leaf", 0, &pair, hasher.leaf(&pair));
        add(tree, "node", 0, &pair, hasher.node(&left, &right));
        add(tree, "empty", 0, &[0; 64], hasher.empty());
    }
    let world = World::new(1, CHAIN);
    for (tree, map) in [("keymap", Map::Key), ("namemap", Map::Name)] {
        let (hasher, record) = (keys.map(map), world.record(map));
        add(tree, "leaf", 0, &pair, hasher.leaf(&left, &right));
        for bit in 0..=u8::MAX {
            add(tree, "node", bit, &pair, hasher.node(bit, &left, &right));
        }
        add(tree, "empty", 0, &[0; 64], hasher.empty());
        let content = [codec::encode(&record).unwrap(), vec![0; 16]].concat();
        add(tree, "record", 0, &content, record.hash(keys, map));
    }
    all
}

/// The entry of a log, and an output unspent and spent.
fn leaves(world: &World) -> Value {
    let (keys, entry) = (&world.keys, world.leaves.entries[0]);
    let (commitment, spent) = (digest(0), world.spent(0).unwrap());
    let output = |spent| output_leaf(keys, &commitment, spent).to_string();
    json!({
        "entry": to_hex(&codec::encode(&entry).unwrap()),
        "entry_of_key": entry.leaf(keys, Map::Key).to_string(),
        "entry_of_name": entry.leaf(keys, Map::Name).to_string(),
        "commitment": commitment.to_string(),
        "spent": to_hex(&codec::encode(&spent).unwrap()),
        "output_unspent": output(None),
        "output_spent": output(Some(&spent)),
    })
}

/// The root of every tree of the same leaves, for each number of them; in maps leaf i is the
/// position i with leaf i + 1 as the hash of its record.
fn roots(keys: &TreeKeys, leaves: &[Digest]) -> Value {
    let log = |hasher: &primus_merkle::hash::B3| {
        let mut log = LogTree::new(*hasher);
        leaves.iter().for_each(|leaf| log.append(*leaf));
        log.root().unwrap().to_string()
    };
    let map = |map: Map| {
        let next = leaves.iter().cycle().skip(1);
        let records: Vec<_> = leaves.iter().copied().zip(next.copied()).collect();
        let mut tree = MapTree::new(map, keys);
        tree.update(&records, MADE, &Sequential).unwrap();
        tree.sized_root().root.to_string()
    };
    let transactions = TransactionTree::new(keys.transactions(), leaves).unwrap();
    json!({
        "leaves": leaves.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "block": log(keys.block()),
        "klog": log(keys.log(Map::Key)),
        "nlog": log(keys.log(Map::Name)),
        "outs": log(keys.outputs()),
        "tx": transactions.root().to_string(),
        "keymap": map(Map::Key),
        "namemap": map(Map::Name),
    })
}

fn state(world: &World) -> Value {
    let roots = &world.roots;
    let sized = |sized: &primus_merkle::top::SizedRoot| json!({"root": sized.root.to_string(), "size": sized.size});
    json!({
        "block": sized(&roots.block),
        "keymap": sized(&roots.key),
        "namemap": sized(&roots.name),
        "outs": sized(&roots.outputs),
        "state_root": world.state.root.to_string(),
    })
}

#[test]
fn every_tree_and_every_kind_of_hash_keep_their_vectors() {
    let world = World::new(LEAVES, CHAIN);
    let keys = &world.keys;
    let sizes = (0..=9).chain([255, 256, 257]);
    let roots_of = |count| roots(keys, &(0..count).map(digest).collect::<Vec<_>>());
    let trees = json!({
        "chain": Digest([CHAIN; 32]).to_string(),
        "hashes": hashes(keys),
        "leaves": leaves(&world),
        "roots": sizes.map(roots_of).collect::<Vec<_>>(),
        "state": state(&world),
    });
    check("trees", &trees);
}

#[test]
fn a_proof_of_every_kind_keeps_its_vector() {
    let world = World::with(LEAVES, CHAIN, |leaves| leaves.entries.truncate(5));
    let newer = Newer::of(&world);
    let picks = Picks {
        count: LEAVES,
        indices: vec![0, 2, 4],
        ranges: vec![1..3, 0..5],
        sets: vec![vec![0], vec![1, 2, 4]],
    };
    assert_eq!(world.state.height, Height::new(LEAVES));
    let proofs = cases::all(&world, &newer, &picks)
        .into_iter()
        .map(|case| json!({"kind": case.kind, "given": case.given, "proof": to_hex(&case.bytes)}));
    let proofs = json!({
        "chain": Digest([CHAIN; 32]).to_string(),
        "proofs": proofs.collect::<Vec<_>>(),
    });
    check("proofs", &proofs);
}
