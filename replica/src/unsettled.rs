//! The transactions of events that no block has ordered yet: who carries what, and what conflicts.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use ledger::tx::{Checked, Outpoint};
use primitives::Digest;

/// Payloads by event, and the events by transaction and by spent outpoint.
#[derive(Debug, Default)]
pub struct Unsettled {
    payloads: BTreeMap<Digest, Vec<Checked>>,
    carriers: BTreeMap<Digest, Vec<Digest>>,
    spenders: BTreeMap<Outpoint, Vec<Digest>>,
}

impl Unsettled {
    /// Adds an event's transactions.
    pub fn add(&mut self, event: Digest, transactions: Vec<Checked>) {
        if transactions.is_empty() {
            return;
        }
        for transaction in &transactions {
            self.carriers
                .entry(*transaction.id())
                .or_default()
                .push(event);
            for input in inputs(transaction) {
                let spenders = self.spenders.entry(*input).or_default();
                if !spenders.contains(transaction.id()) {
                    spenders.push(*transaction.id());
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
                    spenders.retain(|spender| spender != transaction.id());
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

    /// The transactions that spend an input of `id` too.
    #[must_use]
    pub fn rivals(&self, id: &Digest) -> Vec<Digest> {
        let carrier = self
            .carriers(id)
            .first()
            .and_then(|event| self.payloads.get(event));
        let transaction = carrier
            .and_then(|transactions| transactions.iter().find(|candidate| candidate.id() == id));
        let mut rivals: Vec<Digest> = transaction
            .into_iter()
            .flat_map(inputs)
            .filter_map(|input| self.spenders.get(input))
            .flatten()
            .filter(|spender| *spender != id)
            .copied()
            .collect();
        rivals.sort();
        rivals.dedup();
        rivals
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
