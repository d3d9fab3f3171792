//! The tree of outputs: dense, positional, RFC 9162 shape; leaves are replaced when an output is
//! spent, and appended when one is created.
//!
//! An output's status changes once, from unspent to spent in a block, so the newest root also
//! answers for every earlier block. Source: docs/spec/state.md section 5.

use primitives::Digest;

use crate::error::Error;
use crate::hash::{B3, TreeHasher};
use crate::levels::Levels;
use crate::path::Path;
use crate::top::SizedRoot;

/// A dense tree with the digests of all its nodes in memory.
#[derive(Debug, Clone)]
pub struct DenseTree {
    hasher: B3,
    levels: Levels,
}

impl DenseTree {
    /// The tree without leaves.
    #[must_use]
    pub fn new(hasher: B3) -> Self {
        let levels = Levels::new(hasher.part());
        Self { hasher, levels }
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.size()
    }

    /// Adds one leaf at the position that the size was. Cost: one hash in the mean.
    pub fn append(&mut self, leaf: Digest) {
        self.levels.append(&self.hasher, leaf);
    }

    /// Replaces the leaves at these positions, in any order; nothing changes on an error. Cost: one
    /// hash for each node above them.
    ///
    /// # Errors
    /// [`Error::Index`] for a position without a leaf; [`Error::RepeatedIndex`] for one named twice.
    pub fn update(&mut self, leaves: &[(u64, Digest)]) -> Result<(), Error> {
        let mut sorted = leaves.to_vec();
        sorted.sort_unstable_by_key(|(position, _)| *position);
        self.levels.check_replace(&sorted)?;
        self.levels.replace(&self.hasher, sorted)
    }

    /// The root and the number of leaves. Cost: at most log n hashes.
    ///
    /// # Errors
    /// [`Error::Missing`] never.
    pub fn sized_root(&self) -> Result<SizedRoot, Error> {
        let size = self.size();
        let root = self.levels.root(&self.hasher, 0, size)?;
        Ok(SizedRoot { root, size })
    }

    /// The siblings of the leaf at `position`, from leaf to root; verified by
    /// [`crate::log::root_by_inclusion`]. Cost: at most log n hashes.
    ///
    /// # Errors
    /// [`Error::Index`] for a position without a leaf.
    pub fn prove(&self, position: u64) -> Result<Path, Error> {
        let siblings = self.levels.inclusion(&self.hasher, position, self.size())?;
        Ok(Path::new(siblings)?)
    }
}

#[cfg(test)]
mod tests;
