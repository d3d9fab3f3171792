//! Whether an output is spent, and by what.

use primitives::Digest;
use primitives::codec::{Canonical, Decode, Encode};
use primitives::units::Height;

use crate::dense::DenseTree;
use crate::error::Error;
use crate::hash::TreeKeys;
use crate::leaf::{Spent, output_leaf};
use crate::log::root_by_inclusion;
use crate::path::Path;
use crate::top::{SizedRoot, State, StateRoots, StateTree, TopProof};

/// Shows that an output is unspent, or by what it was spent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct OutputProof {
    /// The number of the output, over all blocks.
    pub position: u64,
    /// By what it was spent, if it was.
    pub spent: Option<Spent>,
    /// From the output to the root of the outputs tree.
    pub path: Path,
    /// How many outputs the tree has.
    pub size: u64,
    /// From the root of the outputs tree to the state root.
    pub top: TopProof,
}

impl Canonical for OutputProof {
    const BYTES_MAX: usize = 8 + 1 + Spent::BYTES_MAX + Path::BYTES_MAX + 8 + TopProof::BYTES;
}

/// What was proven of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStatus {
    /// Unspent in every block from its creation to this one.
    Unspent {
        /// The height of the state that shows it.
        as_of: Height,
    },
    /// Spent by this input; unspent in every block from its creation to the one before.
    Spent(Spent),
}

impl OutputStatus {
    pub(super) fn new(spent: Option<Spent>, as_of: Height) -> Self {
        spent.map_or(Self::Unspent { as_of }, Self::Spent)
    }
}

impl OutputProof {
    /// Shows the status of the output at `position` in `tree`, which is as the state with these
    /// roots has it.
    ///
    /// # Errors
    /// [`Error::Index`] for a position without an output.
    pub fn prove(
        keys: &TreeKeys,
        roots: &StateRoots,
        tree: &DenseTree,
        position: u64,
        spent: Option<Spent>,
    ) -> Result<Self, Error> {
        Ok(Self {
            position,
            spent,
            path: tree.prove(position)?,
            size: tree.size(),
            top: roots.prove(keys, StateTree::Outputs),
        })
    }

    /// The status as of `state` of the output with this commitment, which binds its outpoint, owner,
    /// amount and creation. Cost: one compression a sibling and five.
    ///
    /// # Errors
    /// [`Error::Index`], [`Error::SiblingCount`], [`Error::Root`]. The sender of the proof is to
    /// blame.
    pub fn verify(
        &self,
        keys: &TreeKeys,
        commitment: &Digest,
        state: &State,
    ) -> Result<OutputStatus, Error> {
        let leaf = output_leaf(keys, commitment, self.spent.as_ref());
        let size = self.size;
        let root = root_by_inclusion(keys.outputs(), self.position, size, leaf, &self.path)?;
        let sized = SizedRoot { root, size };
        self.top.verify(keys, StateTree::Outputs, &sized, state)?;
        Ok(OutputStatus::new(self.spent, state.height))
    }
}

#[cfg(test)]
mod tests;
