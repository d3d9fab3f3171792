//! The digests of one proof in a tree of RFC 9162 shape.

use alloc::vec::Vec;
use core::ops::Deref;

use primitives::Digest;
use primitives::codec::bincode::de::Decoder;
use primitives::codec::bincode::enc::Encoder;
use primitives::codec::bincode::error::{DecodeError, EncodeError};
use primitives::codec::{Decode, Encode, bincode};
use primitives::limits::LOG_DEPTH_MAX;

/// At most [`LOG_DEPTH_MAX`] digests: a u8 count, then the digests.
///
/// What they mean, and how many there must be, follows from the statement that they prove.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(Vec<Digest>);

impl Path {
    /// The longest encoding, in bytes.
    pub const BYTES_MAX: usize = 1 + 32 * LOG_DEPTH_MAX;

    /// The path of these digests.
    ///
    /// # Errors
    /// [`primitives::Error::TooMany`] above [`LOG_DEPTH_MAX`].
    pub fn new(digests: Vec<Digest>) -> Result<Self, primitives::Error> {
        if digests.len() > LOG_DEPTH_MAX {
            return Err(primitives::Error::TooMany {
                found: digests.len(),
                limit: LOG_DEPTH_MAX,
            });
        }
        Ok(Self(digests))
    }
}

impl Deref for Path {
    type Target = [Digest];

    fn deref(&self) -> &[Digest] {
        &self.0
    }
}

impl Encode for Path {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        u8::try_from(self.0.len())
            .map_err(|_| EncodeError::Other("more digests than a path can have"))?
            .encode(encoder)?;
        self.0.iter().try_for_each(|digest| digest.encode(encoder))
    }
}

impl<C> Decode<C> for Path {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let count = u8::decode(decoder)?;
        let digests = (0..count)
            .map(|_| Digest::decode(decoder))
            .collect::<Result<_, _>>()?;
        Self::new(digests).map_err(|_| DecodeError::Other("a path is longer than its bound"))
    }
}

bincode::impl_borrow_decode!(Path);

#[cfg(test)]
mod tests;
