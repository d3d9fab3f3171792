//! The digests of all complete subtrees, level by level, shared by [`crate::log`] and
//! [`crate::dense`]: node `i` of level `k` covers the leaves `i * 2^k .. (i + 1) * 2^k`.
//!
//! Nodes of the right edge that cover fewer leaves are never stored: they are folded from complete
//! ones when asked for.

use alloc::vec::Vec;

use primitives::Digest;

use crate::error::{Error, Part};
use crate::hash::TreeHasher;

/// The largest power of two below `size`, which must be at least two (RFC 9162, 2.1.1).
pub(crate) fn split(size: u64) -> u64 {
    size.div_ceil(2).next_power_of_two()
}

/// The complete subtrees that `begin..begin + count` falls into, widest first, as (level, index).
///
/// `begin` must be a multiple of a power of two that is at least `count`.
pub(crate) fn peaks(begin: u64, count: u64) -> impl DoubleEndedIterator<Item = (u32, u64)> {
    (0..u64::BITS).rev().filter_map(move |level| {
        let width = 1_u64.unbounded_shl(level);
        // The peaks before this one are the higher one bits of the count.
        let before = count.unbounded_shr(level).unbounded_shl(level) ^ width;
        (count & width != 0).then(|| (level, (begin | before).unbounded_shr(level)))
    })
}

#[derive(Debug, Clone)]
pub(crate) struct Levels {
    part: Part,
    nodes: Vec<Vec<Digest>>,
}

impl Levels {
    pub(crate) const fn new(part: Part) -> Self {
        Self {
            part,
            nodes: Vec::new(),
        }
    }

    /// The number of leaves.
    pub(crate) fn size(&self) -> u64 {
        // No usize is wider than 64 bits.
        u64::try_from(self.nodes.first().map_or(0, Vec::len)).unwrap_or(u64::MAX)
    }

    /// Adds a leaf and every subtree that it completes.
    pub(crate) fn append<H: TreeHasher>(&mut self, hasher: &H, leaf: Digest) {
        let mut digest = leaf;
        for nodes in &mut self.nodes {
            let left = nodes.last().copied();
            nodes.push(digest);
            match left.filter(|_| nodes.len().is_multiple_of(2)) {
                Some(left) => digest = hasher.node(&left, &digest),
                None => return,
            }
        }
        self.nodes.push(Vec::from([digest]));
    }

    /// The stored digest of a complete subtree.
    pub(crate) fn node(&self, level: u32, index: u64) -> Result<Digest, Error> {
        self.find(level, index).ok_or(Error::Missing {
            part: self.part,
            level,
            index,
        })
    }

    fn find(&self, level: u32, index: u64) -> Option<Digest> {
        let nodes = self.nodes.get(usize::try_from(level).ok()?)?;
        nodes.get(usize::try_from(index).ok()?).copied()
    }

    /// The root over `begin..begin + count`, aligned as [`peaks`] asks.
    pub(crate) fn root<H: TreeHasher>(
        &self,
        hasher: &H,
        begin: u64,
        count: u64,
    ) -> Result<Digest, Error> {
        let mut root = None;
        for (level, index) in peaks(begin, count).rev() {
            let left = self.node(level, index)?;
            root = Some(root.map_or(left, |right| hasher.node(&left, &right)));
        }
        Ok(root.unwrap_or_else(|| hasher.empty()))
    }

    /// The siblings of `index` in the tree of the first `size` leaves, leaf to root (RFC 9162,
    /// 2.1.3.1).
    pub(crate) fn inclusion<H: TreeHasher>(
        &self,
        hasher: &H,
        index: u64,
        size: u64,
    ) -> Result<Vec<Digest>, Error> {
        if index >= size {
            return Err(Error::Index {
                part: self.part,
                index,
                size,
            });
        }
        self.check_size(size)?;
        let mut siblings = Vec::new();
        let (mut begin, mut count) = (0, size);
        while count > 1 {
            let left = split(count);
            let right = count.abs_diff(left);
            let middle = begin | left;
            if index < middle {
                siblings.push(self.root(hasher, middle, right)?);
                count = left;
            } else {
                siblings.push(self.root(hasher, begin, left)?);
                (begin, count) = (middle, right);
            }
        }
        siblings.reverse();
        Ok(siblings)
    }

    /// What shows that the first `old` of the first `new` leaves have not changed (RFC 9162,
    /// 2.1.4.1).
    pub(crate) fn consistency<H: TreeHasher>(
        &self,
        hasher: &H,
        old: u64,
        new: u64,
    ) -> Result<Vec<Digest>, Error> {
        check_at_most(self.part, old, new)?;
        self.check_size(new)?;
        let mut digests = Vec::new();
        let (mut begin, mut count) = (0_u64, new);
        // Nothing is to be shown about no leaves.
        while old > 0 && begin.saturating_add(count) != old {
            let left = split(count);
            let right = count.abs_diff(left);
            let middle = begin | left;
            if old <= middle {
                digests.push(self.root(hasher, middle, right)?);
                count = left;
            } else {
                digests.push(self.root(hasher, begin, left)?);
                (begin, count) = (middle, right);
            }
        }
        // A tree that begins at the first leaf is the old one itself, which the verifier knows.
        if begin > 0 {
            digests.push(self.root(hasher, begin, count)?);
        }
        digests.reverse();
        Ok(digests)
    }

    /// The digests of the peaks of the first `size` leaves, widest first.
    pub(crate) fn peaks(&self, size: u64) -> Result<Vec<Digest>, Error> {
        self.check_size(size)?;
        peaks(0, size)
            .map(|(level, index)| self.node(level, index))
            .collect()
    }

    /// Replaces leaves, then recomputes each complete node above them once, level by level.
    ///
    /// `leaves` are in strictly increasing order of index, all below the size.
    pub(crate) fn replace<H: TreeHasher>(
        &mut self,
        hasher: &H,
        leaves: Vec<(u64, Digest)>,
    ) -> Result<(), Error> {
        let part = self.part;
        let mut changed = leaves;
        let mut level = 0;
        for nodes in &mut self.nodes {
            for (index, digest) in &changed {
                let slot = usize::try_from(*index).ok();
                *slot
                    .and_then(|slot| nodes.get_mut(slot))
                    .ok_or(Error::Missing {
                        part,
                        level,
                        index: *index,
                    })? = *digest;
            }
            changed = parents(hasher, nodes, &changed);
            level = u32::saturating_add(level, 1);
        }
        Ok(())
    }

    /// Whether [`Levels::replace`] can carry out these replacements, sorted by index.
    pub(crate) fn check_replace(&self, leaves: &[(u64, Digest)]) -> Result<(), Error> {
        let (part, size) = (self.part, self.size());
        if let Some((index, _)) = leaves.last().copied().filter(|(index, _)| *index >= size) {
            return Err(Error::Index { part, index, size });
        }
        let mut pairs = leaves.iter().zip(leaves.iter().skip(1));
        match pairs.find(|((one, _), (next, _))| one == next) {
            Some(((index, _), _)) => Err(Error::RepeatedIndex {
                part,
                index: *index,
            }),
            None => Ok(()),
        }
    }

    pub(crate) fn check_size(&self, size: u64) -> Result<(), Error> {
        check_at_most(self.part, size, self.size())
    }
}

fn check_at_most(part: Part, found: u64, limit: u64) -> Result<(), Error> {
    if found > limit {
        return Err(Error::Size { part, found, limit });
    }
    Ok(())
}

/// The complete nodes one level above `changed`, each once, in order of index.
fn parents<H: TreeHasher>(
    hasher: &H,
    nodes: &[Digest],
    changed: &[(u64, Digest)],
) -> Vec<(u64, Digest)> {
    let mut above: Vec<u64> = changed
        .iter()
        .map(|(index, _)| index.unbounded_shr(1))
        .collect();
    above.dedup();
    let children = |parent: &u64| {
        let left = usize::try_from(parent.unbounded_shl(1)).ok()?;
        nodes.get(left..)?.first_chunk().copied()
    };
    // A last node without a right one is promoted: no complete node stands above it.
    let pairs: Vec<[Digest; 2]> = above.iter().filter_map(children).collect();
    above.into_iter().zip(hasher.nodes(&pairs)).collect()
}
