//! What a map holds at several positions, with each shared sibling sent once.
//!
//! ```text
//!   walk     from the root, left before right, into every node with a position asked for below it
//!   step     bit 1: a branch at the bit after its parent's; bit 0 and a gap g > 0: a branch g bits
//!            later than that; bit 0 and a gap 0: a leaf
//!   digests  a sibling where a branch has no position asked for on one side, and the leaf where a
//!            search ends at a position that was not asked for
//! ```

use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::{Bytes, Canonical, Decode, Encode, List};
use primitives::limits::{MULTI_POSITIONS_MAX, MULTI_SIBLINGS_MAX, MULTI_STEPS_MAX};

use super::arena::Leaf;
use super::bit_of;
use super::walk::{Fork, MapNodes, Opened};
use crate::error::{Error, Part};
use crate::hash::MapHasher;
use crate::log::check_count;

/// Shows what a map holds at several positions; of the empty map all lists are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct MapMulti {
    /// One bit a step, the lowest of the first byte for the first step; the last byte is filled up
    /// with zero bits.
    steps: Bytes<{ MULTI_STEPS_MAX / 8 }>,
    /// One for each step whose bit is 0.
    gaps: Bytes<MULTI_STEPS_MAX>,
    /// Beside the ways, in the order of the walk.
    siblings: List<Digest, MULTI_SIBLINGS_MAX>,
    /// Position and record hash of each leaf that was not asked for, in the order of the walk.
    others: List<(Digest, Digest), MULTI_POSITIONS_MAX>,
}

impl Canonical for MapMulti {
    const BYTES_MAX: usize = Self::BYTES_MAX;
}

impl MapMulti {
    /// The longest encoding, in bytes.
    pub const BYTES_MAX: usize = 16
        + MULTI_STEPS_MAX / 8
        + MULTI_STEPS_MAX
        + 32 * MULTI_SIBLINGS_MAX
        + 64 * MULTI_POSITIONS_MAX;

    pub(super) fn prove<N: MapNodes>(
        part: Part,
        nodes: &N,
        positions: &[Digest],
    ) -> Result<Self, Error> {
        check_positions(part, positions)?;
        let Some((root, hash, _)) = nodes.root() else {
            return Ok(Self::default());
        };
        let mut writer = Writer::default();
        let mut stack = Vec::from([(root, hash, Some(0), positions.to_vec())]);
        while let Some((place, hash, due, within)) = stack.pop() {
            if within.is_empty() {
                writer.siblings.push(hash);
                continue;
            }
            match nodes.open(place)? {
                Opened::Leaf(leaf) => {
                    writer.step(false);
                    writer.gaps.push(0);
                    if !within.contains(&leaf.position) {
                        writer.others.push((leaf.position, leaf.record_hash));
                    }
                }
                Opened::Fork(fork) => {
                    writer.branch(fork.bit, due);
                    let (right, left): (Vec<_>, Vec<_>) = within
                        .into_iter()
                        .partition(|position| bit_of(position, fork.bit));
                    let Fork {
                        bit,
                        children: [left_child, right_child],
                        hashes: [left_hash, right_hash],
                        ..
                    } = fork;
                    let due = bit.checked_add(1);
                    stack.push((right_child, right_hash, due, right));
                    stack.push((left_child, left_hash, due, left));
                }
            }
        }
        Ok(Self {
            steps: Bytes::new(writer.bytes)?,
            gaps: Bytes::new(writer.gaps)?,
            siblings: List::new(writer.siblings)?,
            others: List::new(writer.others)?,
        })
    }

    /// The root of a map that holds at each of these positions the record with this hash, or none.
    /// Cost: one compression for each leaf, sibling and branch.
    ///
    /// # Errors
    /// [`Error::IndexOrder`] unless the positions increase strictly from at least one;
    /// [`Error::Encoding`] above [`MULTI_POSITIONS_MAX`]; [`Error::NotAbsent`];
    /// [`Error::RecordMismatch`] where two records would share a leaf, or the map is said to be
    /// empty; [`Error::Shape`] or [`Error::SiblingCount`] unless the walk uses up all that is sent.
    /// But for the first two the sender of the proof is to blame.
    pub fn root(
        &self,
        hasher: &MapHasher,
        records: &[(Digest, Option<Digest>)],
    ) -> Result<Digest, Error> {
        let part = hasher.part();
        let positions: Vec<_> = records.iter().map(|(position, _)| *position).collect();
        check_positions(part, &positions)?;
        if *self == Self::default() {
            let is_absent = records.iter().all(|(_, hash)| hash.is_none());
            let root = is_absent.then(|| hasher.empty());
            return root.ok_or(Error::RecordMismatch { part });
        }
        let mut reader = Reader {
            hasher,
            steps: &self.steps,
            step: 0,
            gaps: &self.gaps,
            siblings: &self.siblings,
            others: &self.others,
        };
        let root = reader.node(Some(0), records)?;
        check_count(
            part,
            self.siblings.len(),
            self.siblings.len().saturating_sub(reader.siblings.len()),
        )?;
        if !reader.is_finished() {
            return Err(Error::Shape { part });
        }
        Ok(root)
    }
}

fn check_positions(part: Part, positions: &[Digest]) -> Result<(), Error> {
    if positions.is_empty() || !positions.is_sorted_by(|one, next| one < next) {
        return Err(Error::IndexOrder { part });
    }
    let (found, limit) = (positions.len(), MULTI_POSITIONS_MAX);
    if found > limit {
        return Err(primitives::Error::TooMany { found, limit }.into());
    }
    Ok(())
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    step: u32,
    gaps: Vec<u8>,
    siblings: Vec<Digest>,
    others: Vec<(Digest, Digest)>,
}

impl Writer {
    fn step(&mut self, bit: bool) {
        let within = self.step & 7;
        if within == 0 {
            self.bytes.push(0);
        }
        if let Some(byte) = self.bytes.last_mut() {
            *byte |= u8::from(bit).unbounded_shl(within);
        }
        self.step = self.step.saturating_add(1);
    }

    fn branch(&mut self, bit: u8, due: Option<u8>) {
        let gap = bit.abs_diff(due.unwrap_or(bit));
        self.step(gap == 0);
        if gap > 0 {
            self.gaps.push(gap);
        }
    }
}

struct Reader<'a> {
    hasher: &'a MapHasher,
    steps: &'a [u8],
    step: usize,
    gaps: &'a [u8],
    siblings: &'a [Digest],
    others: &'a [(Digest, Digest)],
}

impl Reader<'_> {
    /// The digest of the node below a branch at the bit before `due`, at which these records are
    /// looked for. It calls itself at most 256 deep, since each branch tests a later bit.
    fn node(
        &mut self,
        due: Option<u8>,
        records: &[(Digest, Option<Digest>)],
    ) -> Result<Digest, Error> {
        let part = self.hasher.part();
        if records.is_empty() {
            return self
                .siblings
                .split_off_first()
                .copied()
                .ok_or(Error::Shape { part });
        }
        let Some(bit) = self.branch(due)? else {
            let leaf = self.leaf(records)?;
            return Ok(self.hasher.leaf(&leaf.position, &leaf.record_hash));
        };
        let (right, left): (Vec<_>, Vec<_>) = records
            .iter()
            .copied()
            .partition(|(position, _)| bit_of(position, bit));
        let due = bit.checked_add(1);
        let left = self.node(due, &left)?;
        let right = self.node(due, &right)?;
        Ok(self.hasher.node(bit, &left, &right))
    }

    /// The bit that the next node tests; none for a leaf.
    fn branch(&mut self, due: Option<u8>) -> Result<Option<u8>, Error> {
        let shape = Error::Shape {
            part: self.hasher.part(),
        };
        let byte = self.steps.get(self.step.unbounded_shr(3));
        let byte = byte.ok_or_else(|| shape.clone())?;
        let is_due = byte >> (self.step & 7) & 1 == 1;
        self.step = self.step.saturating_add(1);
        let mut gap = 0;
        if !is_due {
            gap = *self.gaps.split_off_first().ok_or_else(|| shape.clone())?;
            if gap == 0 {
                return Ok(None);
            }
        }
        let bit = due.and_then(|due| due.checked_add(gap));
        bit.ok_or(shape).map(Some)
    }

    /// The leaf at which the searches for all these positions end.
    fn leaf(&mut self, records: &[(Digest, Option<Digest>)]) -> Result<Leaf, Error> {
        let part = self.hasher.part();
        let leaf = |(position, record_hash)| Leaf {
            position,
            record_hash,
        };
        let mut present = records
            .iter()
            .filter_map(|(position, hash)| Some(leaf((*position, (*hash)?))));
        if let Some(found) = present.next() {
            let is_only = present.next().is_none();
            return is_only
                .then_some(found)
                .ok_or(Error::RecordMismatch { part });
        }
        let other = self.others.split_off_first().copied();
        let other = leaf(other.ok_or(Error::Shape { part })?);
        if records
            .iter()
            .any(|(position, _)| *position == other.position)
        {
            let position = other.position;
            return Err(Error::NotAbsent { part, position });
        }
        Ok(other)
    }

    /// Whether everything sent was used; the bits that fill up the last byte are zero.
    fn is_finished(&self) -> bool {
        let last = self.steps.last().copied().unwrap_or(0);
        let used = self.step & 7;
        self.step.div_ceil(8) == self.steps.len()
            && (used == 0 || last >> used == 0)
            && self.gaps.is_empty()
            && self.others.is_empty()
            && self.siblings.is_empty()
    }
}

#[cfg(test)]
mod tests;
