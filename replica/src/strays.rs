//! Transactions that somebody else ought to bring in again: of stale or void events of others, or
//! passed on to a member. Whoever holds them waits a while, then takes care of them itself (C30).

use alloc::collections::{BTreeMap, VecDeque};

use ledger::tx::Checked;
use primitives::{Digest, limits};

/// How many rounds settle before a stray is due.
const ROUNDS: u64 = limits::STALE_ROUNDS;
/// The same in milliseconds, for a network that stands still because nothing waits in it.
const WAIT_MS: u64 = 10_000;

/// A bounded queue without repetition; what is too much for it is forgotten.
#[derive(Debug, Default)]
pub struct Strays {
    transactions: BTreeMap<Digest, Checked>,
    queue: VecDeque<Due>,
    bytes: usize,
    /// Rounds that have settled so far.
    rounds: u64,
}

/// When a stray is due: as soon as either is reached.
#[derive(Debug)]
struct Due {
    id: Digest,
    rounds: u64,
    at_ms: u64,
}

impl Strays {
    /// Keeps a transaction. False if there is no room for it.
    pub fn add(&mut self, transaction: Checked, now_ms: u64) -> bool {
        let bytes = self.bytes.saturating_add(transaction.bytes().len());
        if self.queue.len() >= limits::POOL_TRANSACTIONS_MAX || bytes > limits::POOL_BYTES_MAX {
            return false;
        }
        let id = *transaction.id();
        if self.transactions.contains_key(&id) {
            return true;
        }
        self.bytes = bytes;
        self.transactions.insert(id, transaction);
        self.queue.push_back(Due {
            id,
            rounds: self.rounds.saturating_add(ROUNDS),
            at_ms: now_ms.saturating_add(WAIT_MS),
        });
        true
    }

    /// Forgets a transaction that somebody has brought in again.
    pub fn remove(&mut self, id: &Digest) {
        if let Some(transaction) = self.transactions.remove(id) {
            self.bytes = self.bytes.saturating_sub(transaction.bytes().len());
        }
    }

    /// Notes that `rounds` more rounds have settled.
    pub const fn pass(&mut self, rounds: u64) {
        self.rounds = self.rounds.saturating_add(rounds);
    }

    /// Takes the next one that is due. `turn` holders who wait each a little longer than the one
    /// before do not all bring it in at once.
    pub fn next_due(&mut self, turn: u64, now_ms: u64) -> Option<Checked> {
        let (rounds, ms) = (turn.saturating_mul(4), turn.saturating_mul(500));
        loop {
            let due = self.queue.front()?;
            let is_due = self.rounds >= due.rounds.saturating_add(rounds)
                || now_ms >= due.at_ms.saturating_add(ms);
            let gone = !self.transactions.contains_key(&due.id);
            if !is_due && !gone {
                return None;
            }
            let id = due.id;
            self.queue.pop_front();
            if let Some(transaction) = self.transactions.remove(&id) {
                self.bytes = self.bytes.saturating_sub(transaction.bytes().len());
                return Some(transaction);
            }
        }
    }

    /// How many transactions are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }
}

#[cfg(test)]
mod tests;
