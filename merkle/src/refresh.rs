//! What changed on a path since an older proof: the verifier holds the old siblings, and only those
//! that are others now are sent.
//!
//! A refresh gives back a whole new path, which is then verified as any other: to believe it takes
//! no trust in what was kept. A peer may send more than it must: after a restart it knows of no
//! change before.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::bincode::de::Decoder;
use primitives::codec::bincode::enc::Encoder;
use primitives::codec::bincode::error::{DecodeError, EncodeError};
use primitives::codec::{Canonical, Decode, Encode, bincode};
use primitives::limits::LOG_DEPTH_MAX;
use primitives::units::Height;

use crate::error::{Error, Part};
use crate::log::check_count;
use crate::nodes::{bits, check_index};
use crate::path::Path;

/// The block at which a digest last changed. Blocks from 2^32 - 1 on count as later than any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(u32);

impl Stamp {
    /// Of what no refresh may keep.
    pub(crate) const ALWAYS: Self = Self(u32::MAX);

    pub(crate) fn at(height: Height) -> Self {
        Self(u32::try_from(height.get()).unwrap_or(u32::MAX))
    }

    /// Whether the digest may have changed after block `held`.
    pub(crate) fn is_after(self, held: Height) -> bool {
        self.0 == u32::MAX || u64::from(self.0) > held.get()
    }
}

/// What a new path has beside each of its levels: a digest that is sent, or nothing where the one
/// held for that level still stands.
///
/// Encoded, for a count of levels known already, as `ceil(count / 8)` bytes of bits, the lowest of
/// the first byte for the first level and 1 where a digest is sent, then these digests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sent(Vec<Option<Digest>>);

impl FromIterator<Option<Digest>> for Sent {
    fn from_iter<I: IntoIterator<Item = Option<Digest>>>(digests: I) -> Self {
        Self(digests.into_iter().collect())
    }
}

impl Sent {
    #[cfg(test)]
    pub(crate) fn count_sent(&self) -> usize {
        self.0.iter().flatten().count()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The new siblings. `levels` are those of the new path, `held` the siblings held, both in
    /// one order by ascending or both by descending level.
    pub(crate) fn apply(
        &self,
        part: Part,
        levels: &[u32],
        held: &[(u32, Digest)],
    ) -> Result<Vec<Digest>, Error> {
        check_count(part, self.0.len(), levels.len())?;
        let mut rest = held;
        let mut siblings = Vec::with_capacity(levels.len());
        for (level, sent) in levels.iter().copied().zip(&self.0) {
            let at = rest.iter().position(|(held, _)| *held == level);
            let (_, from) = rest.split_at(at.unwrap_or(0));
            rest = from;
            let known = at.and(rest.first()).map(|(_, digest)| *digest);
            siblings.push(sent.or(known).ok_or(Error::NotHeld { part, level })?);
        }
        Ok(siblings)
    }

    pub(crate) fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        for eight in self.0.chunks(8) {
            let set = (0_u32..).zip(eight).filter(|(_, sent)| sent.is_some());
            let byte = set.fold(0_u8, |byte, (bit, _)| byte | 1_u8.unbounded_shl(bit));
            byte.encode(encoder)?;
        }
        let mut digests = self.0.iter().flatten();
        digests.try_for_each(|digest| digest.encode(encoder))
    }

    pub(crate) fn decode<D: Decoder>(decoder: &mut D, count: u8) -> Result<Self, DecodeError> {
        let bytes = (0..count.div_ceil(8)).map(|_| u8::decode(decoder));
        let bytes = bytes.collect::<Result<Vec<u8>, _>>()?;
        let is_sent = |bit: u8| {
            let byte = bytes.get(usize::from(bit.unbounded_shr(3)));
            byte.is_some_and(|byte| byte.unbounded_shr(u32::from(bit & 7)) & 1 == 1)
        };
        // Idle bits are found by encoding again.
        let sent = |bit| is_sent(bit).then(|| Digest::decode(decoder)).transpose();
        (0..count).map(sent).collect()
    }
}

/// What changed on the path of a leaf of the outputs tree: a u8 count of the new siblings, then the
/// bits and digests that are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathRefresh(Sent);

impl PathRefresh {
    /// The longest encoding, in bytes.
    pub const BYTES_MAX: usize = 1 + LOG_DEPTH_MAX / 8 + 32 * LOG_DEPTH_MAX;

    pub(crate) fn new(sent: Sent) -> Self {
        Self(sent)
    }

    /// The path of the leaf `index` among `size` leaves, from the one held for it among `held_size`
    /// leaves. Cost: no hash.
    ///
    /// # Errors
    /// [`Error::Index`] for an index beyond either size; [`Error::SiblingCount`] for other lengths
    /// than those due; [`Error::NotHeld`] where a digest is kept that was not held. The sender of
    /// the refresh is to blame.
    pub fn apply(
        &self,
        part: Part,
        index: u64,
        (held_size, held): (u64, &Path),
        size: u64,
    ) -> Result<Path, Error> {
        check_index(part, index, held_size)?;
        check_index(part, index, size)?;
        let held_levels = levels(index, held_size);
        check_count(part, held.len(), held_levels.len())?;
        let held: Vec<_> = held_levels.into_iter().zip(held.iter().copied()).collect();
        Ok(Path::new(self.0.apply(
            part,
            &levels(index, size),
            &held,
        )?)?)
    }
}

impl Canonical for PathRefresh {
    const BYTES_MAX: usize = Self::BYTES_MAX;
}

impl Encode for PathRefresh {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        u8::try_from(self.0.len())
            .map_err(|_| EncodeError::Other("more digests than a path can have"))?
            .encode(encoder)?;
        self.0.encode(encoder)
    }
}

impl<C> Decode<C> for PathRefresh {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let count = u8::decode(decoder)?;
        if usize::from(count) > LOG_DEPTH_MAX {
            return Err(DecodeError::Other("a path is longer than its bound"));
        }
        Ok(Self(Sent::decode(decoder, count)?))
    }
}

bincode::impl_borrow_decode!(PathRefresh);

/// The levels of the siblings of the leaf `index` among `size` leaves, from the leaf up: all of
/// those on which a node stands to its right, and above them those on which one stands to its left.
pub(crate) fn levels(index: u64, size: u64) -> Vec<u32> {
    let inner = bits(index ^ size.saturating_sub(1));
    let has_sibling = |level: &u32| *level < inner || index.unbounded_shr(*level) & 1 == 1;
    (0..u64::BITS).filter(has_sibling).collect()
}

#[cfg(test)]
mod tests;
