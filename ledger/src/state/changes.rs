//! The third phase, what the transactions of a block change: reads the store and what came before
//! in the block, touches no tree. Rule C23.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use merkle::hash::TreeHasher;
use merkle::log::Frontier;
use merkle::proof::record::MapPosition;
use merkle::{LogEntry, Map, Record, Spent, TreeKeys};
use primitives::codec::List;
use primitives::keys::PublicKey;
use primitives::store::Store;
use primitives::units::{Amount, Height, Stake};
use primitives::{Digest, limits};

use super::rules::{Input, Stop};
use super::{Ledger, OrderedEvent};
use crate::error::Error;
use crate::genesis::Genesis;
use crate::outcome::{Outcome, Reason};
use crate::rows::{
    ConvictionRow, Created, EntryRow, OutputRow, Place, RecordRow, map_table, read, role,
};
use crate::subject::Subject;
use crate::tx::{
    Body, Checked, Holder, Kind, Name, Outpoint, Output, fee_transaction, genesis_transaction,
};

/// What one key or name was to one transaction.
#[derive(Debug, Default)]
struct Touch {
    role: u8,
    outputs: Vec<u64>,
}

/// A key or name that the block touches: its entries, and its row once they are appended.
#[derive(Debug)]
pub(super) struct Touched {
    pub(super) at: MapPosition,
    pub(super) new_entries: Vec<EntryRow>,
    pub(super) row: RecordRow,
}

/// All that a block changes.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) height: Height,
    /// Ids applied in this block.
    pub(super) applied: BTreeMap<Digest, u32>,
    /// Created and spent outputs by position.
    pub(super) outputs: BTreeMap<u64, OutputRow>,
    /// Positions of created outputs.
    pub(super) outpoints: BTreeMap<Outpoint, u64>,
    /// Touched keys and names.
    pub(super) touched: BTreeMap<Subject, Touched>,
    /// The holder of each name that has a transaction in this block, by the newest of them.
    pub(super) names: BTreeMap<Name, (Holder, Body)>,
    /// All transactions of names in this block, by position and number.
    pub(super) named: BTreeMap<(Digest, u64), Digest>,
    /// The commit of each key that made one in this block.
    pub(super) commits: BTreeMap<PublicKey, Digest>,
    /// The stake of every peer.
    pub(super) stakes: BTreeMap<PublicKey, Stake>,
    /// Peers that lose their standing.
    pub(super) convictions: BTreeMap<PublicKey, ConvictionRow>,
    /// The position before which all outputs are older than the block.
    pub(super) first_position: u64,
    next_position: u64,
    transaction_count: u32,
    fees: BTreeMap<PublicKey, Amount>,
    created: u128,
    spent: u128,
    pub(super) spent_count: u64,
}

impl Touched {
    fn new(subject: &Subject) -> Self {
        let record = Record {
            log_root: Digest::ZERO,
            count: 0,
            last_block: Height::ZERO,
        };
        Self {
            at: subject.position(),
            new_entries: Vec::new(),
            row: RecordRow {
                record,
                frontier: Frontier::new(),
            },
        }
    }
}

impl Changes {
    pub(super) fn new(ledger: &Ledger, height: Height) -> Self {
        let position = ledger.outputs.size();
        Self {
            height,
            applied: BTreeMap::new(),
            outputs: BTreeMap::new(),
            outpoints: BTreeMap::new(),
            touched: BTreeMap::new(),
            names: BTreeMap::new(),
            named: BTreeMap::new(),
            commits: BTreeMap::new(),
            stakes: ledger.stakes.clone(),
            convictions: BTreeMap::new(),
            first_position: position,
            next_position: position,
            transaction_count: 0,
            fees: BTreeMap::new(),
            created: 0,
            spent: 0,
            spent_count: 0,
        }
    }

    /// The genesis outputs under their pseudo transaction.
    pub(super) fn of_genesis(ledger: &Ledger, genesis: &Genesis) -> Result<Self, Error> {
        let mut changes = Self::new(ledger, Height::ZERO);
        let id = genesis_transaction(&ledger.chain);
        let mut touches = BTreeMap::new();
        changes.create(id, &genesis.outputs, role::GENESIS, &mut touches)?;
        changes.log(id, 0, touches)?;
        changes.extend_logs(&ledger.keys)?;
        Ok(changes)
    }

    /// Applies what can be applied, in order; one outcome each.
    pub(super) fn apply<S: Store>(
        &mut self,
        ledger: &Ledger,
        events: &[OrderedEvent],
        store: &S,
    ) -> Result<Vec<Outcome>, Error> {
        let mut outcomes = Vec::new();
        for event in events {
            if !self.stakes.contains_key(&event.creator) {
                return Err(Error::UnknownCreator {
                    creator: event.creator,
                });
            }
            for checked in &event.transactions {
                let outcome = match self.apply_one(ledger, event.creator, checked, store) {
                    Ok(()) => Outcome::Applied,
                    Err(Stop::Rejected(outcome)) => outcome,
                    Err(Stop::Failed(error)) => return Err(error),
                };
                outcomes.push(outcome);
                self.transaction_count = next(self.transaction_count)?;
            }
        }
        Ok(outcomes)
    }

    /// The fees of each creator as one output to its payout key, by ascending peer key.
    pub(super) fn pay_fees(&mut self, ledger: &Ledger) -> Result<(), Error> {
        let mut index = self.transaction_count;
        let fees = core::mem::take(&mut self.fees);
        for peer in &ledger.peers {
            let Some(amount) = fees.get(&peer.peer_key) else {
                continue;
            };
            let id = fee_transaction(&ledger.chain, self.height, &peer.peer_key);
            let output = Output::new(peer.payout_key, *amount);
            let mut touches = BTreeMap::new();
            self.create(id, &[output], role::FEE, &mut touches)?;
            self.log(id, index, touches)?;
            index = next(index)?;
        }
        Ok(())
    }

    /// The block makes as much coin as it spends.
    pub(super) fn check_supply(&self, ledger: &Ledger) -> Result<(), Error> {
        let wanted = u128::from(ledger.supply.get());
        let found = wanted
            .checked_add(self.created)
            .and_then(|sum| sum.checked_sub(self.spent));
        match found {
            Some(found) if found == wanted => Ok(()),
            Some(_) | None => Err(Error::Supply {
                found: found.unwrap_or(u128::MAX),
                wanted,
            }),
        }
    }

    /// Reads the logs of what is touched as they were before the block.
    pub(super) fn read_logs<S: Store>(&mut self, store: &S) -> Result<(), Error> {
        for touched in self.touched.values_mut() {
            if let Some(row) = read(store, map_table(touched.at.map), &touched.at.position.0)? {
                touched.row = row;
            }
        }
        Ok(())
    }

    /// Appends the new entries to their logs.
    pub(super) fn extend_logs(&mut self, keys: &TreeKeys) -> Result<(), Error> {
        for touched in self.touched.values_mut() {
            let RecordRow { record, frontier } = &mut touched.row;
            for row in &mut touched.new_entries {
                row.nodes = completed(frontier, keys, touched.at.map, &row.entry)?;
                record.last_block = row.entry.block;
            }
            record.log_root = frontier.root(keys.log(touched.at.map));
            record.count = frontier.size();
        }
        Ok(())
    }

    pub(super) const fn created_count(&self) -> u64 {
        self.next_position.saturating_sub(self.first_position)
    }

    fn apply_one<S: Store>(
        &mut self,
        ledger: &Ledger,
        creator: PublicKey,
        checked: &Checked,
        store: &S,
    ) -> Result<(), Stop> {
        if let Some(fault) = checked.fault() {
            return Err((*fault).into());
        }
        // A transaction without a fault was decoded.
        let transaction = checked.transaction().ok_or(Reason::Undecodable)?;
        let id = *checked.id();
        let (inputs, fee) = self.check_against(ledger, &id, transaction, store)?;
        self.applied.insert(id, self.transaction_count);
        let mut touches = BTreeMap::new();
        self.spend(id, inputs, &mut touches)?;
        let outputs = &transaction.body.outputs;
        self.create(id, outputs, role::RECEIVER, &mut touches)?;
        match &transaction.body.kind {
            Kind::Transfer | Kind::Data { .. } => {}
            Kind::Evidence(evidence) => {
                self.convict(evidence, id, self.place());
                touch(&mut touches, evidence.peer).role |= role::CONVICTED;
            }
            Kind::Commit { key, .. } => {
                self.commits.insert(*key, id);
                touch(&mut touches, *key).role |= role::COMMIT;
            }
            Kind::Name { name, to, from } => {
                let holder = Holder::after(from.as_ref(), *to);
                let body = transaction.body.clone();
                self.named.insert((name.position(), holder.number), id);
                self.names.insert(*name, (holder, body));
                let named = touches.entry(Subject::Name(*name)).or_default();
                named.role |= role::NAMED;
                touch(&mut touches, *to).role |= role::NAMED;
                if let Some(holder) = from {
                    touch(&mut touches, holder.key).role |= role::UNNAMED;
                }
            }
        }
        self.log(id, self.transaction_count, touches)?;
        if fee > Amount::ZERO {
            let earned = self.fees.entry(creator).or_default();
            *earned = earned.plus(fee).map_err(Error::from)?;
        }
        Ok(())
    }

    /// Where the transaction that is looked at stands.
    const fn place(&self) -> Place {
        Place {
            height: self.height,
            index: self.transaction_count,
        }
    }

    fn spend(
        &mut self,
        txid: Digest,
        inputs: Vec<Input>,
        touches: &mut BTreeMap<Subject, Touch>,
    ) -> Result<(), Error> {
        for (input, Input { position, mut row }) in (0..).zip(inputs) {
            row.spent = Some(Spent {
                txid,
                block: self.height,
                input,
            });
            let output = row.created.output;
            touch(touches, output.owner).role |= role::SPENDER;
            self.spent = sum(self.spent, output.amount)?;
            self.spent_count = self.spent_count.saturating_add(1);
            if let Some(stake) = self.stake_of(&output) {
                *stake = stake.minus(output.amount.into())?;
            }
            self.outputs.insert(position, row);
        }
        Ok(())
    }

    fn create(
        &mut self,
        transaction: Digest,
        outputs: &[Output],
        role: u8,
        touches: &mut BTreeMap<Subject, Touch>,
    ) -> Result<(), Error> {
        for (index, output) in (0..).zip(outputs) {
            let outpoint = Outpoint { transaction, index };
            let position = self.next_position;
            let what = "outputs";
            self.next_position = position.checked_add(1).ok_or(Error::TooMany { what })?;
            let created = Created {
                outpoint,
                output: *output,
                height: self.height,
            };
            let row = OutputRow {
                created,
                spent: None,
            };
            self.outputs.insert(position, row);
            self.outpoints.insert(outpoint, position);
            self.created = sum(self.created, output.amount)?;
            if let Some(stake) = self.stake_of(output) {
                *stake = stake.plus(output.amount.into())?;
            }
            let touch = touch(touches, output.owner);
            touch.role |= role;
            touch.outputs.push(position);
        }
        Ok(())
    }

    /// One entry for each key and name that the transaction touches.
    fn log(
        &mut self,
        txid: Digest,
        index: u32,
        touches: BTreeMap<Subject, Touch>,
    ) -> Result<(), Error> {
        for (subject, touch) in touches {
            let entry = LogEntry {
                txid,
                block: self.height,
                index,
                role: touch.role,
            };
            let row = EntryRow {
                entry,
                nodes: List::empty(),
                outputs: List::new(touch.outputs)?,
            };
            let touched = self.touched.entry(subject);
            let touched = touched.or_insert_with_key(Touched::new);
            touched.new_entries.push(row);
        }
        Ok(())
    }

    /// The stake that an output counts for: coin hosted with a stranger counts for none.
    fn stake_of(&mut self, output: &Output) -> Option<&mut Stake> {
        self.stakes.get_mut(output.host.as_ref()?)
    }
}

fn touch(touches: &mut BTreeMap<Subject, Touch>, key: PublicKey) -> &mut Touch {
    touches.entry(Subject::Key(key)).or_default()
}

/// Appends an entry; returns the complete subtrees that end with it, from its leaf upwards.
fn completed(
    frontier: &mut Frontier,
    keys: &TreeKeys,
    map: Map,
    entry: &LogEntry,
) -> Result<List<Digest, { limits::LOG_DEPTH_MAX }>, Error> {
    let hasher = keys.log(map);
    let mut digest = entry.leaf(keys, map);
    let mut nodes = Vec::from([digest]);
    let leaf = digest;
    // Each trailing one bit of the size is a peak that the new leaf completes to a wider one.
    let completing = usize::try_from(frontier.size().trailing_ones()).unwrap_or(usize::MAX);
    for left in frontier.peaks().iter().rev().take(completing) {
        digest = hasher.node(left, &digest);
        nodes.push(digest);
    }
    frontier.append(hasher, leaf)?;
    Ok(List::new(nodes)?)
}

fn next(count: u32) -> Result<u32, Error> {
    let what = "transactions";
    count.checked_add(1).ok_or(Error::TooMany { what })
}

fn sum(total: u128, amount: Amount) -> Result<u128, Error> {
    let what = "coins";
    total
        .checked_add(u128::from(amount.get()))
        .ok_or(Error::TooMany { what })
}

#[cfg(test)]
mod tests;
