//! The state machine: four trees in memory, their rows in the store, one block after the other.
//!
//! ```text
//!   Block --changes (reads only)--> what changes --seal--> trees, header, one batch
//! ```
//!
//! The state root S_n in header n covers the block tree over the headers 0 to n - 1 and the other
//! trees as they are after block n; then the consensus root of header n becomes leaf n of the block
//! tree. Source: docs/spec/state.md section 1.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use merkle::dense::DenseTree;
use merkle::log::LogTree;
use merkle::map::MapTree;
use merkle::top::{State, StateRoots};
use merkle::workers::{Sequential, Workers};
use merkle::{Map, TreeKeys};
use primitives::Digest;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;
use primitives::store::{Batch, Store, Table};
use primitives::units::{Amount, Epoch, Height, Round, Stake, Time};

use crate::committee::{Member, committee_digest};
use crate::error::Error;
use crate::genesis::{Genesis, Parameters, Peer};
use crate::header::{Counts, Header};
use crate::outcome::Outcome;
use crate::rows::{BlockRow, CommitteeRow, height_key, read};
use crate::stats::Stats;
use crate::tx::Checked;

mod changes;
mod epochs;
mod restore;
mod rules;
mod seal;
mod standing;

use changes::Changes;
use seal::Frame;

/// The transactions of one ordered event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedEvent {
    /// The peer key of its creator, who earns the fees.
    pub creator: PublicKey,
    /// Its transactions in their order.
    pub transactions: Vec<Checked>,
}

/// A settled block: what consensus says of it, and the events it orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its height, one above the last.
    pub height: Height,
    /// The epoch of the committee that settled it, which must be that of the height (C30).
    pub epoch: Epoch,
    /// The round that the leader led.
    pub round: Round,
    /// The leader's event id.
    pub leader: Digest,
    /// The block time (C29a).
    pub time: Time,
    /// The seed after the block (C17).
    pub seed: Digest,
    /// Its events in the total order (C22).
    pub events: Vec<OrderedEvent>,
}

/// What executing a block yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// The block's header.
    pub header: Header,
    /// The consensus root: the header's digest, which peers attest (C29).
    pub root: Digest,
    /// What became of each transaction, by id, in the order of the block.
    pub outcomes: Vec<(Digest, Outcome)>,
    /// In a sealing block the members of the next epoch's committee by ascending peer key (C30).
    pub next_committee: Option<Vec<Member>>,
    /// Every write of the block.
    pub batch: Batch,
}

/// The state after the last block.
#[derive(Debug, Clone)]
pub struct Ledger {
    chain: Digest,
    parameters: Parameters,
    peers: Vec<Peer>,
    supply: Amount,
    stakes: BTreeMap<PublicKey, Stake>,
    committee: CommitteeRow,
    keys: TreeKeys,
    pub(crate) blocks: LogTree,
    pub(crate) key_map: MapTree,
    pub(crate) name_map: MapTree,
    pub(crate) outputs: DenseTree,
    pub(crate) roots: StateRoots,
    header: Header,
    root: Digest,
    stats: Stats,
    workers: Arc<dyn Workers>,
}

impl Ledger {
    /// The state after the genesis block, and the writes that make it. Cost: about 10 us an output.
    ///
    /// # Errors
    /// As [`Genesis::check`].
    pub fn genesis(genesis: &Genesis) -> Result<(Self, Batch), Error> {
        genesis.check()?;
        let mut ledger = Self::empty(genesis)?;
        let changes = Changes::of_genesis(&ledger, genesis)?;
        let frame = Frame::of_genesis(&ledger);
        let mut executed = ledger.seal(frame, changes, Vec::new())?;
        ledger.write_committee(Epoch::ZERO, &mut executed.batch)?;
        Ok((ledger, executed.batch))
    }

    /// The state that the rows of `store` hold, rebuilt and compared with the last header; none if
    /// the store is empty. Cost: a scan of all outputs, keys and headers, some 3 us each.
    ///
    /// # Errors
    /// [`Error::OtherChain`], [`Error::StateRoot`], [`Error::Supply`], [`Error::MissingRow`] or a
    /// failing disk; in each case the peer stops.
    pub fn restore<S: Store>(genesis: &Genesis, store: &S) -> Result<Option<Self>, Error> {
        restore::restore(Self::empty(genesis)?, store)
    }

    /// Who hashes the trees from the next block on, instead of the caller's own thread. No digest
    /// depends on it.
    pub fn hash_with(&mut self, workers: Arc<dyn Workers>) {
        self.workers = workers;
    }

    /// Executes the next block. The store must hold every earlier batch. After an error the ledger
    /// must not be used again.
    ///
    /// # Errors
    /// [`Error::Height`], [`Error::Epoch`], [`Error::UnknownCreator`] for a block that does not belong
    /// here; [`Error::Supply`], [`Error::MissingRow`] or a failing disk, upon which the peer stops.
    pub fn execute<S: Store>(&mut self, block: Block, store: &S) -> Result<Executed, Error> {
        let height = self.next_height();
        if block.height != height {
            return Err(Error::Height {
                found: block.height,
                wanted: height,
            });
        }
        let epoch = self.parameters.epoch_of(height);
        if block.epoch != epoch {
            return Err(Error::Epoch {
                found: block.epoch,
                wanted: epoch,
            });
        }
        let mut changes = Changes::new(self, height);
        let outcomes = changes.apply(self, &block.events, store)?;
        changes.pay_fees(self)?;
        changes.check_supply(self)?;
        changes.read_logs(store)?;
        changes.extend_logs(&self.keys)?;
        let frame = Frame {
            next_committee: self.next_committee(&changes, store)?,
            ..Frame::of_block(&block, self)
        };
        let transactions = block
            .events
            .into_iter()
            .flat_map(|event| event.transactions);
        self.seal(frame, changes, transactions.zip(outcomes).collect())
    }

    /// What would become of the transactions of these events in the next block; nothing changes.
    ///
    /// # Errors
    /// As [`Ledger::execute`]. Rule C26.
    pub fn preview<S: Store>(
        &self,
        events: &[OrderedEvent],
        store: &S,
    ) -> Result<Vec<(Digest, Outcome)>, Error> {
        let outcomes = Changes::new(self, self.next_height()).apply(self, events, store)?;
        let transactions = events.iter().flat_map(|event| &event.transactions);
        let ids = transactions.map(|checked| *checked.id());
        Ok(ids.zip(outcomes).collect())
    }

    /// The chain's id.
    #[must_use]
    pub const fn chain(&self) -> &Digest {
        &self.chain
    }

    /// The chain's parameters.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The genesis peers by ascending peer key.
    #[must_use]
    pub fn peers(&self) -> &[Peer] {
        &self.peers
    }

    /// The keys of the chain's trees.
    #[must_use]
    pub const fn tree_keys(&self) -> &TreeKeys {
        &self.keys
    }

    /// The last header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The consensus root of the last header.
    #[must_use]
    pub const fn root(&self) -> &Digest {
        &self.root
    }

    /// The last height.
    #[must_use]
    pub const fn height(&self) -> Height {
        self.header.height
    }

    /// The last state root with its height, under which every answer is proven.
    #[must_use]
    pub const fn state(&self) -> State {
        State {
            height: self.header.height,
            root: self.header.state,
        }
    }

    /// All coin there is.
    #[must_use]
    pub const fn supply(&self) -> Amount {
        self.supply
    }

    /// The coin hosted with each genesis peer after the last block.
    #[must_use]
    pub const fn stakes(&self) -> &BTreeMap<PublicKey, Stake> {
        &self.stakes
    }

    /// What this peer has executed since its start.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The header of `height`; none above the last one.
    ///
    /// # Errors
    /// A failing disk or an unreadable row.
    pub fn header_at<S: Store>(&self, height: Height, store: &S) -> Result<Option<Header>, Error> {
        if height == self.height() {
            return Ok(Some(self.header));
        }
        let row: Option<BlockRow> = read(store, Table::Block, &height_key(height))?;
        Ok(row.map(|row| row.header))
    }

    fn empty(genesis: &Genesis) -> Result<Self, Error> {
        let chain = genesis.chain_id()?;
        let keys = TreeKeys::new(&chain);
        let blocks = LogTree::new(*keys.block());
        let key_map = MapTree::new(Map::Key, &keys);
        let name_map = MapTree::new(Map::Name, &keys);
        let outputs = DenseTree::new(*keys.outputs());
        let roots = StateRoots {
            block: blocks.sized_root()?,
            key: key_map.sized_root(),
            name: name_map.sized_root(),
            outputs: outputs.sized_root()?,
        };
        let committee = CommitteeRow::choose(genesis.candidates()?)?.ok_or(Error::NoStake)?;
        let zero = |peer: &Peer| (peer.peer_key, Stake::ZERO);
        Ok(Self {
            chain,
            parameters: genesis.parameters,
            peers: genesis.peers.to_vec(),
            supply: genesis.supply()?,
            stakes: genesis.peers.iter().map(zero).collect(),
            header: before_genesis(&chain, committee_digest(&committee.members.members)?),
            committee,
            root: Digest::ZERO,
            stats: Stats::default(),
            keys,
            blocks,
            key_map,
            name_map,
            outputs,
            roots,
            workers: Arc::new(Sequential),
        })
    }

    const fn next_height(&self) -> Height {
        self.header.height.later(1)
    }
}

/// The first seed of a chain: `derive("primus v1 seed genesis", chain id)`. Rule C17.
#[must_use]
pub fn first_seed(chain: &Digest) -> Digest {
    derive(Domain::SeedGenesis, &[&chain.0])
}

/// Stands for the header before the genesis block, which never leaves this crate.
fn before_genesis(chain: &Digest, committee: Digest) -> Header {
    Header {
        version: 1,
        height: Height::ZERO,
        epoch: Epoch::ZERO,
        round: Round::ZERO,
        leader: Digest::ZERO,
        previous: Digest::ZERO,
        time: Time::ZERO,
        transactions: Digest::ZERO,
        transaction_count: 0,
        state: Digest::ZERO,
        seed: first_seed(chain),
        committee,
        next_committee: None,
        counts: Counts::default(),
    }
}

#[cfg(test)]
mod tests;
