//! What this peer makes of what is not final (C25, C27, C28): shown, never promised, and followed by
//! nothing.

use alloc::collections::BTreeSet;

use consensus::TentativeHead;
use ledger::tx::Taken;
use primitives::Digest;
use primitives::units::{Round, Stake};

/// No quorum is heard (C28).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// How much stake is heard, this peer's own included.
    pub stake_heard: Stake,
    /// Since when, on the monotonic clock in milliseconds.
    pub since_ms: u64,
}

/// Two transactions that exclude each other, each backed by more than a third of stake (C28): until a
/// block settles it, each half of the network may take another for the true one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForkAlarm {
    /// What both take.
    pub taken: Taken,
    /// The better backed one, and its backing (C24).
    pub first: (Digest, Stake),
    /// The other.
    pub second: (Digest, Stake),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Outlook {
    pub(crate) head: Option<TentativeHead>,
    /// What was told first of the round that is next to be settled.
    pub(crate) told: Option<TentativeHead>,
    pub(crate) partition: Option<Partition>,
    /// The highest round held, and since when it is that.
    pub(crate) highest: Option<(Round, u64)>,
    pub(crate) alarm: Option<ForkAlarm>,
    /// What is contested and has raised an alarm.
    pub(crate) alarmed: BTreeSet<Taken>,
    /// What is contested and two official transactions take.
    pub(crate) doubled: BTreeSet<Taken>,
    /// Transactions with rivals that were official once and are not settled.
    pub(crate) officials: BTreeSet<Digest>,
    /// Where the next look at what is contested begins.
    pub(crate) swept: Option<Taken>,
    /// When it is due, in monotonic milliseconds.
    pub(crate) sweep_due_ms: u64,
}

impl Outlook {
    /// Which candidate will probably lead the next block (C27), as of the last second.
    #[must_use]
    pub const fn head(&self) -> Option<&TentativeHead> {
        self.head.as_ref()
    }

    /// Whether this peer is cut off from a quorum.
    #[must_use]
    pub const fn partition(&self) -> Option<&Partition> {
        self.partition.as_ref()
    }

    /// The newest conflict that splits the stake, while it is open.
    #[must_use]
    pub const fn alarm(&self) -> Option<&ForkAlarm> {
        self.alarm.as_ref()
    }
}
