//! `primus fsck`: every row of a store against the hashes that vouch for it, and every root anew.
//!
//! ```text
//!   event, payload     <- their ids                         order, chain   -> events
//!   transaction        <- its id, the root in the header     index, leaves  -> transactions
//!   output, outpoint   <- the outputs root                   key, key log   <- the key map's root
//!   block              <- the consensus root of the next one, the head, the state root
//!   stake, committee   <- outputs, headers                   rejected, conviction <- transactions
//!   certificate, seal  <- the signatures of a quorum         checkpoint   <- the newest header
//! ```
//!
//! Of a pruned store what lies before the first epoch kept is not checked, but for the number of
//! applied transactions there. A certificate, a seal or the own head that is missing is no fault.
//!
//! Nothing is executed: that is what [`crate::replay`] does.

use std::collections::BTreeMap;

use dag::committee::Committee;
use dag::event::{Event, Evidence, Signed, payload_digest};
use ledger::committee::committee_digest;
use ledger::prune::KeptFrom;
use ledger::rows::{
    BlockRow, CommitteeRow, LeavesRow, Place, TransactionRow, TreeRow, committee_key, leaves_key,
};
use ledger::tx::check_alone;
use ledger::{Genesis, Header, Ledger};
use merkle::hash::TreeHasher;
use merkle::log::Frontier;
use merkle::top::{SizedRoot, StateRoots};
use merkle::transactions::TransactionTree;
use merkle::{Map, TreeKeys};
use primitives::Digest;
use primitives::store::{Store, Table};
use primitives::units::{Epoch, Height};
use replica::rows::evidence_key;

use crate::error::Error;
use crate::export;

mod meta;
pub(crate) mod rows;
mod state;

use meta::Told;
use rows::{At, count, count_from, demand, raw_rows, read, rows, same};

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
    /// Keys and names.
    pub keys: u64,
    /// Entries of the logs of keys and names.
    pub entries: u64,
    /// The first epoch whose events are kept; above zero in a pruned store.
    pub first_epoch: u64,
    /// The first block whose order and transactions are kept. What came before was not checked.
    pub first_block: u64,
    /// Rows from before, which pruning has not come to yet and nobody needs.
    pub idle: u64,
}

/// Checks every row of `store`, which should be of the chain of `genesis`; `tell` hears which table
/// is next. Cost: the signatures of every event and transaction, a few hashes a row; the trees in
/// memory.
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
        genesis,
        chain,
        keys: TreeKeys::new(&chain),
        committees: BTreeMap::new(),
        committee_digest: None,
        kept: KeptFrom::read(store).map_err(replica::Error::from)?,
        told: Told::default(),
        applied: 0,
        checked: Checked::default(),
    };
    fsck.checked.first_epoch = fsck.kept.epoch.get();
    fsck.checked.first_block = fsck.kept.height.get();
    tell(Table::Block);
    let newest = fsck.blocks()?;
    tell(Table::Event);
    fsck.events()?;
    tell(Table::Output);
    fsck.outputs(&newest)?;
    let head = newest.header.height;
    tell(Table::Key);
    fsck.logs(Map::Key, Table::Key, Table::KeyLog, (&newest.key, head))?;
    tell(Table::Name);
    fsck.logs(Map::Name, Table::Name, Table::NameLog, (&newest.name, head))?;
    tell(Table::Meta);
    fsck.meta(&newest)?;
    count(store, Table::Attestation, 0)?;
    // The supply, and the trees as the node itself restores them.
    let restored = Ledger::restore(genesis, store);
    restored.map_err(|error| At(Table::Meta, b"head").bad(error))?;
    Ok(fsck.checked)
}

struct Fsck<'a, S> {
    store: &'a S,
    genesis: &'a Genesis,
    chain: Digest,
    keys: TreeKeys,
    committees: BTreeMap<Epoch, Committee>,
    /// The epoch of the last block, and the digest of its committee's row.
    committee_digest: Option<(Epoch, Digest)>,
    kept: KeptFrom,
    told: Told,
    applied: u64,
    checked: Checked,
}

impl<S: Store> Fsck<'_, S> {
    fn events(&mut self) -> Result<(), Error> {
        let store = self.store;
        let (mut payloads, mut idle) = (0, 0);
        rows(store, Table::Event, |key, signed: Signed| {
            let wrong = At(Table::Event, key);
            same(&wrong, "id", &signed.id().0, key)?;
            let header = signed.header();
            let (epoch, wanted) = (header.epoch, header.payload);
            let payload = store.get(Table::Payload, key)?;
            payloads += u64::from(payload.is_some());
            if epoch < self.kept.epoch {
                idle += 1;
                return Ok(());
            }
            let payload = payload.unwrap_or_default();
            let found = payload_digest(&payload);
            same(&At(Table::Payload, key), "digest", &found.0, &wanted.0)?;
            let committee = self.committee(epoch, &wrong)?;
            Event::verify(signed, &payload, committee).map_err(|error| wrong.bad(error))?;
            self.checked.events += 1;
            Ok(())
        })?;
        count(store, Table::Payload, payloads)?;
        count(store, Table::Chain, self.checked.events + idle)?;
        self.checked.idle += idle;
        raw_rows(store, Table::Chain, |key, id| {
            demand(store, Table::Event, id, &At(Table::Chain, key))
        })?;
        rows(store, Table::Evidence, |key, evidence: Evidence| {
            let wrong = At(Table::Evidence, key);
            let epoch = evidence.first.header().epoch;
            let committee = self.committee(epoch, &wrong)?;
            let forker = evidence.verify(committee);
            let forker = forker.and_then(|forker| committee.member(forker));
            let forker = forker.map_err(|error| wrong.bad(error))?;
            same(&wrong, "peer", &evidence_key(epoch, &forker.key), key)
        })
    }

    /// The committee of `epoch`, whose digest stands in the headers.
    fn committee(&mut self, epoch: Epoch, wrong: &At<'_>) -> Result<&Committee, Error> {
        if !self.committees.contains_key(&epoch) {
            let start = export::epoch_start(self.store, self.genesis, epoch);
            let start = start.map_err(|error| wrong.bad(error))?;
            self.committees.insert(epoch, start.committee);
        }
        let committee = self.committees.get(&epoch);
        committee.ok_or_else(|| wrong.bad("of an epoch without a committee"))
    }

    fn blocks(&mut self) -> Result<BlockRow, Error> {
        let store = self.store;
        let mut past = Frontier::new();
        let mut last: Option<(BlockRow, Digest)> = None;
        let mut orders = 0;
        rows(store, Table::Block, |key, row: BlockRow| {
            let (wrong, header) = (At(Table::Block, key), &row.header);
            let due = last.map_or(Height::ZERO, |(last, _)| last.header.height.later(1));
            let height = due.get().to_be_bytes();
            same(&wrong, "height", key, &height)?;
            same(&wrong, "height", key, &header.height.get().to_be_bytes())?;
            let previous = last.map_or(Digest::ZERO, |(_, root)| root);
            same(&wrong, "previous root", &header.previous.0, &previous.0)?;
            let state = self.state_root(&row, &past);
            same(&wrong, "state root", &state.0, &header.state.0)?;
            self.known_committee(header)?;
            if due >= self.kept.height {
                self.transactions(&row)?;
            }
            if due > Height::ZERO && due >= self.kept.height {
                self.order(due)?;
                orders += 1;
            }
            let root = header.root().map_err(|error| wrong.bad(error))?;
            let hasher = self.keys.block();
            let appended = past.append(hasher, hasher.leaf(&root.0));
            appended.map_err(|error| wrong.bad(error))?;
            last = Some((row, root));
            self.checked.blocks += 1;
            Ok(())
        })?;
        let last = last.ok_or_else(|| At(Table::Block, &[]).bad("there is no block"))?;
        let first = self.kept.height.get().to_be_bytes();
        let transactions = self.checked.transactions;
        self.checked.idle += count_from(store, Table::Transaction, &first, transactions)?;
        self.checked.idle += count_from(store, Table::Order, &first, orders)?;
        self.index()?;
        Ok(last.0)
    }

    /// The ids of applied transactions. Of those in pruned blocks only the number is known.
    fn index(&self) -> Result<(), Error> {
        let (first, mut kept, mut older) = (self.kept.height, 0, 0);
        rows(self.store, Table::TransactionIndex, |_, place: Place| {
            let counter = if place.height < first {
                &mut older
            } else {
                &mut kept
            };
            *counter += 1;
            Ok(())
        })?;
        let before = match first {
            Height::ZERO => None,
            first => export::header(self.store, first.earlier(1))?,
        };
        let found = (kept, older);
        let wanted = (
            self.applied,
            before.map_or(0, |header| header.counts.applied),
        );
        if found != wanted {
            let wrong = At(Table::TransactionIndex, &[]);
            let text =
                format!("{found:?} rows of kept and pruned blocks where {wanted:?} were due");
            return Err(wrong.bad(text));
        }
        Ok(())
    }

    fn state_root(&self, row: &BlockRow, past: &Frontier) -> Digest {
        let sized = |tree: &TreeRow| SizedRoot {
            root: tree.root,
            size: tree.size,
        };
        let roots = StateRoots {
            block: SizedRoot {
                root: past.root(self.keys.block()),
                size: past.size(),
            },
            key: sized(&row.key),
            name: sized(&row.name),
            outputs: sized(&row.outputs),
        };
        roots.state_root(&self.keys)
    }

    fn known_committee(&mut self, header: &Header) -> Result<(), Error> {
        let key = committee_key(header.epoch);
        let wrong = At(Table::Meta, &key);
        let found = match self.committee_digest {
            Some((epoch, digest)) if epoch == header.epoch => digest,
            _ => {
                let row: CommitteeRow = read(self.store, Table::Meta, &key)?;
                committee_digest(&row.members.members).map_err(|error| wrong.bad(error))?
            }
        };
        self.committee_digest = Some((header.epoch, found));
        same(&wrong, "committee digest", &found.0, &header.committee.0)
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
                self.told.applied(row.id, checked.transaction(), place);
                self.applied += 1;
                let found: Place = read(self.store, Table::TransactionIndex, &row.id.0)?;
                if found != place {
                    let wrong = At(Table::TransactionIndex, &row.id.0);
                    return Err(wrong.bad(format!("{found:?} where {place:?} was due")));
                }
            }
            if !row.outcome.is_applied() {
                self.told.rejected(row.id, place);
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
        self.told.leaves += 1;
        let key = leaves_key(header.height);
        let row: LeavesRow = read(self.store, Table::Meta, &key)?;
        if *row.leaves != *leaves {
            let wrong = At(Table::Meta, &key);
            return Err(wrong.bad("other leaves than the transactions have"));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
