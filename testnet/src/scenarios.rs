//! What connections and single peers can do to the others, and how soon things are final meanwhile: whole
//! peers in virtual time, a payment every 50 ms on average, the same on every machine.

use std::collections::BTreeMap;

use primitives::units::Height;
use serde::Serialize;

use crate::error::Error;
use crate::latency::{DELAY_MS, Distribution, Measured, alike, measure};
use crate::sim::clock::Moment;
use crate::sim::plan::{Fault, Lane, Liar, Lie, Peers, Plan, Trouble};

/// When the trouble begins, in milliseconds.
const BEGIN_MS: u64 = 4_000;
/// How long the run goes on after the last payment that counts.
const REST_MS: u64 = 12_000;
/// One side of a cut in halves.
const HALF: [usize; 4] = [0, 1, 2, 3];
/// How long a cut lasts.
const CUT_MS: u64 = 20_000;
/// The mean time between two payments.
const EVERY_MS: u64 = 50;

/// A network and what is wrong with it.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// How many peers, each with the same stake.
    pub peers: usize,
    /// Those that are slow, dead or lie.
    pub odd: Vec<usize>,
    troubles: Vec<Trouble>,
    lie: Option<Lie>,
    /// How long the troubles last and payments count, in milliseconds.
    for_ms: u64,
}

/// What a scenario showed.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// As in [`Scenario`].
    pub name: &'static str,
    /// As in [`Scenario`].
    pub peers: usize,
    /// As in [`Scenario`].
    pub odd: Vec<usize>,
    /// Blocks that the peers settled whose leaders' roots left while it lasted.
    pub blocks: usize,
    /// How many of them odd peers led.
    pub led_by_odd: usize,
    /// From the moment a leader's root left until a peer held its block.
    pub roots: Distribution,
    /// From a payment's arrival at a peer that is not odd until that peer called it final.
    pub payments: Distribution,
    /// The same at odd peers.
    pub payments_at_odd: Distribution,
    /// After a cut: from the first frontier that a peer of one side told one of the other until all held
    /// a new block, in milliseconds.
    pub recovered_ms: Option<u64>,
    /// Payments that did not become final at the peer that they came to.
    pub open: usize,
    /// What was wrong.
    pub violations: usize,
}

/// Every scenario.
#[must_use]
pub fn all() -> Vec<Scenario> {
    let mut all: Vec<Scenario> = [4, 7, 10].map(ring).into();
    let liar = Scenario::of_liar;
    all.push(liar(
        "each root shown to half of the others",
        Lie::Alternate,
    ));
    // Its root of a round is there as soon as a quorum of the one before is, and passes over rounds.
    all.push(liar("a peer that jumps rounds", Lie::Bomb { twins: 1 }));
    all.push(Scenario {
        troubles: [0, 1].map(|peer| Trouble::Crash { peer, steps: 0 }).into(),
        ..Scenario::of("a third crashed", 7, vec![0, 1])
    });
    all.push(Scenario::of_slow(
        "a third ten times as slow",
        vec![0, 1],
        10,
    ));
    all.push(Scenario::of_slow(
        "one peer three times as slow",
        vec![0],
        3,
    ));
    let sides = || (Peers::Only(HALF.to_vec()), Peers::Except(HALF.to_vec()));
    let ((from, to), (back_to, back_from)) = (sides(), sides());
    all.push(Scenario {
        troubles: vec![
            Trouble::Cut { from, to },
            Trouble::Cut {
                from: back_from,
                to: back_to,
            },
        ],
        for_ms: CUT_MS,
        ..Scenario::of("cut in halves for 20 s", 2 * HALF.len(), Vec::new())
    });
    all
}

/// Every message takes a tenth of a delay and a third of one more for each step around.
fn ring(peers: usize) -> Scenario {
    let links = (0..peers).flat_map(|from| (0..peers).map(move |to| (from, to)));
    let troubles = links.filter(|(from, to)| from != to).map(|(from, to)| {
        let steps = ((to + peers - from) % peers) as u64;
        let delay_us = 1_000 * DELAY_MS / 10 + steps * 1_000 * DELAY_MS / 3;
        slow(Peers::Only(vec![from]), Peers::Only(vec![to]), delay_us)
    });
    Scenario {
        troubles: troubles.collect(),
        ..Scenario::of("a ring of unequal delays", peers, Vec::new())
    }
}

const fn slow(from: Peers, to: Peers, delay_us: u64) -> Trouble {
    let lane = Lane {
        delay_us,
        ..Lane::NONE
    };
    Trouble::Lane { from, to, lane }
}

impl Scenario {
    const fn of(name: &'static str, peers: usize, odd: Vec<usize>) -> Self {
        Self {
            name,
            peers,
            odd,
            troubles: Vec::new(),
            lie: None,
            for_ms: 10_000,
        }
    }

    fn of_liar(name: &'static str, lie: Lie) -> Self {
        Self {
            lie: Some(lie),
            ..Self::of(name, 7, vec![0])
        }
    }

    /// Whatever comes from or goes to `odd` takes so many times as long.
    fn of_slow(name: &'static str, odd: Vec<usize>, times: u64) -> Self {
        let delay_us = times * 1_000 * DELAY_MS;
        let odd_ones = || Peers::Only(odd.clone());
        Self {
            troubles: vec![
                slow(odd_ones(), Peers::All, delay_us),
                slow(Peers::All, odd_ones(), delay_us),
            ],
            ..Self::of(name, 7, odd)
        }
    }

    fn plan(&self) -> Plan {
        let end_ms = BEGIN_MS + self.for_ms;
        let fault = |trouble: &Trouble| Fault {
            from_ms: BEGIN_MS,
            to_ms: match is_cut(trouble) {
                true => end_ms,
                false => end_ms + REST_MS + 1,
            },
            trouble: trouble.clone(),
        };
        let liar = |lie: &Lie| Liar {
            peer: 0,
            lie: lie.clone(),
        };
        Plan {
            liars: self.lie.iter().map(liar).collect(),
            faults: self.troubles.iter().map(fault).collect(),
            ..alike(self.peers, EVERY_MS, end_ms + REST_MS)
        }
    }

    /// Runs it and measures.
    ///
    /// # Errors
    /// A replica or liar that fails.
    pub fn run(&self) -> Result<Report, Error> {
        let window = Moment::at_ms(BEGIN_MS)..Moment::at_ms(BEGIN_MS + self.for_ms);
        let measured = measure(self.plan(), &window)?;
        let has_cut = self.troubles.iter().any(is_cut);
        let recovered_us = has_cut.then(|| recovered_us(&measured, window.end));
        let leaders = measured.times.leaders(&window);
        let of = |is_odd: bool| {
            let payments = measured.payments.iter();
            let payments = payments.filter(|(peer, _)| self.odd.contains(peer) == is_odd);
            Distribution::of(payments.map(|(_, took_us)| *took_us).collect())
        };
        Ok(Report {
            name: self.name,
            peers: self.peers,
            odd: self.odd.clone(),
            blocks: leaders.len(),
            led_by_odd: leaders
                .iter()
                .filter(|peer| self.odd.contains(peer))
                .count(),
            roots: Distribution::of(measured.times.of_roots(&window)),
            payments: of(false),
            payments_at_odd: of(true),
            recovered_ms: recovered_us.flatten().map(|us| us / 1_000),
            open: measured.open,
            violations: measured.violations,
        })
    }
}

const fn is_cut(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Cut { .. })
}

/// From the first frontier told after `healed` until every process that holds blocks held one that none
/// had before; none if that never came.
fn recovered_us(measured: &Measured, healed: Moment) -> Option<u64> {
    let frontiers = measured.times.frontiers.iter();
    let across = frontiers.filter(|(_, from, to)| HALF.contains(from) != HALF.contains(to));
    let exchanged = across
        .map(|(at, ..)| *at)
        .filter(|at| *at >= healed)
        .min()?;
    let mut first_and_last: BTreeMap<Height, (Moment, Moment)> = BTreeMap::new();
    for ((height, _), at) in &measured.times.settled {
        let (first, last) = first_and_last.entry(*height).or_insert((*at, *at));
        (*first, *last) = ((*first).min(*at), (*last).max(*at));
    }
    let new = first_and_last
        .values()
        .filter(|(first, _)| *first >= healed);
    Some(new.map(|(_, last)| *last).min()? - exchanged)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The scenarios of this name: everything became final and nothing was wrong.
    fn reports(name: &str) -> Vec<Report> {
        let all = all().into_iter();
        let reports: Vec<_> = all
            .filter(|scenario| scenario.name.contains(name))
            .map(|scenario| scenario.run().unwrap())
            .collect();
        for report in &reports {
            assert_eq!((report.open, report.violations), (0, 0), "{report:?}");
            assert!(report.payments.count > 100, "{report:?}");
        }
        reports
    }

    /// How long payments took on average, in hundredths of a delay.
    fn mean(name: &str) -> Vec<u64> {
        let reports = reports(name).into_iter();
        reports.map(|report| report.payments.mean).collect()
    }

    #[test]
    fn a_ring_of_unequal_delays_settles_every_round() {
        assert!(mean("ring").iter().all(|mean| *mean < 1_500));
    }

    #[test]
    fn a_peer_that_shows_each_root_to_half_of_the_others_or_jumps_rounds_stops_nobody() {
        assert!(mean("half of the others")[0] < 1_500);
        assert!(mean("jumps")[0] < 600);
    }

    #[test]
    fn a_third_that_crashes_or_is_ten_times_as_slow_stops_nobody() {
        assert!(mean("a third").iter().all(|mean| *mean < 600));
    }

    #[test]
    fn a_slow_peer_leads_less_and_what_it_is_asked_takes_longer() {
        let report = &reports("three times")[0];
        assert!(7 * report.led_by_odd < report.blocks, "{report:?}");
        assert!(report.payments_at_odd.mean > report.payments.mean);
    }

    #[test]
    fn a_cut_of_twenty_seconds_is_over_within_a_second_of_the_first_frontier() {
        let report = &reports("cut")[0];
        assert_eq!(report.blocks, 0, "{report:?}");
        assert!(report.recovered_ms.unwrap() < 1_000, "{report:?}");
    }
}
