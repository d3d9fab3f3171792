//! What a peer answers. Progress may come any number of times, then one answer or one error.
//!
//! Every answer is given against one certified block n: the peer makes the proof at its newest
//! executed block and holds the answer until a quorum has attested that block.

use alloc::boxed::Box;
use core::fmt;

use ledger::committee::Members;
use ledger::rows::Created;
use ledger::{Header, Outcome};
use merkle::proof::block::BlockInclusion;
use merkle::proof::complete::{AllEntries, NewEntries, RecentEntries};
use merkle::proof::output::OutputProof;
use merkle::proof::record::RecordProof;
use merkle::proof::span::EntrySpan;
use merkle::proof::transaction::TransactionInclusion;
use primitives::codec::{Bytes, Canonical, Decode, Encode, List};
use primitives::limits;
use primitives::units::Height;

use crate::certificate::Certificate;
use crate::request::{TRANSACTIONS_MAX, TransactionBytes};
use crate::snapshot::{CHUNK_BYTES_MAX, Manifest};

/// Bytes of the plain words in a refusal.
pub const TEXT_BYTES_MAX: usize = 256;

/// What a peer answers to a request.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Reply {
    /// No answer will come.
    Error(Refusal),
    /// Some transactions have come further; more replies follow.
    Progress(List<Step, { 4 * TRANSACTIONS_MAX }>),
    /// The answer, with its proof.
    Answer(Box<Answer>),
    /// What the peer's newest snapshot is of.
    Manifest(Box<Manifest>),
    /// A chunk of it.
    Chunk(Bytes<CHUNK_BYTES_MAX>),
}

impl Canonical for Reply {
    const BYTES_MAX: usize = limits::WALLET_REPLY_BYTES_MAX - 1;
}

/// Why a peer does not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people: UTF-8, one sentence.
    pub text: Bytes<TEXT_BYTES_MAX>,
}

impl Refusal {
    /// A refusal with these words, cut at [`TEXT_BYTES_MAX`].
    #[must_use]
    pub fn new(code: Code, text: &str) -> Self {
        let text = text.bytes().take(TEXT_BYTES_MAX).collect();
        Self {
            code,
            // Never longer than its bound.
            text: Bytes::new(text).unwrap_or_default(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        match core::str::from_utf8(&self.text) {
            // Control characters could forge lines of a terminal or a log.
            Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => {
                write!(f, ": {text}")
            }
            _ => Ok(()),
        }
    }
}

/// The closed list of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Code {
    /// Too much to do at the moment; try again or elsewhere.
    Busy,
    /// The bytes are no request of a version that the peer knows.
    Unknown,
    /// The request or the transaction breaks a rule of its form.
    Malformed,
    /// There is no such thing under the newest certified block.
    NotFound,
    /// The height or epoch asked for is not certified yet.
    TooEarly,
    /// The peer has no longer what the answer needs.
    Pruned,
    /// The peer is at odds with a certified root or its own disk and serves nobody.
    Quarantined,
    /// The transaction cannot be applied as things stand.
    Invalid,
    /// The peer stops.
    Stopping,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "busy",
            Self::Unknown => "unknown request",
            Self::Malformed => "malformed",
            Self::NotFound => "not found",
            Self::TooEarly => "too early",
            Self::Pruned => "pruned",
            Self::Quarantined => "quarantined",
            Self::Invalid => "invalid",
            Self::Stopping => "stopping",
        })
    }
}

/// How far one transaction of a request has come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Step {
    /// Its position in the request.
    pub position: u16,
    /// The stage reached.
    pub stage: Stage,
}

/// The stages of a transaction (C25). What a peer claims here is not proven.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Stage {
    /// The peer does not take it.
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// The peer holds it.
    Seen,
    /// A third of the stake supports it.
    Endorsed,
    /// Half of the stake backs it.
    Official,
    /// A settled block orders it.
    Final {
        /// The block.
        height: Height,
        /// The place among the transactions of the block.
        index: u32,
        /// What became of it.
        outcome: Outcome,
    },
    /// A quorum has attested the block, so that a proof can be had.
    Proven {
        /// The block.
        height: Height,
    },
}

/// A body and the certified block that it is proven under.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Answer {
    /// The certified block.
    pub snapshot: Snapshot,
    /// What was asked for.
    pub body: Body,
}

/// A block that a quorum has attested.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Snapshot {
    /// Its header, with the state root that proofs lead to.
    pub header: Header,
    /// A quorum's attestations of it; empty at height 0, which the genesis gives.
    pub certificate: Certificate,
}

/// A sealing block and the committee that it hands over to (C30).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Handover {
    /// The last block of an epoch, certified by that epoch's committee.
    pub sealing: Snapshot,
    /// The committee of the next epoch.
    pub members: Members,
}

impl Canonical for Handover {
    const BYTES_MAX: usize = limits::WALLET_REPLY_BYTES_MAX - 1;
}

/// The kinds of answers, one for each kind of request.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Body {
    /// The snapshot is all there is to say.
    Head,
    /// Entries of a key's log.
    History(History),
    /// An output.
    Output(OutputAnswer),
    /// A transaction.
    Transaction(TransactionAnswer),
    /// A header.
    Block(BlockProof),
    /// The older block, as an ancestor of the snapshot.
    Consistency(BlockProof),
    /// The committee that the snapshot, a sealing block, hands over to.
    Committee(Members),
    /// The record of a key or name, or that it has none.
    Record(RecordProof),
    /// What a key committed to in a block.
    Commit(SpanAnswer),
    /// Who holds a name as of a block.
    Name(SpanAnswer),
}

/// Entries of a log with the proof that none is withheld, or that there are none.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum History {
    /// To [`crate::request::Page::All`], for logs of at most one page.
    All(AllEntries),
    /// To [`crate::request::Page::Newest`], and to `All` for longer logs.
    Newest(RecentEntries),
    /// To [`crate::request::Page::From`].
    From(NewEntries),
}

/// Neighbouring entries of a log, and the transaction of the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct SpanAnswer {
    /// Of a commit the entries of the key's log in its block, of a name its newest entry up to the
    /// block; each with its neighbours.
    pub span: EntrySpan,
    /// What was signed, if there is such an entry.
    pub body: Option<Box<ledger::tx::Body>>,
}

/// An output and its status.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct OutputAnswer {
    /// Its name, what it holds, and the block that made it.
    pub created: Created,
    /// Its status under the snapshot.
    pub proof: OutputProof,
}

/// A transaction, what became of it, and where.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct TransactionAnswer {
    /// Its canonical bytes with witnesses.
    pub bytes: TransactionBytes,
    /// What became of it.
    pub outcome: Outcome,
    /// Shows that its block contains it.
    pub inclusion: TransactionInclusion,
    /// Shows its block under the snapshot.
    pub block: BlockProof,
}

/// A header that the snapshot vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum BlockProof {
    /// The block is the snapshot's own.
    Snapshot,
    /// The block is an ancestor.
    Ancestor {
        /// Its header.
        header: Box<Header>,
        /// Shows the header in the block tree under the snapshot's state root.
        inclusion: BlockInclusion,
    },
}
