//! What liars with events of their own have in common: an eye that follows the network, and a hand
//! that signs whatever it is told to.
//!
//! The eye is a replica without a seat: it takes, keeps and hands on events as the rules want it and
//! makes none. The hand writes the events, one after another on a [`Branch`].

use dag::Dag;
use dag::event::{Event, Header, Kind, Reference, payload_digest};
use dag::gossip::{Message, Parcel};
use ledger::tx::{Body, Payload, Transaction};
use primitives::Digest;
use primitives::codec::{self, Bytes, List};
use primitives::limits;
use primitives::quorum::Threshold;
use primitives::units::{Epoch, PeerIndex, Round, Seq, Stake, Time};

use super::{Heard, Inner, Place};
use crate::error::Error;
use crate::sim::clock::Moment;
use crate::sim::disk::Disk;
use crate::sim::wire::Wire;
use crate::sim::world::World;

/// How often the hand may act, in microseconds. What it signs always has a payload and so keeps the
/// rounds of all running; on fast links a run would be nothing but rounds.
const PACE_US: u64 = 20_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Puppet {
    eye: Inner,
    /// When the hand may act again.
    due: Moment,
    /// The leader that sealed the epoch before, which first events name (C30).
    sealing: Option<Digest>,
}

/// A self-chain of the liar's: where the next event goes.
#[derive(Debug, Clone, Default)]
pub(super) struct Branch {
    epoch: Epoch,
    tip: Option<(Reference, Time)>,
    /// The newest root on it.
    root: Option<Reference>,
}

impl Puppet {
    pub(super) fn new(world: &World, peer: usize) -> Result<Self, Error> {
        let (setup, disk) = (world.observer(peer), Disk::default());
        Ok(Self {
            eye: Inner::new(setup, disk)?,
            due: Moment::ZERO,
            sealing: None,
        })
    }

    /// Lets the eye see what happened and answer as a peer would. Returns whether the hand may act.
    pub(super) fn hear(&mut self, heard: &Heard, place: &mut Place<'_>) -> Result<bool, Error> {
        self.see(heard, place)?;
        let is_due = place.at >= self.due;
        if is_due {
            self.due = place.at + PACE_US;
        }
        Ok(is_due)
    }

    fn see(&mut self, heard: &Heard, place: &mut Place<'_>) -> Result<(), Error> {
        let epoch = self.dag().committee().epoch();
        for effect in self.eye.hear(heard, place)? {
            self.eye.carry_out(&effect, place);
        }
        if self.dag().committee().epoch() != epoch {
            self.sealing = Some(self.eye.replica.header().leader);
        }
        Ok(())
    }

    /// The events that the eye holds.
    pub(super) const fn dag(&self) -> &Dag {
        self.eye.replica.dag()
    }

    /// The replica that the eye is.
    pub(super) const fn eye(&self) -> &replica::Replica {
        &self.eye.replica
    }

    /// The header of the next root on a branch: valid, with every vote there is. None while a quorum
    /// has not gone as far, or if the liar has no seat.
    pub(super) fn root(&self, branch: &Branch, place: &Place<'_>) -> Option<Header> {
        let dag = self.dag();
        let branch = self.grown(branch);
        let round = match (dag.quorum_round(), branch.tip) {
            (Some(quorum), Some((tip, _))) if quorum < tip.round => return None,
            (None, Some(_)) => return None,
            (Some(quorum), _) => quorum.later(1),
            (None, None) if dag.size() == 0 => return None,
            (None, None) => Round::ZERO,
        };
        let votes = self.votes(&branch, round, place)?;
        self.header(&branch, (Kind::Root, round), votes, place)
    }

    /// The header of a data event at the end of a branch. None if it has not begun.
    pub(super) fn data(&self, branch: &Branch, place: &Place<'_>) -> Option<Header> {
        let branch = self.grown(branch);
        let (tip, _) = branch.tip?;
        self.header(&branch, (Kind::Data, tip.round), Vec::new(), place)
    }

    /// Signs a header with this payload and lets the eye see the event.
    pub(super) fn sign(
        &mut self,
        mut header: Header,
        payload: Vec<u8>,
        place: &mut Place<'_>,
    ) -> Result<Parcel, Error> {
        header.payload = payload_digest(&payload);
        header.payload_bytes = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let event = Event::sign(header, place.key)?;
        let parcel = Parcel {
            signed: event.signed().clone(),
            payload: Bytes::new(payload)?,
        };
        // Whom it comes from makes no difference, so long as it is somebody.
        let from = place.connected.first().copied();
        if let (Some(from), Some(wire)) = (from, Wire::of(&message(core::slice::from_ref(&parcel))))
        {
            self.see(&Heard::Message { from, wire }, place)?;
        }
        Ok(parcel)
    }

    fn own(&self, place: &Place<'_>) -> Option<PeerIndex> {
        let key = place.world.key(place.peer);
        self.dag().committee().index_of(&key)
    }

    /// The branch in the present epoch.
    fn grown(&self, branch: &Branch) -> Branch {
        let epoch = self.dag().committee().epoch();
        match branch.epoch == epoch {
            true => branch.clone(),
            false => Branch {
                epoch,
                ..Branch::default()
            },
        }
    }

    /// A vote for the first root of everybody, and for the branch's own (C6). None without a quorum.
    fn votes(&self, branch: &Branch, round: Round, place: &Place<'_>) -> Option<Vec<Reference>> {
        if round == Round::ZERO {
            return Some(Vec::new());
        }
        let (dag, own, before) = (self.dag(), self.own(place)?, round.earlier(1));
        let handles = dag.root_handles(before).iter();
        let roots = handles.filter_map(|handle| dag.vertex(*handle));
        let mut votes: Vec<Reference> = roots
            .filter(|root| root.creator() != own)
            .map(dag::graph::Vertex::reference)
            .chain(branch.root.filter(|root| root.round == before))
            .collect();
        votes.sort_by_key(|vote| vote.creator);
        votes.dedup_by_key(|vote| vote.creator);
        let stakes = votes.iter().map(|vote| dag.committee().stake(vote.creator));
        let stake = Stake::sum(stakes).ok()?;
        let is_quorum = dag.committee().meets(Threshold::Quorum, stake);
        is_quorum.then_some(votes)
    }

    fn header(
        &self,
        branch: &Branch,
        (kind, round): (Kind, Round),
        votes: Vec<Reference>,
        place: &Place<'_>,
    ) -> Option<Header> {
        let own = self.own(place)?;
        let (tip, time) = branch.tip.unzip();
        let (chain, epoch) = (place.world.chain, branch.epoch);
        let highest = match kind {
            Kind::Root => round.earlier(1),
            Kind::Data => round,
        };
        let mut parents = match round {
            Round::ZERO if kind == Kind::Root => Vec::new(),
            _ => self.newest(own, highest),
        };
        parents.retain(|parent| {
            parent.round.later(limits::PARENT_ROUNDS_MAX) >= round && !votes.contains(parent)
        });
        Some(Header {
            version: 1,
            chain,
            epoch,
            creator: own,
            round,
            seq: tip.map_or(Seq::ZERO, |tip| tip.seq.later(1)),
            kind,
            self_parent: tip,
            sealing: self.sealing.filter(|_| tip.is_none()),
            votes: List::new(votes).ok()?,
            parents: List::new(parents).ok()?,
            time: place.now.wall.max(time.unwrap_or(Time::ZERO)),
            payload: payload_digest(&[]),
            payload_bytes: 0,
            beacon: (kind == Kind::Root).then(|| place.key.beacon(&chain, epoch, round)),
            attestations: List::empty(),
        })
    }

    /// The newest event of each other peer up to a round.
    fn newest(&self, own: PeerIndex, highest: Round) -> Vec<Reference> {
        let dag = self.dag();
        let others = dag.committee().iter().map(|(creator, _)| creator);
        let newest = others
            .filter(|creator| *creator != own)
            .filter_map(|creator| dag.newest_up_to(creator, highest).next());
        let mut parents: Vec<Reference> = newest.map(|(_, vertex)| vertex.reference()).collect();
        parents.sort_unstable_by_key(Reference::key);
        parents
    }
}

impl Branch {
    /// The branch goes on from this event.
    pub(super) fn follow(&mut self, parcel: &Parcel) {
        let header = parcel.signed.header();
        let reference = parcel.signed.reference();
        if header.epoch != self.epoch {
            (self.epoch, self.root) = (header.epoch, None);
        }
        self.tip = Some((reference, header.time));
        if header.kind == Kind::Root {
            self.root = Some(reference);
        }
    }
}

/// Events as a peer pushes them.
pub(super) fn message(parcels: &[Parcel]) -> Message {
    Message::Events(List::new(parcels.to_vec()).unwrap_or_default())
}

/// A payload of one transaction that nobody else has, so that the rounds have something to settle.
pub(super) fn payload(place: &mut Place<'_>) -> Result<Vec<u8>, Error> {
    let nonce = place.stream.draw();
    let transaction = Transaction::unsigned(Body::data(nonce, vec![9; 32])?);
    Ok(Payload::bytes(vec![codec::encode(&transaction)?])?)
}
