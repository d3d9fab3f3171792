//! The trees of Primus beside those of other projects, on the same keys in one run; prints the tables
//! of docs/benchmarks.md.
//!
//! `primus-benches-peers [KEYS]...`, by default 100000 and 1000000. Peers that need minutes for the
//! larger size are measured at the smaller one only.

mod figures;
mod measure;
mod targets;
mod trees;
mod workload;

use anyhow::{Context, Result};

use figures::Figures;
use measure::measure;
use workload::Workload;

/// The largest map for peers whose writes slow down, or whose memory grows, with size.
const SMALL: usize = 100_000;

fn main() -> Result<()> {
    let named = std::env::args().skip(1);
    let mut sizes = named
        .map(|size| size.parse().context("a number of keys"))
        .collect::<Result<Vec<usize>>>()?;
    if sizes.is_empty() {
        sizes = vec![SMALL, 1_000_000];
    }
    let mut all = Vec::new();
    for keys in sizes {
        let workload = Workload::new(keys);
        let rows = compare(&workload)?;
        figures::print(&rows);
        all.extend(rows);
    }
    if all.iter().any(|row| row.keys == targets::LEAVES) {
        targets::print(&all)?;
    }
    Ok(())
}

fn compare(workload: &Workload) -> Result<Vec<Figures>> {
    let mut rows = vec![
        measure(trees::primus::InMemory::new(), workload)?,
        measure(trees::primus::Durable::new()?, workload)?,
        trees::commonware::run(workload)?,
        measure(trees::nomt::Disk::new()?, workload)?,
        measure(trees::jmt::Disk::new()?, workload)?,
    ];
    if workload.keys() <= SMALL {
        rows.push(measure(trees::akd::Directory::new()?, workload)?);
        rows.push(trees::rs_merkle::run(workload)?);
    }
    Ok(rows)
}
