//! Letting go of the transactions of old blocks. What is left still gives every root, proves every
//! output, key and header, and refuses every copy of an applied transaction.
//!
//! ```text
//!   goes   transactions, leaves of their trees, rejections        of blocks below the mark
//!   stays  headers, outputs, keys and their logs, ids of applied transactions, committees, stakes
//! ```

use primitives::codec::{self, Canonical, Decode, Encode};
use primitives::store::{Batch, Store, Table};
use primitives::units::{Epoch, Height};

use crate::error::Error;
use crate::rows::{Place, TransactionRow, leaves_key, place_key, read, rejected_key};

/// Table `Meta`: from where on a store keeps everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct KeptFrom {
    /// The first epoch whose events are kept.
    pub epoch: Epoch,
    /// The first height whose transactions and order are kept: the epoch's first.
    pub height: Height,
}

impl Canonical for KeptFrom {
    const BYTES_MAX: usize = 16;
}

impl KeptFrom {
    /// Key of [`Table::Meta`].
    pub const KEY: &'static [u8] = b"kept from";

    /// From where on `store` keeps everything: the beginning, unless it was pruned.
    ///
    /// # Errors
    /// A failing disk, or a row that does not decode.
    pub fn read<S: Store>(store: &S) -> Result<Self, Error> {
        Ok(read(store, Table::Meta, Self::KEY)?.unwrap_or_default())
    }

    /// Writes the mark. It must be durable before anything below it goes, so that nobody takes what
    /// is missing for damage.
    ///
    /// # Errors
    /// Never: the encoding is bounded.
    pub fn write(&self, batch: &mut Batch) -> Result<(), Error> {
        batch.put(Table::Meta, Self::KEY.to_vec(), codec::encode(self)?);
        Ok(())
    }

    /// Refuses a block below the mark.
    ///
    /// # Errors
    /// [`Error::Pruned`].
    pub(crate) fn demand(&self, height: Height) -> Result<(), Error> {
        if height < self.height {
            return Err(Error::Pruned {
                found: height,
                first: self.height,
            });
        }
        Ok(())
    }
}

/// Removes up to `limit` transactions of blocks below `first`, with what was kept for them alone;
/// nothing once there are none. Cost: a read of each.
///
/// # Errors
/// A failing disk, or a row that does not decode.
pub fn prune<S: Store>(store: &S, first: Height, limit: usize) -> Result<Batch, Error> {
    let end = place_key(Place {
        height: first,
        index: 0,
    });
    let mut batch = Batch::new();
    for (key, row) in store.range(Table::Transaction, &[], &end, limit)? {
        let row: TransactionRow = codec::decode(&row)?;
        let rejected = rejected_key(&row.id);
        let newest: Option<Place> = read(store, Table::Meta, &rejected)?;
        // A later rejection of the same transaction stands in a block that may be kept.
        if newest.is_some_and(|newest| place_key(newest) == key) {
            batch.delete(Table::Meta, rejected);
        }
        batch.delete(Table::Transaction, key);
    }
    if batch.is_empty() {
        let (from, to) = (leaves_key(Height::ZERO), leaves_key(first));
        for (key, _) in store.range(Table::Meta, &from, &to, limit)? {
            batch.delete(Table::Meta, key);
        }
    }
    Ok(batch)
}

#[cfg(test)]
pub(crate) mod tests;
