//! The change of epochs: whatever belongs to a committee begins anew with the next (C30).

use alloc::vec::Vec;

use dag::Dag;
use dag::gossip::Cursor;
use dag::pending::Pending;
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::store::Store;
use primitives::units::Round;

use crate::certify::Certifier;
use crate::error::Error;
use crate::inquiry::Inquiry;
use crate::replica::{Peer, Replica, Standing};
use crate::seat::{Seat, committee_of};
use crate::turn::Turn;

impl Replica {
    /// Goes from the epoch that the newest block seals to the next one.
    pub(crate) fn enter_epoch<S: Store>(&mut self, turn: &mut Turn<'_, S>) -> Result<(), Error> {
        self.rescue_void(turn.now.mono_ms);
        self.hand_in_attestations(turn)?;
        let epoch = self.ledger.epoch();
        let committee = committee_of(&self.ledger, epoch, &turn.store)?;
        let last = self.ledger.parameters().last_height(epoch);
        self.engine = self.engine.next_epoch(&committee).with_last_height(last);
        self.dag = Dag::new(committee.clone());
        self.pending = Pending::new(committee.size());
        self.seat = Seat::find(&committee, self.signer.as_ref(), self.creation);
        self.sealing = Some(self.ledger.header().leader);
        let open = self.ledger.height().later(1);
        let certifier = Certifier::new(committee.clone(), open);
        let before = core::mem::replace(&mut self.certifier, certifier);
        self.keep_certifier(before);
        self.committee = committee;
        self.own_head = None;
        self.admission_base = 0;
        self.retry = (self.retry.0, Round::ZERO, Digest::ZERO);
        if let Standing::Asking(inquiry) = &mut self.standing {
            // What was said is said of the epoch before.
            *inquiry = Inquiry::default();
            self.conclude_alone();
        }
        self.stats.epochs = self.stats.epochs.saturating_add(1);
        turn.broadcast(self.frontier());
        self.follow_on(turn);
        Ok(())
    }

    /// Void payload is emitted again: that of own events at once, if there is a seat in the next
    /// epoch or a member takes it; that of others when they did not see to it.
    fn rescue_void(&mut self, now_ms: u64) {
        let void: Vec<Digest> = self.unsettled.events().copied().collect();
        for id in void {
            self.rescue(&id, now_ms);
        }
        let empty = Pending::new(self.committee.size());
        let pending = core::mem::replace(&mut self.pending, empty).into_held();
        let pending = pending.into_iter().map(|(_, arrival)| arrival.transactions);
        let briefs = self.briefs.drain().map(|load| load.transactions);
        for transaction in pending.chain(briefs).flatten() {
            self.keep_stray(transaction, now_ms);
        }
    }

    /// A peer behind goes on where its catch-up led it into the next epoch.
    fn follow_on<S: Store>(&mut self, turn: &mut Turn<'_, S>) {
        let epoch = self.committee.epoch();
        let told = |peer: &PublicKey| self.peers.get(peer).map(|peer: &Peer| peer.epoch);
        let followed = self.fetch.next_epoch();
        let followed = followed.filter(|peer| told(peer) >= Some(epoch));
        let later = |peer: &&PublicKey| told(peer) > Some(epoch);
        let ahead = self.peers.keys().find(later).copied();
        if let Some(peer) = followed.or(ahead) {
            self.follow(peer, Cursor::default(), turn);
            self.ask_for_seals(peer, turn);
        }
    }
}
