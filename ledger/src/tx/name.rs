//! Names: whoever registers one first holds it, and whoever holds it hands it over.
//!
//! ```text
//!   register(a) --0--> a --hand over to b--1--> b --hand over to c--2--> c
//! ```
//!
//! Each transaction of a name says its number, so that of two that are made for one place one at most
//! is applied.

use core::fmt;
use core::str::FromStr;

use primitives::Digest;
use primitives::codec::bincode::de::Decoder;
use primitives::codec::bincode::enc::Encoder;
use primitives::codec::bincode::error::{DecodeError, EncodeError};
use primitives::codec::{Bytes, Canonical, Decode, Encode, bincode};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;
use primitives::limits::NAME_BYTES_MAX;

use crate::error::Error;

/// A name: 1 to 64 of `a` to `z`, `0` to `9` and `-`, which neither begins nor ends with `-`. There is
/// one way to write each, and no two look alike but for the shapes of their letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Filled up with zeros.
    bytes: [u8; NAME_BYTES_MAX],
    length: usize,
}

impl Name {
    /// The longest encoding, in bytes.
    pub const BYTES_MAX: usize = 4 + NAME_BYTES_MAX;

    /// How it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // ASCII alone, as every name was checked to be.
        core::str::from_utf8(self.written()).unwrap_or_default()
    }

    /// Where it stands in the map of names: `derive("primus v1 name position", its bytes)`.
    #[must_use]
    pub fn position(&self) -> Digest {
        derive(Domain::NamePosition, &[self.written()])
    }

    fn written(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn of(written: &[u8]) -> Option<Self> {
        let is_allowed = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let is_dash = |byte: Option<&u8>| byte == Some(&b'-');
        let is_name = !written.is_empty()
            && written.iter().all(is_allowed)
            && !is_dash(written.first())
            && !is_dash(written.last());
        let mut bytes = [0; NAME_BYTES_MAX];
        bytes.get_mut(..written.len())?.copy_from_slice(written);
        let length = written.len();
        is_name.then_some(Self { bytes, length })
    }
}

impl Encode for Name {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let bytes = Bytes::<NAME_BYTES_MAX>::new(self.written().to_vec());
        let bytes = bytes.map_err(|_| EncodeError::Other("more bytes than a name has"))?;
        bytes.encode(encoder)
    }
}

impl<C> Decode<C> for Name {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let written = Bytes::<NAME_BYTES_MAX>::decode(decoder)?;
        Self::of(&written).ok_or(DecodeError::Other("bytes that are no name"))
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
        Self::of(text.as_bytes()).ok_or(Error::Name)
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

impl Canonical for Holder {
    const BYTES_MAX: usize = 40;
}

impl Holder {
    /// Whom a transaction makes the holder that hands a name from `from`, or from nobody, to `to`.
    #[must_use]
    pub(crate) fn after(from: Option<&Self>, to: PublicKey) -> Self {
        Self {
            key: to,
            number: Self::next_number(from),
        }
    }

    /// The number of the transaction that `holder` signs next, 0 where there is none.
    #[must_use]
    pub fn next_number(holder: Option<&Self>) -> u64 {
        holder.map_or(0, |holder| holder.number.saturating_add(1))
    }
}

#[cfg(test)]
mod tests;
