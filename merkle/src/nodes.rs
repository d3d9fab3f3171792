//! What proofs of trees of RFC 9162 shape are made from: the digests of complete subtrees, wherever
//! they are kept. Node `i` of level `k` covers the leaves `i * 2^k .. (i + 1) * 2^k`.
//!
//! Nodes of the right edge that cover fewer leaves are never kept: they are folded from complete
//! ones when asked for.

use alloc::vec::Vec;
use core::ops::Range;

use primitives::Digest;

use crate::error::{Error, Part};
use crate::hash::TreeHasher;

/// The complete subtrees of one tree: in memory, in rows of a store, or as they were once.
pub trait Nodes {
    /// What can go wrong with a read.
    type Error: From<Error>;

    /// The digest of a complete subtree.
    ///
    /// # Errors
    /// If it is not kept, or cannot be read.
    fn node(&self, level: u32, index: u64) -> Result<Digest, Self::Error>;

    /// The root over the subtree of `count` leaves from `begin` on, which must be a multiple of a
    /// power of two that is at least `count`. Cost: at most 64 reads and hashes.
    ///
    /// # Errors
    /// Those of [`Nodes::node`].
    fn root<H: TreeHasher>(
        &self,
        hasher: &H,
        begin: u64,
        count: u64,
    ) -> Result<Digest, Self::Error> {
        let mut root = None;
        for (level, index) in peaks(begin, count).rev() {
            let left = self.node(level, index)?;
            root = Some(root.map_or(left, |right| hasher.node(&left, &right)));
        }
        Ok(root.unwrap_or_else(|| hasher.empty()))
    }

    /// The digests of the peaks of the first `size` leaves, widest first.
    ///
    /// # Errors
    /// Those of [`Nodes::node`].
    fn peaks(&self, size: u64) -> Result<Vec<Digest>, Self::Error> {
        let peaks = peaks(0, size);
        peaks
            .map(|(level, index)| self.node(level, index))
            .collect()
    }

    /// The siblings of `index` in the tree of the first `size` leaves, leaf to root (RFC 9162,
    /// 2.1.3.1). Cost: at most 64 subtrees.
    ///
    /// # Errors
    /// [`Error::Index`] unless `index < size`; those of [`Nodes::node`].
    fn inclusion<H: TreeHasher>(
        &self,
        hasher: &H,
        index: u64,
        size: u64,
    ) -> Result<Vec<Digest>, Self::Error> {
        check_index(hasher.part(), index, size)?;
        self.subtree(hasher, index..index.saturating_add(1), size)
    }

    /// What shows that the first `old` of the first `new` leaves have not changed (RFC 9162,
    /// 2.1.4.1). Cost: as an inclusion.
    ///
    /// # Errors
    /// [`Error::Size`] unless `old <= new`; those of [`Nodes::node`].
    fn consistency<H: TreeHasher>(
        &self,
        hasher: &H,
        old: u64,
        new: u64,
    ) -> Result<Vec<Digest>, Self::Error> {
        check_size(hasher.part(), old, new)?;
        // Nothing is to be shown about no leaves.
        if old == 0 {
            return Ok(Vec::new());
        }
        self.subtree(hasher, 0..old, new)
    }

    /// What shows that the leaves of the subtree `range` are those in the tree of the first `size`
    /// leaves (draft-ietf-plants-merkle-tree-certs, 4.4). Cost: as an inclusion.
    ///
    /// # Errors
    /// [`Error::Subtree`] unless [`check_subtree`] accepts the range; [`Error::Size`] beyond `size`;
    /// those of [`Nodes::node`].
    fn subtree<H: TreeHasher>(
        &self,
        hasher: &H,
        range: Range<u64>,
        size: u64,
    ) -> Result<Vec<Digest>, Self::Error> {
        check_subtree(hasher.part(), &range)?;
        check_size(hasher.part(), range.end, size)?;
        let mut digests = Vec::new();
        let (mut begin, mut count) = (0_u64, size);
        let mut start = range.start;
        while begin < start || begin.saturating_add(count) > range.end {
            let left = split(count);
            let right = count.abs_diff(left);
            let middle = begin | left;
            if range.end <= middle {
                digests.push(self.root(hasher, middle, right)?);
                count = left;
            } else {
                digests.push(self.root(hasher, begin, left)?);
                // The left half of a subtree that ends in the right one is part of the subtree.
                start = start.max(middle);
                (begin, count) = (middle, right);
            }
        }
        // Only if nothing was cut off on its left does the verifier know what the path begins with.
        if start > range.start {
            digests.push(self.root(hasher, begin, count)?);
        }
        digests.reverse();
        Ok(digests)
    }

    /// [`Nodes::multi`] for all indices of `range`. Cost: one step an index, at most 126 subtrees.
    ///
    /// # Errors
    /// Those of [`Nodes::multi`].
    fn range<H: TreeHasher>(
        &self,
        hasher: &H,
        range: Range<u64>,
        size: u64,
    ) -> Result<Vec<Digest>, Self::Error> {
        // Before the indices are listed.
        check_size(hasher.part(), range.end, size)?;
        let indices: Vec<u64> = range.collect();
        self.multi(hasher, &indices, size)
    }

    /// The siblings that lead from the leaves at `indices` to the root over the first `size`
    /// leaves, in the order in which a walk from left to right meets them. Cost: at most 64
    /// subtrees an index.
    ///
    /// # Errors
    /// [`Error::IndexOrder`] unless the indices increase strictly from at least one;
    /// [`Error::Index`] at or beyond `size`; those of [`Nodes::node`].
    fn multi<H: TreeHasher>(
        &self,
        hasher: &H,
        indices: &[u64],
        size: u64,
    ) -> Result<Vec<Digest>, Self::Error> {
        check_indices(hasher.part(), indices, size)?;
        let siblings = multi_siblings(indices, size);
        siblings
            .into_iter()
            .map(|(begin, count)| self.root(hasher, begin, count))
            .collect()
    }
}

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

/// The subtrees beside the paths of `indices`, left to right, as (begin, count).
pub(crate) fn multi_siblings(indices: &[u64], size: u64) -> Vec<(u64, u64)> {
    let mut siblings = Vec::new();
    let mut stack = Vec::from([(0_u64, size, indices)]);
    while let Some((begin, count, within)) = stack.pop() {
        if within.is_empty() {
            siblings.push((begin, count));
        } else if count > 1 {
            let left = split(count);
            let middle = begin | left;
            let cut = within.partition_point(|index| *index < middle);
            let (before, after) = within.split_at(cut);
            stack.push((middle, count.abs_diff(left), after));
            stack.push((begin, left, before));
        }
    }
    siblings
}

pub(crate) fn check_index(part: Part, index: u64, size: u64) -> Result<(), Error> {
    if index >= size {
        return Err(Error::Index { part, index, size });
    }
    Ok(())
}

pub(crate) fn check_size(part: Part, found: u64, limit: u64) -> Result<(), Error> {
    if found > limit {
        return Err(Error::Size { part, found, limit });
    }
    Ok(())
}

pub(crate) fn check_indices(part: Part, indices: &[u64], size: u64) -> Result<(), Error> {
    let last = indices.last().ok_or(Error::IndexOrder { part })?;
    if !indices.is_sorted_by(|one, next| one < next) {
        return Err(Error::IndexOrder { part });
    }
    check_index(part, *last, size)
}

/// Checks that `range` is a subtree: not empty, and beginning at a multiple of the smallest power
/// of two that is at least its width (draft-ietf-plants-merkle-tree-certs, 4.1).
///
/// # Errors
/// [`Error::Subtree`] otherwise.
pub fn check_subtree(part: Part, range: &Range<u64>) -> Result<(), Error> {
    let below = low_bits(width_level(range));
    if range.is_empty() || range.start & below != 0 {
        let Range { start, end } = *range;
        return Err(Error::Subtree { part, start, end });
    }
    Ok(())
}

/// The level of the smallest complete subtree that is at least as wide as `range`.
pub(crate) fn width_level(range: &Range<u64>) -> u32 {
    bits(range.end.abs_diff(range.start).saturating_sub(1))
}

/// A number whose `count` lowest bits are one.
pub(crate) fn low_bits(count: u32) -> u64 {
    !u64::MAX.unbounded_shl(count)
}

/// How many bits it takes to write `number`.
pub(crate) fn bits(number: u64) -> u32 {
    u64::BITS.saturating_sub(number.leading_zeros())
}
