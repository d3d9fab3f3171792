//! jmt: a Jellyfish tree of 16-way nodes by version. It brings no store, so its nodes and values are
//! kept in RocksDB, one synced batch a version, which also removes the nodes that became stale.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jmt::proof::SparseMerkleProof;
use jmt::storage::{LeafNode, Node, NodeKey, TreeReader, TreeUpdateBatch};
use jmt::{KeyHash, OwnedValue, RootHash, Sha256Jmt, Version};
use rocksdb::{DB, Direction, IteratorMode, WriteBatch, WriteOptions};
use sha2::Sha256;
use tempfile::TempDir;

use super::primus::open;
use crate::measure::Tree;
use crate::workload::Entry;

/// The tree on disk.
pub struct Disk {
    store: Store,
    version: Version,
    root: RootHash,
    _folder: TempDir,
}

struct Store(DB);

impl TreeReader for Store {
    fn get_node_option(&self, key: &NodeKey) -> Result<Option<Node>> {
        let nodes = self.0.cf_handle("node").context("no nodes")?;
        let found = self.0.get_pinned_cf(&nodes, borsh::to_vec(key)?)?;
        Ok(found.map(|bytes| borsh::from_slice(&bytes)).transpose()?)
    }

    fn get_value_option(&self, newest: Version, key: KeyHash) -> Result<Option<OwnedValue>> {
        let values = self.0.cf_handle("value").context("no values")?;
        let from = value_key(&key, newest);
        let mode = IteratorMode::From(&from, Direction::Reverse);
        let found = self.0.iterator_cf(&values, mode).next().transpose()?;
        let found = found.filter(|(at, _)| at.starts_with(&key.0));
        Ok(found.map(|(_, value)| value.into_vec()))
    }

    fn get_rightmost_leaf(&self) -> Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

impl Store {
    fn write(&self, batch: TreeUpdateBatch) -> Result<()> {
        let nodes = self.0.cf_handle("node").context("no nodes")?;
        let values = self.0.cf_handle("value").context("no values")?;
        let mut writes = WriteBatch::default();
        for (key, node) in batch.node_batch.nodes() {
            writes.put_cf(&nodes, borsh::to_vec(key)?, borsh::to_vec(node)?);
        }
        for ((version, key), value) in batch.node_batch.values() {
            writes.put_cf(
                &values,
                value_key(key, *version),
                value.as_deref().unwrap_or_default(),
            );
        }
        for stale in &batch.stale_node_index_batch {
            writes.delete_cf(&nodes, borsh::to_vec(&stale.node_key)?);
        }
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        Ok(self.0.write_opt(writes, &synced)?)
    }
}

fn value_key(key: &KeyHash, version: Version) -> Vec<u8> {
    [&key.0[..], &version.to_be_bytes()].concat()
}

impl Disk {
    pub fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        Ok(Self {
            store: Store(open(folder.path(), ["node", "value"])?),
            version: 0,
            root: RootHash([0; 32]),
            _folder: folder,
        })
    }
}

impl Tree for Disk {
    type Proof = SparseMerkleProof<Sha256>;

    const NAME: &'static str = "jmt 0.12, RocksDB, pruned";
    const IS_DURABLE: bool = true;
    const PROVES_ABSENCE: bool = true;

    fn write(&mut self, batch: &[Entry]) -> Result<Duration> {
        let begun = Instant::now();
        self.version += 1;
        let values = batch
            .iter()
            .map(|entry| (KeyHash(entry.key), Some(entry.value.to_vec())));
        let (root, batch) = Sha256Jmt::new(&self.store).put_value_set(values, self.version)?;
        let known = begun.elapsed();
        self.root = root;
        self.store.write(batch)?;
        Ok(known)
    }

    fn settle(&mut self) -> Result<()> {
        for family in ["node", "value"] {
            self.store
                .0
                .flush_cf(&self.store.0.cf_handle(family).context("no family")?)?;
        }
        Ok(())
    }

    fn prove(&mut self, key: &[u8; 32]) -> Result<Self::Proof> {
        let tree = Sha256Jmt::new(&self.store);
        Ok(tree.get_with_proof(KeyHash(*key), self.version)?.1)
    }

    fn size(proof: &Self::Proof) -> Result<usize> {
        Ok(borsh::to_vec(proof)?.len())
    }

    fn holds(&self, key: &[u8; 32], value: Option<&[u8; 32]>, proof: Self::Proof) -> Result<bool> {
        Ok(proof.verify(self.root, KeyHash(*key), value).is_ok())
    }
}
