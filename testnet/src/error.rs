//! What can go wrong while running a test network.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use primitives::Digest;
use thiserror::Error as ThisError;
use wallet_proto::reply::Refusal;

use crate::verdict::Verdict;

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
    /// An event that cannot be made.
    #[error("event: {0}")]
    Event(#[from] dag::Error),
    /// A simulated peer does not start, or cannot go on.
    #[error("replica: {0}")]
    Replica(#[from] replica::Error),
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
    /// A new peer could not begin with the others' snapshot.
    #[error("primus join: {said}")]
    Join {
        /// What it said.
        said: String,
    },
    /// Too few ports are free.
    #[error(
        "{peers} peers need two ports each between 10000 and 31999 on 127.0.0.1, and too few are free"
    )]
    NoPort {
        /// How many peers.
        peers: usize,
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
    /// A peer is not at the newest block yet.
    #[error("{peer} is at block {height} only")]
    Behind {
        /// The peer's name.
        peer: String,
        /// Its newest certified block.
        height: u64,
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
    /// The record of a test wallet's coins says something else.
    #[error("{}: line {line} is no coin", path.display())]
    Purse {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
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
    /// The node's own library refuses: a home, a key file, or a page that does not answer.
    #[error(transparent)]
    Node(#[from] node::Error),
    /// The wallet's own library refuses, or no host does what it asks.
    #[error("wallet: {0}")]
    LightClient(#[from] wallet::Error),
    /// The stand-alone verifier does not accept a proof.
    #[error("{} is not accepted by the verifier ({status}): {said}", file.display())]
    Unverified {
        /// The proof file.
        file: PathBuf,
        /// How the verifier ended.
        status: ExitStatus,
        /// What it said.
        said: String,
    },
    /// An export whose blocks do not follow from its events.
    #[error("{path}: {reason}", path = path.display())]
    Recomputed {
        /// The export.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The node's program does not export its DAG.
    #[error("`primus dag export` ended with {status}")]
    Export {
        /// How it ended.
        status: ExitStatus,
    },
    /// A program is not where it is looked for.
    #[error(
        "no program at {}: build it (`cargo build -p primus-node -p primus-wallet`), or say where it \
         is with {flag}",
        path.display()
    )]
    NoProgram {
        /// Where it was looked for.
        path: PathBuf,
        /// The flag that names it.
        flag: &'static str,
    },
    /// A recorded peer is not in the genesis.
    #[error("{peer} is not a peer of the genesis beside it")]
    Stranger {
        /// The peer's name.
        peer: String,
    },
    /// The program's own tasks or signals cannot be set up.
    #[error("runtime: {error}")]
    Runtime {
        /// What the system says.
        error: io::Error,
    },
    /// A task was ended from outside.
    #[error("interrupted")]
    Interrupted,
    /// There are fewer peers.
    #[error("peer {index} where the network has {count}")]
    NoPeer {
        /// The number asked for, from 0.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A plan that real processes cannot carry out.
    #[error("{what} needs virtual peers: `primus-testnet sim --plan` has them")]
    Unplayable {
        /// What they would have to do.
        what: &'static str,
    },
    /// No scenario has this in its name.
    #[error("no scenario has \"{wanted}\" in its name; there are: {names}")]
    NoScenario {
        /// What was asked for.
        wanted: String,
        /// All names.
        names: String,
    },
}

impl Error {
    /// What this error says about the peers of a network; none if it says nothing about them.
    #[must_use]
    pub const fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::TimedOut { .. }
            | Self::Net { .. }
            | Self::Silent { .. }
            | Self::Behind { .. }
            | Self::Refused { .. }
            | Self::PeerDown { .. }
            | Self::Export { .. }
            | Self::Untracked { .. } => Some(Verdict::Stalled),
            Self::Wallet(_)
            | Self::DoubleSpend { .. }
            | Self::Unplaced { .. }
            | Self::Unverified { .. }
            | Self::Recomputed { .. }
            | Self::LightClient(wallet::Error::Unproven { .. }) => Some(Verdict::Diverged),
            Self::LightClient(_) | Self::Node(_) => Some(Verdict::Stalled),
            Self::NotABlock { .. }
            | Self::NotFunded { .. }
            | Self::Unit(_)
            | Self::Ledger(_)
            | Self::File { .. }
            | Self::Start { .. }
            | Self::Signal { .. }
            | Self::NoNetwork { .. }
            | Self::RunFile { .. }
            | Self::NetworkRuns { .. }
            | Self::NotOurs { .. }
            | Self::NoPort { .. }
            | Self::Join { .. }
            | Self::PeerRuns { .. }
            | Self::PurseEmpty { .. }
            | Self::Purse { .. }
            | Self::Stranger { .. }
            | Self::Interrupted
            | Self::Runtime { .. }
            | Self::NoProgram { .. }
            | Self::NoPeer { .. }
            | Self::NoScenario { .. }
            | Self::Unplayable { .. }
            | Self::Event(_)
            | Self::Replica(_) => None,
        }
    }

    /// The exit code of the program: 1 failed, 2 usage, 4 peer unreachable, 5 timed out, 6 refused, 10
    /// diverged.
    #[must_use]
    pub const fn exit(&self) -> u8 {
        if matches!(self, Self::TimedOut { .. }) {
            5
        } else if matches!(self, Self::Net { .. } | Self::Silent { .. }) {
            4
        } else if matches!(self, Self::Refused { .. }) {
            6
        } else if matches!(self, Self::NoScenario { .. } | Self::Unplayable { .. }) {
            2
        } else if matches!(self.verdict(), Some(Verdict::Diverged)) {
            Verdict::Diverged.exit()
        } else {
            1
        }
    }

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
