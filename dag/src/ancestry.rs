//! Who saw what: for every event the highest place it has in its past on every branch.
//!
//! ```text
//!   branch 0 (peer 0)   1 - 2 - 3 - 4
//!                            \
//!   branch 7 (peer 0)         1 - 2        a second child of one event opens a branch
//! ```
//!
//! A branch is a piece of one self-chain: every event on it has the one before in its past. So an
//! event has place (branch, number) in its past iff the entry of its vector at `branch` is at least
//! `number`, which is exact also for forkers. A branch whose events have all been dropped lends its
//! row to the next new branch; numbers go on, so no old vector reaches an event of the new branch.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use primitives::units::PeerIndex;

use crate::graph::Handle;

/// Where an event stands: its branch and its number there, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The branch, from 0.
    pub branch: u32,
    /// The number on the branch, from 1; 0 stands for none in vectors.
    pub number: u32,
}

/// The highest number seen of each branch, by branch; branches past the end are unseen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ancestry(Vec<u32>);

impl Ancestry {
    /// The highest number seen of `branch`, 0 if none.
    #[must_use]
    pub fn number(&self, branch: u32) -> u32 {
        self.0.get(position(branch)).copied().unwrap_or(0)
    }

    /// Whether `place` has been seen. Cost: O(1).
    #[must_use]
    pub fn sees(&self, place: Place) -> bool {
        self.number(place.branch) >= place.number
    }

    /// The numbers by branch.
    #[must_use]
    pub fn numbers(&self) -> &[u32] {
        &self.0
    }

    /// Takes over all that `other` has seen. Cost: one pass over the branches.
    pub fn merge(&mut self, other: &Self) {
        for (own, new) in self.0.iter_mut().zip(&other.0) {
            *own = (*own).max(*new);
        }
        if let Some(rest) = other.0.get(self.0.len()..) {
            self.0.extend_from_slice(rest);
        }
    }

    /// Gives back room that is not used.
    pub(crate) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// Notes one place as seen.
    pub(crate) fn note(&mut self, place: Place) {
        let position = position(place.branch);
        if self.0.len() <= position {
            self.0.resize(position.saturating_add(1), 0);
        }
        if let Some(number) = self.0.get_mut(position) {
            *number = (*number).max(place.number);
        }
    }
}

/// One branch with its held events.
#[derive(Debug, Clone)]
struct Branch {
    creator: PeerIndex,
    /// The number of the oldest held event.
    first: u32,
    held: VecDeque<Handle>,
}

impl Branch {
    fn next(&self) -> u32 {
        let held = u32::try_from(self.held.len()).unwrap_or(u32::MAX);
        self.first.saturating_add(held)
    }
}

/// All branches of one epoch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Branches {
    rows: Vec<Branch>,
    free: BTreeSet<u32>,
    /// The rows of each creator, oldest branch first.
    of: Vec<Vec<u32>>,
}

impl Branches {
    pub(crate) fn new(creators: usize) -> Self {
        let mut of = Vec::new();
        of.resize(creators, Vec::new());
        Self {
            of,
            ..Self::default()
        }
    }

    /// Appends to `branch` behind its newest event `after`, or opens a branch.
    pub(crate) fn append(
        &mut self,
        creator: PeerIndex,
        after: Option<(Handle, Place)>,
        handle: Handle,
    ) -> Place {
        let open = after.filter(|(parent, place)| self.tip(place.branch) == Some(*parent));
        let branch = match open {
            Some((_, place)) => place.branch,
            None => self.open(creator),
        };
        let Some(row) = self.rows.get_mut(position(branch)) else {
            return Place { branch, number: 0 };
        };
        let number = row.next();
        row.held.push_back(handle);
        Place { branch, number }
    }

    /// Forgets the oldest events of a branch up to `place`.
    pub(crate) fn drop_through(&mut self, place: Place) {
        let Some(row) = self.rows.get_mut(position(place.branch)) else {
            return;
        };
        while row.first <= place.number && row.held.pop_front().is_some() {
            row.first = row.first.saturating_add(1);
        }
        if row.held.is_empty() && self.free.insert(place.branch) {
            let creator = row.creator;
            if let Some(own) = self.of.get_mut(creator.position()) {
                own.retain(|branch| *branch != place.branch);
            }
        }
    }

    /// The event at `place`, if held.
    pub(crate) fn at(&self, place: Place) -> Option<Handle> {
        let row = self.rows.get(position(place.branch))?;
        let behind = place.number.checked_sub(row.first)?;
        row.held.get(position(behind)).copied()
    }

    /// The newest event of a branch.
    pub(crate) fn tip(&self, branch: u32) -> Option<Handle> {
        self.rows.get(position(branch))?.held.back().copied()
    }

    /// The newest event of the first part of a branch for which `within` holds.
    pub(crate) fn last_within(
        &self,
        branch: u32,
        within: impl FnMut(&Handle) -> bool,
    ) -> Option<Handle> {
        let row = self.rows.get(position(branch))?;
        let end = row.held.partition_point(within);
        row.held.get(end.checked_sub(1)?).copied()
    }

    /// The oldest event of a branch that fails `before`, which holds for a first part of it.
    pub(crate) fn first_past(
        &self,
        branch: u32,
        before: impl FnMut(&Handle) -> bool,
    ) -> Option<Handle> {
        let row = self.rows.get(position(branch))?;
        row.held.get(row.held.partition_point(before)).copied()
    }

    /// The branches of `creator` with held events, oldest first.
    pub(crate) fn of(&self, creator: PeerIndex) -> &[u32] {
        self.of.get(creator.position()).map_or(&[], Vec::as_slice)
    }

    /// How many rows there are: the longest vector.
    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    fn open(&mut self, creator: PeerIndex) -> u32 {
        let branch = match self.free.pop_first() {
            Some(branch) => {
                if let Some(row) = self.rows.get_mut(position(branch)) {
                    row.creator = creator;
                }
                branch
            }
            None => {
                self.rows.push(Branch {
                    creator,
                    first: 1,
                    held: VecDeque::new(),
                });
                u32::try_from(self.rows.len().saturating_sub(1)).unwrap_or(u32::MAX)
            }
        };
        if let Some(own) = self.of.get_mut(creator.position()) {
            own.push(branch);
        }
        branch
    }
}

fn position(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
