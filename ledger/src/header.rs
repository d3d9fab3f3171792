//! Headers: what a peer attests of a block, and all that a wallet needs to keep.

use primitives::Digest;
use primitives::codec::{self, Canonical, Decode, Encode};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::units::{Epoch, Height, Round, Time};

use crate::error::Error;

/// How much there is after a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Counts {
    /// Outputs ever created.
    pub outputs: u64,
    /// Outputs not yet spent.
    pub unspent: u64,
    /// Keys ever touched.
    pub keys: u64,
    /// Names ever registered.
    pub names: u64,
    /// Transactions applied since genesis.
    pub applied: u64,
    /// Transactions rejected since genesis.
    pub rejected: u64,
}

/// The header of a block. Its digest is the block's consensus root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Header {
    /// The version of this encoding, 1.
    pub version: u8,
    /// The height; 0 for the genesis block.
    pub height: Height,
    /// The epoch (C30).
    pub epoch: Epoch,
    /// The round that the leader led.
    pub round: Round,
    /// The leader's event id; zero for the genesis block.
    pub leader: Digest,
    /// The consensus root of the block before; zero for the genesis block.
    pub previous: Digest,
    /// The block time (C29a).
    pub time: Time,
    /// The root over the block's transactions.
    pub transactions: Digest,
    /// The number of the block's transactions.
    pub transaction_count: u32,
    /// The state root S_n after the block; its block tree ends with the header before.
    pub state: Digest,
    /// The seed after the block (C17).
    pub seed: Digest,
    /// The digest of the committee that settled the block.
    pub committee: Digest,
    /// In a sealing block the digest of the next epoch's committee (C30).
    pub next_committee: Option<Digest>,
    /// What there is after the block.
    pub counts: Counts,
}

impl Canonical for Header {
    const BYTES_MAX: usize = 1 + 4 * 8 + 6 * 32 + 4 + 33 + 6 * 8;
}

impl Header {
    /// The consensus root: `derive("primus v1 header", canonical bytes)`.
    ///
    /// # Errors
    /// Never for a header within its bounds.
    pub fn root(&self) -> Result<Digest, Error> {
        Ok(derive(Domain::Header, &[&codec::encode(self)?]))
    }
}

#[cfg(test)]
mod tests;
