//! A path in a grown log, from what shows the growth: whoever keeps proofs need not ask again.

use alloc::vec::Vec;

use primitives::Digest;

use crate::error::Error;
use crate::hash::TreeHasher;
use crate::nodes::{bits, check_index};
use crate::path::Path;

/// A leaf and its siblings among `size` leaves.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// Its index.
    pub index: u64,
    /// How many leaves there are.
    pub size: u64,
    /// Its siblings from leaf to root.
    pub path: &'a [Digest],
}

/// The path of `old` in the log that `new`, the leaf that came right after `old.size` others, leads
/// to; `leaf` is the digest of that leaf. Below the node where their ways meet the siblings are the
/// old ones, that node's other child follows from the leaf, and above it their siblings are the same.
/// What comes of it holds if both paths do. Cost: log n hashes.
///
/// # Errors
/// [`Error::Index`] unless `old.index < old.size = new.index < new.size`; [`Error::SiblingCount`] for
/// paths that are too short.
pub fn extend_path<H: TreeHasher>(
    hasher: &H,
    old: &Placed<'_>,
    new: &Placed<'_>,
    leaf: Digest,
) -> Result<Path, Error> {
    let part = hasher.part();
    check_index(part, old.index, old.size)?;
    check_index(part, new.index, new.size)?;
    check_index(part, old.size, new.index.saturating_add(1))?;
    check_index(part, new.index, old.size.saturating_add(1))?;
    let short = |path: &[Digest], wanted: usize| Error::SiblingCount {
        part,
        found: path.len(),
        wanted,
    };
    let meeting = bits(old.index ^ new.index).saturating_sub(1);
    let inner = bits(new.index ^ new.size.saturating_sub(1));
    let (mut node, mut rest) = (leaf, new.path);
    for level in 0..meeting {
        let is_right = new.index.unbounded_shr(level) & 1 == 1;
        // Above the inner part only subtrees to the left remain.
        if level < inner || is_right {
            let sibling = rest.split_off_first().ok_or(short(new.path, 1))?;
            node = if is_right {
                hasher.node(sibling, &node)
            } else {
                hasher.node(&node, sibling)
            };
        }
    }
    // The old leaf's own subtree, which the new leaf has beside it.
    rest.split_off_first().ok_or(short(new.path, 1))?;
    let below = usize::try_from(meeting).unwrap_or(usize::MAX);
    let kept = old.path.get(..below).ok_or(short(old.path, below))?;
    let mut path: Vec<Digest> = kept.to_vec();
    path.push(node);
    path.extend_from_slice(rest);
    Ok(Path::new(path)?)
}

#[cfg(test)]
mod tests;
