//! Which peers come in time, and how long to wait for the others (C34).

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;

use dag::Dag;
use dag::graph::Vertex;
use primitives::quorum::Threshold;
use primitives::units::{PeerIndex, Round};

use crate::creation::Parameters;

/// The rounds over which a peer must have been in time to be expected (C34).
const EXPECTED_OF: u64 = 8;
/// In how many of them.
const EXPECTED_TIMES: usize = 3;
/// Own rounds without a block after which T doubles (C34).
const ROUNDS_WITHOUT_BLOCK: u64 = 16;
/// Rounds whose arrival times are kept: those that C34 asks for and as many again.
const ROUNDS_KEPT: u64 = 16;
/// Delays that are remembered: enough for a 99th percentile.
const DELAYS_KEPT: usize = 128;

/// When roots arrived.
#[derive(Debug, Clone)]
pub(super) struct Timing {
    parameters: Parameters,
    rounds: BTreeMap<Round, Arrivals>,
    delays: VecDeque<u64>,
    /// T from the observed delays alone.
    wait_ms_base: u64,
    /// T as doubled while nothing settles; counts where it is above the base.
    wait_ms_stretched: u64,
    rounds_without_block: u64,
}

/// When the roots of one round arrived.
#[derive(Debug, Clone)]
struct Arrivals {
    quorum_ms: Option<u64>,
    /// By creator's position.
    root_ms: Vec<Option<u64>>,
}

impl Timing {
    pub(super) const fn new(parameters: Parameters) -> Self {
        Self {
            parameters,
            rounds: BTreeMap::new(),
            delays: VecDeque::new(),
            wait_ms_base: parameters.wait_ms_max,
            wait_ms_stretched: 0,
            rounds_without_block: 0,
        }
    }

    pub(super) fn wait_ms(&self) -> u64 {
        self.wait_ms_base.max(self.wait_ms_stretched)
    }

    pub(super) fn quorum_ms(&self, round: Round) -> Option<u64> {
        self.rounds.get(&round)?.quorum_ms
    }

    pub(super) fn note_root(&mut self, dag: &Dag, creator: PeerIndex, round: Round, now_ms: u64) {
        let committee = dag.committee();
        let arrivals = self.rounds.entry(round).or_insert_with(|| Arrivals {
            quorum_ms: None,
            root_ms: vec![None; committee.size()],
        });
        if let Some(root_ms) = arrivals.root_ms.get_mut(creator.position()) {
            root_ms.get_or_insert(now_ms);
        }
        if committee.meets(Threshold::Quorum, dag.heard(round)) {
            arrivals.quorum_ms.get_or_insert(now_ms);
        }
        let kept = dag
            .quorum_round()
            .map_or(Round::ZERO, |quorum| quorum.earlier(ROUNDS_KEPT));
        self.rounds = self.rounds.split_off(&kept);
    }

    pub(super) fn note_own_root(&mut self) {
        self.rounds_without_block = self.rounds_without_block.saturating_add(1);
        if self.rounds_without_block >= ROUNDS_WITHOUT_BLOCK {
            self.rounds_without_block = 0;
            let doubled = self.wait_ms().saturating_mul(2);
            self.wait_ms_stretched = doubled.min(self.parameters.wait_ms_limit);
        }
    }

    pub(super) fn note_block(&mut self) {
        self.rounds_without_block = 0;
        // Rounded up, so that it ends at zero.
        let eighth = self.wait_ms_stretched.div_ceil(8);
        self.wait_ms_stretched = self.wait_ms_stretched.saturating_sub(eighth);
    }

    pub(super) fn note_delay(&mut self, delay_ms: u64) {
        self.delays.push_back(delay_ms);
        if self.delays.len() > DELAYS_KEPT {
            self.delays.pop_front();
        }
        let mut sorted: Vec<u64> = self.delays.iter().copied().collect();
        sorted.sort_unstable();
        let last = sorted.len().saturating_mul(99).div_ceil(100);
        let percentile = sorted.get(last.saturating_sub(1)).copied().unwrap_or(0);
        self.wait_ms_base = percentile
            .saturating_mul(2)
            .clamp(self.parameters.wait_ms_min, self.parameters.wait_ms_max);
    }

    /// Whether roots of `round` from all expected peers are held. A peer is expected if its roots
    /// were held within T of the quorum of their round in 3 of the 8 rounds before.
    pub(super) fn all_expected(&self, dag: &Dag, own: PeerIndex, round: Round) -> bool {
        let mut held = vec![false; dag.committee().size()];
        for handle in dag.root_handles(round) {
            let creator = dag.vertex(*handle).map(Vertex::creator);
            if let Some(held) = creator.and_then(|creator| held.get_mut(creator.position())) {
                *held = true;
            }
        }
        dag.committee()
            .iter()
            .zip(held)
            .filter(|((peer, _), held)| !*held && *peer != own && !dag.is_forker(*peer))
            .all(|((peer, _), _)| !self.is_expected(peer, round))
    }

    fn is_expected(&self, peer: PeerIndex, round: Round) -> bool {
        let wait_ms = self.wait_ms();
        let in_time = |arrivals: &&Arrivals| {
            let root_ms = arrivals.root_ms.get(peer.position()).copied().flatten();
            match (root_ms, arrivals.quorum_ms) {
                (Some(root_ms), Some(quorum_ms)) => root_ms <= quorum_ms.saturating_add(wait_ms),
                (Some(_), None) => true,
                (None, _) => false,
            }
        };
        let times = self
            .rounds
            .range(round.earlier(EXPECTED_OF)..round)
            .map(|(_, arrivals)| arrivals)
            .filter(in_time)
            .count();
        times >= EXPECTED_TIMES
    }
}
