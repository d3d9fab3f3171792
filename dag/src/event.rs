//! Events: what a peer signs and gossips (C4 to C9).

use primitives::codec::{self, Canonical, Decode, Encode, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{Beacon, Role, Signature, Signer};
use primitives::units::{Epoch, Height, PeerIndex, Round, Seq, Time};
use primitives::{Digest, limits};

use crate::committee::Committee;
use crate::error::Error;

pub(crate) mod shape;
mod signed;

pub use shape::Fault;
pub use signed::Signed;

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

/// The commitment to a payload's bytes.
#[must_use]
pub fn payload_digest(payload: &[u8]) -> Digest {
    derive(Domain::Payload, &[payload])
}

/// An event whose signature, chain, epoch, creator, shape and payload commitment have been checked;
/// only this module builds one. What needs its parents is checked on admission. Copies are cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event(Signed);

impl Event {
    /// Checks everything that an event shows by itself: C4, C9 and the parts of C5 to C8 that need no
    /// parent. `payload` are the bytes it came with. Cost: one signature check, about 50 us, and a
    /// hash of the payload.
    ///
    /// # Errors
    /// A typed error naming the rule and, where the signature holds, the creator to blame.
    pub fn verify(signed: Signed, payload: &[u8], committee: &Committee) -> Result<Self, Error> {
        let event = Self::verify_header(signed, committee)?;
        let checked = shape::check_payload(event.header(), payload);
        checked.map_err(|fault| event.malformed(fault))?;
        Ok(event)
    }

    /// [`Self::verify`] where the header was made for the payload at hand (C37).
    pub(crate) fn verify_header(signed: Signed, committee: &Committee) -> Result<Self, Error> {
        let event = Self::trust(signed);
        let (id, header) = (event.id(), event.header());
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
        let signature = event.signed().signature();
        member
            .event_key
            .verify(Role::Event, &header.chain, id, signature)?;
        shape::check_shape(header, committee).map_err(|fault| event.malformed(fault))?;
        Ok(event)
    }

    fn malformed(&self, fault: Fault) -> Error {
        Error::Malformed {
            creator: self.header().creator,
            id: *self.id(),
            fault,
        }
    }

    /// The event of bytes that this peer itself has verified and stored, or made in a test.
    #[must_use]
    pub const fn trust(signed: Signed) -> Self {
        Self(signed)
    }

    /// Signs `header` as its creator.
    ///
    /// # Errors
    /// Only if the header cannot be encoded.
    pub fn sign(header: Header, signer: &dyn Signer) -> Result<Self, Error> {
        let encoded = codec::encode(&header)?;
        let id = derive(Domain::Event, &[&encoded]);
        let signature = signer.sign(Role::Event, &header.chain, &id);
        Ok(Self(Signed::of(id, header, signature, encoded)))
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &Digest {
        self.0.id()
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        self.0.header()
    }

    /// Header and signature, to send or store.
    #[must_use]
    pub const fn signed(&self) -> &Signed {
        &self.0
    }

    /// How others name this event.
    #[must_use]
    pub fn reference(&self) -> Reference {
        self.0.reference()
    }
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
        let (first, second) = if one.id() < other.id() {
            (one, other)
        } else {
            (other, one)
        };
        Self {
            first: first.signed().clone(),
            second: second.signed().clone(),
        }
    }

    /// Checks the pair against the committee: what anyone can do offline. Returns the forker.
    ///
    /// # Errors
    /// [`Error::NoEvidence`] if the pair shows no equivocation; a signature error otherwise.
    pub fn verify(&self, committee: &Committee) -> Result<PeerIndex, Error> {
        let (a, b) = (self.first.header(), self.second.header());
        let (first, second) = (self.first.id(), self.second.id());
        let same = (a.chain, a.epoch, a.creator, a.seq) == (b.chain, b.epoch, b.creator, b.seq);
        let here = a.chain == *committee.chain() && a.epoch == committee.epoch();
        if !same || !here || first >= second {
            return Err(Error::NoEvidence { creator: a.creator });
        }
        let key = committee.member(a.creator)?.event_key;
        key.verify(Role::Event, &a.chain, first, self.first.signature())?;
        key.verify(Role::Event, &b.chain, second, self.second.signature())?;
        Ok(a.creator)
    }
}

#[cfg(test)]
mod tests;
