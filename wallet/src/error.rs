//! What can go wrong for a wallet, with a stable code, the exit code, and what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use ledger::Outcome;
use ledger::tx::Name;
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::units::{Amount, Height};
use wallet_proto::reply::{Code, Refusal};

/// A wallet's failure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the wallet's home, or one it was told to read or write.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file whose content is not what it should be.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that must not be overwritten.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A home that has a key already.
    #[error("{} has a key already", path.display())]
    HomeExists {
        /// The home.
        path: PathBuf,
    },
    /// A home without a key.
    #[error("{} has no key", path.display())]
    NoKey {
        /// The home.
        path: PathBuf,
    },
    /// A home that does not know its chain.
    #[error("{} names no genesis", path.display())]
    NoGenesis {
        /// The home.
        path: PathBuf,
    },
    /// A genesis other than the one the home was made for.
    #[error("chain {found} where {wanted} was due")]
    OtherChain {
        /// The chain of the genesis.
        found: Digest,
        /// The chain of the home.
        wanted: Digest,
    },
    /// No host is configured.
    #[error("no host is known")]
    NoHosts,
    /// A host that cannot be reached, or stopped answering.
    #[error("host {address} (key {host}): {source}")]
    Unreachable {
        /// Where it should listen.
        address: SocketAddr,
        /// Its transport key.
        host: PublicKey,
        /// What the network said.
        source: Box<net::Error>,
    },
    /// A host that did not answer in time, or ended the stream without an answer.
    #[error("host {host} gave no answer")]
    Silent {
        /// Its transport key.
        host: PublicKey,
    },
    /// A host that does not do what it was asked.
    #[error("host {host} refuses: {refusal}")]
    HostRefuses {
        /// Its transport key.
        host: PublicKey,
        /// Its reason.
        refusal: Refusal,
    },
    /// A host that is behind what this wallet has seen certified.
    #[error("host {host} answers as of block {found} where {wanted} or later was due")]
    Behind {
        /// Its transport key.
        host: PublicKey,
        /// The height it answered with.
        found: Height,
        /// The wallet's trusted height.
        wanted: Height,
    },
    /// A host whose answer does not hold.
    #[error("host {host} proves nothing: {source}")]
    Unproven {
        /// Its transport key.
        host: PublicKey,
        /// The failing part.
        source: Box<wallet_proto::Error>,
    },
    /// A head too old to be followed through the hosts that answer.
    #[error(
        "the trusted block {height} is older than the trust period; {heard} hosts agree on where it \
         leads and {due} are due"
    )]
    Stale {
        /// The trusted height.
        height: Height,
        /// The hosts that agree.
        heard: usize,
        /// How many must.
        due: usize,
    },
    /// Two hosts that prove two chains, both with certificates.
    #[error("hosts {first} and {second} prove two different blocks {height}")]
    HostsDisagree {
        /// The first host's transport key.
        first: PublicKey,
        /// The second host's.
        second: PublicKey,
        /// The height at which they differ.
        height: Height,
    },
    /// A proof file, or a message of our own, that does not hold.
    #[error(transparent)]
    Proof(Box<wallet_proto::Error>),
    /// Fields that no deed can have, or that this one has not.
    #[error("{reason}")]
    Fields {
        /// What is wrong with them.
        reason: String,
    },
    /// A document other than the one that a receipt is about.
    #[error("{}: document {found} where the receipt says {wanted}", path.display())]
    OtherDocument {
        /// The file.
        path: PathBuf,
        /// Its digest.
        found: Digest,
        /// The digest that the receipt shows, if it shows one.
        wanted: String,
    },
    /// A name that another key holds, or that is registered already.
    #[error("key {by} holds the name {name}")]
    NameHeld {
        /// The name.
        name: Name,
        /// Its holder, as of the newest certified block.
        by: PublicKey,
    },
    /// A name that nobody holds.
    #[error("nobody holds the name {name}")]
    NameFree {
        /// The name.
        name: Name,
    },
    /// A claim that is the same as of every block.
    #[error("--as-of is for outputs, histories and names alone")]
    NotAsOf,
    /// Less proven coin than a payment takes.
    #[error(
        "{available} is free to spend where {wanted} is due; {pending} is held by pending payments"
    )]
    Insufficient {
        /// Proven and free coin.
        available: Amount,
        /// Amount and fee.
        wanted: Amount,
        /// Proven coin that pending payments spend.
        pending: Amount,
    },
    /// A payment below the chain's least fee.
    #[error("fee {found} where at least {wanted} is due")]
    FeeTooLow {
        /// The fee asked for.
        found: Amount,
        /// The chain's least fee.
        wanted: Amount,
    },
    /// A payment that was ordered and proven to have had no effect.
    #[error("transaction {id} was {outcome}")]
    Rejected {
        /// The transaction.
        id: Digest,
        /// The reason and the winner.
        outcome: Outcome,
    },
    /// Something that did not happen in time; nothing is lost.
    #[error("{awaited} did not come within {seconds} s")]
    TimedOut {
        /// What was awaited.
        awaited: &'static str,
        /// How long.
        seconds: u64,
    },
    /// A value of our own that breaks a bound.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// A value of our own that breaks a bound.
    #[error(transparent)]
    Primitive(#[from] primitives::Error),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    NoRandomness,
}

impl From<wallet_proto::Error> for Error {
    fn from(error: wallet_proto::Error) -> Self {
        Self::Proof(Box::new(error))
    }
}

impl Error {
    /// A stable code for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Content { .. } => "file.content",
            Self::Exists { .. } => "file.exists",
            Self::HomeExists { .. } => "home.exists",
            Self::NoKey { .. } => "home.no_key",
            Self::NoGenesis { .. } => "home.no_genesis",
            Self::OtherChain { .. } => "home.other_chain",
            Self::NoHosts => "host.none",
            Self::Unreachable { .. } => "host.unreachable",
            Self::Silent { .. } => "host.silent",
            Self::HostRefuses { .. } => "host.refuses",
            Self::Behind { .. } => "host.behind",
            Self::Unproven { .. } => "host.unproven",
            Self::Stale { .. } => "trust.stale",
            Self::HostsDisagree { .. } => "trust.conflict",
            Self::Proof(_) => "proof.invalid",
            Self::Fields { .. } => "deed.fields",
            Self::OtherDocument { .. } => "receipt.document",
            Self::NameHeld { .. } => "name.held",
            Self::NameFree { .. } => "name.free",
            Self::NotAsOf => "proof.as_of",
            Self::Insufficient { .. } => "payment.insufficient",
            Self::FeeTooLow { .. } => "payment.fee_too_low",
            Self::Rejected { .. } => "payment.rejected",
            Self::TimedOut { .. } => "timed_out",
            Self::Ledger(_) => "ledger",
            Self::Primitive(_) => "value",
            Self::NoRandomness => "no_randomness",
        }
    }

    /// The exit code of the program.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::File { .. }
            | Self::Content { .. }
            | Self::Exists { .. }
            | Self::HomeExists { .. }
            | Self::NoKey { .. }
            | Self::NoGenesis { .. }
            | Self::OtherChain { .. }
            | Self::Ledger(_)
            | Self::Primitive(_)
            | Self::NoRandomness => 1,
            Self::NotAsOf | Self::Fields { .. } => 2,
            Self::Unproven { .. } | Self::Proof(_) | Self::OtherDocument { .. } => 3,
            Self::NoHosts
            | Self::Unreachable { .. }
            | Self::Silent { .. }
            | Self::Behind { .. } => 4,
            Self::TimedOut { .. } => 5,
            Self::HostsDisagree { .. } => 10,
            Self::Stale { .. }
            | Self::HostRefuses { .. }
            | Self::Insufficient { .. }
            | Self::FeeTooLow { .. }
            | Self::NameHeld { .. }
            | Self::NameFree { .. }
            | Self::Rejected { .. } => 6,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::File { .. } => "check that the path exists and may be read and written",
            Self::Content { .. } => "correct the file, or give another one",
            Self::Exists { .. } => "move it away, or give another --output",
            Self::HomeExists { .. } => "give another --home; a key is never overwritten",
            Self::NoKey { .. } => "make one with: primus-wallet new",
            Self::NoGenesis { .. } => {
                "name it with: primus-wallet new --genesis FILE --host ADDRESS#KEY"
            }
            Self::OtherChain { .. } => "use one --home for each chain",
            Self::NoHosts => "name one with: primus-wallet new --host ADDRESS#KEY",
            Self::Unreachable { .. } | Self::Silent { .. } => {
                "check that the host runs, or add another host to wallet.toml"
            }
            Self::HostRefuses { refusal, .. } if matches!(refusal.code, Code::Pruned) => {
                "this host has let the block go; add one that keeps everything, an archive, to \
                 wallet.toml"
            }
            Self::HostRefuses { .. } => "read the host's reason; add another host to wallet.toml",
            Self::Behind { .. } => "wait until the host has caught up, or add another host",
            Self::Unproven { .. } => "do not trust this host; add another one to wallet.toml",
            Self::Stale { .. } => {
                "name more hosts in wallet.toml, or take a checkpoint from somebody you trust: \
                 primus-wallet new --policy FILE"
            }
            Self::HostsDisagree { .. } => {
                "pay nothing; ask somebody you trust for a policy with a checkpoint"
            }
            Self::Proof(_) => "do not rely on it; ask for a new proof",
            Self::Fields { .. } => {
                "name each field once, with up to 64 bytes for its name and 4096 for its value"
            }
            Self::OtherDocument { .. } => "ask for a receipt of this very document",
            Self::NameHeld { .. } => "choose another name, or ask its holder to hand it over",
            Self::NameFree { .. } => "register it with: primus-wallet name register NAME",
            Self::NotAsOf => "leave --as-of out",
            Self::Insufficient { .. } => "wait for pending payments, or pay less",
            Self::FeeTooLow { .. } => "give a higher --fee",
            Self::Rejected { .. } => "nothing was moved; see the winner, then pay again",
            Self::TimedOut { .. } => "it stays in the outbox; run: primus-wallet balance",
            Self::Ledger(_) | Self::Primitive(_) => "check the values given",
            Self::NoRandomness => "check the system's random source",
        }
    }

    /// What a host refuses with, where it does.
    pub(crate) const fn refusal_code(&self) -> Option<Code> {
        if let Self::HostRefuses { refusal, .. } = self {
            return Some(refusal.code);
        }
        None
    }

    /// Whether another host may do better.
    pub(crate) const fn another_host_may_help(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Silent { .. }
                | Self::HostRefuses { .. }
                | Self::Behind { .. }
                | Self::Unproven { .. }
        )
    }
}
