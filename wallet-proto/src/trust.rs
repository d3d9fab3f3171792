//! What a wallet trusts: a chain from its genesis or a later checkpoint on, and the committees that
//! follow from there (C29, C30).

use alloc::vec::Vec;

use ledger::committee::{Member, Members};
use ledger::{Genesis, Header, Ledger};
use merkle::TreeKeys;
use merkle::top::State;
use primitives::Digest;
use primitives::units::{Epoch, Height, Stake, Time};

use crate::certificate::{Certificate, attestation_digest};
use crate::error::{Error, Part};
use crate::reply::{Handover, Snapshot};

mod committee;
mod culprits;

use committee::Committee;

/// For how long after its block time a certified block may be followed through a single host, in
/// milliseconds: seven days. A shorter time costs questions, a longer one lets keys that left lie.
pub const TRUST_PERIOD_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// A block that is believed because somebody trustworthy named it: the genesis block, or a
/// checkpoint of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Its height.
    pub height: Height,
    /// Its consensus root.
    pub root: Digest,
    /// Its epoch, whose committee is known with it.
    pub epoch: Epoch,
}

/// What a wallet starts from, and the committees known so far.
#[derive(Debug, Clone)]
pub struct Trust {
    chain: Digest,
    keys: TreeKeys,
    start: Start,
    /// By epoch, from that of the start; never empty.
    committees: Vec<Committee>,
    /// The share of stake that must have signed, beside the quorum.
    percent_min: u64,
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
        let start = Start {
            height: Height::ZERO,
            root: *Ledger::genesis(genesis)?.0.root(),
            epoch: Epoch::ZERO,
        };
        Self::from_checkpoint(&genesis.chain_id()?, start, &genesis.committee()?)
    }

    /// Trust in a block that a policy names, and in the committee of its epoch, listed by ascending
    /// peer key. No block before it is believed.
    ///
    /// # Errors
    /// [`Error::Encoding`] for a key that is none or stakes beyond 64 bits.
    pub fn from_checkpoint(
        chain: &Digest,
        start: Start,
        committee: &[Member],
    ) -> Result<Self, Error> {
        Ok(Self {
            chain: *chain,
            keys: TreeKeys::new(chain),
            start,
            committees: Vec::from([Committee::new(committee)?]),
            percent_min: 0,
        })
    }

    /// The same trust, which believes no block that less than `percent` of the stake signed.
    #[must_use]
    pub const fn with_percent_min(mut self, percent: u64) -> Self {
        self.percent_min = percent;
        self
    }

    /// The same trust, before it followed any handover.
    #[must_use]
    pub fn from_start(&self) -> Self {
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

    /// Where it starts.
    #[must_use]
    pub const fn start(&self) -> &Start {
        &self.start
    }

    /// The newest epoch whose committee is known.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        let followed = self.committees.len().saturating_sub(1);
        let followed = u64::try_from(followed).unwrap_or(u64::MAX);
        self.start.epoch.later(followed)
    }

    /// The members of the newest committee known, by ascending peer key.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        let newest = self.committees.last().into_iter();
        newest.flat_map(Committee::members).copied().collect()
    }

    /// Checks the header, its committee and the certificate.
    ///
    /// # Errors
    /// A typed error naming the part of the certificate or header that fails; the sender is to
    /// blame.
    pub fn certify(&self, snapshot: &Snapshot) -> Result<Certified, Error> {
        let (header, certificate) = (snapshot.header, &snapshot.certificate);
        let (height, start) = (header.height, self.start.height);
        if height < start {
            let found = height;
            return Err(Error::BeforeStart { found, start });
        }
        let committee = self.committee(header.epoch)?;
        if certificate.epoch != header.epoch {
            return Err(Error::OtherEpoch {
                found: certificate.epoch,
                wanted: header.epoch,
            });
        }
        let root = header.root()?;
        if height == start {
            same(Part::Snapshot, root, self.start.root)?;
        }
        let whole = committee.total;
        let stake = if height == Height::ZERO {
            if *certificate != Certificate::empty(header.epoch) {
                return Err(Error::SignedGenesis);
            }
            whole
        } else {
            same(Part::Committee, header.committee, committee.digest)?;
            let digest = attestation_digest(header.epoch, height, &root);
            committee.check(&self.chain, &digest, certificate)?
        };
        let certified = Certified {
            header,
            root,
            stake,
            whole,
        };
        let (found, wanted) = (certified.percent(), self.percent_min);
        if found < wanted {
            return Err(Error::BelowPolicy { found, wanted });
        }
        Ok(certified)
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

    /// Follows each handover in order. Those of epochs before the start are not looked at: whoever
    /// trusts a checkpoint does not need the way there.
    ///
    /// # Errors
    /// As [`Trust::follow`].
    pub fn follow_all(&mut self, handovers: &[Handover]) -> Result<(), Error> {
        let start = self.start.epoch;
        let mut needed = handovers
            .iter()
            .filter(|handover| handover.sealing.header.epoch >= start);
        needed.try_for_each(|handover| self.follow(handover).map(drop))
    }

    fn committee(&self, epoch: Epoch) -> Result<&Committee, Error> {
        let position = epoch.get().checked_sub(self.start.epoch.get());
        let position = position.and_then(|position| usize::try_from(position).ok());
        let committee = position.and_then(|position| self.committees.get(position));
        committee.ok_or(Error::UnknownEpoch {
            found: epoch,
            last: self.epoch(),
        })
    }
}

/// Whether a block of this time is too old to go on from through a single host: keys of its
/// committee may have left since and have nothing to lose by signing another chain
/// (weak subjectivity, docs/spec/proofs.md section 6).
#[must_use]
pub const fn is_stale(time: Time, now: Time, period_ms: u64) -> bool {
    now.get().saturating_sub(time.get()) > period_ms
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
