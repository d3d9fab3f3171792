//! The version byte that leads each top-level message, and nothing else.

use alloc::vec::Vec;

use primitives::codec::{self, Canonical};

use crate::error::Error;

/// The version of every message of this crate.
pub const VERSION: u8 = 1;

/// The version byte, then the canonical bytes of `message`.
///
/// # Errors
/// [`Error::Encoding`] above the type's limit.
pub fn to_bytes<T: Canonical>(message: &T) -> Result<Vec<u8>, Error> {
    let mut bytes = codec::encode(message)?;
    bytes.insert(0, VERSION);
    Ok(bytes)
}

/// The message of exactly these bytes.
///
/// # Errors
/// [`Error::Version`] for any version but [`VERSION`]; [`Error::Encoding`] for bytes that are not
/// the canonical form of a message. The sender is to blame.
pub fn from_bytes<T: Canonical>(bytes: &[u8]) -> Result<T, Error> {
    match bytes.split_first() {
        Some((&VERSION, body)) => Ok(codec::decode(body)?),
        Some((&found, _)) => Err(Error::Version { found }),
        None => Err(Error::Empty),
    }
}

#[cfg(test)]
mod tests;
