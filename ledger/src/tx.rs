//! Transactions: what owners sign, what peers order.
//!
//! ```text
//!   Body { kind, inputs, outputs, memo, valid_until } --id--> what each owner signs once
//!   Transaction = Body + one witness an owner, in order of first appearance among the inputs,
//!                 then one for each other key that the kind asks for
//! ```
//!
//! Three phases: [`check`] alone (shape, sums, signatures: needs nothing but the chain's id),
//! against the state (inputs, owners, balance, fee), and applying. A transaction that fails any of
//! them stays in the order as rejected.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use primitives::codec::{self, Bytes, Canonical, Decode, Encode, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{PublicKey, Signature};
use primitives::units::{Amount, Height};
use primitives::{Digest, limits};

use crate::error::Error;

pub mod check;
pub mod data;
pub mod draft;
pub mod evidence;
pub mod name;
pub mod transfer;

pub use check::{Checked, check_alone, check_batch, check_payload};
pub use draft::{TransferDraft, sign};
pub use evidence::Evidence;
pub use name::{Holder, Name};

/// An output by name: the transaction that made it and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Outpoint {
    /// The transaction's id.
    pub transaction: Digest,
    /// The place among its outputs.
    pub index: u32,
}

/// What must be fulfilled beside the owner's signature. A closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Lock {
    /// Nothing.
    #[default]
    None,
}

/// Coin for an owner. Zero is legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Output {
    /// Who may spend it.
    pub owner: PublicKey,
    /// How much.
    pub amount: Amount,
    /// The peer key whose stake it counts as while unspent.
    pub host: Option<PublicKey>,
    /// What spending takes beside the signature.
    pub lock: Lock,
}

impl Output {
    /// Coin for `owner`, hosted with nobody.
    #[must_use]
    pub const fn new(owner: PublicKey, amount: Amount) -> Self {
        Self {
            owner,
            amount,
            host: None,
            lock: Lock::None,
        }
    }
}

/// What a transaction is for. A closed list.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Kind {
    /// Moves coin.
    Transfer,
    /// Puts opaque bytes on record, in the transactions tree alone.
    Data {
        /// Tells equal bytes apart, so that they can be sent twice.
        nonce: u64,
        /// The bytes, which nobody here reads.
        bytes: Bytes<{ limits::DATA_BYTES_MAX }>,
    },
    /// Costs a peer that equivocated its standing (C10).
    Evidence(Box<Evidence>),
    /// Puts a hash on record as the one word of a key in its block.
    Commit {
        /// Whose word it is; it signs.
        key: PublicKey,
        /// The hash of what it commits to.
        hash: Digest,
    },
    /// Registers a name, or hands it over.
    Name {
        /// The name.
        name: Name,
        /// Who holds it from then on; it signs where it registers.
        to: PublicKey,
        /// Who hands it over, and signs; none registers it.
        from: Option<Holder>,
    },
}

impl Kind {
    /// Who must sign beside the owners of the inputs.
    #[must_use]
    pub fn signers(&self) -> Vec<PublicKey> {
        match self {
            Self::Transfer | Self::Data { .. } | Self::Evidence(_) => Vec::new(),
            Self::Commit { key, .. } => vec![*key],
            Self::Name { to, from, .. } => vec![from.map_or(*to, |holder| holder.key)],
        }
    }

    /// Whom it makes the holder of a name.
    pub(crate) fn holder(&self) -> Option<Holder> {
        match self {
            Self::Transfer | Self::Data { .. } | Self::Evidence(_) | Self::Commit { .. } => None,
            Self::Name { to, from, .. } => Some(Holder::after(from.as_ref(), *to)),
        }
    }
}

/// What one transaction at most can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taken {
    /// An output, by spending it.
    Output(Outpoint),
    /// A place among the transactions of a name.
    Name {
        /// Where the name stands in the map of names.
        position: Digest,
        /// The number of the transaction.
        number: u64,
    },
}

/// The inputs of one transaction.
pub type Inputs = List<Outpoint, { limits::INPUTS_MAX }>;
/// The outputs of one transaction.
pub type Outputs = List<Output, { limits::OUTPUTS_MAX }>;

/// What a transaction's id covers: all but the witnesses.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Body {
    /// The version of this encoding, 1.
    pub version: u8,
    /// What it is for.
    pub kind: Kind,
    /// What it spends, each once.
    pub inputs: Inputs,
    /// What it makes; inputs minus outputs is the fee.
    pub outputs: Outputs,
    /// The digest of something that belongs to it, such as a contract or a conversation.
    pub memo: Option<Digest>,
    /// The last height that may apply it.
    pub valid_until: Option<Height>,
}

impl Canonical for Body {
    const BYTES_MAX: usize = limits::TRANSACTION_BYTES_MAX;
}

impl Body {
    /// Opaque bytes without inputs, as chains with free data take them.
    ///
    /// # Errors
    /// [`primitives::Error::TooLong`] above [`limits::DATA_BYTES_MAX`].
    pub fn data(nonce: u64, bytes: Vec<u8>) -> Result<Self, Error> {
        let bytes = Bytes::new(bytes)?;
        Ok(Self::of(Kind::Data { nonce, bytes }))
    }

    /// A body that does nothing but what its kind is for.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        Self {
            version: 1,
            kind,
            inputs: List::empty(),
            outputs: List::empty(),
            memo: None,
            valid_until: None,
        }
    }

    /// The transaction id: `derive("primus v1 transaction", chain id + canonical bytes)`.
    ///
    /// # Errors
    /// [`primitives::Error::TooLong`] above [`limits::TRANSACTION_BYTES_MAX`].
    pub fn id(&self, chain: &Digest) -> Result<Digest, Error> {
        Ok(body_digest(chain, &codec::encode(self)?))
    }
}

/// An owner's signature over the transaction id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Witness {
    /// The owner of one or more inputs.
    pub owner: PublicKey,
    /// Its signature over chain id and transaction id.
    pub signature: Signature,
}

impl Witness {
    /// Encoded bytes.
    pub const BYTES: usize = 96;
}

/// A transaction as it travels and is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Transaction {
    /// What the owners sign.
    pub body: Body,
    /// One for each distinct owner, in order of first appearance among the inputs, then for the
    /// others that the kind asks to sign.
    pub witnesses: List<Witness, { limits::WITNESSES_MAX }>,
}

impl Canonical for Transaction {
    const BYTES_MAX: usize = limits::TRANSACTION_BYTES_MAX;
}

impl Transaction {
    /// A transaction that needs no witness.
    #[must_use]
    pub const fn unsigned(body: Body) -> Self {
        Self {
            body,
            witnesses: List::empty(),
        }
    }

    /// The id, which no change of the witnesses changes.
    ///
    /// # Errors
    /// As [`Body::id`].
    pub fn id(&self, chain: &Digest) -> Result<Digest, Error> {
        self.body.id(chain)
    }

    /// What it takes, each once if it is well formed: of two transactions that take one thing one at
    /// most is ever applied (C23).
    pub fn takes(&self) -> impl Iterator<Item = Taken> {
        let inputs = self.body.inputs.iter().copied().map(Taken::Output);
        let name = match &self.body.kind {
            Kind::Name { name, from, .. } => Some(Taken::Name {
                position: name.position(),
                number: Holder::next_number(from.as_ref()),
            }),
            Kind::Transfer | Kind::Data { .. } | Kind::Evidence(_) | Kind::Commit { .. } => None,
        };
        inputs.chain(name)
    }
}

/// The transactions of one event, in their order. An event without any has no payload bytes at all.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Payload {
    /// The version of this encoding, 1.
    pub version: u8,
    /// Each one's bytes, not yet known to be a transaction.
    pub transactions:
        List<Bytes<{ limits::TRANSACTION_BYTES_MAX }>, { limits::PAYLOAD_TRANSACTIONS_MAX }>,
}

impl Canonical for Payload {
    const BYTES_MAX: usize = limits::PAYLOAD_BYTES_MAX;
}

impl Payload {
    /// Bytes that a payload adds to those of its transactions.
    pub const BYTES_FIXED: usize = 5;
    /// Bytes that a payload adds for each of its transactions.
    pub const BYTES_PER_TRANSACTION: usize = 4;

    /// The payload bytes of these transactions; none for none.
    ///
    /// # Errors
    /// Too many transactions, one that is too long, or too many bytes together.
    pub fn bytes(transactions: Vec<Vec<u8>>) -> Result<Vec<u8>, Error> {
        if transactions.is_empty() {
            return Ok(Vec::new());
        }
        let transactions: Result<Vec<_>, _> = transactions.into_iter().map(Bytes::new).collect();
        let payload = Self {
            version: 1,
            transactions: List::new(transactions?)?,
        };
        Ok(codec::encode(&payload)?)
    }
}

/// The id of the pseudo transaction that makes the genesis outputs.
#[must_use]
pub fn genesis_transaction(chain: &Digest) -> Digest {
    derive(Domain::GenesisTransaction, &[&chain.0])
}

/// The id of the pseudo transaction whose output 0 holds the fees of `creator`'s events in the
/// block at `height`.
#[must_use]
pub fn fee_transaction(chain: &Digest, height: Height, creator: &PublicKey) -> Digest {
    let height = height.get().to_le_bytes();
    derive(Domain::FeeTransaction, &[&chain.0, &height, &creator.0])
}

fn body_digest(chain: &Digest, body: &[u8]) -> Digest {
    derive(Domain::Transaction, &[&chain.0, body])
}

#[cfg(test)]
mod tests;
