//! Transactions that wait for this peer's own next events.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use ledger::tx::{Checked, Payload};
use primitives::{Digest, limits};

/// A bounded queue without repetition, first come first served.
#[derive(Debug, Default)]
pub struct Pool {
    queue: VecDeque<Checked>,
    ids: BTreeSet<Digest>,
    bytes: usize,
}

/// Why the pool took or refused a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooled {
    /// It waits for the next own event.
    Taken,
    /// It waits already.
    Known,
    /// The pool is full; the wallet should try another peer.
    Full,
}

impl Pool {
    /// Appends a transaction.
    pub fn add(&mut self, transaction: Checked) -> Pooled {
        let bytes = self.bytes.saturating_add(transaction.bytes().len());
        if self.queue.len() >= limits::POOL_TRANSACTIONS_MAX || bytes > limits::POOL_BYTES_MAX {
            return Pooled::Full;
        }
        if !self.ids.insert(*transaction.id()) {
            return Pooled::Known;
        }
        self.bytes = bytes;
        self.queue.push_back(transaction);
        Pooled::Taken
    }

    /// Takes the oldest transactions that fit one payload together.
    pub fn take_payload(&mut self) -> Vec<Checked> {
        let mut taken = Vec::new();
        let mut bytes = Payload::BYTES_FIXED;
        while let Some(next) = self.queue.front() {
            let fixed = Payload::BYTES_PER_TRANSACTION;
            bytes = bytes.saturating_add(next.bytes().len().saturating_add(fixed));
            let full = bytes > limits::PAYLOAD_BYTES_MAX
                || taken.len() >= limits::PAYLOAD_TRANSACTIONS_MAX;
            if full {
                break;
            }
            let Some(next) = self.queue.pop_front() else {
                break;
            };
            self.ids.remove(next.id());
            self.bytes = self.bytes.saturating_sub(next.bytes().len());
            taken.push(next);
        }
        taken
    }

    /// How many transactions wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests;
