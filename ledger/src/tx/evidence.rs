//! `Evidence`: two events that one peer signed for one place of its self-chain (C10). The ledger
//! reads no more of an event's header than the fixed fields it begins with.

use alloc::vec::Vec;

use primitives::codec::{self, Bytes, Canonical, Decode, Encode};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{PublicKey, Role, Signature};
use primitives::units::{Epoch, PeerIndex, Round, Seq};
use primitives::{Digest, limits};

use crate::error::Error;
use crate::outcome::Reason;

/// The canonical header of an event and its creator's signature over the id.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct SignedHeader {
    /// The header, of which only the beginning is read.
    pub bytes: Bytes<{ limits::EVENT_HEADER_CANONICAL_BYTES_MAX }>,
    /// The signature over the event id.
    pub signature: Signature,
}

impl SignedHeader {
    /// A header's canonical bytes with their signature.
    ///
    /// # Errors
    /// [`primitives::Error::TooLong`] above [`limits::EVENT_HEADER_CANONICAL_BYTES_MAX`].
    pub fn new(bytes: Vec<u8>, signature: Signature) -> Result<Self, Error> {
        Ok(Self {
            bytes: Bytes::new(bytes)?,
            signature,
        })
    }

    fn id(&self) -> Digest {
        derive(Domain::Event, &[&self.bytes])
    }

    fn leading(&self) -> Option<Leading> {
        codec::decode(self.bytes.get(..Leading::BYTES_MAX)?).ok()
    }
}

/// What every event's header begins with (C4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
struct Leading {
    version: u8,
    chain: Digest,
    epoch: Epoch,
    creator: PeerIndex,
    round: Round,
    seq: Seq,
}

impl Canonical for Leading {
    const BYTES_MAX: usize = 1 + 32 + 8 + 2 + 8 + 8;
}

/// An accusation that anyone can check who knows the committee.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Evidence {
    /// The peer key of the accused.
    pub peer: PublicKey,
    /// The event key it had in the committee of the epoch.
    pub event_key: PublicKey,
    /// The event with the lower id.
    pub first: SignedHeader,
    /// The event with the higher id.
    pub second: SignedHeader,
}

impl Evidence {
    /// Two events of `peer`, in the order of their ids.
    #[must_use]
    pub fn new(
        peer: PublicKey,
        event_key: PublicKey,
        one: SignedHeader,
        other: SignedHeader,
    ) -> Self {
        let (first, second) = if one.id() < other.id() {
            (one, other)
        } else {
            (other, one)
        };
        Self {
            peer,
            event_key,
            first,
            second,
        }
    }

    /// The epoch and the index in its committee that both events name; none if they are too short.
    #[must_use]
    pub fn place(&self) -> Option<(Epoch, PeerIndex)> {
        let leading = self.first.leading()?;
        Some((leading.epoch, leading.creator))
    }
}

/// What evidence must show by itself: two events of one creator and epoch with one seq and different
/// ids, signed with one key. Rule C10. Cost: two signature checks, about 100 us.
///
/// # Errors
/// [`Reason::NoContradiction`], [`Reason::FalseEvidence`].
pub fn check_alone(evidence: &Evidence, chain: &Digest) -> Result<(), Reason> {
    let place = |header: &SignedHeader| {
        let leading = header.leading()?;
        let ours = leading.version == 1 && leading.chain == *chain;
        ours.then_some((leading.epoch, leading.creator, leading.seq))
    };
    let (one, other) = (place(&evidence.first), place(&evidence.second));
    let (first, second) = (evidence.first.id(), evidence.second.id());
    if one.is_none() || one != other || first >= second {
        return Err(Reason::NoContradiction);
    }
    let key = evidence.event_key.to_verifying();
    let key = key.map_err(|_| Reason::FalseEvidence)?;
    for (id, header) in [(first, &evidence.first), (second, &evidence.second)] {
        key.verify(Role::Event, chain, &id, &header.signature)
            .map_err(|_| Reason::FalseEvidence)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
