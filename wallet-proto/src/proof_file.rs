//! `.primusproof`: a claim and all it takes to check it offline, from the genesis alone.
//!
//! One canonical byte string: version, chain id, claim, the handovers from the genesis committee to
//! the one that signs, and the answer of a peer. Nothing in it is optional, so whichever byte is
//! changed, the file is refused and the failing part named.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use ledger::tx::{Kind, Outpoint};
use merkle::proof::output::OutputStatus;
use primitives::Digest;
use primitives::codec::{self, Canonical, Decode, Encode, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;

use crate::check::{self, KeyHistory, KnownOutput, SettledTransaction};
use crate::error::{Error, Part};
use crate::reply::{Answer, Handover};
use crate::request::Page;
use crate::trust::{Certified, Trust, same};
use crate::wire;

/// Handovers of one file: with epochs of 4,096 blocks, as many as a million blocks have.
pub const HANDOVERS_MAX: usize = 256;

/// A claim with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct ProofFile {
    /// The chain.
    pub chain: Digest,
    /// What is claimed.
    pub claim: Claim,
    /// `derive("primus v1 receipt", chain id + canonical claim)`: an absence holds for many keys, so
    /// a damaged claim could be as true as the one that was meant.
    pub seal: Digest,
    /// One for each epoch from the first to that of the answer's snapshot.
    pub handovers: List<Handover, HANDOVERS_MAX>,
    /// The proof.
    pub answer: Answer,
}

impl Canonical for ProofFile {
    const BYTES_MAX: usize = 32 * 1024 * 1024;
}

impl ProofFile {
    /// The file for what `claim` says on `chain`.
    ///
    /// # Errors
    /// [`Error::Encoding`] above [`HANDOVERS_MAX`].
    pub fn new(
        chain: Digest,
        claim: Claim,
        handovers: Vec<Handover>,
        answer: Answer,
    ) -> Result<Self, Error> {
        Ok(Self {
            chain,
            claim,
            seal: seal(&chain, &claim)?,
            handovers: List::new(handovers)?,
            answer,
        })
    }
}

/// What a proof file claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Claim {
    /// What became of a transaction.
    Transaction {
        /// Its id.
        id: Digest,
    },
    /// What an output holds and whether it is spent.
    Output {
        /// Its name.
        outpoint: Outpoint,
    },
    /// The transactions of a key: all of them, or the newest page.
    History {
        /// The key.
        key: PublicKey,
    },
}

impl Canonical for Claim {
    const BYTES_MAX: usize = 40;
}

/// What a proof file has proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// What became of a transaction.
    Transaction(Box<SettledTransaction>),
    /// What an output holds and whether it is spent.
    Output(KnownOutput),
    /// The transactions of a key.
    History(KeyHistory),
}

/// The bytes of a proof file.
///
/// # Errors
/// [`Error::Encoding`] above the limit of a file.
pub fn to_bytes(file: &ProofFile) -> Result<Vec<u8>, Error> {
    wire::to_bytes(file)
}

/// Checks a proof file offline. Only the genesis counts: committees that `trust` followed since are
/// proven by the file itself. Cost: about 20 us a signature.
///
/// # Errors
/// A typed error naming the part that fails; whoever made the file is to blame.
pub fn verify(bytes: &[u8], trust: &Trust) -> Result<Statement, Error> {
    let file: ProofFile = wire::from_bytes(bytes)?;
    let mut trust = trust.from_start();
    same(Part::Chain, file.chain, *trust.chain())?;
    same(Part::Claim, seal(&file.chain, &file.claim)?, file.seal)?;
    trust.follow_all(&file.handovers)?;
    // A handover beyond the snapshot's epoch would be idle.
    let epoch = file.answer.snapshot.header.epoch;
    if trust.epoch() != epoch {
        return Err(Error::OtherEpoch {
            found: trust.epoch(),
            wanted: epoch,
        });
    }
    let answer = &file.answer;
    match &file.claim {
        Claim::Transaction { id } => check::transaction(id, answer, &trust)
            .map(|settled| Statement::Transaction(Box::new(settled))),
        Claim::Output { outpoint } => {
            check::output(outpoint, answer, &trust).map(Statement::Output)
        }
        Claim::History { key } => {
            check::history(key, Page::All, answer, &trust).map(Statement::History)
        }
    }
}

fn seal(chain: &Digest, claim: &Claim) -> Result<Digest, Error> {
    Ok(derive(Domain::Receipt, &[&chain.0, &codec::encode(claim)?]))
}

impl Statement {
    /// The certified block it is proven under.
    #[must_use]
    pub const fn as_of(&self) -> &Certified {
        match self {
            Self::Transaction(proven) => &proven.as_of,
            Self::Output(proven) => &proven.as_of,
            Self::History(proven) => &proven.as_of,
        }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transaction(proven) => write_transaction(proven, f)?,
            Self::Output(proven) => write_output(proven, f)?,
            Self::History(proven) => write!(f, "{proven}")?,
        }
        write!(f, "; {}", self.as_of())
    }
}

impl fmt::Display for KeyHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (height, count) = (self.as_of.height(), self.entries.len());
        if self.first == 0 {
            write!(
                f,
                "complete to block {height}: these are all {count} transactions of key "
            )?;
            return write!(f, "{}, no more exist", self.key);
        }
        write!(
            f,
            "up to block {height}: these are the newest {count} transactions of key "
        )?;
        write!(f, "{}; {} older ones exist", self.key, self.first)
    }
}

impl fmt::Display for Certified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (height, root) = (self.height(), self.root());
        if height == primitives::units::Height::ZERO {
            return write!(f, "root {root} of block 0 is that of the genesis");
        }
        let percent = self.percent();
        write!(
            f,
            "root {root} of block {height} is signed by {percent} % of the stake"
        )
    }
}

fn write_transaction(proven: &SettledTransaction, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (id, height) = (proven.checked.id(), proven.header.height);
    let (index, outcome) = (proven.index, &proven.outcome);
    write!(
        f,
        "transaction {id} was {outcome}, in block {height} at place {index}, "
    )?;
    write!(f, "time {} ms", proven.header.time)?;
    let Some(transaction) = proven.checked.transaction() else {
        return write!(f, "; its bytes are not a transaction");
    };
    match &transaction.body.kind {
        Kind::Transfer => {}
        Kind::Data { bytes, .. } => write!(f, "; it carries {} bytes", bytes.len())?,
    }
    for output in transaction.body.outputs.iter() {
        write!(f, "; {} to key {}", output.amount, output.owner)?;
    }
    Ok(())
}

fn write_output(proven: &KnownOutput, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (created, outpoint) = (&proven.created, &proven.created.outpoint);
    let (amount, owner) = (created.output.amount, created.output.owner);
    write!(f, "output {}:{} ", outpoint.transaction, outpoint.index)?;
    write!(
        f,
        "of {amount} for key {owner}, made in block {}, ",
        created.height
    )?;
    match &proven.status {
        OutputStatus::Unspent { as_of } => write!(f, "is unspent as of block {as_of}"),
        OutputStatus::Spent(spent) => {
            write!(
                f,
                "was spent in block {} by transaction {}",
                spent.block, spent.txid
            )
        }
    }
}

#[cfg(test)]
mod tests;
