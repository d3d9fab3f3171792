//! What peers say to one another.

use alloc::boxed::Box;

use primitives::codec::{Bytes, Canonical, Decode, Encode, List};
use primitives::keys::Signature;
use primitives::units::{Epoch, Height, PeerIndex, Round, Seq};
use primitives::{Digest, limits};

use crate::brief::Brief;
use crate::event::Signed;

/// One event with its payload. The payload is empty where the header says so.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Parcel {
    /// Header and signature.
    pub signed: Signed,
    /// The payload's bytes.
    pub payload: Bytes<{ limits::PAYLOAD_BYTES_MAX }>,
}

/// Events in one message, parents before children where the sender has both.
pub type Parcels = List<Parcel, { limits::EVENTS_PER_ANSWER_MAX }>;

/// The newest event of one creator that the sender holds; several for a forker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Head {
    /// The creator.
    pub creator: PeerIndex,
    /// Its newest sequence number.
    pub seq: Seq,
    /// The event's round.
    pub round: Round,
    /// The event's id.
    pub id: Digest,
}

/// A place in the sender's stored events of one epoch, ordered by (round, admission).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Cursor {
    /// The round.
    pub round: Round,
    /// The sender's count of admitted events when it admitted this one.
    pub admission: u64,
}

/// One gossip message.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Message {
    /// Answers [`Message::Want`].
    Events(Parcels),
    /// Asks for events by id.
    Want(List<Digest, { limits::REQUEST_ITEMS_MAX }>),
    /// What the sender holds, every one or two seconds and on connecting: heals losses, exposes
    /// equivocation, and answers a starting peer's question for its own newest event (C32).
    Frontier {
        /// The epoch in force at the sender.
        epoch: Epoch,
        /// The last settled height at the sender.
        height: Height,
        /// The floor of C9a at the sender; it admits nothing below.
        floor: Round,
        /// Heads by ascending (creator, seq, id), at most two a creator.
        heads: List<Head, { limits::PARENTS_MAX }>,
    },
    /// Asks for all events of an epoch from a place on; the way to catch up.
    Follow {
        /// The epoch.
        epoch: Epoch,
        /// The first place wanted.
        from: Cursor,
    },
    /// Answers [`Message::Follow`].
    Followed {
        /// The epoch of the question.
        epoch: Epoch,
        /// The events, in the sender's order.
        events: Parcels,
        /// Where to go on; none at the sender's end.
        next: Option<Cursor>,
    },
    /// Attestations of one block of an epoch that is sealed: events of it are void, so they cannot
    /// travel in one (C29, C30). The sender's own when it seals; all it has in answer to
    /// [`Message::WantSeal`].
    Attested {
        /// The epoch whose committee signs.
        epoch: Epoch,
        /// The block.
        height: Height,
        /// Its consensus root.
        root: Digest,
        /// Signatures by ascending index in that committee.
        signatures: List<(PeerIndex, Signature), { limits::PEERS_MAX }>,
    },
    /// Asks for the attestations of the block that seals an epoch.
    WantSeal {
        /// The epoch.
        epoch: Epoch,
    },
    /// Transactions that a peer outside the committee passes on to a member, encoded as a payload.
    Passed(Bytes<{ limits::PAYLOAD_BYTES_MAX }>),
    /// The author pushes its newest event (C37).
    Brief {
        /// Header and signature.
        brief: Box<Brief>,
        /// The payload's bytes.
        payload: Bytes<{ limits::PAYLOAD_BYTES_MAX }>,
    },
}

impl Canonical for Message {
    const BYTES_MAX: usize = limits::GOSSIP_MESSAGE_BYTES_MAX;
}

#[cfg(test)]
mod tests;
