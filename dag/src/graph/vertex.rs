//! One admitted event with its parents resolved to handles.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::units::{PeerIndex, Round, Seq, Time};

use crate::ancestry::{Ancestry, Place};
use crate::event::{Event, Kind, Reference};
use crate::graph::Handle;

/// An admitted event. Handles of parents that lay below the floor are left out; handles of parents
/// dropped later lead nowhere.
#[derive(Debug, Clone)]
pub struct Vertex {
    pub(crate) event: Event,
    pub(crate) place: Place,
    pub(crate) ancestry: Ancestry,
    pub(crate) self_parent: Option<Handle>,
    pub(crate) votes: Vec<(PeerIndex, Handle)>,
    pub(crate) parents: Vec<Handle>,
    /// The root of this round on this self-chain; the event itself if it is one.
    pub(crate) chain_root: Option<Handle>,
    /// Data events of this round on this self-chain up to here (C7).
    pub(crate) data_events: u64,
}

impl Vertex {
    /// The event.
    #[must_use]
    pub const fn event(&self) -> &Event {
        &self.event
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &Digest {
        self.event.id()
    }

    /// How others name it.
    #[must_use]
    pub fn reference(&self) -> Reference {
        self.event.reference()
    }

    /// Its creator.
    #[must_use]
    pub fn creator(&self) -> PeerIndex {
        self.event.header().creator
    }

    /// Its place on the self-chain.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.event.header().seq
    }

    /// Its round.
    #[must_use]
    pub fn round(&self) -> Round {
        self.event.header().round
    }

    /// Root or data.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.event.header().kind
    }

    /// Its claimed time.
    #[must_use]
    pub fn time(&self) -> Time {
        self.event.header().time
    }

    /// The self-parent, if it was held.
    #[must_use]
    pub const fn self_parent(&self) -> Option<Handle> {
        self.self_parent
    }

    /// The votes that were held, by ascending creator.
    #[must_use]
    pub fn votes(&self) -> &[(PeerIndex, Handle)] {
        &self.votes
    }

    /// The root of `creator` that this root votes for. Cost: O(log n).
    #[must_use]
    pub fn vote_of(&self, creator: PeerIndex) -> Option<Handle> {
        let position = self
            .votes
            .binary_search_by_key(&creator, |(creator, _)| *creator)
            .ok()?;
        self.votes.get(position).map(|(_, handle)| *handle)
    }

    /// Every parent that was held, each once: the self-parent, votes, others.
    #[must_use]
    pub fn parents(&self) -> &[Handle] {
        &self.parents
    }

    /// The branch it stands on and its number there.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// What it has in its past, itself included.
    #[must_use]
    pub const fn ancestry(&self) -> &Ancestry {
        &self.ancestry
    }

    /// The root of its round on its own self-chain.
    #[must_use]
    pub const fn chain_root(&self) -> Option<Handle> {
        self.chain_root
    }

    /// Data events of its round on its self-chain, up to and with this event (C7).
    #[must_use]
    pub const fn data_events(&self) -> u64 {
        self.data_events
    }
}
