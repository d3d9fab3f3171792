//! The only door between values and bytes: fixed-width integers, little endian, one byte string per
//! value. Source: docs/spec/encoding.md.
//!
//! Decoding checks the length limit first, then decodes, requires that every byte was consumed,
//! encodes the value again and compares. That one gate rejects trailing bytes, unsorted sets and
//! every other second form. Wire types hold no `usize`, float, `char`, map or bare `Vec`: lists are
//! [`List`], byte strings [`Bytes`], both bounded and grown only as bytes really arrive.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use crate::error::Error;

/// Re-exported for the derive macros' `#[bincode(crate = ..)]` alone.
pub use bincode;
use bincode::config::{Configuration, Fixint, LittleEndian, NoLimit};
use bincode::de::read::Reader;
use bincode::de::{BorrowDecode, BorrowDecoder, Decoder};
use bincode::enc::Encoder;
use bincode::enc::write::Writer;
use bincode::error::{DecodeError, EncodeError};
pub use bincode::{Decode, Encode};

type Config = Configuration<LittleEndian, Fixint, NoLimit>;
const CONFIG: Config = bincode::config::legacy();

/// A top-level type with a canonical encoding of at most `BYTES_MAX` bytes.
pub trait Canonical: Encode + Decode<()> {
    /// The longest encoding that is ever accepted, in bytes.
    const BYTES_MAX: usize;
}

/// The canonical bytes of `value`. Cost: one pass, one allocation.
///
/// # Errors
/// [`Error::Unencodable`] never for our own types; [`Error::TooLong`] above the type's limit.
pub fn encode<T: Canonical>(value: &T) -> Result<Vec<u8>, Error> {
    let bytes = bincode::encode_to_vec(value, CONFIG).map_err(|_| Error::Unencodable)?;
    check_length::<T>(&bytes)?;
    Ok(bytes)
}

/// The value of exactly these canonical bytes. Cost: two passes (decode, then encode to compare).
///
/// # Errors
/// [`Error::TooLong`] before anything is decoded; [`Error::Undecodable`]; [`Error::NotCanonical`]
/// for trailing bytes or any second form. The sender of the bytes is to blame.
pub fn decode<T: Canonical>(bytes: &[u8]) -> Result<T, Error> {
    check_length::<T>(bytes)?;
    let (value, read): (T, usize) =
        bincode::decode_from_slice(bytes, CONFIG).map_err(|error| undecodable(&error))?;
    let mut compare = Compare { rest: bytes };
    bincode::encode_into_writer(&value, &mut compare, CONFIG).map_err(|_| Error::NotCanonical)?;
    if read != bytes.len() || !compare.rest.is_empty() {
        return Err(Error::NotCanonical);
    }
    Ok(value)
}

fn check_length<T: Canonical>(bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() > T::BYTES_MAX {
        return Err(Error::TooLong {
            found: bytes.len(),
            limit: T::BYTES_MAX,
        });
    }
    Ok(())
}

/// A writer that only compares, so that decoding needs no second allocation.
struct Compare<'a> {
    rest: &'a [u8],
}

impl Writer for Compare<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        match self.rest.strip_prefix(bytes) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(EncodeError::Other("differs")),
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum, one word for the rest"
)]
fn undecodable(error: &DecodeError) -> Error {
    let reason = match error {
        DecodeError::UnexpectedEnd { .. } => "the bytes end too early",
        DecodeError::UnexpectedVariant { .. } => "unknown variant",
        DecodeError::InvalidBooleanValue(_) => "a boolean is neither 0 nor 1",
        DecodeError::Other(reason) => reason,
        _ => "malformed",
    };
    Error::Undecodable { reason }
}

/// A list of at most `MAX` elements: a u32 count, then the elements.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> List<T, MAX> {
    /// The list of these elements.
    ///
    /// # Errors
    /// [`Error::TooMany`] above `MAX`.
    pub fn new(elements: Vec<T>) -> Result<Self, Error> {
        if elements.len() > MAX {
            return Err(Error::TooMany {
                found: elements.len(),
                limit: MAX,
            });
        }
        Ok(Self(elements))
    }

    /// The list without elements.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// The elements.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: fmt::Debug, const MAX: usize> fmt::Debug for List<T, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Encode, const MAX: usize> Encode for List<T, MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_count(self.0.len(), encoder)?;
        self.0
            .iter()
            .try_for_each(|element| element.encode(encoder))
    }
}

impl<C, T: Decode<C>, const MAX: usize> Decode<C> for List<T, MAX> {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let count = decode_count::<MAX, D>(decoder)?;
        // Not reserved from the count: a short message must not claim a long list.
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(T::decode(decoder)?);
        }
        Ok(Self(elements))
    }
}

impl<'de, C, T: BorrowDecode<'de, C>, const MAX: usize> BorrowDecode<'de, C> for List<T, MAX> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        let count = decode_count::<MAX, D>(decoder)?;
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(T::borrow_decode(decoder)?);
        }
        Ok(Self(elements))
    }
}

/// A byte string of at most `MAX` bytes: a u32 count, then the bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Bytes<const MAX: usize>(Vec<u8>);

impl<const MAX: usize> Bytes<MAX> {
    /// The byte string of these bytes.
    ///
    /// # Errors
    /// [`Error::TooLong`] above `MAX`.
    pub fn new(bytes: Vec<u8>) -> Result<Self, Error> {
        if bytes.len() > MAX {
            return Err(Error::TooLong {
                found: bytes.len(),
                limit: MAX,
            });
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl<const MAX: usize> Deref for Bytes<MAX> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const MAX: usize> fmt::Debug for Bytes<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl<const MAX: usize> Encode for Bytes<MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_count(self.0.len(), encoder)?;
        encoder.writer().write(&self.0)
    }
}

impl<C, const MAX: usize> Decode<C> for Bytes<MAX> {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let mut left = decode_count::<MAX, D>(decoder)?;
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        while left > 0 {
            let (part, _) = chunk.split_at_mut(left.min(4096));
            decoder.reader().read(part)?;
            bytes.extend_from_slice(part);
            left = left.saturating_sub(part.len());
        }
        Ok(Self(bytes))
    }
}

impl<'de, C, const MAX: usize> BorrowDecode<'de, C> for Bytes<MAX> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

fn encode_count<E: Encoder>(count: usize, encoder: &mut E) -> Result<(), EncodeError> {
    u32::try_from(count)
        .map_err(|_| EncodeError::Other("count above 32 bits"))?
        .encode(encoder)
}

fn decode_count<const MAX: usize, D: Decoder>(decoder: &mut D) -> Result<usize, DecodeError> {
    usize::try_from(u32::decode(decoder)?)
        .ok()
        .filter(|count| *count <= MAX)
        .ok_or(DecodeError::Other(
            "a list or byte string is longer than its bound",
        ))
}

#[cfg(test)]
mod tests;
