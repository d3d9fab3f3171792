//! A binary Patricia map from positions to record hashes, with the branch bit bound by the hash key.
//!
//! ```text
//!        [0]              an inner node stands only where positions part; its key is that of the
//!       /   \             bit at which they part, so a search that follows the bits of a position
//!    0100   [2]           ends at its leaf, or shows that there is none
//!          /   \
//!       1100   1011       (a chain of nodes without a branch costs nothing)
//! ```
//!
//! The shape depends on the set of positions alone. Each branch keeps the digests of its children
//! beside them, so that hashing it, or proving through it, reads no other node. Source:
//! docs/spec/state.md sections 4 and 9.

use alloc::vec::Vec;

use primitives::Digest;

use crate::error::{Error, Part};
use crate::hash::{Map, MapHasher, TreeKeys};
use crate::top::SizedRoot;

mod proof;

pub use proof::{MapPath, MapProof};

/// The largest number of positions: links are 31 bits and a flag.
const SIZE_MAX: u64 = 1 << 31;

/// A map with all its nodes in memory, about 144 bytes a position.
#[derive(Debug, Clone)]
pub struct MapTree {
    hasher: MapHasher,
    leaves: Vec<Leaf>,
    branches: Vec<Branch>,
    root: Option<Link>,
    root_hash: Digest,
}

#[derive(Debug, Clone)]
struct Leaf {
    position: Digest,
    record_hash: Digest,
}

#[derive(Debug, Clone)]
struct Branch {
    hashes: [Digest; 2],
    children: [Link; 2],
    above: Slot,
    bit: u8,
    changed: bool,
}

/// A leaf or a branch by its number, doubled; odd for leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Link(u32);

/// Where a node hangs: the number of its parent, doubled, and one more for the right child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot(u32);

impl MapTree {
    /// The map without records.
    #[must_use]
    pub fn new(map: Map, keys: &TreeKeys) -> Self {
        let hasher = keys.map(map).clone();
        Self {
            root_hash: hasher.empty(),
            hasher,
            leaves: Vec::new(),
            branches: Vec::new(),
            root: None,
        }
    }

    /// The root and the number of records. Cost: none.
    #[must_use]
    pub fn sized_root(&self) -> SizedRoot {
        SizedRoot {
            root: self.root_hash,
            // No usize is wider than 64 bits.
            size: u64::try_from(self.leaves.len()).unwrap_or(u64::MAX),
        }
    }

    /// The record hash at `position`. Cost: about log2 n steps.
    ///
    /// # Errors
    /// [`Error::Missing`] never.
    pub fn record_hash(&self, position: &Digest) -> Result<Option<Digest>, Error> {
        todo!()
    }

    /// Sets these (position, record hash) pairs, given in any order; the root is the same for every
    /// order. Nothing changes on an error. Cost: one compression for each leaf and each branch above
    /// them.
    ///
    /// # Errors
    /// [`Error::RepeatedPosition`] for a position named twice; [`Error::Full`] above 2^31 positions.
    pub fn update(&mut self, records: &[(Digest, Digest)]) -> Result<(), Error> {
        todo!()
    }

    /// What the map holds at `position`: a proof of presence or of absence. Cost: about log2 n steps,
    /// no hash.
    ///
    /// # Errors
    /// [`Error::TooDeep`] below 255 branches, which takes 2^255 hashes to bring about.
    pub fn prove(&self, position: &Digest) -> Result<MapProof, Error> {
        todo!()
    }
}

/// The bit of a position; 0 is the highest bit of the first byte.
fn bit_of(position: &Digest, bit: u8) -> bool {
    let byte = position.0.get(usize::from(bit.unbounded_shr(3)));
    byte.is_some_and(|byte| byte.rotate_left(u32::from(bit & 7)) & 0x80 != 0)
}
