//! The committee as headers name it: by one digest over its members (C1).

use alloc::vec::Vec;

use primitives::codec::{self, Canonical, Decode, Encode, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;
use primitives::units::Stake;
use primitives::{Digest, limits, quorum};

use crate::error::Error;

/// One member of a committee, or a candidate for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Member {
    /// The peer key: identity, race and order.
    pub peer_key: PublicKey,
    /// The key that signs events, attestations and beacons.
    pub event_key: PublicKey,
    /// The coin hosted with the peer at the snapshot.
    pub stake: Stake,
}

/// A committee's members by ascending peer key, as a wallet gets them to check a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Members {
    /// The version of this encoding, 1.
    pub version: u8,
    /// By ascending peer key.
    pub members: List<Member, { limits::PEERS_MAX }>,
}

impl Canonical for Members {
    const BYTES_MAX: usize = 5 + 72 * limits::PEERS_MAX;
}

/// How much of the stake that might be in a committee is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// How many members there are.
    pub members: usize,
    /// Their stake, S.
    pub stake: Stake,
    /// The stake of all peers in good standing at the snapshot; zero if there was none, so that the
    /// committee before went on.
    pub eligible: Stake,
}

/// Below this many members a committee is worth a warning (C1).
pub const MEMBERS_MIN: usize = 13;

impl Coverage {
    /// Whether the committee is so small that a person should know. Rule C1.
    #[must_use]
    pub const fn is_small(&self) -> bool {
        self.members < MEMBERS_MIN
    }

    /// Whether so much stake is left out that a person should know. Rule C1.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        quorum::is_under_nine_tenths(self.stake, self.eligible)
    }
}

/// Chooses at most 999 of `candidates` with stake by (stake descending, key ascending) and lists
/// them by ascending key. Rule C1.
#[must_use]
pub fn choose(candidates: Vec<Member>) -> Vec<Member> {
    let mut members = candidates;
    members.retain(|member| member.stake > Stake::ZERO);
    members.sort_by_key(|member| (core::cmp::Reverse(member.stake), member.peer_key));
    members.truncate(limits::PEERS_MAX);
    members.sort_by_key(|member| member.peer_key);
    members
}

/// The digest of a committee listed by ascending peer key, as headers carry it:
/// `derive("primus v1 committee", canonical members)`.
///
/// # Errors
/// [`primitives::Error::TooMany`] above 999 members.
pub fn committee_digest(members: &[Member]) -> Result<Digest, Error> {
    let members = Members {
        version: 1,
        members: List::new(members.to_vec())?,
    };
    Ok(derive(Domain::Committee, &[&codec::encode(&members)?]))
}

#[cfg(test)]
mod tests;
