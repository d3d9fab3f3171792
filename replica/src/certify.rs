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

/// A root and who signed it, by ascending creator.
pub type Gathered = (Digest, Vec<(PeerIndex, Signature)>);

/// Gathers one committee's attestations and checks them in batches, no sooner than a quorum may be
/// there.
#[derive(Debug)]
pub struct Certifier {
    committee: Committee,
    /// The lowest height that is not certified yet.
    open: Height,
    /// This peer's own roots from there on.
    roots: BTreeMap<Height, Digest>,
    heights: BTreeMap<Height, BTreeMap<PeerIndex, Attestation>>,
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
        /// The root of this peer.
        ours: Digest,
    },
}

impl Certifier {
    /// Gathers what `committee` attests from height `open` on.
    #[must_use]
    pub const fn new(committee: Committee, open: Height) -> Self {
        Self {
            committee,
            open,
            roots: BTreeMap::new(),
            heights: BTreeMap::new(),
            looked_at: None,
        }
    }

    /// The committee.
    #[must_use]
    pub const fn committee(&self) -> &Committee {
        &self.committee
    }

    /// Notes the root that this peer found for a block.
    pub fn note_root(&mut self, height: Height, root: Digest) {
        self.roots.insert(height, root);
        if self.roots.len() > HEIGHTS_MAX {
            self.roots.pop_first();
        }
    }

    /// Notes what `creator` attests. Certified heights and those far from `executed` are ignored; a
    /// creator's first word for a height stands.
    pub fn gather(&mut self, creator: PeerIndex, attestations: &[Attestation], executed: Height) {
        let near = window(executed);
        for attestation in attestations {
            let height = attestation.height;
            if height >= self.open && near.contains(&height) {
                self.heights
                    .entry(height)
                    .or_default()
                    .entry(creator)
                    .or_insert(*attestation);
                self.looked_at = None;
            }
        }
    }

    /// What has been gathered of `height` for this peer's own root, and that root.
    #[must_use]
    pub fn gathered(&self, height: Height) -> Option<Gathered> {
        let root = *self.roots.get(&height)?;
        let claims = self.heights.get(&height)?.iter();
        let same = claims.filter(|(_, claim)| claim.root == root);
        let signatures = same.map(|(creator, claim)| (*creator, claim.signature));
        Some((root, signatures.collect()))
    }

    /// Certifies the newest height at or below `executed` at which a quorum agrees, and any height of
    /// `wanted` below it, each checked against this peer's own root; none while nothing has been
    /// gathered or executed since the last call. Cost: one batch of signature checks per certificate.
    pub fn advance(&mut self, executed: Height, wanted: &BTreeSet<Height>) -> Verdict {
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
            let Some(certified) = certify(&self.committee, *height, claims) else {
                continue;
            };
            let own = self.roots.get(height);
            if let Some(ours) = own.filter(|own| **own != certified.root) {
                return Verdict::Diverged {
                    height: *height,
                    theirs: certified.root,
                    ours: *ours,
                };
            }
            certificates.push(certified);
        }
        if let Some(newest) = certificates.first() {
            self.open = newest.height.later(1);
            self.heights = self.heights.split_off(&self.open);
            self.roots = self.roots.split_off(&self.open);
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
    let signers: Vec<(PeerIndex, Signature)> = claims
        .iter()
        .filter(|(_, claim)| claim.root == root)
        .map(|(creator, claim)| (*creator, claim.signature))
        .collect();
    let signatures = holding(committee, height, &root, &signers);
    for (creator, _) in signers {
        // Both lists are by ascending creator.
        if signatures
            .binary_search_by_key(&creator, |(it, _)| *it)
            .is_err()
        {
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

/// Those of the signatures that hold. Cost: one batch of signature checks.
pub fn holding(
    committee: &Committee,
    height: Height,
    root: &Digest,
    signatures: &[(PeerIndex, Signature)],
) -> Vec<(PeerIndex, Signature)> {
    let digest = attestation_digest(committee.epoch(), height, root);
    let (known, batch): (Vec<_>, Vec<Claim>) = signatures
        .iter()
        .filter_map(|(creator, signature)| {
            let key = committee.member(*creator).ok()?.event_key;
            let claim = Claim {
                key,
                digest,
                signature: *signature,
            };
            Some(((*creator, *signature), claim))
        })
        .unzip();
    let verdicts = verify_batch(Role::Attestation, committee.chain(), &batch);
    let holding = known.into_iter().zip(verdicts).filter(|(_, holds)| *holds);
    holding.map(|(signed, _)| signed).collect()
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
