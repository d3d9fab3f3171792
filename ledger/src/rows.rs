//! What the ledger keeps in the store, and under which keys. Keys are big-endian, so that the order
//! of rows is the order of the trees.

use alloc::vec::Vec;

use merkle::hash::TreeHasher;
use merkle::log::Frontier;
use merkle::top::{SizedRoot, StateRoots};
use merkle::{LogEntry, Map, Record, Spent, TreeKeys};
use primitives::codec::{self, Bytes, Canonical, Decode, Encode, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;
use primitives::store::{Store, Table};
use primitives::units::{Epoch, Height, Stake};
use primitives::{Digest, limits};

use crate::committee::{Coverage, Member, Members, choose};
use crate::error::Error;
use crate::header::Header;
use crate::outcome::Outcome;
use crate::tx::{Outpoint, Output};

/// What a key or name was to a transaction, as bits of the role of a log entry.
pub mod role {
    /// It signed: one of the inputs was its own.
    pub const SPENDER: u8 = 1;
    /// One of the outputs is its own.
    pub const RECEIVER: u8 = 2;
    /// It earned the fees of a block.
    pub const FEE: u8 = 4;
    /// It owns an output of the genesis.
    pub const GENESIS: u8 = 8;
    /// It is the peer key that evidence convicted (C10).
    pub const CONVICTED: u8 = 16;
    /// It committed to a hash.
    pub const COMMIT: u8 = 32;
    /// A name came to it; also the role of the name itself.
    pub const NAMED: u8 = 64;
    /// It handed a name over.
    pub const UNNAMED: u8 = 128;
}

/// An output with its name and birth: what its commitment binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Created {
    /// Its name.
    pub outpoint: Outpoint,
    /// What it holds.
    pub output: Output,
    /// The block that made it.
    pub height: Height,
}

impl Canonical for Created {
    const BYTES_MAX: usize = 36 + 32 + 8 + 33 + 4 + 8;
}

impl Created {
    /// The commitment in the outputs tree: `derive("primus v1 output commitment", chain id +
    /// canonical bytes)`.
    ///
    /// # Errors
    /// Never: the encoding is bounded.
    pub fn commitment(&self, chain: &Digest) -> Result<Digest, Error> {
        let bytes = codec::encode(self)?;
        Ok(derive(Domain::OutputCommitment, &[&chain.0, &bytes]))
    }
}

/// Table `Output`, by position: an output and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct OutputRow {
    /// The output.
    pub created: Created,
    /// By what it was spent.
    pub spent: Option<Spent>,
}

impl OutputRow {
    /// The output that this outpoint names, found at this position.
    ///
    /// # Errors
    /// [`Error::Misled`] where the row of the outpoint led elsewhere: no root covers that row, and
    /// a spend of another output would part this peer from the others. [`Error::MissingRow`] or a
    /// failing disk.
    pub(crate) fn of<S: Store>(
        outpoint: &Outpoint,
        position: u64,
        store: &S,
    ) -> Result<Self, Error> {
        let row: Self = demand(store, Table::Output, &position_key(position))?;
        let found = row.created.outpoint;
        if found != *outpoint {
            let outpoint = *outpoint;
            return Err(Error::Misled { outpoint, found });
        }
        Ok(row)
    }
}

impl Canonical for OutputRow {
    const BYTES_MAX: usize = Created::BYTES_MAX + 1 + Spent::BYTES_MAX;
}

/// Table `Outpoint`, by outpoint: where the output stands in the outputs tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct PositionRow {
    /// The number of the output, over all blocks.
    pub position: u64,
}

impl Canonical for PositionRow {
    const BYTES_MAX: usize = 8;
}

/// Table `Transaction`, by height and index: an ordered transaction and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct TransactionRow {
    /// The transaction id.
    pub id: Digest,
    /// The digest of its witnesses.
    pub witness_digest: Digest,
    /// What became of it.
    pub outcome: Outcome,
    /// The bytes as they were ordered.
    pub bytes: Bytes<{ limits::TRANSACTION_BYTES_MAX }>,
}

impl Canonical for TransactionRow {
    const BYTES_MAX: usize = 64 + Outcome::BYTES_MAX + 4 + limits::TRANSACTION_BYTES_MAX;
}

impl TransactionRow {
    /// The leaf of the transactions tree; the caller has checked that id and witness digest are
    /// those of the bytes.
    ///
    /// # Errors
    /// Never: the encoding is bounded.
    pub fn leaf(&self, keys: &TreeKeys) -> Result<Digest, Error> {
        transaction_leaf(keys, &self.id, &self.witness_digest, &self.outcome)
    }
}

/// The leaf of a transaction in the tree of its block: hashed from the id, the witness digest and
/// the canonical outcome.
///
/// # Errors
/// Never: the encoding is bounded.
pub fn transaction_leaf(
    keys: &TreeKeys,
    id: &Digest,
    witness_digest: &Digest,
    outcome: &Outcome,
) -> Result<Digest, Error> {
    let outcome = codec::encode(outcome)?;
    let content = joined(&[&id.0, &witness_digest.0, &outcome]);
    Ok(keys.transactions().leaf(&content))
}

/// Where a transaction stands: table `TransactionIndex`, by id of an applied transaction; table
/// `Meta` for the newest rejection of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Place {
    /// The block.
    pub height: Height,
    /// The index among its transactions.
    pub index: u32,
}

impl Canonical for Place {
    const BYTES_MAX: usize = 12;
}

/// Table `Key` or `Name`, by position: the record of a key or name and the right edge of its log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct RecordRow {
    /// What the map holds.
    pub record: Record,
    /// The frontier of the log.
    pub frontier: Frontier,
}

impl Canonical for RecordRow {
    const BYTES_MAX: usize = Record::BYTES_MAX + Frontier::BYTES_MAX;
}

/// Table `KeyLog` or `NameLog`, by position and index: an entry and the outputs that a key got by it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct EntryRow {
    /// The authenticated entry.
    pub entry: LogEntry,
    /// The complete subtrees of the log that end with the entry, from its leaf upwards.
    pub nodes: List<Digest, { limits::LOG_DEPTH_MAX }>,
    /// The positions of the key's new outputs, ascending; an index only, not part of any root.
    pub outputs: List<u64, { limits::GENESIS_OUTPUTS_MAX }>,
}

impl Canonical for EntryRow {
    const BYTES_MAX: usize =
        LogEntry::BYTES_MAX + 8 + 32 * limits::LOG_DEPTH_MAX + 8 * limits::GENESIS_OUTPUTS_MAX;
}

/// The root and the size of one tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct TreeRow {
    /// The root.
    pub root: Digest,
    /// The number of leaves.
    pub size: u64,
}

/// Table `Block`, by height: a header, and what is left out of its state root: all trees but the
/// block tree, whose earlier roots that tree itself knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct BlockRow {
    /// The header.
    pub header: Header,
    /// The map by key.
    pub key: TreeRow,
    /// The map by name.
    pub name: TreeRow,
    /// The outputs.
    pub outputs: TreeRow,
}

impl Canonical for BlockRow {
    const BYTES_MAX: usize = Header::BYTES_MAX + 3 * 40;
}

impl BlockRow {
    pub(crate) fn new(header: Header, roots: &StateRoots) -> Self {
        Self {
            header,
            key: roots.key.into(),
            name: roots.name.into(),
            outputs: roots.outputs.into(),
        }
    }

    /// The roots under the header's state root; `block` is that of all headers before it.
    pub(crate) fn roots(&self, block: SizedRoot) -> StateRoots {
        StateRoots {
            block,
            key: self.key.into(),
            name: self.name.into(),
            outputs: self.outputs.into(),
        }
    }
}

impl From<SizedRoot> for TreeRow {
    fn from(SizedRoot { root, size }: SizedRoot) -> Self {
        Self { root, size }
    }
}

impl From<TreeRow> for SizedRoot {
    fn from(TreeRow { root, size }: TreeRow) -> Self {
        Self { root, size }
    }
}

/// Table `Meta`: the newest block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct HeadRow {
    /// Its height.
    pub height: Height,
    /// Its consensus root.
    pub root: Digest,
}

impl Canonical for HeadRow {
    const BYTES_MAX: usize = 40;
}

/// Table `Meta`: the leaves of a block's transactions tree, so that a proof reads no transactions.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct LeavesRow {
    /// In the order of the block.
    pub leaves: List<Digest, LEAVES_MAX>,
}

impl Canonical for LeavesRow {
    const BYTES_MAX: usize = 4 + 32 * LEAVES_MAX;
}

/// Transactions of one block: about 32 of the largest payloads from every peer.
const LEAVES_MAX: usize = 1 << 26;

/// Table `Meta`: the stake of every peer at a snapshot height (C2).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct StakeRow {
    /// Stake by ascending peer key.
    pub stakes: List<(PublicKey, Stake), { limits::PEERS_MAX }>,
}

impl Canonical for StakeRow {
    const BYTES_MAX: usize = 4 + 40 * limits::PEERS_MAX;
}

/// Table `Meta`: the committee of an epoch, and the stake it was chosen from (C1).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct CommitteeRow {
    /// The stake of all peers in good standing at the snapshot; zero if there was none, so that the
    /// committee before went on.
    pub eligible: Stake,
    /// The members, as their digest in headers has them.
    pub members: Members,
}

impl Canonical for CommitteeRow {
    const BYTES_MAX: usize = 8 + Members::BYTES_MAX;
}

impl CommitteeRow {
    /// Chooses a committee; none if no candidate has stake. Rule C1.
    ///
    /// # Errors
    /// An overflow of the sum of stakes.
    pub(crate) fn choose(candidates: Vec<Member>) -> Result<Option<Self>, Error> {
        let eligible = Stake::sum(candidates.iter().map(|candidate| candidate.stake))?;
        let members = choose(candidates);
        if members.is_empty() {
            return Ok(None);
        }
        let members = Members {
            version: 1,
            members: List::new(members)?,
        };
        Ok(Some(Self { eligible, members }))
    }

    pub(crate) fn coverage(&self) -> Coverage {
        let members = &self.members.members;
        // They are among those whose stake was summed, or a committee that was chosen before.
        let stake = Stake::sum(members.iter().map(|member| member.stake)).unwrap_or(Stake::MAX);
        Coverage {
            members: members.len(),
            stake,
            eligible: self.eligible,
        }
    }
}

/// Table `Meta`: by what a peer lost its standing (C10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct ConvictionRow {
    /// The id of the applied evidence.
    pub transaction: Digest,
    /// Where it stands.
    pub place: Place,
}

impl Canonical for ConvictionRow {
    const BYTES_MAX: usize = 32 + Place::BYTES_MAX;
}

/// Where a key stands in the key map: `derive("primus v1 key position", key)`.
#[must_use]
pub fn key_position(key: &PublicKey) -> Digest {
    derive(Domain::KeyPosition, &[&key.0])
}

/// Where the records of a map are kept.
#[must_use]
pub const fn map_table(map: Map) -> Table {
    match map {
        Map::Key => Table::Key,
        Map::Name => Table::Name,
    }
}

/// Where the logs of a map are kept.
#[must_use]
pub const fn log_table(map: Map) -> Table {
    match map {
        Map::Key => Table::KeyLog,
        Map::Name => Table::NameLog,
    }
}

pub(crate) fn height_key(height: Height) -> Vec<u8> {
    height.get().to_be_bytes().to_vec()
}

pub(crate) fn place_key(place: Place) -> Vec<u8> {
    joined(&[
        &place.height.get().to_be_bytes(),
        &place.index.to_be_bytes(),
    ])
}

pub(crate) fn position_key(position: u64) -> Vec<u8> {
    position.to_be_bytes().to_vec()
}

pub(crate) fn outpoint_key(outpoint: &Outpoint) -> Vec<u8> {
    joined(&[&outpoint.transaction.0, &outpoint.index.to_be_bytes()])
}

pub(crate) fn log_key(position: &Digest, index: u64) -> Vec<u8> {
    joined(&[&position.0, &index.to_be_bytes()])
}

/// Table `Meta`: where the stake at the snapshot of `height` stands (C2).
#[must_use]
pub fn stake_key(height: Height) -> Vec<u8> {
    joined(&[b"stake", &height.get().to_be_bytes()])
}

/// Table `Meta`: where the committee of `epoch` stands (C30).
#[must_use]
pub fn committee_key(epoch: Epoch) -> Vec<u8> {
    joined(&[b"committee", &epoch.get().to_be_bytes()])
}

/// Table `Meta`: where a peer's conviction stands (C10).
#[must_use]
pub fn conviction_key(peer: &PublicKey) -> Vec<u8> {
    joined(&[b"conviction", &peer.0])
}

pub(crate) fn head_key() -> Vec<u8> {
    b"head".to_vec()
}

/// Table `Meta`: where the [`Holder`](crate::tx::Holder) of the name at this position stands.
#[must_use]
pub fn holder_key(position: &Digest) -> Vec<u8> {
    joined(&[b"holder", &position.0])
}

/// Table `Meta`: where the [`Body`](crate::tx::Body) of the newest transaction of the name at this
/// position stands. It proves the holder also where its block is pruned.
#[must_use]
pub fn named_key(position: &Digest) -> Vec<u8> {
    joined(&[b"named", &position.0])
}

/// Table `Meta`: where the leaves of a block's transactions tree stand.
#[must_use]
pub fn leaves_key(height: Height) -> Vec<u8> {
    joined(&[b"leaves", &height.get().to_be_bytes()])
}

/// Table `Meta`: where the newest rejection of a transaction stands.
#[must_use]
pub fn rejected_key(id: &Digest) -> Vec<u8> {
    joined(&[b"rejected", &id.0])
}

/// The row under `key`, if there is one.
///
/// # Errors
/// A failing disk, or a row that does not decode.
pub(crate) fn read<S: Store, T: Canonical>(
    store: &S,
    table: Table,
    key: &[u8],
) -> Result<Option<T>, Error> {
    let bytes = store.get(table, key)?;
    Ok(bytes.map(|bytes| codec::decode(&bytes)).transpose()?)
}

/// The row under `key`, which other rows refer to.
///
/// # Errors
/// [`Error::MissingRow`]; as [`read`].
pub(crate) fn demand<S: Store, T: Canonical>(
    store: &S,
    table: Table,
    key: &[u8],
) -> Result<T, Error> {
    read(store, table, key)?.ok_or(Error::MissingRow { table })
}

/// The number of elements.
pub(crate) fn count_of<T>(elements: &[T]) -> u64 {
    // No usize is wider than 64 bits.
    u64::try_from(elements.len()).unwrap_or(u64::MAX)
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[cfg(test)]
mod tests;
