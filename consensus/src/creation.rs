//! When a peer makes its next event, and of what (C32 to C36): pure policy, times handed in.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use dag::Dag;
use dag::event::{Event, Kind, Reference};
use dag::graph::Vertex;
use primitives::planted::{self, Bug};
use primitives::quorum::Threshold;
use primitives::units::{PeerIndex, Round, Seq, Time};
use primitives::{Digest, limits};

use crate::engine::{Engine, Settled};

mod compose;
mod timing;

use timing::Timing;

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
pub struct Creation {
    own: PeerIndex,
    parameters: Parameters,
    timing: Timing,
    /// Held events with a payload that no block has ordered, by id with their round.
    unsettled: BTreeMap<Digest, Round>,
    /// When the newest own event was admitted.
    own_event_ms: Option<u64>,
    /// When the newest own root was admitted.
    own_root_ms: Option<u64>,
}

/// When the next root may leave.
enum Due {
    /// Not before more events arrive.
    Blocked,
    /// This round's, from this time on.
    At(Round, u64),
}

/// Why a data event might be made (C35).
enum Reason {
    /// Payload or attestations wait to be sent.
    Waiting,
    /// Something unsettled may lack own support.
    Support,
    /// Nothing but the passing of time.
    Heartbeat,
}

impl Creation {
    /// The policy of peer `own`.
    #[must_use]
    pub fn new(own: PeerIndex, parameters: Parameters) -> Self {
        Self {
            own,
            parameters,
            timing: Timing::new(parameters),
            unsettled: BTreeMap::new(),
            own_event_ms: None,
            own_root_ms: None,
        }
    }

    /// Notes an admitted event, own ones too, right after its admission at monotone `now_ms`.
    pub fn observe(&mut self, dag: &Dag, event: &Event, now_ms: u64) {
        let header = event.header();
        if header.payload_bytes > 0 {
            self.unsettled.insert(*event.id(), header.round);
        }
        if header.kind == Kind::Root {
            self.timing
                .note_root(dag, header.creator, header.round, now_ms);
        }
        if header.creator != self.own {
            return;
        }
        self.own_event_ms = Some(now_ms);
        if header.kind == Kind::Root {
            self.own_root_ms = Some(now_ms);
            self.timing.note_own_root();
        }
    }

    /// Notes a measured one-way delay (half a round trip) to some peer.
    pub fn observe_delay(&mut self, delay_ms: u64) {
        self.timing.note_delay(delay_ms);
    }

    /// Notes a settled block, after `Engine::advance`.
    pub fn settle(&mut self, settled: &Settled) {
        for id in &settled.order {
            self.unsettled.remove(id);
        }
        // What the next block cannot order any more is stale; its creator sends it again (C21).
        self.unsettled
            .retain(|_, round| round.later(limits::STALE_ROUNDS) > settled.round);
        self.timing.note_block();
    }

    /// What to do at monotone `now_ms`. Cost: O(peers).
    #[must_use]
    pub fn decide(&self, dag: &Dag, engine: &Engine, waiting: Waiting, now_ms: u64) -> Decision {
        // C10: an own second branch must never grow. C30: nothing follows the sealing block.
        if dag.is_forker(self.own) || engine.is_sealed() {
            return Decision::Idle;
        }
        let latest = dag.latest(self.own);
        // C35: rounds run only while something waits to be settled.
        let runs = waiting.payload || self.is_unsettled(engine);
        let beats = self.heartbeat_due().is_some_and(|due| due <= now_ms);
        let starts = latest.is_none() && (waiting.attestations || beats);
        let root = if runs || starts {
            self.root_due(dag, latest)
        } else {
            Due::Blocked
        };
        let root_ms = match root {
            Due::At(round, due) if due <= now_ms => return Decision::Root { round },
            Due::At(_, due) => Some(due),
            Due::Blocked => None,
        };
        let is_far =
            root_ms.is_none_or(|due| due > now_ms.saturating_add(self.parameters.wait_ms_max));
        let data_ms = match latest {
            Some(latest) => {
                let reason = if waiting.payload || (waiting.attestations && !runs) {
                    Reason::Waiting
                } else if runs && is_far {
                    Reason::Support
                } else {
                    Reason::Heartbeat
                };
                self.data_due(dag, engine, latest, reason, now_ms)
            }
            None => self.heartbeat_due(),
        };
        match (data_ms, root_ms) {
            (Some(due), _) if due <= now_ms && latest.is_some() => Decision::Data,
            (Some(data), Some(root)) => Decision::Wait {
                until_ms: data.min(root),
            },
            (Some(due), None) | (None, Some(due)) => Decision::Wait { until_ms: due },
            (None, None) => Decision::Idle,
        }
    }

    /// The links of the event that `decision` asks for; none for waiting and idling.
    #[must_use]
    pub fn compose(&self, dag: &Dag, decision: Decision) -> Option<Composition> {
        let latest = dag.latest(self.own);
        match decision {
            Decision::Root { round } => Some(compose::compose(dag, self.own, Kind::Root, round)),
            Decision::Data => Some(compose::compose(dag, self.own, Kind::Data, latest?.round())),
            Decision::Wait { .. } | Decision::Idle => None,
        }
    }

    /// The present wait T (C34), in milliseconds.
    #[must_use]
    pub fn wait_ms(&self) -> u64 {
        self.timing.wait_ms()
    }

    /// Whether anything held waits to be settled: an event with a payload, neither ordered nor stale
    /// (C35).
    #[must_use]
    pub fn is_unsettled(&self, engine: &Engine) -> bool {
        self.unsettled
            .iter()
            .any(|(id, round)| !engine.is_stale(*round) && !engine.is_ordered(id))
    }

    // C33, C34.
    fn root_due(&self, dag: &Dag, latest: Option<&Vertex>) -> Due {
        // Where known forkers are of the highest quorum, the others may lack this very peer in it: to
        // wait for a quorum of them would be to wait for oneself.
        let jump = |above: u64| {
            let quorum = dag.quorum_round().filter(|quorum| quorum.get() > above)?;
            let ahead = u64::from(has_votable_quorum(dag, quorum));
            Some(Due::At(quorum.later(ahead), 0))
        };
        let Some(latest) = latest else {
            return jump(limits::PARENT_ROUNDS_MAX).unwrap_or(Due::At(Round::ZERO, 0));
        };
        let round = latest.round();
        if let Some(due) = jump(round.later(limits::PARENT_ROUNDS_MAX).get()) {
            return due;
        }
        if !has_votable_quorum(dag, round) {
            return Due::Blocked;
        }
        let next = round.later(1);
        // (c): others have gone on.
        if dag.committee().meets(Threshold::Quorum, dag.heard(next)) {
            return Due::At(next, 0);
        }
        let since_root = self.own_root_ms.unwrap_or(0);
        let soonest = since_root.saturating_add(self.parameters.round_ms_min);
        // (a), (b).
        if self.timing.all_expected(dag, self.own, round) {
            return Due::At(next, soonest);
        }
        if planted::has(Bug::WaitForever) {
            return Due::Blocked;
        }
        let quorum_ms = self.timing.quorum_ms(round).unwrap_or(since_root);
        Due::At(next, soonest.max(quorum_ms.saturating_add(self.wait_ms())))
    }

    /// When a data event may leave, or is to be thought of again (C28, C35).
    fn data_due(
        &self,
        dag: &Dag,
        engine: &Engine,
        latest: &Vertex,
        reason: Reason,
        now_ms: u64,
    ) -> Option<u64> {
        // C7.
        if latest.data_events() >= limits::DATA_EVENTS_PER_ROUND_MAX {
            return None;
        }
        let since_root = self.own_root_ms.unwrap_or(0);
        let since_event = self.own_event_ms.unwrap_or(0);
        let in_round = now_ms.saturating_sub(since_root);
        // All peers together make at most four data events a millisecond.
        let share = u64::try_from(dag.committee().size())
            .unwrap_or(u64::MAX)
            .div_euclid(4);
        let healthy = self.parameters.round_ms_min.max(share);
        let spacing = if in_round <= self.parameters.wait_ms_max {
            healthy
        } else {
            healthy
                .max(self.parameters.spacing_ms_min)
                .max(in_round.div_euclid(64))
        };
        let spaced = since_event.saturating_add(spacing);
        let stalls = since_root.saturating_add(self.parameters.wait_ms_max);
        match reason {
            Reason::Waiting => Some(spaced),
            Reason::Support if now_ms < stalls => Some(stalls),
            // No quorum is heard: support still moves (C28).
            Reason::Support if self.adds_stake(dag, engine, latest) => Some(spaced.max(stalls)),
            Reason::Support | Reason::Heartbeat => self.heartbeat_due(),
        }
    }

    /// Whether an own event would support an unsettled payload that no own event supports yet. A
    /// forker's does not count: its branches may be out of bounds (C10).
    fn adds_stake(&self, dag: &Dag, engine: &Engine, latest: &Vertex) -> bool {
        let near = latest.round().earlier(limits::PARENT_ROUNDS_MAX)..=latest.round();
        self.unsettled.iter().any(|(id, round)| {
            near.contains(round)
                && !engine.is_stale(*round)
                && !engine.is_ordered(id)
                && !dag.reaches(id, latest.id())
                && dag
                    .event(id)
                    .is_some_and(|event| !dag.is_forker(event.header().creator))
        })
    }

    fn heartbeat_due(&self) -> Option<u64> {
        let due = self
            .own_event_ms
            .unwrap_or(0)
            .saturating_add(self.parameters.heartbeat_ms);
        (self.parameters.heartbeat_ms > 0).then_some(due)
    }
}

/// Whether roots of a round from peers not known to fork form a quorum.
fn has_votable_quorum(dag: &Dag, round: Round) -> bool {
    let committee = dag.committee();
    let forked = dag
        .forkers()
        .filter(|forker| {
            dag.root_handles(round)
                .iter()
                .filter_map(|handle| dag.vertex(*handle))
                .any(|root| root.creator() == *forker)
        })
        .fold(0_u64, |sum, forker| {
            sum.saturating_add(committee.stake(forker).get())
        });
    committee.meets(Threshold::Quorum, dag.heard(round).earlier(forked))
}

#[cfg(test)]
mod tests;
