//! Starting again from what the store holds (C31).

use alloc::vec::Vec;

use consensus::Engine;
use consensus::checkpoint::{Checkpoint, Ordered};
use dag::event::{Kind, Signed};
use dag::gossip::Cursor;
use primitives::codec::List;
use primitives::store::{Row, Store, Table};
use primitives::units::{Height, Round};
use primitives::{Digest, limits};

use crate::certify::{Certified, Certifier};
use crate::error::Error;
use crate::handle::gossip::stored_parcel;
use crate::input;
use crate::replica::{OwnHead, Replica, Standing, decode_row};
use crate::rows::{self, CertificateRow};

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
        checkpoint.ordered = ordered_since(store, checkpoint.height, floor)?;
        self.engine = Engine::restore(&self.committee, &checkpoint)?;
        for forker in checkpoint.forkers.iter() {
            self.dag.mark_forker(*forker);
        }
        self.dag.raise_floor(self.engine.floor());
        self.restore_certificate(store)?;
        if store.get(Table::Meta, rows::QUARANTINED)?.is_some() {
            self.standing = Standing::Quarantined;
        }
        self.own_head = own_head(store)?;
        self.restore_events(store)?;
        self.restore_attestations(store)
    }

    fn restore_certificate<S: Store>(&mut self, store: &S) -> Result<(), Error> {
        let Some(row) = store.get(Table::Meta, rows::CERTIFICATE)? else {
            return Ok(());
        };
        let CertificateRow {
            height,
            root,
            signatures,
        } = decode_row(&row, "certificate")?;
        let signatures = signatures.into_vec();
        self.certifier = Certifier::new(Some(Certified {
            height,
            root,
            signatures,
        }));
        Ok(())
    }

    fn restore_events<S: Store>(&mut self, store: &S) -> Result<(), Error> {
        let epoch = self.committee.epoch();
        let mut from = rows::chain_key(
            epoch,
            Cursor {
                round: self.dag.floor(),
                admission: 0,
            },
        );
        let end = rows::chain_end(epoch);
        loop {
            let page: Vec<Row> = store.range(Table::Chain, &from, &end, PAGE)?;
            for (key, id) in &page {
                self.restore_event(&digest(id, "chain row")?, store)?;
                let at = rows::chain_cursor(key).ok_or(Error::Damaged { what: "chain key" })?;
                let after = at.admission.saturating_add(1);
                self.admission_base = self.admission_base.max(after);
            }
            match page.last() {
                Some((key, _)) if page.len() == PAGE => {
                    from = key.iter().copied().chain([0]).collect();
                }
                _ => return Ok(()),
            }
        }
    }

    fn restore_event<S: Store>(&mut self, id: &Digest, store: &S) -> Result<(), Error> {
        let found = stored_parcel(store, id)?;
        let (parcel, _) = found.ok_or(Error::Damaged { what: "event" })?;
        let ordered = self.engine.is_ordered(id);
        // What is ordered has been executed; only the rest must be looked at again.
        let payload = if ordered {
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
    fn restore_attestations<S: Store>(&mut self, store: &S) -> Result<(), Error> {
        let attested = match self.own_head {
            None => None,
            Some(head) => newest_attested(store, head.reference.id)?,
        };
        let newest = self.ledger.height();
        let window = u64::try_from(limits::ATTESTATIONS_MAX)
            .unwrap_or(0)
            .saturating_sub(1);
        let mut height = attested.map_or(Height::ZERO, |height| height.later(1));
        height = height.max(newest.earlier(window));
        while height <= newest {
            let header = self.ledger.header_at(height, store)?;
            let header = header.ok_or(Error::Damaged { what: "block" })?;
            self.attest(height, header.root()?);
            height = height.later(1);
        }
        Ok(())
    }
}

/// The events ordered by the newest blocks that reach down to `floor`.
fn ordered_since<S: Store>(
    store: &S,
    newest: Height,
    floor: Round,
) -> Result<List<Ordered, { consensus::checkpoint::ORDERED_MAX }>, Error> {
    let mut ordered = Vec::new();
    let mut height = newest;
    while height > Height::ZERO {
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
    List::new(ordered).map_err(|_: primitives::Error| Error::Damaged { what: "order" })
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

/// The newest own event that was written down, if there is one.
fn own_head<S: Store>(store: &S) -> Result<Option<OwnHead>, Error> {
    let damaged = || Error::Damaged { what: "own head" };
    let Some(row) = store.get(Table::Meta, rows::OWN_HEAD)? else {
        return Ok(None);
    };
    let (_, id) = row.split_first_chunk::<8>().ok_or_else(damaged)?;
    let bytes = store.get(Table::Event, id)?.ok_or_else(damaged)?;
    let signed: Signed = decode_row(&bytes, "own head")?;
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
