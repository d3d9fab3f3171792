//! Proofs that a map has a record at a position, or none, and their compact encoding.
//!
//! A path is encoded as `count u8 | dense u8 | gaps u8 x (count - dense) | siblings 32 x count`, from
//! the root down: the first `dense` branches test the bits 0, 1, 2 and so on, and each gap is how
//! many bits are skipped before a later branch. The first gap is above zero, or `dense` would be
//! larger. Source: docs/spec/state.md section 6.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::bincode::de::Decoder;
use primitives::codec::bincode::enc::Encoder;
use primitives::codec::bincode::error::{DecodeError, EncodeError};
use primitives::codec::{Canonical, Decode, Encode, bincode};
use primitives::limits::MAP_DEPTH_MAX;

use super::bit_of;
use super::walk::Found;
use crate::error::{Error, Part};
use crate::hash::MapHasher;

/// The branches above one position, from the root down: which bit each tests, and the digest of its
/// other child.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MapPath {
    branches: Vec<(u8, Digest)>,
}

impl MapPath {
    /// The longest encoding, in bytes.
    pub const BYTES_MAX: usize = 2 + 33 * MAP_DEPTH_MAX;

    /// `branches` are in order of their bits, as a tree yields them.
    pub(super) fn new(part: Part, branches: Vec<(u8, Digest)>) -> Result<Self, Error> {
        Self::check_depth(part, branches.len())?;
        Ok(Self { branches })
    }

    pub(super) fn check_depth(part: Part, found: usize) -> Result<(), Error> {
        let limit = MAP_DEPTH_MAX;
        if found > limit {
            return Err(Error::TooDeep { part, found, limit });
        }
        Ok(())
    }

    pub(super) fn branches(&self) -> &[(u8, Digest)] {
        &self.branches
    }

    /// The number of siblings.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.branches.len()
    }

    /// The root above `leaf`, reached from the root by the bits of `position`. Cost: one compression
    /// a sibling.
    fn root(&self, hasher: &MapHasher, position: &Digest, leaf: Digest) -> Digest {
        let upwards = self.branches.iter().rev();
        upwards.fold(leaf, |digest, (bit, sibling)| {
            if bit_of(position, *bit) {
                hasher.node(*bit, sibling, &digest)
            } else {
                hasher.node(*bit, &digest, sibling)
            }
        })
    }
}

/// `count u8 | dense u8 | gaps u8 x (count - dense)` for the bits of a path from the root down.
pub(super) fn encode_bits<E: Encoder>(bits: &[u8], encoder: &mut E) -> Result<(), EncodeError> {
    let count = u8::try_from(bits.len())
        .map_err(|_| EncodeError::Other("more siblings than a map path can have"))?;
    let dense = (0..count)
        .zip(bits)
        .take_while(|(due, bit)| due == *bit)
        .count();
    count.encode(encoder)?;
    // No larger than the count.
    u8::try_from(dense).unwrap_or(count).encode(encoder)?;
    let mut due = dense;
    for bit in bits.iter().skip(dense) {
        let bit = usize::from(*bit);
        let gap = bit.checked_sub(due).and_then(|gap| u8::try_from(gap).ok());
        gap.ok_or(EncodeError::Other("the branches are out of order"))?
            .encode(encoder)?;
        due = bit.saturating_add(1);
    }
    Ok(())
}

pub(super) fn decode_bits<D: Decoder>(decoder: &mut D) -> Result<Vec<u8>, DecodeError> {
    let count = u8::decode(decoder)?;
    let dense = u8::decode(decoder)?;
    let gaps = count
        .checked_sub(dense)
        .ok_or(DecodeError::Other("more dense levels than siblings"))?;
    let mut bits: Vec<u8> = (0..dense).collect();
    let mut due = Some(dense);
    for index in 0..gaps {
        let gap = u8::decode(decoder)?;
        if index == 0 && gap == 0 {
            return Err(DecodeError::Other("the first gap is zero"));
        }
        let bit = due
            .and_then(|due| due.checked_add(gap))
            .ok_or(DecodeError::Other("a branch below the last bit"))?;
        bits.push(bit);
        due = bit.checked_add(1);
    }
    Ok(bits)
}

impl Encode for MapPath {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let bits: Vec<_> = self.branches.iter().map(|(bit, _)| *bit).collect();
        encode_bits(&bits, encoder)?;
        let mut siblings = self.branches.iter();
        siblings.try_for_each(|(_, sibling)| sibling.encode(encoder))
    }
}

impl<C> Decode<C> for MapPath {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let branches = decode_bits(decoder)?
            .into_iter()
            .map(|bit| Ok((bit, Digest::decode(decoder)?)))
            .collect::<Result<_, DecodeError>>()?;
        Ok(Self { branches })
    }
}

bincode::impl_borrow_decode!(MapPath);

/// What a map holds at one position: a record, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapProof {
    /// A record; its verifier knows it.
    Present {
        /// From the root to the position.
        path: MapPath,
    },
    /// None: the search for the position ends at another one.
    Absent {
        /// From the root to the other position, by the bits of the position searched for.
        path: MapPath,
        /// The other position.
        position: Digest,
        /// The record hash of the other position.
        record_hash: Digest,
    },
    /// None: the map is empty.
    Empty,
}

impl MapProof {
    /// The longest encoding, in bytes.
    pub const BYTES_MAX: usize = 1 + MapPath::BYTES_MAX + 64;

    pub(super) fn of(part: Part, position: &Digest, found: Option<Found>) -> Result<Self, Error> {
        let Some(Found { steps, leaf, .. }) = found else {
            return Ok(Self::Empty);
        };
        let branches = steps.iter().map(|step| (step.bit, step.sibling));
        let path = MapPath::new(part, branches.collect())?;
        Ok(if leaf.position == *position {
            Self::Present { path }
        } else {
            Self::Absent {
                path,
                position: leaf.position,
                record_hash: leaf.record_hash,
            }
        })
    }

    /// The root of a map that has a record with this hash at `position`. Cost: one compression a
    /// sibling and one.
    ///
    /// # Errors
    /// [`Error::RecordMismatch`] if this is a proof of absence; its sender is to blame.
    pub fn root_if_present(
        &self,
        hasher: &MapHasher,
        position: &Digest,
        record_hash: &Digest,
    ) -> Result<Digest, Error> {
        match self {
            Self::Present { path } => {
                Ok(path.root(hasher, position, hasher.leaf(position, record_hash)))
            }
            Self::Absent { .. } | Self::Empty => Err(Error::RecordMismatch {
                part: hasher.part(),
            }),
        }
    }

    /// The root of a map that has no record at `position`. Cost: one compression a sibling and one.
    ///
    /// A search that follows the bits of the position can end at another leaf only if the position
    /// is absent, because the key of each node binds the bit at which it branches.
    ///
    /// # Errors
    /// [`Error::RecordMismatch`] if this is a proof of presence; [`Error::NotAbsent`] if it ends at
    /// the position itself. Its sender is to blame.
    pub fn root_if_absent(&self, hasher: &MapHasher, position: &Digest) -> Result<Digest, Error> {
        let part = hasher.part();
        match self {
            Self::Present { .. } => Err(Error::RecordMismatch { part }),
            Self::Absent {
                position: other, ..
            } if other == position => Err(Error::NotAbsent {
                part,
                position: *position,
            }),
            Self::Absent {
                path,
                position: other,
                record_hash,
            } => Ok(path.root(hasher, position, hasher.leaf(other, record_hash))),
            Self::Empty => Ok(hasher.empty()),
        }
    }
}

impl Canonical for MapProof {
    const BYTES_MAX: usize = Self::BYTES_MAX;
}

impl Encode for MapProof {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        match self {
            Self::Present { path } => {
                0_u8.encode(encoder)?;
                path.encode(encoder)
            }
            Self::Absent {
                path,
                position,
                record_hash,
            } => {
                1_u8.encode(encoder)?;
                path.encode(encoder)?;
                position.encode(encoder)?;
                record_hash.encode(encoder)
            }
            Self::Empty => 2_u8.encode(encoder),
        }
    }
}

impl<C> Decode<C> for MapProof {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        match u8::decode(decoder)? {
            0 => Ok(Self::Present {
                path: MapPath::decode(decoder)?,
            }),
            1 => Ok(Self::Absent {
                path: MapPath::decode(decoder)?,
                position: Digest::decode(decoder)?,
                record_hash: Digest::decode(decoder)?,
            }),
            2 => Ok(Self::Empty),
            _ => Err(DecodeError::Other("unknown kind of map proof")),
        }
    }
}

bincode::impl_borrow_decode!(MapProof);

#[cfg(test)]
mod tests;
