//! `primus replay`: executes every stored block anew, from the genesis into memory, and compares
//! each consensus root with the stored one, and in the end each row.

use std::time::{Duration, Instant};

use ledger::prune::KeptFrom;
use ledger::tx::check_payload;
use ledger::{Block, Genesis, Header, Ledger, OrderedEvent};
use primitives::Digest;
use primitives::store::{Batch, Store, Table};
use primitives::units::Height;
use replica::Replica;

use crate::error::Error;
use crate::export;
use crate::fsck::rows::{At, raw_rows};
use crate::state_before::rows_before;
use crate::store::{Backend, Database};

/// What was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Replayed {
    /// The first block executed: 1, or the first whose transactions a pruned store keeps. The state
    /// before it was rebuilt and has the root that its header names.
    pub first_block: u64,
    /// Blocks, without the genesis block.
    pub blocks: u64,
    /// Their transactions.
    pub transactions: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Rows written at once.
const ROWS: usize = 4_096;
/// How often `tell` hears how far it has come.
const TELL: Duration = Duration::from_secs(1);

/// Executes every block of `store` anew. Cost: that of every transaction's first execution, and the
/// whole state in memory.
///
/// # Errors
/// [`Error::OtherRoot`] for the first block whose root differs; [`Error::BadRow`] for a row that
/// the execution gives otherwise; [`Error::Damaged`] for what is missing; a failed disk.
pub fn replay(
    store: &impl Store,
    genesis: &Genesis,
    tell: &mut dyn FnMut(Height, &Replayed),
) -> Result<Replayed, Error> {
    let begun = Instant::now();
    let memory = Database::in_memory();
    let mut ledger = begin(store, genesis, &memory)?;
    compare(&ledger, &stored(store, ledger.height())?)?;
    let mut replayed = Replayed {
        first_block: ledger.height().later(1).get(),
        blocks: 0,
        transactions: 0,
        took_ms: 0,
    };
    let mut told = begun;
    while let Some(header) = export::header(store, ledger.height().later(1))? {
        let block = Block {
            height: header.height,
            epoch: header.epoch,
            round: header.round,
            leader: header.leader,
            time: header.time,
            seed: header.seed,
            events: events(store, header.height, &ledger)?,
        };
        let executed = ledger.execute(block, &memory);
        memory.apply(&executed.map_err(replica::Error::from)?.batch)?;
        compare(&ledger, &header)?;
        replayed.blocks += 1;
        replayed.transactions += u64::from(header.transaction_count);
        replayed.took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        if told.elapsed() >= TELL {
            told = Instant::now();
            tell(header.height, &replayed);
        }
    }
    compare_rows(store, &memory)?;
    Ok(replayed)
}

/// The state that execution begins with, its rows in `memory`.
fn begin(store: &impl Store, genesis: &Genesis, memory: &Database) -> Result<Ledger, Error> {
    let kept = KeptFrom::read(store).map_err(replica::Error::from)?;
    if kept.height == Height::ZERO {
        let (ledger, batch) = Ledger::genesis(genesis).map_err(replica::Error::from)?;
        memory.apply(&batch)?;
        return Ok(ledger);
    }
    let (mut batch, mut count) = (Batch::new(), 0_usize);
    rows_before(store, genesis, kept, &mut |table, key, row| {
        batch.put(table, key.to_vec(), row);
        count += 1;
        if count.is_multiple_of(ROWS) {
            memory.apply(&std::mem::take(&mut batch))?;
        }
        Ok(())
    })?;
    memory.apply(&batch)?;
    let ledger = Ledger::restore(genesis, memory).map_err(replica::Error::from)?;
    ledger.ok_or_else(|| missing("state", kept.height))
}

fn stored(store: &impl Store, height: Height) -> Result<Header, Error> {
    let header = export::header(store, height)?;
    header.ok_or_else(|| missing("block", height))
}

fn compare(ledger: &Ledger, stored: &Header) -> Result<(), Error> {
    let wanted = stored.root().map_err(replica::Error::from)?;
    let found = *ledger.root();
    if found != wanted {
        return Err(Error::OtherRoot {
            height: stored.height,
            found,
            wanted,
        });
    }
    Ok(())
}

/// Each row that the execution wrote must stand in `store` as well.
fn compare_rows(store: &impl Store, memory: &Database) -> Result<(), Error> {
    Table::ALL.into_iter().try_for_each(|table| {
        raw_rows(memory, table, |key, row| {
            if store.get(table, key)?.as_deref() == Some(row) {
                return Ok(());
            }
            Err(At(table, key).bad("not the row that execution gives"))
        })
    })
}

/// The events that a block orders, with their transactions. The committee is the one that the
/// execution itself has come to.
fn events(store: &impl Store, height: Height, ledger: &Ledger) -> Result<Vec<OrderedEvent>, Error> {
    let order = Replica::order_at(store, height)?;
    let order = order.ok_or_else(|| missing("order", height))?;
    let event = |id: &Digest| {
        let event = export::event(store, id)?;
        let payload = store.get(Table::Payload, &id.0)?.unwrap_or_default();
        let creator = ledger.committee().get(event.header().creator.position());
        Ok(OrderedEvent {
            creator: creator.ok_or_else(|| missing("creator", height))?.peer_key,
            transactions: check_payload(&payload, ledger.chain()),
        })
    };
    order.iter().map(event).collect()
}

fn missing(what: &'static str, height: Height) -> Error {
    Error::Damaged {
        what,
        reason: format!("missing for block {height}"),
    }
}

#[cfg(test)]
mod tests;
