use std::collections::BTreeMap;
use std::ops::Range;

use primitives::Digest;
use primitives::units::Height;
use primus_merkle::dense::DenseTree;
use primus_merkle::leaf::output_leaf;
use primus_merkle::log::LogTree;
use primus_merkle::map::MapTree;
use primus_merkle::proof::output::OutputProof;
use primus_merkle::proof::record::{MapPosition, RecordProof};
use primus_merkle::top::{State, StateRoots};
use primus_merkle::workers::Sequential;
use primus_merkle::{LogEntry, Map, Record, Spent, TreeKeys};

use crate::draw::digest;

/// The block at which all of a world was made.
pub(crate) const MADE: Height = Height::new(1);

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
            tree.update(&records, MADE, &Sequential).unwrap();
            maps.insert(map, tree);
        }
        let pairs = leaves.commitments.iter().zip(&leaves.spent);
        let dense: Vec<_> = pairs
            .map(|(commitment, spent)| output_leaf(&keys, commitment, spent.as_ref()))
            .collect();
        let mut outputs = DenseTree::new(*keys.outputs());
        outputs.append(&dense, MADE, &Sequential);
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

    /// The record at a position, if the map has one there.
    pub(crate) fn record_at(&self, at: &MapPosition) -> Option<Record> {
        let held = self.maps[&at.map].record_hash(&at.position).unwrap();
        held.map(|_| self.record(at.map))
    }

    pub(crate) fn record_proof(&self, at: &MapPosition) -> RecordProof {
        let tree = &self.maps[&at.map];
        RecordProof::prove(&self.keys, &self.roots, tree, at, self.record_at(at)).unwrap()
    }

    pub(crate) fn spent(&self, number: u64) -> Option<Spent> {
        self.leaves.spent[usize::try_from(number).unwrap()]
    }

    pub(crate) fn output_proof(&self, number: u64) -> OutputProof {
        let spent = self.spent(number);
        OutputProof::prove(&self.keys, &self.roots, &self.outputs, number, spent).unwrap()
    }

    /// The state when its block tree had `size` headers, and all else was as it is.
    pub(crate) fn before(&self, size: u64) -> (StateRoots, State) {
        let mut roots = self.roots;
        roots.block.size = size;
        roots.block.root = self.blocks.root_at(size).unwrap();
        let state = State {
            height: Height::new(size),
            root: roots.state_root(&self.keys),
        };
        (roots, state)
    }
}

/// A world one block later: about a tenth of its keys and outputs, from the middle on, have
/// changed, and there is one more of each.
pub(crate) struct Newer {
    pub(crate) map: MapTree,
    pub(crate) outputs: DenseTree,
    pub(crate) roots: StateRoots,
    pub(crate) state: State,
    /// What all changed keys have.
    record: Record,
    hash: Digest,
    before: Record,
    changed: Range<u64>,
}

impl Newer {
    pub(crate) fn of(world: &World) -> Self {
        let (keys, block) = (&world.keys, MADE.later(1));
        let count = world.outputs.size();
        let changed = count / 2..count / 2 + (count / 10).max(1).min(count);
        let before = world.record(Map::Key);
        let record = Record {
            log_root: digest(123_456),
            count: before.count + 1,
            last_block: block,
        };
        let hash = record.hash(keys, Map::Key);
        let mut map = world.maps[&Map::Key].clone();
        let records = changed.clone().chain([count]);
        let records: Vec<_> = records.map(|at| (digest(at), hash)).collect();
        map.update(&records, block, &Sequential).unwrap();
        let mut outputs = world.outputs.clone();
        let leaf = |at| (at, output_leaf(keys, &digest(at), Some(&newly_spent())));
        let spends: Vec<_> = changed.clone().map(leaf).collect();
        outputs.update(&spends, block, &Sequential).unwrap();
        let created = output_leaf(keys, &digest(count), None);
        outputs.append(&[created], block, &Sequential);
        let roots = StateRoots {
            key: map.sized_root(),
            outputs: outputs.sized_root().unwrap(),
            ..world.roots
        };
        let state = State {
            root: roots.state_root(keys),
            ..world.state
        };
        Self {
            map,
            outputs,
            roots,
            state,
            record,
            hash,
            before,
            changed,
        }
    }

    pub(crate) fn record(&self, at: &MapPosition) -> Option<Record> {
        let held = self.map.record_hash(&at.position).unwrap()?;
        Some(if held == self.hash {
            self.record
        } else {
            self.before
        })
    }

    pub(crate) fn spent(&self, world: &World, number: u64) -> Option<Spent> {
        if self.changed.contains(&number) {
            Some(newly_spent())
        } else {
            world.spent(number)
        }
    }
}

fn newly_spent() -> Spent {
    Spent {
        txid: digest(4_321),
        block: MADE.later(1),
        input: 0,
    }
}

fn entry(index: u64) -> LogEntry {
    LogEntry {
        txid: digest(9_000 + index),
        block: MADE,
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
