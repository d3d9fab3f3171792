//! Names: whoever registers one first holds it, and whoever holds it hands it over.
//!
//! ```text
//!   register(a) --0--> a --hand over to b--1--> b --hand over to c--2--> c
//! ```
//!
//! Each transaction of a name says its number, so that of two that are made for one place one at most
//! is applied.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use primitives::codec::bincode::de::Decoder;
use primitives::codec::bincode::error::DecodeError;
use primitives::codec::{Bytes, Decode, Encode, bincode};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;
use primitives::{Digest, limits};

use crate::error::Error;

/// A name: 1 to 64 of `a` to `z`, `0` to `9` and `-`, which neither begins nor ends with `-`. There is
/// one way to write each, and no two look alike but for the shapes of their letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Name(Bytes<{ limits::NAME_BYTES_MAX }>);

impl Name {
    /// The longest encoding, in bytes.
    pub const BYTES_MAX: usize = 4 + limits::NAME_BYTES_MAX;

    /// The name that is written so.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn new(text: &str) -> Result<Self, Error> {
        Self::of(text.as_bytes().to_vec()).ok_or(Error::Name)
    }

    /// How it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // ASCII alone, as every name was checked to be.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Where it stands in the map of names: `derive("primus v1 name position", its bytes)`.
    #[must_use]
    pub fn position(&self) -> Digest {
        derive(Domain::NamePosition, &[&self.0])
    }

    fn of(bytes: Vec<u8>) -> Option<Self> {
        let is_allowed = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let is_dash = |byte: Option<&u8>| byte == Some(&b'-');
        let is_name = !bytes.is_empty()
            && bytes.iter().all(is_allowed)
            && !is_dash(bytes.first())
            && !is_dash(bytes.last());
        let bytes = Bytes::new(bytes).ok()?;
        is_name.then_some(Self(bytes))
    }
}

impl<C> Decode<C> for Name {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let bytes = Bytes::<{ limits::NAME_BYTES_MAX }>::decode(decoder)?;
        Self::of(bytes.into_vec()).ok_or(DecodeError::Other("bytes that are no name"))
    }
}

bincode::impl_borrow_decode!(Name);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

/// Who holds a name, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Holder {
    /// The key.
    pub key: PublicKey,
    /// The number of the transaction that made it the holder, among those of the name, from 0.
    pub number: u64,
}

impl Holder {
    /// The number of the transaction that `holder` signs next, 0 where there is none.
    #[must_use]
    pub fn next_number(holder: Option<&Self>) -> u64 {
        holder.map_or(0, |holder| holder.number.saturating_add(1))
    }
}

#[cfg(test)]
mod tests;
