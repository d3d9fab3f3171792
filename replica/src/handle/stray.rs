//! Payload that no block has ordered, brought in again so that nothing is lost (C30).

use alloc::vec::Vec;

use dag::gossip::Message;
use ledger::tx::Checked;
use primitives::Digest;
use primitives::codec::Bytes;
use primitives::keys::PublicKey;
use primitives::planted::{self, Bug};
use primitives::store::Store;
use primitives::units::PeerIndex;

use crate::error::Error;
use crate::handle::create::encode_payload;
use crate::pool::Pooled;
use crate::replica::Replica;
use crate::turn::Turn;

/// How many holders of a stray bring it in one after the other; more do so together.
const TURNS_MAX: u64 = 16;

impl Replica {
    /// Takes an event that no block can order any more out of what is unsettled: the payload of an
    /// own one goes into the next own event, that of others waits for them to do the same.
    pub(crate) fn rescue(&mut self, id: &Digest, now_ms: u64) {
        let event = self.dag.event(id);
        let own = event.is_some_and(|event| Some(event.header().creator) == self.own());
        let transactions = self.unsettled.remove(id);
        if planted::has(Bug::StaleForgotten) {
            return;
        }
        for transaction in transactions {
            self.bring_in_again(transaction, own, now_ms);
        }
    }

    /// What this peer itself submitted goes into its next event; the rest waits for its submitter.
    pub(crate) fn bring_in_again(&mut self, transaction: Checked, is_own: bool, now_ms: u64) {
        if is_own {
            self.repool(transaction);
        } else {
            self.keep_stray(transaction, now_ms);
        }
    }

    /// Whether an event on its way has the transaction, or a block has settled it.
    pub(crate) fn is_brought_in<S: Store>(&self, id: &Digest, store: &S) -> Result<bool, Error> {
        Ok(!self.unsettled.carriers(id).is_empty() || self.ledger.settled(id, store)?.is_some())
    }

    /// Keeps a transaction of somebody else's until it comes again. One that can never apply need not.
    pub(crate) fn keep_stray(&mut self, transaction: Checked, now_ms: u64) {
        if transaction.fault().is_none() && !self.strays.add(transaction, now_ms) {
            self.stats.transactions_refused = self.stats.transactions_refused.saturating_add(1);
        }
    }

    pub(crate) fn repool(&mut self, transaction: Checked) {
        if self.pool.add(transaction) == Pooled::Full {
            self.stats.transactions_refused = self.stats.transactions_refused.saturating_add(1);
        }
    }

    /// Takes care of strays that are due, unless they have come in or are settled by now.
    pub(crate) fn recall_strays<S: Store>(&mut self, turn: &Turn<'_, S>) -> Result<(), Error> {
        // Holders outside the committee let the members go first.
        let position = |own: PeerIndex| u64::from(own.0).rem_euclid(TURNS_MAX);
        let holder = self.own().map_or(TURNS_MAX, position);
        while let Some(transaction) = self.strays.next_due(holder, turn.now.mono_ms) {
            if !self.is_brought_in(transaction.id(), &turn.store)? {
                self.repool(transaction);
            }
        }
        Ok(())
    }

    /// Outside the committee: gives what waits to a connected member, each time to the next one, and
    /// keeps it until it is seen in an event.
    pub(crate) fn pass_on<S: Store>(&mut self, turn: &mut Turn<'_, S>) -> Result<(), Error> {
        while !self.pool.is_empty() {
            let Some(member) = self.next_member() else {
                return Ok(());
            };
            self.passed_to = member;
            let transactions = self.pool.take_payload();
            let payload = encode_payload(&transactions)?;
            turn.send(member, Message::Passed(Bytes::new(payload)?));
            for transaction in transactions {
                self.keep_stray(transaction, turn.now.mono_ms);
            }
        }
        Ok(())
    }

    /// Takes what a peer outside the committee passes on.
    pub(crate) fn take_passed<S: Store>(
        &mut self,
        transactions: Vec<Checked>,
        turn: &Turn<'_, S>,
    ) -> Result<(), Error> {
        for transaction in transactions {
            if transaction.fault().is_none()
                && !self.is_brought_in(transaction.id(), &turn.store)?
            {
                self.repool(transaction);
            }
        }
        Ok(())
    }

    fn next_member(&self) -> Option<PublicKey> {
        let mut members = self.peers.keys();
        let is_member = |key: &&PublicKey| self.committee.index_of(key).is_some();
        let later = members.find(|key| is_member(key) && **key > self.passed_to);
        later.or_else(|| self.peers.keys().find(is_member)).copied()
    }
}
