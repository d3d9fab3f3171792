//! What an event's header shows by itself (C4 to C9).

use primitives::limits;
use primitives::quorum::Threshold;
use primitives::units::{Epoch, Round, Seq, Stake};

use crate::committee::Committee;
use crate::event::{Header, Kind, Reference, payload_digest};

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

pub(super) fn check_payload(header: &Header, payload: &[u8]) -> Result<(), Fault> {
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
    let stake = Stake::sum(creators().map(|creator| committee.stake(creator)));
    if !stake.is_ok_and(|stake| committee.meets(Threshold::Quorum, stake)) {
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
