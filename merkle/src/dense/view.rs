//! The tree of outputs as it was, or as it would be: some leaves replaced, and cut at a size.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use primitives::Digest;

use super::{DenseTree, sorted};
use crate::error::Error;
use crate::hash::TreeHasher;
use crate::nodes::{Nodes, check_size};
use crate::path::Path;
use crate::top::SizedRoot;

/// A version of a dense tree that keeps only the nodes in which it differs.
#[derive(Debug, Clone)]
pub struct DenseView<'a> {
    tree: &'a DenseTree,
    size: u64,
    changed: BTreeMap<(u32, u64), Digest>,
}

impl DenseTree {
    /// This tree cut at its first `size` leaves, with the leaves at these positions replaced: an
    /// older version, if they are what the leaves were then. Cost: one hash for each node above
    /// them.
    ///
    /// # Errors
    /// [`Error::Size`] above the size of the tree; [`Error::Index`] for a position beyond `size`;
    /// [`Error::RepeatedIndex`] for one named twice.
    pub fn view(&self, size: u64, leaves: &[(u64, Digest)]) -> Result<DenseView<'_>, Error> {
        let part = self.hasher.part();
        check_size(part, size, self.size())?;
        let mut view = DenseView {
            tree: self,
            size,
            changed: BTreeMap::new(),
        };
        view.replace(sorted(part, leaves, size)?)?;
        Ok(view)
    }
}

impl DenseView<'_> {
    /// The root and the number of leaves. Cost: at most log n hashes.
    ///
    /// # Errors
    /// [`Error::Missing`] never.
    pub fn sized_root(&self) -> Result<SizedRoot, Error> {
        let (root, size) = (self.root(&self.tree.hasher, 0, self.size)?, self.size);
        Ok(SizedRoot { root, size })
    }

    /// As [`DenseTree::prove`].
    ///
    /// # Errors
    /// [`Error::Index`] for a position without a leaf.
    pub fn prove(&self, position: u64) -> Result<Path, Error> {
        Ok(Path::new(self.inclusion(
            &self.tree.hasher,
            position,
            self.size,
        )?)?)
    }

    /// As [`DenseTree::prove_multi`].
    ///
    /// # Errors
    /// [`Error::IndexOrder`] unless the positions increase strictly from at least one;
    /// [`Error::Index`] for one without a leaf.
    pub fn prove_multi(&self, positions: &[u64]) -> Result<Vec<Digest>, Error> {
        self.multi(&self.tree.hasher, positions, self.size)
    }

    fn replace(&mut self, leaves: Vec<(u64, Digest)>) -> Result<(), Error> {
        let (mut changed, mut level) = (leaves, 0_u32);
        while !changed.is_empty() {
            let mut above: Vec<u64> = changed
                .iter()
                .map(|(index, _)| index.unbounded_shr(1))
                .collect();
            above.dedup();
            let keyed = |(index, digest)| ((level, index), digest);
            self.changed.extend(changed.into_iter().map(keyed));
            // Of complete nodes only.
            let width = self.size.unbounded_shr(level.saturating_add(1));
            above.retain(|index| *index < width);
            let pair = |index: &u64| {
                let left = index.unbounded_shl(1);
                Ok([self.node(level, left)?, self.node(level, left | 1)?])
            };
            let pairs = above.iter().map(pair).collect::<Result<Vec<_>, Error>>()?;
            let digests = self.tree.hasher.nodes(&pairs);
            changed = above.into_iter().zip(digests).collect();
            level = level.saturating_add(1);
        }
        Ok(())
    }
}

impl Nodes for DenseView<'_> {
    type Error = Error;

    fn node(&self, level: u32, index: u64) -> Result<Digest, Error> {
        match self.changed.get(&(level, index)) {
            Some(digest) => Ok(*digest),
            None => self.tree.levels.node(level, index),
        }
    }
}

#[cfg(test)]
mod tests;
