//! Running the program on a network of its own, which is ended whatever happens.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// A folder for one network; its processes end with it.
#[derive(Debug)]
pub(crate) struct Network {
    folder: TempDir,
    name: &'static str,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    arguments: String,
}

impl Network {
    pub(crate) fn new(name: &'static str) -> Self {
        for (program, variable) in [
            ("primus", "PRIMUS_BIN"),
            ("primus-wallet", "PRIMUS_WALLET_BIN"),
        ] {
            let path = beside(program);
            let named = std::env::var_os(variable).is_some();
            assert!(
                named || path.is_file(),
                "{} is missing: run `cargo build -p primus-node -p primus-wallet` first, or name it \
                 with {variable}",
                path.display()
            );
        }
        Self {
            folder: TempDir::new().unwrap(),
            name,
        }
    }

    /// The folder above the network's own.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the network.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(self.name).join(file)
    }

    /// Runs the program with `--json` and these arguments to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_primus-testnet"))
            .args(["--json", "--name", self.name, "--folder"])
            .arg(self.folder.path())
            .args(arguments)
            .output()
            .unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            arguments: arguments.join(" "),
        }
    }

    /// How the node's program ends on the store of a peer that does not run, and what it prints.
    pub(crate) fn audit(&self, command: &str, peer: &str) -> (Option<i32>, String) {
        let output = self.node(&[command, "--json"], peer);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }

    /// The DAG of an epoch, as a peer that does not run has it.
    pub(crate) fn export(&self, peer: &str, epoch: u64) -> String {
        let epoch = epoch.to_string();
        let output = self.node(&["dag", "export", "--epoch", &epoch, "--json"], peer);
        assert_eq!(output.status.code(), Some(0), "epoch {epoch} of {peer}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The wallet program in a home of this network, at the peers given.
    pub(crate) fn wallet(&self, arguments: &[&str]) -> std::process::Output {
        let program = std::env::var_os("PRIMUS_WALLET_BIN")
            .map_or_else(|| beside("primus-wallet"), PathBuf::from);
        let mut command = Command::new(program);
        command
            .current_dir(self.folder())
            .args(["--home", "wallet"]);
        command.args(arguments).output().unwrap()
    }

    /// Where wallets find a peer, as they write it.
    pub(crate) fn host(&self, peer: usize) -> String {
        let text = std::fs::read_to_string(self.path("run.json")).unwrap();
        let run: Value = serde_json::from_str(&text).unwrap();
        let name = format!("peer-{peer}");
        let file = self.path(&format!("{name}/transport.key"));
        let shown = self.node(
            &["key", "show", &file.display().to_string(), "--json"],
            &name,
        );
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
        let address = run["peers"][peer]["address"].as_str().unwrap();
        format!("{address}#{}", shown["public"].as_str().unwrap())
    }

    pub(crate) fn node(&self, arguments: &[&str], peer: &str) -> std::process::Output {
        let program =
            std::env::var_os("PRIMUS_BIN").map_or_else(|| beside("primus"), PathBuf::from);
        let mut command = Command::new(program);
        command.args(arguments).arg("--home").arg(self.path(peer));
        command.output().unwrap()
    }

    /// Asserts that no process of the network is left.
    pub(crate) fn is_down(&self) {
        let text = std::fs::read_to_string(self.path("run.json")).unwrap();
        let run: Value = serde_json::from_str(&text).unwrap();
        let peers = run["peers"].as_array().unwrap();
        assert!(!peers.is_empty());
        assert!(peers.iter().all(|peer| peer["process"].is_null()), "{run}");
        let own = self.folder.path().display().to_string();
        let left = std::fs::read_dir("/proc").unwrap().flatten().find(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&own)
        });
        assert!(left.is_none(), "{left:?} runs on");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Nothing runs any more unless an assertion failed halfway.
        self.run(&["down"]);
    }
}

impl Ended {
    pub(crate) fn succeeded(&self) {
        assert_eq!(
            self.code,
            Some(0),
            "{}:\n{}\n{}",
            self.arguments,
            self.stdout,
            self.stderr
        );
    }
}

/// The objects of a JSON output, one a line.
pub(crate) fn events(stdout: &str) -> Vec<Value> {
    let lines = stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect()
}

/// Where another package's program is built: beside the program under test.
fn beside(program: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_primus-testnet")).with_file_name(program)
}
