//! The state after an earlier block, from the rows of today: outputs change once and logs only grow,
//! so what came later can be left out.

use ledger::Genesis;
use ledger::prune::KeptFrom;
use ledger::rows::{
    BlockRow, ConvictionRow, EntryRow, HeadRow, OutputRow, Place, RecordRow, TransactionRow,
    committee_key, stake_key,
};
use ledger::tx::{Kind, Transaction};
use merkle::hash::TreeKeys;
use merkle::log::Frontier;
use merkle::{LogEntry, Map, Record};
use primitives::codec::{self, Canonical};
use primitives::store::{Store, Table};
use primitives::units::{Epoch, Height};

use crate::error::Error;
use crate::fsck::rows::{At, raw_rows, read, rows};

/// Where rows go: table, key, value.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(Table, &[u8], Vec<u8>) -> Result<(), Error>;

/// Hands to `sink` every row that vouches for the state as it was after the block before `kept`,
/// the first block of an epoch, in the same order wherever the chain is the same. The store may go on
/// meanwhile.
///
/// Who handed over a name since is left out where the store has let go of the transaction that made
/// it the holder: executing the block of the handover puts that right.
///
/// # Errors
/// [`Error::BadRow`] for rows that contradict one another; a failed disk; whatever `sink` says.
pub(crate) fn rows_before(
    store: &impl Store,
    genesis: &Genesis,
    kept: KeptFrom,
    sink: Sink<'_>,
) -> Result<(), Error> {
    let chain = genesis.chain_id().map_err(replica::Error::from)?;
    let mut writer = Writer { sink };
    blocks(store, kept.height, &mut writer)?;
    outputs(store, kept.height, &mut writer)?;
    let keys = TreeKeys::new(&chain);
    for (map, records, log) in [
        (Map::Key, Table::Key, Table::KeyLog),
        (Map::Name, Table::Name, Table::NameLog),
    ] {
        logs(store, &keys, (map, records, log), kept.height, &mut writer)?;
    }
    rows(store, Table::TransactionIndex, |key, place: Place| {
        if place.height < kept.height {
            writer.put(Table::TransactionIndex, key, &place)?;
        }
        Ok(())
    })?;
    names(store, kept.height, &mut writer)?;
    meta(store, genesis, kept, &mut writer)
}

struct Writer<'a> {
    sink: Sink<'a>,
}

impl Writer<'_> {
    fn put(&mut self, table: Table, key: &[u8], row: &impl Canonical) -> Result<(), Error> {
        let row = codec::encode(row).map_err(replica::Error::from)?;
        self.put_raw(table, key, row)
    }

    fn put_raw(&mut self, table: Table, key: &[u8], row: Vec<u8>) -> Result<(), Error> {
        (self.sink)(table, key, row)
    }
}

fn blocks(store: &impl Store, first: Height, writer: &mut Writer<'_>) -> Result<(), Error> {
    let mut newest = None;
    rows(store, Table::Block, |key, row: BlockRow| {
        if row.header.height < first {
            newest = Some(row.header);
            writer.put(Table::Block, key, &row)?;
        }
        Ok(())
    })?;
    let newest = newest.ok_or_else(|| At(Table::Block, &[]).bad("there is no block"))?;
    let head = HeadRow {
        height: newest.height,
        root: newest.root().map_err(replica::Error::from)?,
    };
    writer.put(Table::Meta, b"head", &head)
}

fn outputs(store: &impl Store, first: Height, writer: &mut Writer<'_>) -> Result<(), Error> {
    rows(store, Table::Output, |key, mut row: OutputRow| {
        if row.created.height >= first {
            return Ok(());
        }
        row.spent = row.spent.filter(|spent| spent.block < first);
        writer.put(Table::Output, key, &row)?;
        let outpoint = row.created.outpoint;
        let name = [&outpoint.transaction.0[..], &outpoint.index.to_be_bytes()].concat();
        writer.put_raw(Table::Outpoint, &name, position(key)?)
    })
}

/// The value of table `Outpoint`: the position, little endian.
fn position(key: &[u8]) -> Result<Vec<u8>, Error> {
    let position = key.try_into().map(u64::from_be_bytes);
    let position = position.map_err(|error| At(Table::Output, key).bad(error))?;
    Ok(position.to_le_bytes().to_vec())
}

fn logs(
    store: &impl Store,
    keys: &TreeKeys,
    (map, records, log): (Map, Table, Table),
    first: Height,
    writer: &mut Writer<'_>,
) -> Result<(), Error> {
    let hasher = keys.log(map);
    rows(store, records, |key, row: RecordRow| {
        let (mut frontier, mut last_block) = (Frontier::new(), Height::ZERO);
        for index in 0..row.record.count {
            let at = [key, &index.to_be_bytes()].concat();
            let entry: EntryRow = read(store, log, &at)?;
            if entry.entry.block >= first {
                break;
            }
            let appended = frontier.append(hasher, entry.entry.leaf(keys, map));
            appended.map_err(|error| At(log, &at).bad(error))?;
            last_block = entry.entry.block;
            writer.put(log, &at, &entry)?;
        }
        if frontier.size() == 0 {
            return Ok(());
        }
        let record = Record {
            log_root: frontier.root(hasher),
            count: frontier.size(),
            last_block,
        };
        writer.put(records, key, &RecordRow { record, frontier })
    })
}

/// Who held each name: as it is, if nothing came later, else whoever handed it over first.
fn names(store: &impl Store, first: Height, writer: &mut Writer<'_>) -> Result<(), Error> {
    rows(store, Table::Name, |position, _: RecordRow| {
        let keys = [b"holder".as_slice(), b"named"].map(|name| [name, position].concat());
        // Before the record: what the record does not know yet cannot have changed these.
        let [holder, named] = [
            store.get(Table::Meta, &keys[0])?,
            store.get(Table::Meta, &keys[1])?,
        ];
        let record: RecordRow = read(store, Table::Name, position)?;
        let entry = |index: u64| {
            let at = [position, &index.to_be_bytes()].concat();
            read::<EntryRow>(store, Table::NameLog, &at).map(|row| row.entry)
        };
        let mut early = record.record.count;
        while early > 0 && entry(early - 1)?.block >= first {
            early -= 1;
        }
        if early == 0 {
            return Ok(());
        }
        let wrong = At(Table::Name, position);
        if early == record.record.count {
            for (key, row) in keys.iter().zip([holder, named]) {
                let row = row.ok_or_else(|| wrong.bad("held by nobody"))?;
                writer.put_raw(Table::Meta, key, row)?;
            }
            return Ok(());
        }
        let body =
            |entry: LogEntry| transaction(store, &entry).map(|found| found.map(|it| it.body));
        let later = body(entry(early)?)?.ok_or_else(|| wrong.bad("handed over by nothing"))?;
        let Kind::Name { from, .. } = later.kind else {
            return Err(wrong.bad("touched by a transaction of another kind"));
        };
        let holder = from.ok_or_else(|| wrong.bad("registered twice"))?;
        writer.put(Table::Meta, &keys[0], &holder)?;
        match body(entry(early - 1)?)? {
            Some(named) => writer.put(Table::Meta, &keys[1], &named),
            None => Ok(()),
        }
    })
}

/// The transaction that made an entry, if it is kept.
fn transaction(store: &impl Store, entry: &LogEntry) -> Result<Option<Transaction>, Error> {
    let at = [
        &entry.block.get().to_be_bytes()[..],
        &entry.index.to_be_bytes(),
    ]
    .concat();
    let Some(row) = store.get(Table::Transaction, &at)? else {
        return Ok(None);
    };
    let wrong = At(Table::Transaction, &at);
    let row: TransactionRow = codec::decode(&row).map_err(|error| wrong.bad(error))?;
    let transaction = codec::decode::<Transaction>(&row.bytes);
    transaction.map(Some).map_err(|error| wrong.bad(error))
}

fn meta(
    store: &impl Store,
    genesis: &Genesis,
    kept: KeptFrom,
    writer: &mut Writer<'_>,
) -> Result<(), Error> {
    let mut copy = |key: &[u8]| match store.get(Table::Meta, key)? {
        Some(row) => writer.put_raw(Table::Meta, key, row),
        None => Err(At(Table::Meta, key).bad("missing")),
    };
    for epoch in 0..=kept.epoch.get() {
        copy(&committee_key(Epoch::new(epoch)))?;
    }
    let mut height = Height::ZERO;
    while height < kept.height {
        copy(&stake_key(height))?;
        height = height.later(genesis.parameters.period);
    }
    raw_rows(store, Table::Meta, |key, row| {
        if !key.starts_with(b"conviction") {
            return Ok(());
        }
        let wrong = At(Table::Meta, key);
        let conviction: ConvictionRow = codec::decode(row).map_err(|error| wrong.bad(error))?;
        if conviction.place.height < kept.height {
            writer.put(Table::Meta, key, &conviction)?;
        }
        Ok(())
    })
}
