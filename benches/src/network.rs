//! Final transactions per second and the time to final, with 4 peers as processes over QUIC on this
//! machine: the programs beside this one, started as anybody would.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Name of the network under `target/testnet`.
const NAME: &str = "bench";

/// Kind of transaction, and what is offered per second.
const LOADS: [(&str, &str); 2] = [("data", "25000"), ("pay", "4000")];

pub(crate) fn run() -> Result<()> {
    for (kind, rate) in LOADS {
        let up = testnet(&["up", "--peers", "4", "--detach", "--name", NAME])?;
        ensure!(
            up.status.success(),
            "primus-testnet up: {}",
            String::from_utf8_lossy(&up.stderr)
        );
        let load = testnet(&[
            "load",
            "--name",
            NAME,
            "--kind",
            kind,
            "--rate",
            rate,
            "--seconds",
            "10",
            "--size",
            "512",
            "--json",
        ]);
        let down = testnet(&["down", "--name", NAME])?;
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
        let measured: serde_json::Value = serde_json::from_str(last)?;
        println!("network::load/kind={kind},peers=4,offered={rate}  {measured}");
    }
    Ok(())
}

fn testnet(arguments: &[&str]) -> Result<std::process::Output> {
    let own = std::env::current_exe()?;
    let beside: PathBuf = own.with_file_name("primus-testnet");
    Command::new(&beside)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{}; build it first", beside.display()))
}
