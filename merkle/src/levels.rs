//! The digests of all complete subtrees in memory, level by level, shared by [`crate::log`] and
//! [`crate::dense`].

use alloc::vec::Vec;

use primitives::Digest;

use crate::error::{Error, Part};
use crate::hash::TreeHasher;
use crate::nodes::Nodes;
use crate::workers::{self, Workers};

/// Nodes hashed by one task: long enough to be worth handing over.
const TASK_NODES: usize = 512;

#[derive(Debug, Clone)]
pub(crate) struct Levels {
    part: Part,
    pub(crate) nodes: Vec<Vec<Digest>>,
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

    /// Adds leaves and every subtree that they complete, level by level.
    pub(crate) fn extend<H: TreeHasher + Sync>(
        &mut self,
        hasher: &H,
        leaves: &[Digest],
        workers: &dyn Workers,
    ) {
        let mut added = leaves.to_vec();
        let mut level: usize = 0;
        while !added.is_empty() {
            if level == self.nodes.len() {
                self.nodes.push(Vec::new());
            }
            level = level.saturating_add(1);
            let above = self.nodes.get(level).map_or(0, Vec::len);
            let Some(nodes) = self.nodes.get_mut(level.saturating_sub(1)) else {
                return;
            };
            nodes.append(&mut added);
            let (pairs, _) = nodes.as_chunks::<2>();
            let jobs = pairs.get(above..).unwrap_or_default();
            let jobs = jobs.chunks(TASK_NODES).collect();
            added = workers::map(workers, jobs, |pairs| hasher.nodes(pairs)).concat();
        }
    }

    /// Replaces leaves, then recomputes each complete node above them once, level by level, telling
    /// `visit` the level and the index of each.
    ///
    /// `leaves` are in strictly increasing order of index, all below the size.
    pub(crate) fn replace<H: TreeHasher + Sync>(
        &mut self,
        hasher: &H,
        leaves: Vec<(u64, Digest)>,
        workers: &dyn Workers,
        mut visit: impl FnMut(usize, usize),
    ) -> Result<(), Error> {
        let part = self.part;
        let mut changed = leaves;
        for (level, nodes) in self.nodes.iter_mut().enumerate() {
            for (index, digest) in &changed {
                let slot = usize::try_from(*index).ok();
                let node = slot.and_then(|slot| Some((slot, nodes.get_mut(slot)?)));
                let (slot, node) = node.ok_or(missing(part, level, *index))?;
                *node = *digest;
                visit(level, slot);
            }
            let mut above: Vec<u64> = changed
                .iter()
                .map(|(index, _)| index.unbounded_shr(1))
                .collect();
            above.dedup();
            // A last node without a right one is promoted: no complete node stands above it.
            let (pairs, _) = nodes.as_chunks::<2>();
            let pair = |index: &u64| pairs.get(usize::try_from(*index).ok()?).copied();
            let jobs = above.chunks(TASK_NODES).collect();
            let digests = workers::map(workers, jobs, |indices: &[u64]| {
                hasher.nodes(&indices.iter().filter_map(pair).collect::<Vec<_>>())
            });
            changed = above.into_iter().zip(digests.concat()).collect();
        }
        Ok(())
    }
}

impl Nodes for Levels {
    type Error = Error;

    fn node(&self, level: u32, index: u64) -> Result<Digest, Error> {
        let find = || {
            let nodes = self.nodes.get(usize::try_from(level).ok()?)?;
            nodes.get(usize::try_from(index).ok()?).copied()
        };
        find().ok_or(Error::Missing {
            part: self.part,
            level,
            index,
        })
    }
}

fn missing(part: Part, level: usize, index: u64) -> Error {
    Error::Missing {
        part,
        // At most 64.
        level: u32::try_from(level).unwrap_or(u32::MAX),
        index,
    }
}
