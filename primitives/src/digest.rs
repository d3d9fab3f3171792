//! 32-byte digests, always domain-separated.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use blake3::IncrementCounter;
use blake3::platform::{self, Platform};

use crate::codec::{Decode, Encode};
use crate::domain::Domain;
use crate::error::Error;

/// A 32-byte BLAKE3 digest (or any 32 bytes that serve as one, such as a seed).
///
/// Ordered as bytes; ties in consensus are broken by this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Thirty-two zero bytes.
    pub const ZERO: Self = Self([0; 32]);

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight bytes as a little-endian number.
    #[must_use]
    pub fn first_u64(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        from_hex(text).map(Self)
    }
}

/// Reads exactly `N` bytes from lower- or upper-case hexadecimal text.
///
/// # Errors
/// [`Error::InvalidHex`] for any other length or character.
pub fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], Error> {
    let error = Error::InvalidHex { bytes: N };
    if text.len() != N.saturating_mul(2) {
        return Err(error);
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = core::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .ok_or_else(|| error.clone())?;
    }
    Ok(bytes)
}

/// Lower-case hexadecimal text of `bytes`.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// `derive(context, parts joined)`: BLAKE3 in derive-key mode. Cost: one compression per 64 bytes
/// and one for the context. Source: docs/spec/consensus.md section 11.
#[must_use]
pub fn derive(domain: Domain, parts: &[&[u8]]) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key(domain.context());
    for part in parts {
        hasher.update(part);
    }
    Digest(*hasher.finalize().as_bytes())
}

/// BLAKE3 in keyed mode over `parts` joined; 64 bytes are a single compression.
///
/// Used by the trees, where the key carries the domain (docs/spec/state.md section 2).
#[must_use]
pub fn keyed(key: &Digest, parts: &[&[u8]]) -> Digest {
    let mut hasher = blake3::Hasher::new_keyed(&key.0);
    for part in parts {
        hasher.update(part);
    }
    Digest(*hasher.finalize().as_bytes())
}

// 64 bytes are one chunk of one block: the first, the last and the root at once.
const KEYED_HASH: u8 = 1 << 4;
const CHUNK_START: u8 = 1;
const CHUNK_END_ROOT: u8 = 1 << 1 | 1 << 3;

/// [`keyed`] for one tree node of exactly 64 bytes: a single compression and nothing around it.
///
/// The library offers this only under `platform`, which it does not document: its version is pinned,
/// and tests hold the results of this and of [`keyed_pairs`] equal to [`keyed`].
#[must_use]
pub fn keyed_pair(key: &Digest, left: &Digest, right: &Digest) -> Digest {
    let mut input = [0; 64];
    let (a, b) = input.split_at_mut(32);
    a.copy_from_slice(&left.0);
    b.copy_from_slice(&right.0);
    let mut state = platform::words_from_le_bytes_32(&key.0);
    let flags = KEYED_HASH | CHUNK_START | CHUNK_END_ROOT;
    Platform::detect().compress_in_place(&mut state, &input, 64, 0, flags);
    Digest(platform::le_bytes_from_words_32(&state))
}

/// [`keyed_pair`] for many nodes under one key, in their order; several times as fast where the
/// processor hashes several inputs at once.
#[must_use]
pub fn keyed_pairs(key: &Digest, nodes: &[[Digest; 2]]) -> Vec<Digest> {
    /// As many as the widest processor takes at once.
    const LANES: usize = 16;
    let platform = Platform::detect();
    let key = platform::words_from_le_bytes_32(&key.0);
    let mut digests = Vec::with_capacity(nodes.len());
    for nodes in nodes.chunks(LANES) {
        let mut inputs = [[0; 64]; LANES];
        for (input, [left, right]) in inputs.iter_mut().zip(nodes) {
            let (a, b) = input.split_at_mut(32);
            a.copy_from_slice(&left.0);
            b.copy_from_slice(&right.0);
        }
        let inputs = inputs.each_ref();
        let (inputs, _) = inputs.split_at(nodes.len());
        let mut hashes = [0; 32 * LANES];
        platform.hash_many(
            inputs,
            &key,
            0,
            IncrementCounter::No,
            KEYED_HASH,
            CHUNK_START,
            CHUNK_END_ROOT,
            &mut hashes,
        );
        let (hashes, _) = hashes.as_chunks();
        digests.extend(hashes.iter().take(nodes.len()).copied().map(Digest));
    }
    digests
}

#[cfg(test)]
mod tests;
