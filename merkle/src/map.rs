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
//! together, so that hashing it, or proving through it, reads no other node. Source:
//! docs/spec/state.md sections 4 and 9.

use alloc::vec::Vec;
use core::array;

use primitives::Digest;

use crate::error::Error;
use crate::hash::{Map, MapHasher, TreeKeys};
use crate::top::SizedRoot;

mod arena;
mod proof;

use arena::{Arena, Branch, LEAVES_MAX, Leaf, Link, Node, Slot};
pub use proof::{MapPath, MapProof};

/// Records that are set before their branches are hashed: as many neighbours as keep all those
/// branches in a processor's own cache. The few branches above several chunks are hashed for each.
const CHUNK: usize = 256;

/// A map with all its nodes in memory, about 144 bytes a position.
#[derive(Debug, Clone)]
pub struct MapTree {
    hasher: MapHasher,
    arena: Arena,
    root: Option<Link>,
    root_hash: Digest,
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
            arena: Arena::new(hasher.part()),
            hasher,
            root: None,
        }
    }

    /// The root and the number of records. Cost: none.
    #[must_use]
    pub fn sized_root(&self) -> SizedRoot {
        SizedRoot {
            root: self.root_hash,
            size: count(&self.arena.leaves),
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
        let leaf = self.arena.leaf(leaf)?;
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
        let mut chunks = sorted.chunks(CHUNK);
        chunks.try_for_each(|chunk| self.update_chunk(chunk))
    }

    /// What the map holds at `position`: a proof of presence or of absence. Cost: about log2 n
    /// steps and no hash.
    ///
    /// # Errors
    /// [`Error::TooDeep`] below 256 branches, which takes about 2^255 hashes to bring about.
    pub fn prove(&self, position: &Digest) -> Result<MapProof, Error> {
        let mut turns = Vec::new();
        let found = self.search(position, |bit, slot| turns.push((bit, slot.other())))?;
        let Some((_, leaf)) = found else {
            return Ok(MapProof::Empty);
        };
        let sibling = |(bit, slot): (u8, Slot)| Ok((bit, self.hash(slot)?));
        let branches = turns
            .into_iter()
            .map(sibling)
            .collect::<Result<_, Error>>()?;
        let path = MapPath::new(self.arena.part, branches)?;
        let leaf = self.arena.leaf(leaf)?;
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

    fn update_chunk(&mut self, sorted: &[[Digest; 2]]) -> Result<(), Error> {
        let mut changed = Changed(array::from_fn(|_| Vec::new()));
        let hashes = self.hasher.leaves(sorted);
        for ([position, record_hash], hash) in sorted.iter().zip(hashes) {
            let leaf = Leaf {
                position: *position,
                record_hash: *record_hash,
            };
            let slot = self.set(leaf, hash)?;
            self.mark(slot, &mut changed)?;
        }
        self.rehash(&changed)
    }

    fn check_update(&self, sorted: &[[Digest; 2]]) -> Result<(), Error> {
        let part = self.arena.part;
        let mut pairs = sorted.iter().zip(sorted.iter().skip(1));
        if let Some(([position, _], _)) = pairs.find(|([one, _], [next, _])| one == next) {
            return Err(Error::RepeatedPosition {
                part,
                position: *position,
            });
        }
        if count(&self.arena.leaves).saturating_add(count(sorted)) > LEAVES_MAX {
            return Err(Error::Full {
                part,
                limit: LEAVES_MAX,
            });
        }
        Ok(())
    }

    /// Follows the bits of `position` down to a leaf, telling `visit` each bit tested and the slot
    /// chosen; yields where the leaf hangs and its number, or nothing if the map is empty.
    fn search(
        &self,
        position: &Digest,
        mut visit: impl FnMut(u8, Slot),
    ) -> Result<Option<(Slot, u32)>, Error> {
        let Some(mut link) = self.root else {
            return Ok(None);
        };
        let mut slot = Slot::TOP;
        loop {
            match link.node() {
                Node::Leaf(leaf) => return Ok(Some((slot, leaf))),
                Node::Branch(index) => {
                    let branch = self.arena.branch(index)?;
                    slot = Slot::new(index, bit_of(position, branch.bit));
                    link = *slot.of(&branch.children);
                    visit(branch.bit, slot);
                }
            }
        }
    }

    /// Sets the leaf of its position; yields where it hangs.
    fn set(&mut self, new: Leaf, hash: Digest) -> Result<Slot, Error> {
        let Some((slot, index)) = self.search(&new.position, |_, _| ())? else {
            self.root = Some(self.arena.add_leaf(new)?);
            self.root_hash = hash;
            return Ok(Slot::TOP);
        };
        let leaf = self.arena.leaf_mut(index)?;
        match first_difference(&leaf.position, &new.position) {
            None => {
                leaf.record_hash = new.record_hash;
                self.set_hash(slot, hash)?;
                Ok(slot)
            }
            Some(bit) => self.insert(new, hash, bit),
        }
    }

    /// Hangs a branch at `bit` between the new leaf and the node whose positions it parts from;
    /// yields where the leaf hangs.
    fn insert(&mut self, new: Leaf, hash: Digest, bit: u8) -> Result<Slot, Error> {
        let (above, other) = self.place(&new.position, bit)?;
        let other_hash = self.hash(above)?;
        let index = self.arena.next_branch()?;
        let slot = Slot::new(index, bit_of(&new.position, bit));
        let leaf = self.arena.add_leaf(new)?;
        let mut branch = Branch {
            children: [other; 2],
            above,
            bit,
            changed: false,
        };
        *slot.of_mut(&mut branch.children) = leaf;
        let mut hashes = [other_hash; 2];
        *slot.of_mut(&mut hashes) = hash;
        self.arena.add_branch(branch, hashes);
        if let Node::Branch(other) = other.node() {
            self.arena.branch_mut(other)?.above = slot.other();
        }
        let link = Link::new(Node::Branch(index));
        if above == Slot::TOP {
            self.root = Some(link);
        } else {
            let parent = self.arena.branch_mut(above.branch())?;
            *above.of_mut(&mut parent.children) = link;
        }
        Ok(slot)
    }

    /// The first node on the way to `position` that does not test a bit before `bit`, and where it
    /// hangs.
    fn place(&self, position: &Digest, bit: u8) -> Result<(Slot, Link), Error> {
        let mut slot = Slot::TOP;
        let mut link = self.root.ok_or_else(|| self.arena.missing(0))?;
        while let Node::Branch(index) = link.node() {
            let branch = self.arena.branch(index)?;
            if branch.bit >= bit {
                break;
            }
            slot = Slot::new(index, bit_of(position, branch.bit));
            link = *slot.of(&branch.children);
        }
        Ok((slot, link))
    }

    /// Marks the branches above `slot` as changed, up to the first that is marked already.
    fn mark(&mut self, mut slot: Slot, changed: &mut Changed) -> Result<(), Error> {
        while slot != Slot::TOP {
            let index = slot.branch();
            let branch = self.arena.branch_mut(index)?;
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
                let branch = self.arena.branch_mut(*index)?;
                branch.changed = false;
                slots.push(branch.above);
                pairs.push(*self.arena.hashes(*index)?);
            }
            for (slot, hash) in slots.into_iter().zip(self.hasher.nodes(bit, &pairs)) {
                self.set_hash(slot, hash)?;
            }
        }
        Ok(())
    }

    fn hash(&self, slot: Slot) -> Result<Digest, Error> {
        if slot == Slot::TOP {
            return Ok(self.root_hash);
        }
        Ok(*slot.of(self.arena.hashes(slot.branch())?))
    }

    fn set_hash(&mut self, slot: Slot, hash: Digest) -> Result<(), Error> {
        if slot == Slot::TOP {
            self.root_hash = hash;
        } else {
            *slot.of_mut(self.arena.hashes_mut(slot.branch())?) = hash;
        }
        Ok(())
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

fn count<T>(elements: &[T]) -> u64 {
    // No usize is wider than 64 bits.
    u64::try_from(elements.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
