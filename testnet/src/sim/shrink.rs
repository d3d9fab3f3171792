//! The smallest plan that still violates what a greater one did: first fewer entries, then fewer
//! peers, then less time and less to do.

use super::plan::{Liar, Peers, Plan, Trouble};
use super::run::run;

/// The rarest work that is tried.
const EVERY_MS_MAX: u64 = 10_000;

/// Carries out candidates and counts them.
struct Shrink<'a> {
    fails: &'a mut dyn FnMut(&Plan) -> bool,
    runs_left: u32,
}

/// Shrinks `plan`, which violates a promise of `judge`, with at most `runs_max` runs.
#[must_use]
pub fn shrink(plan: Plan, judge: &str, runs_max: u32) -> Plan {
    let mut fails = |plan: &Plan| {
        run(plan.clone())
            .is_ok_and(|report| report.violations.iter().any(|found| found.judge == judge))
    };
    shrink_by(plan, &mut fails, runs_max)
}

/// The same for any test of a plan.
pub(super) fn shrink_by(plan: Plan, fails: &mut dyn FnMut(&Plan) -> bool, runs_max: u32) -> Plan {
    let mut shrink = Shrink {
        fails,
        runs_left: runs_max,
    };
    let mut plan = plan;
    loop {
        let before = plan.clone();
        plan = shrink.entries(plan);
        plan = shrink.peers(plan);
        plan = shrink.time(plan);
        plan = shrink.work(plan);
        if plan == before || shrink.runs_left == 0 {
            return plan;
        }
    }
}

impl Shrink<'_> {
    /// `candidate` if it still fails, else `plan`.
    fn better(&mut self, plan: Plan, candidate: Plan) -> Plan {
        if candidate == plan || self.runs_left == 0 || candidate.check().is_err() {
            return plan;
        }
        self.runs_left -= 1;
        match (self.fails)(&candidate) {
            true => candidate,
            false => plan,
        }
    }

    /// Delta debugging over faults and liars: ever smaller pieces are left out while that fails.
    fn entries(&mut self, plan: Plan) -> Plan {
        let mut plan = plan;
        let mut piece = entries(&plan).max(1);
        loop {
            let mut from = 0;
            while from < entries(&plan) {
                let before = entries(&plan);
                let candidate = without(&plan, from, piece);
                plan = self.better(plan, candidate);
                if entries(&plan) == before {
                    from += piece;
                }
            }
            if piece == 1 {
                return plan;
            }
            piece = piece.div_ceil(2);
        }
    }

    fn peers(&mut self, plan: Plan) -> Plan {
        let mut plan = plan;
        for peer in (0..plan.peers()).rev() {
            let candidate = without_peer(&plan, peer);
            if candidate.peers() > 0 {
                plan = self.better(plan, candidate);
            }
        }
        plan
    }

    fn time(&mut self, plan: Plan) -> Plan {
        let mut plan = plan;
        for eighths in [4, 4, 4, 6, 7] {
            let candidate = Plan {
                safety_ms: plan.safety_ms * eighths / 8,
                ..plan.clone()
            };
            plan = self.better(plan, candidate);
        }
        plan
    }

    fn work(&mut self, plan: Plan) -> Plan {
        let mut plan = plan;
        let changes: [&dyn Fn(&mut Plan); 4] = [
            &|plan| plan.workload.double_spends = 0,
            &|plan| plan.workload.data = 1_000,
            &|plan| plan.workload.wallets = 0,
            &|plan| plan.workload.every_ms = (plan.workload.every_ms * 2).min(EVERY_MS_MAX),
        ];
        for change in changes {
            let mut candidate = plan.clone();
            change(&mut candidate);
            plan = self.better(plan, candidate);
        }
        plan
    }
}

fn entries(plan: &Plan) -> usize {
    plan.faults.len() + plan.liars.len()
}

/// The plan without `count` entries from one on: faults first, then liars.
fn without(plan: &Plan, from: usize, count: usize) -> Plan {
    let keep = |place: usize| place < from || place >= from + count;
    let mut smaller = plan.clone();
    let faults = plan.faults.len();
    let mut place = 0;
    smaller.faults.retain(|_| {
        place += 1;
        keep(place - 1)
    });
    let mut place = faults;
    smaller.liars.retain(|_| {
        place += 1;
        keep(place - 1)
    });
    smaller
}

/// The plan of all peers but one; what is about that one alone goes with it.
fn without_peer(plan: &Plan, peer: usize) -> Plan {
    let moved = |other: usize| (other != peer).then(|| other - usize::from(other > peer));
    let among = |peers: &Peers| match peers {
        Peers::All => Peers::All,
        Peers::Only(some) => Peers::Only(some.iter().copied().filter_map(moved).collect()),
        Peers::Except(some) => Peers::Except(some.iter().copied().filter_map(moved).collect()),
    };
    let mut smaller = plan.clone();
    smaller.stakes.remove(peer);
    let liar = |liar: &Liar| {
        let mut lie = liar.lie.clone();
        if let Some(peers) = lie.peers_mut() {
            *peers = among(peers);
        }
        Some(Liar {
            peer: moved(liar.peer)?,
            lie,
        })
    };
    smaller.liars = plan.liars.iter().filter_map(liar).collect();
    smaller.faults.retain_mut(|fault| {
        let trouble = &mut fault.trouble;
        match trouble {
            Trouble::Lane { from, to, .. } | Trouble::Cut { from, to } => {
                (*from, *to) = (among(from), among(to));
            }
            Trouble::Flap { side: peers, .. } | Trouble::Clock { peers, .. } => {
                *peers = among(peers);
            }
            Trouble::CrashAll => {}
            Trouble::Crash { peer, .. }
            | Trouble::Pause { peer }
            | Trouble::Wipe { peer, .. }
            | Trouble::Rollback { peer, .. }
            | Trouble::Twin { peer }
            | Trouble::SlowDisk { peer, .. }
            | Trouble::LyingDisk { peer }
            | Trouble::Rot { peer } => {
                let Some(place) = moved(*peer) else {
                    return false;
                };
                *peer = place;
            }
        }
        true
    });
    if let Some(heal) = &mut smaller.heal {
        heal.core = heal.core.iter().copied().filter_map(moved).collect();
    }
    smaller
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::plan::{Profile, draw};

    /// A plan with many entries.
    fn large() -> Plan {
        let plans = (0..100).map(|seed| draw(seed, Profile::Short));
        plans.max_by_key(entries).unwrap()
    }

    #[test]
    fn only_what_a_failure_needs_is_left() {
        let plan = large();
        assert!(entries(&plan) > 10);
        let wanted = plan.faults[entries(&plan) / 2].clone();
        let mut runs = 0;
        let mut fails = |candidate: &Plan| {
            runs += 1;
            candidate.faults.contains(&wanted) && candidate.safety_ms >= 10_000
        };
        let small = shrink_by(plan, &mut fails, 1_000);
        assert_eq!(small.faults, [wanted]);
        assert!(small.liars.is_empty() && (10_000..20_000).contains(&small.safety_ms));
        assert!(runs < 200, "{runs}");
    }

    #[test]
    fn a_peer_that_goes_takes_its_own_faults_along_and_the_others_are_renumbered() {
        let plan = large();
        for peer in 0..plan.peers() {
            let smaller = without_peer(&plan, peer);
            assert_eq!(smaller.peers() + 1, plan.peers());
            let heal = smaller.heal.unwrap();
            assert!(heal.core.iter().all(|one| *one < plan.peers() - 1));
            assert!(smaller.liars.iter().all(|one| one.peer < plan.peers() - 1));
        }
    }

    #[test]
    fn a_bound_on_runs_is_kept() {
        let mut runs = 0;
        let mut fails = |_: &Plan| {
            runs += 1;
            true
        };
        let _ = shrink_by(large(), &mut fails, 7);
        assert_eq!(runs, 7);
    }
}
