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
use core::ops::Range;

use primitives::Digest;

use crate::error::Error;
use crate::hash::{B3, TreeHasher};
use crate::levels::Levels;
use crate::nodes::{Nodes, check_size};
use crate::path::Path;
use crate::top::SizedRoot;

mod frontier;
mod verify;

pub use crate::nodes::check_subtree;
pub use frontier::Frontier;
pub(crate) use verify::{check_count, check_root};
pub use verify::{
    root_by_inclusion, root_by_multi, root_by_range, verify_consistency, verify_subtree,
};

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
        self.check_size(size)?;
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
        self.check_size(size)?;
        Frontier::from_peaks(self.hasher.part(), size, self.levels.peaks(size)?)
    }

    /// The siblings of the leaf `index` among the first `size` leaves, from leaf to root. Cost: at
    /// most 2 log n look-ups and log n hashes.
    ///
    /// # Errors
    /// [`Error::Index`] unless `index < size`; [`Error::Size`] above the size of the log.
    pub fn prove_inclusion(&self, index: u64, size: u64) -> Result<Path, Error> {
        self.check_size(size)?;
        let path = self.levels.inclusion(&self.hasher, index, size)?;
        Ok(Path::new(path)?)
    }

    /// What shows that the first `new` leaves begin with the first `old` ones.
    ///
    /// # Errors
    /// [`Error::Size`] unless `old <= new <=` the size of the log.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<Path, Error> {
        self.check_size(new)?;
        let path = self.levels.consistency(&self.hasher, old, new)?;
        Ok(Path::new(path)?)
    }

    /// What shows that the leaves of the subtree `range` are those among the first `size` leaves;
    /// verified by [`verify_subtree`].
    ///
    /// # Errors
    /// [`Error::Subtree`] unless [`check_subtree`] accepts the range; [`Error::Size`] unless it ends
    /// within `size`, and that within the log.
    pub fn prove_subtree(&self, range: Range<u64>, size: u64) -> Result<Path, Error> {
        self.check_size(size)?;
        let path = self.levels.subtree(&self.hasher, range, size)?;
        Ok(Path::new(path)?)
    }

    /// The root over the leaves of the subtree `range`.
    ///
    /// # Errors
    /// [`Error::Subtree`] unless [`check_subtree`] accepts the range; [`Error::Size`] above the size
    /// of the log.
    pub fn subtree_root(&self, range: &Range<u64>) -> Result<Digest, Error> {
        check_subtree(self.hasher.part(), range)?;
        self.check_size(range.end)?;
        let width = range.end.abs_diff(range.start);
        self.levels.root(&self.hasher, range.start, width)
    }

    /// The siblings that lead from all leaves of `range` to the root over the first `size` leaves;
    /// verified by [`root_by_range`]. Cost: one step a leaf, and two log n hashes.
    ///
    /// # Errors
    /// [`Error::IndexOrder`] for an empty range; [`Error::Index`] unless it ends within `size`;
    /// [`Error::Size`] above the size of the log.
    pub fn prove_range(&self, range: Range<u64>, size: u64) -> Result<Vec<Digest>, Error> {
        self.check_size(size)?;
        self.levels.range(&self.hasher, range, size)
    }

    fn check_size(&self, size: u64) -> Result<(), Error> {
        check_size(self.hasher.part(), size, self.size())
    }
}

#[cfg(test)]
mod tests;
