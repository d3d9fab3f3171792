//! The seam to the disk: reads by a trait, writes by one atomic batch.
//!
//! Keys are big-endian where their order matters, so that order in the store is order in the tree.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The tables of a peer's store (docs/spec/state.md section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Event id -> signed event without payload.
    Event,
    /// Event id -> payload bytes.
    Payload,
    /// epoch u64 + creator u16 + seq u64 + id -> nothing: what is held, by self-chain.
    Chain,
    /// Height u64 -> header.
    Block,
    /// Height u64 -> ids of the events it orders.
    Order,
    /// Height u64 + index u32 -> transaction and outcome.
    Transaction,
    /// Transaction id -> height u64 + index u32 of its applied copy.
    TransactionIndex,
    /// Position u64 -> output and its spent status.
    Output,
    /// Transaction id + index u32 -> position u64.
    Outpoint,
    /// Key position -> log root, count, last block, frontier.
    Key,
    /// Key position + index u64 -> log entry.
    KeyLog,
    /// Name position -> log root, count, last block, frontier.
    Name,
    /// Name position + index u64 -> log entry.
    NameLog,
    /// Height u64 + creator u16 -> attestation.
    Attestation,
    /// Accusation id -> evidence.
    Evidence,
    /// Single values by name.
    Meta,
}

impl Table {
    /// Every table, in declaration order.
    pub const ALL: [Self; 16] = [
        Self::Event,
        Self::Payload,
        Self::Chain,
        Self::Block,
        Self::Order,
        Self::Transaction,
        Self::TransactionIndex,
        Self::Output,
        Self::Outpoint,
        Self::Key,
        Self::KeyLog,
        Self::Name,
        Self::NameLog,
        Self::Attestation,
        Self::Evidence,
        Self::Meta,
    ];

    /// The table's name on disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Payload => "payload",
            Self::Chain => "chain",
            Self::Block => "block",
            Self::Order => "order",
            Self::Transaction => "transaction",
            Self::TransactionIndex => "transaction_index",
            Self::Output => "output",
            Self::Outpoint => "outpoint",
            Self::Key => "key",
            Self::KeyLog => "key_log",
            Self::Name => "name",
            Self::NameLog => "name_log",
            Self::Attestation => "attestation",
            Self::Evidence => "evidence",
            Self::Meta => "meta",
        }
    }
}

/// A read that failed. The peer stops: nobody reads on after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("storage failed: {reason}")]
pub struct StoreError {
    /// The backend's own words.
    pub reason: String,
}

/// One row: key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// A value to be written, shared with whoever holds it already.
pub type Value = Arc<[u8]>;

/// Synchronous reads of one consistent state.
pub trait Store {
    /// The value of `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The rows with `from <= key < to` in ascending order, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;
}

/// Writes that take effect together or not at all; a later write of a key replaces an earlier one.
/// Values are shared, so that what many stores keep in one process need not be copied for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    writes: BTreeMap<(Table, Vec<u8>), Option<Value>>,
}

impl Batch {
    /// No writes yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            writes: BTreeMap::new(),
        }
    }

    /// Sets `key` to `value`.
    pub fn put(&mut self, table: Table, key: Vec<u8>, value: impl Into<Value>) {
        self.writes.insert((table, key), Some(value.into()));
    }

    /// Removes `key`.
    pub fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.writes.insert((table, key), None);
    }

    /// Whether nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Adds `later` writes after these. Cost: that of the smaller of the two.
    pub fn append(&mut self, later: Self) {
        let mut later = later.writes;
        if later.len() > self.writes.len() {
            core::mem::swap(&mut later, &mut self.writes);
            for (key, value) in later {
                self.writes.entry(key).or_insert(value);
            }
        } else {
            self.writes.extend(later);
        }
    }

    /// The writes in order of table and key; `None` removes.
    pub fn writes(&self) -> impl Iterator<Item = (Table, &[u8], Option<&Value>)> {
        self.writes
            .iter()
            .map(|((table, key), value)| (*table, key.as_slice(), value.as_ref()))
    }
}

/// A store as it will be once `batch` is applied.
#[derive(Debug)]
pub struct Overlay<'a, S> {
    /// What is there already.
    pub base: &'a S,
    /// What comes on top.
    pub batch: Batch,
}

impl<'a, S: Store> Overlay<'a, S> {
    /// Nothing on top of `base` yet.
    pub const fn new(base: &'a S) -> Self {
        Self {
            base,
            batch: Batch::new(),
        }
    }
}

impl<S: Store> Store for Overlay<'_, S> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.batch.writes.get(&(table, key.to_vec())) {
            Some(value) => Ok(value.as_ref().map(|value| value.to_vec())),
            None => self.base.get(table, key),
        }
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let on_top = || {
            self.batch
                .writes
                .range((table, from.to_vec())..(table, to.to_vec()))
        };
        // Each removal on top may hide one row of the base.
        let wanted = limit.saturating_add(on_top().filter(|(_, value)| value.is_none()).count());
        let mut rows: BTreeMap<_, _> = self
            .base
            .range(table, from, to, wanted)?
            .into_iter()
            .collect();
        for ((_, key), value) in on_top() {
            match value {
                Some(value) => rows.insert(key.clone(), value.to_vec()),
                None => rows.remove(key),
            };
        }
        Ok(rows.into_iter().take(limit).collect())
    }
}

#[cfg(test)]
mod tests;
