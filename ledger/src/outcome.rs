//! What became of an ordered transaction: applied, or rejected with a reason and the winner.

use core::fmt;

use primitives::Digest;
use primitives::codec::{Canonical, Decode, Encode};
use primitives::units::{Amount, Height};

/// What became of a transaction in its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Outcome {
    /// It took effect.
    Applied,
    /// It changed nothing.
    Rejected {
        /// Why.
        reason: Reason,
        /// The transaction that came first: the spender of the input, or the applied copy (C23).
        winner: Option<Digest>,
    },
}

impl Canonical for Outcome {
    const BYTES_MAX: usize = 64;
}

impl Outcome {
    /// A rejection without a winner.
    #[must_use]
    pub const fn rejected(reason: Reason) -> Self {
        Self::Rejected {
            reason,
            winner: None,
        }
    }

    /// Whether the transaction took effect.
    #[must_use]
    pub const fn is_applied(&self) -> bool {
        matches!(self, Self::Applied)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied => f.write_str("applied"),
            Self::Rejected {
                reason,
                winner: None,
            } => write!(f, "rejected: {reason}"),
            Self::Rejected {
                reason,
                winner: Some(winner),
            } => write!(f, "rejected: {reason}; transaction {winner} came first"),
        }
    }
}

/// Why a transaction was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Reason {
    /// The bytes are not the canonical encoding of a transaction.
    #[error("the bytes are not a transaction")]
    Undecodable,
    /// The bytes exceed the limit of a transaction.
    #[error("the transaction is larger than 320 KiB")]
    TooLarge,
    /// A version of the encoding that this chain does not know.
    #[error("transaction version {found} where 1 was due")]
    Version {
        /// The version found.
        found: u8,
    },
    /// Nothing is spent where something must be.
    #[error("the transaction spends no output")]
    NoInputs,
    /// One output is spent twice by the same transaction.
    #[error("input {input} repeats an earlier one")]
    RepeatedInput {
        /// The index of the second.
        input: u32,
    },
    /// The outputs together exceed every possible supply.
    #[error("the outputs sum up to more than 64 bits")]
    SumOverflow,
    /// Two witnesses of one key, or more witnesses than inputs and keys that must sign.
    #[error("witness {witness} is one too many")]
    ExtraWitness {
        /// The index of the witness.
        witness: u32,
    },
    /// A signature that does not hold for the owner it names.
    #[error("the signature of witness {witness} does not hold")]
    BadSignature {
        /// The index of the witness.
        witness: u32,
    },
    /// The transaction has been applied already.
    #[error("the transaction has been applied already")]
    Duplicate,
    /// It was ordered after the last height it is valid for.
    #[error("the transaction was valid until height {valid_until} only")]
    Expired {
        /// The last height.
        valid_until: Height,
    },
    /// An output that does not exist, or not yet.
    #[error("input {input} names an unknown output")]
    MissingInput {
        /// The index of the input.
        input: u32,
    },
    /// An output that another transaction has spent.
    #[error("input {input} is spent already")]
    SpentInput {
        /// The index of the input.
        input: u32,
    },
    /// The witnesses are not those of the inputs' owners in order of first appearance, then of the
    /// others that must sign.
    #[error("the witnesses are not those of the owners of the inputs and of who else must sign")]
    NotOwner,
    /// More comes out than goes in.
    #[error("outputs of {outputs} exceed inputs of {inputs}")]
    NotConserved {
        /// The sum of the inputs.
        inputs: Amount,
        /// The sum of the outputs.
        outputs: Amount,
    },
    /// Too little is left for the fee.
    #[error("fee {fee} where at least {wanted} is due")]
    FeeTooLow {
        /// Inputs minus outputs.
        fee: Amount,
        /// The chain's least fee.
        wanted: Amount,
    },
    /// Data without inputs on a chain where data costs coin.
    #[error("data is not free on this chain and the transaction spends no output")]
    DataNotFree,
    /// Two headers that are not of one place on one self-chain of this chain, or one header twice.
    #[error("the two headers do not contradict each other")]
    NoContradiction,
    /// A signature of the evidence does not hold.
    #[error("a signature of the evidence does not hold")]
    FalseEvidence,
    /// The accused was no such member of the committee of that epoch.
    #[error("the committee of that epoch has no such member with this event key")]
    UnknownCulprit,
    /// The accused has lost its standing already.
    #[error("the peer has been convicted already")]
    Convicted,
    /// The key has committed to something in this block already.
    #[error("the key has made its commit in this block already")]
    SecondCommit,
    /// The name is registered, or handed over by that holder, already.
    #[error("the name is registered or handed over already")]
    NameTaken,
    /// It hands over a name that its signer never held.
    #[error("the signer does not hold the name")]
    NameNotHeld,
    /// The name of a peer, which its payout key alone registers.
    #[error("the name is that of a peer, whose payout key alone may register it")]
    NameReserved,
}

#[cfg(test)]
mod tests;
