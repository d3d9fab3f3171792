//! What the leaves say: records of keys and names, entries of their logs, outputs and their spends.
//!
//! Every leaf is hashed from exactly 64 bytes. Source: docs/spec/state.md sections 4 and 5.

use primitives::Digest;
use primitives::codec::{Canonical, Decode, Encode};
use primitives::digest::{keyed, keyed_pair};
use primitives::units::Height;

use crate::hash::{Map, TreeHasher, TreeKeys};

/// What a map holds for one key or name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Record {
    /// The root of its log.
    pub log_root: Digest,
    /// How many entries its log has.
    pub count: u64,
    /// The block of the last entry.
    pub last_block: Height,
}

impl Canonical for Record {
    const BYTES_MAX: usize = 48;
}

impl Record {
    /// The record hash that the map's leaf binds. Cost: one compression.
    #[must_use]
    pub fn hash(&self, keys: &TreeKeys, map: Map) -> Digest {
        let count = self.count.to_le_bytes();
        let last_block = self.last_block.get().to_le_bytes();
        let parts: [&[u8]; 4] = [&self.log_root.0, &count, &last_block, &[0; 16]];
        keyed(keys.map(map).record_key(), &parts)
    }
}

/// One entry of the log of a key or name: a transaction that touched it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct LogEntry {
    /// The transaction.
    pub txid: Digest,
    /// The block that applied it.
    pub block: Height,
    /// Its index among the transactions of that block.
    pub index: u32,
    /// What the key or name was to it, as the ledger numbers it.
    pub role: u8,
}

impl Canonical for LogEntry {
    const BYTES_MAX: usize = 45;
}

impl LogEntry {
    /// The leaf of this entry in its log. Cost: one compression.
    #[must_use]
    pub fn leaf(&self, keys: &TreeKeys, map: Map) -> Digest {
        let mut content = [0; 64];
        let block = self.block.get().to_le_bytes();
        let index = self.index.to_le_bytes();
        let fields = self.txid.0.into_iter().chain(block).chain(index);
        // The rest of the 64 bytes stays zero.
        for (byte, field) in content.iter_mut().zip(fields.chain([self.role])) {
            *byte = field;
        }
        keys.log(map).leaf(&content)
    }
}

/// By what an output was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Spent {
    /// The spending transaction.
    pub txid: Digest,
    /// The block that applied it.
    pub block: Height,
    /// Which of its inputs.
    pub input: u32,
}

impl Canonical for Spent {
    const BYTES_MAX: usize = 44;
}

/// The leaf of an output in the outputs tree: its commitment and, once it is spent, by what.
/// Cost: at most two compressions.
#[must_use]
pub fn output_leaf(keys: &TreeKeys, commitment: &Digest, spent: Option<&Spent>) -> Digest {
    // A status of zero bytes cannot be the hash of any spend.
    let status = spent.map_or(Digest::ZERO, |spent| {
        let block = spent.block.get().to_le_bytes();
        let input = spent.input.to_le_bytes();
        let parts: [&[u8]; 4] = [&spent.txid.0, &block, &input, &[0; 20]];
        keyed(&keys.spent, &parts)
    });
    keyed_pair(keys.outputs().leaf_key(), commitment, &status)
}

#[cfg(test)]
mod tests;
