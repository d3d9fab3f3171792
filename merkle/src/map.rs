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
//! The shape depends on the set of positions alone. Positions that
//! begin with the same bits are kept apart from others, so that several workers can change a map at
//! once; no digest depends on that. Source: docs/spec/state.md section 4.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::units::Height;

use crate::error::Error;
use crate::hash::{Map, MapHasher, TreeKeys};
use crate::refresh::Stamp;
use crate::top::SizedRoot;
use crate::workers::{self, Sequential, Workers};

mod arena;
mod multi;
mod proof;
mod refresh;
mod shard;
mod top;
mod view;
mod walk;

use arena::{LEAVES_MAX, Link, Node};
pub use multi::MapMulti;
pub use proof::{MapPath, MapProof};
pub use refresh::MapRefresh;
use shard::Shard;
use top::{SHARDS, Top};
pub use view::MapView;
use walk::{Fork, MapNodes, Opened};

/// The fewest records that are worth several workers: to wake one takes as long as to hash some ten.
const SPLIT_MIN: usize = 128;

/// A map with all its nodes in memory, about 152 bytes a position, and when each last changed.
#[derive(Debug, Clone)]
pub struct MapTree {
    hasher: MapHasher,
    top: Top,
    shards: Vec<Shard>,
    size: u64,
}

/// A node of the map.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Above the shards, by its number there.
    Top(usize),
    /// In a shard.
    Within(usize, Link),
}

impl MapTree {
    /// The map without records.
    #[must_use]
    pub fn new(map: Map, keys: &TreeKeys) -> Self {
        let hasher = keys.map(map).clone();
        Self {
            top: Top::new(),
            shards: (0..SHARDS).map(|_| Shard::new(hasher.part())).collect(),
            hasher,
            size: 0,
        }
    }

    /// The root and the number of records. Cost: none.
    #[must_use]
    pub fn sized_root(&self) -> SizedRoot {
        SizedRoot {
            root: self.top.root().unwrap_or_else(|| self.hasher.empty()),
            size: self.size,
        }
    }

    /// The record hash at `position`. Cost: about log2 n steps.
    ///
    /// # Errors
    /// [`Error::Missing`] never.
    pub fn record_hash(&self, position: &Digest) -> Result<Option<Digest>, Error> {
        let found = self.walk(position)?.map(|found| found.leaf);
        let found = found.filter(|leaf| leaf.position == *position);
        Ok(found.map(|leaf| leaf.record_hash))
    }

    /// Sets by block `at` these (position, record hash) pairs, given in any order; the root is the
    /// same for every order and whoever the workers are. Nothing changes on an error. Cost: one
    /// compression for each leaf and for each branch above them.
    ///
    /// # Errors
    /// [`Error::RepeatedPosition`] for a position named twice; [`Error::Full`] if the map could
    /// exceed 2^31 positions.
    pub fn update(
        &mut self,
        records: &[(Digest, Digest)],
        at: Height,
        workers: &dyn Workers,
    ) -> Result<(), Error> {
        // In order of position neighbours follow one another through the same memory.
        let mut sorted: Vec<_> = records.iter().map(|(at, hash)| [*at, *hash]).collect();
        sorted.sort_unstable_by_key(|[position, _]| *position);
        self.check_update(&sorted)?;
        let workers = match sorted.len() {
            ..SPLIT_MIN => &Sequential,
            _ => workers,
        };
        let (mut jobs, mut touched) = (Vec::new(), Vec::new());
        let mut rest = sorted.as_slice();
        for (index, shard) in self.shards.iter_mut().enumerate() {
            let cut = rest.partition_point(|[position, _]| top::shard_of(position) <= index);
            let (own, others) = rest.split_at(cut);
            rest = others;
            if !own.is_empty() {
                touched.push(index);
                jobs.push((shard, own));
            }
        }
        let (stamp, hasher) = (Stamp::at(at), &self.hasher);
        let update = |(shard, own): (&mut Shard, &[_])| -> Result<u64, Error> {
            let before = count(&shard.arena.leaves);
            shard.update(hasher, own, stamp)?;
            Ok(count(&shard.arena.leaves).abs_diff(before))
        };
        for added in workers::map(workers, jobs, update) {
            self.size = self.size.saturating_add(added?);
        }
        for index in &touched {
            let hash = self.shards.get(*index).map(|shard| shard.root_hash);
            self.top.set(*index, hash, stamp);
        }
        self.top.rehash(&self.hasher, &touched, stamp);
        Ok(())
    }

    fn check_update(&self, sorted: &[[Digest; 2]]) -> Result<(), Error> {
        self.check_distinct(sorted.iter().map(|[position, _]| position))?;
        if self.size.saturating_add(count(sorted)) > LEAVES_MAX {
            return Err(Error::Full {
                part: self.hasher.part(),
                limit: LEAVES_MAX,
            });
        }
        Ok(())
    }

    /// Sorted positions must not repeat.
    fn check_distinct<'a>(
        &self,
        sorted: impl Iterator<Item = &'a Digest> + Clone,
    ) -> Result<(), Error> {
        let mut pairs = sorted.clone().zip(sorted.skip(1));
        match pairs.find(|(one, next)| one == next) {
            Some((position, _)) => Err(Error::RepeatedPosition {
                part: self.hasher.part(),
                position: *position,
            }),
            None => Ok(()),
        }
    }

    /// What the map holds at `position`: a proof of presence or of absence. Cost: about log2 n
    /// steps and no hash.
    ///
    /// # Errors
    /// [`Error::TooDeep`] below 256 branches, which takes about 2^255 hashes to bring about.
    pub fn prove(&self, position: &Digest) -> Result<MapProof, Error> {
        MapProof::of(self.hasher.part(), position, self.walk(position)?)
    }

    /// What the map holds at `positions`, which increase strictly from at least one. Cost: about
    /// log2 n steps a position and no hash.
    ///
    /// # Errors
    /// [`Error::IndexOrder`] for positions in another order; [`Error::Encoding`] above
    /// [`primitives::limits::MULTI_POSITIONS_MAX`].
    pub fn prove_multi(&self, positions: &[Digest]) -> Result<MapMulti, Error> {
        MapMulti::prove(self.hasher.part(), self, positions)
    }

    /// What the map holds at `position`, for a verifier that holds the proof of block `held`: only
    /// the siblings that changed since. Cost: as [`MapTree::prove`].
    ///
    /// # Errors
    /// [`Error::TooDeep`] below 256 branches.
    pub fn refresh(&self, position: &Digest, held: Height) -> Result<MapRefresh, Error> {
        MapRefresh::of(self.hasher.part(), position, self.walk(position)?, held)
    }

    fn within(&self, shard: usize, link: Link) -> Result<Opened<Place>, Error> {
        let part = self.hasher.part();
        let missing = Error::Missing {
            part,
            level: 0,
            index: 0,
        };
        let arena = &self.shards.get(shard).ok_or(missing)?.arena;
        match link.node() {
            Node::Leaf(leaf) => Ok(Opened::Leaf(*arena.leaf(leaf)?)),
            Node::Branch(index) => {
                let (branch, below) = (arena.branch(index)?, arena.below(index)?);
                Ok(Opened::Fork(Fork {
                    bit: branch.bit,
                    children: branch.children.map(|child| Place::Within(shard, child)),
                    hashes: below.hashes,
                    stamps: below.stamps,
                }))
            }
        }
    }
}

impl MapNodes for MapTree {
    type Place = Place;

    fn root(&self) -> Option<(Place, Digest, Stamp)> {
        let (hash, stamp) = self.top.get(1)?;
        Some((Place::Top(1), hash, stamp))
    }

    fn open(&self, mut place: Place) -> Result<Opened<Place>, Error> {
        loop {
            match place {
                Place::Within(shard, link) => return self.within(shard, link),
                Place::Top(index) => match index.checked_sub(SHARDS) {
                    Some(shard) => {
                        let root = self.shards.get(shard).and_then(|shard| shard.root);
                        let root = root.ok_or(Error::Missing {
                            part: self.hasher.part(),
                            level: 0,
                            index: 0,
                        })?;
                        place = Place::Within(shard, root);
                    }
                    None => match self.top.fork(index) {
                        Ok(fork) => return Ok(Opened::Fork(fork)),
                        // A node with one child stands for that child.
                        Err(only) => place = Place::Top(only),
                    },
                },
            }
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

fn count<T>(elements: &[T]) -> u64 {
    // No usize is wider than 64 bits.
    u64::try_from(elements.len()).unwrap_or(u64::MAX)
}

/// What a map should hold.
#[cfg(test)]
type Records = alloc::collections::BTreeMap<Digest, Digest>;

#[cfg(test)]
mod tests;
