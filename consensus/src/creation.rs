//! When a peer makes its next event, and of what (C32 to C36): pure policy, times handed in.

use alloc::vec::Vec;

use dag::Dag;
use dag::event::{Event, Kind, Reference};
use primitives::units::{PeerIndex, Round, Seq, Time};

use crate::engine::{Engine, Settled};

/// What may be tuned without breaking agreement; all in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// The least first wait T (C34).
    pub wait_ms_min: u64,
    /// The greatest first wait T (C34).
    pub wait_ms_max: u64,
    /// Where doubling T ends (C34).
    pub wait_ms_limit: u64,
    /// The least time between two own roots, and between two data events (C35).
    pub round_ms_min: u64,
    /// The least spacing of data events when no quorum is heard (C28).
    pub spacing_ms_min: u64,
    /// The time after which an idle peer makes a heartbeat; 0 for never (C35).
    pub heartbeat_ms: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            wait_ms_min: 50,
            wait_ms_max: 250,
            wait_ms_limit: 60_000,
            round_ms_min: 5,
            spacing_ms_min: 50,
            heartbeat_ms: 0,
        }
    }
}

/// What the caller has to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Transactions or evidence not yet in an own event.
    pub payload: bool,
    /// Own attestations not yet in an own event (C35).
    pub attestations: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Make the root of this round.
    Root {
        /// The round.
        round: Round,
    },
    /// Make a data event of the present round.
    Data,
    /// Ask again at this time, or as soon as an event is admitted.
    Wait {
        /// The monotone time.
        until_ms: u64,
    },
    /// Nothing to do until something happens.
    Idle,
}

/// The links of the next event; the caller adds payload, attestations, beacon and a time of at least
/// `time_min`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composition {
    /// Root or data.
    pub kind: Kind,
    /// The round.
    pub round: Round,
    /// The seq.
    pub seq: Seq,
    /// The creator's event before.
    pub self_parent: Option<Reference>,
    /// Votes by ascending creator.
    pub votes: Vec<Reference>,
    /// Other parents by (creator, seq, id).
    pub parents: Vec<Reference>,
    /// The self-parent's claimed time, or zero.
    pub time_min: Time,
}

/// One peer's policy in one epoch.
#[derive(Debug, Clone)]
pub struct Creation {}

impl Creation {
    /// The policy of peer `own`.
    #[must_use]
    pub fn new(_own: PeerIndex, _parameters: Parameters) -> Self {
        unimplemented!()
    }

    /// Notes an admitted event, own ones too, right after its admission at monotone `now_ms`.
    pub fn observe(&mut self, _dag: &Dag, _event: &Event, _now_ms: u64) {
        unimplemented!()
    }

    /// Notes a measured one-way delay (half a round trip) to some peer.
    pub fn observe_delay(&mut self, _delay_ms: u64) {
        unimplemented!()
    }

    /// Notes a settled block, after `Engine::advance`.
    pub fn settle(&mut self, _settled: &Settled) {
        unimplemented!()
    }

    /// What to do at monotone `now_ms`.
    #[must_use]
    pub fn decide(
        &self,
        _dag: &Dag,
        _engine: &Engine,
        _waiting: Waiting,
        _now_ms: u64,
    ) -> Decision {
        unimplemented!()
    }

    /// The links of the event that `decision` asks for; none for waiting and idling.
    #[must_use]
    pub fn compose(&self, _dag: &Dag, _decision: Decision) -> Option<Composition> {
        unimplemented!()
    }

    /// The present wait T (C34), in milliseconds.
    #[must_use]
    pub fn wait_ms(&self) -> u64 {
        unimplemented!()
    }

    /// Whether anything held waits to be settled (C35).
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        unimplemented!()
    }
}
