//! Final transactions per second and the time to final, with 4 peers as processes over QUIC on this
//! machine: the programs beside this one, started as anybody would.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Name of the network under `target/testnet`.
const NAME: &str = "bench";

/// Store, kind of transaction, and what is offered per second: more than this machine can order, to
/// find the most; then less, to find the time that one transaction takes.
const LOADS: [(&str, &str, &str); 5] = [
    ("rocksdb", "data", "25000"),
    ("redb", "data", "25000"),
    ("rocksdb", "data", "8000"),
    ("rocksdb", "pay", "4500"),
    ("rocksdb", "pay", "1500"),
];

pub(crate) fn run() -> Result<()> {
    for (store, kind, rate) in LOADS {
        let up = testnet(&["up", "--peers", "4", "--detach", "--store", store])?;
        ensure!(
            up.status.success(),
            "up: {}",
            String::from_utf8_lossy(&up.stderr)
        );
        let load = testnet(&[
            "load",
            "--kind",
            kind,
            "--rate",
            rate,
            "--seconds",
            "8",
            "--size",
            "512",
            "--json",
        ]);
        let down = testnet(&["down"])?;
        let load = load?;
        ensure!(
            load.status.success(),
            "load: {}",
            String::from_utf8_lossy(&load.stderr)
        );
        ensure!(
            down.status.success(),
            "down: {}",
            String::from_utf8_lossy(&down.stderr)
        );
        let text = String::from_utf8(load.stdout)?;
        let last = text.lines().last().context("load printed nothing")?;
        let measured: Value = serde_json::from_str(last)?;
        println!(
            "network::load/kind={kind},peers=4,store={store},offered={rate}  {:.0} final/s, p50 {} \
             ms, p99 {} ms to final",
            measured["per_second"].as_f64().unwrap_or(f64::NAN),
            measured["p50_ms"],
            measured["p99_ms"]
        );
    }
    Ok(())
}

fn testnet(arguments: &[&str]) -> Result<std::process::Output> {
    let own = std::env::current_exe()?;
    let beside: PathBuf = own.with_file_name("primus-testnet");
    Command::new(&beside)
        .args(arguments)
        .args(["--name", NAME])
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{}; build it first", beside.display()))
}
