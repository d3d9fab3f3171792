//! What changed on the way to a position since an older proof.
//!
//! Branches never vanish from a map, but one that is new can lead the search for an absent position
//! elsewhere, so the shape of the new path is sent, and the held siblings are found by their bits.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::bincode::de::Decoder;
use primitives::codec::bincode::enc::Encoder;
use primitives::codec::bincode::error::{DecodeError, EncodeError};
use primitives::codec::{Canonical, Decode, Encode, bincode};
use primitives::units::Height;

use super::proof::{MapPath, MapProof, decode_bits, encode_bits};
use super::walk::Found;
use crate::error::{Error, Part};
use crate::refresh::Sent;

/// What a map holds at one position, for a verifier that holds an older proof of that position: a tag
/// u8, the bits of the new path as in [`MapPath`], then the siblings that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapRefresh {
    end: End,
    bits: Vec<u8>,
    sent: Sent,
}

/// Where the new search ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// At the position.
    Present,
    /// At another position, with this record hash.
    Absent(Digest, Digest),
    /// At the other position and record hash that the held proof shows.
    AbsentAsHeld,
    /// Nowhere: the map is empty.
    Empty,
}

impl MapRefresh {
    /// The longest encoding, in bytes.
    pub const BYTES_MAX: usize = MapProof::BYTES_MAX + 32;

    pub(super) fn of(
        part: Part,
        position: &Digest,
        found: Option<Found>,
        held: Height,
    ) -> Result<Self, Error> {
        let Some(Found { steps, leaf, stamp }) = found else {
            return Ok(Self {
                end: End::Empty,
                bits: Vec::new(),
                sent: Sent::default(),
            });
        };
        MapPath::check_depth(part, steps.len())?;
        let sent = |step: &super::walk::Step| step.stamp.is_after(held).then_some(step.sibling);
        Ok(Self {
            end: if leaf.position == *position {
                End::Present
            } else if stamp.is_after(held) {
                End::Absent(leaf.position, leaf.record_hash)
            } else {
                End::AbsentAsHeld
            },
            bits: steps.iter().map(|step| step.bit).collect(),
            sent: steps.iter().map(sent).collect(),
        })
    }

    /// The whole new proof, from the one held; to be verified as any other. Cost: no hash.
    ///
    /// # Errors
    /// [`Error::NotHeld`] where something is kept that was not held. The sender of the refresh is to
    /// blame.
    pub fn apply(&self, part: Part, held: &MapProof) -> Result<MapProof, Error> {
        let (held_path, held_end) = match held {
            MapProof::Present { path } => (path.branches(), None),
            MapProof::Absent {
                path,
                position,
                record_hash,
            } => (path.branches(), Some((*position, *record_hash))),
            MapProof::Empty => (&[][..], None),
        };
        let held_path: Vec<_> = held_path
            .iter()
            .map(|(bit, sibling)| (u32::from(*bit), *sibling))
            .collect();
        let levels: Vec<_> = self.bits.iter().copied().map(u32::from).collect();
        let siblings = self.sent.apply(part, &levels, &held_path)?;
        let branches = self.bits.iter().copied().zip(siblings).collect();
        let path = MapPath::new(part, branches)?;
        let (position, record_hash) = match self.end {
            End::Present => return Ok(MapProof::Present { path }),
            End::Empty => return Ok(MapProof::Empty),
            End::Absent(position, record_hash) => (position, record_hash),
            End::AbsentAsHeld => {
                // The end of the path lies below all bits.
                held_end.ok_or(Error::NotHeld { part, level: 256 })?
            }
        };
        Ok(MapProof::Absent {
            path,
            position,
            record_hash,
        })
    }
}

impl Canonical for MapRefresh {
    const BYTES_MAX: usize = Self::BYTES_MAX;
}

impl Encode for MapRefresh {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let tag: u8 = match self.end {
            End::Present => 0,
            End::Absent(..) => 1,
            End::Empty => 2,
            End::AbsentAsHeld => 3,
        };
        tag.encode(encoder)?;
        if self.end == End::Empty {
            return Ok(());
        }
        encode_bits(&self.bits, encoder)?;
        self.sent.encode(encoder)?;
        if let End::Absent(position, record_hash) = self.end {
            position.encode(encoder)?;
            record_hash.encode(encoder)?;
        }
        Ok(())
    }
}

impl<C> Decode<C> for MapRefresh {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let tag = u8::decode(decoder)?;
        if tag == 2 {
            return Ok(Self {
                end: End::Empty,
                bits: Vec::new(),
                sent: Sent::default(),
            });
        }
        let bits = decode_bits(decoder)?;
        let count = u8::try_from(bits.len())
            .map_err(|_| DecodeError::Other("more siblings than a map path can have"))?;
        let sent = Sent::decode(decoder, count)?;
        let end = match tag {
            0 => End::Present,
            1 => End::Absent(Digest::decode(decoder)?, Digest::decode(decoder)?),
            3 => End::AbsentAsHeld,
            _ => return Err(DecodeError::Other("unknown kind of map refresh")),
        };
        Ok(Self { end, bits, sent })
    }
}

bincode::impl_borrow_decode!(MapRefresh);

#[cfg(test)]
mod tests;
