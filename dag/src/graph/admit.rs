//! The checks of an event against its parents (C5 to C7, C9a), and its place in the graph.

use alloc::sync::Arc;
use alloc::vec::Vec;

use primitives::limits;
use primitives::quorum::Threshold;
use primitives::units::{PeerIndex, Round};

use crate::ancestry::Ancestry;
use crate::error::Error;
use crate::event::{Event, Evidence, Fault, Kind, Reference};
use crate::graph::{Admission, Dag, Handle, Several, Vertex};

/// The votes of one root, looked up and checked. Roots of one round mostly vote alike, so the next one
/// need not be looked up again.
#[derive(Debug, Clone)]
pub(super) struct Ballot {
    event: Event,
    votes: Arc<[Handle]>,
    /// What all of them have seen together.
    ancestry: Ancestry,
}

/// An event's parents; those below the floor lead nowhere.
#[derive(Debug)]
pub(super) struct Links {
    self_parent: Option<Handle>,
    /// In the order of the header's votes.
    votes: Arc<[Handle]>,
    /// In the order of the header's other parents.
    others: Vec<Handle>,
}

impl Dag {
    pub(super) fn check_context(&self, event: &Event) -> Result<(), Error> {
        let header = event.header();
        if header.epoch != self.committee.epoch() {
            return Err(Error::OtherEpoch {
                found: header.epoch,
                wanted: self.committee.epoch(),
            });
        }
        self.committee.member(header.creator)?;
        if header.round < self.floor {
            return Err(Error::BelowFloor {
                id: *event.id(),
                round: header.round,
                floor: self.floor,
            });
        }
        Ok(())
    }

    /// The parents by handle.
    pub(super) fn resolve(&self, event: &Event) -> Result<Links, Error> {
        let header = event.header();
        let all = |parents: &[Reference]| -> Result<Vec<Handle>, Error> {
            let handles = parents.iter().map(|parent| self.resolve_one(event, parent));
            handles.collect()
        };
        let own = header.self_parent.as_ref();
        let own = own.map(|parent| self.resolve_one(event, parent));
        Ok(Links {
            self_parent: own.transpose()?.filter(|own| *own != Handle::NOWHERE),
            votes: match self.ballot_of(event) {
                Some(ballot) => Arc::clone(&ballot.votes),
                None => all(&header.votes)?.into(),
            },
            others: all(&header.parents)?,
        })
    }

    /// The looked up votes of the root before, if `event` votes alike.
    pub(super) fn ballot_of(&self, event: &Event) -> Option<&Ballot> {
        let ballot = self.ballot.as_ref()?;
        (ballot.event.header().votes == event.header().votes).then_some(ballot)
    }

    /// A parent's handle; one that leads nowhere if the parent lies below the floor (C9a).
    fn resolve_one(&self, event: &Event, parent: &Reference) -> Result<Handle, Error> {
        let Some(handle) = self.handle(&parent.id) else {
            if parent.round < self.floor {
                return Ok(Handle::NOWHERE);
            }
            return Err(Error::MissingParent {
                id: *event.id(),
                parent: parent.id,
            });
        };
        // C9a: a reference that does not match condemns nobody.
        let held = self.vertex(handle).map(Vertex::reference);
        if let Some(held) = held.filter(|held| held != parent) {
            return Err(Error::Delayed {
                id: *event.id(),
                parent: parent.id,
                until: held.round.max(parent.round),
                fault: Fault::Reference,
            });
        }
        Ok(handle)
    }

    // C5's time and C7's count.
    pub(super) fn check_self_chain(&self, event: &Event, links: &Links) -> Result<(), Error> {
        let header = event.header();
        let Some(parent) = links.self_parent.and_then(|handle| self.vertex(handle)) else {
            return Ok(());
        };
        if header.time < parent.time() {
            return Err(fault(event, parent, Fault::Time));
        }
        let data_events = parent.data_events.saturating_add(1);
        if header.kind == Kind::Data && data_events > limits::DATA_EVENTS_PER_ROUND_MAX {
            return Err(fault(event, parent, Fault::DataEvents));
        }
        Ok(())
    }

    // C6: votes are roots, and the own root of the round before is among them.
    pub(super) fn check_votes(&self, event: &Event, links: &Links) -> Result<(), Error> {
        let header = event.header();
        let is_checked = self.is_known(&links.votes);
        for handle in links.votes.iter().filter(|_| !is_checked) {
            if let Some(vote) = self.vertex(*handle)
                && vote.kind() != Kind::Root
            {
                return Err(fault(event, vote, Fault::VoteOrder));
            }
        }
        if header.kind == Kind::Data || header.round == Round::ZERO {
            return Ok(());
        }
        let parent = links.self_parent.and_then(|handle| self.vertex(handle));
        if let Some(parent) = parent
            && parent.round() == header.round.earlier(1)
        {
            let own_root = parent.chain_root;
            let own_vote = header
                .votes
                .iter()
                .zip(links.votes.iter())
                .find(|(vote, _)| vote.creator == header.creator);
            if own_root.is_some() && own_vote.map(|(_, handle)| *handle) != own_root {
                return Err(fault(event, parent, Fault::OwnVote));
            }
        }
        Ok(())
    }

    pub(super) fn insert(&mut self, event: Event, links: Links) -> Admission {
        let handle = Handle(self.span().end);
        let (creator, seq) = (event.header().creator, event.header().seq);
        let (round, kind) = (event.header().round, event.header().kind);
        let after = links
            .self_parent
            .and_then(|parent| Some((parent, self.vertex(parent)?.place)));
        let place = self.branches.append(creator, after, handle);
        let own = links.self_parent.and_then(|parent| self.vertex(parent));
        let (chain_root, data_events) = match kind {
            Kind::Root => (Some(handle), 0),
            Kind::Data => own.map_or((None, 1), |own| {
                (own.chain_root, own.data_events.saturating_add(1))
            }),
        };
        let evidence = self.note_fork(&event);
        self.note_level(creator, round, kind, handle);
        self.handles.insert(*event.id(), handle);
        self.chains.entry((creator, seq)).or_default().push(handle);
        let mut vertex = Vertex {
            event,
            place,
            ancestry: Ancestry::default(),
            self_parent: links.self_parent,
            votes: links.votes,
            others: links.others,
            chain_root,
            data_events,
        };
        vertex.ancestry = self.ancestry_of(&vertex);
        self.vertices.push_back(Some(vertex));
        Admission {
            new: true,
            handle,
            evidence,
        }
    }

    fn ancestry_of(&mut self, vertex: &Vertex) -> Ancestry {
        let mut ancestry = match &self.ballot {
            Some(ballot) if self.is_known(&vertex.votes) => ballot.ancestry.clone(),
            _ => self.merged(vertex.votes.iter().copied(), Ancestry::default()),
        };
        if !vertex.votes.is_empty() && !self.is_known(&vertex.votes) {
            self.ballot = Some(Ballot {
                event: vertex.event.clone(),
                votes: Arc::clone(&vertex.votes),
                ancestry: ancestry.clone(),
            });
        }
        let others = vertex.others.iter().copied();
        ancestry = self.merged(vertex.self_parent.into_iter().chain(others), ancestry);
        ancestry.note(vertex.place);
        ancestry.shrink();
        ancestry
    }

    /// `ancestry` with all that `parents` have seen.
    fn merged(&self, parents: impl Iterator<Item = Handle>, mut ancestry: Ancestry) -> Ancestry {
        for parent in parents.filter_map(|handle| self.vertex(handle)) {
            if !ancestry.sees(parent.place) {
                ancestry.merge(&parent.ancestry);
            }
        }
        ancestry
    }

    /// Whether these are the votes looked up last.
    fn is_known(&self, votes: &Arc<[Handle]>) -> bool {
        let ballot = self.ballot.as_ref();
        ballot.is_some_and(|ballot| Arc::ptr_eq(&ballot.votes, votes))
    }

    // C10: two children of one parent are a fork; what follows on either side is the same fork.
    fn note_fork(&mut self, event: &Event) -> Option<Evidence> {
        let header = event.header();
        let twins = self.chains.get(&(header.creator, header.seq))?;
        let mut held = twins.iter().filter_map(|twin| self.vertex(*twin));
        let first = held.clone().next()?;
        let sibling = held.find(|twin| twin.event.header().self_parent == header.self_parent);
        let evidence = Evidence::new(&sibling.unwrap_or(first).event, event);
        let is_new = sibling.is_some();
        let is_first = self.forkers.insert(header.creator);
        (is_new || is_first).then_some(evidence)
    }

    fn note_level(&mut self, creator: PeerIndex, round: Round, kind: Kind, handle: Handle) {
        let level = self.levels.entry(round).or_default();
        level.events.push(handle);
        if kind == Kind::Data {
            return;
        }
        level.roots.push(handle);
        self.roots_admitted = self.roots_admitted.saturating_add(1);
        let is_first = !level.only_roots.contains_key(&creator);
        let only = level.only_roots.entry(creator);
        only.and_modify(|only| *only = Err(Several))
            .or_insert(Ok(handle));
        if is_first {
            let stake = self.committee.stake(creator);
            level.heard = level.heard.later(stake.get());
        }
        if self.committee.meets(Threshold::Quorum, level.heard) {
            self.quorum_round = self.quorum_round.max(Some(round));
        }
    }
}

/// The error of a check that failed through `parent`. One that lies further back than an other
/// parent may can be below others' floors already, so it delays and condemns nobody (C9a).
fn fault(event: &Event, parent: &Vertex, fault: Fault) -> Error {
    let header = event.header();
    if parent.round().later(limits::PARENT_ROUNDS_MAX) < header.round {
        return Error::Delayed {
            id: *event.id(),
            parent: *parent.id(),
            until: parent.round(),
            fault,
        };
    }
    Error::Malformed {
        creator: header.creator,
        id: *event.id(),
        fault,
    }
}
