//! The race for leadership: exponential race by stake, in integers (C18, section 11).

use alloc::vec::Vec;

use primitives::Digest;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;
use primitives::units::{PeerIndex, Round, Stake};

/// Which race is run (C18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// For the lead of a round.
    Leader,
    /// For the order in which a later round decides.
    Anchor,
}

/// One runner: the index, the peer key and the stake.
pub type Runner = (PeerIndex, PublicKey, Stake);

/// The runners by weight, highest first, ties by lower index. Rule C18. Cost: one hash and 32 steps
/// a runner, and a sort.
#[must_use]
pub fn rank(tag: Tag, seed: &Digest, round: Round, runners: &[Runner]) -> Vec<PeerIndex> {
    let mut ranked: Vec<(core::cmp::Reverse<u128>, PeerIndex)> = runners
        .iter()
        .map(|(peer, key, stake)| {
            let weight = weight(tag, seed, round, key, *stake);
            (core::cmp::Reverse(weight), *peer)
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, peer)| peer).collect()
}

/// A peer's weight: `floor(stake * 2^64 / max(1, 64 * 2^32 - log2_q32(u)))`. Rule C18.
#[must_use]
pub fn weight(tag: Tag, seed: &Digest, round: Round, key: &PublicKey, stake: Stake) -> u128 {
    let domain = match tag {
        Tag::Leader => Domain::RaceLeader,
        Tag::Anchor => Domain::RaceAnchor,
    };
    let number = round.get().to_le_bytes();
    let u = derive(domain, &[&seed.0, &number, &key.0]).first_u64();
    let distance = (64_u64 << 32).saturating_sub(log2_q32(u)).max(1);
    // 64 bits shifted by 64 fill 128 bits exactly.
    (u128::from(stake.get()) << 64)
        .checked_div(u128::from(distance))
        .unwrap_or(0)
}

/// The binary logarithm of `u` (0 counts as 1) with 32 bits of fraction, rounded down. Section 11.
#[must_use]
pub fn log2_q32(u: u64) -> u64 {
    let u = u.max(1);
    let whole = u.ilog2();
    let mut x = u128::from(u) << 63_u32.saturating_sub(whole);
    let mut result = u64::from(whole);
    for _ in 0..32 {
        // x lies in [2^63, 2^64), so its square fits.
        x = x.saturating_mul(x) >> 63;
        result <<= 1;
        if x >> 64 != 0 {
            result |= 1;
            x >>= 1;
        }
    }
    result
}

#[cfg(test)]
mod tests;
