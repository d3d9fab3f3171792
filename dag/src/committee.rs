//! Who may create events in an epoch, and with how much stake (C1).

use alloc::vec::Vec;

use primitives::keys::{PublicKey, VerifyingKey};
use primitives::quorum::Threshold;
use primitives::units::{Epoch, PeerIndex, Stake};
use primitives::{Digest, limits};

use crate::error::Error;

/// One peer of a committee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The peer key: identity, race and order.
    pub key: PublicKey,
    /// The key that signs events, attestations and beacons.
    pub event_key: VerifyingKey,
    /// Stake at the snapshot, above zero.
    pub stake: Stake,
}

/// An epoch's committee on one chain: members by ascending key, and their whole stake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committee {
    chain: Digest,
    epoch: Epoch,
    members: Vec<Member>,
    total: Stake,
}

impl Committee {
    /// Chooses at most 999 of `candidates` by (stake descending, key ascending) and lists them by
    /// ascending key. Candidates without stake are left out. Rule C1.
    ///
    /// # Errors
    /// [`Error::EmptyCommittee`], [`Error::DuplicateMember`], or an overflow of the sum of stakes.
    pub fn new(chain: Digest, epoch: Epoch, candidates: Vec<Member>) -> Result<Self, Error> {
        let mut members = candidates;
        members.retain(|member| member.stake > Stake::ZERO);
        members.sort_by(|a, b| b.stake.cmp(&a.stake).then(a.key.cmp(&b.key)));
        members.truncate(limits::PEERS_MAX);
        members.sort_by_key(|member| member.key);
        let twins = members
            .iter()
            .zip(members.iter().skip(1))
            .find(|(a, b)| a.key == b.key);
        if let Some((twin, _)) = twins {
            return Err(Error::DuplicateMember { key: twin.key });
        }
        if members.is_empty() {
            return Err(Error::EmptyCommittee);
        }
        let total = Stake::sum(members.iter().map(|member| member.stake))?;
        Ok(Self {
            chain,
            epoch,
            members,
            total,
        })
    }

    /// The chain's id.
    #[must_use]
    pub const fn chain(&self) -> &Digest {
        &self.chain
    }

    /// The epoch.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The members by ascending key; a position is the member's index.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The number of members, 1 to 999.
    #[must_use]
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// The whole stake `S` of C1.
    #[must_use]
    pub const fn total(&self) -> Stake {
        self.total
    }

    /// The member at `index`.
    ///
    /// # Errors
    /// [`Error::UnknownCreator`].
    pub fn member(&self, index: PeerIndex) -> Result<&Member, Error> {
        self.members
            .get(index.position())
            .ok_or(Error::UnknownCreator { creator: index })
    }

    /// The stake at `index`, zero outside the committee.
    #[must_use]
    pub fn stake(&self, index: PeerIndex) -> Stake {
        self.members
            .get(index.position())
            .map_or(Stake::ZERO, |member| member.stake)
    }

    /// Every index with its member, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (PeerIndex, &Member)> {
        (0..=u16::MAX).map(PeerIndex).zip(&self.members)
    }

    /// The index of `key`.
    #[must_use]
    pub fn index_of(&self, key: &PublicKey) -> Option<PeerIndex> {
        let position = self
            .members
            .binary_search_by(|member| member.key.cmp(key))
            .ok()?;
        u16::try_from(position).ok().map(PeerIndex)
    }

    /// Whether `part` is more than the `threshold` share of the whole stake (C3).
    #[must_use]
    pub fn meets(&self, threshold: Threshold, part: Stake) -> bool {
        threshold.is_met(part, self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::keys::{SecretKey, Signer};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use zeroize::Zeroizing;

    fn member(seed: u8, stake: u64) -> Member {
        let secret =
            SecretKey::from_seed(&Zeroizing::new([seed; 32]), ChaCha20Rng::from_seed([0; 32]));
        let event_key = secret.public().to_verifying().unwrap();
        Member {
            key: PublicKey([seed; 32]),
            event_key,
            stake: Stake::new(stake),
        }
    }

    #[test]
    fn a_committee_is_listed_by_key_and_counts_only_stake() {
        let candidates = vec![member(3, 5), member(1, 9), member(2, 0)];
        let committee = Committee::new(Digest::ZERO, Epoch::ZERO, candidates).unwrap();
        let keys: Vec<u8> = committee
            .members()
            .iter()
            .map(|member| member.key.0[0])
            .collect();
        assert_eq!(keys, [1, 3]);
        assert_eq!(committee.total(), Stake::new(14));
        assert_eq!(committee.index_of(&PublicKey([3; 32])), Some(PeerIndex(1)));
        assert_eq!(committee.index_of(&PublicKey([2; 32])), None);
    }

    #[test]
    fn twins_and_emptiness_are_refused() {
        let twins = Committee::new(Digest::ZERO, Epoch::ZERO, vec![member(1, 1), member(1, 2)]);
        assert!(matches!(twins, Err(Error::DuplicateMember { .. })));
        let empty = Committee::new(Digest::ZERO, Epoch::ZERO, vec![member(1, 0)]);
        assert!(matches!(empty, Err(Error::EmptyCommittee)));
    }
}
