//! What a wallet trusts: the chain of its genesis, and the committees that follow from it (C29, C30).

use alloc::vec::Vec;

use ledger::committee::{Member, Members, committee_digest};
use ledger::{Genesis, Header, Ledger};
use merkle::TreeKeys;
use merkle::top::State;
use primitives::Digest;
use primitives::keys::{Claim, Role, VerifyingKey, verify_batch};
use primitives::quorum::Threshold;
use primitives::units::{Epoch, Height, Stake};

use crate::error::{Error, Part};
use crate::reply::{Certificate, Handover, Snapshot, attestation_digest};

/// The committee of one epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committee {
    members: Vec<(Member, VerifyingKey)>,
    total: Stake,
    digest: Digest,
}

impl Committee {
    /// The committee of these members, who are listed by ascending peer key.
    ///
    /// # Errors
    /// [`Error::Encoding`] for an event key that is no point or stakes beyond 64 bits.
    pub fn new(members: &[Member]) -> Result<Self, Error> {
        let with_key = |member: &Member| Ok((*member, member.event_key.to_verifying()?));
        Ok(Self {
            total: Stake::sum(members.iter().map(|member| member.stake))?,
            digest: committee_digest(members)?,
            members: members.iter().map(with_key).collect::<Result<_, Error>>()?,
        })
    }

    /// Checks that the certificate holds every signature it carries, and a quorum of them, on
    /// `digest`. Cost: about 20 us a signature.
    fn check(
        &self,
        chain: &Digest,
        digest: Digest,
        certificate: &Certificate,
    ) -> Result<Stake, Error> {
        let signatures = &certificate.signatures;
        let unsorted = |((a, _), (b, _)): &(&(_, _), &(_, _))| a >= b;
        let mut pairs = signatures.iter().zip(signatures.iter().skip(1));
        if let Some((_, (index, _))) = pairs.find(unsorted) {
            return Err(Error::SignerOrder { index: *index });
        }
        let signer = |index: primitives::units::PeerIndex| {
            let member = self.members.get(index.position());
            member.ok_or(Error::UnknownSigner {
                index,
                size: self.members.len(),
            })
        };
        let mut claims = Vec::with_capacity(signatures.len());
        let mut signers = Vec::with_capacity(signatures.len());
        for (index, signature) in signatures.iter() {
            let (member, key) = signer(*index)?;
            signers.push(member);
            claims.push(Claim {
                key: *key,
                digest,
                signature: *signature,
            });
        }
        let stake = Stake::sum(signers.iter().map(|member| member.stake))?;
        if !Threshold::Quorum.is_met(stake, self.total) {
            return Err(Error::BelowQuorum {
                found: stake,
                whole: self.total,
            });
        }
        let verdicts = verify_batch(Role::Attestation, chain, &claims);
        let mut judged = verdicts.into_iter().zip(signers).enumerate();
        match judged.find(|(_, (holds, _))| !holds) {
            Some((position, (_, member))) => Err(Error::Signature {
                position,
                key: member.peer_key,
            }),
            None => Ok(stake),
        }
    }
}

/// What a wallet starts from: the chain, its first block, and the committees known so far.
#[derive(Debug, Clone)]
pub struct Trust {
    chain: Digest,
    keys: TreeKeys,
    genesis_root: Digest,
    /// By epoch, from 0; never empty.
    committees: Vec<Committee>,
}

/// A block that this trust has found certified; only [`Trust`] builds one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certified {
    header: Header,
    root: Digest,
    stake: Stake,
    whole: Stake,
}

impl Certified {
    /// Its header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its height.
    #[must_use]
    pub const fn height(&self) -> Height {
        self.header.height
    }

    /// Its consensus root.
    #[must_use]
    pub const fn root(&self) -> &Digest {
        &self.root
    }

    /// The state that proofs lead to.
    #[must_use]
    pub const fn state(&self) -> State {
        State {
            height: self.header.height,
            root: self.header.state,
        }
    }

    /// How much of a hundred parts of the stake signed, rounded down; 100 for the genesis block.
    #[must_use]
    pub fn percent(&self) -> u64 {
        let (part, whole) = (u128::from(self.stake.get()), u128::from(self.whole.get()));
        let percent = part.saturating_mul(100).checked_div(whole);
        percent
            .and_then(|percent| u64::try_from(percent).ok())
            .unwrap_or(0)
    }
}

impl Trust {
    /// Trust in the chain of this genesis. Cost: that of the genesis block.
    ///
    /// # Errors
    /// [`Error::Ledger`] for a genesis that is none.
    pub fn new(genesis: &Genesis) -> Result<Self, Error> {
        genesis.check()?;
        let chain = genesis.chain_id()?;
        Ok(Self {
            chain,
            keys: TreeKeys::new(&chain),
            genesis_root: *Ledger::genesis(genesis)?.0.root(),
            committees: Vec::from([Committee::new(&genesis.committee()?)?]),
        })
    }

    /// The same trust, before it followed any handover.
    #[must_use]
    pub fn from_genesis(&self) -> Self {
        let first = self.committees.iter().take(1).cloned().collect();
        Self {
            committees: first,
            ..self.clone()
        }
    }

    /// The chain's id.
    #[must_use]
    pub const fn chain(&self) -> &Digest {
        &self.chain
    }

    /// The keys of the chain's trees.
    #[must_use]
    pub const fn keys(&self) -> &TreeKeys {
        &self.keys
    }

    /// The consensus root of the genesis block.
    #[must_use]
    pub const fn genesis_root(&self) -> &Digest {
        &self.genesis_root
    }

    /// The newest epoch whose committee is known.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        let last = self.committees.len().saturating_sub(1);
        Epoch::new(u64::try_from(last).unwrap_or(u64::MAX))
    }

    /// Checks the header, its committee and the certificate.
    ///
    /// # Errors
    /// A typed error naming the part of the certificate or header that fails; the sender is to
    /// blame.
    pub fn certify(&self, snapshot: &Snapshot) -> Result<Certified, Error> {
        let (header, certificate) = (snapshot.header, &snapshot.certificate);
        let committee = self.committee(header.epoch)?;
        if certificate.epoch != header.epoch {
            return Err(Error::OtherEpoch {
                found: certificate.epoch,
                wanted: header.epoch,
            });
        }
        let root = header.root()?;
        let whole = committee.total;
        let stake = if header.height == Height::ZERO {
            self.check_genesis(&root, certificate)?;
            whole
        } else {
            same(Part::Committee, header.committee, committee.digest)?;
            let digest = attestation_digest(header.epoch, header.height, &root);
            committee.check(&self.chain, digest, certificate)?
        };
        Ok(Certified {
            header,
            root,
            stake,
            whole,
        })
    }

    /// Takes over the committee that a sealing block of the newest known epoch hands over to.
    /// Rule C30.
    ///
    /// # Errors
    /// As [`Trust::certify`]; [`Error::Other`] unless the block seals and names these members.
    pub fn follow(&mut self, handover: &Handover) -> Result<Epoch, Error> {
        let certified = self.certify(&handover.sealing)?;
        if certified.header.epoch != self.epoch() {
            return Err(Error::OtherEpoch {
                found: certified.header.epoch,
                wanted: self.epoch(),
            });
        }
        let Members { version, members } = &handover.members;
        if *version != 1 {
            return Err(Error::Version { found: *version });
        }
        let committee = Committee::new(members)?;
        let due = certified.header.next_committee.ok_or(Error::NotSealing {
            height: certified.header.height,
        })?;
        same(Part::Handover, committee.digest, due)?;
        self.committees.push(committee);
        Ok(self.epoch())
    }

    fn committee(&self, epoch: Epoch) -> Result<&Committee, Error> {
        let position = usize::try_from(epoch.get()).ok();
        let committee = position.and_then(|position| self.committees.get(position));
        committee.ok_or(Error::UnknownEpoch {
            found: epoch,
            last: self.epoch(),
        })
    }

    fn check_genesis(&self, root: &Digest, certificate: &Certificate) -> Result<(), Error> {
        same(Part::Snapshot, *root, self.genesis_root)?;
        match certificate.signatures.first() {
            Some((index, _)) => Err(Error::UnknownSigner {
                index: *index,
                size: 0,
            }),
            None => Ok(()),
        }
    }
}

pub(crate) fn same(part: Part, found: Digest, wanted: Digest) -> Result<(), Error> {
    if found != wanted {
        return Err(Error::Other {
            part,
            found,
            wanted,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
