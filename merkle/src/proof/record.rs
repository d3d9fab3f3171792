//! The record of a key or name, or that it has none.

use primitives::Digest;
use primitives::codec::{Canonical, Decode, Encode};

use crate::error::Error;
use crate::hash::{Map, TreeKeys};
use crate::leaf::Record;
use crate::map::{MapProof, MapTree};
use crate::top::{SizedRoot, State, StateRoots, TopProof};

/// A position in one of the two maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapPosition {
    /// Which map.
    pub map: Map,
    /// Where in it: the hash of the public key or of the canonical name.
    pub position: Digest,
}

/// Shows the record of a key or name, or that it has none.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct RecordProof {
    /// The record, if there is one.
    pub record: Option<Record>,
    /// From the position to the root of the map.
    pub map: MapProof,
    /// How many records the map has.
    pub size: u64,
    /// From the root of the map to the state root.
    pub top: TopProof,
}

impl RecordProof {
    /// The longest encoding, in bytes.
    pub const BYTES_MAX: usize = 1 + Record::BYTES_MAX + MapProof::BYTES_MAX + 8 + TopProof::BYTES;

    /// Shows what `tree`, which is as the state with these roots has it, holds at the position;
    /// `record` is the one whose hash it holds there.
    ///
    /// # Errors
    /// [`Error::RecordMismatch`] unless a record is given exactly if there is one.
    pub fn prove(
        keys: &TreeKeys,
        roots: &StateRoots,
        tree: &MapTree,
        at: &MapPosition,
        record: Option<Record>,
    ) -> Result<Self, Error> {
        let map = tree.prove(&at.position)?;
        if record.is_some() != matches!(map, MapProof::Present { .. }) {
            return Err(Error::RecordMismatch {
                part: at.map.part(),
            });
        }
        Ok(Self {
            record,
            map,
            size: tree.sized_root().size,
            top: roots.prove(keys, at.map.into()),
        })
    }

    /// The record at this position as of `state`, or none. Cost: one compression a sibling and six.
    ///
    /// # Errors
    /// [`Error::RecordMismatch`], [`Error::NotAbsent`], [`Error::Root`]. The sender of the proof is
    /// to blame.
    pub fn verify(
        &self,
        keys: &TreeKeys,
        at: &MapPosition,
        state: &State,
    ) -> Result<Option<Record>, Error> {
        let hasher = keys.map(at.map);
        let root = match &self.record {
            Some(record) => {
                let hash = record.hash(keys, at.map);
                self.map.root_if_present(hasher, &at.position, &hash)?
            }
            None => self.map.root_if_absent(hasher, &at.position)?,
        };
        let sized = SizedRoot {
            root,
            size: self.size,
        };
        self.top.verify(keys, at.map.into(), &sized, state)?;
        Ok(self.record)
    }
}

impl Canonical for RecordProof {
    const BYTES_MAX: usize = Self::BYTES_MAX;
}

#[cfg(test)]
mod tests;
