//! The commit rule written plainly and slowly, as the model that the engine is tested against.
//!
//! ```text
//!   Graph --View--> direct decisions --decisions(seed)--> leader of each round --order--> Block
//! ```
//!
//! Everything is computed anew from a whole graph: nothing is kept between calls, and after each
//! block all decisions are made again under its seed. Begin reading at [`settle`], then [`view`].
//!
//! Where an epoch ends (C30) is a matter of chain parameters that a graph does not hold: give it
//! only the events that count.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "plain formulas are the point of a model; View::new has checked every index and round"
)]

use alloc::vec;
use alloc::vec::Vec;

use primitives::Digest;
use primitives::keys::PublicKey;

pub mod bridge;
pub mod generate;
mod order;
pub mod race;
pub mod view;

pub use view::{Decision, How, View};

/// The events of one epoch and what is needed to recompute every decision on them.
///
/// Mirrors the JSON export of consensus.md section 11.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// The chain.
    pub chain_id: Digest,
    /// The epoch.
    pub epoch: u64,
    /// The first seed of the epoch.
    pub seed: Digest,
    /// The committee; a member's position is its index.
    pub committee: Vec<Member>,
    /// The events, each after its parents.
    pub events: Vec<Vertex>,
}

/// A peer of the committee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its key.
    pub key: PublicKey,
    /// Its stake, above zero.
    pub stake: u64,
}

/// An event, as far as the order depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vertex {
    /// Its id.
    pub id: Digest,
    /// The index of its creator.
    pub creator: u16,
    /// Its number on the self-chain.
    pub seq: u64,
    /// Its round.
    pub round: u64,
    /// Whether it is a root.
    pub root: bool,
    /// The claimed time, in milliseconds.
    pub time: u64,
    /// The event before it on the self-chain.
    pub self_parent: Option<Digest>,
    /// The roots it votes for.
    pub votes: Vec<Digest>,
    /// The other parents.
    pub parents: Vec<Digest>,
    /// The VRF pre-output of a root; none if its proof does not verify, and on data events.
    pub vrf: Option<[u8; 32]>,
}

/// A settled block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Counted from 1 at the first block of the graph; in epoch 0 it is the chain's height.
    pub height: u64,
    /// The round of its leader.
    pub round: u64,
    /// The id of its leader.
    pub leader: Digest,
    /// The ids of the events it orders, the leader last among its ancestors.
    pub order: Vec<Digest>,
}

/// How far a graph settles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The blocks, in order of height.
    pub blocks: Vec<Block>,
    /// The first round that is not settled.
    pub round: u64,
    /// The seed in force for that round.
    pub seed: Digest,
    /// The slot whose contradiction stopped settling, as (round, peer).
    pub contradiction: Option<(u64, u16)>,
}

/// A wrong version of the rule; tests must tell each from the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// Anchors are looked for from round r + 2.
    AnchorFromTwo,
    /// Every root counts, not every creator.
    PerRoot,
    /// An undecided anchor is passed over.
    PassUndecided,
    /// Having a candidate in the past counts as a vote for it.
    VoteByPast,
    /// A half serves as quorum.
    QuorumOfHalf,
    /// What lies [`MUTANT_MEMORY_ROUNDS`] below the highest round is forgotten.
    MemoryByHighestRound,
    /// A quorum is two thirds of the stake that has a root in the round.
    QuorumOfPresent,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::AnchorFromTwo,
        Self::PerRoot,
        Self::PassUndecided,
        Self::VoteByPast,
        Self::QuorumOfHalf,
        Self::MemoryByHighestRound,
        Self::QuorumOfPresent,
    ];
}

/// What [`Mutant::MemoryByHighestRound`] remembers: few rounds, so that short graphs show it.
pub const MUTANT_MEMORY_ROUNDS: u64 = 4;

/// A graph that cannot be decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The committee is empty, or a member has no stake, or the sum exceeds 64 bits.
    #[error("committee of {members} without a valid whole stake")]
    Committee {
        /// Its size.
        members: usize,
    },
    /// An event names a creator outside the committee.
    #[error("event {id} of creator {creator} in a committee of {members}")]
    Creator {
        /// The event.
        id: Digest,
        /// The creator it names.
        creator: u16,
        /// The size of the committee.
        members: usize,
    },
    /// An event of a round that so few events cannot reach.
    #[error("event {id} of round {round} among {events} events")]
    Round {
        /// The event.
        id: Digest,
        /// Its round.
        round: u64,
        /// The events of the graph.
        events: usize,
    },
    /// An id that occurs twice.
    #[error("event {id} listed twice")]
    Twice {
        /// The event.
        id: Digest,
    },
    /// A parent that is not listed before its child.
    #[error("event {id} listed before its parent {parent}")]
    Parent {
        /// The event.
        id: Digest,
        /// The parent.
        parent: Digest,
    },
    /// A vote that is not for a root of the round before.
    #[error("event {id} of round {round} votes for {vote}, not a root of the round before")]
    Vote {
        /// The event.
        id: Digest,
        /// Its round.
        round: u64,
        /// What it votes for.
        vote: Digest,
    },
    /// Two certified candidates of a slot, or a commit and a skip of it (C15).
    #[error("contradiction in the slot of peer {peer} in round {round}")]
    Contradiction {
        /// The round of the slot.
        round: u64,
        /// The peer of the slot.
        peer: u16,
    },
}

/// The blocks of a graph.
///
/// # Errors
/// What [`settle`] refuses, and [`Error::Contradiction`].
pub fn blocks(graph: &Graph) -> Result<Vec<Block>, Error> {
    blocks_with(graph, None)
}

/// The blocks of a graph under the rule or a mutant of it.
///
/// # Errors
/// As [`blocks`].
pub fn blocks_with(graph: &Graph, mutant: Option<Mutant>) -> Result<Vec<Block>, Error> {
    let settled = settle(graph, mutant)?;
    match settled.contradiction {
        Some((round, peer)) => Err(Error::Contradiction { round, peer }),
        None => Ok(settled.blocks),
    }
}

/// How far a graph settles, under the rule or a mutant of it.
///
/// # Errors
/// Any but [`Error::Contradiction`] for a graph that no peer can hold.
pub fn settle(graph: &Graph, mutant: Option<Mutant>) -> Result<Settled, Error> {
    let mut view = View::new(graph, mutant)?;
    let mut settled = Settled {
        blocks: vec![],
        round: 0,
        seed: graph.seed,
        contradiction: None,
    };
    if mutant == Some(Mutant::MemoryByHighestRound) {
        // This mutant depends on what was settled before the rest arrived, so let rounds arrive.
        for highest in 0..=view.highest_round() {
            view.hold(highest.saturating_sub(MUTANT_MEMORY_ROUNDS)..=highest);
            settle_held(&view, &mut settled);
        }
    } else {
        settle_held(&view, &mut settled);
    }
    Ok(settled)
}

/// Who leads a round.
enum Election {
    Leader(usize),
    Nobody,
    Undecided,
    Contradiction(u16),
}

fn settle_held(view: &View<'_>, settled: &mut Settled) {
    // Rounds are settled in order. // C19
    while settled.contradiction.is_none() {
        let (round, seed) = (settled.round, settled.seed);
        match elect(view, &seed, round) {
            Election::Undecided => return,
            Election::Contradiction(peer) => settled.contradiction = Some((round, peer)),
            // The round has no block and the seed stays. // C19
            Election::Nobody => settled.round += 1,
            Election::Leader(leader) => {
                let vertex = view.vertex(leader);
                let earlier = settled.blocks.iter().map(|block| block.leader);
                let order = order::order(view, leader, &earlier.collect::<Vec<_>>(), &seed);
                settled.blocks.push(Block {
                    height: settled.blocks.last().map_or(1, |last| last.height + 1), // C20
                    round,
                    leader: vertex.id,
                    order,
                });
                if let Some(pre_output) = &vertex.vrf {
                    settled.seed = race::next_seed(&seed, round, pre_output); // C17
                }
                settled.round += 1;
            }
        }
    }
}

// C19
fn elect(view: &View<'_>, seed: &Digest, round: u64) -> Election {
    let decisions = view.decisions(seed, round);
    for peer in race::ranking(race::Race::Leader, seed, round, view.committee()) {
        match decisions.get(&(round, peer)) {
            None | Some(Decision::Undecided) => return Election::Undecided,
            Some(Decision::Contradiction) => return Election::Contradiction(peer),
            Some(Decision::Skipped(_)) => {}
            // A bad proof is passed over like a skipped slot. // C17
            Some(Decision::Committed(event, _)) if view.vertex(*event).vrf.is_none() => {}
            Some(Decision::Committed(event, _)) => return Election::Leader(*event),
        }
    }
    Election::Nobody
}

#[cfg(test)]
mod tests;
