//! The right edge of a log.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::bincode::de::Decoder;
use primitives::codec::bincode::enc::Encoder;
use primitives::codec::bincode::error::{DecodeError, EncodeError};
use primitives::codec::{Canonical, Decode, Encode, bincode};

use crate::error::{Error, Part};
use crate::hash::TreeHasher;

/// The right edge of a log: all it takes to append to it and to know its root.
///
/// Encoded as the size, u64 LE, then one peak for each of its one bits, widest subtree first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The log without entries.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            peaks: Vec::new(),
        }
    }

    /// The frontier of a log of `size` leaves with these peaks, widest subtree first.
    ///
    /// # Errors
    /// [`Error::PeakCount`] unless there is one peak for each one bit of the size.
    pub fn from_peaks(part: Part, size: u64, peaks: Vec<Digest>) -> Result<Self, Error> {
        let wanted = peaks_due(size);
        if peaks.len() != wanted {
            return Err(Error::PeakCount {
                part,
                found: peaks.len(),
                wanted,
            });
        }
        Ok(Self { size, peaks })
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, widest first.
    #[must_use]
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// Adds the digest of one more leaf. Cost: two hashes in the mean, at most 64.
    ///
    /// # Errors
    /// [`Error::Full`] at 2^64 - 1 leaves.
    pub fn append<H: TreeHasher>(&mut self, hasher: &H, leaf: Digest) -> Result<(), Error> {
        let size = self.size.checked_add(1).ok_or(Error::Full {
            part: hasher.part(),
            limit: u64::MAX,
        })?;
        let mut digest = leaf;
        // Each trailing one bit of the size is a peak that the new leaf completes to a wider one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                digest = hasher.node(&left, &digest);
            }
        }
        self.peaks.push(digest);
        self.size = size;
        Ok(())
    }

    /// The root. Cost: at most 63 hashes.
    #[must_use]
    pub fn root<H: TreeHasher>(&self, hasher: &H) -> Digest {
        let from_right = self.peaks.iter().rev().copied();
        from_right
            .reduce(|right, left| hasher.node(&left, &right))
            .unwrap_or_else(|| hasher.empty())
    }
}

impl Canonical for Frontier {
    const BYTES_MAX: usize = 8 + 32 * 64;
}

impl Encode for Frontier {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.size.encode(encoder)?;
        self.peaks.iter().try_for_each(|peak| peak.encode(encoder))
    }
}

impl<C> Decode<C> for Frontier {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let size = u64::decode(decoder)?;
        let peaks = (0..peaks_due(size))
            .map(|_| Digest::decode(decoder))
            .collect::<Result<_, _>>()?;
        Ok(Self { size, peaks })
    }
}

bincode::impl_borrow_decode!(Frontier);

fn peaks_due(size: u64) -> usize {
    // At most 64, which every usize can hold.
    usize::try_from(size.count_ones()).unwrap_or(usize::MAX)
}
