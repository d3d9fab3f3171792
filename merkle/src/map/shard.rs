//! The part of a map whose positions begin with the same bits: a Patricia tree of its own, so that
//! several can be changed at once.

use alloc::vec::Vec;
use core::array;

use primitives::Digest;

use super::arena::{Arena, Branch, Leaf, Link, Node, Slot};
use super::{bit_of, first_difference};
use crate::error::{Error, Part};
use crate::hash::MapHasher;
use crate::refresh::Stamp;

/// Records that are set before their branches are hashed: as many neighbours as keep all those
/// branches in a processor's own cache. The few branches above several chunks are hashed for each.
const CHUNK: usize = 256;

#[derive(Debug, Clone)]
pub(super) struct Shard {
    pub(super) arena: Arena,
    pub(super) root: Option<Link>,
    /// Of no meaning without a root.
    pub(super) root_hash: Digest,
}

/// The changed branches by the bit they test.
struct Changed([Vec<u32>; 256]);

impl Changed {
    #[expect(clippy::indexing_slicing, reason = "a u8 lies within 256 elements")]
    fn add(&mut self, bit: u8, branch: u32) {
        self.0[usize::from(bit)].push(branch);
    }
}

impl Shard {
    pub(super) const fn new(part: Part) -> Self {
        Self {
            arena: Arena::new(part),
            root: None,
            root_hash: Digest::ZERO,
        }
    }

    /// Sets these [position, record hash] pairs, in order of position.
    pub(super) fn update(
        &mut self,
        hasher: &MapHasher,
        sorted: &[[Digest; 2]],
        stamp: Stamp,
    ) -> Result<(), Error> {
        let mut chunks = sorted.chunks(CHUNK);
        chunks.try_for_each(|chunk| self.update_chunk(hasher, chunk, stamp))
    }

    fn update_chunk(
        &mut self,
        hasher: &MapHasher,
        sorted: &[[Digest; 2]],
        stamp: Stamp,
    ) -> Result<(), Error> {
        let mut changed = Changed(array::from_fn(|_| Vec::new()));
        let hashes = hasher.leaves(sorted);
        for ([position, record_hash], hash) in sorted.iter().zip(hashes) {
            let leaf = Leaf {
                position: *position,
                record_hash: *record_hash,
            };
            let slot = self.set(leaf, hash, stamp)?;
            self.mark(slot, &mut changed)?;
        }
        self.rehash(hasher, &changed, stamp)
    }

    /// Follows the bits of `position` down to a leaf; yields where the leaf hangs and its number, or
    /// nothing if there is none.
    pub(super) fn search(&self, position: &Digest) -> Result<Option<(Slot, u32)>, Error> {
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
                }
            }
        }
    }

    /// Sets the leaf of its position; yields where it hangs.
    fn set(&mut self, new: Leaf, hash: Digest, stamp: Stamp) -> Result<Slot, Error> {
        let Some((slot, index)) = self.search(&new.position)? else {
            self.root = Some(self.arena.add_leaf(new)?);
            self.root_hash = hash;
            return Ok(Slot::TOP);
        };
        let leaf = self.arena.leaf_mut(index)?;
        match first_difference(&leaf.position, &new.position) {
            None => {
                leaf.record_hash = new.record_hash;
                self.set_hash(slot, hash, stamp)?;
                Ok(slot)
            }
            Some(bit) => self.insert(new, hash, bit, stamp),
        }
    }

    /// Hangs a branch at `bit` between the new leaf and the node whose positions it parts from;
    /// yields where the leaf hangs.
    fn insert(&mut self, new: Leaf, hash: Digest, bit: u8, stamp: Stamp) -> Result<Slot, Error> {
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
        // Neither child hung here before.
        self.arena.add_branch(branch, hashes, [stamp; 2]);
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
    fn rehash(&mut self, hasher: &MapHasher, changed: &Changed, stamp: Stamp) -> Result<(), Error> {
        for (bit, branches) in (0..=u8::MAX).zip(&changed.0).rev() {
            let mut slots = Vec::with_capacity(branches.len());
            let mut pairs = Vec::with_capacity(branches.len());
            for index in branches {
                let branch = self.arena.branch_mut(*index)?;
                branch.changed = false;
                slots.push(branch.above);
                pairs.push(self.arena.below(*index)?.hashes);
            }
            for (slot, hash) in slots.into_iter().zip(hasher.nodes(bit, &pairs)) {
                self.set_hash(slot, hash, stamp)?;
            }
        }
        Ok(())
    }

    fn hash(&self, slot: Slot) -> Result<Digest, Error> {
        if slot == Slot::TOP {
            return Ok(self.root_hash);
        }
        Ok(*slot.of(&self.arena.below(slot.branch())?.hashes))
    }

    fn set_hash(&mut self, slot: Slot, hash: Digest, stamp: Stamp) -> Result<(), Error> {
        if slot == Slot::TOP {
            self.root_hash = hash;
            return Ok(());
        }
        let below = self.arena.below_mut(slot.branch())?;
        *slot.of_mut(&mut below.hashes) = hash;
        *slot.of_mut(&mut below.stamps) = stamp;
        Ok(())
    }
}
