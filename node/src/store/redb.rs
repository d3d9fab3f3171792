//! The light store: redb, one file, one table per [`Table`].
//!
//! A batch is a commit without fdatasync; [`Redb::sync`] is an empty commit with it, which makes
//! every commit before it durable.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use primitives::store::{Batch, Row, Store, StoreError, Table};
use redb::{Database, Durability, ReadOnlyTable, ReadableDatabase, TableDefinition};

use super::{Backend, failure};

/// Pages kept in memory, in bytes.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

type Bytes = &'static [u8];
type Tables = Vec<ReadOnlyTable<Bytes, Bytes>>;

/// An open redb file.
#[derive(Debug)]
pub struct Redb {
    database: Database,
    /// The tables as of the last batch, opened once: opening them for each read would cost more
    /// than the read.
    tables: Mutex<Option<Arc<Reader>>>,
}

struct Reader {
    tables: Tables,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} tables", self.tables.len())
    }
}

impl Redb {
    /// Opens or makes the file at `path`.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails or the file is damaged.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(path)
            .map_err(failure)?;
        let transaction = database.begin_write().map_err(failure)?;
        for table in Table::ALL {
            transaction.open_table(definition(table)).map_err(failure)?;
        }
        transaction.commit().map_err(failure)?;
        Ok(Self {
            database,
            tables: Mutex::new(None),
        })
    }

    fn reader(&self) -> Result<Arc<Reader>, StoreError> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = tables.as_ref() {
            return Ok(Arc::clone(reader));
        }
        let transaction = self.database.begin_read().map_err(failure)?;
        let opened: Result<Tables, _> = Table::ALL
            .into_iter()
            .map(|table| transaction.open_table(definition(table)).map_err(failure))
            .collect();
        let reader = Arc::new(Reader { tables: opened? });
        *tables = Some(Arc::clone(&reader));
        Ok(reader)
    }

    fn forget_reader(&self) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        *tables = None;
    }
}

impl Reader {
    fn table(&self, table: Table) -> Result<&ReadOnlyTable<Bytes, Bytes>, StoreError> {
        Table::ALL
            .iter()
            .position(|other| *other == table)
            .and_then(|position| self.tables.get(position))
            .ok_or_else(|| failure(format!("no table {}", table.name())))
    }
}

impl Store for Redb {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let reader = self.reader()?;
        let found = reader.table(table)?.get(key).map_err(failure)?;
        Ok(found.map(|value| value.value().to_vec()))
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
        let reader = self.reader()?;
        let rows = reader
            .table(table)?
            .range::<&[u8]>(from..to)
            .map_err(failure)?;
        rows.take(limit)
            .map(|row| {
                let (key, value) = row.map_err(failure)?;
                Ok((key.value().to_vec(), value.value().to_vec()))
            })
            .collect()
    }
}

impl Backend for Redb {
    fn apply(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut transaction = self.database.begin_write().map_err(failure)?;
        transaction
            .set_durability(Durability::None)
            .map_err(failure)?;
        // Writes come ordered by table, so that each table is opened once.
        let mut writes = batch.writes().peekable();
        while let Some((table, _, _)) = writes.peek().copied() {
            let mut opened = transaction.open_table(definition(table)).map_err(failure)?;
            while let Some((_, key, value)) = writes.next_if(|(next, _, _)| *next == table) {
                match value {
                    Some(value) => opened.insert(key, value.as_ref()).map(drop),
                    None => opened.remove(key).map(drop),
                }
                .map_err(failure)?;
            }
        }
        transaction.commit().map_err(failure)?;
        self.forget_reader();
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        let mut transaction = self.database.begin_write().map_err(failure)?;
        transaction
            .set_durability(Durability::Immediate)
            .map_err(failure)?;
        transaction.commit().map_err(failure)
    }
}

const fn definition(table: Table) -> TableDefinition<'static, Bytes, Bytes> {
    TableDefinition::new(table.name())
}
