//! The node's own store: RocksDB, one column family per [`Table`], one write batch per [`Batch`].
//!
//! Writes go to the log without fdatasync; [`Rocks::sync`] is one fdatasync of the log.

use std::path::Path;

use primitives::store::{Batch, Row, Store, StoreError, Table};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType,
    DBRecoveryMode, Direction, IteratorMode, Options, ReadOptions, WriteBatch,
};

use super::{Backend, failure};

/// Uncompressed blocks kept in memory over all tables, in bytes.
const BLOCK_CACHE_BYTES: usize = 64 * 1024 * 1024;
/// Unflushed writes kept in memory over all tables, in bytes.
const WRITE_BUFFERS_BYTES: usize = 128 * 1024 * 1024;
/// Unflushed writes of one table, in bytes.
const WRITE_BUFFER_BYTES: usize = 16 * 1024 * 1024;
/// Log files beyond this are freed by flushing, in bytes; it bounds the time a restart takes.
const LOG_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Open table files; well below the usual limit of 1,024 descriptors.
const OPEN_FILES_MAX: i32 = 512;
/// Bloom filter bits per key: about one false positive in a hundred.
const BLOOM_BITS: f64 = 10.0;

/// An open RocksDB folder.
pub struct Rocks {
    database: DB,
}

impl std::fmt::Debug for Rocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rocks({})", self.database.path().display())
    }
}

impl Rocks {
    /// Opens or makes the folder at `path`.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails or the folder is damaged.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let cache = Cache::new_lru_cache(BLOCK_CACHE_BYTES);
        let families = Table::ALL
            .map(|table| ColumnFamilyDescriptor::new(table.name(), family_options(table, &cache)));
        let database =
            DB::open_cf_descriptors(&database_options(), path, families).map_err(failure)?;
        Ok(Self { database })
    }

    fn family(&self, table: Table) -> Result<&ColumnFamily, StoreError> {
        self.database
            .cf_handle(table.name())
            .ok_or_else(|| failure(format!("no column family {}", table.name())))
    }
}

impl Store for Rocks {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.database
            .get_cf(self.family(table)?, key)
            .map_err(failure)
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
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(to);
        let mode = IteratorMode::From(from, Direction::Forward);
        self.database
            .iterator_cf_opt(self.family(table)?, options, mode)
            .take(limit)
            .map(|row| {
                row.map(|(key, value)| (key.into_vec(), value.into_vec()))
                    .map_err(failure)
            })
            .collect()
    }
}

impl Backend for Rocks {
    fn apply(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut writes = WriteBatch::default();
        for (table, key, value) in batch.writes() {
            let family = self.family(table)?;
            match value {
                Some(value) => writes.put_cf(family, key, value),
                None => writes.delete_cf(family, key),
            }
        }
        self.database.write(writes).map_err(failure)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.database.flush_wal(true).map_err(failure)
    }

    fn compact(&self) -> Result<(), StoreError> {
        for table in Table::ALL {
            let family = self.family(table)?;
            self.database
                .compact_range_cf(family, None::<&[u8]>, None::<&[u8]>);
        }
        Ok(())
    }
}

fn database_options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_paranoid_checks(true);
    // A torn tail is cut off; a flipped bit before it stops the replay there, which the sign guard
    // outside the store detects (reliability: a store behind its guard does not sign).
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_max_total_wal_size(LOG_BYTES_MAX);
    options.set_db_write_buffer_size(WRITE_BUFFERS_BYTES);
    options.set_max_open_files(OPEN_FILES_MAX);
    options.set_max_background_jobs(2);
    options.set_keep_log_file_num(4);
    options
}

fn family_options(table: Table, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    if is_read_by_exact_key(table) {
        blocks.set_bloom_filter(BLOOM_BITS, false);
    }
    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_compression_type(compression(table));
    options
}

const fn is_read_by_exact_key(table: Table) -> bool {
    match table {
        Table::Event
        | Table::Payload
        | Table::TransactionIndex
        | Table::Outpoint
        | Table::Key
        | Table::Name
        | Table::Evidence
        | Table::Meta => true,
        Table::Chain
        | Table::Block
        | Table::Order
        | Table::Transaction
        | Table::Output
        | Table::KeyLog
        | Table::NameLog
        | Table::Attestation => false,
    }
}

/// Hashes do not compress; everything else does, a little.
const fn compression(table: Table) -> DBCompressionType {
    match table {
        Table::Order | Table::TransactionIndex | Table::Outpoint => DBCompressionType::None,
        Table::Event
        | Table::Payload
        | Table::Chain
        | Table::Block
        | Table::Transaction
        | Table::Output
        | Table::Key
        | Table::KeyLog
        | Table::Name
        | Table::NameLog
        | Table::Attestation
        | Table::Evidence
        | Table::Meta => DBCompressionType::Lz4,
    }
}
