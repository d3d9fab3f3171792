//! What a plan's faults do to real processes, step by step.

use crate::error::Error;
use crate::sim::network::Damage;
use crate::sim::plan::{Lane, Plan, Trouble};

/// One thing that is done to a network.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// One more fault keeps a peer from running; the first kills it.
    Hold(usize),
    /// One less; when there is none left the peer starts.
    Release(usize),
    /// A process stands still.
    Pause(usize),
    /// It goes on.
    Resume(usize),
    /// The data of a peer that does not run are lost, and its guard if so.
    Lose(usize, bool),
    /// A peer is killed, its data are copied for this fault, and it goes on.
    Save(usize, usize),
    /// A peer is killed and goes on with the data that were copied for this fault, and with the guard
    /// of then if so.
    Restore(usize, usize, bool),
    /// A second process of a peer begins with empty data.
    Double(usize),
    /// It is killed.
    Single(usize),
    /// This fault damages links, or no more.
    Links(usize, Option<Damage>),
}

/// The steps of a plan with their times, in their order.
///
/// # Errors
/// [`Error::Unplayable`] for what only virtual peers can do.
pub(super) fn timeline(plan: &Plan) -> Result<Vec<(u64, Step)>, Error> {
    check(plan)?;
    let mut steps = Vec::new();
    for (number, fault) in plan.faults.iter().enumerate() {
        let until = fault.to_ms.min(plan.safety_ms);
        let from = fault.from_ms.min(until);
        let mut pair = |begin: Step, end: Step| steps.extend([(from, begin), (until, end)]);
        match fault.trouble.clone() {
            Trouble::Lane { from, to, lane } => pair(
                Step::Links(number, Some(Damage::Lane { from, to, lane })),
                Step::Links(number, None),
            ),
            Trouble::Cut { from, to } => pair(
                Step::Links(number, Some(Damage::Cut { from, to })),
                Step::Links(number, None),
            ),
            Trouble::Flap {
                side,
                down_ms,
                up_ms,
            } => {
                let mut at = from;
                while at < until {
                    let end = until.min(at + down_ms.max(1));
                    let cut = Damage::Aside(side.clone());
                    steps.push((at, Step::Links(number, Some(cut))));
                    steps.push((end, Step::Links(number, None)));
                    at = end + up_ms.max(1);
                }
            }
            Trouble::Crash { peer, .. } => pair(Step::Hold(peer), Step::Release(peer)),
            Trouble::CrashAll => {
                for peer in 0..plan.peers() {
                    pair(Step::Hold(peer), Step::Release(peer));
                }
            }
            Trouble::Pause { peer } => pair(Step::Pause(peer), Step::Resume(peer)),
            Trouble::Wipe { peer, whole } => {
                steps.extend([(from, Step::Hold(peer)), (from, Step::Lose(peer, whole))]);
                steps.push((until, Step::Release(peer)));
            }
            Trouble::Rollback { peer, whole } => {
                pair(Step::Save(number, peer), Step::Restore(number, peer, whole));
            }
            Trouble::Twin { peer } => pair(Step::Double(peer), Step::Single(peer)),
            Trouble::SlowDisk { .. }
            | Trouble::LyingDisk { .. }
            | Trouble::Rot { .. }
            | Trouble::Clock { .. } => {}
        }
    }
    steps.sort_by_key(|(at, _)| *at);
    Ok(steps)
}

fn check(plan: &Plan) -> Result<(), Error> {
    let of_lane = |lane: &Lane| (lane.replay > 0).then_some("a link that brings old messages");
    let of_fault = |trouble: &Trouble| match trouble {
        Trouble::SlowDisk { .. } => Some("a slow disk"),
        Trouble::LyingDisk { .. } => Some("a disk that lies"),
        Trouble::Rot { .. } => Some("a disk that rots"),
        Trouble::Clock { .. } => Some("a clock that lies"),
        Trouble::Lane { lane, .. } => of_lane(lane),
        Trouble::Cut { .. }
        | Trouble::Flap { .. }
        | Trouble::Crash { .. }
        | Trouble::CrashAll
        | Trouble::Pause { .. }
        | Trouble::Wipe { .. }
        | Trouble::Rollback { .. }
        | Trouble::Twin { .. } => None,
    };
    let what = of_lane(&plan.lane)
        .or_else(|| (!plan.liars.is_empty()).then_some("a liar"))
        .or_else(|| (plan.workload.moves > 0).then_some("a wallet that moves stake"))
        .or_else(|| {
            plan.faults
                .iter()
                .find_map(|fault| of_fault(&fault.trouble))
        });
    match what {
        Some(what) => Err(Error::Unplayable { what }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::plan::{Fault, Liar, Lie, Peers};

    fn plan(faults: Vec<Fault>) -> Plan {
        Plan {
            faults,
            ..Plan::quiet(1, vec![1; 4], 1_000)
        }
    }

    const fn fault(from_ms: u64, to_ms: u64, trouble: Trouble) -> Fault {
        Fault {
            from_ms,
            to_ms,
            trouble,
        }
    }

    #[test]
    fn faults_begin_and_end_in_the_order_of_time_and_end_with_the_run() {
        let side = Peers::Only(vec![0, 1]);
        let steps = timeline(&plan(vec![
            fault(
                500,
                9_000,
                Trouble::Wipe {
                    peer: 3,
                    whole: false,
                },
            ),
            fault(100, 300, Trouble::Pause { peer: 2 }),
            fault(
                200,
                650,
                Trouble::Flap {
                    side: side.clone(),
                    down_ms: 150,
                    up_ms: 100,
                },
            ),
        ]))
        .unwrap();
        let cut = || Step::Links(2, Some(Damage::Aside(side.clone())));
        assert_eq!(
            steps,
            [
                (100, Step::Pause(2)),
                (200, cut()),
                (300, Step::Resume(2)),
                (350, Step::Links(2, None)),
                (450, cut()),
                (500, Step::Hold(3)),
                (500, Step::Lose(3, false)),
                (600, Step::Links(2, None)),
                (1_000, Step::Release(3)),
            ]
        );
    }

    #[test]
    fn what_only_virtual_peers_can_do_is_refused() {
        let refused = timeline(&plan(vec![fault(0, 1, Trouble::LyingDisk { peer: 0 })]));
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("a disk that lies")
        );
        let liars = Plan {
            liars: vec![Liar {
                peer: 0,
                lie: Lie::Mute,
            }],
            ..plan(Vec::new())
        };
        assert!(timeline(&liars).unwrap_err().to_string().contains("a liar"));
    }
}
