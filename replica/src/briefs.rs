//! Briefs that point to events which have not come yet (C37).
//!
//! Mostly these are on their way, so a brief is asked for in full only once it has waited a little. Every creator has an equal share of the room.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use dag::brief::Unfolding;
use dag::graph::Pointer;
use ledger::tx::Checked;
use primitives::keys::PublicKey;
use primitives::units::{PeerIndex, Round};
use primitives::{Digest, limits};

/// What came with a brief, checked.
#[derive(Debug, Clone)]
pub struct Load {
    /// The payload's bytes.
    pub payload: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
    /// Its transactions; none if the payload is no list of transactions.
    pub transactions: Vec<Checked>,
}

/// A brief on its way to being an event.
#[derive(Debug)]
pub(crate) struct Unfolded {
    pub(crate) from: PublicKey,
    pub(crate) unfolding: Unfolding,
    pub(crate) load: Load,
}

impl Unfolded {
    pub(crate) fn id(&self) -> Digest {
        self.unfolding.brief().id
    }

    fn creator(&self) -> PeerIndex {
        self.unfolding.brief().creator
    }
}

#[derive(Debug)]
struct Waiting {
    brief: Unfolded,
    pointer: Pointer,
    /// When to ask for it in full.
    due_ms: u64,
}

/// The briefs that wait.
#[derive(Debug, Default)]
pub(crate) struct Briefs {
    held: BTreeMap<Digest, Waiting>,
    /// What they wait for.
    missed: BTreeMap<Pointer, BTreeSet<Digest>>,
    /// How many each creator has here, and the bytes of their payloads.
    shares: BTreeMap<PeerIndex, (usize, usize)>,
    /// Those that may go on.
    ready: Vec<Unfolded>,
}

impl Briefs {
    /// Whether an event waits here.
    pub(crate) fn contains(&self, id: &Digest) -> bool {
        self.held.contains_key(id)
    }

    /// How many wait.
    pub(crate) fn size(&self) -> usize {
        self.held.len()
    }

    /// Lets a brief wait until something is held at `pointer`; from `due_ms` on it is to be asked for in
    /// full. False if its creator has its share of the room already, one part of `creators`.
    pub(crate) fn hold(
        &mut self,
        brief: Unfolded,
        pointer: Pointer,
        due_ms: u64,
        creators: usize,
    ) -> bool {
        let share = |all: usize| all.checked_div(creators).unwrap_or(all);
        let (events, bytes) = self.shares.entry(brief.creator()).or_default();
        let grown = bytes.saturating_add(brief.load.payload.len());
        if *events >= share(limits::PENDING_EVENTS_MAX) || grown > share(limits::PENDING_BYTES_MAX)
        {
            return false;
        }
        (*events, *bytes) = (events.saturating_add(1), grown);
        let id = brief.id();
        self.missed.entry(pointer).or_default().insert(id);
        let waiting = Waiting {
            brief,
            pointer,
            due_ms,
        };
        self.held.insert(id, waiting);
        true
    }

    /// Whether another brief waits for the same event.
    pub(crate) fn misses(&self, pointer: Pointer) -> bool {
        self.missed.contains_key(&pointer)
    }

    /// Something is held at a pointer: what waited for it may go on.
    pub(crate) fn release(&mut self, pointer: Pointer) {
        for id in self.missed.remove(&pointer).unwrap_or_default() {
            let released = self.remove(&id);
            self.ready.extend(released);
        }
    }

    /// A brief that has just come may go on.
    pub(crate) fn push_ready(&mut self, brief: Unfolded) {
        self.ready.push(brief);
    }

    /// The next that may go on.
    pub(crate) fn pop_ready(&mut self) -> Option<Unfolded> {
        self.ready.pop()
    }

    /// Takes out what has come in full, or is not wanted any more.
    pub(crate) fn remove(&mut self, id: &Digest) -> Option<Unfolded> {
        let Waiting { brief, pointer, .. } = self.held.remove(id)?;
        if let Some(missed) = self.missed.get_mut(&pointer) {
            missed.remove(id);
            if missed.is_empty() {
                self.missed.remove(&pointer);
            }
        }
        if let Some((events, bytes)) = self.shares.get_mut(&brief.creator()) {
            *events = events.saturating_sub(1);
            *bytes = bytes.saturating_sub(brief.load.payload.len());
        }
        Some(brief)
    }

    /// Forgets what lies below the floor (C9a).
    pub(crate) fn raise_floor(&mut self, floor: Round) {
        let below = |waiting: &Waiting| waiting.brief.unfolding.brief().round < floor;
        let below = self.held.iter().filter(|(_, waiting)| below(waiting));
        for id in below.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.remove(&id);
        }
    }

    /// Whom to ask for which event in full: for each that is missed, the brief that is due first. The
    /// others that wait for it are due again in `patience_ms`, for whoever answers sends along what is
    /// missed.
    pub(crate) fn due(&mut self, now_ms: u64, patience_ms: u64) -> Vec<(PublicKey, Digest)> {
        let mut asks = Vec::new();
        for ids in self.missed.values() {
            let due = |id: &&Digest| self.held.get(*id).map(|waiting| waiting.due_ms);
            let first = ids.iter().min_by_key(due);
            let Some(first) = first.filter(|first| due(first) <= Some(now_ms)) else {
                continue;
            };
            asks.extend(
                self.held
                    .get(first)
                    .map(|waiting| (waiting.brief.from, *first)),
            );
            for id in ids {
                if let Some(waiting) = self.held.get_mut(id) {
                    waiting.due_ms = now_ms.saturating_add(patience_ms);
                }
            }
        }
        asks
    }

    /// All that wait; none is kept.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Load> + use<> {
        let held = core::mem::take(self).held;
        held.into_values().map(|waiting| waiting.brief.load)
    }
}

#[cfg(test)]
mod tests;
