use std::collections::BTreeMap;

use primitives::Digest;
use primitives::units::Height;
use primus_merkle::dense::DenseTree;
use primus_merkle::leaf::output_leaf;
use primus_merkle::log::LogTree;
use primus_merkle::map::MapTree;
use primus_merkle::top::{State, StateRoots};
use primus_merkle::workers::Sequential;
use primus_merkle::{LogEntry, Map, Record, Spent, TreeKeys};

use crate::draw::digest;

/// What all leaves are made of.
pub(crate) struct Leaves {
    pub(crate) headers: Vec<Digest>,
    /// The log of every key and name.
    pub(crate) entries: Vec<LogEntry>,
    pub(crate) commitments: Vec<Digest>,
    pub(crate) spent: Vec<Option<Spent>>,
}

/// A state with every tree. The key and the name `digest(i)` have the same log for each `i`.
pub(crate) struct World {
    pub(crate) keys: TreeKeys,
    pub(crate) leaves: Leaves,
    pub(crate) blocks: LogTree,
    pub(crate) maps: BTreeMap<Map, MapTree>,
    pub(crate) outputs: DenseTree,
    pub(crate) roots: StateRoots,
    pub(crate) state: State,
}

impl World {
    /// As many headers, keys, names and outputs.
    pub(crate) fn new(count: u64, chain: u8) -> Self {
        Self::with(count, chain, |_| ())
    }

    pub(crate) fn with(count: u64, chain: u8, change: impl FnOnce(&mut Leaves)) -> Self {
        let keys = TreeKeys::new(&Digest([chain; 32]));
        let spent = |number: u64| Spent {
            txid: digest(500 + number),
            block: Height::new(4),
            input: 2,
        };
        let mut leaves = Leaves {
            headers: (0..count).map(digest).collect(),
            entries: (0..40).map(entry).collect(),
            commitments: (0..count).map(digest).collect(),
            spent: (0..count)
                .map(|at| (at % 2 == 0).then(|| spent(at)))
                .collect(),
        };
        change(&mut leaves);
        let mut blocks = LogTree::new(*keys.block());
        for header in &leaves.headers {
            blocks.append(primus_merkle::TreeHasher::leaf(keys.block(), &header.0));
        }
        let mut maps = BTreeMap::new();
        for map in [Map::Key, Map::Name] {
            let mut tree = MapTree::new(map, &keys);
            let hash = record(&keys, map, &leaves.entries).hash(&keys, map);
            let records: Vec<_> = (0..count).map(|at| (digest(at), hash)).collect();
            tree.update(&records, Height::new(1), &Sequential).unwrap();
            maps.insert(map, tree);
        }
        let pairs = leaves.commitments.iter().zip(&leaves.spent);
        let dense: Vec<_> = pairs
            .map(|(commitment, spent)| output_leaf(&keys, commitment, spent.as_ref()))
            .collect();
        let mut outputs = DenseTree::new(*keys.outputs());
        outputs.append(&dense, Height::new(1), &Sequential);
        let roots = StateRoots {
            block: blocks.sized_root().unwrap(),
            key: maps[&Map::Key].sized_root(),
            name: maps[&Map::Name].sized_root(),
            outputs: outputs.sized_root().unwrap(),
        };
        let state = State {
            height: Height::new(count),
            root: roots.state_root(&keys),
        };
        Self {
            keys,
            leaves,
            blocks,
            maps,
            outputs,
            roots,
            state,
        }
    }

    pub(crate) fn record(&self, map: Map) -> Record {
        record(&self.keys, map, &self.leaves.entries)
    }

    pub(crate) fn log(&self, map: Map) -> LogTree {
        log(&self.keys, map, &self.leaves.entries)
    }
}

fn entry(index: u64) -> LogEntry {
    LogEntry {
        txid: digest(9_000 + index),
        block: Height::new(index),
        index: 3,
        role: 1,
    }
}

fn log(keys: &TreeKeys, map: Map, entries: &[LogEntry]) -> LogTree {
    let mut log = LogTree::new(*keys.log(map));
    entries
        .iter()
        .for_each(|entry| log.append(entry.leaf(keys, map)));
    log
}

fn record(keys: &TreeKeys, map: Map, entries: &[LogEntry]) -> Record {
    Record {
        log_root: log(keys, map, entries).root().unwrap(),
        count: entries.len() as u64,
        last_block: entries.last().unwrap().block,
    }
}
