//! Why a replica refuses an input, or stops.

use primitives::Digest;
use primitives::units::{Height, PeerIndex};

/// A refusal, or a reason to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes that do not decode.
    #[error(transparent)]
    Primitive(#[from] primitives::Error),
    /// An event or committee at fault.
    #[error(transparent)]
    Dag(#[from] dag::Error),
    /// The commit rule met something impossible.
    #[error(transparent)]
    Consensus(#[from] consensus::Error),
    /// Execution met something impossible.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The disk failed.
    #[error(transparent)]
    Store(#[from] primitives::store::StoreError),
    /// The store lacks or garbles what it must hold.
    #[error("the store's {what} is missing or damaged")]
    Damaged {
        /// What was looked for.
        what: &'static str,
    },
    /// A quorum attested another root than this peer's (C29).
    #[error("block {height}: a quorum attested root {theirs} where this peer has {ours}")]
    Diverged {
        /// The height.
        height: Height,
        /// The quorum's root.
        theirs: Digest,
        /// This peer's root.
        ours: Digest,
    },
}

impl Error {
    /// The committee member to blame, where one is known.
    #[must_use]
    pub const fn culprit(&self) -> Option<PeerIndex> {
        match self {
            Self::Dag(error) => error.culprit(),
            Self::Primitive(_)
            | Self::Consensus(_)
            | Self::Ledger(_)
            | Self::Store(_)
            | Self::Damaged { .. }
            | Self::Diverged { .. } => None,
        }
    }

    /// Whether the error says that this peer itself cannot go on, rather than that a sender erred.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        match self {
            Self::Primitive(_) | Self::Dag(_) => false,
            Self::Consensus(_)
            | Self::Ledger(_)
            | Self::Store(_)
            | Self::Damaged { .. }
            | Self::Diverged { .. } => true,
        }
    }
}
