//! akd: an auditable key directory, which keeps every version of a key under a verifiable random
//! function; in memory.

use std::time::{Duration, Instant};

use akd::append_only_zks::AzksParallelismConfig;
use akd::ecvrf::HardCodedAkdVRF;
use akd::storage::StorageManager;
use akd::storage::memory::AsyncInMemoryDatabase;
use akd::{AkdLabel, AkdValue, EpochHash, LookupProof, WhatsAppV1Configuration};
use anyhow::{Result, anyhow};
use protobuf::Message;
use tokio::runtime::Runtime;

use crate::measure::Tree;
use crate::workload::Entry;

type Akd =
    akd::directory::Directory<WhatsAppV1Configuration, AsyncInMemoryDatabase, HardCodedAkdVRF>;

/// A directory with the runtime that it needs.
pub struct Directory {
    runtime: Runtime,
    akd: Akd,
    public_key: Vec<u8>,
    root: EpochHash,
}

impl Directory {
    pub fn new() -> Result<Self> {
        let runtime = Runtime::new()?;
        let storage = StorageManager::new_no_cache(AsyncInMemoryDatabase::new());
        let akd = Akd::new(storage, HardCodedAkdVRF, AzksParallelismConfig::default());
        let akd = runtime.block_on(akd)?;
        let public_key = runtime.block_on(akd.get_public_key())?.as_bytes().to_vec();
        Ok(Self {
            runtime,
            akd,
            public_key,
            root: EpochHash(0, [0; 32]),
        })
    }
}

impl Tree for Directory {
    type Proof = LookupProof;

    const NAME: &'static str = "akd 0.13, in memory";
    const IS_DURABLE: bool = false;
    const PROVES_ABSENCE: bool = false;

    fn write(&mut self, batch: &[Entry]) -> Result<Duration> {
        let begun = Instant::now();
        let label = |entry: &Entry| (AkdLabel(entry.key.to_vec()), AkdValue(entry.value.to_vec()));
        let updates = batch.iter().map(label).collect();
        self.root = self.runtime.block_on(self.akd.publish(updates))?;
        Ok(begun.elapsed())
    }

    fn prove(&mut self, key: &[u8; 32]) -> Result<LookupProof> {
        Ok(self
            .runtime
            .block_on(self.akd.lookup(AkdLabel(key.to_vec())))?
            .0)
    }

    fn size(proof: &LookupProof) -> Result<usize> {
        let message = akd::proto::specs::types::LookupProof::from(proof);
        Ok(message.write_to_bytes()?.len())
    }

    fn holds(&self, key: &[u8; 32], value: Option<&[u8; 32]>, proof: LookupProof) -> Result<bool> {
        let label = AkdLabel(key.to_vec());
        let EpochHash(epoch, root) = self.root;
        let found = akd::client::lookup_verify::<WhatsAppV1Configuration>(
            &self.public_key,
            root,
            epoch,
            label,
            proof,
        );
        let found = found.map_err(|error| anyhow!("akd: {error}"))?;
        Ok(value.is_some_and(|value| found.value.0 == value))
    }
}
