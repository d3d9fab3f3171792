//! Our own map: in memory, and with each block's records and what undoes them in RocksDB.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use merkle::map::{MapProof, MapTree};
use merkle::workers::{Task, Workers};
use merkle::{Map, Record, TreeKeys};
use primitives::Digest;
use primitives::codec::encode;
use primitives::units::Height;
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, Options, WriteBatch, WriteOptions,
};
use tempfile::TempDir;

use crate::measure::Tree;
use crate::workload::{Entry, digest};

/// Two threads, for the two cores that the peers get as well.
#[derive(Debug)]
pub struct TwoThreads;

impl Workers for TwoThreads {
    fn count(&self) -> usize {
        2
    }

    fn run(&self, tasks: Vec<Task<'_>>) {
        let tasks = Mutex::new(tasks);
        let work = || {
            loop {
                let next = tasks.lock().ok().and_then(|mut tasks| tasks.pop());
                match next {
                    Some(task) => task(),
                    None => return,
                }
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
    }
}

/// The keys of a chain for measuring.
pub fn keys() -> TreeKeys {
    TreeKeys::new(&Digest([7; 32]))
}

/// The map in memory.
pub struct InMemory {
    keys: TreeKeys,
    tree: MapTree,
    height: u64,
}

impl InMemory {
    pub fn new() -> Self {
        let keys = keys();
        Self {
            tree: MapTree::new(Map::Key, &keys),
            keys,
            height: 0,
        }
    }

    fn record(value: &[u8; 32]) -> Record {
        Record {
            log_root: digest(value),
            count: 1,
            last_block: Height::new(1),
        }
    }
}

impl Tree for InMemory {
    type Proof = MapProof;

    const NAME: &'static str = "primus map, in memory";
    const IS_DURABLE: bool = false;
    const PROVES_ABSENCE: bool = true;

    fn write(&mut self, batch: &[Entry]) -> Result<Duration> {
        let begun = Instant::now();
        self.height += 1;
        let hash = |value| Self::record(value).hash(&self.keys, Map::Key);
        let records: Vec<_> = batch
            .iter()
            .map(|entry| (digest(&entry.key), hash(&entry.value)))
            .collect();
        self.tree
            .update(&records, Height::new(self.height), &TwoThreads)?;
        Ok(begun.elapsed())
    }

    fn prove(&mut self, key: &[u8; 32]) -> Result<MapProof> {
        Ok(self.tree.prove(&digest(key))?)
    }

    fn size(proof: &MapProof) -> Result<usize> {
        Ok(encode(proof)?.len())
    }

    fn holds(&self, key: &[u8; 32], value: Option<&[u8; 32]>, proof: MapProof) -> Result<bool> {
        let hasher = self.keys.map(Map::Key);
        let root = match value {
            Some(value) => {
                let hash = Self::record(value).hash(&self.keys, Map::Key);
                proof.root_if_present(hasher, &digest(key), &hash)?
            }
            None => proof.root_if_absent(hasher, &digest(key))?,
        };
        Ok(root == self.tree.sized_root().root)
    }
}

/// The same, with one synced batch a block of records and of what they were.
pub struct Durable {
    map: InMemory,
    db: DB,
    _folder: TempDir,
}

impl Durable {
    pub fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        Ok(Self {
            map: InMemory::new(),
            db: open(folder.path(), ["key", "diff"])?,
            _folder: folder,
        })
    }
}

/// RocksDB as this file and jmt use it: filters, and 64 MiB of blocks in memory.
pub fn open(folder: &Path, families: [&str; 2]) -> Result<DB> {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_bloom_filter(10.0, false);
    blocks.set_block_cache(&Cache::new_lru_cache(64 << 20));
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.increase_parallelism(2);
    options.set_compression_type(rocksdb::DBCompressionType::None);
    options.set_block_based_table_factory(&blocks);
    let families = families.map(|name| ColumnFamilyDescriptor::new(name, options.clone()));
    Ok(DB::open_cf_descriptors(&options, folder, families)?)
}

impl Tree for Durable {
    type Proof = MapProof;

    const NAME: &'static str = "primus map, RocksDB with diffs";
    const IS_DURABLE: bool = true;
    const PROVES_ABSENCE: bool = true;

    fn write(&mut self, batch: &[Entry]) -> Result<Duration> {
        let records = self.db.cf_handle("key").context("no records")?;
        let diffs = self.db.cf_handle("diff").context("no diffs")?;
        let begun = Instant::now();
        let at: Vec<_> = batch.iter().map(|entry| entry.key).collect();
        let (left, right) = at.split_at(at.len() / 2);
        let read = |at| self.db.batched_multi_get_cf(&records, at, true);
        let (mut old, others) = std::thread::scope(|scope| {
            let others = scope.spawn(|| read(right));
            (read(left), others.join())
        });
        old.extend(others.ok().context("a reader ended early")?);
        let reading = begun.elapsed();
        let hashing = self.map.write(batch)?;
        let (mut writes, mut diff) = (WriteBatch::default(), Vec::new());
        for (entry, old) in batch.iter().zip(old) {
            diff.extend(entry.key);
            diff.extend(old?.as_deref().unwrap_or_default());
            let record = encode(&InMemory::record(&entry.value))?;
            writes.put_cf(&records, entry.key, record);
        }
        writes.put_cf(&diffs, self.map.height.to_be_bytes(), diff);
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        self.db.write_opt(writes, &synced)?;
        Ok(reading + hashing)
    }

    fn settle(&mut self) -> Result<()> {
        for family in ["key", "diff"] {
            self.db
                .flush_cf(&self.db.cf_handle(family).context("no family")?)?;
        }
        Ok(())
    }

    fn prove(&mut self, key: &[u8; 32]) -> Result<MapProof> {
        self.map.prove(key)
    }

    fn size(proof: &MapProof) -> Result<usize> {
        InMemory::size(proof)
    }

    fn holds(&self, key: &[u8; 32], value: Option<&[u8; 32]>, proof: MapProof) -> Result<bool> {
        self.map.holds(key, value, proof)
    }
}
