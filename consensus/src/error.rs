//! What can go wrong in settling.

use primitives::Digest;
use primitives::units::{Epoch, PeerIndex, Round};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes, key or sum at fault.
    #[error(transparent)]
    Primitive(#[from] primitives::Error),
    /// A checkpoint of another version.
    #[error("checkpoint version {found} where 1 was due")]
    Version {
        /// The version found.
        found: u8,
    },
    /// A checkpoint of another epoch.
    #[error("checkpoint of epoch {found} where {wanted} is in force")]
    OtherEpoch {
        /// The epoch found.
        found: Epoch,
        /// The epoch in force.
        wanted: Epoch,
    },
    /// A checkpoint whose ids or forkers are not in ascending order.
    #[error("checkpoint is not in ascending order")]
    CheckpointOrder,
}

impl Error {
    /// Nobody: checkpoints are a peer's own.
    #[must_use]
    pub const fn culprit(&self) -> Option<PeerIndex> {
        match self {
            Self::Primitive(_)
            | Self::Version { .. }
            | Self::OtherEpoch { .. }
            | Self::CheckpointOrder => None,
        }
    }
}

/// What cannot be while equivocating stake is below a third (C15): settling stops, gossip goes on.
/// The evidence against the forkers lies in the DAG.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Two candidates of one slot are certified.
    #[error("two candidates of peer {peer} are certified in round {round}: {first} and {second}")]
    TwoCertified {
        /// The slot's peer.
        peer: PeerIndex,
        /// The slot's round.
        round: Round,
        /// The one of the lower id.
        first: Digest,
        /// The one of the higher id.
        second: Digest,
    },
    /// A slot is both committed and skipped.
    #[error("candidate {candidate} of peer {peer} is committed and skipped in round {round}")]
    CommitAndSkip {
        /// The slot's peer.
        peer: PeerIndex,
        /// The slot's round.
        round: Round,
        /// The committed candidate.
        candidate: Digest,
    },
}

impl Contradiction {
    /// The slot, as (round, peer).
    #[must_use]
    pub const fn slot(&self) -> (u64, u16) {
        match self {
            Self::TwoCertified { round, peer, .. } | Self::CommitAndSkip { round, peer, .. } => {
                (round.get(), peer.0)
            }
        }
    }
}
