//! Everything that can stop the node or one of its commands, with a stable code and an exit code.

use std::path::PathBuf;

use primitives::store::StoreError;

/// How the process ends. The numbers are part of the program's interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// The command line is wrong.
    Usage,
    /// The answer is no.
    No,
    /// The node or peer could not be reached.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The node or peer refused.
    Refused,
    /// Another process uses this store or key.
    Elsewhere,
    /// The disk failed, or what is on it is not what was written.
    Storage,
    /// Configuration, keys or genesis are wrong.
    Configuration,
}

impl Exit {
    /// The exit code.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::No => 3,
            Self::Unreachable => 4,
            Self::TimedOut => 5,
            Self::Refused => 6,
            Self::Elsewhere => 69,
            Self::Storage => 74,
            Self::Configuration => 78,
        }
    }
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key that no configuration has.
    #[error("{origin}: unknown key `{key}`; the nearest known key is `{nearest}`")]
    UnknownKey {
        /// Where the key stands.
        origin: String,
        /// The key.
        key: String,
        /// The known key with the fewest edits.
        nearest: &'static str,
    },
    /// A value that is not of its key's kind.
    #[error("{origin}: `{key}` is {found:?} where {wanted} was due")]
    InvalidValue {
        /// Where the value stands.
        origin: String,
        /// The key.
        key: String,
        /// The value.
        found: String,
        /// What the key takes.
        wanted: &'static str,
    },
    /// A file that is not TOML.
    #[error("{path}: {reason}")]
    InvalidToml {
        /// The file.
        path: PathBuf,
        /// The parser's own words.
        reason: String,
    },
    /// A folder without the node's configuration.
    #[error("{path} has no primus.toml; make one with `primus init`")]
    NoHome {
        /// The folder.
        path: PathBuf,
    },
    /// A folder that is a node's home already.
    #[error("{path} exists; remove the folder or choose another with --home")]
    HomeExists {
        /// The file that is there.
        path: PathBuf,
    },
    /// A store that this build lacks.
    #[error("store `{name}` is not in this build, which has: {compiled_in}")]
    StoreNotCompiledIn {
        /// The store asked for.
        name: &'static str,
        /// The stores of this build.
        compiled_in: String,
    },
    /// A key file that others may read.
    #[error("{path} has mode {mode:04o} where 0600 was due; run `chmod 600 {path}`")]
    KeyFileMode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A key file of another form or role.
    #[error("{path}: {reason}")]
    InvalidKeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// A genesis file that does not decode.
    #[error("{path}: {reason}")]
    InvalidGenesis {
        /// The file.
        path: PathBuf,
        /// Why it is refused.
        reason: String,
    },
    /// A key of no peer in the genesis.
    #[error("event key {key} is of no peer in the genesis of chain {chain}")]
    NotAPeer {
        /// The public event key.
        key: primitives::keys::PublicKey,
        /// The chain.
        chain: primitives::Digest,
    },
    /// A store of another chain, key or form.
    #[error("{path}: {field} is {found} where {wanted} was due")]
    OtherStore {
        /// The stamp file.
        path: PathBuf,
        /// The field that differs.
        field: &'static str,
        /// What the stamp says.
        found: String,
        /// What this node needs.
        wanted: String,
    },
    /// A store that another process holds.
    #[error("{path} is in use by another process; one store serves one node")]
    StoreInUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The disk failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored value that does not decode.
    #[error("the store holds a damaged {what}: {reason}")]
    Damaged {
        /// What does not decode.
        what: &'static str,
        /// The decoder's own words.
        reason: String,
    },
    /// A row of the store that is not what the hashes above it say.
    #[error("{table} {key}: {reason}")]
    BadRow {
        /// The table.
        table: &'static str,
        /// The row's key in hexadecimal digits.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A block that executes to another consensus root than the stored one.
    #[error("block {height}: executed to root {found} where {wanted} is stored")]
    OtherRoot {
        /// The height.
        height: primitives::units::Height,
        /// The root found.
        found: primitives::Digest,
        /// The root stored.
        wanted: primitives::Digest,
    },
    /// A file or socket failed.
    #[error("{context}: {source}")]
    Io {
        /// What was tried.
        context: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gives no randomness: {reason}")]
    Randomness {
        /// Its own words.
        reason: String,
    },
    /// No node answers.
    #[error(
        "no node answers at http://{address} ({reason}); start one with `primus run`, or name \
         another with --http"
    )]
    Unreachable {
        /// The address tried.
        address: String,
        /// Why there is no answer.
        reason: String,
    },
    /// A node that accepted the connection and then stayed silent.
    #[error("the node at http://{address} did not answer within {seconds} s")]
    TimedOut {
        /// The address tried.
        address: String,
        /// The time waited.
        seconds: u64,
    },
    /// What the key signed is not known any more.
    #[error(
        "{}: what this key signed last cannot be read; put a whole copy of the newest file back, or \
         delete it only if the store was never put back from a copy",
        path.display()
    )]
    GuardDamaged {
        /// The guard.
        path: PathBuf,
    },
    /// A guard of another node.
    #[error(
        "{}: the guard is of another chain or event key; give each key a home of its own",
        path.display()
    )]
    OtherGuard {
        /// The guard.
        path: PathBuf,
    },
    /// A node that answered with an error.
    #[error("the node refused with {status}: {detail}")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// The node's own words.
        detail: String,
    },
    /// Something asked for that is not there.
    #[error("{what} is not known to this node")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// An evidence file that proves nothing against anybody.
    #[error("the evidence shows nothing: {reason}")]
    ShowsNothing {
        /// Why.
        reason: String,
    },
    /// An epoch whose events this store has let go.
    #[error("epoch {epoch} is pruned: events are kept from epoch {first} on; ask an archive")]
    Pruned {
        /// The epoch.
        epoch: primitives::units::Epoch,
        /// The first epoch whose events are kept.
        first: primitives::units::Epoch,
    },
    /// A snapshot that cannot be made yet.
    #[error("no snapshot can be made: {reason}")]
    NoSnapshot {
        /// Why.
        reason: String,
    },
    /// A snapshot that does not show the state it should.
    #[error("the snapshot is refused: {reason}")]
    BadSnapshot {
        /// Why.
        reason: String,
    },
    /// A chunk other than the one that the manifest names.
    #[error(
        "the snapshot is refused: chunk {index} has the digest {found}, its manifest says otherwise"
    )]
    OtherChunk {
        /// Its place.
        index: usize,
        /// Its digest.
        found: primitives::Digest,
    },
    /// A store where none may be.
    #[error("{} holds a store already; a snapshot begins a new one: move it away first", path.display())]
    StoreExists {
        /// Its folder.
        path: PathBuf,
    },
    /// No peer has given what was asked of all.
    #[error("no peer gives a snapshot: {reasons}")]
    NoSource {
        /// What each of them said.
        reasons: String,
    },
    /// Pruning without a word of how much to keep.
    #[error("this node keeps everything; say how much to keep with --keep-epochs NUMBER")]
    KeepsAll,
    /// The thread of the replica ended by itself.
    #[error("the driver stopped: {reason}")]
    Driver {
        /// Why.
        reason: String,
    },
    /// The replica cannot go on.
    #[error(transparent)]
    Replica(#[from] replica::Error),
    /// The network could not be brought up.
    #[error("udp address {address}: {source}")]
    Network {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: net::Error,
    },
    /// Metrics that could not be written.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Error {
    /// A failed file or socket operation.
    pub(crate) fn io(context: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let context = context.into();
        move |source| Self::Io { context, source }
    }

    /// How the process ends over this error.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::UnknownKey { .. }
            | Self::InvalidValue { .. }
            | Self::InvalidToml { .. }
            | Self::NoHome { .. }
            | Self::StoreNotCompiledIn { .. }
            | Self::KeyFileMode { .. }
            | Self::InvalidKeyFile { .. }
            | Self::InvalidGenesis { .. }
            | Self::NotAPeer { .. }
            | Self::OtherStore { .. }
            | Self::OtherGuard { .. } => Exit::Configuration,
            Self::StoreInUse { .. } => Exit::Elsewhere,
            Self::Store(_)
            | Self::Damaged { .. }
            | Self::GuardDamaged { .. }
            | Self::Replica(replica::Error::Store(_) | replica::Error::Damaged { .. }) => {
                Exit::Storage
            }
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::TimedOut { .. } => Exit::TimedOut,
            Self::Refused { .. } => Exit::Refused,
            Self::NotFound { .. }
            | Self::Pruned { .. }
            | Self::ShowsNothing { .. }
            | Self::NoSnapshot { .. }
            | Self::BadSnapshot { .. }
            | Self::OtherChunk { .. } => Exit::No,
            Self::NoSource { .. } => Exit::Unreachable,
            Self::KeepsAll => Exit::Usage,
            Self::HomeExists { .. }
            | Self::StoreExists { .. }
            | Self::BadRow { .. }
            | Self::OtherRoot { .. }
            | Self::Io { .. }
            | Self::Randomness { .. }
            | Self::Driver { .. }
            | Self::Replica(_)
            | Self::Network { .. }
            | Self::Metrics(_) => Exit::Failed,
        }
    }

    /// The stable name of this kind of error, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "config.unknown_key",
            Self::InvalidValue { .. } => "config.invalid_value",
            Self::InvalidToml { .. } => "config.invalid_toml",
            Self::NoHome { .. } => "home.missing",
            Self::HomeExists { .. } => "home.exists",
            Self::StoreNotCompiledIn { .. } => "store.not_compiled_in",
            Self::KeyFileMode { .. } => "key.mode",
            Self::InvalidKeyFile { .. } => "key.invalid_file",
            Self::InvalidGenesis { .. } => "genesis.invalid",
            Self::NotAPeer { .. } => "genesis.not_a_peer",
            Self::OtherStore { .. } => "store.other",
            Self::StoreInUse { .. } => "store.in_use",
            Self::Store(_) => "store.failed",
            Self::Damaged { .. } => "store.damaged",
            Self::BadRow { .. } => "store.bad_row",
            Self::OtherRoot { .. } => "store.other_root",
            Self::Io { .. } => "io.failed",
            Self::Randomness { .. } => "os.randomness",
            Self::Unreachable { .. } => "node.unreachable",
            Self::TimedOut { .. } => "node.timed_out",
            Self::Refused { .. } => "node.refused",
            Self::GuardDamaged { .. } => "guard.damaged",
            Self::OtherGuard { .. } => "guard.other",
            Self::NotFound { .. } => "not_found",
            Self::Pruned { .. } => "store.pruned",
            Self::ShowsNothing { .. } => "evidence.shows_nothing",
            Self::KeepsAll => "store.keeps_all",
            Self::NoSnapshot { .. } => "snapshot.none_yet",
            Self::BadSnapshot { .. } => "snapshot.refused",
            Self::OtherChunk { .. } => "snapshot.other_chunk",
            Self::StoreExists { .. } => "store.exists",
            Self::NoSource { .. } => "snapshot.no_source",
            Self::Driver { .. } => "driver.stopped",
            Self::Replica(_) => "replica.stopped",
            Self::Network { .. } => "net.failed",
            Self::Metrics(_) => "metrics.failed",
        }
    }
}
