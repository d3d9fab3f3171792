//! A small state with every tree, for the tests of all proofs.

use std::collections::BTreeMap;

use primitives::Digest;
use primitives::units::Height;

use super::record::{MapPosition, RecordProof};
use crate::dense::DenseTree;
use crate::fixture::{digest, keys};
use crate::hash::{Map, TreeKeys};
use crate::leaf::{LogEntry, Record, Spent, output_leaf};
use crate::log::LogTree;
use crate::map::MapTree;
use crate::top::{State, StateRoots};
use crate::workers::Sequential;

pub(super) struct World {
    pub(super) keys: TreeKeys,
    pub(super) blocks: LogTree,
    pub(super) maps: BTreeMap<Map, MapTree>,
    pub(super) logs: BTreeMap<(Map, Digest), Vec<LogEntry>>,
    pub(super) outputs: DenseTree,
    pub(super) roots: StateRoots,
}

/// The state of block `height`: that many headers; `positions` keys and as many names, of which the
/// one at `digest(i)` has a log of `i + 1` entries; 11 outputs, the even ones spent.
pub(super) fn world(height: u64, positions: u64) -> World {
    let keys = keys();
    let mut blocks = LogTree::new(*keys.block());
    (0..height)
        .for_each(|height| blocks.append(crate::TreeHasher::leaf(keys.block(), &header(height))));
    let mut maps = BTreeMap::new();
    let mut logs = BTreeMap::new();
    for map in [Map::Key, Map::Name] {
        let mut tree = MapTree::new(map, &keys);
        for number in 0..positions {
            let entries: Vec<_> = (0..=number).map(|index| entry(number, index)).collect();
            let record = record_of(&keys, map, &entries);
            let change = [(digest(number), record.hash(&keys, map))];
            tree.update(&change, Height::ZERO, &Sequential).unwrap();
            logs.insert((map, digest(number)), entries);
        }
        maps.insert(map, tree);
    }
    let mut outputs = DenseTree::new(*keys.outputs());
    let leaf = |number| output_leaf(&keys, &digest(number), spent(number).as_ref());
    let leaves: Vec<_> = (0..11).map(leaf).collect();
    outputs.append(&leaves, Height::ZERO, &Sequential);
    let roots = StateRoots {
        block: blocks.sized_root().unwrap(),
        key: maps[&Map::Key].sized_root(),
        name: maps[&Map::Name].sized_root(),
        outputs: outputs.sized_root().unwrap(),
    };
    World {
        keys,
        blocks,
        maps,
        logs,
        outputs,
        roots,
    }
}

impl World {
    pub(super) fn state(&self) -> State {
        State {
            height: Height::new(self.roots.block.size),
            root: self.roots.state_root(&self.keys),
        }
    }

    pub(super) fn log(&self, at: &MapPosition) -> Vec<LogEntry> {
        self.logs
            .get(&(at.map, at.position))
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn log_tree(&self, at: &MapPosition) -> LogTree {
        log_tree(&self.keys, at.map, &self.log(at))
    }

    pub(super) fn record(&self, at: &MapPosition) -> Option<Record> {
        let entries = self.logs.get(&(at.map, at.position))?;
        Some(record_of(&self.keys, at.map, entries))
    }

    pub(super) fn record_proof(&self, at: &MapPosition) -> RecordProof {
        let tree = &self.maps[&at.map];
        RecordProof::prove(&self.keys, &self.roots, tree, at, self.record(at)).unwrap()
    }
}

pub(super) fn header(height: u64) -> Vec<u8> {
    format!("header {height}").into_bytes()
}

pub(super) fn at(map: Map, number: u64) -> MapPosition {
    let position = digest(number);
    MapPosition { map, position }
}

pub(super) fn entry(position: u64, index: u64) -> LogEntry {
    LogEntry {
        txid: digest(1000 * position + index),
        block: Height::new(index),
        index: 3,
        role: 1,
    }
}

pub(super) fn spent(number: u64) -> Option<Spent> {
    number.is_multiple_of(2).then(|| Spent {
        txid: digest(500 + number),
        block: Height::new(4),
        input: 2,
    })
}

fn log_tree(keys: &TreeKeys, map: Map, entries: &[LogEntry]) -> LogTree {
    let mut log = LogTree::new(*keys.log(map));
    entries
        .iter()
        .for_each(|entry| log.append(entry.leaf(keys, map)));
    log
}

fn record_of(keys: &TreeKeys, map: Map, entries: &[LogEntry]) -> Record {
    Record {
        log_root: log_tree(keys, map, entries).root().unwrap(),
        count: entries.len() as u64,
        last_block: entries.last().unwrap().block,
    }
}
