//! The wallet's folder: key, settings, trusted head, handovers and outbox.
//!
//! ```text
//!   ~/.primus-wallet/key          64 hexadecimal digits, mode 0600, never overwritten
//!                    wallet.toml  genesis, chain, hosts
//!                    head         the newest certified block this wallet has moved to
//!                    handovers    how the committees follow from the genesis
//!                    outbox       signed payments that are not proven yet
//! ```
//!
//! Files are replaced by rename after a flush, and under a lock, so that several processes may use
//! one home.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ledger::Genesis;
use primitives::codec::{self, Canonical, Decode, Encode, List};
use primitives::digest::{from_hex, to_hex};
use primitives::keys::{PublicKey, Signer};
use primitives::units::{Height, Time};
use primitives::{Digest, limits};
use serde::{Deserialize, Serialize};
use wallet_proto::deed::document_digest;
use wallet_proto::proof_file::{HANDOVERS_MAX, ProofFile};
use wallet_proto::reply::Handover;
use wallet_proto::request::TransactionBytes;
use wallet_proto::wire;
use zeroize::{Zeroize, Zeroizing};

use crate::error::Error;
use crate::hosts::HostAddress;
use crate::keys::secret_key;

/// Payments that one outbox holds.
pub const OUTBOX_MAX: usize = 1_024;

/// Bytes of a file from elsewhere: far above a proof file with all the handovers that one may have.
pub const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The 32 bytes that a key is made of; wiped when dropped.
pub type Seed = Zeroizing<[u8; 32]>;

/// What `wallet.toml` says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The genesis file of the chain.
    pub genesis: Option<PathBuf>,
    /// The chain's id, so that another genesis is noticed.
    pub chain: Option<String>,
    /// The trust policy, if there is more to it than the genesis.
    pub policy: Option<PathBuf>,
    /// The hosts, tried in this order.
    #[serde(default)]
    pub hosts: Vec<HostAddress>,
}

/// A certified block that the wallet never goes behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Head {
    /// Its height.
    pub height: Height,
    /// Its consensus root.
    pub root: Digest,
    /// Its block time.
    pub time: Time,
}

impl Canonical for Head {
    const BYTES_MAX: usize = 48;
}

/// Signed payments that are not proven yet, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Outbox {
    /// Each one's canonical bytes.
    pub transactions: List<TransactionBytes, OUTBOX_MAX>,
}

impl Canonical for Outbox {
    const BYTES_MAX: usize = OUTBOX_MAX * limits::TRANSACTION_BYTES_MAX;
}

/// The handovers followed so far, from epoch 1 on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Handovers {
    /// One for each epoch.
    pub handovers: List<Handover, HANDOVERS_MAX>,
}

impl Canonical for Handovers {
    const BYTES_MAX: usize = ProofFile::BYTES_MAX;
}

/// A wallet's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    path: PathBuf,
}

impl Home {
    /// The folder at `path`, which need not exist yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a key.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.file("key").exists()
    }

    /// Makes the folder, readable by its owner alone, with this key.
    ///
    /// # Errors
    /// [`Error::HomeExists`]; [`Error::File`].
    pub fn create(&self, seed: &Seed) -> Result<(), Error> {
        fs::create_dir_all(&self.path).map_err(in_file(&self.path))?;
        let mut text = Zeroizing::new(to_hex(seed.as_slice()));
        text.push('\n');
        match create_secret(&self.file("key"), text.as_bytes()) {
            Err(Error::Exists { .. }) => Err(Error::HomeExists {
                path: self.path.clone(),
            }),
            other => other,
        }
    }

    /// The key's seed.
    ///
    /// # Errors
    /// [`Error::NoKey`]; [`Error::File`]; [`Error::Content`].
    pub fn seed(&self) -> Result<Seed, Error> {
        if !self.has_key() {
            let path = self.path.clone();
            return Err(Error::NoKey { path });
        }
        read_seed(&self.file("key"))
    }

    /// The public half of the key.
    ///
    /// # Errors
    /// As [`Home::seed`].
    pub fn public_key(&self) -> Result<PublicKey, Error> {
        Ok(secret_key(&self.seed()?)?.public())
    }

    /// The settings; the default without `wallet.toml`.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Content`] naming the line and the keys there are.
    pub fn settings(&self) -> Result<Settings, Error> {
        let path = self.file("wallet.toml");
        let Some(bytes) = read_if_exists(&path)? else {
            return Ok(Settings::default());
        };
        let text = String::from_utf8_lossy(&bytes);
        toml::from_str(&text).map_err(|error| Error::Content {
            path,
            reason: error.to_string(),
        })
    }

    /// Replaces the settings.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Content`] for a path that is not UTF-8.
    pub fn write_settings(&self, settings: &Settings) -> Result<(), Error> {
        let path = self.file("wallet.toml");
        let text = toml::to_string(settings).map_err(|error| Error::Content {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        replace(&path, text.as_bytes())
    }

    /// The trusted head, if this wallet has moved to one.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Content`].
    pub fn head(&self) -> Result<Option<Head>, Error> {
        read_message(&self.file("head"))
    }

    /// Moves the trusted head to `head` unless it is there or further already.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Content`].
    pub fn advance_head(&self, head: Head) -> Result<(), Error> {
        self.locked(|| {
            if self.head()?.is_some_and(|old| old.height >= head.height) {
                return Ok(());
            }
            write_message(&self.file("head"), &head)
        })
    }

    /// The handovers followed so far.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Content`].
    pub fn handovers(&self) -> Result<Vec<Handover>, Error> {
        let stored: Option<Handovers> = read_message(&self.file("handovers"))?;
        Ok(stored.unwrap_or_default().handovers.into_vec())
    }

    /// Replaces the handovers unless more are there already.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Content`]; too many to be kept.
    pub fn write_handovers(&self, handovers: &[Handover]) -> Result<(), Error> {
        self.locked(|| {
            if self.handovers()?.len() >= handovers.len() {
                return Ok(());
            }
            let handovers = List::new(handovers.to_vec())?;
            write_message(&self.file("handovers"), &Handovers { handovers })
        })
    }

    /// The payments that are not proven yet.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Content`].
    pub fn outbox(&self) -> Result<Vec<Vec<u8>>, Error> {
        let stored: Option<Outbox> = read_message(&self.file("outbox"))?;
        let transactions = stored.unwrap_or_default().transactions.into_vec();
        Ok(transactions
            .into_iter()
            .map(codec::Bytes::into_vec)
            .collect())
    }

    /// Changes the outbox and returns what `change` yields; nothing changes if it fails.
    ///
    /// # Errors
    /// Those of `change`; [`Error::File`]; [`Error::Content`]; too many payments.
    pub fn change_outbox<T>(
        &self,
        change: impl FnOnce(&mut Vec<Vec<u8>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.locked(|| {
            let mut transactions = self.outbox()?;
            let before = transactions.clone();
            let result = change(&mut transactions)?;
            if transactions != before {
                let bounded: Result<Vec<_>, _> =
                    transactions.into_iter().map(codec::Bytes::new).collect();
                let transactions = List::new(bounded?)?;
                write_message(&self.file("outbox"), &Outbox { transactions })?;
            }
            Ok(result)
        })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Runs `work` while no other process changes this home; reading needs no lock.
    fn locked<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let path = self.file("lock");
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(in_file(&path))?;
        // Freed when the file is closed, also if the process is killed.
        file.lock().map_err(in_file(&path))?;
        work()
    }
}

/// A seed of 64 hexadecimal digits in a file.
///
/// # Errors
/// [`Error::File`]; [`Error::Content`].
pub fn read_seed(path: &Path) -> Result<Seed, Error> {
    let text = Zeroizing::new(fs::read_to_string(path).map_err(in_file(path))?);
    let mut bytes = from_hex(text.trim()).map_err(|error| Error::Content {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })?;
    let seed = Zeroizing::new(bytes);
    bytes.zeroize();
    Ok(seed)
}

/// The genesis of a file, checked.
///
/// # Errors
/// [`Error::File`]; [`Error::Content`] for bytes that are no genesis.
pub fn read_genesis(path: &Path) -> Result<Genesis, Error> {
    let bytes = read_up_to(path, limits::GENESIS_BYTES_MAX)?;
    let content = |reason: String| Error::Content {
        path: path.to_path_buf(),
        reason,
    };
    let genesis: Genesis = codec::decode(&bytes).map_err(|error| content(error.to_string()))?;
    genesis
        .check()
        .map_err(|error| content(error.to_string()))?;
    Ok(genesis)
}

/// The bytes of a file that may be from anybody: a proof, a receipt, a deed, a policy.
///
/// # Errors
/// [`Error::File`]; [`Error::Content`] above [`FILE_BYTES_MAX`].
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    read_up_to(path, FILE_BYTES_MAX)
}

/// The digest of the user's own document, however large.
///
/// # Errors
/// [`Error::File`].
pub fn read_document(path: &Path) -> Result<Digest, Error> {
    let bytes = fs::read(path).map_err(in_file(path))?;
    Ok(document_digest(&bytes))
}

fn read_up_to(path: &Path, limit: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(in_file(path))?;
    let one_more = (limit as u64).saturating_add(1);
    file.take(one_more)
        .read_to_end(&mut bytes)
        .map_err(in_file(path))?;
    if bytes.len() > limit {
        return Err(Error::Content {
            path: path.to_path_buf(),
            reason: format!("more than {limit} bytes"),
        });
    }
    Ok(bytes)
}

/// Writes a file so that after a crash it holds either all old or all new bytes.
///
/// # Errors
/// [`Error::File`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(name);
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        sync_folder_of(path)
    };
    write().map_err(in_file(path))
}

/// Writes a new file that only its owner may read, through to the disk.
///
/// # Errors
/// [`Error::Exists`] for a file that is there already; [`Error::File`].
pub fn create_secret(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    let created = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = match created {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let path = path.to_path_buf();
            return Err(Error::Exists { path });
        }
        Err(error) => return Err(in_file(path)(error)),
    };
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written
        .and_then(|()| sync_folder_of(path))
        .map_err(in_file(path))
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn read_message<T: Canonical>(path: &Path) -> Result<Option<T>, Error> {
    let Some(bytes) = read_if_exists(path)? else {
        return Ok(None);
    };
    let message = wire::from_bytes(&bytes).map_err(|error| Error::Content {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })?;
    Ok(Some(message))
}

fn write_message<T: Canonical>(path: &Path, message: &T) -> Result<(), Error> {
    replace(path, &wire::to_bytes(message)?)
}

fn read_if_exists(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(in_file(path)(error)),
    }
}

fn in_file(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::File { path, source }
}

#[cfg(test)]
mod tests;
