//! Keys and names: whatever has a record and a log of the transactions that touch it.

use core::fmt;
use core::str::FromStr;

use merkle::Map;
use merkle::proof::record::MapPosition;
use primitives::codec::{Decode, Encode};
use primitives::keys::PublicKey;

use crate::error::Error;
use crate::rows::key_position;
use crate::tx::Name;

/// Whatever has a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Subject {
    /// A key.
    Key(PublicKey),
    /// A name.
    Name(Name),
}

impl Subject {
    /// The longest encoding, in bytes.
    pub const BYTES_MAX: usize = 4 + Name::BYTES_MAX;

    /// Where its record stands.
    #[must_use]
    pub fn position(&self) -> MapPosition {
        let (map, position) = match self {
            Self::Key(key) => (Map::Key, key_position(key)),
            Self::Name(name) => (Map::Name, name.position()),
        };
        MapPosition { map, position }
    }
}

impl fmt::Display for Subject {
    /// The digits of a key; a name behind `@`, since it may look like a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::Name(name) => write!(f, "@{name}"),
        }
    }
}

impl FromStr for Subject {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text.strip_prefix('@') {
            Some(name) => Self::Name(name.parse()?),
            None => Self::Key(text.parse()?),
        })
    }
}

#[cfg(test)]
mod tests;
