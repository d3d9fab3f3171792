//! One way of measuring for all trees.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::figures::{Figures, Proof};
use crate::workload::{Entry, UPDATES, Workload};

/// A map under a root, as each project offers it.
pub trait Tree {
    /// What convinces somebody who holds the root.
    type Proof;

    /// How the tables name it.
    const NAME: &'static str;
    /// Whether a batch has reached the disk when [`Tree::write`] returns.
    const IS_DURABLE: bool;
    /// Whether it can show that a key is absent.
    const PROVES_ABSENCE: bool;

    /// Sets these keys, which are in order; yields how long it took until the new root was known.
    fn write(&mut self, batch: &[Entry]) -> Result<Duration>;

    /// Brings to its final place on the disk what was written so far.
    fn settle(&mut self) -> Result<()> {
        Ok(())
    }

    /// The proof of a key, present or absent.
    fn prove(&mut self, key: &[u8; 32]) -> Result<Self::Proof>;

    /// The size of a proof as its project encodes it.
    fn size(proof: &Self::Proof) -> Result<usize>;

    /// Whether the proof shows this value, or that there is none.
    fn holds(&self, key: &[u8; 32], value: Option<&[u8; 32]>, proof: Self::Proof) -> Result<bool>;
}

/// Writes the whole workload and proves what it says.
pub fn measure<T: Tree>(mut tree: T, workload: &Workload) -> Result<Figures> {
    eprintln!("{} keys: {} ...", workload.keys(), T::NAME);
    let (insert, _) = write(&mut tree, &workload.inserts)?;
    tree.settle()?;
    let before = disk_bytes_written()?;
    let (update, root) = write(&mut tree, &workload.updates)?;
    tree.settle()?;
    let written = disk_bytes_written()? - before;
    let updates: usize = workload.updates.iter().map(Vec::len).sum();
    let present = workload
        .present
        .iter()
        .map(|entry| (&entry.key, Some(&entry.value)));
    let absent = workload.absent.iter().map(|key| (key, None));
    Ok(Figures {
        name: T::NAME,
        keys: workload.keys(),
        inserts_per_s: Some(workload.keys() as f64 / insert.as_secs_f64()),
        updates_per_s: Some(updates as f64 / update.as_secs_f64()),
        root_ms: Some(root.as_secs_f64() * 1e3 / UPDATES as f64),
        disk: T::IS_DURABLE.then_some(written as f64 / updates as f64),
        present: prove(&mut tree, present)?,
        absent: if T::PROVES_ABSENCE {
            Some(prove(&mut tree, absent)?)
        } else {
            None
        },
    })
}

fn write<T: Tree>(tree: &mut T, batches: &[Vec<Entry>]) -> Result<(Duration, Duration)> {
    let begun = Instant::now();
    let mut root = Duration::ZERO;
    for batch in batches {
        root += tree.write(batch)?;
    }
    Ok((begun.elapsed(), root))
}

fn prove<'a, T: Tree>(
    tree: &mut T,
    wanted: impl Iterator<Item = (&'a [u8; 32], Option<&'a [u8; 32]>)> + Clone,
) -> Result<Proof> {
    let begun = Instant::now();
    let proofs = wanted
        .clone()
        .map(|(key, _)| tree.prove(key))
        .collect::<Result<Vec<_>>>()?;
    let made = begun.elapsed();
    let count = proofs.len() as f64;
    let sizes = proofs.iter().map(T::size).collect::<Result<Vec<_>>>()?;
    let begun = Instant::now();
    for ((key, value), proof) in wanted.zip(proofs) {
        ensure!(
            tree.holds(key, value, proof)?,
            "{}: a proof does not hold",
            T::NAME
        );
    }
    Ok(Proof {
        bytes: sizes.iter().sum::<usize>() as f64 / count,
        made_us: made.as_secs_f64() * 1e6 / count,
        checked_us: begun.elapsed().as_secs_f64() * 1e6 / count,
    })
}

/// What this process has caused to be written to disks, as Linux counts it.
pub fn disk_bytes_written() -> Result<u64> {
    let counts = fs::read_to_string("/proc/self/io")?;
    let line = counts
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.context("no write_bytes in /proc/self/io")?.parse()?)
}
