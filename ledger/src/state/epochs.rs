//! Which committee is in force, and which one follows it. Rules C1, C2, C30.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec;
use primitives::keys::PublicKey;
use primitives::store::{Batch, Store, Table};
use primitives::units::{Epoch, Stake};

use super::Ledger;
use super::changes::Changes;
use crate::committee::{Coverage, Member, committee_digest};
use crate::error::Error;
use crate::rows::{CommitteeRow, StakeRow, committee_key, demand, stake_key};

impl Ledger {
    /// The epoch of the next block. Rule C30.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.parameters.epoch_of(self.next_height())
    }

    /// The committee of the next block's epoch, by ascending peer key. Rule C1.
    #[must_use]
    pub fn committee(&self) -> &[Member] {
        &self.committee.members.members
    }

    /// How much of the eligible stake that committee holds. Rule C1.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.committee.coverage()
    }

    /// The committee of `epoch`, at most that of the next block, by ascending peer key.
    ///
    /// # Errors
    /// [`Error::UnknownEpoch`] for a later one; [`Error::MissingRow`] or a failing disk.
    pub fn committee_of<S: Store>(&self, epoch: Epoch, store: &S) -> Result<Vec<Member>, Error> {
        let last = self.epoch();
        if epoch > last {
            return Err(Error::UnknownEpoch { found: epoch, last });
        }
        let row: CommitteeRow = demand(store, Table::Meta, &committee_key(epoch))?;
        Ok(row.members.members.into_vec())
    }

    /// In a sealing block, the committee of the next epoch: stake as of its snapshot, keys and
    /// standing as they are after the block. If nobody is eligible the committee goes on as it is. Rules C1, C2, C30.
    pub(super) fn next_committee<S: Store>(
        &self,
        changes: &Changes,
        store: &S,
    ) -> Result<Option<CommitteeRow>, Error> {
        let epoch = self.epoch();
        if changes.height != self.parameters.last_height(epoch) {
            return Ok(None);
        }
        let snapshot = self.parameters.snapshot_height(epoch.later(1));
        let stakes: BTreeMap<PublicKey, Stake> = if snapshot == changes.height {
            changes.stakes.clone()
        } else {
            let row: StakeRow = demand(store, Table::Meta, &stake_key(snapshot))?;
            row.stakes.into_vec().into_iter().collect()
        };
        let mut candidates = Vec::with_capacity(self.peers.len());
        for peer in &self.peers {
            // C10: evidence costs a peer its standing from the next epoch.
            if changes.conviction(&peer.peer_key, store)?.is_none() {
                candidates.push(peer.member(&stakes));
            }
        }
        let chosen = CommitteeRow::choose(candidates)?;
        Ok(Some(chosen.unwrap_or_else(|| CommitteeRow {
            eligible: Stake::ZERO,
            ..self.committee.clone()
        })))
    }

    /// The digest of the committee of the next block's epoch.
    pub(super) fn committee_digest(&self) -> Digest {
        self.header.next_committee.unwrap_or(self.header.committee)
    }

    /// Keeps the committee in force as that of `epoch`.
    pub(super) fn write_committee(&self, epoch: Epoch, batch: &mut Batch) -> Result<(), Error> {
        batch.put(
            Table::Meta,
            committee_key(epoch),
            codec::encode(&self.committee)?,
        );
        Ok(())
    }

    /// The committee in force must be the one that the last header names.
    pub(super) fn restore_committee<S: Store>(&mut self, store: &S) -> Result<(), Error> {
        self.committee = demand(store, Table::Meta, &committee_key(self.epoch()))?;
        let found = committee_digest(self.committee())?;
        let wanted = self.committee_digest();
        if found != wanted {
            return Err(Error::Committee { found, wanted });
        }
        Ok(())
    }
}
