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
/// down or the same has only just begun to start, now and then of all that run.
#[must_use]
pub fn kills(seed: u64, peers: usize, count: usize) -> Plan {
    let mut stream = Stream::new(seed, &[b"kills"]);
    let mut at = 2_000;
    let mut faults = Vec::new();
    let mut killed = 0;
    // When each is started again.
    let mut down_until = vec![0; peers];
    while killed < count {
        at += stream.between(1, PAUSE_MS);
        let to_ms = at + stream.between(1, DOWN_MS);
        let up: Vec<usize> = (0..peers).filter(|peer| down_until[*peer] < at).collect();
        let is_all = stream.below(ALL_EVERY) == 0 && count - killed >= up.len();
        let place = stream.place(up.len());
        let trouble = match up.get(place).copied() {
            Some(_) if is_all => {
                killed += up.len();
                for until in &mut down_until {
                    *until = to_ms.max(*until);
                }
                Trouble::CrashAll
            }
            Some(peer) => {
                killed += 1;
                down_until[peer] = to_ms;
                Trouble::Crash { peer, steps: 0 }
            }
            None => continue,
        };
        faults.push(Fault {
            from_ms: at,
            to_ms,
            trouble,
        });
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
    use crate::play::timeline::{Step, timeline};

    #[test]
    fn as_many_kills_are_drawn_as_asked_for() {
        for count in [0, 1, 500] {
            let plan = kills(7, 4, count);
            assert_eq!(plan.check(), Ok(()));
            let mut holds = [0; 4];
            let mut killed = 0;
            for (_, step) in timeline(&plan).unwrap() {
                match step {
                    Step::Hold(peer) => {
                        killed += usize::from(holds[peer] == 0);
                        holds[peer] += 1;
                    }
                    Step::Release(peer) => holds[peer] -= 1,
                    Step::Pause(_)
                    | Step::Resume(_)
                    | Step::Lose(..)
                    | Step::Save(..)
                    | Step::Restore(..)
                    | Step::Double(_)
                    | Step::Single(_)
                    | Step::Links(..) => panic!("no kill"),
                }
            }
            assert_eq!(killed, count);
        }
        assert_ne!(kills(1, 4, 9).faults, kills(2, 4, 9).faults);
    }
}
