//! What can be wrong with a tree or a proof, naming the part that fails.

use core::fmt;

use primitives::Digest;
use primitives::units::Height;

/// The part of the state that a proof or an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The state root S_n that joins the four trees.
    State,
    /// The tree over all headers.
    BlockTree,
    /// The map from keys to their records.
    KeyMap,
    /// The map from names to their records.
    NameMap,
    /// The log of one key.
    KeyLog,
    /// The log of one name.
    NameLog,
    /// The tree of outputs.
    Outputs,
    /// The transactions of one block.
    Transactions,
    /// A log of RFC 6962, outside the consensus.
    Rfc6962,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::State => "state",
            Self::BlockTree => "block tree",
            Self::KeyMap => "key map",
            Self::NameMap => "name map",
            Self::KeyLog => "key log",
            Self::NameLog => "name log",
            Self::Outputs => "outputs tree",
            Self::Transactions => "transactions tree",
            Self::Rfc6962 => "RFC 6962 log",
        })
    }
}

/// A proof that does not hold, or an operation that a tree cannot carry out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The proof leads to another root than the trusted one; its sender is to blame.
    #[error("{part} root {found} where {wanted} was due")]
    Root {
        /// Whose root.
        part: Part,
        /// The root that the proof leads to.
        found: Digest,
        /// The root that is trusted.
        wanted: Digest,
    },
    /// The proof has more or fewer siblings than its statement asks for.
    #[error("{part} proof: sibling count {found} where {wanted} was due")]
    SiblingCount {
        /// Whose proof.
        part: Part,
        /// Siblings found.
        found: usize,
        /// Siblings that the index and the size ask for.
        wanted: usize,
    },
    /// An index at or beyond the size of its tree.
    #[error("{part}: index {index} where the size is {size}")]
    Index {
        /// Which tree.
        part: Part,
        /// The index asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A size above the size of the tree that should contain it.
    #[error("{part}: size {found} where at most {limit} is possible")]
    Size {
        /// Which tree.
        part: Part,
        /// The size claimed or asked for.
        found: u64,
        /// The largest possible size.
        limit: u64,
    },
    /// A range that is no subtree: empty, or not beginning where one of its width can.
    #[error("{part}: {start}..{end} is not a subtree")]
    Subtree {
        /// Of which tree.
        part: Part,
        /// The first index.
        start: u64,
        /// The index after the last.
        end: u64,
    },
    /// More or fewer log entries than the record counts.
    #[error("{part}: {found} entries where {wanted} were due")]
    EntryCount {
        /// Whose log.
        part: Part,
        /// Entries found.
        found: u64,
        /// Entries that the record counts.
        wanted: u64,
    },
    /// A frontier that does not have one peak for each one bit of its size.
    #[error("{part}: {found} peaks where {wanted} were due")]
    PeakCount {
        /// Whose frontier.
        part: Part,
        /// Peaks found.
        found: usize,
        /// One bits of the size.
        wanted: usize,
    },
    /// An absence proof that ends at the very position whose absence it should show.
    #[error("{part}: the absence proof of {position} shows a record at that position")]
    NotAbsent {
        /// Which map.
        part: Part,
        /// The position in question.
        position: Digest,
    },
    /// A map proof that shows a record without giving it, or gives one that it does not show.
    #[error("{part}: the proof and the record disagree on whether there is one")]
    RecordMismatch {
        /// Which map.
        part: Part,
    },
    /// Entries that do not reach to the next ones on both sides of a block.
    #[error("{part}: the entries shown leave open what else there is around block {height}")]
    Span {
        /// Which log.
        part: Part,
        /// The block.
        height: Height,
    },
    /// Indices that are not strictly increasing, or none at all.
    #[error("{part}: the indices are not strictly increasing from at least one")]
    IndexOrder {
        /// Which tree.
        part: Part,
    },
    /// A proof of several positions whose branches and leaves do not fit what was asked for.
    #[error("{part}: the shape of the proof does not fit the positions asked for")]
    Shape {
        /// Which map.
        part: Part,
    },
    /// A batch that names one position twice.
    #[error("{part}: position {position} appears twice in one batch")]
    RepeatedPosition {
        /// Which map.
        part: Part,
        /// The position.
        position: Digest,
    },
    /// A batch that names one index twice.
    #[error("{part}: index {index} appears twice in one batch")]
    RepeatedIndex {
        /// Which tree.
        part: Part,
        /// The index.
        index: u64,
    },
    /// A refresh that keeps a digest which its verifier does not hold.
    #[error("{part}: the refresh keeps a digest of level {level} that is not held")]
    NotHeld {
        /// Whose refresh.
        part: Part,
        /// The level, or in a map the bit of the branch.
        level: u32,
    },
    /// A tree that can hold no more.
    #[error("{part} holds no more than {limit} elements")]
    Full {
        /// Which tree.
        part: Part,
        /// The elements it can hold.
        limit: u64,
    },
    /// A path of branches that is too deep to be encoded.
    #[error("{part}: {found} branches above one position where at most {limit} are allowed")]
    TooDeep {
        /// Which map.
        part: Part,
        /// Branches on the path.
        found: usize,
        /// Branches that an encoding can hold.
        limit: usize,
    },
    /// A node that the tree's own memory should hold and does not.
    #[error("{part}: node {index} of level {level} is missing")]
    Missing {
        /// Which tree.
        part: Part,
        /// The level of the node; zero for leaves.
        level: u32,
        /// The index of the node on its level.
        index: u64,
    },
    /// A list above its bound.
    #[error(transparent)]
    Encoding(#[from] primitives::Error),
}
