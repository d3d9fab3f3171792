//! A store that keeps nothing: for tests and experiments.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use primitives::store::{Batch, Row, Store, StoreError, Table};

use super::Backend;

/// Every row in one map.
#[derive(Debug, Default)]
pub struct Memory {
    rows: RwLock<Rows>,
}

type Rows = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

impl Store for Memory {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        Ok(rows.get(&(table, key.to_vec())).cloned())
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
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let found = rows
            .range((table, from.to_vec())..(table, to.to_vec()))
            .take(limit)
            .map(|((_, key), value)| (key.clone(), value.clone()));
        Ok(found.collect())
    }
}

impl Backend for Memory {
    fn apply(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for (table, key, value) in batch.writes() {
            match value {
                Some(value) => rows.insert((table, key.to_vec()), value.to_vec()),
                None => rows.remove(&(table, key.to_vec())),
            };
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
