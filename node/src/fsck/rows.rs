//! Reading the rows of a store, and naming the first bad one.

use std::fmt;

use primitives::codec::{self, Canonical};
use primitives::digest::to_hex;
use primitives::store::{Store, Table};

use crate::error::Error;

/// Rows read at once.
const ROWS: usize = 4_096;

/// The row that is looked at.
pub(crate) struct At<'a>(pub(crate) Table, pub(crate) &'a [u8]);

impl At<'_> {
    pub(crate) fn bad(&self, reason: impl fmt::Display) -> Error {
        Error::BadRow {
            table: self.0.name(),
            key: to_hex(self.1),
            reason: reason.to_string(),
        }
    }
}

pub(crate) fn same(wrong: &At<'_>, what: &str, found: &[u8], wanted: &[u8]) -> Result<(), Error> {
    if found == wanted {
        return Ok(());
    }
    let (found, wanted) = (to_hex(found), to_hex(wanted));
    Err(wrong.bad(format!("{what} {found} where {wanted} was due")))
}

pub(crate) fn demand(
    store: &impl Store,
    table: Table,
    key: &[u8],
    wrong: &At<'_>,
) -> Result<(), Error> {
    if store.get(table, key)?.is_some() {
        return Ok(());
    }
    let (table, key) = (table.name(), to_hex(key));
    Err(wrong.bad(format!("names {table} {key}, which is missing")))
}

pub(crate) fn read<T: Canonical>(store: &impl Store, table: Table, key: &[u8]) -> Result<T, Error> {
    let bytes = store.get(table, key)?;
    let bytes = bytes.ok_or_else(|| At(table, key).bad("missing"))?;
    codec::decode(&bytes).map_err(|error| At(table, key).bad(error))
}

pub(crate) fn rows<T: Canonical>(
    store: &impl Store,
    table: Table,
    mut each: impl FnMut(&[u8], T) -> Result<(), Error>,
) -> Result<(), Error> {
    raw_rows(store, table, |key, row| {
        each(
            key,
            codec::decode(row).map_err(|error| At(table, key).bad(error))?,
        )
    })
}

/// Every row of a table in ascending order.
pub(crate) fn raw_rows(
    store: &impl Store,
    table: Table,
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    // Above every key there is.
    let end = [0xff; 64];
    let mut from = Vec::new();
    loop {
        let rows = store.range(table, &from, &end, ROWS)?;
        rows.iter().try_for_each(|(key, row)| each(key, row))?;
        match rows.into_iter().next_back() {
            Some((key, _)) => from = [key.as_slice(), &[0]].concat(),
            None => return Ok(()),
        }
    }
}

/// Checks how many rows a table has from `first` on, and returns how many it has before.
pub(crate) fn count_from(
    store: &impl Store,
    table: Table,
    first: &[u8],
    wanted: u64,
) -> Result<u64, Error> {
    let (mut before, mut found): (u64, u64) = (0, 0);
    raw_rows(store, table, |key, _| {
        let counter = if key < first { &mut before } else { &mut found };
        *counter += 1;
        Ok(())
    })?;
    if found != wanted {
        return Err(At(table, &[]).bad(format!("{found} rows where {wanted} were due")));
    }
    Ok(before)
}

/// Checks how many rows a table has.
pub(crate) fn count(store: &impl Store, table: Table, wanted: u64) -> Result<(), Error> {
    count_from(store, table, &[], wanted).map(drop)
}
