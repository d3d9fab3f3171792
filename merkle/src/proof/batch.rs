//! Several records or outputs at once, with each shared digest sent once.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::{Canonical, Decode, Encode, List};
use primitives::limits::{MULTI_POSITIONS_MAX, MULTI_SIBLINGS_MAX};

use super::output::OutputStatus;
use crate::dense::DenseTree;
use crate::error::Error;
use crate::hash::{Map, TreeKeys};
use crate::leaf::{Record, Spent, output_leaf};
use crate::log::root_by_multi;
use crate::map::{MapMulti, MapTree};
use crate::top::{SizedRoot, State, StateRoots, StateTree, TopProof};

/// Shows the records of several keys or names, or that they have none.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct RecordBatch {
    /// The record at each position, if there is one.
    pub records: List<Option<Record>, MULTI_POSITIONS_MAX>,
    /// From the positions to the root of the map.
    pub map: MapMulti,
    /// How many records the map has.
    pub size: u64,
    /// From the root of the map to the state root.
    pub top: TopProof,
}

impl Canonical for RecordBatch {
    const BYTES_MAX: usize = 4
        + (1 + Record::BYTES_MAX) * MULTI_POSITIONS_MAX
        + MapMulti::BYTES_MAX
        + 8
        + TopProof::BYTES;
}

impl RecordBatch {
    /// Shows what `tree`, which is as the state with these roots has it, holds at these positions;
    /// `records` are those whose hashes it holds there.
    ///
    /// # Errors
    /// [`Error::IndexOrder`] unless the positions increase strictly from at least one;
    /// [`Error::Encoding`] for too many.
    pub fn prove(
        keys: &TreeKeys,
        roots: &StateRoots,
        (map, tree): (Map, &MapTree),
        positions: &[Digest],
        records: Vec<Option<Record>>,
    ) -> Result<Self, Error> {
        Ok(Self {
            records: List::new(records)?,
            map: tree.prove_multi(positions)?,
            size: tree.sized_root().size,
            top: roots.prove(keys, map.into()),
        })
    }

    /// The record at each of these positions as of `state`, or none. Cost: one compression for each
    /// record, leaf, branch and sibling.
    ///
    /// # Errors
    /// [`Error::EntryCount`] unless there is one record, or the lack of one, for each position;
    /// those of [`MapMulti::root`]; [`Error::Root`]. The sender of the proof is to blame, unless
    /// the positions do not increase strictly from at least one.
    pub fn verify(
        &self,
        keys: &TreeKeys,
        map: Map,
        positions: &[Digest],
        state: &State,
    ) -> Result<Vec<Option<Record>>, Error> {
        check_given(map.part(), self.records.len(), positions.len())?;
        let hash = |record: &Option<Record>| record.map(|record| record.hash(keys, map));
        let hashes = self.records.iter().map(hash);
        let pairs: Vec<_> = positions.iter().copied().zip(hashes).collect();
        let sized = SizedRoot {
            root: self.map.root(keys.map(map), &pairs)?,
            size: self.size,
        };
        self.top.verify(keys, map.into(), &sized, state)?;
        Ok(self.records.to_vec())
    }
}

/// Shows of several outputs whether they are spent, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct OutputBatch {
    /// The number of each output over all blocks, ascending, and by what it was spent, if it was.
    pub outputs: List<(u64, Option<Spent>), MULTI_POSITIONS_MAX>,
    /// From the outputs to the root of the outputs tree.
    pub siblings: List<Digest, MULTI_SIBLINGS_MAX>,
    /// How many outputs the tree has.
    pub size: u64,
    /// From the root of the outputs tree to the state root.
    pub top: TopProof,
}

impl Canonical for OutputBatch {
    const BYTES_MAX: usize = 8
        + (9 + Spent::BYTES_MAX) * MULTI_POSITIONS_MAX
        + 32 * MULTI_SIBLINGS_MAX
        + 8
        + TopProof::BYTES;
}

impl OutputBatch {
    /// Shows the status of these outputs in `tree`, which is as the state with these roots has it.
    ///
    /// # Errors
    /// [`Error::IndexOrder`] unless the positions increase strictly from at least one;
    /// [`Error::Index`] for one without an output; [`Error::Encoding`] for too many.
    pub fn prove(
        keys: &TreeKeys,
        roots: &StateRoots,
        tree: &DenseTree,
        outputs: Vec<(u64, Option<Spent>)>,
    ) -> Result<Self, Error> {
        let outputs = List::new(outputs)?;
        let positions: Vec<_> = outputs.iter().map(|(position, _)| *position).collect();
        Ok(Self {
            outputs,
            siblings: List::new(tree.prove_multi(&positions)?)?,
            size: tree.size(),
            top: roots.prove(keys, StateTree::Outputs),
        })
    }

    /// The status as of `state` of the outputs with these commitments, in the order of their
    /// positions. Cost: one compression a sibling, and at most three an output.
    ///
    /// # Errors
    /// [`Error::EntryCount`] unless there is one output for each commitment;
    /// [`Error::IndexOrder`], [`Error::Index`], [`Error::SiblingCount`], [`Error::Root`]. The sender
    /// of the proof is to blame.
    pub fn verify(
        &self,
        keys: &TreeKeys,
        commitments: &[Digest],
        state: &State,
    ) -> Result<Vec<OutputStatus>, Error> {
        let hasher = keys.outputs();
        let part = crate::TreeHasher::part(hasher);
        check_given(part, self.outputs.len(), commitments.len())?;
        let leaf = |((position, spent), commitment): (&(u64, Option<Spent>), &Digest)| {
            (*position, output_leaf(keys, commitment, spent.as_ref()))
        };
        let leaves: Vec<_> = self.outputs.iter().zip(commitments).map(leaf).collect();
        let sized = SizedRoot {
            root: root_by_multi(hasher, self.size, &leaves, &self.siblings)?,
            size: self.size,
        };
        self.top.verify(keys, StateTree::Outputs, &sized, state)?;
        let status = |(_, spent): &(u64, Option<Spent>)| OutputStatus::new(*spent, state.height);
        Ok(self.outputs.iter().map(status).collect())
    }
}

fn check_given(part: crate::Part, found: usize, wanted: usize) -> Result<(), Error> {
    if found != wanted {
        return Err(Error::EntryCount {
            part,
            found: u64::try_from(found).unwrap_or(u64::MAX),
            wanted: u64::try_from(wanted).unwrap_or(u64::MAX),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
