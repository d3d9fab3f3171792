//! Append-only trees of RFC 9162 shape: the left subtree holds the largest power of two of leaves
//! below the size, and an odd node is promoted, never duplicated.
//!
//! ```text
//!   size 5:        root            peaks: [0..4), [4..5)
//!                 /    \           proof of 4: the digest of [0..4)
//!             [0..4)    4          proof of 1: 0, [2..4), 4
//!             /    \
//!          [0..2) [2..4)
//! ```
//!
//! A proof holds digests only; its length follows from index and size and must be exact.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::bincode::de::Decoder;
use primitives::codec::bincode::enc::Encoder;
use primitives::codec::bincode::error::{DecodeError, EncodeError};
use primitives::codec::{Canonical, Decode, Encode, bincode};

use crate::error::{Error, Part};
use crate::hash::{B3, TreeHasher};
use crate::levels::Levels;
use crate::path::Path;
use crate::top::SizedRoot;

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

/// A log with the digests of all its nodes in memory, which can prove anything about itself.
#[derive(Debug, Clone)]
pub struct LogTree<H = B3> {
    hasher: H,
    levels: Levels,
}

impl<H: TreeHasher> LogTree<H> {
    /// The log without leaves.
    #[must_use]
    pub fn new(hasher: H) -> Self {
        let levels = Levels::new(hasher.part());
        Self { hasher, levels }
    }

    /// How leaves and nodes are hashed.
    #[must_use]
    pub const fn hasher(&self) -> &H {
        &self.hasher
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.size()
    }

    /// Adds the digest of one more leaf. Cost: one hash in the mean, at most log n.
    pub fn append(&mut self, leaf: Digest) {
        self.levels.append(&self.hasher, leaf);
    }

    /// The root over all leaves. Cost: at most log n hashes.
    ///
    /// # Errors
    /// [`Error::Missing`] never.
    pub fn root(&self) -> Result<Digest, Error> {
        self.root_at(self.size())
    }

    /// The root over the first `size` leaves. Cost: at most log n hashes.
    ///
    /// # Errors
    /// [`Error::Size`] above the size of the log.
    pub fn root_at(&self, size: u64) -> Result<Digest, Error> {
        self.levels.check_size(size)?;
        self.levels.root(&self.hasher, 0, size)
    }

    /// The root over all leaves with their number.
    ///
    /// # Errors
    /// [`Error::Missing`] never.
    pub fn sized_root(&self) -> Result<SizedRoot, Error> {
        Ok(SizedRoot {
            root: self.root()?,
            size: self.size(),
        })
    }

    /// The frontier over the first `size` leaves.
    ///
    /// # Errors
    /// [`Error::Size`] above the size of the log.
    pub fn frontier_at(&self, size: u64) -> Result<Frontier, Error> {
        let peaks = self.levels.peaks(size)?;
        Ok(Frontier { size, peaks })
    }

    /// The siblings of the leaf `index` among the first `size` leaves, from leaf to root. Cost: at
    /// most 2 log n look-ups and log n hashes.
    ///
    /// # Errors
    /// [`Error::Index`] unless `index < size`; [`Error::Size`] above the size of the log.
    pub fn prove_inclusion(&self, index: u64, size: u64) -> Result<Path, Error> {
        Ok(Path::new(self.levels.inclusion(
            &self.hasher,
            index,
            size,
        )?)?)
    }

    /// What shows that the first `new` leaves begin with the first `old` ones.
    ///
    /// # Errors
    /// [`Error::Size`] unless `old <= new <=` the size of the log.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<Path, Error> {
        Ok(Path::new(self.levels.consistency(
            &self.hasher,
            old,
            new,
        )?)?)
    }
}

/// The root that `leaf` at `index` among `size` leaves leads to by `path` (RFC 9162, 2.1.3.2).
/// Cost: one hash a sibling.
///
/// # Errors
/// [`Error::Index`] unless `index < size`; [`Error::SiblingCount`] for any other length of the
/// path than the only possible one. The sender of the proof is to blame.
pub fn root_by_inclusion<H: TreeHasher>(
    hasher: &H,
    index: u64,
    size: u64,
    leaf: Digest,
    path: &[Digest],
) -> Result<Digest, Error> {
    let part = hasher.part();
    let last = size.checked_sub(1).filter(|last| index <= *last);
    let last = last.ok_or(Error::Index { part, index, size })?;
    let inner = bits(index ^ last);
    let border = index.unbounded_shr(inner).count_ones();
    check_count(part, path.len(), &[inner, border])?;
    let mut digest = leaf;
    let mut turns = index;
    for (level, sibling) in (0_u32..).zip(path) {
        // Above the inner part only subtrees to the left remain.
        digest = if level >= inner || turns & 1 == 1 {
            hasher.node(sibling, &digest)
        } else {
            hasher.node(&digest, sibling)
        };
        turns = turns.unbounded_shr(1);
    }
    Ok(digest)
}

/// Checks that the log with root `new` begins with all leaves of the log with root `old` (RFC 9162,
/// 2.1.4.2). Cost: at most two hashes a digest.
///
/// # Errors
/// [`Error::Size`] if the old log is longer; [`Error::SiblingCount`] for any other length of the
/// path than the only possible one; [`Error::Root`] for either root. The sender of the proof is to
/// blame.
pub fn verify_consistency<H: TreeHasher>(
    hasher: &H,
    old: &SizedRoot,
    new: &SizedRoot,
    path: &[Digest],
) -> Result<(), Error> {
    let part = hasher.part();
    if old.size > new.size {
        return Err(Error::Size {
            part,
            found: old.size,
            limit: new.size,
        });
    }
    if old.size == 0 || old.size == new.size {
        check_count(part, path.len(), &[])?;
        // Every log begins with the empty one.
        let wanted = if old.size == 0 {
            hasher.empty()
        } else {
            new.root
        };
        check_root(part, old.root, wanted)?;
        return if new.size == 0 {
            check_root(part, new.root, wanted)
        } else {
            Ok(())
        };
    }
    let (last_old, last_new) = (old.size.abs_diff(1), new.size.abs_diff(1));
    // The path begins at the last complete subtree of the old log; if that is the whole old log,
    // its root is known.
    let begin = old.size.trailing_zeros();
    let inner = bits(last_old ^ last_new).saturating_sub(begin);
    let mut turns = last_old.unbounded_shr(begin);
    let border = turns.unbounded_shr(inner).count_ones();
    let known = old.size.is_power_of_two();
    check_count(part, path.len(), &[u32::from(!known), inner, border])?;
    let (seed, rest) = match path.split_first() {
        Some((seed, rest)) if !known => (*seed, rest),
        _ => (old.root, path),
    };
    let (mut found_old, mut found_new) = (seed, seed);
    for (level, sibling) in (0_u32..).zip(rest) {
        if level >= inner || turns & 1 == 1 {
            found_old = hasher.node(sibling, &found_old);
            found_new = hasher.node(sibling, &found_new);
        } else {
            found_new = hasher.node(&found_new, sibling);
        }
        turns = turns.unbounded_shr(1);
    }
    check_root(part, found_old, old.root)?;
    check_root(part, found_new, new.root)
}

pub(crate) fn check_root(part: Part, found: Digest, wanted: Digest) -> Result<(), Error> {
    if found != wanted {
        return Err(Error::Root {
            part,
            found,
            wanted,
        });
    }
    Ok(())
}

fn check_count(part: Part, found: usize, wanted: &[u32]) -> Result<(), Error> {
    let wanted = wanted.iter().copied().fold(0, u32::saturating_add);
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    if found != wanted {
        return Err(Error::SiblingCount {
            part,
            found,
            wanted,
        });
    }
    Ok(())
}

/// How many bits it takes to write `number`.
fn bits(number: u64) -> u32 {
    u64::BITS.saturating_sub(number.leading_zeros())
}

#[cfg(test)]
mod tests;
