//! The log of one key or name, read node by node from its rows.

use alloc::vec::Vec;

use merkle::LogEntry;
use merkle::hash::{B3, TreeHasher};
use merkle::log::Frontier;
use merkle::path::Path;
use merkle::proof::range::EntryRange;
use merkle::proof::record::RecordProof;
use merkle::proof::span::EntrySpan;
use primitives::Digest;
use primitives::store::{Store, Table};
use primitives::units::Height;

use super::page_of;
use crate::error::Error;
use crate::rows::{EntryRow, demand, log_key};

/// A log with `count` entries. The row of an entry holds every complete subtree that ends with it.
pub(super) struct Log<'a, S> {
    pub(super) hasher: &'a B3,
    pub(super) table: Table,
    pub(super) position: Digest,
    pub(super) count: u64,
    pub(super) store: &'a S,
}

impl<S: Store> Log<'_, S> {
    /// At most `count` entries from `first` on; fewer at the end of the log.
    pub(super) fn entries(&self, first: u64, count: u64) -> Result<Vec<LogEntry>, Error> {
        let end = first.saturating_add(count).min(self.count);
        let entry = |index| self.row(index).map(|row| row.entry);
        (first..end).map(entry).collect()
    }

    /// The entries `first..end`, fewer at the end of the log, proven to stand there.
    pub(super) fn span(
        &self,
        record: RecordProof,
        first: u64,
        end: u64,
    ) -> Result<EntrySpan, Error> {
        let end = end.min(self.count);
        if first >= end {
            return Ok(EntrySpan::Empty(record));
        }
        let entries = self.entries(first, page_of(end.saturating_sub(first))?)?;
        let range = EntryRange::prove(record, entries, self.siblings(first, end)?)?;
        Ok(EntrySpan::Entries { first, range })
    }

    /// The frontier of the first `size` entries. Cost: one read a peak.
    pub(super) fn frontier(&self, size: u64) -> Result<Frontier, Error> {
        let peaks: Result<Vec<_>, _> = peaks(0, size).map(|peak| self.node(peak)).collect();
        Ok(Frontier::from_peaks(self.hasher.part(), size, peaks?)?)
    }

    /// What shows that the whole log begins with its first `size` entries (RFC 9162, 2.1.4.1).
    /// Cost: about (log2 n)^2 / 2 reads.
    pub(super) fn consistency(&self, size: u64) -> Result<Path, Error> {
        if size > self.count {
            return Err(Error::Tree(merkle::Error::Size {
                part: self.hasher.part(),
                found: size,
                limit: self.count,
            }));
        }
        let mut digests = Vec::new();
        if size == 0 || size == self.count {
            return Ok(Path::new(digests)?);
        }
        let (mut begin, mut old, mut count) = (0_u64, size, self.count);
        // While the old log ends within, the half beside it is what its verifier lacks.
        while old < count {
            let left = count.div_ceil(2).next_power_of_two();
            let middle = begin.saturating_add(left);
            let right = count.saturating_sub(left);
            if old <= left {
                digests.push(self.root(middle, right)?);
                count = left;
            } else {
                digests.push(self.root(begin, left)?);
                (begin, old, count) = (middle, old.saturating_sub(left), right);
            }
        }
        if begin > 0 {
            digests.push(self.root(begin, count)?);
        }
        digests.reverse();
        Ok(Path::new(digests)?)
    }

    /// What stands beside `first..end` on the way to the root of the whole log: the subtrees before
    /// it, widest first, then those after it, narrowest first. Cost: at most two reads a level, and
    /// log2 n for the last subtree.
    pub(super) fn siblings(&self, first: u64, end: u64) -> Result<Vec<Digest>, Error> {
        let before: Result<Vec<_>, _> = peaks(0, first).map(|peak| self.node(peak)).collect();
        let mut digests = before?;
        let mut begin = end.max(1);
        while begin < self.count {
            let width = 1_u64.unbounded_shl(begin.trailing_zeros());
            let count = width.min(self.count.saturating_sub(begin));
            digests.push(self.root(begin, count)?);
            begin = begin.saturating_add(count);
        }
        Ok(digests)
    }

    /// How many entries are of blocks below `height`. Cost: log2 n reads.
    pub(super) fn count_below(&self, height: Height) -> Result<u64, Error> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            if self.row(middle)?.entry.block < height {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The root over `begin..begin + count`, a subtree of the whole log.
    fn root(&self, begin: u64, count: u64) -> Result<Digest, Error> {
        let mut root = None;
        for peak in peaks(begin, count).rev() {
            let left = self.node(peak)?;
            root = Some(root.map_or(left, |right| self.hasher.node(&left, &right)));
        }
        Ok(root.unwrap_or_else(|| self.hasher.empty()))
    }

    /// A complete subtree, kept with its last entry.
    fn node(&self, (level, end): (u32, u64)) -> Result<Digest, Error> {
        let row = self.row(end.saturating_sub(1))?;
        let level = usize::try_from(level).unwrap_or(usize::MAX);
        let table = self.table;
        row.nodes
            .get(level)
            .copied()
            .ok_or(Error::MissingRow { table })
    }

    fn row(&self, index: u64) -> Result<EntryRow, Error> {
        demand(self.store, self.table, &log_key(&self.position, index))
    }
}

/// The complete subtrees that `begin..begin + count` falls into, widest first, each as its level
/// and the index after its last entry.
fn peaks(begin: u64, count: u64) -> impl DoubleEndedIterator<Item = (u32, u64)> {
    (0..u64::BITS).rev().filter_map(move |level| {
        let width = 1_u64.unbounded_shl(level);
        let through = count.unbounded_shr(level).unbounded_shl(level);
        (count & width != 0).then(|| (level, begin.saturating_add(through)))
    })
}
