//! The tree of outputs: dense, positional, RFC 9162 shape; leaves are replaced when an output is
//! spent, and appended when one is created.
//!
//! An output's status changes once, from unspent to spent in a block, so the newest root also
//! answers for every earlier block. Source: docs/spec/state.md section 5.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::units::Height;

use crate::error::{Error, Part};
use crate::hash::{B3, TreeHasher};
use crate::levels::Levels;
use crate::nodes::{Nodes, check_index, peaks};
use crate::path::Path;
use crate::refresh::{PathRefresh, Stamp, levels};
use crate::top::SizedRoot;
use crate::workers::Workers;

mod view;

pub use view::DenseView;

/// A dense tree with the digests of all its nodes in memory, and when each last changed.
#[derive(Debug, Clone)]
pub struct DenseTree {
    hasher: B3,
    levels: Levels,
    stamps: Vec<Vec<Stamp>>,
}

impl DenseTree {
    /// The tree without leaves.
    #[must_use]
    pub fn new(hasher: B3) -> Self {
        Self {
            levels: Levels::new(hasher.part()),
            stamps: Vec::new(),
            hasher,
        }
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.size()
    }

    /// Adds leaves by block `at`, the first at the position that the size was. Cost: one hash a leaf
    /// in the mean.
    pub fn append(&mut self, leaves: &[Digest], at: Height, workers: &dyn Workers) {
        self.levels.extend(&self.hasher, leaves, workers);
        let height = self.levels.nodes.len();
        self.stamps.resize_with(height, Vec::new);
        for (stamps, nodes) in self.stamps.iter_mut().zip(&self.levels.nodes) {
            stamps.resize(nodes.len(), Stamp::at(at));
        }
    }

    /// Replaces by block `at` the leaves at these positions, in any order; nothing changes on an
    /// error. Cost: one hash for each node above them.
    ///
    /// # Errors
    /// [`Error::Index`] for a position without a leaf; [`Error::RepeatedIndex`] for one named twice.
    pub fn update(
        &mut self,
        leaves: &[(u64, Digest)],
        at: Height,
        workers: &dyn Workers,
    ) -> Result<(), Error> {
        let sorted = sorted(self.hasher.part(), leaves, self.size())?;
        let stamps = &mut self.stamps;
        self.levels
            .replace(&self.hasher, sorted, workers, |level, index| {
                let stamp = stamps.get_mut(level).and_then(|row| row.get_mut(index));
                // Each node has its stamp.
                if let Some(stamp) = stamp {
                    *stamp = Stamp::at(at);
                }
            })
    }

    /// The root and the number of leaves. Cost: at most log n hashes.
    ///
    /// # Errors
    /// [`Error::Missing`] never.
    pub fn sized_root(&self) -> Result<SizedRoot, Error> {
        let size = self.size();
        let root = self.levels.root(&self.hasher, 0, size)?;
        Ok(SizedRoot { root, size })
    }

    /// The siblings of the leaf at `position`, from leaf to root; verified by
    /// [`crate::log::root_by_inclusion`]. Cost: at most log n hashes.
    ///
    /// # Errors
    /// [`Error::Index`] for a position without a leaf.
    pub fn prove(&self, position: u64) -> Result<Path, Error> {
        let siblings = self.levels.inclusion(&self.hasher, position, self.size())?;
        Ok(Path::new(siblings)?)
    }

    /// The siblings of the leaves at `positions`; verified by [`crate::log::root_by_multi`]. Cost:
    /// at most log n hashes.
    ///
    /// # Errors
    /// [`Error::IndexOrder`] unless the positions increase strictly from at least one;
    /// [`Error::Index`] for one without a leaf.
    pub fn prove_multi(&self, positions: &[u64]) -> Result<Vec<Digest>, Error> {
        self.levels.multi(&self.hasher, positions, self.size())
    }

    /// What changed on the path of the leaf at `position` since block `held`, for a verifier that
    /// holds its path as of that block. Cost: at most log n hashes.
    ///
    /// # Errors
    /// [`Error::Index`] for a position without a leaf.
    pub fn refresh(&self, position: u64, held: Height) -> Result<PathRefresh, Error> {
        let size = self.size();
        let siblings = self.levels.inclusion(&self.hasher, position, size)?;
        let levels = levels(position, size).into_iter();
        let sent = levels.zip(siblings).map(|(level, sibling)| {
            let index = position.unbounded_shr(level) ^ 1;
            self.is_changed(level, index, held).then_some(sibling)
        });
        Ok(PathRefresh::new(sent.collect()))
    }

    /// Whether any leaf below this node, complete or at the right edge, changed after block `held`.
    fn is_changed(&self, level: u32, index: u64, held: Height) -> bool {
        let begin = index.unbounded_shl(level);
        let end = begin.saturating_add(1_u64.unbounded_shl(level));
        let count = end.min(self.size()).saturating_sub(begin);
        let stamp = |(level, index)| {
            let stamps = self.stamps.get(usize::try_from(level).ok()?)?;
            stamps.get(usize::try_from(index).ok()?).copied()
        };
        let mut stamps = peaks(begin, count).map(stamp);
        stamps.any(|stamp| stamp.is_none_or(|stamp| stamp.is_after(held)))
    }
}

/// The replacements in order of position, if a tree of `size` leaves can carry them out.
fn sorted(part: Part, leaves: &[(u64, Digest)], size: u64) -> Result<Vec<(u64, Digest)>, Error> {
    let mut sorted = leaves.to_vec();
    sorted.sort_unstable_by_key(|(position, _)| *position);
    if let Some((last, _)) = sorted.last() {
        check_index(part, *last, size)?;
    }
    let mut pairs = sorted.iter().zip(sorted.iter().skip(1));
    match pairs.find(|((one, _), (next, _))| one == next) {
        Some(((index, _), _)) => Err(Error::RepeatedIndex {
            part,
            index: *index,
        }),
        None => Ok(sorted),
    }
}

#[cfg(test)]
mod tests;
