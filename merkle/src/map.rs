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
use core::array;

use primitives::Digest;

use crate::error::Error;
use crate::hash::{Map, MapHasher, TreeKeys};
use crate::top::SizedRoot;

mod proof;

pub use proof::{MapPath, MapProof};

/// The largest number of positions: a link is 31 bits and a flag.
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
    /// Whether a hash below has changed since this branch was hashed; then so has one below every
    /// branch above it.
    changed: bool,
}

/// A leaf or a branch by its number.
#[derive(Debug, Clone, Copy)]
enum Node {
    Leaf(u32),
    Branch(u32),
}

/// A [`Node`] in 32 bits: its number doubled, and one more for leaves.
#[derive(Debug, Clone, Copy)]
struct Link(u32);

impl Link {
    fn new(node: Node) -> Self {
        match node {
            Node::Leaf(index) => Self(index.unbounded_shl(1) | 1),
            Node::Branch(index) => Self(index.unbounded_shl(1)),
        }
    }

    fn node(self) -> Node {
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
struct Slot(u32);

impl Slot {
    /// The root hangs nowhere; no branch has so large a number.
    const TOP: Self = Self(u32::MAX);

    fn new(branch: u32, right: bool) -> Self {
        Self(branch.unbounded_shl(1) | u32::from(right))
    }

    fn branch(self) -> u32 {
        self.0.unbounded_shr(1)
    }

    fn right(self) -> bool {
        self.0 & 1 == 1
    }
}

/// The changed branches by the bit they test.
struct Changed([Vec<u32>; 256]);

impl Changed {
    #[expect(clippy::indexing_slicing, reason = "a u8 lies within 256 elements")]
    fn add(&mut self, bit: u8, branch: u32) {
        self.0[usize::from(bit)].push(branch);
    }
}

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
            size: count(&self.leaves),
        }
    }

    /// The record hash at `position`. Cost: about log2 n steps.
    ///
    /// # Errors
    /// [`Error::Missing`] never.
    pub fn record_hash(&self, position: &Digest) -> Result<Option<Digest>, Error> {
        let Some((_, leaf)) = self.search(position, |_, _| ())? else {
            return Ok(None);
        };
        let leaf = self.leaf(leaf)?;
        Ok((leaf.position == *position).then_some(leaf.record_hash))
    }

    /// Sets these (position, record hash) pairs, given in any order; the root is the same for every
    /// order. Nothing changes on an error. Cost: one compression for each leaf and for each branch
    /// above them.
    ///
    /// # Errors
    /// [`Error::RepeatedPosition`] for a position named twice; [`Error::Full`] if the map could
    /// exceed 2^31 positions.
    pub fn update(&mut self, records: &[(Digest, Digest)]) -> Result<(), Error> {
        // In order of position neighbours follow one another through the same memory.
        let mut sorted: Vec<_> = records.iter().map(|(at, hash)| [*at, *hash]).collect();
        sorted.sort_unstable_by_key(|[position, _]| *position);
        self.check_update(&sorted)?;
        let mut changed = Changed(array::from_fn(|_| Vec::new()));
        let hashes = self.hasher.leaves(&sorted);
        for ([position, record_hash], hash) in sorted.into_iter().zip(hashes) {
            let leaf = Leaf {
                position,
                record_hash,
            };
            self.set(leaf, hash, &mut changed)?;
        }
        self.rehash(&changed)
    }

    /// What the map holds at `position`: a proof of presence or of absence. Cost: about log2 n
    /// steps and no hash.
    ///
    /// # Errors
    /// [`Error::TooDeep`] below 256 branches, which takes about 2^255 hashes to bring about.
    pub fn prove(&self, position: &Digest) -> Result<MapProof, Error> {
        let mut branches = Vec::new();
        let found = self.search(position, |branch, right| {
            branches.push((branch.bit, *side(&branch.hashes, !right)));
        })?;
        let Some((_, leaf)) = found else {
            return Ok(MapProof::Empty);
        };
        let leaf = self.leaf(leaf)?;
        let path = MapPath::new(self.hasher.part(), branches)?;
        Ok(if leaf.position == *position {
            MapProof::Present { path }
        } else {
            MapProof::Absent {
                path,
                position: leaf.position,
                record_hash: leaf.record_hash,
            }
        })
    }

    fn check_update(&self, sorted: &[[Digest; 2]]) -> Result<(), Error> {
        let part = self.hasher.part();
        let mut pairs = sorted.iter().zip(sorted.iter().skip(1));
        if let Some(([position, _], _)) = pairs.find(|([one, _], [next, _])| one == next) {
            return Err(Error::RepeatedPosition {
                part,
                position: *position,
            });
        }
        if count(&self.leaves).saturating_add(count(sorted)) > SIZE_MAX {
            return Err(Error::Full {
                part,
                limit: SIZE_MAX,
            });
        }
        Ok(())
    }

    /// Follows the bits of `position` down to a leaf, telling `visit` each branch and its turn;
    /// yields where the leaf hangs and its number, or nothing if the map is empty.
    fn search(
        &self,
        position: &Digest,
        mut visit: impl FnMut(&Branch, bool),
    ) -> Result<Option<(Slot, u32)>, Error> {
        let Some(mut link) = self.root else {
            return Ok(None);
        };
        let mut slot = Slot::TOP;
        loop {
            match link.node() {
                Node::Leaf(leaf) => return Ok(Some((slot, leaf))),
                Node::Branch(index) => {
                    let branch = self.branch(index)?;
                    let right = bit_of(position, branch.bit);
                    visit(branch, right);
                    slot = Slot::new(index, right);
                    link = *side(&branch.children, right);
                }
            }
        }
    }

    fn set(&mut self, new: Leaf, hash: Digest, changed: &mut Changed) -> Result<(), Error> {
        let Some((slot, index)) = self.search(&new.position, |_, _| ())? else {
            self.root = Some(Link::new(self.add_leaf(new)?));
            self.root_hash = hash;
            return Ok(());
        };
        let missing = self.missing(index);
        let leaf = usize::try_from(index)
            .ok()
            .and_then(|index| self.leaves.get_mut(index));
        let leaf = leaf.ok_or(missing)?;
        match first_difference(&leaf.position, &new.position) {
            None => {
                leaf.record_hash = new.record_hash;
                self.set_hash(slot, hash)?;
                self.mark(slot, changed)
            }
            Some(bit) => {
                let slot = self.insert(new, hash, bit)?;
                self.mark(slot, changed)
            }
        }
    }

    /// Hangs a branch at `bit` between the new leaf and the node whose positions it parts from;
    /// yields where the leaf hangs.
    fn insert(&mut self, new: Leaf, hash: Digest, bit: u8) -> Result<Slot, Error> {
        let right = bit_of(&new.position, bit);
        let (above, other) = self.place(&new.position, bit)?;
        let other_hash = match above {
            Slot::TOP => self.root_hash,
            slot => *side(&self.branch(slot.branch())?.hashes, slot.right()),
        };
        let leaf = Link::new(self.add_leaf(new)?);
        let index = self.number(self.branches.len())?;
        let pair = |new, other| if right { [other, new] } else { [new, other] };
        self.branches.push(Branch {
            hashes: if right {
                [other_hash, hash]
            } else {
                [hash, other_hash]
            },
            children: pair(leaf, other),
            above,
            bit,
            changed: false,
        });
        if let Node::Branch(other) = other.node() {
            self.branch_mut(other)?.above = Slot::new(index, !right);
        }
        let link = Link::new(Node::Branch(index));
        match above {
            Slot::TOP => self.root = Some(link),
            slot => {
                let parent = self.branch_mut(slot.branch())?;
                *side_mut(&mut parent.children, slot.right()) = link;
            }
        }
        Ok(Slot::new(index, right))
    }

    /// The first node on the way to `position` that does not test a bit before `bit`, and where it
    /// hangs.
    fn place(&self, position: &Digest, bit: u8) -> Result<(Slot, Link), Error> {
        let mut slot = Slot::TOP;
        let mut link = self.root.ok_or_else(|| self.missing(0))?;
        while let Node::Branch(index) = link.node() {
            let branch = self.branch(index)?;
            if branch.bit >= bit {
                break;
            }
            let right = bit_of(position, branch.bit);
            slot = Slot::new(index, right);
            link = *side(&branch.children, right);
        }
        Ok((slot, link))
    }

    /// Marks the branches above `slot` as changed, up to the first that is marked already.
    fn mark(&mut self, mut slot: Slot, changed: &mut Changed) -> Result<(), Error> {
        while slot != Slot::TOP {
            let index = slot.branch();
            let branch = self.branch_mut(index)?;
            if branch.changed {
                break;
            }
            branch.changed = true;
            changed.add(branch.bit, index);
            slot = branch.above;
        }
        Ok(())
    }

    /// Hashes each changed branch once: a child always tests a later bit than its parent.
    fn rehash(&mut self, changed: &Changed) -> Result<(), Error> {
        for (bit, branches) in (0..=u8::MAX).zip(&changed.0).rev() {
            let mut slots = Vec::with_capacity(branches.len());
            let mut pairs = Vec::with_capacity(branches.len());
            for index in branches {
                let branch = self.branch_mut(*index)?;
                branch.changed = false;
                slots.push(branch.above);
                pairs.push(branch.hashes);
            }
            for (slot, hash) in slots.into_iter().zip(self.hasher.nodes(bit, &pairs)) {
                self.set_hash(slot, hash)?;
            }
        }
        Ok(())
    }

    fn set_hash(&mut self, slot: Slot, hash: Digest) -> Result<(), Error> {
        match slot {
            Slot::TOP => self.root_hash = hash,
            slot => {
                let parent = self.branch_mut(slot.branch())?;
                *side_mut(&mut parent.hashes, slot.right()) = hash;
            }
        }
        Ok(())
    }

    fn add_leaf(&mut self, leaf: Leaf) -> Result<Node, Error> {
        let index = self.number(self.leaves.len())?;
        self.leaves.push(leaf);
        Ok(Node::Leaf(index))
    }

    fn number(&self, index: usize) -> Result<u32, Error> {
        u32::try_from(index).map_err(|_| Error::Full {
            part: self.hasher.part(),
            limit: SIZE_MAX,
        })
    }

    fn leaf(&self, index: u32) -> Result<&Leaf, Error> {
        let leaf = usize::try_from(index)
            .ok()
            .and_then(|index| self.leaves.get(index));
        leaf.ok_or_else(|| self.missing(index))
    }

    fn branch(&self, index: u32) -> Result<&Branch, Error> {
        let branch = usize::try_from(index)
            .ok()
            .and_then(|index| self.branches.get(index));
        branch.ok_or_else(|| self.missing(index))
    }

    fn branch_mut(&mut self, index: u32) -> Result<&mut Branch, Error> {
        let missing = self.missing(index);
        let branch = usize::try_from(index)
            .ok()
            .and_then(|index| self.branches.get_mut(index));
        branch.ok_or(missing)
    }

    fn missing(&self, index: u32) -> Error {
        Error::Missing {
            part: self.hasher.part(),
            level: 0,
            index: u64::from(index),
        }
    }
}

/// The bit of a position; 0 is the highest bit of the first byte.
fn bit_of(position: &Digest, bit: u8) -> bool {
    let byte = position.0.get(usize::from(bit.unbounded_shr(3)));
    byte.is_some_and(|byte| byte.rotate_left(u32::from(bit & 7)) & 0x80 != 0)
}

/// The first bit in which two positions differ, if they do.
fn first_difference(one: &Digest, other: &Digest) -> Option<u8> {
    let bytes = one.0.iter().zip(&other.0);
    let (index, differing) = (0_u8..)
        .zip(bytes.map(|(one, other)| one ^ other))
        .find(|(_, differing)| *differing != 0)?;
    let within = u8::try_from(differing.leading_zeros()).ok()?;
    Some(index.unbounded_shl(3) | within)
}

fn side<T>([left, right]: &[T; 2], is_right: bool) -> &T {
    if is_right { right } else { left }
}

fn side_mut<T>([left, right]: &mut [T; 2], is_right: bool) -> &mut T {
    if is_right { right } else { left }
}

fn count<T>(elements: &[T]) -> u64 {
    // No usize is wider than 64 bits.
    u64::try_from(elements.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
