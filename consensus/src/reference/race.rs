//! Seeds, ties and the race (C17, C18, C22): the exact bytes of section 11.

use alloc::vec::Vec;
use core::cmp::Reverse;

use primitives::Digest;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;

use super::Member;

/// What a race is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Race {
    /// The leader rank of a round.
    Leader,
    /// The order of a round's slots as anchors.
    Anchor,
}

/// The first seed of a chain. Rule C17.
#[must_use]
pub fn genesis_seed(chain_id: &Digest) -> Digest {
    derive(Domain::SeedGenesis, &[chain_id.as_bytes()])
}

/// The seed after a block of `round` whose leader's VRF gave `pre_output`. Rule C17.
#[must_use]
pub fn next_seed(seed: &Digest, round: u64, pre_output: &[u8; 32]) -> Digest {
    let parts: [&[u8]; 3] = [seed.as_bytes(), &round.to_le_bytes(), pre_output];
    derive(Domain::SeedNext, &parts)
}

/// The first seed of `epoch`, from the seed after the block that sealed the one before. Rule C17.
#[must_use]
pub fn epoch_seed(seed: &Digest, epoch: u64) -> Digest {
    derive(Domain::SeedEpoch, &[seed.as_bytes(), &epoch.to_le_bytes()])
}

/// What breaks ties between events of a block; `seed` is the one before the block. Rule C22.
#[must_use]
pub fn tie(seed: &Digest, event: &Digest) -> Digest {
    derive(Domain::Tie, &[seed.as_bytes(), event.as_bytes()])
}

/// The number a key draws in a race, at least 1. Rule C18.
#[must_use]
pub fn draw(race: Race, seed: &Digest, round: u64, key: &PublicKey) -> u64 {
    let domain = match race {
        Race::Leader => Domain::RaceLeader,
        Race::Anchor => Domain::RaceAnchor,
    };
    let parts: [&[u8]; 3] = [seed.as_bytes(), &round.to_le_bytes(), &key.0];
    derive(domain, &parts).first_u64().max(1)
}

/// The binary logarithm of `u` in units of 2^-32, rounded down; `u` above zero. Section 11.
#[must_use]
pub fn log2_q32(u: u64) -> u64 {
    let n = u.ilog2();
    let mut x = u128::from(u << (63 - n));
    let mut fraction = 0_u64;
    for _ in 0..32 {
        x = (x * x) >> 63;
        fraction <<= 1;
        if x >= 1 << 64 {
            fraction += 1;
            x >>= 1;
        }
    }
    (u64::from(n) << 32) + fraction
}

/// The weight of `stake` that drew `u`. Rule C18.
#[must_use]
pub fn weight(stake: u64, u: u64) -> u128 {
    let distance = (64_u64 << 32) - log2_q32(u);
    (u128::from(stake) << 64) / u128::from(distance.max(1))
}

/// The weight of each member of `committee` in a race. Rule C18.
#[must_use]
pub fn weights(race: Race, seed: &Digest, round: u64, committee: &[Member]) -> Vec<u128> {
    committee
        .iter()
        .map(|member| weight(member.stake, draw(race, seed, round, &member.key)))
        .collect()
}

/// The indices of `committee` by weight, the highest first, ties by the lower index. Rule C18.
#[must_use]
pub fn ranking(race: Race, seed: &Digest, round: u64, committee: &[Member]) -> Vec<u16> {
    let weights = weights(race, seed, round, committee);
    let mut ranked: Vec<(Reverse<u128>, u16)> = weights.into_iter().map(Reverse).zip(0..).collect();
    ranked.sort();
    ranked.into_iter().map(|(_, index)| index).collect()
}
