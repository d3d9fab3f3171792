//! Rebuilds the trees from the rows of the store and compares them with the last header.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use merkle::Map;
use merkle::hash::TreeHasher;
use merkle::leaf::output_leaf;
use merkle::workers::Sequential;
use primitives::Digest;
use primitives::codec::{self, Canonical};
use primitives::keys::PublicKey;
use primitives::store::{Store, Table};
use primitives::units::{Amount, Height, Stake};

use super::{Ledger, first_seed};
use crate::error::Error;
use crate::rows::{
    BlockRow, HeadRow, OutputRow, RecordRow, demand, head_key, height_key, map_table, read,
};

/// Rows read at once.
const ROWS: usize = 4_096;

pub(super) fn restore<S: Store>(mut ledger: Ledger, store: &S) -> Result<Option<Ledger>, Error> {
    let head: Option<HeadRow> = read(store, Table::Meta, &head_key())?;
    let Some(head) = head else {
        return Ok(None);
    };
    let first: BlockRow = demand(store, Table::Block, &height_key(Height::ZERO))?;
    let wanted = first_seed(&ledger.chain);
    if first.header.seed != wanted {
        return Err(Error::OtherChain {
            found: first.header.seed,
            wanted,
        });
    }
    ledger.restore_outputs(head.height, store)?;
    let keys = ledger.records(Map::Key, store)?;
    ledger.key_map.update(&keys, head.height, &Sequential)?;
    let names = ledger.records(Map::Name, store)?;
    ledger.name_map.update(&names, head.height, &Sequential)?;
    ledger.restore_blocks(store)?;
    ledger.restore_committee(store)?;
    if ledger.root != head.root {
        return Err(Error::Head {
            found: ledger.root,
            wanted: head.root,
        });
    }
    Ok(Some(ledger))
}

impl Ledger {
    fn restore_outputs<S: Store>(&mut self, head: Height, store: &S) -> Result<(), Error> {
        let mut leaves = Vec::new();
        let mut unspent: u128 = 0;
        let mut stakes: BTreeMap<PublicKey, Stake> =
            self.stakes.keys().map(|key| (*key, Stake::ZERO)).collect();
        scan(store, Table::Output, |_, row: OutputRow| {
            let commitment = row.created.commitment(&self.chain)?;
            let leaf = output_leaf(&self.keys, &commitment, row.spent.as_ref());
            leaves.push(leaf);
            let output = row.created.output;
            if row.spent.is_some() {
                return Ok(());
            }
            // Fewer than 2^64 outputs of less than 2^64 each.
            unspent = unspent.saturating_add(u128::from(output.amount.get()));
            if let Some(stake) = output.host.and_then(|host| stakes.get_mut(&host)) {
                *stake = stake.plus(output.amount.into())?;
            }
            Ok(())
        })?;
        self.outputs.append(&leaves, head, &Sequential);
        self.stakes = stakes;
        check_supply(unspent, self.supply)
    }

    /// The hash of each record of a map, by position.
    fn records<S: Store>(&self, map: Map, store: &S) -> Result<Vec<(Digest, Digest)>, Error> {
        let (table, mut records) = (map_table(map), Vec::new());
        scan(store, table, |position, row: RecordRow| {
            let position = <[u8; 32]>::try_from(position);
            let position = position.map_err(|_| Error::MissingRow { table })?;
            records.push((Digest(position), row.record.hash(&self.keys, map)));
            Ok(())
        })?;
        Ok(records)
    }

    fn restore_blocks<S: Store>(&mut self, store: &S) -> Result<(), Error> {
        scan(store, Table::Block, |_, row: BlockRow| {
            // Before the newest header, so that it ends up as the state root has it.
            self.roots.block = self.blocks.sized_root()?;
            self.header = row.header;
            self.root = row.header.root()?;
            self.blocks.append(self.keys.block().leaf(&self.root.0));
            Ok(())
        })?;
        self.roots.key = self.key_map.sized_root();
        self.roots.name = self.name_map.sized_root();
        self.roots.outputs = self.outputs.sized_root()?;
        let (found, wanted) = (self.roots.state_root(&self.keys), self.header.state);
        if found != wanted {
            return Err(Error::StateRoot { found, wanted });
        }
        Ok(())
    }
}

fn check_supply(found: u128, supply: Amount) -> Result<(), Error> {
    let wanted = u128::from(supply.get());
    if found != wanted {
        return Err(Error::Supply { found, wanted });
    }
    Ok(())
}

/// Every row of a table in ascending order.
fn scan<S: Store, T: Canonical>(
    store: &S,
    table: Table,
    mut each: impl FnMut(&[u8], T) -> Result<(), Error>,
) -> Result<(), Error> {
    // Above every key of these tables, none of which is longer than 32 bytes.
    let end = [0xff; 33];
    let mut from = Vec::new();
    loop {
        let rows = store.range(table, &from, &end, ROWS)?;
        for (key, row) in &rows {
            each(key, codec::decode(row)?)?;
        }
        match rows.into_iter().next_back() {
            Some((key, _)) => from = [key.as_slice(), &[0]].concat(),
            None => return Ok(()),
        }
    }
}
