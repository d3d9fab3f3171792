//! Starting again from what the store holds (C31).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use consensus::Engine;
use consensus::checkpoint::{Checkpoint, Ordered};
use dag::event::{Kind, Signed};
use dag::gossip::Cursor;
use ledger::prune::KeptFrom;
use primitives::codec::List;
use primitives::planted::{self, Bug};
use primitives::store::{Row, Store, Table};
use primitives::units::{Epoch, Height, Round};
use primitives::{Digest, limits};

use crate::certify::Certifier;
use crate::error::Error;
use crate::handle::gossip::stored_parcel;
use crate::handle::seal::certified_of;
use crate::input;
use crate::replica::{OwnHead, Replica, Standing, decode_row};
use crate::rows;

/// Rows read at once.
const PAGE: usize = 1_024;

impl Replica {
    /// Puts the DAG, the engine and the own chain back as they were.
    pub(crate) fn restore<S: Store>(&mut self, store: &S) -> Result<(), Error> {
        let row = store.get(Table::Meta, rows::CHECKPOINT)?;
        let row = row.ok_or(Error::Damaged { what: "checkpoint" })?;
        let mut checkpoint: Checkpoint = decode_row(&row, "checkpoint")?;
        if checkpoint.height != self.ledger.height() {
            return Err(Error::Damaged { what: "checkpoint" });
        }
        let floor = checkpoint
            .settled
            .unwrap_or_default()
            .earlier(limits::FLOOR_ROUNDS);
        let epoch = self.committee.epoch();
        let first = self.ledger.parameters().first_height(epoch);
        let ordered = ordered_since(store, first..=checkpoint.height, floor)?;
        if !planted::has(Bug::OrderForgotten) {
            checkpoint.ordered = List::new(ordered)?;
        }
        let last = self.ledger.parameters().last_height(epoch);
        self.engine = Engine::restore(&self.committee, &checkpoint)?.with_last_height(last);
        for forker in checkpoint.forkers.iter() {
            self.dag.mark_forker(*forker);
        }
        self.dag.raise_floor(self.engine.floor());
        self.restore_certificate(first, store)?;
        self.restore_seals(store)?;
        if store.get(Table::Meta, rows::QUARANTINED)?.is_some() {
            self.standing = Standing::Quarantined;
        }
        self.own_head = own_head(epoch, store)?;
        self.restore_events(store)?;
        self.restore_void(store)?;
        self.restore_evidence(store)?;
        self.restore_attestations(first, store)
    }

    fn restore_certificate<S: Store>(&mut self, first: Height, store: &S) -> Result<(), Error> {
        let row = store.get(Table::Meta, rows::CERTIFICATE)?;
        self.certified = row.map(|row| certified_of(&row)).transpose()?;
        let certified = self.certified.as_ref();
        let open = certified.map_or(first, |newest| newest.height.later(1).max(first));
        self.certifier = Certifier::new(self.committee.clone(), open);
        Ok(())
    }

    fn restore_events<S: Store>(&mut self, store: &S) -> Result<(), Error> {
        for_each_event(self.committee.epoch(), self.dag.floor(), store, |at, id| {
            let after = at.admission.saturating_add(1);
            self.admission_base = self.admission_base.max(after);
            self.restore_event(&id, store)
        })
    }

    /// Finds the payload of the epoch before that no block ordered, which must not be lost (C30).
    fn restore_void<S: Store>(&mut self, store: &S) -> Result<(), Error> {
        let epoch = self.committee.epoch();
        if epoch == Epoch::ZERO {
            return Ok(());
        }
        let before = epoch.earlier(1);
        // Who began with a snapshot of this epoch leaves it to the others.
        if before < KeptFrom::read(store)?.epoch {
            return Ok(());
        }
        let parameters = *self.ledger.parameters();
        let last = parameters.last_height(before);
        let sealed = self.stored_header(last, store)?.round;
        let floor = sealed.earlier(limits::FLOOR_ROUNDS);
        let ordered = ordered_since(store, parameters.first_height(before)..=last, floor)?;
        let ordered: BTreeSet<Digest> = ordered.into_iter().map(|event| event.id).collect();
        let committee = self.committee_at(last, store)?.into_owned();
        let own = self.index_in(&committee);
        for_each_event(before, floor, store, |_, id| {
            if ordered.contains(&id) {
                return Ok(());
            }
            let found = stored_parcel(store, &id)?;
            let (parcel, _) = found.ok_or(Error::Damaged { what: "event" })?;
            let is_own = Some(parcel.signed.header().creator) == own;
            let payload = parcel.payload.into_vec();
            let arrival = input::restore(parcel.signed, payload, &committee);
            for transaction in arrival.transactions {
                if !self.is_brought_in(transaction.id(), store)? {
                    self.bring_in_again(transaction, is_own, 0);
                }
            }
            Ok(())
        })
    }

    fn restore_event<S: Store>(&mut self, id: &Digest, store: &S) -> Result<(), Error> {
        let found = stored_parcel(store, id)?;
        let (parcel, _) = found.ok_or(Error::Damaged { what: "event" })?;
        let ordered = self.engine.is_ordered(id);
        // What is ordered has been executed; only the rest must be looked at again.
        let payload = if ordered || planted::has(Bug::PayloadForgotten) {
            Vec::new()
        } else {
            parcel.payload.into_vec()
        };
        let arrival = input::restore(parcel.signed, payload, &self.committee);
        if arrival.event.id() != id {
            return Err(Error::Damaged { what: "event" });
        }
        let header = arrival.event.header();
        let executed = self.ledger.height();
        self.certifier
            .gather(header.creator, &header.attestations, executed);
        self.dag.admit(arrival.event.clone())?;
        self.unsettled.add(*id, arrival.transactions);
        if let Some(seat) = &mut self.seat {
            seat.creation.observe(&self.dag, &arrival.event, 0);
        }
        Ok(())
    }

    /// Attests again what no own event has carried yet.
    fn restore_attestations<S: Store>(&mut self, first: Height, store: &S) -> Result<(), Error> {
        let attested = match self.own_head {
            None => None,
            Some(head) => newest_attested(store, head.reference.id)?,
        };
        let newest = self.ledger.height();
        let window = u64::try_from(limits::ATTESTATIONS_MAX)
            .unwrap_or(0)
            .saturating_sub(1);
        let mut height = attested.map_or(first, |height| height.later(1).max(first));
        height = height.max(newest.earlier(window));
        while height <= newest {
            let header = self.stored_header(height, store)?;
            self.attest(height, header.root()?);
            height = height.later(1);
        }
        Ok(())
    }
}

/// Hands over the stored events of `epoch` from round `floor` on, parents before children.
fn for_each_event<S: Store>(
    epoch: Epoch,
    floor: Round,
    store: &S,
    mut each: impl FnMut(Cursor, Digest) -> Result<(), Error>,
) -> Result<(), Error> {
    let begin = Cursor {
        round: floor,
        admission: 0,
    };
    let (mut from, end) = (rows::chain_key(epoch, begin), rows::chain_end(epoch));
    loop {
        let page: Vec<Row> = store.range(Table::Chain, &from, &end, PAGE)?;
        for (key, id) in &page {
            let at = rows::chain_cursor(key).ok_or(Error::Damaged { what: "chain key" })?;
            each(at, digest(id, "chain row")?)?;
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => {
                from = key.iter().copied().chain([0]).collect();
            }
            _ => return Ok(()),
        }
    }
}

/// The events that the newest of an epoch's `blocks` ordered from round `floor` on.
fn ordered_since<S: Store>(
    store: &S,
    blocks: RangeInclusive<Height>,
    floor: Round,
) -> Result<Vec<Ordered>, Error> {
    let mut ordered = Vec::new();
    let mut height = *blocks.end();
    // The genesis block orders nothing.
    while height > Height::ZERO && blocks.contains(&height) {
        let order = Replica::order_at(store, height)?.ok_or(Error::Damaged { what: "order" })?;
        let mut leader_round = Round::ZERO;
        for id in order {
            let bytes = store
                .get(Table::Event, &id.0)?
                .ok_or(Error::Damaged { what: "event" })?;
            let signed: Signed = decode_row(&bytes, "event")?;
            let round = signed.header().round;
            if signed.header().kind == Kind::Root {
                leader_round = leader_round.max(round);
            }
            if round >= floor {
                ordered.push(Ordered { round, id });
            }
        }
        // Leaders' rounds rise with height, so no older block reaches up to the floor either.
        if leader_round < floor {
            break;
        }
        height = height.earlier(1);
    }
    ordered.sort();
    Ok(ordered)
}

/// The newest height attested on the self-chain that ends with `head`.
fn newest_attested<S: Store>(store: &S, head: Digest) -> Result<Option<Height>, Error> {
    let mut next = Some(head);
    while let Some(id) = next {
        let bytes = store
            .get(Table::Event, &id.0)?
            .ok_or(Error::Damaged { what: "own event" })?;
        let signed: Signed = decode_row(&bytes, "own event")?;
        if let Some(attestation) = signed.header().attestations.last() {
            return Ok(Some(attestation.height));
        }
        next = signed.header().self_parent.map(|parent| parent.id);
    }
    Ok(None)
}

/// The newest own event of the epoch that was written down, if there is one.
fn own_head<S: Store>(epoch: Epoch, store: &S) -> Result<Option<OwnHead>, Error> {
    let damaged = || Error::Damaged { what: "own head" };
    let Some(row) = store.get(Table::Meta, rows::OWN_HEAD)? else {
        return Ok(None);
    };
    let (_, id) = row.split_first_chunk::<8>().ok_or_else(damaged)?;
    let bytes = store.get(Table::Event, id)?.ok_or_else(damaged)?;
    let signed: Signed = decode_row(&bytes, "own head")?;
    if signed.header().epoch != epoch {
        return Ok(None);
    }
    Ok(Some(OwnHead {
        reference: signed.reference(),
        time: signed.header().time,
    }))
}

fn digest(bytes: &[u8], what: &'static str) -> Result<Digest, Error> {
    bytes
        .try_into()
        .map(Digest)
        .map_err(|_| Error::Damaged { what })
}
