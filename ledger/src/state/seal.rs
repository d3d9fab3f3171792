//! Turns the changes of a block into new roots, a header and one batch.

use alloc::vec::Vec;

use merkle::hash::TreeHasher;
use merkle::leaf::output_leaf;
use merkle::transactions::TransactionTree;
use merkle::{Map, TreeKeys};
use primitives::Digest;
use primitives::codec::{self, Bytes, Canonical, List};
use primitives::store::{Batch, Table};
use primitives::units::{Epoch, Height, Round, Time};

use super::changes::{Changes, Touched};
use super::{Block, Executed, Ledger};
use crate::committee::committee_digest;
use crate::error::Error;
use crate::header::{Counts, Header};
use crate::outcome::{Outcome, Reason};
use crate::rows::{
    BlockRow, CommitteeRow, HeadRow, LeavesRow, Place, PositionRow, StakeRow, TransactionRow,
    conviction_key, count_of, head_key, height_key, holder_key, leaves_key, log_key, log_table,
    map_table, named_key, outpoint_key, place_key, position_key, rejected_key, stake_key,
};
use crate::stats::Stats;
use crate::tx::{Checked, Kind};

/// What a header takes from consensus.
pub(super) struct Frame {
    pub(super) height: Height,
    pub(super) epoch: Epoch,
    pub(super) round: Round,
    pub(super) leader: Digest,
    pub(super) previous: Digest,
    pub(super) time: Time,
    pub(super) seed: Digest,
    pub(super) committee: Digest,
    pub(super) next_committee: Option<CommitteeRow>,
}

impl Frame {
    pub(super) fn of_genesis(ledger: &Ledger) -> Self {
        Self {
            height: Height::ZERO,
            epoch: Epoch::ZERO,
            round: Round::ZERO,
            leader: Digest::ZERO,
            previous: Digest::ZERO,
            time: ledger.parameters.time,
            seed: ledger.header.seed,
            committee: ledger.committee_digest(),
            next_committee: None,
        }
    }

    pub(super) fn of_block(block: &Block, ledger: &Ledger) -> Self {
        Self {
            height: block.height,
            epoch: block.epoch,
            round: block.round,
            leader: block.leader,
            previous: ledger.root,
            time: block.time,
            seed: block.seed,
            committee: ledger.committee_digest(),
            next_committee: None,
        }
    }
}

impl Ledger {
    /// Carries the changes into the trees and makes the block's header and writes.
    pub(super) fn seal(
        &mut self,
        frame: Frame,
        changes: Changes,
        transactions: Vec<(Checked, Outcome)>,
    ) -> Result<Executed, Error> {
        let mut batch = Batch::new();
        for (checked, outcome) in &transactions {
            self.stats.count_transaction(checked, outcome);
        }
        self.stats.count_block(&changes);
        let counts = self.counts(&changes, &transactions);
        self.update_outputs(&changes, &mut batch)?;
        self.update_maps(&changes, &mut batch)?;
        self.roots.block = self.blocks.sized_root()?;
        self.roots.key = self.key_map.sized_root();
        self.roots.name = self.name_map.sized_root();
        self.roots.outputs = self.outputs.sized_root()?;
        for (peer, row) in &changes.convictions {
            put(&mut batch, Table::Meta, conviction_key(peer), row)?;
        }
        self.stakes = changes.stakes;
        self.write_snapshot(frame.height, &mut batch)?;
        let (tree, outcomes) =
            write_transactions(&self.keys, frame.height, transactions, &mut batch)?;
        let next = frame.next_committee;
        let next_digest = next
            .as_ref()
            .map(|row| committee_digest(&row.members.members));
        let header = Header {
            version: 1,
            height: frame.height,
            epoch: frame.epoch,
            round: frame.round,
            leader: frame.leader,
            previous: frame.previous,
            time: frame.time,
            transactions: tree.root(),
            transaction_count: tree.count(),
            state: self.roots.state_root(&self.keys),
            seed: frame.seed,
            committee: frame.committee,
            next_committee: next_digest.transpose()?,
            counts: Counts {
                outputs: self.roots.outputs.size,
                keys: self.roots.key.size,
                names: self.roots.name.size,
                ..counts
            },
        };
        self.write_header(header, &mut batch)?;
        let next_committee = next.as_ref().map(|row| row.members.members.to_vec());
        if let Some(row) = next {
            self.committee = row;
            self.write_committee(frame.epoch.later(1), &mut batch)?;
        }
        Ok(Executed {
            header,
            root: self.root,
            outcomes,
            next_committee,
            batch,
        })
    }

    fn counts(&self, changes: &Changes, transactions: &[(Checked, Outcome)]) -> Counts {
        let before = self.header.counts;
        let applied = transactions
            .iter()
            .map(|(_, outcome)| u64::from(outcome.is_applied()));
        let applied = applied.fold(0, u64::saturating_add);
        let rejected = count_of(transactions).saturating_sub(applied);
        Counts {
            unspent: before
                .unspent
                .saturating_add(changes.created_count())
                .saturating_sub(changes.spent_count),
            applied: before.applied.saturating_add(applied),
            rejected: before.rejected.saturating_add(rejected),
            ..before
        }
    }

    fn update_outputs(&mut self, changes: &Changes, batch: &mut Batch) -> Result<(), Error> {
        let (mut older, mut newer) = (Vec::new(), Vec::new());
        for (position, row) in &changes.outputs {
            let commitment = row.created.commitment(&self.chain)?;
            let leaf = output_leaf(&self.keys, &commitment, row.spent.as_ref());
            if *position < changes.first_position {
                older.push((*position, leaf));
            } else {
                newer.push(leaf);
            }
            put(batch, Table::Output, position_key(*position), row)?;
        }
        let workers = self.workers.as_ref();
        self.outputs.update(&older, changes.height, workers)?;
        self.outputs.append(&newer, changes.height, workers);
        for (outpoint, position) in &changes.outpoints {
            let row = PositionRow {
                position: *position,
            };
            put(batch, Table::Outpoint, outpoint_key(outpoint), &row)?;
        }
        Ok(())
    }

    fn update_maps(&mut self, changes: &Changes, batch: &mut Batch) -> Result<(), Error> {
        let (mut keys, mut names) = (Vec::with_capacity(changes.touched.len()), Vec::new());
        for Touched {
            at,
            row,
            new_entries,
        } in changes.touched.values()
        {
            let records = match at.map {
                Map::Key => &mut keys,
                Map::Name => &mut names,
            };
            records.push((at.position, row.record.hash(&self.keys, at.map)));
            put(batch, map_table(at.map), at.position.0.to_vec(), row)?;
            let first = row.record.count.saturating_sub(count_of(new_entries));
            for (index, entry) in (first..).zip(new_entries) {
                put(
                    batch,
                    log_table(at.map),
                    log_key(&at.position, index),
                    entry,
                )?;
            }
        }
        for (name, (holder, body)) in &changes.names {
            let position = name.position();
            put(batch, Table::Meta, holder_key(&position), holder)?;
            put(batch, Table::Meta, named_key(&position), body)?;
        }
        let workers = self.workers.as_ref();
        self.key_map.update(&keys, changes.height, workers)?;
        self.name_map.update(&names, changes.height, workers)?;
        Ok(())
    }

    /// C2: stake counts as it is at every height that is a multiple of the period.
    fn write_snapshot(&self, height: Height, batch: &mut Batch) -> Result<(), Error> {
        if !self.parameters.is_snapshot(height) {
            return Ok(());
        }
        let stakes = self.stakes.iter().map(|(key, stake)| (*key, *stake));
        let stakes = List::new(stakes.collect())?;
        put(batch, Table::Meta, stake_key(height), &StakeRow { stakes })
    }

    fn write_header(&mut self, header: Header, batch: &mut Batch) -> Result<(), Error> {
        self.header = header;
        self.root = header.root()?;
        self.blocks.append(self.keys.block().leaf(&self.root.0));
        let row = BlockRow::new(header, &self.roots);
        put(batch, Table::Block, height_key(header.height), &row)?;
        let head = HeadRow {
            height: header.height,
            root: self.root,
        };
        put(batch, Table::Meta, head_key(), &head)
    }
}

impl Stats {
    fn count_block(&mut self, changes: &Changes) {
        self.blocks = self.blocks.saturating_add(1);
        self.outputs_created = self.outputs_created.saturating_add(changes.created_count());
        self.outputs_spent = self.outputs_spent.saturating_add(changes.spent_count);
    }

    fn count_transaction(&mut self, checked: &Checked, outcome: &Outcome) {
        let bytes = count_of(checked.bytes());
        self.transaction_bytes = self.transaction_bytes.saturating_add(bytes);
        let kind = checked
            .transaction()
            .map(|transaction| &transaction.body.kind);
        let counter = match (outcome, kind) {
            (Outcome::Applied, Some(Kind::Data { .. })) => &mut self.data_applied,
            (Outcome::Applied, Some(Kind::Evidence(_))) => &mut self.evidence_applied,
            (Outcome::Applied, Some(Kind::Commit { .. })) => &mut self.commits_applied,
            (Outcome::Applied, Some(Kind::Name { .. })) => &mut self.names_applied,
            (Outcome::Applied, Some(Kind::Transfer) | None) => &mut self.transfers_applied,
            (Outcome::Rejected { reason, .. }, _) => {
                if matches!(reason, Reason::SpentInput { .. }) {
                    self.conflicts = self.conflicts.saturating_add(1);
                }
                if *reason == Reason::Duplicate {
                    self.duplicates = self.duplicates.saturating_add(1);
                }
                &mut self.rejected
            }
        };
        *counter = counter.saturating_add(1);
    }
}

fn write_transactions(
    keys: &TreeKeys,
    height: Height,
    transactions: Vec<(Checked, Outcome)>,
    batch: &mut Batch,
) -> Result<(TransactionTree, Vec<(Digest, Outcome)>), Error> {
    let mut leaves = Vec::with_capacity(transactions.len());
    let mut outcomes = Vec::with_capacity(transactions.len());
    for (index, (checked, outcome)) in (0..).zip(transactions) {
        let (id, place) = (*checked.id(), Place { height, index });
        if outcome.is_applied() {
            put(batch, Table::TransactionIndex, id.0.to_vec(), &place)?;
        } else {
            put(batch, Table::Meta, rejected_key(&id), &place)?;
        }
        let row = TransactionRow {
            id,
            witness_digest: *checked.witness_digest(),
            outcome,
            bytes: Bytes::new(checked.into_bytes())?,
        };
        leaves.push(row.leaf(keys)?);
        outcomes.push((id, outcome));
        put(batch, Table::Transaction, place_key(place), &row)?;
    }
    let tree = TransactionTree::new(keys.transactions(), &leaves)?;
    if !leaves.is_empty() {
        let leaves = List::new(leaves)?;
        put(
            batch,
            Table::Meta,
            leaves_key(height),
            &LeavesRow { leaves },
        )?;
    }
    Ok((tree, outcomes))
}

fn put<T: Canonical>(batch: &mut Batch, table: Table, key: Vec<u8>, row: &T) -> Result<(), Error> {
    batch.put(table, key, codec::encode(row)?);
    Ok(())
}
