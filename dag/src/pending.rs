//! Events held back until their parents arrive, each with whatever came along.
//!
//! Every creator has an equal share of the room, in events and in payload bytes, so nobody can crowd
//! out another; a creator over its share loses its events of the highest (round, id): what is nearest
//! to being admitted stays.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use primitives::units::{PeerIndex, Round};
use primitives::{Digest, limits};

use crate::event::{Event, Reference};

/// A bounded buffer of events that miss parents, each with an item.
#[derive(Debug, Clone)]
pub struct Pending<T> {
    share: usize,
    share_bytes: usize,
    held: BTreeMap<Digest, Held<T>>,
    of: BTreeMap<PeerIndex, Own>,
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

/// The held events of one creator, and the bytes of their payloads.
#[derive(Debug, Clone, Default)]
struct Own {
    events: BTreeSet<(Round, Digest)>,
    bytes: usize,
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
            share_bytes: limits::PENDING_BYTES_MAX
                .checked_div(creators)
                .unwrap_or(limits::PENDING_BYTES_MAX),
            held: BTreeMap::new(),
            of: BTreeMap::new(),
            missed: BTreeMap::new(),
            by_round: BTreeSet::new(),
        }
    }

    /// Holds `event` back until all of `missing` (at least one) are released. Returns the events that
    /// lost their place for it, `event` itself perhaps among them. An event held already stays as it
    /// is, and so does a creator's only one, however long.
    pub fn insert(&mut self, event: Event, item: T, missing: Vec<Reference>) -> Vec<(Event, T)> {
        let id = *event.id();
        let (creator, round) = (event.header().creator, event.header().round);
        let bytes = payload_bytes(&event);
        if self.held.contains_key(&id) {
            return Vec::new();
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
        own.events.insert((round, id));
        own.bytes = own.bytes.saturating_add(bytes);
        let mut lost = Vec::new();
        while let Some(last) = self.over_share(creator) {
            lost.extend(self.remove(&last));
        }
        lost
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
        self.wanted_from(Round::ZERO, Digest::ZERO)
    }

    /// The same from a place in that order on.
    pub fn wanted_from(&self, round: Round, id: Digest) -> impl Iterator<Item = Reference> + '_ {
        self.by_round
            .range((round, id)..)
            .filter(|(_, id)| !self.held.contains_key(id))
            .filter_map(|(_, id)| self.missed.get(id))
            .map(|missed| missed.reference)
    }

    /// Everything held back, by id.
    pub fn into_held(self) -> impl Iterator<Item = (Event, T)> {
        self.held.into_values().map(|held| (held.event, held.item))
    }

    /// Whether a held event misses `id`.
    #[must_use]
    pub fn misses(&self, id: &Digest) -> bool {
        self.missed.contains_key(id)
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

    /// The event that a creator above its share loses next.
    fn over_share(&self, creator: PeerIndex) -> Option<Digest> {
        let own = self.of.get(&creator)?;
        let is_over =
            own.events.len() > self.share || (own.bytes > self.share_bytes && own.events.len() > 1);
        let (_, last) = own.events.last().filter(|_| is_over)?;
        Some(*last)
    }

    fn remove(&mut self, id: &Digest) -> Option<(Event, T)> {
        let held = self.held.remove(id)?;
        let header = held.event.header();
        if let Some(own) = self.of.get_mut(&header.creator) {
            own.events.remove(&(header.round, *id));
            own.bytes = own.bytes.saturating_sub(payload_bytes(&held.event));
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

fn payload_bytes(event: &Event) -> usize {
    usize::try_from(event.header().payload_bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
