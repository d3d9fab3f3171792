//! Events held back until their parents arrive, each with whatever came along.
//!
//! Every creator has an equal share of the room, so nobody can crowd out another; a creator over its
//! share loses its event of the highest (round, id): what is nearest to being admitted stays.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use primitives::units::{PeerIndex, Round};
use primitives::{Digest, limits};

use crate::event::{Event, Reference};

/// A bounded buffer of events that miss parents, each with an item.
#[derive(Debug, Clone)]
pub struct Pending<T> {
    share: usize,
    held: BTreeMap<Digest, Held<T>>,
    of: BTreeMap<PeerIndex, BTreeSet<(Round, Digest)>>,
    /// What is missed, with the events that miss it.
    missed: BTreeMap<Digest, Missed>,
    by_round: BTreeSet<(Round, Digest)>,
}

#[derive(Debug, Clone)]
struct Held<T> {
    event: Event,
    item: T,
    missing: BTreeSet<Digest>,
}

#[derive(Debug, Clone)]
struct Missed {
    reference: Reference,
    waiting: BTreeSet<Digest>,
}

impl<T> Pending<T> {
    /// An empty buffer for a committee of `creators` (at least 1).
    #[must_use]
    pub fn new(creators: usize) -> Self {
        Self {
            share: limits::PENDING_EVENTS_MAX
                .checked_div(creators)
                .unwrap_or(limits::PENDING_EVENTS_MAX),
            held: BTreeMap::new(),
            of: BTreeMap::new(),
            missed: BTreeMap::new(),
            by_round: BTreeSet::new(),
        }
    }

    /// Holds `event` back until all of `missing` (at least one) are released. Returns the event that
    /// lost its place for it, which may be `event` itself. An event held already stays as it is.
    pub fn insert(&mut self, event: Event, item: T, missing: Vec<Reference>) -> Option<(Event, T)> {
        let id = *event.id();
        let (creator, round) = (event.header().creator, event.header().round);
        if self.held.contains_key(&id) {
            return None;
        }
        for reference in &missing {
            self.miss(reference, id);
        }
        let missing = missing.iter().map(|reference| reference.id).collect();
        self.held.insert(
            id,
            Held {
                event,
                item,
                missing,
            },
        );
        let own = self.of.entry(creator).or_default();
        own.insert((round, id));
        if own.len() <= self.share {
            return None;
        }
        let (_, last) = own.last().copied()?;
        self.remove(&last)
    }

    /// The events that missed `id` last of all, and leave the buffer, by (round, id).
    pub fn released_by(&mut self, id: &Digest) -> Vec<(Event, T)> {
        let Some(missed) = self.missed.remove(id) else {
            return Vec::new();
        };
        self.by_round.remove(&(missed.reference.round, *id));
        let mut released = Vec::new();
        for waiting in missed.waiting {
            let Some(held) = self.held.get_mut(&waiting) else {
                continue;
            };
            held.missing.remove(id);
            if held.missing.is_empty() {
                released.extend(self.remove(&waiting));
            }
        }
        released.sort_by_key(|(event, _)| (event.header().round, *event.id()));
        released
    }

    /// What is missed and not itself held back, lowest round first, then by id.
    pub fn wanted(&self) -> impl Iterator<Item = Reference> + '_ {
        self.by_round
            .iter()
            .filter(|(_, id)| !self.held.contains_key(id))
            .filter_map(|(_, id)| self.missed.get(id))
            .map(|missed| missed.reference)
    }

    /// Whether an event is held back.
    #[must_use]
    pub fn contains(&self, id: &Digest) -> bool {
        self.held.contains_key(id)
    }

    /// How many events are held back.
    #[must_use]
    pub fn size(&self) -> usize {
        self.held.len()
    }

    /// Drops events below the floor and returns those that missed only what lies below it (C9a), by
    /// (round, id).
    pub fn raise_floor(&mut self, floor: Round) -> Vec<(Event, T)> {
        let below: Vec<Digest> = self
            .held
            .iter()
            .filter(|(_, held)| held.event.header().round < floor)
            .map(|(id, _)| *id)
            .collect();
        for id in below {
            self.remove(&id);
        }
        let passed: Vec<Digest> = self
            .by_round
            .iter()
            .take_while(|(round, _)| *round < floor)
            .map(|(_, id)| *id)
            .collect();
        let mut released = Vec::new();
        for id in passed {
            released.extend(self.released_by(&id));
        }
        released.sort_by_key(|(event, _)| (event.header().round, *event.id()));
        released
    }

    fn miss(&mut self, reference: &Reference, waiting: Digest) {
        let missed = self.missed.entry(reference.id).or_insert_with(|| Missed {
            reference: *reference,
            waiting: BTreeSet::new(),
        });
        missed.waiting.insert(waiting);
        // Two events may name one id with two rounds; the lower is asked for first.
        if reference.round < missed.reference.round {
            self.by_round
                .remove(&(missed.reference.round, reference.id));
            missed.reference = *reference;
        }
        self.by_round.insert((missed.reference.round, reference.id));
    }

    fn remove(&mut self, id: &Digest) -> Option<(Event, T)> {
        let held = self.held.remove(id)?;
        let header = held.event.header();
        if let Some(own) = self.of.get_mut(&header.creator) {
            own.remove(&(header.round, *id));
        }
        for missing in &held.missing {
            let Some(missed) = self.missed.get_mut(missing) else {
                continue;
            };
            missed.waiting.remove(id);
            if missed.waiting.is_empty() {
                self.by_round.remove(&(missed.reference.round, *missing));
                self.missed.remove(missing);
            }
        }
        Some((held.event, held.item))
    }
}

#[cfg(test)]
mod tests;
