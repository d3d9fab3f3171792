//! Plans that kill real processes at random moments.

use crate::sim::plan::{Chain, Fault, Heal, Lane, Plan, Trouble, Workload};
use crate::sim::random::Stream;

/// The longest pause between two kills, in milliseconds.
const PAUSE_MS: u64 = 2_000;
/// The longest that a killed peer stays down, in milliseconds.
const DOWN_MS: u64 = 1_200;
/// How many kills there are to one of all peers at once.
const ALL_EVERY: u64 = 20;

/// A plan of `count` kills of `peers` peers under load: mostly of one, sometimes while another is
/// down or the same has only just begun to start, now and then of all at once.
#[must_use]
pub fn kills(seed: u64, peers: usize, count: usize) -> Plan {
    let mut stream = Stream::new(seed, &[b"kills"]);
    let mut at = 2_000;
    let mut faults = Vec::new();
    let mut killed = 0;
    while killed < count {
        let (peer, down) = (stream.place(peers), stream.between(1, DOWN_MS));
        let is_all = stream.below(ALL_EVERY) == 0 && count - killed >= peers;
        let trouble = match is_all {
            true => Trouble::CrashAll,
            false => Trouble::Crash { peer, steps: 0 },
        };
        killed += if is_all { peers } else { 1 };
        faults.push(Fault {
            from_ms: at,
            to_ms: at + down,
            trouble,
        });
        at += stream.between(1, PAUSE_MS);
    }
    Plan {
        chain: Chain {
            lag: 10,
            period: 30,
        },
        lane: Lane::NONE,
        workload: Workload {
            wallets: 1,
            every_ms: 100,
            double_spends: 20,
            data: 200,
            moves: 0,
        },
        faults,
        heal: Some(Heal {
            core: (0..peers).collect(),
            limit_ms: 120_000,
        }),
        ..Plan::quiet(seed, vec![1_000_000_000; peers], at + DOWN_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_kills_are_drawn_as_asked_for() {
        for count in [0, 1, 500] {
            let plan = kills(7, 4, count);
            assert_eq!(plan.check(), Ok(()));
            let of = |fault: &Fault| {
                let is_all = fault.trouble == Trouble::CrashAll;
                if is_all { 4 } else { 1 }
            };
            assert_eq!(plan.faults.iter().map(of).sum::<usize>(), count);
        }
        assert_ne!(kills(1, 4, 9).faults, kills(2, 4, 9).faults);
    }
}
