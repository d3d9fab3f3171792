//! What changed in the proof of a record or an output since an older one that the verifier holds.
//!
//! Applying a refresh gives back a whole proof, which is then verified as any other.

use primitives::codec::{Canonical, Decode, Encode};
use primitives::units::Height;

use super::output::OutputProof;
use super::record::{MapPosition, RecordProof};
use crate::dense::DenseTree;
use crate::error::{Error, Part};
use crate::hash::{Map, TreeKeys};
use crate::leaf::{Record, Spent};
use crate::map::{MapRefresh, MapTree};
use crate::refresh::PathRefresh;
use crate::top::{StateRoots, StateTree, TopProof};

/// The record of a key or name for a verifier that holds an older [`RecordProof`] of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct RecordRefresh {
    /// The record, unless it, or that there is none, is as held.
    pub record: Option<Record>,
    /// What changed on the path.
    pub map: MapRefresh,
    /// How many records the map has.
    pub size: u64,
    /// From the root of the map to the state root.
    pub top: TopProof,
}

impl Canonical for RecordRefresh {
    const BYTES_MAX: usize = 1 + Record::BYTES_MAX + MapRefresh::BYTES_MAX + 8 + TopProof::BYTES;
}

impl RecordRefresh {
    /// Shows what `tree`, which is as the state with these roots has it, holds at the position, for
    /// a verifier that holds its proof of block `held`; `record` is the one that it holds there.
    ///
    /// # Errors
    /// [`Error::TooDeep`] below 256 branches.
    pub fn prove(
        keys: &TreeKeys,
        roots: &StateRoots,
        tree: &MapTree,
        (at, record): (&MapPosition, Option<Record>),
        held: Height,
    ) -> Result<Self, Error> {
        Ok(Self {
            record: record.filter(|record| record.last_block > held),
            map: tree.refresh(&at.position, held)?,
            size: tree.sized_root().size,
            top: roots.prove(keys, at.map.into()),
        })
    }

    /// The whole new proof. Cost: no hash.
    ///
    /// # Errors
    /// [`Error::NotHeld`] where something is kept that was not held. The sender of the refresh is to
    /// blame.
    pub fn apply(&self, map: Map, held: &RecordProof) -> Result<RecordProof, Error> {
        Ok(RecordProof {
            record: self.record.or(held.record),
            map: self.map.apply(map.part(), &held.map)?,
            size: self.size,
            top: self.top,
        })
    }
}

/// The status of an output for a verifier that holds an older [`OutputProof`] of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct OutputRefresh {
    /// By what it was spent, unless that, or that it was not, is as held.
    pub spent: Option<Spent>,
    /// What changed on the path.
    pub path: PathRefresh,
    /// How many outputs the tree has.
    pub size: u64,
    /// From the root of the outputs tree to the state root.
    pub top: TopProof,
}

impl Canonical for OutputRefresh {
    const BYTES_MAX: usize = 1 + Spent::BYTES_MAX + PathRefresh::BYTES_MAX + 8 + TopProof::BYTES;
}

impl OutputRefresh {
    /// Shows the status of the output at `position` in `tree`, which is as the state with these
    /// roots has it, for a verifier that holds its proof of block `held`.
    ///
    /// # Errors
    /// [`Error::Index`] for a position without an output.
    pub fn prove(
        keys: &TreeKeys,
        roots: &StateRoots,
        tree: &DenseTree,
        (position, spent): (u64, Option<Spent>),
        held: Height,
    ) -> Result<Self, Error> {
        Ok(Self {
            spent: spent.filter(|spent| spent.block > held),
            path: tree.refresh(position, held)?,
            size: tree.size(),
            top: roots.prove(keys, StateTree::Outputs),
        })
    }

    /// The whole new proof. Cost: no hash.
    ///
    /// # Errors
    /// [`Error::NotHeld`] where something is kept that was not held; [`Error::Index`],
    /// [`Error::SiblingCount`]. The sender of the refresh is to blame.
    pub fn apply(&self, held: &OutputProof) -> Result<OutputProof, Error> {
        let position = held.position;
        let from = (held.size, &held.path);
        Ok(OutputProof {
            position,
            spent: self.spent.or(held.spent),
            path: self.path.apply(Part::Outputs, position, from, self.size)?,
            size: self.size,
            top: self.top,
        })
    }
}

#[cfg(test)]
mod tests;
