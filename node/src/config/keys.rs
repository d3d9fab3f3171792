//! Every key of `primus.toml`, with its default and what it takes.

use std::thread;

use crate::store::Kind;

/// One key of the configuration.
#[derive(Debug)]
pub struct Key {
    /// The name, with the section before the dot.
    pub name: &'static str,
    /// What the value must be, for messages.
    pub wanted: &'static str,
    /// What it is for, for `primus config show`.
    pub purpose: &'static str,
    pub(super) default: fn() -> String,
}

impl Key {
    /// The environment variable: `PRIMUS_KEYS_EVENT` for `keys.event`.
    #[must_use]
    pub fn environment(&self) -> String {
        format!("PRIMUS_{}", self.name.replace('.', "_").to_uppercase())
    }

    /// The flag: `--log-level` for `log.level`.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('.', "-"))
    }
}

/// Every key there is.
pub static KEYS: [Key; 15] = [
    Key {
        name: "name",
        wanted: "text",
        purpose: "the name to show; the one in the genesis if empty",
        default: String::new,
    },
    Key {
        name: "listen",
        wanted: "an address and port such as 0.0.0.0:4700",
        purpose: "UDP, for peers and wallets",
        default: || "0.0.0.0:4700".to_owned(),
    },
    Key {
        name: "http",
        wanted: "an address and port such as 127.0.0.1:4780",
        purpose: "TCP, for the operator: status, metrics, blocks",
        default: || "127.0.0.1:4780".to_owned(),
    },
    Key {
        name: "store",
        wanted: "rocksdb, redb or memory",
        purpose: "the backend of the store",
        default: || {
            let first = Kind::compiled_in().first().copied();
            first.unwrap_or(Kind::Memory).name().to_owned()
        },
    },
    Key {
        name: "data",
        wanted: "a folder",
        purpose: "the folder of the store",
        default: || "data".to_owned(),
    },
    Key {
        name: "genesis",
        wanted: "a file",
        purpose: "the rules, first peers and first coin of the chain",
        default: || "genesis.bin".to_owned(),
    },
    Key {
        name: "peers",
        wanted: "a file",
        purpose: "where the peers listen, by peer key or transport key",
        default: || "peers.toml".to_owned(),
    },
    Key {
        name: "keys.event",
        wanted: "a file",
        purpose: "the secret that signs events",
        default: || "event.key".to_owned(),
    },
    Key {
        name: "keys.transport",
        wanted: "a file",
        purpose: "the secret that the other peers pin",
        default: || "transport.key".to_owned(),
    },
    Key {
        name: "log.level",
        wanted: "a level such as info, or levels by module such as info,primus_net=debug",
        purpose: "which log lines are written",
        default: || "info".to_owned(),
    },
    Key {
        name: "log.format",
        wanted: "text or json",
        purpose: "the form of log lines",
        default: || "text".to_owned(),
    },
    Key {
        name: "workers",
        wanted: "a number above zero",
        purpose: "threads that decode and check signatures; as many hash the trees of a large block",
        default: || {
            let cores = thread::available_parallelism().map_or(1, Into::into);
            usize::min(cores, WORKERS_MAX).to_string()
        },
    },
    Key {
        name: "keep_epochs",
        wanted: "all, or a number above zero",
        purpose: "sealed epochs that keep their events and transactions; all makes an archive",
        default: || "all".to_owned(),
    },
    Key {
        name: "snapshots",
        wanted: "on or off",
        purpose: "whether the state before the epoch in force is kept as a file, for peers that begin",
        default: || "on".to_owned(),
    },
    Key {
        name: "link_faults",
        wanted: "on or off",
        purpose: "whether the admin socket may cut and slow links to peers; for test networks only",
        default: || "off".to_owned(),
    },
];

/// Checking signatures scales well up to here; more threads would only wait for the one that owns
/// the replica.
const WORKERS_MAX: usize = 8;

/// The known key that takes the fewest edits to reach from `name`; the first of several.
pub(super) fn nearest(name: &str) -> &'static str {
    let distance = |key: &&Key| edits(name, key.name);
    KEYS.iter().min_by_key(distance).map_or("", |key| key.name)
}

/// Insertions, deletions and replacements between two texts (Levenshtein distance).
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut corner = line;
        let mut left = line + 1;
        let mut next = vec![left];
        for (other, above) in to.iter().zip(row.iter().skip(1)) {
            let replaced = corner + usize::from(letter != *other);
            left = replaced.min(left + 1).min(above + 1);
            corner = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
