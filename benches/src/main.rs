//! What each operation costs on this machine, one line each: `module::operation/key=value  figures`.
//!
//! `primus-benches` runs all; `primus-benches engine proofs` runs those named; `chain=1000000` builds
//! a chain of so many transactions. Nothing here
//! decides a test: a figure is for reading, beside the others of the same run.
#![expect(
    clippy::print_stdout,
    reason = "printing figures is what this program is for"
)]

mod chain;
mod engine;
mod network;
mod proofs;
mod roots;

use std::time::Instant;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    if names.is_empty() {
        names = ["engine", "proofs", "roots", "chain=20000", "network"]
            .map(str::to_owned)
            .to_vec();
    }
    println!("on {} logical cores", std::thread::available_parallelism()?);
    for name in names {
        match name.as_str() {
            name if name.starts_with("chain=") => chain::run(name["chain=".len()..].parse()?)?,
            "engine" => engine::run()?,
            "proofs" => proofs::run()?,
            "roots" => roots::run()?,
            "network" => network::run()?,
            other => {
                bail!("no bench {other}; there are engine, proofs, roots, chain=COUNT and network")
            }
        }
    }
    Ok(())
}

/// Seconds that `work` takes, and what it yields.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let result = work();
    (begun.elapsed().as_secs_f64(), result)
}
