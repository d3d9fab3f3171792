//! Log entries of a key or name with nothing withheld: all, the newest, or those after the ones
//! already known.
//!
//! The record binds the number of entries and the root of the log, so entries that lead to that
//! root are all there are: no digest beyond the proof of the record is needed, except the peaks of
//! what is left out on the left, or what joins a page to the entries that follow it.

use alloc::vec::Vec;

use primitives::codec::{Canonical, Decode, Encode, List};
use primitives::limits::PAGE_ENTRIES_MAX;

use super::record::{MapPosition, RecordProof};
use crate::error::{Error, Part};
use crate::hash::{Map, TreeHasher, TreeKeys};
use crate::leaf::{LogEntry, Record};
use crate::log::{Frontier, check_root, verify_consistency};
use crate::path::Path;
use crate::top::{SizedRoot, State};

/// A bounded page of log entries, oldest first.
pub type EntryList = List<LogEntry, PAGE_ENTRIES_MAX>;

pub(super) const ENTRY_LIST_BYTES_MAX: usize = 4 + PAGE_ENTRIES_MAX * LogEntry::BYTES_MAX;

/// Entries proven to be all from the index `first` on: up to the newest one, but in a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries {
    /// The record, if the key or name has one.
    pub record: Option<Record>,
    /// The index of the first of the entries; zero if they are all.
    pub first: u64,
    /// The entries, oldest first.
    pub entries: Vec<LogEntry>,
}

/// All entries of a log, for logs of at most one page.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct AllEntries {
    /// The record of the key or name.
    pub record: RecordProof,
    /// The entries, oldest first.
    pub entries: EntryList,
}

impl Canonical for AllEntries {
    const BYTES_MAX: usize = RecordProof::BYTES_MAX + ENTRY_LIST_BYTES_MAX;
}

impl AllEntries {
    /// Shows that these are all entries of the log whose record is proven.
    ///
    /// # Errors
    /// [`Error::EntryCount`] unless they are as many as the record counts; [`Error::Encoding`] above
    /// one page.
    pub fn prove(map: Map, record: RecordProof, entries: Vec<LogEntry>) -> Result<Self, Error> {
        check_entry_count(map, entries.len(), count_of(record.record.as_ref()))?;
        let entries = List::new(entries)?;
        Ok(Self { record, entries })
    }

    /// All entries at this position as of `state`. Cost: that of the record, and at most two
    /// compressions an entry.
    ///
    /// # Errors
    /// Those of [`RecordProof::verify`]; [`Error::EntryCount`]; [`Error::Root`] of the log. The
    /// sender of the proof is to blame.
    pub fn verify(
        &self,
        keys: &TreeKeys,
        at: &MapPosition,
        state: &State,
    ) -> Result<Entries, Error> {
        let record = self.record.verify(keys, at, state)?;
        check_entry_count(at.map, self.entries.len(), count_of(record.as_ref()))?;
        let log = extend(keys, at.map, &Frontier::new(), &self.entries)?;
        check_log_root(keys, at.map, &log, record.as_ref())?;
        Ok(Entries {
            record,
            first: 0,
            entries: self.entries.to_vec(),
        })
    }
}

/// The newest entries of a log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct RecentEntries {
    /// The record of the key or name.
    pub record: RecordProof,
    /// The peaks of all earlier entries, widest first.
    pub peaks: Path,
    /// The entries, oldest first.
    pub entries: EntryList,
}

impl Canonical for RecentEntries {
    const BYTES_MAX: usize = RecordProof::BYTES_MAX + Path::BYTES_MAX + ENTRY_LIST_BYTES_MAX;
}

impl RecentEntries {
    /// Shows that these are the newest entries of the log whose record is proven; `before` is the
    /// frontier of all earlier ones.
    ///
    /// # Errors
    /// [`Error::EntryCount`] unless together they are as many as the record counts;
    /// [`Error::Encoding`] above one page.
    pub fn prove(
        map: Map,
        record: RecordProof,
        before: &Frontier,
        entries: Vec<LogEntry>,
    ) -> Result<Self, Error> {
        let wanted = count_of(record.record.as_ref()).saturating_sub(before.size());
        check_entry_count(map, entries.len(), wanted)?;
        Ok(Self {
            record,
            peaks: Path::new(before.peaks().to_vec())?,
            entries: List::new(entries)?,
        })
    }

    /// The `wanted` newest entries at this position as of `state`, or all if there are fewer. Cost:
    /// that of the record, and at most two compressions an entry and one a peak.
    ///
    /// # Errors
    /// Those of [`RecordProof::verify`]; [`Error::EntryCount`]; [`Error::PeakCount`];
    /// [`Error::Root`] of the log. The sender of the proof is to blame.
    pub fn verify(
        &self,
        keys: &TreeKeys,
        at: &MapPosition,
        wanted: u64,
        state: &State,
    ) -> Result<Entries, Error> {
        let record = self.record.verify(keys, at, state)?;
        let count = count_of(record.as_ref());
        let wanted = wanted.min(count);
        check_entry_count(at.map, self.entries.len(), wanted)?;
        let first = count.saturating_sub(wanted);
        let part = keys.log(at.map).part();
        let before = Frontier::from_peaks(part, first, self.peaks.to_vec())?;
        let log = extend(keys, at.map, &before, &self.entries)?;
        check_log_root(keys, at.map, &log, record.as_ref())?;
        Ok(Entries {
            record,
            first,
            entries: self.entries.to_vec(),
        })
    }
}

/// The entries that follow those the verifier knows already: one page of them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct NewEntries {
    /// The record of the key or name.
    pub record: RecordProof,
    /// The entries, oldest first.
    pub entries: EntryList,
    /// What shows that the log goes on from this page; empty if the page reaches its end.
    pub rest: Path,
}

impl Canonical for NewEntries {
    const BYTES_MAX: usize = RecordProof::BYTES_MAX + ENTRY_LIST_BYTES_MAX + Path::BYTES_MAX;
}

/// A page of entries, proven to follow those known before it without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPage {
    /// The record, if the key or name has one.
    pub record: Option<Record>,
    /// The entries, oldest first.
    pub entries: Vec<LogEntry>,
    /// The frontier after them, from which to ask for the next page.
    pub frontier: Frontier,
    /// How many entries follow; zero if these are all.
    pub remaining: u64,
}

impl NewEntries {
    /// Shows that these entries begin at the index that the verifier knows the log up to; `rest` is
    /// the consistency proof from the end of the page to the whole log.
    ///
    /// # Errors
    /// [`Error::Encoding`] above one page.
    pub fn prove(record: RecordProof, entries: Vec<LogEntry>, rest: Path) -> Result<Self, Error> {
        Ok(Self {
            record,
            entries: List::new(entries)?,
            rest,
        })
    }

    /// The entries at this position that follow those of `known`, as of `state`. Cost: that of the
    /// record, at most two compressions an entry, and two a digest of `rest`.
    ///
    /// # Errors
    /// Those of [`RecordProof::verify`]; [`Error::Size`] if more entries are known or given than the
    /// record counts; [`Error::SiblingCount`]; [`Error::Root`] of the log. The sender of the proof
    /// is to blame.
    pub fn verify(
        &self,
        keys: &TreeKeys,
        at: &MapPosition,
        known: &Frontier,
        state: &State,
    ) -> Result<EntryPage, Error> {
        let record = self.record.verify(keys, at, state)?;
        let hasher = keys.log(at.map);
        let frontier = extend(keys, at.map, known, &self.entries)?;
        let page = SizedRoot {
            root: frontier.root(hasher),
            size: frontier.size(),
        };
        let whole = SizedRoot {
            root: record.map_or_else(|| hasher.empty(), |record| record.log_root),
            size: count_of(record.as_ref()),
        };
        verify_consistency(hasher, &page, &whole, &self.rest)?;
        Ok(EntryPage {
            record,
            entries: self.entries.to_vec(),
            remaining: whole.size.saturating_sub(page.size),
            frontier,
        })
    }
}

fn count_of(record: Option<&Record>) -> u64 {
    record.map_or(0, |record| record.count)
}

pub(super) fn check_entry_count(map: Map, found: usize, wanted: u64) -> Result<(), Error> {
    let found = u64::try_from(found).unwrap_or(u64::MAX);
    if found != wanted {
        let part = match map {
            Map::Key => Part::KeyLog,
            Map::Name => Part::NameLog,
        };
        return Err(Error::EntryCount {
            part,
            found,
            wanted,
        });
    }
    Ok(())
}

fn extend(
    keys: &TreeKeys,
    map: Map,
    known: &Frontier,
    entries: &[LogEntry],
) -> Result<Frontier, Error> {
    let mut log = known.clone();
    for entry in entries {
        log.append(keys.log(map), entry.leaf(keys, map))?;
    }
    Ok(log)
}

fn check_log_root(
    keys: &TreeKeys,
    map: Map,
    log: &Frontier,
    record: Option<&Record>,
) -> Result<(), Error> {
    let hasher = keys.log(map);
    let wanted = record.map_or_else(|| hasher.empty(), |record| record.log_root);
    check_root(hasher.part(), log.root(hasher), wanted)
}

#[cfg(test)]
mod tests;
