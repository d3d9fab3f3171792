//! The links between processes: when a message arrives, how often, in what order, or whether at all.

use std::collections::{BTreeMap, VecDeque};

use super::clock::Moment;
use super::plan::{Lane, Peers};
use super::random::Stream;
use super::wire::Wire;

/// Messages that a link remembers to send again.
const REPLAYED_MAX: usize = 16;
/// Bytes that wait for a slow link; more are refused, as the transport does.
const QUEUE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// What a fault does to links.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Damage {
    /// Worse lanes between these.
    Lane { from: Peers, to: Peers, lane: Lane },
    /// Nothing passes from one to the other.
    Cut { from: Peers, to: Peers },
    /// Nothing passes between this side and the others.
    Aside(Peers),
}

/// One direction between two processes.
#[derive(Debug)]
struct Link {
    stream: Stream,
    /// For when an end notices that the other is gone or back.
    notices: Stream,
    /// When the link has sent what waits, by lane.
    free: [Moment; 2],
    /// When the newest message of each lane arrives.
    last: [Moment; 2],
    recent: VecDeque<Wire>,
}

/// Every link.
#[derive(Debug)]
pub(crate) struct Network {
    seed: u64,
    /// The peer that each process is of.
    peers: Vec<usize>,
    lane: Lane,
    damage: BTreeMap<usize, Damage>,
    links: BTreeMap<(usize, usize), Link>,
}

impl Network {
    pub(crate) const fn new(seed: u64, peers: Vec<usize>, lane: Lane) -> Self {
        Self {
            seed,
            peers,
            lane,
            damage: BTreeMap::new(),
            links: BTreeMap::new(),
        }
    }

    /// The peer that a process is of.
    pub(super) fn peer(&self, process: usize) -> usize {
        self.peers[process]
    }

    /// Does what fault number `fault` does to links, instead of what it did.
    pub(crate) fn damage(&mut self, fault: usize, damage: Damage) {
        self.damage.insert(fault, damage);
    }

    /// Ends what fault number `fault` did.
    pub(crate) fn mend(&mut self, fault: usize) {
        self.damage.remove(&fault);
    }

    /// Whether nothing passes from one process to another.
    pub(crate) fn is_cut(&self, from: usize, to: usize) -> bool {
        let (from, to) = (self.peers[from], self.peers[to]);
        self.damage.values().any(|damage| match damage {
            Damage::Lane { .. } => false,
            Damage::Cut { from: a, to: b } => a.contain(from) && b.contain(to),
            Damage::Aside(side) => side.contain(from) != side.contain(to),
        })
    }

    /// When copies of a message sent now arrive, in `arrivals`.
    pub(super) fn send(
        &mut self,
        (from, to): (usize, usize),
        bulk: bool,
        wire: &Wire,
        at: Moment,
        arrivals: &mut Vec<(Moment, Wire)>,
    ) {
        let lane = self.lane(from, to);
        let link = self.link(from, to);
        let delay = lane.delay_us + link.stream.exponential(lane.tail_us);
        let is_lost = link.stream.chance(lane.loss);
        let overtakes = link.stream.chance(lane.reorder);
        let is_twice = link.stream.chance(lane.duplicate);
        let repeats = link.stream.chance(lane.replay);
        let is_corrupt = link.stream.chance(lane.corrupt);
        let (bit, place, again) = (link.stream.draw(), link.stream.draw(), link.stream.draw());
        let Some(sent) = link.pass(wire.bytes().len() as u64, bulk, lane.bandwidth, at) else {
            return;
        };
        if lane.replay > 0 {
            link.recent.push_back(wire.clone());
            if link.recent.len() > REPLAYED_MAX {
                link.recent.pop_front();
            }
        }
        let mut arrival = sent + delay;
        if !overtakes {
            let last = &mut link.last[usize::from(bulk)];
            arrival = arrival.max(*last);
            *last = arrival;
        }
        let wire = match is_corrupt {
            true => wire.corrupted(bit),
            false => wire.clone(),
        };
        if is_twice {
            arrivals.push((arrival + again % (10 * delay.max(1)), wire.clone()));
        }
        if repeats {
            let place = place % link.recent.len().max(1) as u64;
            let old = link.recent.get(usize::try_from(place).unwrap_or(0));
            arrivals.extend(old.map(|old| (arrival, old.clone())));
        }
        if !is_lost {
            arrivals.push((arrival, wire));
        }
    }

    /// How long `of` takes to notice that `about` is gone, or is back, in microseconds.
    pub(super) fn notice_us(&mut self, of: usize, about: usize, is_up: bool) -> u64 {
        let stream = &mut self.link(about, of).notices;
        match is_up {
            true => stream.between(20_000, 1_000_000),
            false => stream.between(50_000, 10_000_000),
        }
    }

    /// What a link does now, but for cuts.
    pub(crate) fn lane(&self, from: usize, to: usize) -> Lane {
        let (from, to) = (self.peers[from], self.peers[to]);
        let mut lane = self.lane;
        for damage in self.damage.values() {
            match damage {
                Damage::Lane {
                    from: a,
                    to: b,
                    lane: worse,
                } if a.contain(from) && b.contain(to) => lane = worsened(lane, *worse),
                Damage::Lane { .. } | Damage::Cut { .. } | Damage::Aside(_) => {}
            }
        }
        lane
    }

    fn link(&mut self, from: usize, to: usize) -> &mut Link {
        let seed = self.seed;
        self.links.entry((from, to)).or_insert_with(|| Link {
            stream: Stream::of_link(seed, from, to),
            notices: Stream::new(seed, &[b"notice", &from.to_le_bytes(), &to.to_le_bytes()]),
            free: [Moment::ZERO; 2],
            last: [Moment::ZERO; 2],
            recent: VecDeque::new(),
        })
    }
}

impl Link {
    /// When a message has left, or none if too much waits. Bulk waits for everything, the consensus
    /// lane only for itself.
    fn pass(&mut self, bytes: u64, bulk: bool, bandwidth: u64, at: Moment) -> Option<Moment> {
        if bandwidth == 0 {
            return Some(at);
        }
        let mut start = at.max(self.free[0]);
        if bulk {
            start = start.max(self.free[1]);
        }
        let waiting = u128::from(start - at) * u128::from(bandwidth) / 1_000_000;
        if waiting > u128::from(QUEUE_BYTES_MAX) {
            return None;
        }
        let sent = start + bytes.saturating_mul(1_000_000) / bandwidth;
        self.free[usize::from(bulk)] = sent;
        Some(sent)
    }
}

/// Each number of `worse` but zero in place of that of `lane`.
fn worsened(lane: Lane, worse: Lane) -> Lane {
    let pick = |old: u64, new: u64| if new == 0 { old } else { new };
    let rate = |old: u32, new: u32| if new == 0 { old } else { new };
    Lane {
        delay_us: pick(lane.delay_us, worse.delay_us),
        tail_us: pick(lane.tail_us, worse.tail_us),
        loss: rate(lane.loss, worse.loss),
        reorder: rate(lane.reorder, worse.reorder),
        duplicate: rate(lane.duplicate, worse.duplicate),
        replay: rate(lane.replay, worse.replay),
        corrupt: rate(lane.corrupt, worse.corrupt),
        bandwidth: pick(lane.bandwidth, worse.bandwidth),
    }
}

#[cfg(test)]
mod tests;
