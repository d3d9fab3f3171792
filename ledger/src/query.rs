//! What wallets ask: rows, with proofs under the newest state root.
//!
//! Outputs and logs only ever grow or settle, so an answer under the newest root also tells how
//! things stood at any earlier height (docs/spec/state.md sections 4 and 5).

use alloc::vec::Vec;

use merkle::Map;
use merkle::proof::block::{BlockConsistency, BlockInclusion};
use merkle::proof::complete::{AllEntries, NewEntries, RecentEntries};
use merkle::proof::output::OutputProof;
use merkle::proof::record::{MapPosition, RecordProof};
use merkle::proof::span::EntrySpan;
use merkle::proof::transaction::TransactionInclusion;
use merkle::top::{SizedRoot, StateRoots};
use merkle::transactions::TransactionTree;
use primitives::Digest;
use primitives::codec;
use primitives::keys::PublicKey;
use primitives::limits::PAGE_ENTRIES_MAX;
use primitives::store::{Store, Table};
use primitives::units::Height;

use crate::error::Error;
use crate::header::Header;
use crate::outcome::Outcome;
use crate::prune::KeptFrom;
use crate::rows::{
    BlockRow, Created, EntryRow, LeavesRow, OutputRow, Place, PositionRow, RecordRow,
    TransactionRow, count_of, demand, height_key, holder_key, key_position, leaves_key, log_key,
    log_table, map_table, named_key, outpoint_key, place_key, position_key, read, rejected_key,
};
use crate::state::Ledger;
use crate::subject::Subject;
use crate::tx::{Body, Holder, Name, Outpoint, Taken, Transaction};

mod log;

use log::Log;

/// A transaction in its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTransaction {
    /// Where it stands.
    pub place: Place,
    /// Its bytes, digests and outcome.
    pub row: TransactionRow,
    /// The header of its block.
    pub header: Header,
    /// From its leaf to the header's transactions root.
    pub inclusion: TransactionInclusion,
}

/// An output and its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundOutput {
    /// What its commitment binds.
    pub created: Created,
    /// Whether and by what it is spent, under the newest state root.
    pub proof: OutputProof,
}

/// Where to go on in the outputs of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct OutputCursor {
    /// The index of an entry of the key's log.
    pub entry: u64,
    /// The place among the outputs that the key got by it.
    pub offset: u32,
}

/// Some outputs of a key, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputPage {
    /// Positions and rows.
    pub outputs: Vec<(u64, OutputRow)>,
    /// Where to go on; none at the end.
    pub next: Option<OutputCursor>,
}

impl Ledger {
    /// The applied transaction with this id, else its newest rejection, else none. Cost: 32 bytes
    /// read for each transaction of its block, and as many hashes.
    ///
    /// # Errors
    /// [`Error::Pruned`] where its block is; a failing disk or a missing row.
    pub fn transaction<S: Store>(
        &self,
        id: &Digest,
        store: &S,
    ) -> Result<Option<FoundTransaction>, Error> {
        let Some((place, _)) = self.settled(id, store)? else {
            return Ok(None);
        };
        KeptFrom::read(store)?.demand(place.height)?;
        let row = demand(store, Table::Transaction, &place_key(place))?;
        let block: BlockRow = demand(store, Table::Block, &height_key(place.height))?;
        let inclusion = self.transaction_inclusion(place.height, [place.index].into(), store)?;
        Ok(Some(FoundTransaction {
            place,
            row,
            header: block.header,
            inclusion,
        }))
    }

    /// Where the applied transaction with this id stands, if there is one. Cost: one read.
    ///
    /// # Errors
    /// A failing disk.
    pub fn applied<S: Store>(&self, id: &Digest, store: &S) -> Result<Option<Place>, Error> {
        read(store, Table::TransactionIndex, &id.0)
    }

    /// Where the applied transaction with this id stands, else its newest rejection, else none,
    /// with what became of it; without proof. A pruned store forgets rejections with their blocks.
    /// Cost: two reads.
    ///
    /// # Errors
    /// A failing disk or a missing row.
    pub fn settled<S: Store>(
        &self,
        id: &Digest,
        store: &S,
    ) -> Result<Option<(Place, Outcome)>, Error> {
        if let Some(place) = self.applied(id, store)? {
            return Ok(Some((place, Outcome::Applied)));
        }
        let rejected: Option<Place> = read(store, Table::Meta, &rejected_key(id))?;
        let Some(place) = rejected else {
            return Ok(None);
        };
        let row: TransactionRow = demand(store, Table::Transaction, &place_key(place))?;
        Ok(Some((place, row.outcome)))
    }

    /// What the owners signed of the settled transaction with this id, which a log names.
    ///
    /// # Errors
    /// [`Error::Pruned`]; a failing disk or a missing row.
    pub fn transaction_body<S: Store>(&self, id: &Digest, store: &S) -> Result<Body, Error> {
        let table = Table::Transaction;
        let settled = self.settled(id, store)?;
        let (place, _) = settled.ok_or(Error::MissingRow { table })?;
        KeptFrom::read(store)?.demand(place.height)?;
        let row: TransactionRow = demand(store, table, &place_key(place))?;
        let transaction: Transaction = codec::decode(&row.bytes)?;
        Ok(transaction.body)
    }

    /// Shows that the block at `height` contains the transactions at these indices.
    ///
    /// # Errors
    /// Indices that are not strictly increasing within the block; a failing disk or a missing row.
    pub fn transaction_inclusion<S: Store>(
        &self,
        height: Height,
        indices: Vec<u32>,
        store: &S,
    ) -> Result<TransactionInclusion, Error> {
        let row: LeavesRow = demand(store, Table::Meta, &leaves_key(height))?;
        let tree = TransactionTree::new(self.tree_keys().transactions(), &row.leaves)?;
        Ok(TransactionInclusion::prove(&tree, indices)?)
    }

    /// The output at this outpoint with its status, or none if there never was one.
    ///
    /// # Errors
    /// A failing disk or a missing row.
    pub fn output<S: Store>(
        &self,
        outpoint: &Outpoint,
        store: &S,
    ) -> Result<Option<FoundOutput>, Error> {
        let Some((position, row)) = output_row(outpoint, store)? else {
            return Ok(None);
        };
        let (keys, tree) = (self.tree_keys(), &self.outputs);
        Ok(Some(FoundOutput {
            created: row.created,
            proof: OutputProof::prove(keys, &self.roots, tree, position, row.spent)?,
        }))
    }

    /// The applied transaction that took this; none if none did. Cost: at most two reads.
    ///
    /// # Errors
    /// A failing disk or a missing row.
    pub fn taker<S: Store>(&self, taken: &Taken, store: &S) -> Result<Option<Digest>, Error> {
        match taken {
            Taken::Output(outpoint) => {
                let row = output_row(outpoint, store)?;
                let spent = row.and_then(|(_, row)| row.spent);
                Ok(spent.map(|spent| spent.txid))
            }
            Taken::Name { position, number } => taker_of_name(position, *number, store),
        }
    }

    /// The newest transaction of a name up to the block at `height`, by which it is held there, and
    /// that it is the newest; or that nobody held it.
    ///
    /// # Errors
    /// [`Error::Pruned`] where its block is, unless it is the name's last; a failing disk or a missing
    /// row.
    pub fn name<S: Store>(
        &self,
        name: &Name,
        height: Height,
        store: &S,
    ) -> Result<(EntrySpan, Option<Body>), Error> {
        let at = Subject::Name(*name).position();
        let span = self.newest_entry(&at, height, store)?;
        let newest = span.entries().iter().rfind(|entry| entry.block <= height);
        let Some(newest) = newest else {
            return Ok((span, None));
        };
        let last: Option<Body> = read(store, Table::Meta, &named_key(&at.position))?;
        let body = match last {
            Some(body) if body.id(self.chain())? == newest.txid => body,
            Some(_) | None => self.transaction_body(&newest.txid, store)?,
        };
        Ok((span, Some(body)))
    }

    /// The record of a key or name, or that it has none, under the newest state root.
    ///
    /// # Errors
    /// A failing disk.
    pub fn record<S: Store>(&self, at: &MapPosition, store: &S) -> Result<RecordProof, Error> {
        let row: Option<RecordRow> = read(store, map_table(at.map), &at.position.0)?;
        let record = row.map(|row| row.record);
        let tree = match at.map {
            Map::Key => &self.key_map,
            Map::Name => &self.name_map,
        };
        let keys = self.tree_keys();
        Ok(RecordProof::prove(keys, &self.roots, tree, at, record)?)
    }

    /// All entries of a log, provably complete, if they fit in one page.
    ///
    /// # Errors
    /// More entries than [`PAGE_ENTRIES_MAX`]: ask for the newest, or page by page.
    pub fn history<S: Store>(&self, at: &MapPosition, store: &S) -> Result<AllEntries, Error> {
        let (record, log) = self.log(at, store)?;
        let entries = log.entries(0, page_of(log.count)?)?;
        Ok(AllEntries::prove(at.map, record, entries)?)
    }

    /// The `wanted` newest entries of a log, or all if there are fewer. Cost: reads of these entries
    /// and of at most log2 n earlier ones.
    ///
    /// # Errors
    /// More than [`PAGE_ENTRIES_MAX`] wanted; a failing disk or a missing row.
    pub fn history_recent<S: Store>(
        &self,
        at: &MapPosition,
        wanted: u64,
        store: &S,
    ) -> Result<RecentEntries, Error> {
        let (record, log) = self.log(at, store)?;
        let wanted = page_of(wanted.min(log.count))?;
        let first = log.count.saturating_sub(wanted);
        let entries = log.entries(first, wanted)?;
        let before = log.frontier(first)?;
        Ok(RecentEntries::prove(at.map, record, &before, entries)?)
    }

    /// One page of a log from the index `first` on, provably without a gap for a wallet that knows
    /// the entries before. Cost: reads of these entries and of about log2 n others.
    ///
    /// # Errors
    /// [`merkle::Error::Size`] above the end of the log; a failing disk or a missing row.
    pub fn history_from<S: Store>(
        &self,
        at: &MapPosition,
        first: u64,
        store: &S,
    ) -> Result<NewEntries, Error> {
        let (record, log) = self.log(at, store)?;
        let entries = log.entries(first, page())?;
        let end = first.saturating_add(count_of(&entries));
        Ok(NewEntries::prove(record, entries, log.consistency(end)?)?)
    }

    /// The entries of the block at `height` in a log, provably all. Cost: reads of these entries and
    /// of about log2 n others.
    ///
    /// # Errors
    /// More than a page of them; a failing disk or a missing row.
    pub fn entries_of_block<S: Store>(
        &self,
        at: &MapPosition,
        height: Height,
        store: &S,
    ) -> Result<EntrySpan, Error> {
        let (record, log) = self.log(at, store)?;
        let first = log.count_below(height)?;
        let end = log.count_below(height.later(1))?;
        let first = first.saturating_sub(1);
        log.span(record, first, end.saturating_add(1))
    }

    /// The newest entry of a log up to the block at `height`, or that all are later. Cost: about
    /// 2 log2 n reads.
    ///
    /// # Errors
    /// A failing disk or a missing row.
    pub fn newest_entry<S: Store>(
        &self,
        at: &MapPosition,
        height: Height,
        store: &S,
    ) -> Result<EntrySpan, Error> {
        let (record, log) = self.log(at, store)?;
        let end = log.count_below(height.later(1))?;
        log.span(record, end.saturating_sub(1), end.saturating_add(1))
    }

    /// Outputs that a key got, spent ones too, from `from` on: at most [`PAGE_ENTRIES_MAX`], from
    /// at most as many entries. Whether they are all follows from the key's history.
    ///
    /// # Errors
    /// A failing disk or a missing row.
    pub fn outputs_of<S: Store>(
        &self,
        key: &PublicKey,
        from: OutputCursor,
        store: &S,
    ) -> Result<OutputPage, Error> {
        let position = key_position(key);
        let mut outputs = Vec::new();
        let mut next = from;
        let end = from.entry.saturating_add(page());
        while next.entry < end {
            let key = log_key(&position, next.entry);
            let Some(row): Option<EntryRow> = read(store, Table::KeyLog, &key)? else {
                return Ok(OutputPage {
                    outputs,
                    next: None,
                });
            };
            let skipped = usize::try_from(next.offset).unwrap_or(usize::MAX);
            for position in row.outputs.iter().skip(skipped) {
                if outputs.len() == PAGE_ENTRIES_MAX {
                    let next = Some(next);
                    return Ok(OutputPage { outputs, next });
                }
                let row = demand(store, Table::Output, &position_key(*position))?;
                outputs.push((*position, row));
                next.offset = next.offset.saturating_add(1);
            }
            next = OutputCursor {
                entry: next.entry.saturating_add(1),
                offset: 0,
            };
        }
        let next = Some(next);
        Ok(OutputPage { outputs, next })
    }

    /// The header of an earlier block, and that the state of the block `under` builds on it: the leaf
    /// is made of the 32 bytes of its consensus root. The block tree only grows, so any state will do.
    ///
    /// # Errors
    /// [`Error::UnknownHeight`] unless the height is below the last one; [`merkle::Error::Index`]
    /// unless it is below `under`; a failing disk.
    pub fn block_inclusion<S: Store>(
        &self,
        height: Height,
        under: Height,
        store: &S,
    ) -> Result<(Header, BlockInclusion), Error> {
        let row = self.block_below(height, store)?;
        let roots = if under == self.height() {
            self.roots
        } else {
            self.roots_at(under, store)?
        };
        let (keys, tree) = (self.tree_keys(), &self.blocks);
        let proof = BlockInclusion::prove(keys, &roots, tree, height)?;
        Ok((row.header, proof))
    }

    /// That the newest state continues the past of the state at `height`.
    ///
    /// # Errors
    /// [`Error::UnknownHeight`] unless the height is below the last one; a failing disk.
    pub fn block_consistency<S: Store>(
        &self,
        height: Height,
        store: &S,
    ) -> Result<BlockConsistency, Error> {
        let (old, keys) = (self.roots_at(height, store)?, self.tree_keys());
        Ok(BlockConsistency::prove(
            keys,
            &old,
            &self.roots,
            &self.blocks,
        )?)
    }

    /// The roots under the state root of an earlier block.
    fn roots_at<S: Store>(&self, height: Height, store: &S) -> Result<StateRoots, Error> {
        let row = self.block_below(height, store)?;
        Ok(row.roots(SizedRoot {
            root: self.blocks.root_at(height.get())?,
            size: height.get(),
        }))
    }

    fn block_below<S: Store>(&self, height: Height, store: &S) -> Result<BlockRow, Error> {
        let last = self.height();
        if height >= last {
            return Err(Error::UnknownHeight {
                found: height,
                last,
            });
        }
        demand(store, Table::Block, &height_key(height))
    }

    fn log<'a, S: Store>(
        &'a self,
        at: &MapPosition,
        store: &'a S,
    ) -> Result<(RecordProof, Log<'a, S>), Error> {
        let record = self.record(at, store)?;
        let log = Log {
            hasher: self.tree_keys().log(at.map),
            table: log_table(at.map),
            position: at.position,
            count: record.record.map_or(0, |record| record.count),
            store,
        };
        Ok((record, log))
    }
}

/// Who holds a name; none if nobody does.
///
/// # Errors
/// [`Error::TwoHolders`] where the transaction kept of the name made another its holder: no root
/// covers the row, and another holder would part this peer from the others. A failing disk.
pub(crate) fn holder_of<S: Store>(name: &Name, store: &S) -> Result<Option<Holder>, Error> {
    let position = name.position();
    let holder: Option<Holder> = read(store, Table::Meta, &holder_key(&position))?;
    let body: Option<Body> = read(store, Table::Meta, &named_key(&position))?;
    // A replay from the middle of the chain knows holders without the transactions that made them.
    match body {
        Some(body) if body.kind.holder() != holder => Err(Error::TwoHolders { name: *name }),
        Some(_) | None => Ok(holder),
    }
}

/// The applied transaction with this number of the name at this position.
pub(crate) fn taker_of_name<S: Store>(
    position: &Digest,
    number: u64,
    store: &S,
) -> Result<Option<Digest>, Error> {
    let row: Option<EntryRow> = read(store, Table::NameLog, &log_key(position, number))?;
    Ok(row.map(|row| row.entry.txid))
}

/// The position and the row of the output at this outpoint; none if there never was one.
fn output_row<S: Store>(outpoint: &Outpoint, store: &S) -> Result<Option<(u64, OutputRow)>, Error> {
    let row: Option<PositionRow> = read(store, Table::Outpoint, &outpoint_key(outpoint))?;
    let Some(PositionRow { position }) = row else {
        return Ok(None);
    };
    Ok(Some((position, OutputRow::of(outpoint, position, store)?)))
}

/// `count`, if it fits in one page.
fn page_of(count: u64) -> Result<u64, Error> {
    let (limit, page) = (PAGE_ENTRIES_MAX, page());
    if count > page {
        let found = usize::try_from(count).unwrap_or(usize::MAX);
        return Err(primitives::Error::TooMany { found, limit }.into());
    }
    Ok(count)
}

fn page() -> u64 {
    u64::try_from(PAGE_ENTRIES_MAX).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
