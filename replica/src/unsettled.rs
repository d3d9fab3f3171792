//! The transactions of events that no block has ordered yet: who carries what, and what conflicts.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::ops::Bound;

use consensus::finality::Carried;
use ledger::tx::{Checked, Outpoint};
use primitives::Digest;

/// Rivals of one transaction that are weighed against it; with more it is reported when final.
const RIVALS_MAX: usize = 64;

/// Payloads by event, and the events by transaction and by spent outpoint.
#[derive(Debug, Default)]
pub struct Unsettled {
    payloads: BTreeMap<Digest, Vec<Checked>>,
    carriers: BTreeMap<Digest, Vec<Digest>>,
    spenders: BTreeMap<Outpoint, BTreeSet<Digest>>,
    /// Outpoints with more than one spender.
    contested: BTreeSet<Outpoint>,
}

impl Unsettled {
    /// Adds an event's transactions.
    pub fn add(&mut self, event: Digest, transactions: Vec<Checked>) {
        if transactions.is_empty() {
            return;
        }
        // A copy with false witnesses stands for nothing.
        for transaction in transactions.iter().filter(|it| it.fault().is_none()) {
            let carriers = self.carriers.entry(*transaction.id()).or_default();
            // One event may hold a transaction twice.
            if carriers.last() != Some(&event) {
                carriers.push(event);
            }
            for input in inputs(transaction) {
                let spenders = self.spenders.entry(*input).or_default();
                spenders.insert(*transaction.id());
                if spenders.len() > 1 {
                    self.contested.insert(*input);
                }
            }
        }
        self.payloads.insert(event, transactions);
    }

    /// Takes an event's transactions out, once it is ordered or void.
    pub fn remove(&mut self, event: &Digest) -> Vec<Checked> {
        let transactions = self.payloads.remove(event).unwrap_or_default();
        for transaction in &transactions {
            let Some(carriers) = self.carriers.get_mut(transaction.id()) else {
                continue;
            };
            carriers.retain(|carrier| carrier != event);
            if !carriers.is_empty() {
                continue;
            }
            self.carriers.remove(transaction.id());
            for input in inputs(transaction) {
                if let Some(spenders) = self.spenders.get_mut(input) {
                    spenders.remove(transaction.id());
                    if spenders.len() <= 1 {
                        self.contested.remove(input);
                    }
                    if spenders.is_empty() {
                        self.spenders.remove(input);
                    }
                }
            }
        }
        transactions
    }

    /// The events that carry a transaction.
    #[must_use]
    pub fn carriers(&self, id: &Digest) -> &[Digest] {
        self.carriers.get(id).map_or(&[], Vec::as_slice)
    }

    /// A transaction with the events that carry it.
    #[must_use]
    pub fn carried<'a>(&'a self, transaction: &'a Digest) -> Carried<'a> {
        Carried {
            transaction,
            events: self.carriers(transaction),
        }
    }

    /// Whether any transactions exclude each other.
    #[must_use]
    pub fn is_contested(&self) -> bool {
        !self.contested.is_empty()
    }

    /// Outpoints with more than one spender, ascending, from behind `outpoint` on.
    pub fn contested_after(&self, outpoint: Option<Outpoint>) -> impl Iterator<Item = Outpoint> {
        let from = outpoint.map_or(Bound::Unbounded, Bound::Excluded);
        let contested = self.contested.range((from, Bound::Unbounded));
        contested.copied()
    }

    /// The transactions that spend an outpoint, by id.
    pub fn spenders(&self, outpoint: &Outpoint) -> impl Iterator<Item = &Digest> {
        self.spenders.get(outpoint).into_iter().flatten()
    }

    /// The inputs of a transaction that some event carries.
    pub fn inputs(&self, id: &Digest) -> impl Iterator<Item = &Outpoint> {
        let carrier = self
            .carriers(id)
            .first()
            .and_then(|event| self.payloads.get(event));
        let transaction = carrier
            .and_then(|transactions| transactions.iter().find(|candidate| candidate.id() == id));
        transaction.into_iter().flat_map(inputs)
    }

    /// The transactions that spend an input of `id` too, by id; none if they are too many to weigh.
    #[must_use]
    pub fn rivals(&self, id: &Digest) -> Option<Vec<Digest>> {
        let mut rivals = BTreeSet::new();
        for input in self.inputs(id) {
            for spender in self.spenders.get(input).into_iter().flatten() {
                if spender != id {
                    rivals.insert(*spender);
                }
                if rivals.len() > RIVALS_MAX {
                    return None;
                }
            }
        }
        Some(rivals.into_iter().collect())
    }

    /// The events whose transactions wait, by id.
    pub fn events(&self) -> impl Iterator<Item = &Digest> {
        self.payloads.keys()
    }

    /// Whether nothing waits to be ordered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.payloads.is_empty()
    }
}

fn inputs(transaction: &Checked) -> &[Outpoint] {
    transaction
        .transaction()
        .map_or(&[], |transaction| &transaction.body.inputs)
}
