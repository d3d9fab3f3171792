//! How firm an event or transaction is before and after its block (C24, C25).

use dag::Dag;
use primitives::Digest;
use primitives::codec::{Canonical, Decode, Encode};
use primitives::units::Stake;

/// The grades of C25, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Grade {
    /// Held.
    Seen,
    /// Support is a third: an honest peer keeps it.
    Endorsed,
    /// Backing is a half.
    Official,
    /// In a settled block.
    Final,
    /// Attested by a quorum, so that a wallet can check it alone.
    Proven,
}

impl Canonical for Grade {
    const BYTES_MAX: usize = 4;
}

/// A transaction with the held events that carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried<'a> {
    /// The transaction's id.
    pub transaction: &'a Digest,
    /// The events that carry it.
    pub events: &'a [Digest],
}

/// The stake of creators not known to fork whose latest event is `event` or has it in its past; zero
/// if it is not held. Rule C24. Cost: O(creators).
#[must_use]
pub fn support(_dag: &Dag, _event: &Digest) -> Stake {
    unimplemented!()
}

/// The stake of creators not known to fork that back `own`: it entered their self-chain before each
/// of `rivals`, or in one event with the smaller transaction id. Rule C24. Cost: O(creators *
/// carriers * log events).
#[must_use]
pub fn backing(_dag: &Dag, _own: Carried<'_>, _rivals: &[Carried<'_>]) -> Stake {
    unimplemented!()
}

/// Seen, endorsed or official, of an unsettled transaction (C25); the greatest support of any of
/// its carriers counts for endorsed.
#[must_use]
pub fn grade(_dag: &Dag, _own: Carried<'_>, _rivals: &[Carried<'_>]) -> Grade {
    unimplemented!()
}
