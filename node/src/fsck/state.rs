//! The state: outputs, and the logs of keys and names, against the roots of the newest block.

use ledger::rows::{
    BlockRow, EntryRow, OutputRow, Place, PositionRow, RecordRow, TreeRow, key_position,
};
use merkle::Map;
use merkle::dense::DenseTree;
use merkle::hash::TreeHasher;
use merkle::leaf::output_leaf;
use merkle::log::Frontier;
use merkle::map::MapTree;
use merkle::workers::Sequential;
use primitives::Digest;
use primitives::store::{Store, Table};
use primitives::units::Height;

use super::Fsck;
use super::rows::{At, count, demand, read, rows, same};
use crate::error::Error;

impl<S: Store> Fsck<'_, S> {
    pub(super) fn outputs(&mut self, newest: &BlockRow) -> Result<(), Error> {
        let store = self.store;
        let mut tree = DenseTree::new(*self.keys.outputs());
        let (head, mut leaves) = (newest.header.height, Vec::new());
        let mut due: u64 = 0;
        rows(store, Table::Output, |key, row: OutputRow| {
            let wrong = At(Table::Output, key);
            same(&wrong, "position", key, &due.to_be_bytes())?;
            due += 1;
            let outpoint = row.created.outpoint;
            let name = [&outpoint.transaction.0[..], &outpoint.index.to_be_bytes()].concat();
            let at: PositionRow = read(store, Table::Outpoint, &name)?;
            let (found, wanted) = (at.position.to_be_bytes(), key);
            same(&At(Table::Outpoint, &name), "position", &found, wanted)?;
            if let Some(spent) = row.spent {
                let place: Place = read(store, Table::TransactionIndex, &spent.txid.0)?;
                let (found, wanted) = (spent.block.get(), place.height.get());
                same(
                    &wrong,
                    "spending block",
                    &found.to_be_bytes(),
                    &wanted.to_be_bytes(),
                )?;
            }
            self.told.output(&row);
            let commitment = row
                .created
                .commitment(&self.chain)
                .map_err(|error| wrong.bad(error))?;
            leaves.push(output_leaf(&self.keys, &commitment, row.spent.as_ref()));
            Ok(())
        })?;
        tree.append(&leaves, head, &Sequential);
        self.checked.outputs = tree.size();
        count(store, Table::Outpoint, tree.size())?;
        let height = newest.header.height.get().to_be_bytes();
        let wrong = At(Table::Block, &height);
        let root = tree.sized_root().map_err(|error| wrong.bad(error))?.root;
        same(
            &wrong,
            "root of the output rows",
            &root.0,
            &newest.outputs.root.0,
        )
    }

    /// The map of keys or of names, and every entry of their logs.
    pub(super) fn logs(
        &mut self,
        map: Map,
        records: Table,
        log: Table,
        newest: (&TreeRow, Height),
    ) -> Result<(), Error> {
        let store = self.store;
        let (mut leaves, mut entries) = (Vec::new(), 0);
        rows(store, records, |key, row: RecordRow| {
            let wrong = At(records, key);
            let position = <[u8; 32]>::try_from(key).map_err(|_| wrong.bad("no position"))?;
            self.log(map, log, &position, &row, &wrong)?;
            leaves.push((Digest(position), row.record.hash(&self.keys, map)));
            self.checked.keys += 1;
            entries += row.record.count;
            Ok(())
        })?;
        count(store, log, entries)?;
        self.checked.entries += entries;
        let mut tree = MapTree::new(map, &self.keys);
        let wrong = At(records, &[]);
        let updated = tree.update(&leaves, newest.1, &Sequential);
        updated.map_err(|error| wrong.bad(error))?;
        let found = tree.sized_root().root;
        same(&wrong, "root of all rows", &found.0, &newest.0.root.0)
    }

    /// The log of one key, entry by entry, against its record and frontier.
    fn log(
        &self,
        map: Map,
        table: Table,
        position: &[u8; 32],
        row: &RecordRow,
        wrong: &At<'_>,
    ) -> Result<(), Error> {
        let hasher = self.keys.log(map);
        let (mut frontier, mut last) = (Frontier::new(), Height::ZERO);
        for index in 0..row.record.count {
            let key = [&position[..], &index.to_be_bytes()].concat();
            let entry: EntryRow = read(self.store, table, &key)?;
            let leaf = entry.entry.leaf(&self.keys, map);
            if *entry.nodes != *completed(hasher, &frontier, leaf) || entry.entry.block < last {
                return Err(At(table, &key).bad("not the entry that its log's root holds"));
            }
            for output in &*entry.outputs {
                let (wrong, output) = (At(table, &key), output.to_be_bytes());
                demand(self.store, Table::Output, &output, &wrong)?;
                let made: OutputRow = read(self.store, Table::Output, &output)?;
                let made = made.created;
                let found = key_position(&made.output.owner);
                same(&wrong, "owner of an output", &found.0, position)?;
                let found = made.outpoint.transaction;
                same(&wrong, "maker of an output", &found.0, &entry.entry.txid.0)?;
            }
            frontier
                .append(hasher, leaf)
                .map_err(|error| wrong.bad(error))?;
            last = entry.entry.block;
        }
        let found = frontier.root(hasher);
        same(wrong, "log root", &row.record.log_root.0, &found.0)?;
        if row.frontier != frontier || row.record.last_block != last {
            return Err(wrong.bad("another right edge than its log has"));
        }
        Ok(())
    }
}

/// The leaf and the nodes that it completes, from the leaf up.
fn completed(hasher: &impl TreeHasher, past: &Frontier, leaf: Digest) -> Vec<Digest> {
    let mut nodes = vec![leaf];
    let above = usize::try_from(past.size().trailing_ones()).unwrap_or(64);
    for left in past.peaks().iter().rev().take(above) {
        let right = nodes.last().copied().unwrap_or(leaf);
        nodes.push(hasher.node(left, &right));
    }
    nodes
}
