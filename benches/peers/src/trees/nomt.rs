//! nomt: a binary tree in pages of its own store, built for speed on disk.

use std::time::{Duration, Instant};

use anyhow::Result;
use bitvec::order::Msb0;
use bitvec::view::BitView;
use nomt::hasher::{Blake3Hasher, ValueHasher};
use nomt::proof::PathProof;
use nomt::trie::LeafData;
use nomt::{KeyReadWrite, Nomt, Options, SessionParams};
use tempfile::TempDir;

use crate::measure::Tree;
use crate::workload::Entry;

/// The store with two workers that hash, and buckets for a million keys.
pub struct Disk {
    store: Nomt<Blake3Hasher>,
    _folder: TempDir,
}

impl Disk {
    pub fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        let mut options = Options::new();
        options.path(folder.path());
        options.commit_concurrency(2);
        options.hashtable_buckets(1 << 18);
        Ok(Self {
            store: Nomt::open(options)?,
            _folder: folder,
        })
    }
}

impl Tree for Disk {
    type Proof = PathProof;

    const NAME: &'static str = "nomt 1.0";
    const IS_DURABLE: bool = true;
    const PROVES_ABSENCE: bool = true;

    fn write(&mut self, batch: &[Entry]) -> Result<Duration> {
        let begun = Instant::now();
        let session = self.store.begin_session(SessionParams::default());
        for entry in batch {
            session.warm_up(entry.key);
        }
        let write = |entry: &Entry| (entry.key, KeyReadWrite::Write(Some(entry.value.to_vec())));
        let finished = session.finish(batch.iter().map(write).collect())?;
        let known = begun.elapsed();
        finished.commit(&self.store)?;
        Ok(known)
    }

    fn prove(&mut self, key: &[u8; 32]) -> Result<PathProof> {
        self.store
            .begin_session(SessionParams::default())
            .prove(*key)
    }

    fn size(proof: &PathProof) -> Result<usize> {
        Ok(borsh::to_vec(proof)?.len())
    }

    fn holds(&self, key: &[u8; 32], value: Option<&[u8; 32]>, proof: PathProof) -> Result<bool> {
        let root = self.store.root().into_inner();
        let Ok(proof) = proof.verify::<Blake3Hasher>(key.view_bits::<Msb0>(), root) else {
            return Ok(false);
        };
        let held = match value {
            Some(value) => proof.confirm_value(&LeafData {
                key_path: *key,
                value_hash: Blake3Hasher::hash_value(value),
            }),
            None => proof.confirm_nonexistence(key),
        };
        Ok(held.unwrap_or(false))
    }
}
