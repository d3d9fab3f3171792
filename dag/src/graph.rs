//! The DAG of one epoch: admitted events above the floor, who saw what, and who forked.
//!
//! Any number of branches of a forker is admitted: which events reach this point is the caller's
//! choice (a third branch is worth holding only if another event names it as a parent).

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use primitives::Digest;
use primitives::units::{PeerIndex, Round, Seq, Stake};

use crate::ancestry::{Ancestry, Branches, Place};
use crate::committee::Committee;
use crate::error::Error;
use crate::event::{Event, Evidence, Reference};
use crate::gossip::Head;

mod admit;
mod pointer;
mod vertex;

use admit::Ballot;
pub use pointer::{Pointer, Several};
pub use vertex::Vertex;

/// A held event by the count of events admitted before it; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handle(u64);

impl Handle {
    /// No event's: what lay below the floor when it was named.
    pub(crate) const NOWHERE: Self = Self(u64::MAX);

    /// The count of events admitted before this one.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// What admitting an event did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Whether the event was not held before.
    pub new: bool,
    /// The event's handle.
    pub handle: Handle,
    /// The pair that this event proves its creator a forker with; once per fork (C10).
    pub evidence: Option<Evidence>,
}

/// What is held of one round.
#[derive(Debug, Clone, Default)]
struct Level {
    events: Vec<Handle>,
    roots: Vec<Handle>,
    /// Each creator's root, if it has one only.
    only_roots: BTreeMap<PeerIndex, Result<Handle, Several>>,
    heard: Stake,
}

/// All admitted events of one epoch above the floor.
#[derive(Debug, Clone)]
pub struct Dag {
    committee: Committee,
    floor: Round,
    /// The handle of the first element of `vertices`.
    oldest: u64,
    vertices: VecDeque<Option<Vertex>>,
    handles: BTreeMap<Digest, Handle>,
    /// Held events by creator and seq; more than one is a fork.
    chains: BTreeMap<(PeerIndex, Seq), Vec<Handle>>,
    levels: BTreeMap<Round, Level>,
    quorum_round: Option<Round>,
    branches: Branches,
    forkers: BTreeSet<PeerIndex>,
    roots_admitted: u64,
    /// Of the last root with votes; none since the floor has moved.
    ballot: Option<Ballot>,
}

impl Dag {
    /// The empty DAG of an epoch.
    #[must_use]
    pub fn new(committee: Committee) -> Self {
        let branches = Branches::new(committee.size());
        Self {
            committee,
            floor: Round::ZERO,
            oldest: 0,
            vertices: VecDeque::new(),
            handles: BTreeMap::new(),
            chains: BTreeMap::new(),
            levels: BTreeMap::new(),
            quorum_round: None,
            branches,
            forkers: BTreeSet::new(),
            roots_admitted: 0,
            ballot: None,
        }
    }

    /// The committee whose events it holds.
    #[must_use]
    pub const fn committee(&self) -> &Committee {
        &self.committee
    }

    /// The lowest round that is held (C9a).
    #[must_use]
    pub const fn floor(&self) -> Round {
        self.floor
    }

    /// The parents of `event` that are neither held nor below the floor, each once.
    #[must_use]
    pub fn missing(&self, event: &Event) -> Vec<Reference> {
        let mut missing: Vec<Reference> = Vec::new();
        let header = event.header();
        let votes = match self.ballot_of(event) {
            Some(_) => &[],
            None => &*header.votes,
        };
        let own = header.self_parent.iter();
        for parent in own.chain(votes).chain(header.parents.iter()) {
            let absent = parent.round >= self.floor && !self.contains(&parent.id);
            if absent && !missing.iter().any(|known| known.id == parent.id) {
                missing.push(*parent);
            }
        }
        missing
    }

    /// Admits an event whose parents are held or below the floor, after the checks that need parents
    /// (C5, C6, C7). Admitting a held event again changes nothing. Cost: O(parents * branches).
    ///
    /// # Errors
    /// [`Error::Malformed`] blames the creator; [`Error::Delayed`], [`Error::MissingParent`] and
    /// [`Error::BelowFloor`] blame nobody (C9a); the DAG is unchanged.
    pub fn admit(&mut self, event: Event) -> Result<Admission, Error> {
        if let Some(handle) = self.handle(event.id()) {
            return Ok(Admission {
                new: false,
                handle,
                evidence: None,
            });
        }
        self.check_context(&event)?;
        let links = self.resolve(&event)?;
        self.check_self_chain(&event, &links)?;
        self.check_votes(&event, &links)?;
        Ok(self.insert(event, links))
    }

    /// The handle of a held event.
    #[must_use]
    pub fn handle(&self, id: &Digest) -> Option<Handle> {
        self.handles.get(id).copied()
    }

    /// The vertex of a handle, if it is still held.
    #[must_use]
    pub fn vertex(&self, handle: Handle) -> Option<&Vertex> {
        let position = usize::try_from(handle.0.checked_sub(self.oldest)?).ok()?;
        self.vertices.get(position)?.as_ref()
    }

    /// A held event.
    #[must_use]
    pub fn event(&self, id: &Digest) -> Option<&Event> {
        Some(&self.vertex(self.handle(id)?)?.event)
    }

    /// Whether an event is held.
    #[must_use]
    pub fn contains(&self, id: &Digest) -> bool {
        self.handles.contains_key(id)
    }

    /// How many events are held.
    #[must_use]
    pub fn size(&self) -> usize {
        self.handles.len()
    }

    /// The held events in the order of their admission.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.vertices().map(|(_, vertex)| &vertex.event)
    }

    /// The held vertices with their handles, in the order of their admission.
    pub fn vertices(&self) -> impl Iterator<Item = (Handle, &Vertex)> {
        (self.oldest..)
            .map(Handle)
            .zip(&self.vertices)
            .filter_map(|(handle, vertex)| Some((handle, vertex.as_ref()?)))
    }

    /// How many events had been admitted before this one.
    #[must_use]
    pub fn arrival(&self, id: &Digest) -> Option<u64> {
        self.handle(id).map(Handle::get)
    }

    /// The span of handles in use: every held event's lies within.
    #[must_use]
    pub fn span(&self) -> core::ops::Range<u64> {
        let held = u64::try_from(self.vertices.len()).unwrap_or(u64::MAX);
        self.oldest..self.oldest.saturating_add(held)
    }

    /// The ids of held roots of a round by (creator, id).
    #[must_use]
    pub fn roots(&self, round: Round) -> Vec<Digest> {
        let mut roots: Vec<(PeerIndex, Digest)> = self
            .root_handles(round)
            .iter()
            .filter_map(|handle| self.vertex(*handle))
            .map(|vertex| (vertex.creator(), *vertex.id()))
            .collect();
        roots.sort_unstable();
        roots.into_iter().map(|(_, id)| id).collect()
    }

    /// The held roots of a round in the order of their admission.
    #[must_use]
    pub fn root_handles(&self, round: Round) -> &[Handle] {
        self.levels
            .get(&round)
            .map_or(&[], |level| level.roots.as_slice())
    }

    /// The stake of the distinct creators of held roots of a round.
    #[must_use]
    pub fn heard(&self, round: Round) -> Stake {
        self.levels
            .get(&round)
            .map_or(Stake::ZERO, |level| level.heard)
    }

    /// The highest round of which a quorum of roots is held (C33).
    #[must_use]
    pub const fn quorum_round(&self) -> Option<Round> {
        self.quorum_round
    }

    /// The highest round of which any event is held.
    #[must_use]
    pub fn highest_round(&self) -> Option<Round> {
        self.levels.last_key_value().map(|(round, _)| *round)
    }

    /// How many roots have ever been admitted; decisions can change only when this does.
    #[must_use]
    pub const fn roots_admitted(&self) -> u64 {
        self.roots_admitted
    }

    /// The newest held event of a creator; of a forker that of the highest seq, then the lowest id.
    #[must_use]
    pub fn latest(&self, creator: PeerIndex) -> Option<&Vertex> {
        self.tips(creator)
            .filter_map(|handle| self.vertex(handle))
            .min_by_key(|vertex| (core::cmp::Reverse(vertex.seq()), *vertex.id()))
    }

    /// The newest held event of each of a creator's branches, oldest branch first.
    pub fn tips(&self, creator: PeerIndex) -> impl Iterator<Item = Handle> + '_ {
        self.branches
            .of(creator)
            .iter()
            .filter_map(|branch| self.branches.tip(*branch))
    }

    /// The newest held event of a round up to `round` of each of a creator's branches, oldest branch
    /// first. Cost: O(log events) a branch.
    pub fn newest_up_to(
        &self,
        creator: PeerIndex,
        round: Round,
    ) -> impl Iterator<Item = (Handle, &Vertex)> + '_ {
        let within = move |handle: &Handle| {
            self.vertex(*handle)
                .is_some_and(|vertex| vertex.round() <= round)
        };
        self.branches
            .of(creator)
            .iter()
            .filter_map(move |branch| self.branches.last_within(*branch, within))
            .filter_map(|handle| Some((handle, self.vertex(handle)?)))
    }

    /// The lowest seq of a creator's held events that are `target` or have it in their past. Cost:
    /// O(log events) a branch.
    #[must_use]
    pub fn first_knowing(&self, creator: PeerIndex, target: Handle) -> Option<Seq> {
        let place = self.vertex(target)?.place;
        let knows = |handle: &Handle| {
            self.vertex(*handle)
                .is_some_and(|vertex| vertex.ancestry.sees(place))
        };
        self.branches
            .of(creator)
            .iter()
            .filter_map(|branch| self.branches.first_past(*branch, |handle| !knows(handle)))
            .filter_map(|handle| self.vertex(handle))
            .map(Vertex::seq)
            .min()
    }

    /// How many branches the longest ancestry vector spans.
    #[must_use]
    pub fn branch_count(&self) -> usize {
        self.branches.rows()
    }

    /// The event at a place, if held.
    #[must_use]
    pub fn at(&self, place: Place) -> Option<Handle> {
        self.branches.at(place)
    }

    /// The newest events of every creator by (creator, seq, id), at most two a creator.
    #[must_use]
    pub fn heads(&self) -> Vec<Head> {
        let mut heads = Vec::new();
        for (creator, _) in self.committee.iter() {
            heads.extend(
                self.tips(creator)
                    .filter_map(|handle| self.vertex(handle))
                    .take(2)
                    .map(|vertex| Head {
                        creator,
                        seq: vertex.seq(),
                        round: vertex.round(),
                        id: *vertex.id(),
                    }),
            );
        }
        heads.sort_unstable_by_key(|head| (head.creator, head.seq, head.id));
        heads
    }

    /// Whether a creator is known to have forked in this epoch.
    #[must_use]
    pub fn is_forker(&self, creator: PeerIndex) -> bool {
        self.forkers.contains(&creator)
    }

    /// The creators known to have forked in this epoch.
    pub fn forkers(&self) -> impl Iterator<Item = PeerIndex> + '_ {
        self.forkers.iter().copied()
    }

    /// Notes a forker known by other evidence than two held events.
    pub fn mark_forker(&mut self, creator: PeerIndex) {
        self.forkers.insert(creator);
    }

    /// Whether `ancestor` is `descendant` or in its past; false if either is not held. O(log events).
    #[must_use]
    pub fn reaches(&self, ancestor: &Digest, descendant: &Digest) -> bool {
        match (self.handle(ancestor), self.handle(descendant)) {
            (Some(ancestor), Some(descendant)) => self.is_past(ancestor, descendant),
            (None, _) | (_, None) => false,
        }
    }

    /// [`Self::reaches`] by handles. Cost: O(1).
    #[must_use]
    pub fn is_past(&self, ancestor: Handle, descendant: Handle) -> bool {
        match (self.vertex(ancestor), self.vertex(descendant)) {
            (Some(ancestor), Some(descendant)) => descendant.ancestry.sees(ancestor.place),
            (None, _) | (_, None) => false,
        }
    }

    /// Held events that are `wanted` or in the past of one that is, and not in the past of `known`, in the
    /// order of admission: parents before children. Cost: O(branches) an event named, and O(k log k)
    /// for k found.
    #[must_use]
    pub fn between(&self, known: Handle, wanted: &[Handle]) -> Vec<Handle> {
        let mut past = Ancestry::default();
        for vertex in wanted.iter().filter_map(|handle| self.vertex(*handle)) {
            past.merge(&vertex.ancestry);
        }
        let known = self.vertex(known).map(|vertex| &vertex.ancestry);
        let mut found = Vec::new();
        for (branch, newest) in (0_u32..).zip(past.numbers()) {
            let seen = known.map_or(0, |known| known.number(branch));
            let numbers = seen.saturating_add(1)..=*newest;
            found.extend(numbers.filter_map(|number| self.branches.at(Place { branch, number })));
        }
        found.sort_unstable();
        found
    }

    /// Drops every event below `floor` and returns their ids; a lower floor than the present one
    /// changes nothing. Forkers stay known. Rules C9a, C31. Cost: O(dropped).
    pub fn raise_floor(&mut self, floor: Round) -> Vec<Digest> {
        if floor <= self.floor {
            return Vec::new();
        }
        self.floor = floor;
        self.ballot = None;
        let kept = self.levels.split_off(&floor);
        let dropped = core::mem::replace(&mut self.levels, kept);
        let mut ids = Vec::new();
        for handle in dropped.into_values().flat_map(|level| level.events) {
            ids.extend(self.forget(handle));
        }
        while let Some(None) = self.vertices.front() {
            self.vertices.pop_front();
            self.oldest = self.oldest.saturating_add(1);
        }
        ids
    }

    fn forget(&mut self, handle: Handle) -> Option<Digest> {
        let position = usize::try_from(handle.0.checked_sub(self.oldest)?).ok()?;
        let vertex = self.vertices.get_mut(position)?.take()?;
        self.handles.remove(vertex.id());
        let key = (vertex.creator(), vertex.seq());
        if let Some(twins) = self.chains.get_mut(&key) {
            twins.retain(|twin| *twin != handle);
            if twins.is_empty() {
                self.chains.remove(&key);
            }
        }
        self.branches.drop_through(vertex.place);
        Some(*vertex.id())
    }
}

#[cfg(test)]
mod tests;
