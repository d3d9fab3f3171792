//! What one input gathers: writes first, then everything that depends on them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use dag::event::Evidence;
use dag::gossip::Message;
use primitives::keys::PublicKey;
use primitives::store::{Overlay, Store};
use wallet_proto::reply::Reply;

use crate::effect::{Effect, Lane, Recipient};
use crate::input::{Now, Ticket};
use crate::replica::Watermark;

/// The handling of one input: the store as it will be, and the effects so far.
#[derive(Debug)]
pub(crate) struct Turn<'a, S> {
    /// The time of the input.
    pub(crate) now: Now,
    /// Reads with this turn's writes on top.
    pub(crate) store: Overlay<'a, S>,
    durable: bool,
    effects: Vec<Effect>,
}

impl<'a, S: Store> Turn<'a, S> {
    pub(crate) const fn new(now: Now, store: &'a S) -> Self {
        Self {
            now,
            store: Overlay::new(store),
            durable: false,
            effects: Vec::new(),
        }
    }

    /// From here on this turn's writes must be on disk before its sends leave (C32).
    pub(crate) const fn require_durability(&mut self) {
        self.durable = true;
    }

    pub(crate) fn send(&mut self, to: PublicKey, message: Message) {
        self.effects.push(Effect::Send {
            to: Recipient::Peer(to),
            lane: Lane::Consensus,
            message,
        });
    }

    pub(crate) fn send_bulk(&mut self, to: PublicKey, message: Message) {
        self.effects.push(Effect::Send {
            to: Recipient::Peer(to),
            lane: Lane::Bulk,
            message,
        });
    }

    pub(crate) fn broadcast(&mut self, message: Message) {
        self.effects.push(Effect::Send {
            to: Recipient::Everyone,
            lane: Lane::Consensus,
            message,
        });
    }

    pub(crate) fn reply(&mut self, ticket: Ticket, reply: Reply) {
        self.effects.push(Effect::Reply {
            ticket,
            reply,
            last: false,
        });
    }

    pub(crate) fn end(&mut self, ticket: Ticket, reply: Reply) {
        self.effects.push(Effect::Reply {
            ticket,
            reply,
            last: true,
        });
    }

    pub(crate) fn accuse(&mut self, evidence: Evidence) {
        self.effects.push(Effect::Accuse(Box::new(evidence)));
    }

    /// What is sent from here on may be an own event up to `mark` (C32).
    pub(crate) fn guard(&mut self, mark: Watermark) {
        self.effects.push(Effect::Guard(mark));
    }

    pub(crate) fn wake_at(&mut self, mono_ms: u64) {
        self.effects.push(Effect::WakeAt(mono_ms));
    }

    /// The effects in the order in which they must be carried out: one batch, then the rest.
    pub(crate) fn finish(self) -> Vec<Effect> {
        let mut effects = Vec::with_capacity(self.effects.len().saturating_add(1));
        if !self.store.batch.is_empty() {
            effects.push(Effect::Persist {
                batch: self.store.batch,
                durable: self.durable,
            });
        }
        effects.extend(self.effects);
        effects
    }
}
