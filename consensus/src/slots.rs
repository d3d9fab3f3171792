//! Slots: committed, skipped or undecided (C11 to C16).

use primitives::Digest;
use primitives::units::{PeerIndex, Round};

/// A peer in a round (C11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The round.
    pub round: Round,
    /// The peer.
    pub peer: PeerIndex,
}

/// What is known of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Not decided by the events held.
    Undecided,
    /// No candidate will lead.
    Skipped,
    /// This candidate may lead.
    Committed(Digest),
}
