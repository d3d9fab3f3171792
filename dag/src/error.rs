//! Why an event, a message or a committee is refused.

use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::units::{Epoch, PeerIndex, Round};

use crate::event::Fault;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes, key, signature or sum at fault.
    #[error(transparent)]
    Primitive(#[from] primitives::Error),
    /// An encoding of another version.
    #[error("event version {found} where 1 was due")]
    Version {
        /// The version found.
        found: u8,
    },
    /// An event of another chain.
    #[error("event of chain {found}")]
    OtherChain {
        /// The chain found.
        found: Digest,
    },
    /// An event of another epoch.
    #[error("event of epoch {found} where {wanted} is in force")]
    OtherEpoch {
        /// The epoch found.
        found: Epoch,
        /// The epoch in force.
        wanted: Epoch,
    },
    /// A creator outside the committee.
    #[error("creator {creator} is not in the committee")]
    UnknownCreator {
        /// The index found.
        creator: PeerIndex,
    },
    /// An event that its creator signed against a rule.
    #[error("event {id} of creator {creator}: {fault}")]
    Malformed {
        /// Who signed it.
        creator: PeerIndex,
        /// The event.
        id: Digest,
        /// The rule it breaks.
        fault: Fault,
    },
    /// A parent that is neither held nor below the floor.
    #[error("event {id} names parent {parent}, which is not held")]
    MissingParent {
        /// The event.
        id: Digest,
        /// Its parent.
        parent: Digest,
    },
    /// An event below the floor is ignored (C9a).
    #[error("event {id} is of round {round} below the floor {floor}")]
    BelowFloor {
        /// The event.
        id: Digest,
        /// Its round.
        round: Round,
        /// The floor.
        floor: Round,
    },
    /// A check that fails through a parent which other peers may have below their floor already: the
    /// event waits until the floor has passed `until`, and nobody is to blame (C9a).
    #[error("event {id} waits until the floor passes round {until}: {fault} (parent {parent})")]
    Delayed {
        /// The event.
        id: Digest,
        /// The parent it fails through.
        parent: Digest,
        /// The highest round it waits for; it may be tried again with a floor above.
        until: Round,
        /// The rule it would break.
        fault: Fault,
    },
    /// A brief whose parents are others than those held where it points to (C37).
    #[error("event {id} has other parents than those held where its brief points to")]
    OtherEvent {
        /// The event.
        id: Digest,
    },
    /// Two headers that show no equivocation.
    #[error("two headers of creator {creator} show no equivocation")]
    NoEvidence {
        /// The accused.
        creator: PeerIndex,
    },
    /// No candidate has stake.
    #[error("a committee needs at least one member with stake")]
    EmptyCommittee,
    /// Two candidates with one key.
    #[error("key {key} is listed twice in the committee")]
    DuplicateMember {
        /// The key.
        key: PublicKey,
    },
}

impl Error {
    /// The committee member to blame, where the error proves one; else whoever sent the bytes.
    #[must_use]
    pub const fn culprit(&self) -> Option<PeerIndex> {
        match self {
            Self::Malformed { creator, .. } => Some(*creator),
            Self::Primitive(_)
            | Self::Version { .. }
            | Self::OtherChain { .. }
            | Self::OtherEpoch { .. }
            | Self::UnknownCreator { .. }
            | Self::MissingParent { .. }
            | Self::BelowFloor { .. }
            | Self::Delayed { .. }
            | Self::OtherEvent { .. }
            | Self::NoEvidence { .. }
            | Self::EmptyCommittee
            | Self::DuplicateMember { .. } => None,
        }
    }
}
