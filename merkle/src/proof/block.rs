//! Headers of the past: one that a state builds on, or all of an older state.

use primitives::Digest;
use primitives::codec::{Canonical, Decode, Encode};
use primitives::units::Height;

use crate::error::Error;
use crate::hash::{TreeHasher, TreeKeys};
use crate::log::{LogTree, root_by_inclusion, verify_consistency};
use crate::path::Path;
use crate::top::{SizedRoot, State, StateRoots, StateTree, TopProof};

/// Shows that a header is among those that a state builds on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct BlockInclusion {
    /// From the header to the root of the block tree.
    pub path: Path,
    /// From there to the state root.
    pub top: TopProof,
}

impl Canonical for BlockInclusion {
    const BYTES_MAX: usize = Path::BYTES_MAX + TopProof::BYTES;
}

/// A header that is an ancestor of a trusted state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ancestor {
    /// The height of the header.
    pub height: Height,
    /// Its leaf in the block tree.
    pub leaf: Digest,
    /// The height of the state it is an ancestor of.
    pub of: Height,
}

impl BlockInclusion {
    /// Shows that the header of `height` is an ancestor of the state with these roots. `tree` may
    /// have grown since.
    ///
    /// # Errors
    /// [`Error::Index`] unless the state is above `height`; [`Error::Size`] if the tree is behind
    /// the state.
    pub fn prove(
        keys: &TreeKeys,
        roots: &StateRoots,
        tree: &LogTree,
        height: Height,
    ) -> Result<Self, Error> {
        Ok(Self {
            path: tree.prove_inclusion(height.get(), roots.block.size)?,
            top: roots.prove(keys, StateTree::Block),
        })
    }

    /// Checks that `header`, the bytes that the leaf of the block tree is made of, stands at
    /// `height` in the past of `state`. Cost: at most 64 compressions and those of the header.
    ///
    /// # Errors
    /// [`Error::Index`] unless the state is above `height`; [`Error::SiblingCount`];
    /// [`Error::Root`]. The sender of the proof is to blame.
    pub fn verify(
        &self,
        keys: &TreeKeys,
        height: Height,
        header: &[u8],
        state: &State,
    ) -> Result<Ancestor, Error> {
        let size = state.height.get();
        let leaf = keys.block().leaf(header);
        let root = root_by_inclusion(keys.block(), height.get(), size, leaf, &self.path)?;
        let sized = SizedRoot { root, size };
        self.top.verify(keys, StateTree::Block, &sized, state)?;
        Ok(Ancestor {
            height,
            leaf,
            of: state.height,
        })
    }
}

/// Shows that the headers an older state builds on are the first of those a newer one builds on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct BlockConsistency {
    /// The root of the block tree under the older state.
    pub old_root: Digest,
    /// From there to the older state root.
    pub old_top: TopProof,
    /// The root of the block tree under the newer state.
    pub new_root: Digest,
    /// From there to the newer state root.
    pub new_top: TopProof,
    /// From one root to the other.
    pub path: Path,
}

impl Canonical for BlockConsistency {
    const BYTES_MAX: usize = 64 + 2 * TopProof::BYTES + Path::BYTES_MAX;
}

/// Two trusted states with one past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnePast {
    /// The height up to which the past is the same: that of the older state.
    pub old: Height,
    /// The height of the newer state.
    pub new: Height,
}

impl BlockConsistency {
    /// Shows that the state with the roots `new` continues the past of the one with the roots `old`.
    ///
    /// # Errors
    /// [`Error::Size`] unless `old` is the older one and `tree` holds the headers of both.
    pub fn prove(
        keys: &TreeKeys,
        old: &StateRoots,
        new: &StateRoots,
        tree: &LogTree,
    ) -> Result<Self, Error> {
        Ok(Self {
            old_root: old.block.root,
            old_top: old.prove(keys, StateTree::Block),
            new_root: new.block.root,
            new_top: new.prove(keys, StateTree::Block),
            path: tree.prove_consistency(old.block.size, new.block.size)?,
        })
    }

    /// Checks that `new` continues the past of `old`. Cost: at most 128 compressions.
    ///
    /// # Errors
    /// [`Error::Size`] unless `old` is the older one; [`Error::SiblingCount`]; [`Error::Root`]. The
    /// sender of the proof is to blame.
    pub fn verify(&self, keys: &TreeKeys, old: &State, new: &State) -> Result<OnePast, Error> {
        let old_sized = SizedRoot {
            root: self.old_root,
            size: old.height.get(),
        };
        let new_sized = SizedRoot {
            root: self.new_root,
            size: new.height.get(),
        };
        verify_consistency(keys.block(), &old_sized, &new_sized, &self.path)?;
        let tree = StateTree::Block;
        self.old_top.verify(keys, tree, &old_sized, old)?;
        self.new_top.verify(keys, tree, &new_sized, new)?;
        Ok(OnePast {
            old: old.height,
            new: new.height,
        })
    }
}

#[cfg(test)]
mod tests;
