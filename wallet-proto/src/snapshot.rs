//! The state after a sealing block, in chunks for whoever wants to begin there
//! (docs/spec/snapshots.md).
//!
//! ```text
//!   Manifest --names by digest--> chunk 0, chunk 1, ..      each a list of rows of the store
//!      `--names--> sealing block --certified by--> the committee of its epoch
//! ```
//!
//! Whoever holds the same state cuts it into the same chunks. A chunk is believed because the
//! manifest names it; all of them together because they have the state root of the sealing block.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::{self, Bytes, Canonical, Decode, Encode, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::store::Table;
use primitives::units::Height;

use crate::error::Error;

/// Bytes of one chunk.
pub const CHUNK_BYTES_MAX: usize = 512 * 1024;
/// Chunks of one snapshot, so that a manifest fits into a reply.
pub const CHUNKS_MAX: usize = 30_000;
/// Rows of one chunk.
const ROWS_MAX: usize = 65_536;
/// Bytes of a row's key and of its value.
const KEY_BYTES_MAX: usize = 96;
/// See [`KEY_BYTES_MAX`].
const VALUE_BYTES_MAX: usize = 256 * 1024;

/// The tables that a snapshot has rows of. What it has no rows of is kept for the past, or by each
/// peer for itself.
pub const TABLES: [Table; 9] = [
    Table::Block,
    Table::Output,
    Table::Outpoint,
    Table::Key,
    Table::KeyLog,
    Table::Name,
    Table::NameLog,
    Table::TransactionIndex,
    Table::Meta,
];

/// What a snapshot is of, and its chunks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Manifest {
    /// The version of this encoding, 1.
    pub version: u8,
    /// The chain.
    pub chain: Digest,
    /// The sealing block after which the state was so.
    pub height: Height,
    /// Its consensus root.
    pub root: Digest,
    /// Rows of all chunks.
    pub rows: u64,
    /// Bytes of all chunks.
    pub bytes: u64,
    /// The digest of each chunk, in order.
    pub chunks: List<Digest, CHUNKS_MAX>,
}

impl Canonical for Manifest {
    const BYTES_MAX: usize = 97 + 4 + 32 * CHUNKS_MAX;
}

/// A row of the store.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Row {
    /// Its table's place in [`TABLES`].
    table: u8,
    /// Its key.
    key: Bytes<KEY_BYTES_MAX>,
    /// Its value.
    value: Bytes<VALUE_BYTES_MAX>,
}

impl Row {
    /// A row of `table`.
    ///
    /// # Errors
    /// [`Error::OtherKind`] for a table that snapshots have no rows of; [`Error::Encoding`] for one
    /// that is too long.
    pub fn new(table: Table, key: Vec<u8>, value: Vec<u8>) -> Result<Self, Error> {
        let place = TABLES.iter().position(|known| *known == table);
        let place = place.and_then(|place| u8::try_from(place).ok());
        Ok(Self {
            table: place.ok_or(Error::OtherKind)?,
            key: Bytes::new(key)?,
            value: Bytes::new(value)?,
        })
    }

    /// Its table, key and value.
    ///
    /// # Errors
    /// [`Error::OtherKind`] for a table that snapshots have no rows of.
    pub fn into_parts(self) -> Result<(Table, Vec<u8>, Vec<u8>), Error> {
        let table = TABLES
            .get(usize::from(self.table))
            .ok_or(Error::OtherKind)?;
        Ok((*table, self.key.into_vec(), self.value.into_vec()))
    }

    /// Bytes of its encoding.
    fn size(&self) -> usize {
        9_usize
            .saturating_add(self.key.len())
            .saturating_add(self.value.len())
    }
}

/// Rows that travel together.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
struct Chunk(List<Row, ROWS_MAX>);

impl Canonical for Chunk {
    const BYTES_MAX: usize = CHUNK_BYTES_MAX;
}

/// Cuts rows into chunks: each is as long as it can be.
#[derive(Debug, Default)]
pub struct Cutter {
    rows: Vec<Row>,
    bytes: usize,
}

impl Cutter {
    /// Appends a row. Returns the chunk that had no room for it.
    ///
    /// # Errors
    /// Never: a row is shorter than a chunk.
    pub fn push(&mut self, row: Row) -> Result<Option<Vec<u8>>, Error> {
        let bytes = self.bytes.saturating_add(row.size());
        let is_full = bytes.saturating_add(4) > CHUNK_BYTES_MAX || self.rows.len() == ROWS_MAX;
        let full = if is_full { self.cut()? } else { None };
        self.bytes = self.bytes.saturating_add(row.size());
        self.rows.push(row);
        Ok(full)
    }

    /// The last chunk; none without rows.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn cut(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let rows = core::mem::take(&mut self.rows);
        self.bytes = 0;
        if rows.is_empty() {
            return Ok(None);
        }
        Ok(Some(codec::encode(&Chunk(List::new(rows)?))?))
    }
}

/// What a manifest names a chunk by.
#[must_use]
pub fn chunk_digest(chunk: &[u8]) -> Digest {
    derive(Domain::SnapshotChunk, &[chunk])
}

/// The rows of a chunk.
///
/// # Errors
/// [`Error::Encoding`] for bytes that are none.
pub fn rows(chunk: &[u8]) -> Result<Vec<Row>, Error> {
    let Chunk(rows) = codec::decode(chunk)?;
    Ok(rows.into_vec())
}

#[cfg(test)]
mod tests;
