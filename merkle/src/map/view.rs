//! A map as it was, or as it would be: some records set, some taken away.
//!
//! Only the nodes that differ from those of the map below are kept.

use alloc::vec::Vec;

use primitives::Digest;

use super::arena::Leaf;
use super::walk::{Fork, MapNodes, Opened};
use super::{MapMulti, MapProof, MapTree, Place, bit_of, count, first_difference};
use crate::error::Error;
use crate::hash::MapHasher;
use crate::refresh::Stamp;
use crate::top::SizedRoot;

/// A version of a map beside the map itself.
#[derive(Debug, Clone)]
pub struct MapView<'a> {
    tree: &'a MapTree,
    own: Vec<Own>,
    root: Option<Node>,
    size: u64,
}

/// A record to set at a position, or to take away.
type Change = (Digest, Option<Digest>);

/// A node by its place, with its digest.
type Node = (ViewPlace, Digest);

/// A node of the map below or of the view itself.
#[derive(Debug, Clone, Copy)]
pub(super) enum ViewPlace {
    Below(Place),
    Own(usize),
}

#[derive(Debug, Clone)]
enum Own {
    Leaf(Leaf),
    Branch(u8, [Node; 2]),
}

impl MapTree {
    /// This map with these records set or, where there is none, taken away, given in any order: an
    /// older version, if they are what the positions held then. Cost: one compression for each
    /// branch above them.
    ///
    /// # Errors
    /// [`Error::RepeatedPosition`] for a position named twice.
    pub fn view(&self, changes: &[(Digest, Option<Digest>)]) -> Result<MapView<'_>, Error> {
        let mut sorted = changes.to_vec();
        sorted.sort_unstable_by_key(|(position, _)| *position);
        self.check_distinct(sorted.iter().map(|(position, _)| position))?;
        let mut view = MapView {
            tree: self,
            own: Vec::new(),
            root: None,
            size: self.size,
        };
        let root = MapNodes::root(self).map(|(place, hash, _)| (place, hash));
        view.root = view.change(root, &sorted)?;
        Ok(view)
    }
}

impl MapView<'_> {
    /// The root and the number of records. Cost: none.
    #[must_use]
    pub fn sized_root(&self) -> SizedRoot {
        let root = self.root.map(|(_, hash)| hash);
        SizedRoot {
            root: root.unwrap_or_else(|| self.hasher().empty()),
            size: self.size,
        }
    }

    /// As [`MapTree::prove`].
    ///
    /// # Errors
    /// [`Error::TooDeep`] below 256 branches.
    pub fn prove(&self, position: &Digest) -> Result<MapProof, Error> {
        MapProof::of(self.hasher().part(), position, self.walk(position)?)
    }

    /// As [`MapTree::prove_multi`].
    ///
    /// # Errors
    /// [`Error::IndexOrder`] for positions in another order; [`Error::Encoding`] for too many.
    pub fn prove_multi(&self, positions: &[Digest]) -> Result<MapMulti, Error> {
        MapMulti::prove(self.hasher().part(), self, positions)
    }

    const fn hasher(&self) -> &MapHasher {
        &self.tree.hasher
    }

    /// The node that stands for `below` after these changes, in order of position, which all share
    /// the bits that led to it. It calls itself at most 256 deep.
    fn change(
        &mut self,
        below: Option<(Place, Digest)>,
        changes: &[Change],
    ) -> Result<Option<Node>, Error> {
        let Some((place, hash)) = below else {
            let added = changes
                .iter()
                .filter_map(|(at, hash)| Some((*at, (*hash)?)));
            let added: Vec<_> = added.collect();
            self.size = self.size.saturating_add(count(&added));
            return Ok(self.build(&added));
        };
        if changes.is_empty() {
            return Ok(Some((ViewPlace::Below(place), hash)));
        }
        match self.tree.open(place)? {
            Opened::Leaf(leaf) => Ok(self.change_leaf(&leaf, changes)),
            Opened::Fork(fork) => {
                let sample = self.first_leaf(&fork)?;
                let parting = |position: &Digest| {
                    first_difference(&sample, position).filter(|bit| *bit < fork.bit)
                };
                // What parts before the branch and is to be taken away is not there.
                let is_idle = |(at, hash): &Change| hash.is_none() && parting(at).is_some();
                let changes: Vec<_> = changes.iter().copied().filter(|at| !is_idle(at)).collect();
                match changes.iter().filter_map(|(at, _)| parting(at)).min() {
                    Some(bit) => self.part(bit, &sample, (place, hash), &changes),
                    None => self.change_branch(fork, &changes),
                }
            }
        }
    }

    /// A leaf after changes to its own position and to others.
    fn change_leaf(&mut self, leaf: &Leaf, changes: &[Change]) -> Option<Node> {
        let mut records: Vec<_> = changes
            .iter()
            .filter_map(|(at, hash)| Some((*at, (*hash)?)))
            .collect();
        if changes.iter().all(|(at, _)| *at != leaf.position) {
            let at = records.partition_point(|(at, _)| *at < leaf.position);
            records.insert(at, (leaf.position, leaf.record_hash));
        }
        let size = self.size.saturating_add(count(&records));
        self.size = size.saturating_sub(1);
        self.build(&records)
    }

    /// A new branch at `bit`, above a node whose positions are those like `sample`.
    fn part(
        &mut self,
        bit: u8,
        sample: &Digest,
        below: (Place, Digest),
        changes: &[Change],
    ) -> Result<Option<Node>, Error> {
        let (left, right) = split(changes, bit);
        let (left_below, right_below) = if bit_of(sample, bit) {
            (None, Some(below))
        } else {
            (Some(below), None)
        };
        let left = self.change(left_below, left)?;
        let right = self.change(right_below, right)?;
        Ok(self.join(bit, left, right))
    }

    /// A branch above the changed nodes, all of whose positions share the bits before it.
    fn change_branch(
        &mut self,
        fork: Fork<Place>,
        changes: &[Change],
    ) -> Result<Option<Node>, Error> {
        let (left, right) = split(changes, fork.bit);
        let [left_child, right_child] = fork.children;
        let [left_hash, right_hash] = fork.hashes;
        let left = self.change(Some((left_child, left_hash)), left)?;
        let right = self.change(Some((right_child, right_hash)), right)?;
        Ok(self.join(fork.bit, left, right))
    }

    /// The node over these records, in order of position.
    fn build(&mut self, records: &[(Digest, Digest)]) -> Option<Node> {
        let (first, record_hash) = *records.first()?;
        let last = records.last().map_or(first, |(position, _)| *position);
        let Some(bit) = first_difference(&first, &last) else {
            let hash = self.hasher().leaf(&first, &record_hash);
            let leaf = Leaf {
                position: first,
                record_hash,
            };
            return Some(self.add(Own::Leaf(leaf), hash));
        };
        let middle = records.partition_point(|(position, _)| !bit_of(position, bit));
        let (left, right) = records.split_at(middle);
        let (left, right) = (self.build(left), self.build(right));
        self.join(bit, left, right)
    }

    fn join(&mut self, bit: u8, left: Option<Node>, right: Option<Node>) -> Option<Node> {
        let (Some(left), Some(right)) = (left, right) else {
            return left.or(right);
        };
        let hash = self.hasher().node(bit, &left.1, &right.1);
        Some(self.add(Own::Branch(bit, [left, right]), hash))
    }

    fn add(&mut self, own: Own, hash: Digest) -> Node {
        let place = ViewPlace::Own(self.own.len());
        self.own.push(own);
        (place, hash)
    }

    fn first_leaf(&self, fork: &Fork<Place>) -> Result<Digest, Error> {
        let [mut place, _] = fork.children;
        loop {
            match self.tree.open(place)? {
                Opened::Leaf(leaf) => return Ok(leaf.position),
                Opened::Fork(fork) => [place, _] = fork.children,
            }
        }
    }
}

/// Changes that share all bits before `bit`, by that bit.
fn split(changes: &[Change], bit: u8) -> (&[Change], &[Change]) {
    changes.split_at(changes.partition_point(|(position, _)| !bit_of(position, bit)))
}

impl MapNodes for MapView<'_> {
    type Place = ViewPlace;

    fn root(&self) -> Option<(ViewPlace, Digest, Stamp)> {
        let (place, hash) = self.root?;
        Some((place, hash, Stamp::ALWAYS))
    }

    fn open(&self, place: ViewPlace) -> Result<Opened<ViewPlace>, Error> {
        let index = match place {
            ViewPlace::Own(index) => index,
            ViewPlace::Below(place) => {
                return Ok(match self.tree.open(place)? {
                    Opened::Leaf(leaf) => Opened::Leaf(leaf),
                    Opened::Fork(fork) => Opened::Fork(Fork {
                        bit: fork.bit,
                        children: fork.children.map(ViewPlace::Below),
                        hashes: fork.hashes,
                        stamps: fork.stamps,
                    }),
                });
            }
        };
        match self.own.get(index) {
            Some(Own::Leaf(leaf)) => Ok(Opened::Leaf(*leaf)),
            Some(Own::Branch(bit, [(left, left_hash), (right, right_hash)])) => {
                Ok(Opened::Fork(Fork {
                    bit: *bit,
                    children: [*left, *right],
                    hashes: [*left_hash, *right_hash],
                    stamps: [Stamp::ALWAYS; 2],
                }))
            }
            None => Err(Error::Missing {
                part: self.hasher().part(),
                level: 0,
                index: count(&self.own),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
