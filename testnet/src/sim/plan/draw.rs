//! Plans drawn from seeds: each kind of fault is left out with one half, so that each meets the
//! others in many mixtures, and what may go wrong for good stays within what the run claims.

use serde::{Deserialize, Serialize};

use super::{Chain, Fault, Heal, Lane, Liar, Lie, Peers, Plan, Skew, Trouble, Workload};
use crate::sim::random::Stream;

/// Sizes of networks.
const SIZES: [usize; 6] = [1, 4, 5, 7, 10, 16];
/// Until when everything must be final after healing (P12, P13), in milliseconds.
const HEAL_LIMIT_MS: u64 = 300_000;

/// How long runs are, and how much goes wrong in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Thirty seconds; less than a third of stake is at fault for good.
    Short,
    /// Ten minutes; less than a third.
    Long,
    /// Thirty seconds; a third or more lies (P17).
    Beyond,
}

impl Profile {
    /// The name, as it is written in a log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Long => "long",
            Self::Beyond => "beyond",
        }
    }

    const fn safety_ms(self) -> u64 {
        match self {
            Self::Short | Self::Beyond => 30_000,
            Self::Long => 600_000,
        }
    }
}

/// The plan of a seed.
#[must_use]
pub fn draw(seed: u64, profile: Profile) -> Plan {
    let mut stream = Stream::new(seed, &[b"plan", profile.name().as_bytes()]);
    let size = SIZES[stream.place(SIZES.len())];
    let stakes = stakes(size, &mut stream);
    let mut plan = Plan::quiet(seed, stakes, profile.safety_ms());
    plan.lane = Lane {
        delay_us: [1_000, 10_000, 30_000, 80_000][stream.place(4)],
        tail_us: [100, 3_000, 20_000][stream.place(3)],
        ..Lane::default()
    };
    plan.workload = Workload {
        wallets: 12,
        every_ms: [100, 300, 1_000, 3_000][stream.place(4)],
        double_spends: u32::try_from(stream.below(300)).unwrap_or(0),
        data: u32::try_from(stream.below(700)).unwrap_or(0),
        moves: 0,
    };
    let at_fault = at_fault(&plan.stakes, profile, &mut stream);
    let mut draw = Draw {
        stream: Stream::new(seed, &[b"faults"]),
        safety_ms: plan.safety_ms,
        size,
        faults: Vec::new(),
    };
    draw.links();
    draw.cuts();
    draw.processes();
    draw.clocks(&at_fault);
    if profile != Profile::Beyond {
        epochs(&mut plan);
    }
    plan.liars = draw.at_fault(&at_fault, profile);
    plan.faults = draw.faults;
    plan.heal = (profile != Profile::Beyond).then(|| Heal {
        core: core(&plan.stakes, &at_fault, &mut stream),
        limit_ms: HEAL_LIMIT_MS,
    });
    plan
}

/// With one half the chain has more epochs than one, and with a quarter their committees differ.
fn epochs(plan: &mut Plan) {
    let mut stream = Stream::new(plan.seed, &[b"epochs"]);
    let period = [8, 16, 32, 64, 128][stream.place(5)];
    let moves = [0, stream.between(50, 500) as u32][stream.place(2)];
    if stream.chance(500) {
        plan.chain = Chain {
            lag: period / 4,
            period,
        };
        plan.workload.moves = moves;
    }
}

fn stakes(size: usize, stream: &mut Stream) -> Vec<u64> {
    let mut stakes: Vec<u64> = match stream.below(3) {
        0 => vec![1_000; size],
        1 => {
            let others = 68_000 / (size as u64 - 1).max(1);
            std::iter::once(32_000)
                .chain(std::iter::repeat_n(others, size - 1))
                .collect()
        }
        _ => (1..=size as u64).map(|rank| 60_000 / rank).collect(),
    };
    stream.shuffle(&mut stakes);
    stakes
}

/// The peers that may go wrong for good: less than a third of stake, but for the profile beyond it.
fn at_fault(stakes: &[u64], profile: Profile, stream: &mut Stream) -> Vec<usize> {
    let total: u64 = stakes.iter().sum();
    let mut peers: Vec<usize> = (0..stakes.len()).collect();
    stream.shuffle(&mut peers);
    let (mut chosen, mut sum) = (Vec::new(), 0);
    for peer in peers {
        let more = sum + stakes[peer];
        let fits = match profile {
            Profile::Short | Profile::Long => 3 * more < total && stream.chance(700),
            Profile::Beyond => 3 * sum < total && 3 * more < 2 * total,
        };
        if fits {
            sum = more;
            chosen.push(peer);
        }
    }
    chosen.sort_unstable();
    chosen
}

/// Sound peers with more than two thirds of stake, not always all.
fn core(stakes: &[u64], at_fault: &[usize], stream: &mut Stream) -> Vec<usize> {
    let total: u64 = stakes.iter().sum();
    let mut core: Vec<usize> = (0..stakes.len()).collect();
    core.retain(|peer| !at_fault.contains(peer));
    let mut leaving = core.clone();
    stream.shuffle(&mut leaving);
    for peer in leaving {
        let rest: u64 = core
            .iter()
            .filter(|one| **one != peer)
            .map(|one| stakes[*one])
            .sum();
        if 3 * rest > 2 * total && stream.chance(300) {
            core.retain(|one| *one != peer);
        }
    }
    core
}

struct Draw {
    stream: Stream,
    safety_ms: u64,
    size: usize,
    faults: Vec<Fault>,
}

impl Draw {
    /// Faults of one kind: with one half none, else up to `most`, each in a time of its own.
    fn some(&mut self, most: u64, mut trouble: impl FnMut(&mut Stream, usize) -> Trouble) {
        let is_on = self.stream.chance(500);
        let count = self.stream.between(1, most);
        if !is_on {
            return;
        }
        for _ in 0..count {
            let from_ms = self.stream.below(self.safety_ms);
            let longest = [500, 3_000, 10_000, self.safety_ms][self.stream.place(4)];
            let to_ms = from_ms + 50 + self.stream.below(longest);
            let trouble = trouble(&mut self.stream, self.size);
            self.faults.push(Fault {
                from_ms,
                to_ms,
                trouble,
            });
        }
    }

    fn links(&mut self) {
        let mut some = |most, worse: &dyn Fn(&mut Stream) -> Lane| {
            self.some(most, |stream, size| Trouble::Lane {
                from: some_peers(stream, size),
                to: some_peers(stream, size),
                lane: worse(stream),
            });
        };
        let rate = |stream: &mut Stream, most| stream.between(1, most) as u32;
        some(3, &|stream| Lane {
            loss: rate(stream, 300),
            ..Lane::NONE
        });
        some(3, &|stream| Lane {
            delay_us: 1_000 * stream.between(1, 500),
            tail_us: 1_000 * stream.between(1, 200),
            ..Lane::NONE
        });
        some(3, &|stream| Lane {
            reorder: rate(stream, 500),
            ..Lane::NONE
        });
        some(3, &|stream| Lane {
            duplicate: rate(stream, 500),
            ..Lane::NONE
        });
        some(2, &|stream| Lane {
            replay: rate(stream, 500),
            ..Lane::NONE
        });
        some(2, &|stream| Lane {
            corrupt: rate(stream, 50),
            ..Lane::NONE
        });
        some(2, &|stream| Lane {
            bandwidth: stream.between(20_000, 1_000_000),
            ..Lane::NONE
        });
    }

    fn cuts(&mut self) {
        self.some(2, |stream, size| {
            let (from, to) = side(stream, size);
            Trouble::Cut { from, to }
        });
        // Both ways, by two entries that can be taken out one by one.
        let is_on = self.stream.chance(500);
        for _ in 0..self.stream.between(1, 2) {
            let from_ms = self.stream.below(self.safety_ms);
            let to_ms = from_ms + 500 + self.stream.below(self.safety_ms / 2);
            let (from, to) = side(&mut self.stream, self.size);
            if is_on {
                let there = Trouble::Cut {
                    from: from.clone(),
                    to: to.clone(),
                };
                let back = Trouble::Cut { from: to, to: from };
                self.faults.extend([there, back].map(|trouble| Fault {
                    from_ms,
                    to_ms,
                    trouble,
                }));
            }
        }
        self.some(1, |stream, size| Trouble::Flap {
            side: side(stream, size).0,
            down_ms: stream.between(50, 3_000),
            up_ms: stream.between(50, 3_000),
        });
    }

    fn processes(&mut self) {
        self.some(4, |stream, size| Trouble::Crash {
            peer: stream.place(size),
            steps: u32::try_from(stream.below(12)).unwrap_or(0),
        });
        self.some(1, |_, _| Trouble::CrashAll);
        self.some(3, |stream, size| Trouble::Pause {
            peer: stream.place(size),
        });
        self.some(2, |stream, size| Trouble::SlowDisk {
            peer: stream.place(size),
            sync_us: 1_000 * stream.between(1, 500),
        });
    }

    /// Clocks of some of the peers that may go wrong, and now and then of all together.
    fn clocks(&mut self, at_fault: &[usize]) {
        for _ in 0..at_fault.len().min(3) {
            self.some(1, |stream, _| Trouble::Clock {
                peers: Peers::Only(vec![at_fault[stream.place(at_fault.len())]]),
                skew: skew(stream),
            });
        }
        self.some(1, |stream, _| Trouble::Clock {
            peers: Peers::All,
            skew: Skew {
                step_ms: stream.between(0, 20_000) as i64 - 10_000,
                ..Skew::default()
            },
        });
    }

    /// What each of the peers does that may go wrong for good.
    fn at_fault(&mut self, peers: &[usize], profile: Profile) -> Vec<Liar> {
        let mut liars = Vec::new();
        for peer in peers.iter().copied() {
            let from_ms = self.stream.below(self.safety_ms);
            let to_ms = from_ms + self.stream.below(self.safety_ms / 2);
            let steps = u32::try_from(self.stream.below(12)).unwrap_or(0);
            let choice = self.stream.below(12);
            let lie = Lie::draw(&mut self.stream, self.size, self.safety_ms);
            let whole = steps.is_multiple_of(2);
            let mut add = |trouble, to_ms| {
                self.faults.push(Fault {
                    from_ms,
                    to_ms,
                    trouble,
                });
            };
            match choice {
                0 if profile != Profile::Beyond => add(Trouble::Crash { peer, steps }, u64::MAX),
                1 if profile != Profile::Beyond => add(Trouble::Wipe { peer, whole }, to_ms),
                2 if profile != Profile::Beyond => add(Trouble::Rollback { peer, whole }, to_ms),
                3 if profile != Profile::Beyond => add(Trouble::Twin { peer }, to_ms),
                4 if profile != Profile::Beyond => {
                    add(Trouble::LyingDisk { peer }, u64::MAX);
                    add(Trouble::Crash { peer, steps }, to_ms);
                }
                5 if profile != Profile::Beyond => add(Trouble::Rot { peer }, to_ms),
                _ => liars.push(Liar { peer, lie }),
            }
        }
        // Liars that do the same together come further than each with its own lie.
        if self.stream.chance(250)
            && let Some((first, others)) = liars.split_first_mut()
        {
            for other in others {
                other.lie = first.lie.clone();
            }
        }
        liars
    }
}

impl Lie {
    /// A lie for a drawn plan of `size` peers.
    fn draw(stream: &mut Stream, size: usize, safety_ms: u64) -> Self {
        let side = side(stream, size).0;
        match stream.below(8) {
            0 => Self::Mute,
            1 | 2 => Self::Equivocate {
                side,
                from_ms: stream.below(safety_ms / 2),
                at_root: stream.chance(500),
            },
            3 => Self::Bomb {
                twins: stream.between(2, 20) as u32,
            },
            4 => Self::Withhold {
                hold_ms: [50, 300, 2_000, 10_000, 1_000_000_000][stream.place(5)],
            },
            5 if stream.chance(500) => Self::Alternate,
            5 => Self::Select { to: side },
            6 => Self::Misshape,
            _ => Self::Misattest,
        }
    }
}

fn some_peers(stream: &mut Stream, size: usize) -> Peers {
    match stream.below(3) {
        0 => Peers::All,
        1 => Peers::Only(vec![stream.place(size)]),
        _ => side(stream, size).0,
    }
}

/// Two sides of a cut: one peer against the rest, halves, or any split.
fn side(stream: &mut Stream, size: usize) -> (Peers, Peers) {
    let mut peers: Vec<usize> = (0..size).collect();
    stream.shuffle(&mut peers);
    let count = match stream.below(3) {
        0 => 1,
        1 => size / 2,
        _ => stream.place(size),
    };
    peers.truncate(count);
    peers.sort_unstable();
    (Peers::Only(peers.clone()), Peers::Except(peers))
}

fn skew(stream: &mut Stream) -> Skew {
    let step = |stream: &mut Stream| {
        let far = [1_000, 60_000, 3_600_000, 86_400_000][stream.place(4)];
        stream.between(0, 2 * far) as i64 - far as i64
    };
    match stream.below(3) {
        0 => Skew {
            step_ms: step(stream),
            ..Skew::default()
        },
        1 => Skew {
            drift_ppm: stream.between(0, 20_000) as i64 - 10_000,
            ..Skew::default()
        },
        _ => Skew {
            frozen: true,
            step_ms: step(stream),
            ..Skew::default()
        },
    }
}

#[cfg(test)]
mod tests;
