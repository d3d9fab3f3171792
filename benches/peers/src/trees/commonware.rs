//! commonware-storage: its ordered "current" database, a log of operations under an MMR with a bitmap
//! of those that are current, in its own files.

use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use commonware_codec::EncodeSize as _;
use commonware_cryptography::{DigestOf, Sha256};
use commonware_parallel::Rayon;
use commonware_runtime::buffer::paged::{CacheRef, page_size};
use commonware_runtime::tokio::{Config, Context, Runner};
use commonware_runtime::{BLOB_PAGE_SIZE, Runner as _, Strategizer as _, Supervisor as _};
use commonware_storage::journal::contiguous::fixed::Config as LogConfig;
use commonware_storage::merkle::{full, mmr};
use commonware_storage::qmdb::any::value::FixedEncoding;
use commonware_storage::qmdb::current::FixedConfig;
use commonware_storage::qmdb::current::ordered::fixed::Db;
use commonware_storage::qmdb::current::ordered::proof::constant::{ExclusionProof, KeyValueProof};
use commonware_storage::qmdb::floor::Proportional;
use commonware_storage::translator::EightCap;
use tempfile::TempDir;
use tokio::task::unconstrained;

use crate::figures::Figures;
use crate::measure::{Tree, measure};
use crate::workload::{Entry, Workload};

type Digest = DigestOf<Sha256>;
type Family = mmr::Family;
type Current = Db<Family, Context, Digest, Digest, Sha256, EightCap, 32, Rayon>;

const THREADS: NonZeroUsize = NonZeroUsize::new(2).unwrap();
const ITEMS_PER_BLOB: NonZeroU64 = NonZeroU64::new(500_000).unwrap();
const PAGE_SIZE: NonZeroU16 = page_size(BLOB_PAGE_SIZE);
const PAGES: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();
const BUFFER: NonZeroUsize = NonZeroUsize::new(2 << 20).unwrap();

/// The database, moved through each of its operations.
struct Database(Option<Current>);

/// Opens the database in the runtime that it needs, and measures it there.
pub fn run(workload: &Workload) -> Result<Figures> {
    let folder = TempDir::new()?;
    let config = Config::new()
        .with_worker_threads(2)
        .with_storage_directory(folder.path());
    Runner::new(config).start(|context| async move {
        let strategy = context.strategy(THREADS);
        let page_cache = CacheRef::new(PAGE_SIZE, PAGES);
        let config = FixedConfig {
            merkle_config: full::Config {
                journal_partition: "nodes".into(),
                metadata_partition: "summary-of-nodes".into(),
                items_per_blob: ITEMS_PER_BLOB,
                write_buffer: BUFFER,
                replay_buffer: BUFFER,
                strategy,
                page_cache: page_cache.clone(),
            },
            journal_config: LogConfig {
                partition: "log".into(),
                items_per_blob: ITEMS_PER_BLOB,
                page_cache,
                write_buffer: BUFFER,
                replay_buffer: BUFFER,
            },
            grafted_metadata_partition: "grafted".into(),
            translator: EightCap,
            init_cache: None,
            init_buffer: BUFFER,
            init_concurrency: (),
        };
        let db = Current::init(context.child("current"), config, None).await?;
        measure(Database(Some(db)), workload)
    })
}

enum Proof {
    Present(KeyValueProof<Family, Digest, Digest, 32>),
    Absent(ExclusionProof<Family, Digest, FixedEncoding<Digest>, Digest, 32>),
}

impl Database {
    fn db(&self) -> Result<&Current> {
        self.0.as_ref().context("the database is lost")
    }
}

/// Waits within the runtime's own future, which never returns to it: without a budget, or what waits
/// for the runtime would wait for ever.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    futures::executor::block_on(unconstrained(work))
}

fn digest(bytes: &[u8; 32]) -> Result<Digest> {
    Ok(Digest::try_from(&bytes[..])?)
}

impl Tree for Database {
    type Proof = Proof;

    const NAME: &'static str = "commonware-storage 2026.10, current ordered";
    const IS_DURABLE: bool = true;
    const PROVES_ABSENCE: bool = true;

    fn write(&mut self, batch: &[Entry]) -> Result<Duration> {
        block_on(async {
            let begun = Instant::now();
            let db = self.0.take().context("the database is lost")?;
            let mut writes = db.new_batch();
            for entry in batch {
                writes = writes.write(digest(&entry.key)?, Some(digest(&entry.value)?));
            }
            let merkleized = writes.merkleize(&db, None, &mut Proportional).await?;
            let known = begun.elapsed();
            let db = db.apply_batch(merkleized).await?;
            self.0 = Some(db.commit().await?);
            Ok(known)
        })
    }

    fn prove(&mut self, key: &[u8; 32]) -> Result<Proof> {
        block_on(async {
            let (db, key) = (self.db()?, digest(key)?);
            Ok(match db.get(&key).await? {
                Some(_) => Proof::Present(db.key_value_proof(key).await?),
                None => Proof::Absent(db.exclusion_proof(&key).await?),
            })
        })
    }

    fn size(proof: &Proof) -> Result<usize> {
        Ok(match proof {
            Proof::Present(proof) => proof.encode_size(),
            Proof::Absent(proof) => proof.encode_size(),
        })
    }

    fn holds(&self, key: &[u8; 32], value: Option<&[u8; 32]>, proof: Proof) -> Result<bool> {
        let (key, root) = (digest(key)?, self.db()?.root());
        Ok(match (proof, value) {
            (Proof::Present(proof), Some(value)) => {
                proof.verify::<Sha256, FixedEncoding<Digest>>(key, digest(value)?, &root)
            }
            (Proof::Absent(proof), None) => proof.verify::<Sha256>(&key, &root),
            (Proof::Present(_), None) | (Proof::Absent(_), Some(_)) => false,
        })
    }
}
