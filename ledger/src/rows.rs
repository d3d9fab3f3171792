//! What the ledger keeps in the store, and under which keys. Keys are big-endian, so that the order
//! of rows is the order of the trees.

use alloc::vec::Vec;

use merkle::{LogEntry, Record, Spent};
use merkle::log::Frontier;
use primitives::codec::{self, Bytes, Canonical, Decode, Encode, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;
use primitives::units::{Height, Stake};
use primitives::{Digest, limits};

use crate::error::Error;
use crate::outcome::Outcome;
use crate::tx::{Outpoint, Output};

/// What a key was to a transaction, as bits of the role of a log entry.
pub mod role {
    /// It signed: one of the inputs was its own.
    pub const SPENDER: u8 = 1;
    /// One of the outputs is its own.
    pub const RECEIVER: u8 = 2;
    /// It earned the fees of a block.
    pub const FEE: u8 = 4;
    /// It owns an output of the genesis.
    pub const GENESIS: u8 = 8;
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

impl Canonical for OutputRow {
    const BYTES_MAX: usize = Created::BYTES_MAX + 1 + Spent::BYTES_MAX;
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

/// Where a transaction stands: table `TransactionIndex`, by id of an applied transaction.
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

/// Table `Key`, by key position: the record of a key and the right edge of its log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct KeyRow {
    /// What the key map holds.
    pub record: Record,
    /// The frontier of the key's log.
    pub frontier: Frontier,
}

impl Canonical for KeyRow {
    const BYTES_MAX: usize = Record::BYTES_MAX + Frontier::BYTES_MAX;
}

/// Table `KeyLog`, by key position and index: an entry and the outputs that the key got by it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct KeyLogRow {
    /// The authenticated entry.
    pub entry: LogEntry,
    /// The positions of the key's new outputs, ascending; an index only, not part of any root.
    pub outputs: List<u64, { limits::GENESIS_OUTPUTS_MAX }>,
}

impl Canonical for KeyLogRow {
    const BYTES_MAX: usize = LogEntry::BYTES_MAX + 4 + 8 * limits::GENESIS_OUTPUTS_MAX;
}

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

/// Where a key stands in the key map: `derive("primus v1 key position", key)`.
#[must_use]
pub fn key_position(key: &PublicKey) -> Digest {
    derive(Domain::KeyPosition, &[&key.0])
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

pub(crate) fn stake_key(height: Height) -> Vec<u8> {
    joined(&[b"stake", &height.get().to_be_bytes()])
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}
