//! What a run is like: committee, faults, delays. All times are in milliseconds.

use alloc::vec;
use alloc::vec::Vec;

use primitives::Digest;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;

use super::super::{Graph, Member, race};
use super::chance::Chance;
use super::{Options, Pace};

/// The greatest delay of an ordinary link.
const DELAY_MAX: u64 = 60;

/// Everything that is decided before a run.
#[derive(Debug)]
pub(super) struct Plan {
    /// The graph without events.
    pub(super) graph: Graph,
    /// The round at whose first root the run ends.
    pub(super) rounds: u64,
    /// One per member.
    pub(super) peers: Vec<Habit>,
    /// When links are cut.
    pub(super) cuts: Vec<Cut>,
    /// How many messages of a hundred get lost.
    pub(super) lost_percent: u64,
    /// How many roots of a hundred have a bad proof.
    pub(super) bad_proof_percent: u64,
    /// How long between a peer's data events on average; none are made if 0.
    pub(super) spacing: u64,
}

/// How one peer behaves.
#[derive(Debug, Clone)]
pub(super) struct Habit {
    /// What it waits for roots beyond a quorum.
    pub(super) wait: u64,
    /// The delay to each member.
    pub(super) delays: Vec<u64>,
    /// By how much each claimed time may be off.
    pub(super) clock_error: u64,
    /// When it falls silent.
    pub(super) silent_from: u64,
    /// Until when it receives but does not send.
    pub(super) hidden_until: u64,
    /// When it forks.
    pub(super) forks_at: Option<u64>,
    /// How many of a hundred others it shows its events to.
    pub(super) shows_percent: u64,
    /// Whether it jumps over rounds when behind.
    pub(super) is_jumping: bool,
}

/// A time during which two sides do not hear each other.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    /// Its beginning.
    pub(super) from: u64,
    /// Its end.
    pub(super) to: u64,
    /// The side of each member.
    pub(super) sides: Vec<bool>,
}

impl Plan {
    /// Draws a plan.
    pub(super) fn draw(chance: &mut Chance, seed: u64, options: Options) -> Self {
        let least = u64::from(options.peers_min.max(4));
        let peers = chance.between(least, u64::from(options.peers_max).max(least));
        let chain_id = derive(Domain::TestKey, &[b"chain", &seed.to_le_bytes()]);
        let committee = committee(chance, &chain_id, peers);
        let pace = options
            .pace
            .unwrap_or_else(|| chance.pick(&[Pace::Patient, Pace::Hasty, Pace::Mixed]));
        let round_length = match pace {
            Pace::Patient => 200,
            Pace::Hasty => 60,
            Pace::Mixed => 100,
        };
        let length = round_length * options.rounds;
        let mut habits: Vec<Habit> = (0..peers)
            .map(|_| habit(chance, pace, committee.len()))
            .collect();
        spoil(chance, &committee, &mut habits, options, length);
        let cuts = (0..chance.pick(&[0, 0, 1, 2])).map(|_| {
            let from = chance.below(length);
            Cut {
                from,
                to: from + chance.below(round_length * 8),
                sides: (0..peers).map(|_| chance.percent(50)).collect(),
            }
        });
        let cuts = cuts.collect();
        Self {
            graph: Graph {
                chain_id,
                epoch: 0,
                seed: race::genesis_seed(&chain_id),
                committee,
                events: vec![],
            },
            rounds: options.rounds,
            peers: habits,
            cuts,
            lost_percent: chance.pick(&[0, 5, 20, 50]),
            bad_proof_percent: chance.pick(&[0, 0, 10, 60]),
            spacing: chance.pick(&[0, round_length / 2, round_length, round_length * 4]),
        }
    }
}

fn committee(chance: &mut Chance, chain_id: &Digest, peers: u64) -> Vec<Member> {
    let shape = chance.below(4);
    let mut committee: Vec<Member> = (0..peers)
        .map(|index| Member {
            key: PublicKey(derive(Domain::TestKey, &[&chain_id.0, &index.to_le_bytes()]).0),
            stake: match shape {
                0 => 100,
                1 => chance.between(1, 1000),
                2 => 1 << chance.below(6),
                // One large peer among equals, at times able to stop everything.
                _ if index == 0 => 100 * chance.between(2, peers),
                _ => 100,
            },
        })
        .collect();
    committee.sort_by_key(|member| member.key); // C1
    committee
}

fn habit(chance: &mut Chance, pace: Pace, members: usize) -> Habit {
    let slowness = if chance.percent(10) { 8 } else { 1 };
    Habit {
        wait: match pace {
            Pace::Patient => chance.between(2 * DELAY_MAX, 4 * DELAY_MAX),
            Pace::Hasty => chance.between(0, 5),
            Pace::Mixed => chance.between(0, 2 * DELAY_MAX),
        },
        delays: delays(chance, members, slowness),
        clock_error: chance.pick(&[0, 20, 50, 10_000]),
        silent_from: u64::MAX,
        hidden_until: 0,
        forks_at: None,
        shows_percent: 100,
        is_jumping: false,
    }
}

/// Delays from one peer to each member.
pub(super) fn delays(chance: &mut Chance, members: usize, slowness: u64) -> Vec<u64> {
    (0..members)
        .map(|_| slowness * chance.between(2, DELAY_MAX))
        .collect()
}

/// Makes peers with less than a third of stake together liars or silent.
fn spoil(
    chance: &mut Chance,
    committee: &[Member],
    habits: &mut [Habit],
    options: Options,
    length: u64,
) {
    let whole: u64 = committee.iter().map(|member| member.stake).sum();
    let mut bad = 0;
    for _ in 0..chance.below(5) {
        let peer = chance.index(habits.len());
        let stake = committee[peer].stake;
        let habit = &mut habits[peer];
        let is_spoilt = habit.forks_at.is_some() || habit.silent_from < u64::MAX;
        if is_spoilt || 3 * (bad + stake) >= whole {
            continue;
        }
        bad += stake;
        if options.forks && chance.percent(80) {
            habit.forks_at = Some(chance.below(length / 2));
            habit.shows_percent = chance.pick(&[100, 70, 40]);
        } else {
            habit.silent_from = chance.below(length);
        }
        habit.is_jumping = chance.percent(30);
    }
}
