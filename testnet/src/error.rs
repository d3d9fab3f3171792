//! What can go wrong while running a test network.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use primitives::Digest;
use thiserror::Error as ThisError;
use wallet_proto::reply::Refusal;

/// Every error of this crate.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The replayed file is not a raw Bitcoin block.
    #[error("not a raw bitcoin block: {error}")]
    NotABlock {
        /// What the decoder found.
        error: bitcoin::consensus::encode::Error,
    },
    /// The chain does not hold the coin that a replay spends.
    #[error(
        "chain {chain} was not funded for this block: start a network with `up --block FILE`, \
         or leave out --name to replay on a network of its own"
    )]
    NotFunded {
        /// The chain's id.
        chain: Digest,
    },
    /// Amounts overflow, or a limit of the encoding is exceeded.
    #[error(transparent)]
    Unit(#[from] primitives::Error),
    /// A genesis or a transaction that the ledger refuses.
    #[error("ledger: {0}")]
    Ledger(#[from] ledger::Error),
    /// A file or folder cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A program cannot be started.
    #[error("cannot start {}: {error}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A signal cannot be sent.
    #[error("cannot signal process {pid}: {error}")]
    Signal {
        /// The process.
        pid: u32,
        /// What the system says.
        error: io::Error,
    },
    /// No test network stands in the folder.
    #[error("no test network in {}: start one with `primus-testnet up`", folder.display())]
    NoNetwork {
        /// The folder.
        folder: PathBuf,
    },
    /// The network's file says something that this version does not understand.
    #[error("{}: {reason}", path.display())]
    RunFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A network runs where a new one was to be made.
    #[error("a test network runs in {}: end it with `primus-testnet down`", folder.display())]
    NetworkRuns {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder that would be emptied holds something but a test network.
    #[error("{} holds something else than a test network: choose another --name", folder.display())]
    NotOurs {
        /// The folder.
        folder: PathBuf,
    },
    /// The system gives no free port.
    #[error("no free port on the loopback interface: {error}")]
    NoPort {
        /// What the system says.
        error: io::Error,
    },
    /// A peer that was to be started runs.
    #[error("peer {index} runs already")]
    PeerRuns {
        /// Its number, from 0.
        index: usize,
    },
    /// A peer that was to be ended does not run.
    #[error("peer {index} does not run")]
    PeerDown {
        /// Its number, from 0.
        index: usize,
    },
    /// Something did not happen in time.
    #[error("waited {after:?} for {awaited}, found {found}")]
    TimedOut {
        /// What was awaited.
        awaited: String,
        /// For how long.
        after: Duration,
        /// What was there instead.
        found: String,
    },
    /// A connection to a peer was not made, or ended.
    #[error("{peer}: {error}")]
    Net {
        /// The peer's name.
        peer: String,
        /// Why.
        error: net::Error,
    },
    /// A peer closed a request without an answer.
    #[error("{peer} ended a request without an answer")]
    Silent {
        /// The peer's name.
        peer: String,
    },
    /// A peer does not do what it was asked.
    #[error("{peer} refused: {refusal}")]
    Refused {
        /// The peer's name.
        peer: String,
        /// Its words.
        refusal: Refusal,
    },
    /// A peer's answer is none, or does not prove what it should.
    #[error("an answer does not hold: {0}")]
    Wallet(#[from] wallet_proto::Error),
    /// A test wallet has no coin left.
    #[error("test wallet {name} has no coin left")]
    PurseEmpty {
        /// The wallet.
        name: String,
    },
    /// A payment that should have been applied never will be.
    #[error("payment {id} was not applied: {reason}")]
    Unplaced {
        /// Its id.
        id: Digest,
        /// The outcome or refusal.
        reason: String,
    },
    /// A coin that was spent twice has not exactly one spender, or the loser was not told.
    #[error("double spend of {first} and {second}: {found}")]
    DoubleSpend {
        /// The id of one payment.
        first: Digest,
        /// The id of the other.
        second: Digest,
        /// What is wrong.
        found: String,
    },
    /// A peer knows no outcome of a transaction that is final elsewhere.
    #[error("{peer} knows no outcome of transaction {id}")]
    Untracked {
        /// The peer's name.
        peer: String,
        /// The transaction.
        id: Digest,
    },
    /// There are fewer peers.
    #[error("peer {index} where the network has {count}")]
    NoPeer {
        /// The number asked for, from 0.
        index: usize,
        /// How many there are.
        count: usize,
    },
}

impl Error {
    /// What became of a connection to `peer`.
    pub(crate) fn net(peer: &str, error: net::Error) -> Self {
        Self::Net {
            peer: peer.to_owned(),
            error,
        }
    }

    /// What the system says of a file or folder.
    pub(crate) fn file(path: &Path, error: io::Error) -> Self {
        Self::File {
            path: path.to_path_buf(),
            error,
        }
    }
}
