//! What our trees are meant to reach on two cores, beside what this run measured of a million leaves.

use std::time::Instant;

use anyhow::{Context, Result};
use merkle::dense::DenseTree;
use merkle::log::LogTree;
use merkle::map::MapTree;
use merkle::{Map, TreeKeys};
use primitives::Digest;
use primitives::codec::encode;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::units::Height;

use crate::figures::{Figures, plain};
use crate::trees::primus::{TwoThreads, keys};
use crate::workload::{BATCH, Draw, PROOFS};

/// The size that the targets are for.
pub const LEAVES: usize = 1_000_000;

/// A bound and what was measured.
struct Target {
    what: &'static str,
    bound: Bound,
    measured: f64,
}

enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

use Bound::{AtLeast, AtMost};

/// Prints the table, from the rows of the maps of a million keys and from runs of its own.
pub fn print(rows: &[Figures]) -> Result<()> {
    let find = |name: &str| {
        let row = rows
            .iter()
            .find(|row| row.keys == LEAVES && row.name.starts_with(name));
        row.context("our own maps were not measured")
    };
    let (memory, disk) = (find("primus map, in memory")?, find("primus map, RocksDB")?);
    let absent = memory.absent.context("no absence")?;
    let mut targets = vec![
        target(
            "map updates/s, in memory",
            AtLeast(1.4e6),
            memory.updates_per_s.unwrap_or(0.0),
        ),
        target(
            "map updates/s, RocksDB with diffs",
            AtLeast(330e3),
            disk.updates_per_s.unwrap_or(0.0),
        ),
        target(
            "disk bytes per update",
            AtMost(140.0),
            disk.disk.context("no disk")?,
        ),
        target("map presence, bytes", AtMost(655.0), memory.present.bytes),
        target("map absence, bytes", AtMost(700.0), absent.bytes),
        target(
            "map proof checked, us",
            AtMost(1.5),
            memory.present.checked_us,
        ),
        target("map proof made, us", AtMost(4.0), memory.present.made_us),
    ];
    eprintln!("targets ...");
    let keys = keys();
    outputs(&keys, &mut targets)?;
    refresh(&keys, &mut targets)?;
    consistency(&keys, &mut targets)?;
    println!("\n## Targets, a million leaves\n");
    println!("| what | target | measured | met |\n|---|---:|---:|---|");
    for Target {
        what,
        bound,
        measured,
    } in targets
    {
        let (sign, limit, is_met) = match bound {
            AtLeast(limit) => (">=", limit, measured >= limit),
            AtMost(limit) => ("<=", limit, measured <= limit),
        };
        let met = if is_met { "yes" } else { "no" };
        println!(
            "| {what} | {sign} {} | {} | {met} |",
            plain(limit),
            plain(measured)
        );
    }
    Ok(())
}

fn target(what: &'static str, bound: Bound, measured: f64) -> Target {
    Target {
        what,
        bound,
        measured,
    }
}

fn digest(number: usize) -> Digest {
    derive(Domain::TestKey, &[&number.to_le_bytes()])
}

fn outputs(keys: &TreeKeys, targets: &mut Vec<Target>) -> Result<()> {
    let leaves: Vec<_> = (0..LEAVES).map(digest).collect();
    let mut tree = DenseTree::new(*keys.outputs());
    let begun = Instant::now();
    for batch in leaves.chunks(BATCH) {
        tree.append(batch, Height::ZERO, &TwoThreads);
    }
    let appends = LEAVES as f64 / begun.elapsed().as_secs_f64();
    let mut draw = Draw(3);
    let mut batches: Vec<Vec<(u64, Digest)>> = Vec::new();
    for _ in 0..20 {
        let mut batch: Vec<_> = (0..BATCH).map(|_| draw.below(LEAVES)).collect();
        batch.sort_unstable();
        batch.dedup();
        batches.push(
            batch
                .into_iter()
                .map(|at| (at as u64, leaves[LEAVES - 1 - at]))
                .collect(),
        );
    }
    let count: usize = batches.iter().map(Vec::len).sum();
    let begun = Instant::now();
    for batch in &batches {
        tree.update(batch, Height::new(1), &TwoThreads)?;
    }
    let spends = count as f64 / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let mut bytes = 0;
    for _ in 0..PROOFS {
        bytes += 32 * tree.prove(draw.below(LEAVES) as u64)?.len();
    }
    let made = begun.elapsed().as_secs_f64() * 1e6 / PROOFS as f64;
    targets.push(target("outputs appended/s", AtLeast(5e6), appends));
    targets.push(target("outputs spent/s, at random", AtLeast(1.5e6), spends));
    targets.push(target(
        "output presence, bytes",
        AtMost(640.0),
        bytes as f64 / PROOFS as f64,
    ));
    targets.push(target("output proof made, us", AtMost(4.0), made));
    Ok(())
}

/// The mean refresh after one and after a hundred blocks of random updates, and a proof as of the
/// block before.
fn refresh(keys: &TreeKeys, targets: &mut Vec<Target>) -> Result<()> {
    let mut tree = MapTree::new(Map::Key, keys);
    let records: Vec<_> = (0..LEAVES).map(|at| (digest(at), digest(at + 1))).collect();
    tree.update(&records, Height::ZERO, &TwoThreads)?;
    let mut draw = Draw(5);
    let mut undo = Vec::new();
    for height in 1..=100 {
        let mut batch: Vec<_> = (0..BATCH).map(|_| records[draw.below(LEAVES)].0).collect();
        batch.sort_unstable();
        batch.dedup();
        if height == 100 {
            for at in &batch {
                undo.push((*at, tree.record_hash(at)?));
            }
        }
        let batch: Vec<_> = batch.into_iter().map(|at| (at, digest(height))).collect();
        tree.update(&batch, Height::new(height as u64), &TwoThreads)?;
    }
    for (what, held, limit) in [
        ("refresh after 1 block, bytes", 99, 415.0),
        ("refresh after 100 blocks, bytes", 0, 625.0),
    ] {
        let mut bytes = 0;
        for _ in 0..PROOFS {
            let (position, _) = records[draw.below(LEAVES)];
            bytes += encode(&tree.refresh(&position, Height::new(held))?)?.len();
        }
        targets.push(target(what, AtMost(limit), bytes as f64 / PROOFS as f64));
    }
    let begun = Instant::now();
    let view = tree.view(&undo)?;
    let first_us = begun.elapsed().as_secs_f64() * 1e6;
    let begun = Instant::now();
    for _ in 0..PROOFS {
        view.prove(&records[draw.below(LEAVES)].0)?;
    }
    let made = begun.elapsed().as_secs_f64() * 1e6 / PROOFS as f64;
    for (what, measured) in [
        ("first proof as of a block before, us", first_us + made),
        ("each further proof as of it, us", made),
    ] {
        targets.push(target(what, AtMost(1000.0), measured));
    }
    Ok(())
}

fn consistency(keys: &TreeKeys, targets: &mut Vec<Target>) -> Result<()> {
    let mut log = LogTree::new(*keys.block());
    (0..LEAVES).for_each(|at| log.append(digest(at)));
    let mut draw = Draw(11);
    let mut longest = 0;
    for _ in 0..PROOFS {
        let old = 1 + draw.below(LEAVES - 1);
        longest = longest.max(log.prove_consistency(old as u64, LEAVES as u64)?.len());
    }
    targets.push(target("consistency, digests", AtMost(21.0), longest as f64));
    Ok(())
}
