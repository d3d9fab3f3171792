//! Events: what a peer signs and gossips (C4 to C9).

use alloc::vec::Vec;

use primitives::codec::{self, Canonical, Decode, Encode, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{Beacon, Role, Signature, Signer};
use primitives::units::{Epoch, Height, PeerIndex, Round, Seq, Time};
use primitives::{Digest, limits};

use crate::committee::Committee;
use crate::error::Error;

/// Another event by name (C4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Reference {
    /// Its creator.
    pub creator: PeerIndex,
    /// Its place on the creator's self-chain.
    pub seq: Seq,
    /// Its round.
    pub round: Round,
    /// Its id.
    pub id: Digest,
}

impl Reference {
    /// The order of other parents: (creator, seq, id), C8.
    #[must_use]
    pub const fn key(&self) -> (PeerIndex, Seq, Digest) {
        (self.creator, self.seq, self.id)
    }
}

/// A peer's signature on the consensus root of a block that it executed (C29).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Attestation {
    /// The block's height.
    pub height: Height,
    /// The consensus root it had.
    pub root: Digest,
    /// The event key's signature on [`attestation_digest`].
    pub signature: Signature,
}

/// What an attestation signs: (chain, epoch, height, consensus root), C29.
#[must_use]
pub fn attestation_digest(epoch: Epoch, height: Height, root: &Digest) -> Digest {
    let (epoch, height) = (epoch.get().to_le_bytes(), height.get().to_le_bytes());
    derive(Domain::Attestation, &[&epoch, &height, &root.0])
}

/// The kind of an event (C4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Kind {
    /// The first event of its creator in its round; votes, and may lead.
    Root,
    /// Any further event of the round: payload and parents, no votes.
    Data,
}

/// What an event's id covers. `version` is 1.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Header {
    /// The version of this encoding, 1.
    pub version: u8,
    /// The chain's id.
    pub chain: Digest,
    /// The epoch of the committee that `creator` indexes.
    pub epoch: Epoch,
    /// Who made the event.
    pub creator: PeerIndex,
    /// The round.
    pub round: Round,
    /// The place on the self-chain.
    pub seq: Seq,
    /// Root or data.
    pub kind: Kind,
    /// The creator's event with `seq - 1`; none at `seq` 0 (C5).
    pub self_parent: Option<Reference>,
    /// At `seq` 0 of a later epoch the leader that sealed the epoch before (C30).
    pub sealing: Option<Digest>,
    /// Roots of the round before, by ascending creator (C6); none in data events.
    pub votes: List<Reference, { limits::VOTES_MAX }>,
    /// Other parents by ascending (creator, seq, id), C8.
    pub parents: List<Reference, { limits::PARENTS_MAX }>,
    /// The claimed time, not below the self-parent's.
    pub time: Time,
    /// [`payload_digest`] of the payload.
    pub payload: Digest,
    /// The payload's length; zero where nothing is to be settled.
    pub payload_bytes: u32,
    /// On roots the VRF over (chain, epoch, round), C17.
    pub beacon: Option<Beacon>,
    /// The creator's attestations of the blocks executed since its last event (C29).
    pub attestations: List<Attestation, { limits::ATTESTATIONS_MAX }>,
}

impl Canonical for Header {
    const BYTES_MAX: usize = limits::EVENT_HEADER_BYTES_MAX;
}

impl Header {
    /// The event's id: the digest of its canonical bytes without signature (C4).
    ///
    /// # Errors
    /// Never for a header within its bounds.
    pub fn id(&self) -> Result<Digest, Error> {
        Ok(derive(Domain::Event, &[&codec::encode(self)?]))
    }

    /// How others name the event `id` with this header.
    #[must_use]
    pub const fn reference(&self, id: Digest) -> Reference {
        Reference {
            creator: self.creator,
            seq: self.seq,
            round: self.round,
            id,
        }
    }

    /// Every parent: the self-parent, then the votes, then the others. A vote for the creator's own
    /// root may name the self-parent again.
    pub fn all_parents(&self) -> impl Iterator<Item = &Reference> {
        self.self_parent
            .iter()
            .chain(self.votes.iter())
            .chain(self.parents.iter())
    }
}

/// An event as it travels and is stored: header and signature. The payload goes beside it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Signed {
    /// The signed header.
    pub header: Header,
    /// The event key's signature over the id; randomised, so not part of the identity.
    pub signature: Signature,
}

impl Canonical for Signed {
    const BYTES_MAX: usize = limits::EVENT_HEADER_BYTES_MAX + 64;
}

/// The commitment to a payload's bytes.
#[must_use]
pub fn payload_digest(payload: &[u8]) -> Digest {
    derive(Domain::Payload, &[payload])
}

/// An event whose signature, chain, epoch, creator, shape and payload commitment have been checked;
/// only this module builds one. What needs its parents is checked on admission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    id: Digest,
    signed: Signed,
}

impl Event {
    /// Checks everything that an event shows by itself: C4, C9 and the parts of C5 to C8 that need no
    /// parent. `payload` are the bytes it came with. Cost: one signature check, about 50 us, and a
    /// hash of the payload.
    ///
    /// # Errors
    /// A typed error naming the rule and, where the signature holds, the creator to blame.
    pub fn verify(signed: Signed, payload: &[u8], committee: &Committee) -> Result<Self, Error> {
        let event = Self::trust(signed)?;
        let header = event.header();
        if header.version != 1 {
            return Err(Error::Version {
                found: header.version,
            });
        }
        if header.chain != *committee.chain() {
            return Err(Error::OtherChain {
                found: header.chain,
            });
        }
        if header.epoch != committee.epoch() {
            return Err(Error::OtherEpoch {
                found: header.epoch,
                wanted: committee.epoch(),
            });
        }
        let member = committee.member(header.creator)?;
        member.event_key.verify(
            Role::Event,
            &header.chain,
            &event.id,
            &event.signed.signature,
        )?;
        check_shape(header, committee)
            .and_then(|()| check_payload(header, payload))
            .map_err(|fault| Error::Malformed {
                creator: header.creator,
                id: event.id,
                fault,
            })?;
        Ok(event)
    }

    /// The event of bytes that this peer itself has verified and stored, or made in a test.
    ///
    /// # Errors
    /// Only if the header cannot be encoded.
    pub fn trust(signed: Signed) -> Result<Self, Error> {
        Ok(Self {
            id: signed.header.id()?,
            signed,
        })
    }

    /// Signs `header` as its creator.
    ///
    /// # Errors
    /// Only if the header cannot be encoded.
    pub fn sign(header: Header, signer: &dyn Signer) -> Result<Self, Error> {
        let id = header.id()?;
        let signature = signer.sign(Role::Event, &header.chain, &id);
        Ok(Self {
            id,
            signed: Signed { header, signature },
        })
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> &Digest {
        &self.id
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.signed.header
    }

    /// Header and signature, to send or store.
    #[must_use]
    pub const fn signed(&self) -> &Signed {
        &self.signed
    }

    /// How others name this event.
    #[must_use]
    pub const fn reference(&self) -> Reference {
        self.signed.header.reference(self.id)
    }
}

/// What is wrong with the shape of one event, seen from its header alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// C5: seq 0 has no self-parent and every later event has one.
    #[error("self-parent present or absent against its sequence number (C5)")]
    SelfParentPresence,
    /// C5: the self-parent is the creator's event before.
    #[error("self-parent is not the creator's event before (C5)")]
    SelfParentReference,
    /// C5: a root is of a higher round than its self-parent, a data event of the same.
    #[error("round does not follow from the self-parent's (C5)")]
    SelfParentRound,
    /// C30: only seq 0 of a later epoch names the sealing leader.
    #[error("sealing leader present or absent against epoch and sequence number (C30)")]
    Sealing,
    /// C6: roots of round 0 and data events have no votes.
    #[error("votes where none are allowed (C6, C7)")]
    UnwantedVotes,
    /// C6: votes are of the round before, by ascending creator, at most one each.
    #[error("votes are not of the round before, sorted, one per creator (C6)")]
    VoteOrder,
    /// C6: the votes' creators form no quorum.
    #[error("votes without a quorum (C6)")]
    VoteQuorum,
    /// C6: the root does not vote for its own root of the round before.
    #[error("own root of the round before is not among the votes (C6)")]
    OwnVote,
    /// C8: other parents are sorted by (creator, seq, id), each once, at most twice the committee.
    #[error("other parents are unsorted, repeated or too many (C8)")]
    ParentOrder,
    /// C8: an other parent's round is too high or more than 64 below.
    #[error("an other parent's round is out of range (C8)")]
    ParentRound,
    /// C8: an other parent is also a vote or the self-parent.
    #[error("an other parent is also a vote or the self-parent (C8)")]
    ParentRepeated,
    /// A referenced creator is not in the committee.
    #[error("a reference names a creator outside the committee")]
    ReferenceCreator,
    /// C17: roots carry a beacon, data events none.
    #[error("beacon present or absent against the kind (C4, C17)")]
    Beacon,
    /// C29: attestations are in ascending height.
    #[error("attestations are not by ascending height (C29)")]
    AttestationOrder,
    /// C4: the claimed time is below the self-parent's.
    #[error("claimed time is below the self-parent's (C4)")]
    Time,
    /// C7: more than 1,024 data events in one round.
    #[error("too many data events in one round (C7)")]
    DataEvents,
    /// C9: the payload does not match its commitment.
    #[error("payload does not match its commitment (C9)")]
    Payload,
    /// C4: a reference's creator, seq or round is not that of the event it names.
    #[error("a reference does not match the event it names (C4)")]
    Reference,
}

fn check_payload(header: &Header, payload: &[u8]) -> Result<(), Fault> {
    let length = u32::try_from(payload.len()).ok();
    let fits = length == Some(header.payload_bytes)
        && payload.len() <= limits::PAYLOAD_BYTES_MAX
        && payload_digest(payload) == header.payload;
    fits.then_some(()).ok_or(Fault::Payload)
}

pub(crate) fn check_shape(header: &Header, committee: &Committee) -> Result<(), Fault> {
    let outside = |reference: &Reference| reference.creator.position() >= committee.size();
    if header.all_parents().any(outside) {
        return Err(Fault::ReferenceCreator);
    }
    check_self_parent(header)?;
    check_votes(header, committee)?;
    check_parents(header, committee)?;
    if header.beacon.is_some() != (header.kind == Kind::Root) {
        return Err(Fault::Beacon);
    }
    let heights = header
        .attestations
        .iter()
        .map(|attestation| attestation.height);
    if !is_ascending(heights) {
        return Err(Fault::AttestationOrder);
    }
    Ok(())
}

// C5, C30.
fn check_self_parent(header: &Header) -> Result<(), Fault> {
    let first = header.seq == Seq::ZERO;
    if header.sealing.is_some() != (first && header.epoch > Epoch::ZERO) {
        return Err(Fault::Sealing);
    }
    let Some(parent) = &header.self_parent else {
        return match (first, header.kind) {
            (true, Kind::Root) => Ok(()),
            (true, Kind::Data) => Err(Fault::SelfParentRound),
            (false, _) => Err(Fault::SelfParentPresence),
        };
    };
    if first {
        return Err(Fault::SelfParentPresence);
    }
    if parent.creator != header.creator || parent.seq != header.seq.earlier(1) {
        return Err(Fault::SelfParentReference);
    }
    let follows = match header.kind {
        Kind::Root => header.round > parent.round,
        Kind::Data => header.round == parent.round,
    };
    follows.then_some(()).ok_or(Fault::SelfParentRound)
}

// C6, C7.
fn check_votes(header: &Header, committee: &Committee) -> Result<(), Fault> {
    if header.kind == Kind::Data || header.round == Round::ZERO {
        return if header.votes.is_empty() {
            Ok(())
        } else {
            Err(Fault::UnwantedVotes)
        };
    }
    let before = header.round.earlier(1);
    let creators = || header.votes.iter().map(|vote| vote.creator);
    if !is_ascending(creators()) || header.votes.iter().any(|vote| vote.round != before) {
        return Err(Fault::VoteOrder);
    }
    let stake = primitives::units::Stake::sum(creators().map(|creator| committee.stake(creator)));
    if !stake.is_ok_and(|stake| committee.meets(primitives::quorum::Threshold::Quorum, stake)) {
        return Err(Fault::VoteQuorum);
    }
    Ok(())
}

// C8.
fn check_parents(header: &Header, committee: &Committee) -> Result<(), Fault> {
    let bound = committee.size().saturating_mul(2);
    let keys = header.parents.iter().map(Reference::key);
    if header.parents.len() > bound || !is_ascending(keys) {
        return Err(Fault::ParentOrder);
    }
    for parent in header.parents.iter() {
        let low_enough = match header.kind {
            Kind::Root => parent.round < header.round,
            Kind::Data => parent.round <= header.round,
        };
        if !low_enough || parent.round.later(limits::PARENT_ROUNDS_MAX) < header.round {
            return Err(Fault::ParentRound);
        }
        let is_self_parent = header.self_parent.is_some_and(|own| own.id == parent.id);
        let is_vote = header
            .votes
            .binary_search_by_key(&parent.creator, |vote| vote.creator)
            .ok()
            .and_then(|position| header.votes.get(position))
            .is_some_and(|vote| vote.id == parent.id);
        if is_self_parent || is_vote {
            return Err(Fault::ParentRepeated);
        }
    }
    Ok(())
}

fn is_ascending<T: Ord>(keys: impl Iterator<Item = T>) -> bool {
    let mut last = None;
    for key in keys {
        if last.as_ref().is_some_and(|last| *last >= key) {
            return false;
        }
        last = Some(key);
    }
    true
}

/// Two signed headers of one creator and epoch with one seq and different ids (C10).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Evidence {
    /// The one with the lower id.
    pub first: Signed,
    /// The one with the higher id.
    pub second: Signed,
}

impl Canonical for Evidence {
    const BYTES_MAX: usize = 2 * (limits::EVENT_HEADER_BYTES_MAX + 64);
}

impl Evidence {
    /// The evidence of two events, in the order of their ids.
    #[must_use]
    pub fn new(one: &Event, other: &Event) -> Self {
        let (first, second) = if one.id < other.id {
            (one, other)
        } else {
            (other, one)
        };
        Self {
            first: first.signed.clone(),
            second: second.signed.clone(),
        }
    }

    /// Checks the pair against the committee: what anyone can do offline. Returns the forker.
    ///
    /// # Errors
    /// [`Error::NoEvidence`] if the pair shows no equivocation; a signature error otherwise.
    pub fn verify(&self, committee: &Committee) -> Result<PeerIndex, Error> {
        let (a, b) = (&self.first.header, &self.second.header);
        let (first, second) = (a.id()?, b.id()?);
        let same = (a.chain, a.epoch, a.creator, a.seq) == (b.chain, b.epoch, b.creator, b.seq);
        let here = a.chain == *committee.chain() && a.epoch == committee.epoch();
        if !same || !here || first >= second {
            return Err(Error::NoEvidence { creator: a.creator });
        }
        let key = committee.member(a.creator)?.event_key;
        key.verify(Role::Event, &a.chain, &first, &self.first.signature)?;
        key.verify(Role::Event, &b.chain, &second, &self.second.signature)?;
        Ok(a.creator)
    }
}

/// The digest that stands for an event's votes on the wire (C37, section 11).
#[must_use]
pub fn votes_digest(votes: &[Reference]) -> Digest {
    let ids: Vec<&[u8]> = votes.iter().map(|vote| vote.id.0.as_slice()).collect();
    derive(Domain::Votes, &ids)
}

#[cfg(test)]
mod tests;
