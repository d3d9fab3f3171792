//! Bugs on purpose: whoever looks for bugs must be seen to find some (`make canaries`).
//!
//! They are there only with feature `planted`, which `primus-testnet` alone can turn on and no node
//! is built with; without it [`has`] is `false` when the code is compiled, and nothing of them is
//! left. One is in force at a time, for the whole process.

/// A bug, named by what goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A quorum is a half of the stake (C3).
    QuorumOfHalf,
    /// One root that certifies a candidate commits it (C13).
    CommitByOne,
    /// A third that does not vote for it skips a candidate (C14).
    SkipByThird,
    /// Anchors begin a round too early (C15).
    EarlyAnchor,
    /// An undecided anchor is passed over (C15).
    UndecidedAnchor,
    /// Ties are broken by the order of arrival (C22).
    TieByArrival,
    /// Who knows an event is counted in the view instead of the past (C22).
    OrderByView,
    /// Block time is what the leader claims (C29a).
    LeaderTime,
    /// Block time is the greatest claim (C29a).
    GreatestTime,
    /// Own events leave before they are on disk (C32).
    SentBeforeSynced,
    /// A start asks nobody for own events (C32).
    NoInquiry,
    /// A start forgets the payload of unsettled events (C31).
    PayloadForgotten,
    /// A start forgets which events are ordered (C31).
    OrderForgotten,
    /// Roots of all expected peers are waited for without end (C34).
    WaitForever,
    /// Missing parents are never asked for.
    ParentsNotAsked,
    /// What waited for a parent is not admitted when it comes.
    WaitingNotReleased,
    /// What became stale is not brought in again (C30).
    StaleForgotten,
    /// A coin may be spent again (C23).
    SpentTwice,
    /// A copy of an applied transaction is applied (C23).
    CopyApplied,
    /// A third that backs a transaction makes it official (C25).
    OfficialByThird,
    /// The root of the block before is attested (C29).
    OtherRoot,
    /// A payload that is none stops the peer (P8).
    PanicOnPayload,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::QuorumOfHalf,
        Self::CommitByOne,
        Self::SkipByThird,
        Self::EarlyAnchor,
        Self::UndecidedAnchor,
        Self::TieByArrival,
        Self::OrderByView,
        Self::LeaderTime,
        Self::GreatestTime,
        Self::SentBeforeSynced,
        Self::NoInquiry,
        Self::PayloadForgotten,
        Self::OrderForgotten,
        Self::WaitForever,
        Self::ParentsNotAsked,
        Self::WaitingNotReleased,
        Self::StaleForgotten,
        Self::SpentTwice,
        Self::CopyApplied,
        Self::OfficialByThird,
        Self::OtherRoot,
        Self::PanicOnPayload,
    ];
}

/// Whether a bug is in force.
#[cfg(not(feature = "planted"))]
#[must_use]
#[inline(always)]
pub const fn has(_: Bug) -> bool {
    false
}

#[cfg(feature = "planted")]
mod switch {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::Bug;

    /// One more than the place of the bug in force; 0 for none.
    static IN_FORCE: AtomicUsize = AtomicUsize::new(0);

    const fn number(bug: Bug) -> usize {
        #[expect(
            clippy::as_conversions,
            reason = "a number for each of an enum's names"
        )]
        let place = bug as usize;
        place.saturating_add(1)
    }

    /// Whether a bug is in force.
    #[must_use]
    pub fn has(bug: Bug) -> bool {
        IN_FORCE.load(Ordering::Relaxed) == number(bug)
    }

    /// Puts a bug in force instead of the one before, or none.
    pub fn plant(bug: Option<Bug>) {
        IN_FORCE.store(bug.map_or(0, number), Ordering::Relaxed);
    }
}

#[cfg(feature = "planted")]
pub use switch::{has, plant};
