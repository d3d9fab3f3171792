//! How many message delays pass until something is final, in a network where every message takes the
//! same time: whole peers in virtual time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use dag::event::Kind;
use dag::gossip::Message;
use primitives::Digest;
use primitives::units::Height;
use replica::{Effect, Recipient};
use serde::Serialize;
use wallet_proto::reply::Stage;

use crate::error::Error;
use crate::sim::clock::Moment;
use crate::sim::cluster::Cluster;
use crate::sim::judge::{Agreement, Judge, Seen, Sight, new_heights};
use crate::sim::plan::{Fault, Lane, Plan, Trouble, Workload};

/// What every message takes, in milliseconds: long beside the clocks of peers, which count whole ones.
pub(crate) const DELAY_MS: u64 = 100;
/// From when on it is measured; the others crash then, where some are to.
const BEGIN_MS: u64 = 4_000;
/// How long the run goes on after the last payment that counts.
const REST_MS: u64 = 4_000;
/// Wallets that pay in turn.
const WALLETS: usize = 16;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// How many peers, each with the same stake.
    pub peers: usize,
    /// How many of them crash before it is measured.
    pub crashed: usize,
    /// The mean time between two payments, in milliseconds; where it is long, rounds rest in between.
    pub every_ms: u64,
    /// For how many milliseconds payments count.
    pub for_ms: u64,
}

/// What a run showed.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// As in [`Task`].
    pub peers: usize,
    /// As in [`Task`].
    pub crashed: usize,
    /// As in [`Task`].
    pub every_ms: u64,
    /// From the moment a leader's root left until a peer held its block, over all peers; includes
    /// rests, which say nothing.
    pub roots: Distribution,
    /// From a payment's arrival at a peer until that peer called it final.
    pub payments: Distribution,
    /// Payments that did not become final.
    pub open: usize,
    /// What was wrong.
    pub violations: usize,
}

/// Times in hundredths of a message delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Distribution {
    /// How many were measured.
    pub count: usize,
    /// Their mean.
    pub mean: u64,
    /// The least.
    pub least: u64,
    /// What half of them do not exceed.
    pub half: u64,
    /// What nine of ten do not exceed.
    pub nine_tenths: u64,
    /// The greatest.
    pub most: u64,
}

impl Distribution {
    pub(crate) fn of(mut times_us: Vec<u64>) -> Self {
        times_us.sort_unstable();
        let hundredths = |us: u64| (us + 5 * DELAY_MS) / (10 * DELAY_MS);
        let count = times_us.len();
        let at = |place: usize| hundredths(times_us.get(place).copied().unwrap_or(0));
        let mean = times_us.iter().sum::<u64>().checked_div(count as u64);
        Self {
            count,
            mean: hundredths(mean.unwrap_or(0)),
            least: at(0),
            half: at(count / 2),
            nine_tenths: at(count * 9 / 10),
            most: at(count.saturating_sub(1)),
        }
    }
}

/// What was seen of the payments and blocks of a run.
#[derive(Debug)]
pub(crate) struct Measured {
    /// When what left and was settled.
    pub(crate) times: Times,
    /// How long each payment took that counts, by the peer that it came to, in microseconds.
    pub(crate) payments: Vec<(usize, u64)>,
    /// Payments that did not become final.
    pub(crate) open: usize,
    /// What was wrong.
    pub(crate) violations: usize,
}

/// Carries a plan out to its end; payments count that are made in `window`.
pub(crate) fn measure(plan: Plan, window: &Range<Moment>) -> Result<Measured, Error> {
    let times = Rc::new(RefCell::new(Times::default()));
    let watch = Watch(Rc::clone(&times));
    let judges: Vec<Box<dyn Judge>> = vec![Box::new(Agreement::default()), Box::new(watch)];
    let end = Moment::at_ms(plan.safety_ms);
    let mut cluster = Cluster::new(plan, judges)?;
    cluster.run(end)?;
    cluster.end();
    let submissions = cluster.wallets().submissions().iter();
    let counted = submissions.filter(|submission| window.contains(&submission.at));
    let (mut payments, mut open) = (Vec::new(), 0);
    for submission in counted {
        let is_final = |stage: &Stage| matches!(stage, Stage::Final { .. });
        match submission.told.iter().find(|(_, _, it)| is_final(it)) {
            Some((at, peer, _)) => payments.push((*peer, *at - submission.at)),
            None => open += 1,
        }
    }
    let violations = cluster.violations().len();
    drop(cluster);
    Ok(Measured {
        times: times.take(),
        payments,
        open,
        violations,
    })
}

/// Runs the peers and measures.
///
/// # Errors
/// Numbers that no chain can be made of.
pub fn run(task: Task) -> Result<Report, Error> {
    let window = Moment::at_ms(BEGIN_MS)..Moment::at_ms(BEGIN_MS + task.for_ms);
    let measured = measure(plan(task), &window)?;
    let payments = measured.payments.into_iter().map(|(_, took_us)| took_us);
    Ok(Report {
        peers: task.peers,
        crashed: task.crashed,
        every_ms: task.every_ms,
        roots: Distribution::of(measured.times.of_roots(&window)),
        payments: Distribution::of(payments.collect()),
        open: measured.open,
        violations: measured.violations,
    })
}

fn plan(task: Task) -> Plan {
    let end_ms = BEGIN_MS + task.for_ms + REST_MS;
    let crash = |peer| Fault {
        from_ms: BEGIN_MS,
        to_ms: end_ms + 1,
        trouble: Trouble::Crash { peer, steps: 0 },
    };
    Plan {
        faults: (0..task.crashed).map(crash).collect(),
        ..alike(task.peers, task.every_ms, end_ms)
    }
}

/// So many peers of the same stake, every message takes the same time, and wallets pay as often.
pub(crate) fn alike(peers: usize, every_ms: u64, end_ms: u64) -> Plan {
    Plan {
        lane: Lane {
            delay_us: 1_000 * DELAY_MS,
            ..Lane::NONE
        },
        workload: Workload {
            wallets: WALLETS,
            every_ms,
            ..Workload::default()
        },
        ..Plan::quiet(1, vec![1_000; peers], end_ms)
    }
}

/// What the watch sees.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// When each root left its creator, and who that is.
    left: BTreeMap<Digest, (Moment, usize)>,
    /// The leaders of all blocks.
    leaders: BTreeMap<Height, Digest>,
    /// When each process held each block.
    pub(crate) settled: BTreeMap<(Height, usize), Moment>,
    /// When each process told whom how far it is.
    pub(crate) frontiers: Vec<(Moment, usize, usize)>,
}

impl Times {
    /// How long each process took for each root that led and left between two moments.
    pub(crate) fn of_roots(&self, window: &Range<Moment>) -> Vec<u64> {
        let of_block = |((height, _), at): (&(Height, usize), &Moment)| {
            let (left, _) = self.left.get(self.leaders.get(height)?)?;
            window.contains(left).then(|| *at - *left)
        };
        self.settled.iter().filter_map(of_block).collect()
    }

    /// Who led each block whose root left between two moments.
    pub(crate) fn leaders(&self, window: &Range<Moment>) -> Vec<usize> {
        let led = self.leaders.values().filter_map(|id| self.left.get(id));
        led.filter(|(left, _)| window.contains(left))
            .map(|(_, peer)| *peer)
            .collect()
    }
}

/// Writes down when roots leave and blocks are settled.
struct Watch(Rc<RefCell<Times>>);

impl Judge for Watch {
    fn name(&self) -> &'static str {
        "latency"
    }

    fn see(&mut self, seen: &Seen<'_>) -> Option<String> {
        let mut times = self.0.borrow_mut();
        match seen.sight {
            Sight::Left(Effect::Send {
                to: Recipient::Peer(to),
                message: Message::Frontier { .. },
                ..
            }) => {
                let to = seen.world.number(to);
                times
                    .frontiers
                    .extend(to.map(|to| (seen.at, seen.peer, to)));
            }
            Sight::Left(Effect::Send {
                message: Message::Brief { brief, .. },
                ..
            }) if brief.kind == Kind::Root => {
                let left = times.left.entry(brief.id);
                left.or_insert((seen.at, brief.creator.position()));
            }
            Sight::Handled { replica, .. } => {
                let process = seen.process;
                let is_known = |height| times.settled.contains_key(&(height, process));
                for height in new_heights(replica, is_known) {
                    times.settled.insert((height, process), seen.at);
                }
            }
            Sight::Started(_) | Sight::Left(_) | Sight::Killed => {}
        }
        None
    }

    fn end(&mut self, cluster: &Cluster) -> Vec<String> {
        let mut times = self.0.borrow_mut();
        let Some((_, _, replica, disk)) = cluster.honest().next() else {
            return Vec::new();
        };
        for height in 1..=replica.header().height.get() {
            let height = Height::new(height);
            match replica.ledger().header_at(height, disk) {
                Ok(Some(header)) => times.leaders.insert(height, header.leader),
                Ok(None) | Err(_) => return vec![format!("no header of block {height}")],
            };
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(crashed: usize, roots: u64, payments: Range<u64>) {
        let task = Task {
            peers: 4,
            crashed,
            every_ms: 50,
            for_ms: 4_000,
        };
        let report = run(task).unwrap();
        assert_eq!((report.open, report.violations), (0, 0), "{report:?}");
        assert_eq!(report.roots.half, roots, "{report:?}");
        assert!(payments.contains(&report.payments.mean), "{report:?}");
    }

    // C36.
    #[test]
    fn a_leaders_root_is_final_after_three_delays_and_a_payment_after_four_and_a_half() {
        check(0, 300, 380..450);
    }

    #[test]
    fn with_a_peer_of_four_crashed_it_takes_half_as_long_again_at_most() {
        check(1, 300, 400..675);
    }

    #[test]
    fn a_distribution_has_its_mean_and_its_parts_in_hundredths_of_a_delay() {
        let times = [3, 1, 2, 6].map(|delays| delays * 1_000 * DELAY_MS);
        let expected = Distribution {
            count: 4,
            mean: 300,
            least: 100,
            half: 300,
            nine_tenths: 600,
            most: 600,
        };
        assert_eq!(Distribution::of(times.to_vec()), expected);
        assert_eq!(Distribution::of(Vec::new()), Distribution::default());
    }
}
