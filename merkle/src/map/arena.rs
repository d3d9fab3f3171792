//! The nodes of a map in three arrays: what a search reads lies apart from the digests, so that it
//! stays in the processor's cache.

use alloc::vec::Vec;

use primitives::Digest;

use crate::error::{Error, Part};
use crate::refresh::Stamp;

/// The largest number of leaves: a link is 31 bits and a flag.
pub(super) const LEAVES_MAX: u64 = 1 << 31;

#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf {
    pub(super) position: Digest,
    pub(super) record_hash: Digest,
}

#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) children: [Link; 2],
    pub(super) above: Slot,
    pub(super) bit: u8,
    /// Whether a digest below has changed since this branch was hashed; then so has one below every
    /// branch above it.
    pub(super) changed: bool,
}

/// A leaf or a branch by its number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node {
    Leaf(u32),
    Branch(u32),
}

/// A [`Node`] in 32 bits: its number doubled, and one more for leaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link(u32);

impl Link {
    pub(super) fn new(node: Node) -> Self {
        match node {
            Node::Leaf(index) => Self(index.unbounded_shl(1) | 1),
            Node::Branch(index) => Self(index.unbounded_shl(1)),
        }
    }

    pub(super) fn node(self) -> Node {
        let index = self.0.unbounded_shr(1);
        if self.0 & 1 == 1 {
            Node::Leaf(index)
        } else {
            Node::Branch(index)
        }
    }
}

/// Where a node hangs: the number of its parent doubled, and one more for the right child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot(u32);

impl Slot {
    /// The root hangs nowhere; no branch has so large a number.
    pub(super) const TOP: Self = Self(u32::MAX);

    pub(super) fn new(branch: u32, right: bool) -> Self {
        Self(branch.unbounded_shl(1) | u32::from(right))
    }

    pub(super) fn branch(self) -> u32 {
        self.0.unbounded_shr(1)
    }

    /// The slot of the other child of the same parent.
    pub(super) fn other(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// Of two things, one a child, the one of this child.
    pub(super) fn of<T>(self, [left, right]: &[T; 2]) -> &T {
        if self.0 & 1 == 1 { right } else { left }
    }

    pub(super) fn of_mut<T>(self, [left, right]: &mut [T; 2]) -> &mut T {
        if self.0 & 1 == 1 { right } else { left }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Arena {
    pub(super) part: Part,
    pub(super) leaves: Vec<Leaf>,
    branches: Vec<Branch>,
    below: Vec<Below>,
}

/// What a branch keeps of its children, so that hashing it or proving through it reads no other node.
#[derive(Debug, Clone)]
pub(super) struct Below {
    pub(super) hashes: [Digest; 2],
    /// When each came to hang here as it is.
    pub(super) stamps: [Stamp; 2],
}

impl Arena {
    pub(super) const fn new(part: Part) -> Self {
        Self {
            part,
            leaves: Vec::new(),
            branches: Vec::new(),
            below: Vec::new(),
        }
    }

    pub(super) fn add_leaf(&mut self, leaf: Leaf) -> Result<Link, Error> {
        let index = self.number(self.leaves.len())?;
        self.leaves.push(leaf);
        Ok(Link::new(Node::Leaf(index)))
    }

    /// The number that [`Arena::add_branch`] gives next.
    pub(super) fn next_branch(&self) -> Result<u32, Error> {
        self.number(self.branches.len())
    }

    pub(super) fn add_branch(&mut self, branch: Branch, hashes: [Digest; 2], stamps: [Stamp; 2]) {
        self.branches.push(branch);
        self.below.push(Below { hashes, stamps });
    }

    pub(super) fn leaf(&self, index: u32) -> Result<&Leaf, Error> {
        at(&self.leaves, index).ok_or_else(|| self.missing(index))
    }

    pub(super) fn leaf_mut(&mut self, index: u32) -> Result<&mut Leaf, Error> {
        let missing = self.missing(index);
        at_mut(&mut self.leaves, index).ok_or(missing)
    }

    pub(super) fn branch(&self, index: u32) -> Result<&Branch, Error> {
        at(&self.branches, index).ok_or_else(|| self.missing(index))
    }

    pub(super) fn branch_mut(&mut self, index: u32) -> Result<&mut Branch, Error> {
        let missing = self.missing(index);
        at_mut(&mut self.branches, index).ok_or(missing)
    }

    pub(super) fn below(&self, branch: u32) -> Result<&Below, Error> {
        at(&self.below, branch).ok_or_else(|| self.missing(branch))
    }

    pub(super) fn below_mut(&mut self, branch: u32) -> Result<&mut Below, Error> {
        let missing = self.missing(branch);
        at_mut(&mut self.below, branch).ok_or(missing)
    }

    pub(super) fn missing(&self, index: u32) -> Error {
        Error::Missing {
            part: self.part,
            level: 0,
            index: u64::from(index),
        }
    }

    fn number(&self, index: usize) -> Result<u32, Error> {
        u32::try_from(index).map_err(|_| Error::Full {
            part: self.part,
            limit: LEAVES_MAX,
        })
    }
}

fn at<T>(elements: &[T], index: u32) -> Option<&T> {
    elements.get(usize::try_from(index).ok()?)
}

fn at_mut<T>(elements: &mut [T], index: u32) -> Option<&mut T> {
    elements.get_mut(usize::try_from(index).ok()?)
}
