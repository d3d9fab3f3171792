//! What a verifier computes from a path: roots that it compares with those it trusts.

use alloc::vec::Vec;
use core::ops::Range;

use primitives::Digest;

use crate::error::{Error, Part};
use crate::hash::TreeHasher;
use crate::nodes::{
    bits, check_index, check_indices, check_size, check_subtree, low_bits, multi_siblings, split,
    width_level,
};
use crate::top::SizedRoot;

/// The root that `leaf` at `index` among `size` leaves leads to by `path` (RFC 9162, 2.1.3.2).
/// Cost: one hash a sibling.
///
/// # Errors
/// [`Error::Index`] unless `index < size`; [`Error::SiblingCount`] for any other length of the
/// path than the only possible one. The sender of the proof is to blame.
pub fn root_by_inclusion<H: TreeHasher>(
    hasher: &H,
    index: u64,
    size: u64,
    leaf: Digest,
    path: &[Digest],
) -> Result<Digest, Error> {
    check_index(hasher.part(), index, size)?;
    let range = index..index.saturating_add(1);
    let (_, root) = climb(hasher, &range, size, leaf, path)?;
    Ok(root)
}

/// Checks that the log with root `new` begins with all leaves of the log with root `old` (RFC 9162,
/// 2.1.4.2). Cost: at most two hashes a digest.
///
/// # Errors
/// [`Error::Size`] if the old log is longer; [`Error::SiblingCount`] for any other length of the
/// path than the only possible one; [`Error::Root`] for either root. The sender of the proof is to
/// blame.
pub fn verify_consistency<H: TreeHasher>(
    hasher: &H,
    old: &SizedRoot,
    new: &SizedRoot,
    path: &[Digest],
) -> Result<(), Error> {
    let part = hasher.part();
    check_size(part, old.size, new.size)?;
    if old.size > 0 {
        return verify_subtree(hasher, &(0..old.size), old.root, new, path);
    }
    // Every log begins with the empty one.
    check_count(part, path.len(), 0)?;
    check_root(part, old.root, hasher.empty())?;
    if new.size == 0 {
        check_root(part, new.root, hasher.empty())?;
    }
    Ok(())
}

/// Checks that the leaves of the subtree `range`, whose root is `root`, are those at the same
/// indices of the log `whole` (draft-ietf-plants-merkle-tree-certs, 4.4.3). Cost: at most two hashes
/// a digest.
///
/// # Errors
/// [`Error::Subtree`] unless [`check_subtree`] accepts the range; [`Error::Size`] if it ends beyond
/// the log; [`Error::SiblingCount`] for any other length of the path than the only possible one;
/// [`Error::Root`] for either root. The sender of the proof is to blame.
pub fn verify_subtree<H: TreeHasher>(
    hasher: &H,
    range: &Range<u64>,
    root: Digest,
    whole: &SizedRoot,
    path: &[Digest],
) -> Result<(), Error> {
    let part = hasher.part();
    check_subtree(part, range)?;
    check_size(part, range.end, whole.size)?;
    let (found, found_whole) = climb(hasher, range, whole.size, root, path)?;
    check_root(part, found, root)?;
    check_root(part, found_whole, whole.root)
}

/// The root that these leaves, (index, digest) of a log of `size` leaves, lead to by `siblings`, in
/// the order of a walk from left to right. Cost: at most one hash for each leaf and sibling.
///
/// # Errors
/// [`Error::IndexOrder`] unless the indices increase strictly from at least one; [`Error::Index`]
/// at or beyond `size`; [`Error::SiblingCount`] for any other number of siblings than the only
/// possible one. The sender of the proof is to blame.
pub fn root_by_multi<H: TreeHasher>(
    hasher: &H,
    size: u64,
    leaves: &[(u64, Digest)],
    siblings: &[Digest],
) -> Result<Digest, Error> {
    let part = hasher.part();
    let indices: Vec<_> = leaves.iter().map(|(index, _)| *index).collect();
    check_indices(part, &indices, size)?;
    let wanted = multi_siblings(&indices, size).len();
    check_count(part, siblings.len(), wanted)?;
    let (mut leaves, mut siblings) = (leaves, siblings);
    // Both run out exactly at the end.
    join(hasher, 0, size, &mut leaves, &mut siblings).ok_or(Error::SiblingCount {
        part,
        found: siblings.len(),
        wanted,
    })
}

/// [`root_by_multi`] for `leaves` that follow one another from the index `first` on.
///
/// # Errors
/// Those of [`root_by_multi`]; [`Error::Size`] for leaves beyond `size`.
pub fn root_by_range<H: TreeHasher>(
    hasher: &H,
    first: u64,
    size: u64,
    leaves: &[Digest],
    siblings: &[Digest],
) -> Result<Digest, Error> {
    let count = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
    check_size(hasher.part(), first.saturating_add(count), size)?;
    let leaves: Vec<_> = (first..size).zip(leaves.iter().copied()).collect();
    root_by_multi(hasher, size, &leaves, siblings)
}

/// The root over `count` leaves from `begin` on, taking from the front of both lists; it calls
/// itself at most 64 deep.
fn join<H: TreeHasher>(
    hasher: &H,
    begin: u64,
    count: u64,
    leaves: &mut &[(u64, Digest)],
    siblings: &mut &[Digest],
) -> Option<Digest> {
    let ahead = leaves.first().map(|(index, _)| *index);
    if ahead.is_none_or(|index| index.abs_diff(begin) >= count) {
        return siblings.split_off_first().copied();
    }
    if count == 1 {
        return leaves.split_off_first().map(|(_, leaf)| *leaf);
    }
    let half = split(count);
    let left = join(hasher, begin, half, leaves, siblings)?;
    let right = join(hasher, begin | half, count.abs_diff(half), leaves, siblings)?;
    Some(hasher.node(&left, &right))
}

/// The roots of the subtree `range`, and of the log of `size` leaves that contains it, that `path`
/// leads to. `root` is that of the subtree; the path begins with it unless it is a node of the log.
fn climb<H: TreeHasher>(
    hasher: &H,
    range: &Range<u64>,
    size: u64,
    root: Digest,
    path: &[Digest],
) -> Result<(Digest, Digest), Error> {
    let part = hasher.part();
    let top = width_level(range);
    let width = range.end.abs_diff(range.start);
    let is_node = width.is_power_of_two() || range.end == size;
    // The path begins at the last node of the log within the subtree.
    let level = if is_node { top } else { width.trailing_zeros() };
    let index = range.end.saturating_sub(1).unbounded_shr(level);
    let last = size.saturating_sub(1).unbounded_shr(level);
    let inner = bits(index ^ last);
    let border = index.unbounded_shr(inner).count_ones();
    let wanted = u32::from(!is_node)
        .saturating_add(inner)
        .saturating_add(border);
    check_count(
        part,
        path.len(),
        usize::try_from(wanted).unwrap_or(usize::MAX),
    )?;
    let (seed, rest) = match path.split_first() {
        Some((seed, rest)) if !is_node => (*seed, rest),
        _ => (root, path),
    };
    let (mut found, mut found_whole) = (seed, seed);
    // The left siblings, one for each one bit of the index, that lie within the subtree.
    let mut own = (index & low_bits(top.saturating_sub(level))).count_ones();
    let mut turns = index;
    for (step, sibling) in (0_u32..).zip(rest) {
        // Above the inner part only subtrees to the left remain.
        if step >= inner || turns & 1 == 1 {
            if own > 0 {
                found = hasher.node(sibling, &found);
                own = own.saturating_sub(1);
            }
            found_whole = hasher.node(sibling, &found_whole);
        } else {
            found_whole = hasher.node(&found_whole, sibling);
        }
        turns = turns.unbounded_shr(1);
    }
    Ok((found, found_whole))
}

pub(crate) fn check_root(part: Part, found: Digest, wanted: Digest) -> Result<(), Error> {
    if found != wanted {
        return Err(Error::Root {
            part,
            found,
            wanted,
        });
    }
    Ok(())
}

pub(crate) fn check_count(part: Part, found: usize, wanted: usize) -> Result<(), Error> {
    if found != wanted {
        return Err(Error::SiblingCount {
            part,
            found,
            wanted,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
