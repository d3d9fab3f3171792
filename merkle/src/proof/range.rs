//! Ranges: the headers of some blocks that follow one another, or some entries of a log.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::{Canonical, Decode, Encode, List};
use primitives::limits::{LOG_DEPTH_MAX, RANGE_SIBLINGS_MAX};
use primitives::units::Height;

use super::complete::{ENTRY_LIST_BYTES_MAX, Entries, EntryList};
use super::record::{MapPosition, RecordProof};
use crate::error::Error;
use crate::hash::{TreeHasher, TreeKeys};
use crate::leaf::LogEntry;
use crate::log::{LogTree, check_root, root_by_range};
use crate::top::{SizedRoot, State, StateRoots, StateTree, TopProof};

/// The digests beside a range: those before it, widest first, then those after it, narrowest first.
pub type RangeSiblings = List<Digest, RANGE_SIBLINGS_MAX>;

const SIBLINGS_BYTES_MAX: usize = 4 + 64 * LOG_DEPTH_MAX;

/// Shows that headers which follow one another are among those that a state builds on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct BlockRange {
    /// From the headers to the root of the block tree.
    pub siblings: RangeSiblings,
    /// From there to the state root.
    pub top: TopProof,
}

impl Canonical for BlockRange {
    const BYTES_MAX: usize = SIBLINGS_BYTES_MAX + TopProof::BYTES;
}

impl BlockRange {
    /// Shows that `count` headers from that of `first` on are ancestors of the state with these
    /// roots. `tree` may have grown since.
    ///
    /// # Errors
    /// [`Error::IndexOrder`] for no headers; [`Error::Size`] unless the state is above all of them
    /// and the tree not behind it.
    pub fn prove(
        keys: &TreeKeys,
        roots: &StateRoots,
        tree: &LogTree,
        first: Height,
        count: u64,
    ) -> Result<Self, Error> {
        let range = first.get()..first.get().saturating_add(count);
        Ok(Self {
            siblings: List::new(tree.prove_range(range, roots.block.size)?)?,
            top: roots.prove(keys, StateTree::Block),
        })
    }

    /// Checks that `headers`, the bytes that the leaves of the block tree are made of, stand at
    /// `first` and the heights after it in the past of `state`. Cost: one compression a sibling, and
    /// two and those of its bytes a header.
    ///
    /// # Errors
    /// [`Error::IndexOrder`] for no headers; [`Error::Size`] unless the state is above all of them;
    /// [`Error::SiblingCount`]; [`Error::Root`]. The sender of the proof is to blame.
    pub fn verify(
        &self,
        keys: &TreeKeys,
        first: Height,
        headers: &[impl AsRef<[u8]>],
        state: &State,
    ) -> Result<(), Error> {
        let hasher = keys.block();
        let leaves = headers.iter().map(|header| hasher.leaf(header.as_ref()));
        let leaves: Vec<_> = leaves.collect();
        let size = state.height.get();
        let root = root_by_range(hasher, first.get(), size, &leaves, &self.siblings)?;
        let sized = SizedRoot { root, size };
        self.top.verify(keys, StateTree::Block, &sized, state)
    }
}

/// Entries of a log from any index on, none of them left out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct EntryRange {
    /// The record of the key or name.
    pub record: RecordProof,
    /// The entries, oldest first.
    pub entries: EntryList,
    /// From the entries to the root of the log.
    pub siblings: RangeSiblings,
}

impl Canonical for EntryRange {
    const BYTES_MAX: usize = RecordProof::BYTES_MAX + ENTRY_LIST_BYTES_MAX + SIBLINGS_BYTES_MAX;
}

impl EntryRange {
    /// Shows that these entries stand in the log whose record is proven; `siblings` are those of
    /// their range.
    ///
    /// # Errors
    /// [`Error::Encoding`] above one page.
    pub fn prove(
        record: RecordProof,
        entries: Vec<LogEntry>,
        siblings: Vec<Digest>,
    ) -> Result<Self, Error> {
        Ok(Self {
            record,
            entries: List::new(entries)?,
            siblings: List::new(siblings)?,
        })
    }

    /// The `wanted` entries at this position from the index `first` on, as of `state`; fewer only
    /// where the log ends, and at least one. Cost: that of the record, at most two compressions an
    /// entry, and one a sibling.
    ///
    /// # Errors
    /// Those of [`RecordProof::verify`]; [`Error::Index`] if the log ends before `first`;
    /// [`Error::EntryCount`]; [`Error::IndexOrder`] for none wanted; [`Error::SiblingCount`];
    /// [`Error::Root`] of the log. But for the second and fourth the sender of the proof is to
    /// blame.
    pub fn verify(
        &self,
        keys: &TreeKeys,
        at: &MapPosition,
        (first, wanted): (u64, u64),
        state: &State,
    ) -> Result<Entries, Error> {
        let record = self.record.verify(keys, at, state)?;
        let hasher = keys.log(at.map);
        let (size, root) = record.map_or((0, hasher.empty()), |record| {
            (record.count, record.log_root)
        });
        crate::nodes::check_index(hasher.part(), first, size)?;
        let due = wanted.min(size.abs_diff(first));
        super::complete::check_entry_count(at.map, self.entries.len(), due)?;
        let leaves: Vec<_> = self
            .entries
            .iter()
            .map(|entry| entry.leaf(keys, at.map))
            .collect();
        let found = root_by_range(hasher, first, size, &leaves, &self.siblings)?;
        check_root(hasher.part(), found, root)?;
        Ok(Entries {
            record,
            first,
            entries: self.entries.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests;
