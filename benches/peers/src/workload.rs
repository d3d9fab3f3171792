//! The same keys and values for every tree.

use primitives::Digest;
use primitives::digest::derive;
use primitives::domain::Domain;

/// Keys written at once: a block.
pub const BATCH: usize = 5_000;
/// Batches of updates that are timed.
pub const UPDATES: usize = 20;
/// Proofs of each kind that are timed.
pub const PROOFS: usize = 1_000;

/// A key with the value to set.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The hash of its number.
    pub key: [u8; 32],
    /// What it is set to.
    pub value: [u8; 32],
}

/// What is written to and proven of each tree.
#[derive(Debug)]
pub struct Workload {
    /// The first writes, each of keys that are new.
    pub inserts: Vec<Vec<Entry>>,
    /// Then these, each of keys drawn from those present.
    pub updates: Vec<Vec<Entry>>,
    /// Keys that are present at the end, with their values.
    pub present: Vec<Entry>,
    /// Keys that never were.
    pub absent: Vec<[u8; 32]>,
}

impl Workload {
    /// The workload of a map of so many keys.
    pub fn new(keys: usize) -> Self {
        let mut state: Vec<Entry> = (0..keys).map(|number| entry(number, 0)).collect();
        let inserts = state.chunks(BATCH).map(sorted).collect();
        let mut draw = Draw(7);
        let mut updates = Vec::new();
        for round in 1..=UPDATES {
            let mut numbers: Vec<usize> = (0..2 * BATCH).map(|_| draw.below(keys)).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers.truncate(BATCH.min(keys / 2));
            let batch: Vec<Entry> = numbers.iter().map(|number| entry(*number, round)).collect();
            for (number, new) in numbers.iter().zip(&batch) {
                state[*number] = *new;
            }
            updates.push(sorted(&batch));
        }
        Self {
            inserts,
            updates,
            present: (0..PROOFS).map(|_| state[draw.below(keys)]).collect(),
            absent: (keys..keys + PROOFS)
                .map(|number| entry(number, 0).key)
                .collect(),
        }
    }

    /// How many keys the map holds.
    pub fn keys(&self) -> usize {
        self.inserts.iter().map(Vec::len).sum()
    }
}

fn entry(number: usize, round: usize) -> Entry {
    let hash = |domain| derive(domain, &[&number.to_le_bytes(), &round.to_le_bytes()]);
    Entry {
        key: derive(Domain::KeyPosition, &[&number.to_le_bytes()]).0,
        value: hash(Domain::TestKey).0,
    }
}

fn sorted(batch: &[Entry]) -> Vec<Entry> {
    let mut batch = batch.to_vec();
    batch.sort_unstable_by_key(|entry| entry.key);
    batch
}

/// The digest of a key or value.
pub fn digest(bytes: &[u8; 32]) -> Digest {
    Digest(*bytes)
}

/// SplitMix64: the same numbers in every run.
pub struct Draw(pub u64);

impl Draw {
    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}
