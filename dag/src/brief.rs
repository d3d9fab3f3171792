//! Events on the wire without the ids of their parents (C37).
//!
//! ```text
//!   author:    Event --Brief::of(&dag)--> Brief: who voted, one bit a member; where the other parents are
//!   receiver:  Brief --Unfolding::advance(&dag)--> Step::Waits(pointer) until that event is admitted
//!                                           `----> the header, whose digest must be the brief's id
//! ```
//!
//! An id covers every reference, so one digest tells whether a receiver put in the right ones, and
//! names the event to ask for in full if it did not.

use alloc::boxed::Box;
use alloc::vec::Vec;

use primitives::codec::{Bytes, Decode, Encode, List};
use primitives::keys::{Beacon, Signature};
use primitives::units::{Epoch, PeerIndex, Round, Seq, Time};
use primitives::{Digest, limits};

use crate::committee::Committee;
use crate::error::Error;
use crate::event::{Attestation, Event, Header, Kind, Reference, Signed};
use crate::graph::{Dag, Pointer, Several};

/// Bytes of one bit for each member of the largest committee.
const MEMBER_BITS_BYTES_MAX: usize = limits::PEERS_MAX.div_ceil(8);

/// A header and its signature without what its receivers know. The payload goes beside it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Brief {
    /// The id of the event.
    pub id: Digest,
    /// The epoch of the committee that `creator` indexes.
    pub epoch: Epoch,
    /// Who made the event, and sends it.
    pub creator: PeerIndex,
    /// The round.
    pub round: Round,
    /// The place on the self-chain.
    pub seq: Seq,
    /// Root or data.
    pub kind: Kind,
    /// As in the header.
    pub sealing: Option<Digest>,
    /// One bit a member, the lowest of the first byte for the first: a vote for its root of the round
    /// before.
    voters: Bytes<MEMBER_BITS_BYTES_MAX>,
    /// Votes for members of whom the author holds several roots of that round.
    votes: List<Reference, { limits::VOTES_MAX }>,
    /// Other parents.
    others: List<(PeerIndex, Seq), { limits::PARENTS_MAX }>,
    /// Other parents that share creator and seq with another event.
    parents: List<Reference, { limits::PARENTS_MAX }>,
    /// The claimed time.
    pub time: Time,
    /// As in the header.
    pub beacon: Option<Beacon>,
    /// As in the header.
    pub attestations: List<Attestation, { limits::ATTESTATIONS_MAX }>,
    /// The creator's signature over the id.
    pub signature: Signature,
}

impl Brief {
    /// The brief of an admitted event, for whoever holds what `dag` holds.
    ///
    /// # Errors
    /// Never for a header within its bounds.
    pub fn of(event: &Event, dag: &Dag) -> Result<Self, Error> {
        Self::new(event, |pointer| matches!(dag.only(pointer), Ok(Some(_))))
    }

    /// The brief of an event whose parents are named by a pointer where that is said to be enough.
    ///
    /// # Errors
    /// Never for a header within its bounds.
    pub fn new(event: &Event, is_only: impl Fn(Pointer) -> bool) -> Result<Self, Error> {
        let header = event.header();
        let mut bits = Vec::new();
        let (mut votes, mut others, mut parents) = (Vec::new(), Vec::new(), Vec::new());
        for vote in header.votes.iter() {
            match is_only(Pointer::Root(vote.creator, vote.round)) {
                true => set(&mut bits, vote.creator),
                false => votes.push(*vote),
            }
        }
        for parent in header.parents.iter() {
            match is_only(Pointer::Seq(parent.creator, parent.seq)) {
                true => others.push((parent.creator, parent.seq)),
                false => parents.push(*parent),
            }
        }
        Ok(Self {
            id: *event.id(),
            epoch: header.epoch,
            creator: header.creator,
            round: header.round,
            seq: header.seq,
            kind: header.kind,
            sealing: header.sealing,
            voters: Bytes::new(bits)?,
            votes: List::new(votes)?,
            others: List::new(others)?,
            parents: List::new(parents)?,
            time: header.time,
            beacon: header.beacon,
            attestations: header.attestations.clone(),
            signature: *event.signed().signature(),
        })
    }

    /// Those whose bit is set, ascending.
    fn voters(&self) -> impl Iterator<Item = PeerIndex> + '_ {
        let bits = self
            .voters
            .iter()
            .flat_map(|byte| (0_u8..8).map(move |bit| byte >> bit & 1 == 1));
        let members = (0_u16..).map(PeerIndex).zip(bits);
        members
            .filter(|(_, is_set)| *is_set)
            .map(|(member, _)| member)
    }

    /// What its receivers must hold: the self-parent, then votes, then other parents.
    fn pointers(&self) -> Vec<Pointer> {
        let own = (self.seq > Seq::ZERO).then(|| Pointer::Seq(self.creator, self.seq.earlier(1)));
        let before = self.round.earlier(1);
        let votes = self.voters().map(|voter| Pointer::Root(voter, before));
        let others = self.others.iter();
        let others = others.map(|(creator, seq)| Pointer::Seq(*creator, *seq));
        own.into_iter().chain(votes).chain(others).collect()
    }
}

/// How far a brief has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing is held where the brief points to; go on once something is.
    Waits(Pointer),
    /// Two events are held where the brief points to one: only the whole event tells which is meant.
    Ambiguous,
    /// Every parent is known.
    Whole,
}

/// A brief whose parents are looked up one after the other.
#[derive(Debug, Clone)]
pub struct Unfolding {
    brief: Box<Brief>,
    pointers: Vec<Pointer>,
    /// What is held at the first of `pointers`.
    found: Vec<Reference>,
}

impl Unfolding {
    /// Begins to unfold a brief.
    ///
    /// # Errors
    /// If it points outside of the committee or is of another epoch; its sender is to blame.
    pub fn new(brief: Box<Brief>, committee: &Committee) -> Result<Self, Error> {
        if brief.epoch != committee.epoch() {
            return Err(Error::OtherEpoch {
                found: brief.epoch,
                wanted: committee.epoch(),
            });
        }
        let pointers = brief.pointers();
        for pointer in &pointers {
            committee.member(pointer.creator())?;
        }
        Ok(Self {
            brief,
            pointers,
            found: Vec::new(),
        })
    }

    /// The brief.
    #[must_use]
    pub const fn brief(&self) -> &Brief {
        &self.brief
    }

    /// Looks up what has not been found yet. Cost: O(log events) for each parent, once.
    pub fn advance(&mut self, dag: &Dag) -> Step {
        for pointer in self.pointers.iter().skip(self.found.len()) {
            match dag.only(*pointer) {
                Ok(Some(reference)) => self.found.push(reference),
                Ok(None) => return Step::Waits(*pointer),
                Err(Several) => return Step::Ambiguous,
            }
        }
        Step::Whole
    }

    /// The event, once [`Self::advance`] says [`Step::Whole`]; `payload` is the digest and the length of
    /// what came with the brief. Cost: an encoding and a hash of the header, and a signature check.
    ///
    /// # Errors
    /// [`Error::OtherEvent`] if the event is not what the brief says: its parents are others, and only the
    /// whole event tells which. Else a fault of the creator, as of [`Event::verify`].
    pub fn finish(self, payload: (Digest, u32), committee: &Committee) -> Result<Event, Error> {
        let Self { brief, found, .. } = self;
        let brief = *brief;
        let mut found = found.into_iter();
        let self_parent = if brief.seq > Seq::ZERO {
            found.next()
        } else {
            None
        };
        let voters = brief.voters().count();
        let mut votes: Vec<Reference> = found.by_ref().take(voters).collect();
        votes.extend(brief.votes.iter().copied());
        votes.sort_unstable_by_key(Reference::key);
        let mut parents: Vec<Reference> = found.collect();
        parents.extend(brief.parents.iter().copied());
        parents.sort_unstable_by_key(Reference::key);
        let (digest, bytes) = payload;
        let header = Header {
            version: 1,
            chain: *committee.chain(),
            epoch: brief.epoch,
            creator: brief.creator,
            round: brief.round,
            seq: brief.seq,
            kind: brief.kind,
            self_parent,
            sealing: brief.sealing,
            votes: List::new(votes)?,
            parents: List::new(parents)?,
            time: brief.time,
            payload: digest,
            payload_bytes: bytes,
            beacon: brief.beacon,
            attestations: brief.attestations,
        };
        let signed = Signed::new(header, brief.signature)?;
        if *signed.id() != brief.id {
            return Err(Error::OtherEvent { id: brief.id });
        }
        Event::verify_header(signed, committee)
    }
}

fn set(bits: &mut Vec<u8>, member: PeerIndex) {
    let (byte, bit) = (member.position() / 8, member.position() % 8);
    if bits.len() <= byte {
        bits.resize(byte.saturating_add(1), 0);
    }
    if let Some(byte) = bits.get_mut(byte) {
        *byte |= 1 << bit;
    }
}

#[cfg(test)]
mod tests;
