//! What a log says of one block: its entries in that block, or the newest up to it. Blocks of entries
//! never fall, so neighbours on either side show that nothing is left out.

use alloc::vec::Vec;

use primitives::codec::{Canonical, Decode, Encode};
use primitives::units::Height;

use super::range::EntryRange;
use super::record::{MapPosition, RecordProof};
use crate::error::Error;
use crate::hash::{TreeHasher, TreeKeys};
use crate::leaf::LogEntry;
use crate::top::State;

/// Entries of a log that follow one another, where a block's are or would be.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum EntrySpan {
    /// There is no log.
    Empty(RecordProof),
    /// Some of its entries.
    Entries {
        /// The index of the first.
        first: u64,
        /// The entries.
        range: EntryRange,
    },
}

impl Canonical for EntrySpan {
    const BYTES_MAX: usize = 12 + EntryRange::BYTES_MAX;
}

/// Entries that are proven to follow one another.
struct Shown<'a> {
    entries: &'a [LogEntry],
    /// Whether earlier ones exist.
    earlier: bool,
    /// Whether later ones exist.
    later: bool,
}

impl EntrySpan {
    /// The entries that it shows, not yet verified.
    #[must_use]
    pub fn entries(&self) -> &[LogEntry] {
        match self {
            Self::Empty(_) => &[],
            Self::Entries { range, .. } => &range.entries,
        }
    }

    /// All entries of the block at `height` at this position, as of `state`, which is not below it.
    /// The span holds them, and the entries next to them where there are any.
    ///
    /// # Errors
    /// Those of [`EntryRange::verify`]; [`Error::RecordMismatch`] for a log that is said not to exist;
    /// [`Error::Span`]. The sender of the proof is to blame.
    pub fn of_block(
        &self,
        keys: &TreeKeys,
        at: &MapPosition,
        height: Height,
        state: &State,
    ) -> Result<Vec<LogEntry>, Error> {
        let Some(shown) = self.shown(keys, at, state)? else {
            return Ok(Vec::new());
        };
        let entries = shown.entries;
        let before = entries.iter().take_while(|entry| entry.block < height);
        let before = before.count();
        let rest = entries.iter().skip(before);
        let found: Vec<_> = rest
            .take_while(|entry| entry.block == height)
            .copied()
            .collect();
        let mut after = entries.iter().skip(before.saturating_add(found.len()));
        let bounded = |count: usize, exists: bool| count == 1 || (count == 0 && !exists);
        let closed = bounded(before, shown.earlier)
            && bounded(after.len(), shown.later)
            && after.all(|entry| entry.block > height);
        closed.then_some(found).ok_or(Error::Span {
            part: keys.log(at.map).part(),
            height,
        })
    }

    /// The newest entry up to the block at `height` at this position, as of `state`, which is not
    /// below it; none if all are later. The span holds it and the one after it, where there is one.
    ///
    /// # Errors
    /// As [`EntrySpan::of_block`].
    pub fn newest(
        &self,
        keys: &TreeKeys,
        at: &MapPosition,
        height: Height,
        state: &State,
    ) -> Result<Option<LogEntry>, Error> {
        let Some(shown) = self.shown(keys, at, state)? else {
            return Ok(None);
        };
        match shown.entries {
            [only] if only.block <= height && !shown.later => Ok(Some(*only)),
            [newest, next] if newest.block <= height && next.block > height => Ok(Some(*newest)),
            [oldest] if oldest.block > height && !shown.earlier => Ok(None),
            _ => Err(Error::Span {
                part: keys.log(at.map).part(),
                height,
            }),
        }
    }

    fn shown(
        &self,
        keys: &TreeKeys,
        at: &MapPosition,
        state: &State,
    ) -> Result<Option<Shown<'_>>, Error> {
        match self {
            Self::Empty(record) => match record.verify(keys, at, state)? {
                None => Ok(None),
                Some(_) => Err(Error::RecordMismatch {
                    part: at.map.part(),
                }),
            },
            Self::Entries { first, range } => {
                let count = u64::try_from(range.entries.len()).unwrap_or(u64::MAX);
                let proven = range.verify(keys, at, (*first, count), state)?;
                let size = proven.record.map_or(0, |record| record.count);
                Ok(Some(Shown {
                    entries: &range.entries,
                    earlier: *first > 0,
                    later: first.saturating_add(count) < size,
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests;
