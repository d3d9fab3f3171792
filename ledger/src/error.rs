//! Why a genesis, a question or a block cannot be handled. A rejected transaction is not an error.

use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::store::{StoreError, Table};
use primitives::units::{Epoch, Height};

use crate::tx::{Name, Outpoint};

/// A refusal, or a reason for the peer to stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes, key, list or sum at fault.
    #[error(transparent)]
    Primitive(#[from] primitives::Error),
    /// The disk failed; the peer stops.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A tree refused an operation.
    #[error(transparent)]
    Tree(#[from] merkle::Error),
    /// A genesis of another version.
    #[error("genesis version {found} where 1 was due")]
    GenesisVersion {
        /// The version found.
        found: u8,
    },
    /// Epoch parameters below 1.
    #[error("lag {lag} and period {period} where each must be at least 1")]
    Epochs {
        /// The lag found.
        lag: u64,
        /// The period found.
        period: u64,
    },
    /// Waits in the wrong order.
    #[error("shortest wait {least} ms above the longest of {most} ms")]
    Waits {
        /// The shortest wait found.
        least: u64,
        /// The longest wait found.
        most: u64,
    },
    /// A genesis that allows new coin.
    #[error("genesis allows minting, which version 1 does not know")]
    Mint,
    /// Peers that are not by ascending key, each once.
    #[error("peer {key} is repeated or out of order")]
    PeerOrder {
        /// The second of the two.
        key: PublicKey,
    },
    /// A name that is empty, unprintable or taken.
    #[error("the name of peer {key} is empty, unprintable or taken")]
    PeerName {
        /// The peer.
        key: PublicKey,
    },
    /// Text that is no name.
    #[error("a name is 1 to 64 of a-z, 0-9 and -, and neither begins nor ends with -")]
    Name,
    /// A key that stands for two peers.
    #[error("key {key} stands for two peers")]
    PeerKeyRepeated {
        /// The key.
        key: PublicKey,
    },
    /// An output hosted with a peer that does not exist.
    #[error("an output is hosted with {host}, which is no peer")]
    UnknownHost {
        /// The host named.
        host: PublicKey,
    },
    /// A genesis that hosts no coin with any peer.
    #[error("no coin is hosted with any peer, so nobody could settle a block")]
    NoStake,
    /// A draft that needs the signature of an owner who is not among the signers.
    #[error("no signer for owner {owner}")]
    MissingSigner {
        /// The owner.
        owner: PublicKey,
    },
    /// A block that does not follow the last one.
    #[error("block of height {found} where {wanted} was due")]
    Height {
        /// The height found.
        found: Height,
        /// The next height.
        wanted: Height,
    },
    /// A block of a committee that is not that of its height.
    #[error("block of epoch {found} where {wanted} was due")]
    Epoch {
        /// The epoch found.
        found: Epoch,
        /// The epoch of its height.
        wanted: Epoch,
    },
    /// A question about an epoch that has not begun here.
    #[error("epoch {found} where the last one begun is {last}")]
    UnknownEpoch {
        /// The epoch asked for.
        found: Epoch,
        /// The epoch of the next block.
        last: Epoch,
    },
    /// A stored committee other than the last header names; the peer stops.
    #[error("the committee in force has digest {found} where {wanted} was due")]
    Committee {
        /// The digest of the row.
        found: Digest,
        /// The digest in the header.
        wanted: Digest,
    },
    /// A stored outpoint that leads to another output; the peer stops.
    #[error("the row of outpoint {outpoint:?} leads to the output {found:?}")]
    Misled {
        /// The outpoint looked up.
        outpoint: Outpoint,
        /// The outpoint of the output it led to.
        found: Outpoint,
    },
    /// The rows of a name tell two holders; the peer stops.
    #[error("the rows of name {name} tell two holders")]
    TwoHolders {
        /// The name.
        name: Name,
    },
    /// An event of a creator who is no peer.
    #[error("an ordered event is of {creator}, which is no peer")]
    UnknownCreator {
        /// The creator named.
        creator: PublicKey,
    },
    /// More transactions or entries than their numbering can hold.
    #[error("more {what} than can be numbered")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
    },
    /// Unspent coin differs from the coin of the genesis; the peer stops.
    #[error("unspent coin of {found} where {wanted} was due")]
    Supply {
        /// The sum of the unspent outputs.
        found: u128,
        /// The sum of the genesis outputs.
        wanted: u128,
    },
    /// A store that lacks a row which other rows refer to; the peer stops.
    #[error("a row is missing in table {}", table.name())]
    MissingRow {
        /// The table.
        table: Table,
    },
    /// Rows that give another state root than the last header; the peer stops.
    #[error("rows give state root {found} where the last header has {wanted}")]
    StateRoot {
        /// The root of the rows.
        found: Digest,
        /// The root in the header.
        wanted: Digest,
    },
    /// Blocks that end with another header than the one recorded as the newest; the peer stops.
    #[error("the blocks end with consensus root {found} where {wanted} was due")]
    Head {
        /// The root of the last header found.
        found: Digest,
        /// The root recorded.
        wanted: Digest,
    },
    /// A store that holds another chain; the peer stops.
    #[error("the store begins with seed {found} where {wanted} was due")]
    OtherChain {
        /// The first seed of the stored chain.
        found: Digest,
        /// The first seed of the given genesis.
        wanted: Digest,
    },
    /// A question about a height that is not settled here.
    #[error("height {found} where the last settled one is {last}")]
    UnknownHeight {
        /// The height asked for.
        found: Height,
        /// The last settled height.
        last: Height,
    },
    /// A question about a block whose transactions are gone.
    #[error("block {found} is pruned: transactions are kept from block {first} on")]
    Pruned {
        /// The block.
        found: Height,
        /// The first one whose transactions are kept.
        first: Height,
    },
}

impl Error {
    /// The key to blame, where one is known.
    #[must_use]
    pub const fn culprit(&self) -> Option<&PublicKey> {
        match self {
            Self::Primitive(error) => error.culprit(),
            Self::PeerOrder { key }
            | Self::PeerName { key }
            | Self::PeerKeyRepeated { key }
            | Self::UnknownHost { host: key }
            | Self::MissingSigner { owner: key }
            | Self::UnknownCreator { creator: key } => Some(key),
            Self::Store(_)
            | Self::Tree(_)
            | Self::GenesisVersion { .. }
            | Self::Epochs { .. }
            | Self::Waits { .. }
            | Self::Mint
            | Self::NoStake
            | Self::Height { .. }
            | Self::Epoch { .. }
            | Self::UnknownEpoch { .. }
            | Self::Committee { .. }
            | Self::Misled { .. }
            | Self::TwoHolders { .. }
            | Self::Name
            | Self::TooMany { .. }
            | Self::Supply { .. }
            | Self::MissingRow { .. }
            | Self::StateRoot { .. }
            | Self::Head { .. }
            | Self::OtherChain { .. }
            | Self::Pruned { .. }
            | Self::UnknownHeight { .. } => None,
        }
    }
}
