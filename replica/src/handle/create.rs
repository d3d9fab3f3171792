//! Own events: made when the policy says so, written down before they are sent (C32).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;

use consensus::Decision;
use consensus::creation::{Composition, Waiting};
use dag::Event;
use dag::brief::Brief;
use dag::event::{Attestation, Header, Kind, attestation_digest, payload_digest};
use dag::gossip::Message;
use ledger::tx::{Checked, Payload};
use primitives::codec::{Bytes, List};
use primitives::keys::{PublicKey, Role};
use primitives::planted::{self, Bug};
use primitives::store::{Store, Table};
use primitives::units::{Epoch, Height, PeerIndex, Seq};
use primitives::{Digest, limits};

use crate::error::Error;
use crate::input::Arrival;
use crate::inquiry::Finding;
use crate::replica::{OwnHead, Replica, Standing, Watermark};
use crate::rows;
use crate::turn::Turn;

impl Replica {
    /// Members' delays decide how long to wait for their roots (C34).
    pub(crate) fn observe_delay(&mut self, from: &PublicKey, one_way_ms: u64) {
        if self.committee.index_of(from).is_some()
            && let Some(seat) = &mut self.seat
        {
            seat.creation.observe_delay(one_way_ms);
        }
    }

    /// Makes own events as long as the policy asks for one, at most a few a turn.
    pub(crate) fn create<S: Store>(&mut self, turn: &mut Turn<'_, S>) -> Result<(), Error> {
        self.conclude_inquiry(turn);
        if self.standing != Standing::Active || self.diverged.is_some() {
            return Ok(());
        }
        self.recall_strays(turn)?;
        let Some(seat) = &self.seat else {
            return self.pass_on(turn);
        };
        let waiting = Waiting {
            payload: !self.pool.is_empty(),
            attestations: !self.attestations.is_empty(),
        };
        let decision = seat
            .creation
            .decide(&self.dag, &self.engine, waiting, turn.now.mono_ms);
        match decision {
            Decision::Root { .. } | Decision::Data => {
                let composition = seat.creation.compose(&self.dag, decision);
                let Some(composition) = composition.and_then(|links| self.after_own_head(links))
                else {
                    return Ok(());
                };
                self.make(seat.index, composition, turn)?;
                self.settle(turn)?;
                // The policy is asked again as soon as this event is out.
                turn.wake_at(turn.now.mono_ms);
            }
            Decision::Wait { until_ms } => turn.wake_at(until_ms),
            Decision::Idle => {}
        }
        Ok(())
    }

    /// Begins to sign once a quorum knows of no own event that this peer lacks (C32).
    fn conclude_inquiry<S: Store>(&mut self, turn: &mut Turn<'_, S>) {
        if self.lacks_own_events() {
            return;
        }
        let Standing::Asking(inquiry) = &self.standing else {
            return;
        };
        if planted::has(Bug::NoInquiry) {
            self.standing = Standing::Active;
            return;
        }
        match inquiry.finding(self.dag.floor(), turn.now.mono_ms) {
            Finding::Claimed { until_ms } => turn.wake_at(until_ms),
            Finding::Clear(peers) => {
                if self.is_quorum(self.members_of(peers.iter()).chain(self.own())) {
                    self.standing = Standing::Active;
                }
            }
        }
    }

    /// A peer that is a quorum by itself need not ask anybody.
    pub(crate) fn conclude_alone(&mut self) {
        let is_asking = matches!(self.standing, Standing::Asking(_)) && !self.lacks_own_events();
        if is_asking && self.is_quorum(self.own().into_iter()) {
            self.standing = Standing::Active;
        }
    }

    /// Whether this store is older than what the watermark tells: the others must give own events back
    /// first. What is signed in a later epoch than that of the watermark begins a chain of its own.
    pub(crate) fn lacks_own_events(&self) -> bool {
        let Some(mark) = self.watermark else {
            return false;
        };
        match mark.epoch.cmp(&self.committee.epoch()) {
            Ordering::Less => false,
            Ordering::Equal => self.own_head().is_none_or(|head| head.seq < mark.seq),
            Ordering::Greater => true,
        }
    }

    /// Takes note of an own event that came back from another peer or was made just now.
    pub(crate) fn note_own_event<S: Store>(&mut self, event: &Event, turn: &mut Turn<'_, S>) {
        let id = event.id();
        if let Standing::Asking(inquiry) = &mut self.standing {
            inquiry.resolve(id);
        }
        if self.lacks_own_events() && self.watermark.is_some_and(|mark| mark.id == *id) {
            self.set_own_head(event, turn);
        }
    }

    fn set_own_head<S: Store>(&mut self, event: &Event, turn: &mut Turn<'_, S>) {
        let (seq, id) = (event.header().seq, *event.id());
        self.own_head = Some(OwnHead {
            reference: event.reference(),
            time: event.header().time,
        });
        let row = own_head_row(seq, &id);
        turn.store
            .batch
            .put(Table::Meta, rows::OWN_HEAD.to_vec(), row);
    }

    /// The links, if the event would follow the newest own event; where that one lies below the
    /// floor, the DAG does not know it any more and it is put in (C5, C9a).
    fn after_own_head(&self, links: Composition) -> Option<Composition> {
        if links.round < self.dag.floor() {
            return None;
        }
        let Some(head) = self.own_head else {
            return links.self_parent.is_none().then_some(links);
        };
        match links.self_parent {
            Some(parent) => (parent.id == head.reference.id).then_some(links),
            None if links.kind == Kind::Root && links.round > head.reference.round => {
                Some(Composition {
                    seq: head.reference.seq.later(1),
                    self_parent: Some(head.reference),
                    time_min: head.time,
                    ..links
                })
            }
            None => None,
        }
    }

    fn make<S: Store>(
        &mut self,
        own: PeerIndex,
        composition: Composition,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let transactions = self.pool.take_payload();
        let payload = encode_payload(&transactions)?;
        let header = self.header_of(own, composition, &payload, turn)?;
        let event = Event::sign(header, self.signer.as_ref())?;
        let mark = Watermark::of(&event);
        self.set_own_head(&event, turn);
        let arrival = Arrival {
            event: event.clone(),
            payload: payload.clone(),
            transactions,
        };
        if !self.admit(arrival, turn)? {
            // The policy composes only what the DAG admits; a refusal would end this peer's chain.
            return Err(Error::Damaged { what: "own event" });
        }
        self.watermark = Some(mark);
        if !planted::has(Bug::SentBeforeSynced) {
            turn.require_durability();
        }
        self.stats.events_created = self.stats.events_created.saturating_add(1);
        turn.guard(mark);
        turn.broadcast(Message::Brief {
            brief: Box::new(Brief::of(&event, &self.dag)?),
            payload: Bytes::new(payload)?,
        });
        Ok(())
    }

    fn header_of<S: Store>(
        &mut self,
        own: PeerIndex,
        composition: Composition,
        payload: &[u8],
        turn: &Turn<'_, S>,
    ) -> Result<Header, Error> {
        let Composition {
            kind,
            round,
            seq,
            self_parent,
            votes,
            parents,
            time_min,
        } = composition;
        let epoch = self.committee.epoch();
        // C30.
        let sealing = self.sealing.filter(|_| seq == Seq::ZERO);
        let beacon = match kind {
            Kind::Root => Some(self.signer.beacon(&self.chain, epoch, round)),
            Kind::Data => None,
        };
        Ok(Header {
            version: 1,
            chain: self.chain,
            epoch,
            creator: own,
            round,
            seq,
            kind,
            self_parent,
            sealing,
            votes: List::new(votes)?,
            parents: List::new(parents)?,
            time: turn.now.wall.max(time_min),
            payload: payload_digest(payload),
            payload_bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX),
            beacon,
            attestations: List::new(core::mem::take(&mut self.attestations))?,
        })
    }

    /// Notes the root of an executed block, and as a member signs it for the next own event; the
    /// newest 16 signatures are kept (C29).
    pub(crate) fn attest(&mut self, height: Height, root: Digest) {
        self.certifier.note_root(height, root);
        if self.seat.is_none() {
            return;
        }
        let attestation = self.sign_attestation(self.committee.epoch(), height, root);
        if self.attestations.len() >= limits::ATTESTATIONS_MAX {
            self.attestations.remove(0);
        }
        self.attestations.push(attestation);
    }

    pub(crate) fn sign_attestation(
        &self,
        epoch: Epoch,
        height: Height,
        root: Digest,
    ) -> Attestation {
        let root = match planted::has(Bug::OtherRoot) {
            true => Digest::ZERO,
            false => root,
        };
        let digest = attestation_digest(epoch, height, &root);
        let signature = self.signer.sign(Role::Attestation, &self.chain, &digest);
        Attestation {
            height,
            root,
            signature,
        }
    }

    /// The newest own event that may have left.
    #[must_use]
    pub const fn watermark(&self) -> Option<Watermark> {
        self.watermark
    }

    /// The newest own event of the epoch.
    #[must_use]
    pub const fn own_head(&self) -> Option<Watermark> {
        match self.own_head {
            Some(OwnHead { reference, .. }) => Some(Watermark {
                epoch: self.committee.epoch(),
                seq: reference.seq,
                id: reference.id,
            }),
            None => None,
        }
    }
}

/// Transactions as the payload of an event.
pub(super) fn encode_payload(transactions: &[Checked]) -> Result<Vec<u8>, Error> {
    let bytes = transactions
        .iter()
        .map(|transaction| transaction.bytes().to_vec())
        .collect();
    Ok(Payload::bytes(bytes)?)
}

/// Meta row [`rows::OWN_HEAD`]: seq, then id.
fn own_head_row(seq: Seq, id: &Digest) -> Vec<u8> {
    [seq.get().to_be_bytes().as_slice(), &id.0].concat()
}
