//! Attestations of executed blocks, gathered until a quorum makes a certificate (C29).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use dag::Committee;
use dag::event::{Attestation, attestation_digest};
use primitives::Digest;
use primitives::keys::{Claim, Role, Signature, verify_batch};
use primitives::quorum::Threshold;
use primitives::units::{Height, PeerIndex, Stake};

/// How many heights above and below the newest executed one are gathered: a bound on memory that no
/// attestation of far-off heights can use up.
pub const HEIGHTS_MAX: usize = 4_096;

/// A quorum's signatures on one consensus root, checkable without the DAG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// The block's height.
    pub height: Height,
    /// Its consensus root.
    pub root: Digest,
    /// Signatures by ascending creator.
    pub signatures: Vec<(PeerIndex, Signature)>,
}

/// Gathers attestations and checks them in batches, no sooner than a quorum may be there.
#[derive(Debug, Default)]
pub struct Certifier {
    heights: BTreeMap<Height, BTreeMap<PeerIndex, Attestation>>,
    certified: Option<Certified>,
    /// The height executed when all that was gathered was last looked at.
    looked_at: Option<Height>,
}

/// What the newest attestations amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// New certificates of roots that this peer has too, by ascending height; perhaps none.
    Certified(Vec<Certified>),
    /// A quorum signed another root: this peer must stop serving (C29).
    Diverged {
        /// The height.
        height: Height,
        /// The root of the others.
        theirs: Digest,
    },
}

impl Certifier {
    /// Starts from the newest certificate known.
    #[must_use]
    pub const fn new(certified: Option<Certified>) -> Self {
        Self {
            heights: BTreeMap::new(),
            certified,
            looked_at: None,
        }
    }

    /// The newest certificate.
    #[must_use]
    pub const fn certified(&self) -> Option<&Certified> {
        self.certified.as_ref()
    }

    /// Notes what `creator` attests. Certified heights and those far from `executed` are ignored; a
    /// creator's first word for a height stands.
    pub fn gather(&mut self, creator: PeerIndex, attestations: &[Attestation], executed: Height) {
        let certified = self.certified.as_ref().map(|newest| newest.height);
        let near = window(executed);
        for attestation in attestations {
            let height = attestation.height;
            let open = certified.is_none_or(|newest| height > newest);
            if open && near.contains(&height) {
                self.heights
                    .entry(height)
                    .or_default()
                    .entry(creator)
                    .or_insert(*attestation);
                self.looked_at = None;
            }
        }
    }

    /// Certifies the newest height at or below `executed` at which a quorum agrees, and any height of
    /// `wanted` below it, each checked against this peer's own root; none while nothing has been
    /// gathered or executed since the last call. Cost: one batch of signature checks per certificate.
    pub fn advance(
        &mut self,
        committee: &Committee,
        executed: Height,
        wanted: &BTreeSet<Height>,
        own_roots: &BTreeMap<Height, Digest>,
    ) -> Verdict {
        let mut certificates = Vec::new();
        if self.looked_at == Some(executed) {
            return Verdict::Certified(certificates);
        }
        self.looked_at = Some(executed);
        self.heights = self.heights.split_off(window(executed).start());
        for (height, claims) in self.heights.range_mut(..=executed).rev() {
            if !certificates.is_empty() && !wanted.contains(height) {
                continue;
            }
            let Some(certified) = certify(committee, *height, claims) else {
                continue;
            };
            if own_roots
                .get(height)
                .is_some_and(|own| *own != certified.root)
            {
                return Verdict::Diverged {
                    height: *height,
                    theirs: certified.root,
                };
            }
            certificates.push(certified);
        }
        if let Some(newest) = certificates.first() {
            self.heights = self.heights.split_off(&newest.height.later(1));
            self.certified = Some(newest.clone());
        }
        certificates.reverse();
        Verdict::Certified(certificates)
    }
}

/// The heights that are gathered when `executed` is the newest block.
fn window(executed: Height) -> RangeInclusive<Height> {
    let reach = u64::try_from(HEIGHTS_MAX).unwrap_or(u64::MAX);
    executed.earlier(reach)..=executed.later(reach)
}

/// The certificate of `height`, if the claims that hold reach a quorum; false claims are removed.
fn certify(
    committee: &Committee,
    height: Height,
    claims: &mut BTreeMap<PeerIndex, Attestation>,
) -> Option<Certified> {
    let root = quorum_root(committee, claims)?;
    let digest = attestation_digest(committee.epoch(), height, &root);
    let signers: Vec<(PeerIndex, Signature)> = claims
        .iter()
        .filter(|(_, claim)| claim.root == root)
        .map(|(creator, claim)| (*creator, claim.signature))
        .collect();
    let batch: Vec<Claim> = signers
        .iter()
        .filter_map(|(creator, signature)| {
            let key = committee.member(*creator).ok()?.event_key;
            Some(Claim {
                key,
                digest,
                signature: *signature,
            })
        })
        .collect();
    let verdicts = verify_batch(Role::Attestation, committee.chain(), &batch);
    let mut signatures = Vec::new();
    for ((creator, signature), holds) in signers.into_iter().zip(verdicts) {
        if holds {
            signatures.push((creator, signature));
        } else {
            claims.remove(&creator);
        }
    }
    quorum_root(committee, claims)?;
    Some(Certified {
        height,
        root,
        signatures,
    })
}

/// The root that more than two thirds of stake claim, if any.
fn quorum_root(committee: &Committee, claims: &BTreeMap<PeerIndex, Attestation>) -> Option<Digest> {
    let mut stakes: BTreeMap<Digest, Stake> = BTreeMap::new();
    for (creator, claim) in claims {
        let sum = stakes.entry(claim.root).or_default();
        *sum = sum.plus(committee.stake(*creator)).ok()?;
    }
    let meets = |stake: &Stake| committee.meets(Threshold::Quorum, *stake);
    stakes
        .into_iter()
        .find(|(_, stake)| meets(stake))
        .map(|(root, _)| root)
}

#[cfg(test)]
mod tests;
