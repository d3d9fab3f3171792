//! The peer's disk: backends for [`primitives::store`], one folder each, used by one process.
//!
//! ```text
//!   folder/stamp          what the folder is of: form, backend, chain, event key
//!   folder/lock           held while the store is open
//!   folder/rocksdb | redb the backend's own files
//! ```
//!
//! A write that fails poisons the store: nothing is read or written after it, and the node stops.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use primitives::store::{Batch, Row, Store, StoreError, Table};

use crate::error::Error;

pub mod memory;
#[cfg(feature = "redb")]
pub mod redb;
#[cfg(feature = "rocksdb")]
pub mod rocks;
mod stamp;

pub use stamp::Stamp;

/// The backends there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// RocksDB: the node's own.
    Rocksdb,
    /// redb: light, in Rust alone.
    Redb,
    /// Nothing is kept: for tests and experiments.
    Memory,
}

impl Kind {
    /// The name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rocksdb => "rocksdb",
            Self::Redb => "redb",
            Self::Memory => "memory",
        }
    }

    /// The backends of this build, the default first.
    #[must_use]
    pub fn compiled_in() -> Vec<Self> {
        let mut kinds = Vec::new();
        if cfg!(feature = "rocksdb") {
            kinds.push(Self::Rocksdb);
        }
        if cfg!(feature = "redb") {
            kinds.push(Self::Redb);
        }
        kinds.push(Self::Memory);
        kinds
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "rocksdb" => Ok(Self::Rocksdb),
            "redb" => Ok(Self::Redb),
            "memory" => Ok(Self::Memory),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A store that can be written to and shared between threads.
pub trait Backend: Store + Send + Sync + fmt::Debug {
    /// Makes `batch` visible to every later read, all of it at once; it may still be lost in a
    /// crash, whole, until [`Backend::sync`] returns.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails; the batch is then not visible.
    fn apply(&self, batch: &Batch) -> Result<(), StoreError>;

    /// Makes everything applied before durable. Cost: one fdatasync, about 0.2 ms when quiet.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails; what was applied may then be lost.
    fn sync(&self) -> Result<(), StoreError>;

    /// Gives the space of removed rows back where that takes more than time. Cost: a rewrite of the
    /// tables.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails.
    fn compact(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// An open store of any backend, with the lock on its folder.
#[derive(Debug)]
pub struct Database {
    backend: Box<dyn Backend>,
    poisoned: AtomicBool,
    /// Released when the file is closed, after the backend: fields drop in this order.
    _lock: Option<File>,
}

impl Database {
    /// Opens or makes the store in `folder` for the node of `stamp`.
    ///
    /// # Errors
    /// [`Error::StoreNotCompiledIn`]; [`Error::StoreInUse`] while another process holds it;
    /// [`Error::OtherStore`] for a folder of another chain, key, backend or form; a failed disk.
    pub fn open(kind: Kind, folder: &Path, stamp: &Stamp) -> Result<Self, Error> {
        if kind == Kind::Memory {
            return Ok(Self::in_memory());
        }
        let context = || format!("store folder {}", folder.display());
        fs::create_dir_all(folder).map_err(Error::io(context()))?;
        let lock = lock(folder)?;
        stamp.check_or_write(kind, folder)?;
        Self::open_locked(kind, folder, lock)
    }

    /// Opens the store in `folder` whatever node it is of: for reading offline.
    ///
    /// # Errors
    /// As [`Database::open`]; [`Error::Io`] for a folder without a stamp.
    pub fn open_offline(folder: &Path) -> Result<(Self, Stamp), Error> {
        let (kind, stamp) = Stamp::read(folder)?;
        let lock = lock(folder)?;
        Ok((Self::open_locked(kind, folder, lock)?, stamp))
    }

    /// A store that keeps nothing.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::of(Box::new(memory::Memory::default()), None)
    }

    fn open_locked(kind: Kind, folder: &Path, lock: File) -> Result<Self, Error> {
        let backend = open_backend(kind, folder)?;
        Ok(Self::of(backend, Some(lock)))
    }

    fn of(backend: Box<dyn Backend>, lock: Option<File>) -> Self {
        Self {
            backend,
            poisoned: AtomicBool::new(false),
            _lock: lock,
        }
    }

    fn unless_poisoned<T>(
        &self,
        operation: impl FnOnce(&dyn Backend) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(failure("an earlier operation failed"));
        }
        let result = operation(self.backend.as_ref());
        if result.is_err() {
            self.poisoned.store(true, Ordering::Release);
        }
        result
    }
}

impl Store for Database {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.unless_poisoned(|backend| backend.get(table, key))
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.unless_poisoned(|backend| backend.range(table, from, to, limit))
    }
}

impl Backend for Database {
    fn apply(&self, batch: &Batch) -> Result<(), StoreError> {
        self.unless_poisoned(|backend| backend.apply(batch))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.unless_poisoned(|backend| backend.sync())
    }

    fn compact(&self) -> Result<(), StoreError> {
        self.unless_poisoned(|backend| backend.compact())
    }
}

fn open_backend(kind: Kind, folder: &Path) -> Result<Box<dyn Backend>, Error> {
    match kind {
        Kind::Memory => Ok(Box::new(memory::Memory::default())),
        #[cfg(feature = "rocksdb")]
        Kind::Rocksdb => Ok(Box::new(rocks::Rocks::open(&folder.join("rocksdb"))?)),
        #[cfg(feature = "redb")]
        Kind::Redb => Ok(Box::new(redb::Redb::open(&folder.join("redb"))?)),
        #[cfg(not(all(feature = "rocksdb", feature = "redb")))]
        absent => {
            let names: Vec<_> = Kind::compiled_in().iter().map(|kind| kind.name()).collect();
            let _ = folder;
            Err(Error::StoreNotCompiledIn {
                name: absent.name(),
                compiled_in: names.join(", "),
            })
        }
    }
}

fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(Error::io(format!("lock file {}", path.display())))?;
    lock_file(&file, &path)?;
    Ok(file)
}

/// Keeps other processes from locking the file at `path` for as long as it is open.
pub(crate) fn lock_file(file: &File, path: &Path) -> Result<(), Error> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => Error::StoreInUse {
            path: path.to_path_buf(),
        },
        TryLockError::Error(source) => Error::io(format!("lock file {}", path.display()))(source),
    })
}

fn failure(reason: impl fmt::Display) -> StoreError {
    StoreError {
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests;
