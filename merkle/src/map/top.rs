//! The branches above the shards: node 1 is the root, node i has the children 2i and 2i + 1, and the
//! last nodes stand for the shards.

use alloc::vec::Vec;

use primitives::Digest;

use super::Place;
use super::walk::Fork;
use crate::hash::MapHasher;
use crate::refresh::Stamp;

/// How many leading bits choose a shard: enough shards that the cores share them evenly, so few that
/// a block of some thousand changes fills the lanes of a processor in each.
const BITS: u32 = 4;
pub(super) const SHARDS: usize = 1 << BITS;

/// The shard of a position: its highest bits.
pub(super) fn shard_of(position: &Digest) -> usize {
    let [first, ..] = position.0;
    usize::from(first.unbounded_shr(u8::BITS.abs_diff(BITS)))
}

#[derive(Debug, Clone)]
pub(super) struct Top(Vec<Option<(Digest, Stamp)>>);

impl Top {
    pub(super) fn new() -> Self {
        Self(Vec::from([None; 2 * SHARDS]))
    }

    pub(super) fn get(&self, index: usize) -> Option<(Digest, Stamp)> {
        self.0.get(index).copied().flatten()
    }

    pub(super) fn root(&self) -> Option<Digest> {
        self.get(1).map(|(hash, _)| hash)
    }

    /// The branch at a node above the shards, or the only child for which the node stands.
    pub(super) fn fork(&self, index: usize) -> Result<Fork<Place>, usize> {
        let (left, right) = children(index);
        match (self.get(left), self.get(right)) {
            (Some((left_hash, left_stamp)), Some((right_hash, right_stamp))) => Ok(Fork {
                bit: bit(index),
                children: [Place::Top(left), Place::Top(right)],
                hashes: [left_hash, right_hash],
                stamps: [left_stamp, right_stamp],
            }),
            (Some(_), None) => Err(left),
            (None, _) => Err(right),
        }
    }

    /// Sets the root of a shard; [`Top::rehash`] must follow.
    pub(super) fn set(&mut self, shard: usize, hash: Option<Digest>, stamp: Stamp) {
        self.put(shard | SHARDS, hash, stamp);
    }

    /// Hashes the nodes above these shards.
    pub(super) fn rehash(&mut self, hasher: &MapHasher, shards: &[usize], stamp: Stamp) {
        let mut changed: Vec<usize> = shards.iter().map(|shard| shard | SHARDS).collect();
        for _ in 0..BITS {
            changed = changed.iter().map(|index| index.unbounded_shr(1)).collect();
            changed.dedup();
            for index in &changed {
                let hash = match self.fork(*index) {
                    Ok(Fork {
                        bit,
                        hashes: [left, right],
                        ..
                    }) => Some(hasher.node(bit, &left, &right)),
                    Err(only) => self.get(only).map(|(hash, _)| hash),
                };
                self.put(*index, hash, stamp);
            }
        }
    }

    fn put(&mut self, index: usize, hash: Option<Digest>, stamp: Stamp) {
        let Some(node) = self.0.get_mut(index) else {
            return;
        };
        let is_new = node.is_none();
        *node = hash.map(|hash| (hash, stamp));
        // With the first node beside it a branch comes to be, where neither hung before.
        let beside = self.0.get_mut(index ^ 1).and_then(Option::as_mut);
        if let Some((_, beside)) = beside.filter(|_| is_new) {
            *beside = stamp;
        }
    }
}

fn children(index: usize) -> (usize, usize) {
    let left = index.unbounded_shl(1);
    (left, left | 1)
}

/// The bit that a node tests: how many steps it is below the root.
fn bit(index: usize) -> u8 {
    u8::try_from(index.checked_ilog2().unwrap_or(0)).unwrap_or(u8::MAX)
}
