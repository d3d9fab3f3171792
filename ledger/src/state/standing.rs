//! Who has lost its standing. Rule C10.

use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::store::{Store, Table};

use super::Ledger;
use super::changes::Changes;
use super::rules::{Stop, lost};
use crate::error::Error;
use crate::outcome::Reason;
use crate::rows::{CommitteeRow, ConvictionRow, Place, committee_key, conviction_key, read};
use crate::tx::Evidence;

impl Ledger {
    /// By what a peer lost its standing; none if it has it. The transaction proves it.
    ///
    /// # Errors
    /// A failing disk.
    pub fn conviction<S: Store>(
        &self,
        peer: &PublicKey,
        store: &S,
    ) -> Result<Option<ConvictionRow>, Error> {
        read(store, Table::Meta, &conviction_key(peer))
    }
}

impl Changes {
    /// Evidence is of a member of a committee that has begun, and each peer is convicted once.
    pub(super) fn check_evidence<S: Store>(
        &self,
        ledger: &Ledger,
        evidence: &Evidence,
        store: &S,
    ) -> Result<(), Stop> {
        let (epoch, creator) = evidence.place().ok_or(Reason::NoContradiction)?;
        let row: Option<CommitteeRow> = if epoch > ledger.epoch() {
            None
        } else {
            read(store, Table::Meta, &committee_key(epoch))?
        };
        let row = row.ok_or(Reason::UnknownCulprit)?;
        let accused = |member: &&crate::committee::Member| {
            (member.peer_key, member.event_key) == (evidence.peer, evidence.event_key)
        };
        let member = row.members.members.get(creator.position());
        member.filter(accused).ok_or(Reason::UnknownCulprit)?;
        match self.conviction(&evidence.peer, store)? {
            Some(conviction) => Err(lost(Reason::Convicted, conviction.transaction)),
            None => Ok(()),
        }
    }

    pub(super) fn convict(&mut self, evidence: &Evidence, transaction: Digest, place: Place) {
        let row = ConvictionRow { transaction, place };
        self.convictions.insert(evidence.peer, row);
    }

    /// By what a peer lost its standing, in this block or before.
    pub(super) fn conviction<S: Store>(
        &self,
        peer: &PublicKey,
        store: &S,
    ) -> Result<Option<ConvictionRow>, Error> {
        match self.convictions.get(peer) {
            Some(row) => Ok(Some(*row)),
            None => read(store, Table::Meta, &conviction_key(peer)),
        }
    }
}
