//! The committee of one epoch, as it checks certificates.

use alloc::vec::Vec;

use ledger::committee::{Member, committee_digest};
use primitives::Digest;
use primitives::keys::{Role, VerifyingKey};
use primitives::quorum::Threshold;
use primitives::units::{PeerIndex, Stake};

use crate::certificate::Certificate;
use crate::error::Error;

/// The committee of one epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Committee {
    members: Vec<(Member, VerifyingKey)>,
    pub(super) total: Stake,
    pub(super) digest: Digest,
}

impl Committee {
    /// The committee of these members, who are listed by ascending peer key.
    ///
    /// # Errors
    /// [`Error::Encoding`] for an event key that is no point or stakes beyond 64 bits.
    pub(super) fn new(members: &[Member]) -> Result<Self, Error> {
        let with_key = |member: &Member| Ok((*member, member.event_key.to_verifying()?));
        Ok(Self {
            total: Stake::sum(members.iter().map(|member| member.stake))?,
            digest: committee_digest(members)?,
            members: members.iter().map(with_key).collect::<Result<_, Error>>()?,
        })
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().map(|(member, _)| member)
    }

    /// Checks that a quorum signed `digest`, and that every signature holds; returns the signers'
    /// stake. Cost: about 20 us a signature.
    pub(super) fn check(
        &self,
        chain: &Digest,
        digest: &Digest,
        certificate: &Certificate,
    ) -> Result<Stake, Error> {
        let signers = certificate.signers(self.members.len())?;
        let member = |index: &PeerIndex| self.members.get(index.position());
        let signers: Vec<_> = signers.iter().filter_map(member).collect();
        let stake = Stake::sum(signers.iter().map(|(member, _)| member.stake))?;
        if !Threshold::Quorum.is_met(stake, self.total) {
            return Err(Error::BelowQuorum {
                found: stake,
                whole: self.total,
            });
        }
        let keys: Vec<_> = signers.iter().map(|(_, key)| *key).collect();
        certificate
            .aggregate
            .verify(Role::Attestation, chain, digest, &keys)
            .map_err(|_| Error::Signatures {
                signers: keys.len(),
            })?;
        Ok(stake)
    }
}
