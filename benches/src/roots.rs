//! Milliseconds until the root of a map is known after a batch of updates, hashed by one worker and
//! by two, batch by batch in turn, so that whatever else the machine does meets both alike.

use std::sync::Mutex;
use std::thread;

use anyhow::{Result, ensure};
use merkle::map::MapTree;
use merkle::workers::{Sequential, Task, Workers};
use merkle::{Map, TreeKeys};
use primitives::digest::{Digest, derive};
use primitives::domain::Domain;
use primitives::units::Height;

use crate::timed;

/// Batches of one measurement.
const BATCHES: u32 = 41;

/// The caller and one thread more.
#[derive(Debug)]
struct Two;

impl Workers for Two {
    fn count(&self) -> usize {
        2
    }

    fn run(&self, tasks: Vec<Task<'_>>) {
        let tasks = Mutex::new(tasks);
        let next = || tasks.lock().ok().and_then(|mut tasks| tasks.pop());
        let work = || {
            while let Some(task) = next() {
                task();
            }
        };
        thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
    }
}

pub(crate) fn run() -> Result<()> {
    for keys in [100_000, 1_000_000] {
        measure(keys, &[50, 500, 5_000])?;
    }
    Ok(())
}

fn measure(keys: u32, batches: &[u32]) -> Result<()> {
    let tree_keys = TreeKeys::new(&Digest([7; 32]));
    let mut one = MapTree::new(Map::Key, &tree_keys);
    let all: Vec<_> = (0..keys).map(|number| record(number, 0)).collect();
    one.update(&all, Height::ZERO, &Sequential)?;
    let mut two = one.clone();
    for size in batches {
        let mut times = Vec::new();
        for round in 1..=BATCHES {
            let batch: Vec<_> = (0..*size)
                .map(|nth| record(nth * (keys / size) + round, round))
                .collect();
            let height = Height::new(u64::from(round));
            // Whoever comes second finds the batch in the cache: they take turns.
            let by_one = |one: &mut MapTree| timed(|| one.update(&batch, height, &Sequential)).0;
            let by_two = |two: &mut MapTree| timed(|| two.update(&batch, height, &Two)).0;
            times.push(if round % 2 == 0 {
                (by_one(&mut one), by_two(&mut two))
            } else {
                let second = by_two(&mut two);
                (by_one(&mut one), second)
            });
            ensure!(one.sized_root() == two.sized_root(), "other roots");
        }
        println!(
            "roots::update/keys={keys}/batch={size}  one worker {:.3} ms, two {:.3} ms, one for two {:.2}",
            median(times.iter().map(|(one, _)| one * 1e3)),
            median(times.iter().map(|(_, two)| two * 1e3)),
            median(times.iter().map(|(one, two)| one / two)),
        );
    }
    Ok(())
}

fn record(number: u32, round: u32) -> (Digest, Digest) {
    let number = number.to_le_bytes();
    (
        derive(Domain::KeyPosition, &[&number]),
        derive(Domain::TestKey, &[&number, &round.to_le_bytes()]),
    )
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
