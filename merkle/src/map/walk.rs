//! Following the bits of a position from the root of a map, as it is or as it was.

use alloc::vec::Vec;

use primitives::Digest;

use super::arena::Leaf;
use super::bit_of;
use crate::error::Error;
use crate::refresh::Stamp;

/// The nodes of a map, wherever they are kept.
pub(super) trait MapNodes {
    /// Names a node.
    type Place: Copy;

    /// The root, its digest, and when that changed; none for the empty map.
    fn root(&self) -> Option<(Self::Place, Digest, Stamp)>;

    /// What stands there.
    fn open(&self, place: Self::Place) -> Result<Opened<Self::Place>, Error>;

    /// The leaf at which the search for `position` ends, with all that hangs beside the way.
    fn walk(&self, position: &Digest) -> Result<Option<Found>, Error> {
        let Some((mut place, _, mut stamp)) = self.root() else {
            return Ok(None);
        };
        let mut steps = Vec::new();
        loop {
            match self.open(place)? {
                Opened::Leaf(leaf) => return Ok(Some(Found { steps, leaf, stamp })),
                Opened::Fork(fork) => {
                    let [left, right] = fork.stamps;
                    let [left_hash, right_hash] = fork.hashes;
                    let [left_child, right_child] = fork.children;
                    let sibling = if bit_of(position, fork.bit) {
                        (place, stamp) = (right_child, right);
                        (left_hash, left)
                    } else {
                        (place, stamp) = (left_child, left);
                        (right_hash, right)
                    };
                    steps.push(Step {
                        bit: fork.bit,
                        sibling: sibling.0,
                        stamp: sibling.1,
                    });
                }
            }
        }
    }
}

pub(super) enum Opened<P> {
    Leaf(Leaf),
    Fork(Fork<P>),
}

/// A branch with its children.
pub(super) struct Fork<P> {
    pub(super) bit: u8,
    pub(super) children: [P; 2],
    pub(super) hashes: [Digest; 2],
    /// When each child came to hang here as it is.
    pub(super) stamps: [Stamp; 2],
}

/// Where a search ended.
pub(super) struct Found {
    /// From the root down.
    pub(super) steps: Vec<Step>,
    pub(super) leaf: Leaf,
    /// When the leaf came to hang there as it is.
    pub(super) stamp: Stamp,
}

/// A branch on the way of a search.
pub(super) struct Step {
    pub(super) bit: u8,
    /// The other child.
    pub(super) sibling: Digest,
    pub(super) stamp: Stamp,
}
