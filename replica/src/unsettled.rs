//! The transactions of events that no block has ordered yet: who carries what, and what conflicts.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::ops::Bound;

use consensus::finality::Carried;
use ledger::tx::{Checked, Taken, Transaction};
use primitives::Digest;

/// Rivals of one transaction that are weighed against it; with more it is reported when final.
const RIVALS_MAX: usize = 64;

/// Payloads by event, the events by transaction, and the transactions by what they take.
#[derive(Debug, Default)]
pub struct Unsettled {
    payloads: BTreeMap<Digest, Vec<Checked>>,
    carriers: BTreeMap<Digest, Vec<Digest>>,
    takers: BTreeMap<Taken, BTreeSet<Digest>>,
    /// What more than one takes.
    contested: BTreeSet<Taken>,
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
            for taken in takes(transaction) {
                let takers = self.takers.entry(taken).or_default();
                takers.insert(*transaction.id());
                if takers.len() > 1 {
                    self.contested.insert(taken);
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
            for taken in takes(transaction) {
                if let Some(takers) = self.takers.get_mut(&taken) {
                    takers.remove(transaction.id());
                    if takers.len() <= 1 {
                        self.contested.remove(&taken);
                    }
                    if takers.is_empty() {
                        self.takers.remove(&taken);
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

    /// What more than one takes, ascending, from behind `taken` on.
    pub fn contested_after(&self, taken: Option<Taken>) -> impl Iterator<Item = Taken> {
        let from = taken.map_or(Bound::Unbounded, Bound::Excluded);
        let contested = self.contested.range((from, Bound::Unbounded));
        contested.copied()
    }

    /// The transactions that take this, by id.
    pub fn takers(&self, taken: &Taken) -> impl Iterator<Item = &Digest> {
        self.takers.get(taken).into_iter().flatten()
    }

    /// What a transaction takes that some event carries.
    pub fn takes(&self, id: &Digest) -> impl Iterator<Item = Taken> {
        let carrier = self
            .carriers(id)
            .first()
            .and_then(|event| self.payloads.get(event));
        let transaction = carrier
            .and_then(|transactions| transactions.iter().find(|candidate| candidate.id() == id));
        transaction.into_iter().flat_map(takes)
    }

    /// The transactions that take what `id` takes, by id; none if they are too many to weigh.
    #[must_use]
    pub fn rivals(&self, id: &Digest) -> Option<Vec<Digest>> {
        let mut rivals = BTreeSet::new();
        for taken in self.takes(id) {
            for taker in self.takers(&taken) {
                if taker != id {
                    rivals.insert(*taker);
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

fn takes(transaction: &Checked) -> impl Iterator<Item = Taken> {
    let transaction = transaction.transaction();
    transaction.into_iter().flat_map(Transaction::takes)
}

#[cfg(test)]
mod tests;
