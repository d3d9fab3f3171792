//! What can be wrong with the nouns themselves.

/// A value that is not what it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes exceed the limit of their type; found before anything is allocated.
    #[error("{found} bytes where at most {limit} are allowed")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A list has more elements than its bound.
    #[error("{found} elements where at most {limit} are allowed")]
    TooMany {
        /// Elements found.
        found: usize,
        /// Elements allowed.
        limit: usize,
    },
    /// The bytes do not decode as the type.
    #[error("undecodable bytes: {reason}")]
    Undecodable {
        /// The decoder's own words.
        reason: &'static str,
    },
    /// The bytes decode, but encoding the value again gives other bytes, or bytes remain.
    #[error("bytes are not the canonical encoding of their value")]
    NotCanonical,
    /// A value that cannot be encoded; never caused by input from outside.
    #[error("unencodable value")]
    Unencodable,
    /// A public key that is not a canonical ristretto point, or is the identity.
    #[error("invalid public key {key}")]
    InvalidKey {
        /// The 32 bytes, in hex.
        key: crate::Digest,
    },
    /// A signature that does not verify for its role, chain, key and digest.
    #[error("invalid signature by key {key}")]
    InvalidSignature {
        /// The key it should have been made with.
        key: crate::keys::PublicKey,
    },
    /// Signatures of several keys as one that do not verify together.
    #[error("the aggregate of {keys} signatures does not hold")]
    InvalidAggregate {
        /// How many keys it was given for.
        keys: usize,
    },
    /// Text that is not the expected number of hexadecimal digits.
    #[error("not a hexadecimal string of {bytes} bytes")]
    InvalidHex {
        /// Bytes wanted.
        bytes: usize,
    },
    /// Text that is no decimal number of 64 bits.
    #[error("not a number of {unit}")]
    InvalidNumber {
        /// What it should count.
        unit: &'static str,
    },
    /// A sum, difference or product outside 64 bits.
    #[error("{unit} out of range")]
    Overflow {
        /// The unit that overflowed.
        unit: &'static str,
    },
}

impl Error {
    /// The key to blame, where one is known.
    #[must_use]
    pub const fn culprit(&self) -> Option<&crate::keys::PublicKey> {
        match self {
            Self::InvalidSignature { key } => Some(key),
            Self::TooLong { .. }
            | Self::TooMany { .. }
            | Self::Undecodable { .. }
            | Self::NotCanonical
            | Self::Unencodable
            | Self::InvalidKey { .. }
            | Self::InvalidAggregate { .. }
            | Self::InvalidHex { .. }
            | Self::InvalidNumber { .. }
            | Self::Overflow { .. } => None,
        }
    }
}
