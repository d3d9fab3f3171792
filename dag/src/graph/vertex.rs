//! One admitted event with its parents resolved to handles.

use alloc::sync::Arc;
use alloc::vec::Vec;

use primitives::Digest;
use primitives::units::{PeerIndex, Round, Seq, Time};

use crate::ancestry::{Ancestry, Place};
use crate::event::{Event, Kind, Reference};
use crate::graph::Handle;

/// An admitted event. Handles of parents below the floor lead nowhere.
#[derive(Debug, Clone)]
pub struct Vertex {
    pub(crate) event: Event,
    pub(crate) place: Place,
    pub(crate) ancestry: Ancestry,
    pub(crate) self_parent: Option<Handle>,
    /// In the order of the header's votes; shared by roots that vote alike.
    pub(crate) votes: Arc<[Handle]>,
    /// In the order of the header's other parents.
    pub(crate) others: Vec<Handle>,
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

    /// The votes, by ascending creator.
    pub fn votes(&self) -> impl Iterator<Item = (PeerIndex, Handle)> + '_ {
        let votes = self.event.header().votes.iter();
        votes
            .map(|vote| vote.creator)
            .zip(self.votes.iter().copied())
    }

    /// The root of `creator` that this root votes for. Cost: O(log n).
    #[must_use]
    pub fn vote_of(&self, creator: PeerIndex) -> Option<Handle> {
        let votes = &self.event.header().votes;
        let position = votes.binary_search_by_key(&creator, |vote| vote.creator);
        self.votes.get(position.ok()?).copied()
    }

    /// Every parent, each once: the self-parent, votes, others.
    pub fn parents(&self) -> impl Iterator<Item = Handle> + '_ {
        let votes = self.votes.iter().copied();
        let votes = votes.filter(|vote| Some(*vote) != self.self_parent);
        self.self_parent
            .into_iter()
            .chain(votes)
            .chain(self.others.iter().copied())
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
