//! Why an answer or a proof file is refused: the failing part, and who is to blame.

use core::fmt;

use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::units::{Epoch, Height, PeerIndex, Stake};

/// A message that is none, or an answer that does not prove what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No bytes at all.
    #[error("version: no byte where 1 was due")]
    Empty,
    /// A message of another version.
    #[error("version: {found} where 1 was due")]
    Version {
        /// The version byte found.
        found: u8,
    },
    /// Bytes that are not the canonical encoding of their type, or too long.
    #[error("encoding: {0}")]
    Encoding(#[from] primitives::Error),
    /// A genesis, transaction or header that is not what it should be.
    #[error("ledger: {0}")]
    Ledger(#[from] ledger::Error),
    /// The answer's kind is not that of the request.
    #[error("answer: of another kind than the request")]
    OtherKind,
    /// The statement names another thing than was asked for.
    #[error("{part}: {found} where {wanted} was due")]
    Other {
        /// What differs.
        part: Part,
        /// The digest found.
        found: Digest,
        /// The digest due.
        wanted: Digest,
    },
    /// A height other than the one due.
    #[error("{part}: height {found} where {wanted} was due")]
    OtherHeight {
        /// What differs.
        part: Part,
        /// The height found.
        found: Height,
        /// The height due.
        wanted: Height,
    },
    /// An output with another index than the one asked for.
    #[error("output: index {found} where {wanted} was due")]
    OtherIndex {
        /// The index found.
        found: u32,
        /// The index due.
        wanted: u32,
    },
    /// The header's epoch has no trusted committee, or the certificate is of another epoch.
    #[error("certificate: epoch {found} where {wanted} was due")]
    OtherEpoch {
        /// The epoch found.
        found: Epoch,
        /// The epoch due.
        wanted: Epoch,
    },
    /// An epoch whose committee this trust does not know.
    #[error("header: epoch {found} where committees up to epoch {last} are known")]
    UnknownEpoch {
        /// The epoch found.
        found: Epoch,
        /// The newest epoch known.
        last: Epoch,
    },
    /// A block that hands over to no committee.
    #[error("handover: block {height} does not seal its epoch")]
    NotSealing {
        /// The block.
        height: Height,
    },
    /// Two certified blocks that do not exclude each other.
    #[error("blocks {one} and {other} do not conflict")]
    NoConflict {
        /// The height of the one.
        one: Height,
        /// The height of the other.
        other: Height,
    },
    /// A bitmap of signers that is not one bit a member, or that marks more than the members.
    #[error("certificate: a bitmap of {found} bytes that does not fit {size} members")]
    Bitmap {
        /// Its bytes.
        found: usize,
        /// The size of the committee.
        size: usize,
    },
    /// A signer outside the committee.
    #[error("certificate: signer {index} where the committee has {size} members")]
    UnknownSigner {
        /// The signer.
        index: PeerIndex,
        /// The size of the committee.
        size: usize,
    },
    /// Signatures of which at least one does not hold.
    #[error("certificate: not all of the {signers} signatures hold")]
    Signatures {
        /// How many there should be.
        signers: usize,
    },
    /// A certificate of the genesis block, which nobody signs.
    #[error("certificate: signatures on the genesis block")]
    SignedGenesis,
    /// A block before the one that this trust starts from.
    #[error("header: height {found} where trust begins at {start}")]
    BeforeStart {
        /// The height found.
        found: Height,
        /// Where trust begins.
        start: Height,
    },
    /// The signers hold too little stake.
    #[error("certificate: stake {found} of {whole} where more than two thirds is due")]
    BelowQuorum {
        /// The signers' stake.
        found: Stake,
        /// The committee's whole stake.
        whole: Stake,
    },
    /// The signers hold less stake than the policy asks for.
    #[error("certificate: {found} % of the stake where the policy asks for {wanted} %")]
    BelowPolicy {
        /// The signers' share, rounded down.
        found: u64,
        /// The share asked for.
        wanted: u64,
    },
    /// A rejected copy of a transaction that was applied before.
    #[error("transaction: a later copy of {id} where the applied one was due")]
    DuplicateCopy {
        /// The transaction.
        id: Digest,
    },
    /// Fields without any, or that do not stand in strictly ascending order of their names.
    #[error("deed: field {index} where names that ascend strictly are due")]
    FieldOrder {
        /// The place of the first field at fault.
        index: usize,
    },
    /// A transaction that could be a deed's, but was not applied.
    #[error("deed: transaction {id} was rejected")]
    NotApplied {
        /// The transaction.
        id: Digest,
    },
    /// A transaction that commits to nothing.
    #[error("deed: transaction {id} has no memo")]
    NoMemo {
        /// The transaction.
        id: Digest,
    },
    /// A claim about a block above the one it is proven under.
    #[error("claim: as of block {found} where the proof reaches to block {last}")]
    AfterSnapshot {
        /// The height found.
        found: Height,
        /// The certified height.
        last: Height,
    },
    /// A page without entries where some remain.
    #[error("history: an empty page where {remaining} entries remain")]
    EmptyPage {
        /// How many remain.
        remaining: u64,
    },
    /// Other than one commit where one is shown, or none where none is.
    #[error("commit: {found} commits in block {height} do not match what is shown")]
    Commits {
        /// How many the log has.
        found: usize,
        /// The block.
        height: Height,
    },
    /// A transaction of a name that its log does not have up to the block, or the reverse.
    #[error("name: what is shown is not what its log has up to block {height}")]
    NameLog {
        /// The block.
        height: Height,
    },
    /// A Merkle proof that does not hold.
    #[error("{part}: {source}")]
    Proof {
        /// What was to be proven.
        part: Part,
        /// What fails in the proof.
        source: merkle::Error,
    },
}

impl Error {
    /// The key to blame beyond the sender of the message, where one is known.
    #[must_use]
    pub const fn culprit(&self) -> Option<&PublicKey> {
        match self {
            Self::Encoding(error) => error.culprit(),
            Self::Ledger(error) => error.culprit(),
            Self::Empty
            | Self::Version { .. }
            | Self::OtherKind
            | Self::Other { .. }
            | Self::OtherHeight { .. }
            | Self::OtherIndex { .. }
            | Self::OtherEpoch { .. }
            | Self::UnknownEpoch { .. }
            | Self::NotSealing { .. }
            | Self::NoConflict { .. }
            | Self::Bitmap { .. }
            | Self::Signatures { .. }
            | Self::SignedGenesis
            | Self::BeforeStart { .. }
            | Self::BelowPolicy { .. }
            | Self::UnknownSigner { .. }
            | Self::BelowQuorum { .. }
            | Self::FieldOrder { .. }
            | Self::NotApplied { .. }
            | Self::NoMemo { .. }
            | Self::AfterSnapshot { .. }
            | Self::EmptyPage { .. }
            | Self::Commits { .. }
            | Self::NameLog { .. }
            | Self::DuplicateCopy { .. }
            | Self::Proof { .. } => None,
        }
    }
}

/// The part of an answer that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The chain's id.
    Chain,
    /// The claim of a proof file.
    Claim,
    /// The header of the snapshot.
    Snapshot,
    /// The committee and its digest.
    Committee,
    /// The sealing block that hands over to the next committee.
    Handover,
    /// An older header under the snapshot.
    Block,
    /// A transaction within its block.
    Transaction,
    /// An output and its status.
    Output,
    /// The record and log of a key or name.
    History,
    /// The fields that a transaction commits to.
    Deed,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chain => "chain",
            Self::Claim => "claim",
            Self::Snapshot => "snapshot",
            Self::Committee => "committee",
            Self::Handover => "handover",
            Self::Block => "block",
            Self::Transaction => "transaction",
            Self::Output => "output",
            Self::History => "history",
            Self::Deed => "deed",
        })
    }
}
