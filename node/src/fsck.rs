//! `primus fsck`: every row of a store against the hashes that vouch for it, and every root anew.
//!
//! ```text
//!   event, payload     <- their ids                         order, chain   -> events
//!   transaction        <- its id, the root in the header     index, leaves  -> transactions
//!   output, outpoint   <- the outputs root                   key, key log   <- the key map's root
//!   block              <- the consensus root of the next one, the head, the state root
//! ```
//!
//! Nothing is executed: that is what [`crate::replay`] does.

use std::fmt;

use dag::event::{Event, Signed, payload_digest};
use ledger::rows::{
    BlockRow, KeyLogRow, KeyRow, LeavesRow, OutputRow, Place, PositionRow, TransactionRow,
};
use ledger::tx::check_alone;
use ledger::{Genesis, Ledger};
use merkle::dense::DenseTree;
use merkle::hash::TreeHasher;
use merkle::leaf::output_leaf;
use merkle::log::Frontier;
use merkle::map::MapTree;
use merkle::transactions::TransactionTree;
use merkle::{Map, TreeKeys};
use primitives::Digest;
use primitives::codec::{self, Canonical};
use primitives::digest::to_hex;
use primitives::store::{Store, Table};
use primitives::units::Height;

use crate::error::Error;

/// Rows read at once.
const ROWS: usize = 4_096;

/// How many rows of each kind were found right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Checked {
    /// Events with their payloads.
    pub events: u64,
    /// Blocks.
    pub blocks: u64,
    /// Transactions.
    pub transactions: u64,
    /// Outputs.
    pub outputs: u64,
    /// Keys.
    pub keys: u64,
    /// Entries of the logs of keys.
    pub entries: u64,
}

/// Checks every row of `store`, which should be of the chain of `genesis`; `tell` hears which table
/// is next. Cost: one signature check a transaction and a few hashes a row; the trees in memory.
///
/// # Errors
/// [`Error::BadRow`] naming the first bad row; a failed disk.
pub fn check(
    store: &impl Store,
    genesis: &Genesis,
    tell: &mut dyn FnMut(Table),
) -> Result<Checked, Error> {
    let chain = genesis.chain_id().map_err(replica::Error::from)?;
    let mut fsck = Fsck {
        store,
        chain,
        keys: TreeKeys::new(&chain),
        checked: Checked::default(),
    };
    tell(Table::Event);
    fsck.events()?;
    tell(Table::Block);
    let newest = fsck.blocks()?;
    tell(Table::Output);
    fsck.outputs(&newest)?;
    tell(Table::Key);
    fsck.logs(&newest)?;
    tell(Table::Meta);
    // The state root, the head and the supply, from the same rows.
    let restored =
        Ledger::restore(genesis, store).map_err(|error| At(Table::Meta, b"head").bad(error))?;
    match restored {
        Some(_) => Ok(fsck.checked),
        None => Err(At(Table::Meta, b"head").bad("there is no head")),
    }
}

struct Fsck<'a, S> {
    store: &'a S,
    chain: Digest,
    keys: TreeKeys,
    checked: Checked,
}

impl<S: Store> Fsck<'_, S> {
    fn events(&mut self) -> Result<(), Error> {
        let store = self.store;
        rows(store, Table::Event, &mut |key, signed: Signed| {
            let wrong = At(Table::Event, key);
            let event = Event::trust(signed).map_err(|error| wrong.bad(error))?;
            same(&wrong, "id", &event.id().0, key)?;
            let payload = store.get(Table::Payload, key)?.unwrap_or_default();
            let (found, wanted) = (payload_digest(&payload), event.header().payload);
            same(&At(Table::Payload, key), "digest", &found.0, &wanted.0)?;
            self.checked.events += 1;
            Ok(())
        })?;
        raw_rows(store, Table::Chain, &mut |key, id| {
            demand(store, Table::Event, id, &At(Table::Chain, key))
        })
    }

    fn blocks(&mut self) -> Result<BlockRow, Error> {
        let store = self.store;
        let mut last: Option<(BlockRow, Digest)> = None;
        rows(store, Table::Block, &mut |key, row: BlockRow| {
            let wrong = At(Table::Block, key);
            let due = last.map_or(Height::ZERO, |(last, _)| last.header.height.later(1));
            same(&wrong, "height", key, &due.get().to_be_bytes())?;
            same(
                &wrong,
                "height",
                key,
                &row.header.height.get().to_be_bytes(),
            )?;
            let previous = last.map_or(Digest::ZERO, |(_, root)| root);
            same(&wrong, "previous root", &row.header.previous.0, &previous.0)?;
            self.transactions(&row)?;
            if due > Height::ZERO {
                self.order(due)?;
            }
            let root = row.header.root().map_err(|error| wrong.bad(error))?;
            last = Some((row, root));
            self.checked.blocks += 1;
            Ok(())
        })?;
        let last = last.ok_or_else(|| At(Table::Block, &[]).bad("there is no block"))?;
        Ok(last.0)
    }

    fn order(&self, height: Height) -> Result<(), Error> {
        let key = height.get().to_be_bytes();
        let wrong = At(Table::Order, &key);
        let ids = self.store.get(Table::Order, &key)?;
        let ids = ids.ok_or_else(|| wrong.bad("missing"))?;
        if ids.is_empty() || ids.len() % 32 != 0 {
            return Err(wrong.bad("no list of ids"));
        }
        ids.chunks(32)
            .try_for_each(|id| demand(self.store, Table::Event, id, &wrong))
    }

    fn transactions(&mut self, block: &BlockRow) -> Result<(), Error> {
        let header = &block.header;
        let mut leaves = Vec::new();
        for index in 0..header.transaction_count {
            let place = Place {
                height: header.height,
                index,
            };
            let key = [&place.height.get().to_be_bytes()[..], &index.to_be_bytes()].concat();
            let wrong = At(Table::Transaction, &key);
            let row: TransactionRow = read(self.store, Table::Transaction, &key)?;
            let checked = check_alone(row.bytes.to_vec(), &self.chain);
            same(&wrong, "id", &row.id.0, &checked.id().0)?;
            let (found, wanted) = (row.witness_digest, checked.witness_digest());
            same(&wrong, "witness digest", &found.0, &wanted.0)?;
            leaves.push(row.leaf(&self.keys).map_err(|error| wrong.bad(error))?);
            if row.outcome.is_applied() {
                let found: Place = read(self.store, Table::TransactionIndex, &row.id.0)?;
                if found != place {
                    let wrong = At(Table::TransactionIndex, &row.id.0);
                    return Err(wrong.bad(format!("{found:?} where {place:?} was due")));
                }
            }
            self.checked.transactions += 1;
        }
        let height = header.height.get().to_be_bytes();
        let wrong = At(Table::Block, &height);
        let tree = TransactionTree::new(self.keys.transactions(), &leaves)
            .map_err(|error| wrong.bad(error))?;
        let (found, wanted) = (tree.root(), header.transactions);
        same(&wrong, "transactions root", &found.0, &wanted.0)?;
        if leaves.is_empty() {
            return Ok(());
        }
        let key = [&b"leaves"[..], &height].concat();
        let row: LeavesRow = read(self.store, Table::Meta, &key)?;
        if *row.leaves != *leaves {
            let wrong = At(Table::Meta, &key);
            return Err(wrong.bad("other leaves than the transactions have"));
        }
        Ok(())
    }

    fn outputs(&mut self, newest: &BlockRow) -> Result<(), Error> {
        let store = self.store;
        let mut tree = DenseTree::new(*self.keys.outputs());
        rows(store, Table::Output, &mut |key, row: OutputRow| {
            let wrong = At(Table::Output, key);
            same(&wrong, "position", key, &tree.size().to_be_bytes())?;
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
            let commitment = row
                .created
                .commitment(&self.chain)
                .map_err(|error| wrong.bad(error))?;
            tree.append(output_leaf(&self.keys, &commitment, row.spent.as_ref()));
            Ok(())
        })?;
        self.checked.outputs = tree.size();
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

    fn logs(&mut self, newest: &BlockRow) -> Result<(), Error> {
        let store = self.store;
        let mut records = Vec::new();
        rows(store, Table::Key, &mut |key, row: KeyRow| {
            let wrong = At(Table::Key, key);
            let position = <[u8; 32]>::try_from(key).map_err(|_| wrong.bad("no position"))?;
            self.log(&position, &row)?;
            records.push((Digest(position), row.record.hash(&self.keys, Map::Key)));
            self.checked.keys += 1;
            Ok(())
        })?;
        let mut entries = 0;
        raw_rows(store, Table::KeyLog, &mut |_, _| {
            entries += 1;
            Ok(())
        })?;
        if entries != self.checked.entries {
            let reason = format!("{entries} rows where {} were due", self.checked.entries);
            return Err(At(Table::KeyLog, &[]).bad(reason));
        }
        let mut tree = MapTree::new(Map::Key, &self.keys);
        let height = newest.header.height.get().to_be_bytes();
        let wrong = At(Table::Block, &height);
        tree.update(&records).map_err(|error| wrong.bad(error))?;
        let (found, wanted) = (tree.sized_root().root, newest.key.root);
        same(&wrong, "root of the key rows", &found.0, &wanted.0)
    }

    /// The log of one key, entry by entry, against its record and frontier.
    fn log(&mut self, position: &[u8; 32], row: &KeyRow) -> Result<(), Error> {
        let hasher = self.keys.log(Map::Key);
        let mut frontier = Frontier::new();
        let mut last = Height::ZERO;
        for index in 0..row.record.count {
            let key = [&position[..], &index.to_be_bytes()].concat();
            let wrong = At(Table::KeyLog, &key);
            let entry: KeyLogRow = read(self.store, Table::KeyLog, &key)?;
            let leaf = entry.entry.leaf(&self.keys, Map::Key);
            let mut nodes = vec![leaf];
            let completed = usize::try_from(frontier.size().trailing_ones()).unwrap_or(64);
            for left in frontier.peaks().iter().rev().take(completed) {
                let right = nodes.last().copied().unwrap_or_default();
                nodes.push(hasher.node(left, &right));
            }
            if *entry.nodes != *nodes || entry.entry.block < last {
                return Err(wrong.bad("not the entry that its log's root holds"));
            }
            frontier
                .append(hasher, leaf)
                .map_err(|error| wrong.bad(error))?;
            last = entry.entry.block;
            self.checked.entries += 1;
        }
        let wrong = At(Table::Key, position);
        same(
            &wrong,
            "log root",
            &row.record.log_root.0,
            &frontier.root(hasher).0,
        )?;
        if row.frontier != frontier || row.record.last_block != last {
            return Err(wrong.bad("another right edge than its log has"));
        }
        Ok(())
    }
}

/// The row that is looked at.
struct At<'a>(Table, &'a [u8]);

impl At<'_> {
    fn bad(&self, reason: impl fmt::Display) -> Error {
        Error::BadRow {
            table: self.0.name(),
            key: to_hex(self.1),
            reason: reason.to_string(),
        }
    }
}

fn same(wrong: &At<'_>, what: &str, found: &[u8], wanted: &[u8]) -> Result<(), Error> {
    if found == wanted {
        return Ok(());
    }
    let (found, wanted) = (to_hex(found), to_hex(wanted));
    Err(wrong.bad(format!("{what} {found} where {wanted} was due")))
}

fn demand(store: &impl Store, table: Table, key: &[u8], wrong: &At<'_>) -> Result<(), Error> {
    if store.get(table, key)?.is_some() {
        return Ok(());
    }
    let (table, key) = (table.name(), to_hex(key));
    Err(wrong.bad(format!("names {table} {key}, which is missing")))
}

fn read<T: Canonical>(store: &impl Store, table: Table, key: &[u8]) -> Result<T, Error> {
    let bytes = store.get(table, key)?;
    let bytes = bytes.ok_or_else(|| At(table, key).bad("missing"))?;
    codec::decode(&bytes).map_err(|error| At(table, key).bad(error))
}

fn rows<T: Canonical>(
    store: &impl Store,
    table: Table,
    each: &mut dyn FnMut(&[u8], T) -> Result<(), Error>,
) -> Result<(), Error> {
    raw_rows(store, table, &mut |key, row| {
        each(
            key,
            codec::decode(row).map_err(|error| At(table, key).bad(error))?,
        )
    })
}

/// Every row of a table in ascending order.
fn raw_rows(
    store: &impl Store,
    table: Table,
    each: &mut dyn FnMut(&[u8], &[u8]) -> Result<(), Error>,
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
