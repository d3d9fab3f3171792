//! The command line of `primus`: what can be asked, and what it prints.
//!
//! Results go to `out`; with `--json` exactly one object. Everything else goes to standard error.

use std::collections::BTreeMap;
use std::io::Write;
use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use primitives::keys::PublicKey;
use primitives::units::Epoch;
use serde::Serialize;

use crate::config::{self, Config, Overrides};
use crate::error::{Error, Exit};
use crate::http::Readiness;
use crate::http::client;
use crate::keyfile::{Role, Secret};
use crate::run;
use crate::status::{BlockView, HeadView, Status};

mod audit;
mod dag;
mod evidence;
mod init;
mod snapshot;

const EXAMPLES: &str = "Examples:
  primus init --dev            make a chain of one peer, for developers
  primus run                   run the node
  primus status                what the node says of itself
  primus block 42 --json       block 42 as one JSON object
  primus dag export --epoch 0  every event of epoch 0, offline or from the running node
  primus fsck                  check every row of the store, offline
  primus replay                execute every block anew and compare the roots, offline
  primus prune --keep-epochs 2 let go of what is older than two sealed epochs, offline
  primus snapshot create FILE  the state before this epoch as a file, offline
  primus join                  begin a new store with the snapshots of running peers
  primus evidence list         who signed two events for one place
  primus config show --origin  every setting and where it comes from

Exit codes: 0 done, 1 failed, 2 usage, 3 the answer is no, 4 unreachable, 5 timed out, 6 refused,
69 the store or key is in use elsewhere, 74 storage, 78 configuration.
";

/// A Primus node.
#[derive(Debug, Parser)]
#[command(name = "primus", version, before_help = EXAMPLES)]
pub struct Cli {
    /// The node's folder.
    #[arg(long, global = true, env = "PRIMUS_HOME", value_name = "FOLDER")]
    pub home: Option<PathBuf>,
    /// Print exactly one JSON object.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Make a node's home.
    #[command(before_help = "Example:\n  primus init --dev --home /tmp/dev\n")]
    Init(Init),
    /// Run the node until SIGINT or SIGTERM.
    #[command(before_help = "Example:\n  primus run --store redb --log-format json\n")]
    Run {
        /// Stop when standard input ends, as it does when the program that started this one is gone.
        #[arg(long)]
        exit_on_stdin_close: bool,
        /// Settings.
        #[command(flatten)]
        flags: Flags,
    },
    /// What the running node says of itself; exit 3 if it is not ready.
    #[command(before_help = "Example:\n  primus status --json\n")]
    Status(Flags),
    /// One block; exit 3 if there is none yet.
    #[command(before_help = "Example:\n  primus block 42\n")]
    Block {
        /// The height.
        height: u64,
        /// Settings.
        #[command(flatten)]
        flags: Flags,
    },
    /// The DAG of events.
    Dag {
        /// What about it.
        #[command(subcommand)]
        command: Dag,
    },
    /// Check every row of the store against the hashes that vouch for it; exit 1 at the first bad one.
    #[command(before_help = "Example:\n  primus fsck\n")]
    Fsck(Flags),
    /// Execute every stored block anew and compare every root; exit 1 at the first that differs.
    #[command(before_help = "Example:\n  primus replay --json\n")]
    Replay(Flags),
    /// Let go of the events and transactions of old epochs; what is left proves as before.
    #[command(before_help = "Example:\n  primus prune --keep-epochs 2\n")]
    Prune {
        /// Sealed epochs to keep beside the one in force [default: the setting].
        #[arg(long, value_name = "NUMBER")]
        keep_epochs: Option<NonZeroU64>,
        /// Settings.
        #[command(flatten)]
        flags: Flags,
    },
    /// The state before the epoch in force as a file, to begin a new store with.
    Snapshot {
        /// What about it.
        #[command(subcommand)]
        command: Snapshot,
    },
    /// Begin a new store with the snapshots of running peers: loaded from several at once, and every
    /// row checked against what the chain's committees signed.
    #[command(before_help = "Example:\n  primus join --json\n")]
    Join(Flags),
    /// Proofs that a peer signed two events for one place.
    Evidence {
        /// What about them.
        #[command(subcommand)]
        command: Evidence,
    },
    /// Key files.
    Key {
        /// What about them.
        #[command(subcommand)]
        command: Key,
    },
    /// Settings.
    Config {
        /// What about them.
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

/// `primus init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Make a chain of one peer with a faucet, for developers.
    #[arg(long)]
    pub dev: bool,
    /// The genesis of the chain to join; may be brought later as genesis.bin.
    #[arg(long, value_name = "FILE", conflicts_with = "dev")]
    genesis: Option<PathBuf>,
    /// Where the other peers listen; may be brought later as peers.toml.
    #[arg(long, value_name = "FILE", conflicts_with = "dev")]
    peers: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

/// `primus dag`.
#[derive(Debug, Subcommand)]
pub enum Dag {
    /// Every event and block of one epoch as one JSON object.
    ///
    /// Reads the store, or asks the node where one has the store open.
    #[command(before_help = "Example:\n  primus dag export --epoch 0 > epoch-0.json\n")]
    Export {
        /// The epoch.
        #[arg(long)]
        epoch: u64,
        /// Settings.
        #[command(flatten)]
        flags: Flags,
    },
}

/// `primus snapshot`.
#[derive(Debug, Subcommand)]
pub enum Snapshot {
    /// Write the file, offline.
    #[command(before_help = "Example:\n  primus snapshot create state.snapshot\n")]
    Create {
        /// The file.
        file: PathBuf,
        /// Settings.
        #[command(flatten)]
        flags: Flags,
    },
    /// Check every row of a file against what the chain's committees signed; exit 3 if it is refused.
    #[command(before_help = "Example:\n  primus snapshot verify state.snapshot\n")]
    Verify {
        /// The file.
        file: PathBuf,
        /// Settings.
        #[command(flatten)]
        flags: Flags,
    },
    /// Check a file and make this node's store of it.
    #[command(before_help = "Example:\n  primus snapshot restore state.snapshot\n")]
    Restore {
        /// The file.
        file: PathBuf,
        /// Settings.
        #[command(flatten)]
        flags: Flags,
    },
}

/// `primus evidence`.
#[derive(Debug, Subcommand)]
pub enum Evidence {
    /// What every pair of the store shows; asks the node where one has the store open.
    #[command(before_help = "Example:\n  primus evidence list --json\n")]
    List(Flags),
    /// One pair as a file that anyone checks who knows the committee of its epoch.
    #[command(before_help = "Example:\n  primus evidence export --epoch 3 PEER > pair.json\n")]
    Export {
        /// The epoch of both events.
        #[arg(long)]
        epoch: u64,
        /// The peer key of who signed them.
        peer: PublicKey,
        /// Settings.
        #[command(flatten)]
        flags: Flags,
    },
    /// Check such a file, offline; exit 3 if it shows nothing.
    #[command(before_help = "Example:\n  primus evidence verify pair.json\n")]
    Verify {
        /// The file.
        file: PathBuf,
        /// Check with this genesis alone, without a home: it knows the committee of epoch 0.
        #[arg(long, value_name = "FILE")]
        genesis: Option<PathBuf>,
        /// Settings.
        #[command(flatten)]
        flags: Flags,
    },
}

/// `primus key`.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// The role and public key of a key file.
    #[command(before_help = "Example:\n  primus key show ~/.primus/event.key\n")]
    Show {
        /// The key file.
        file: PathBuf,
    },
    /// A new key file with mode 0600; the secret stands in it unencrypted.
    #[command(before_help = "Example:\n  primus key new --role event event.key\n")]
    New {
        /// peer, event, transport or coin.
        #[arg(long)]
        role: Role,
        /// The key file.
        file: PathBuf,
    },
}

/// `primus config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Every setting.
    Show {
        /// Where each comes from.
        #[arg(long)]
        origin: bool,
        /// Settings.
        #[command(flatten)]
        flags: Flags,
    },
}

/// Settings that go before the environment and the file.
#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// The name to show.
    #[arg(long)]
    name: Option<String>,
    /// UDP address for peers and wallets.
    #[arg(long)]
    listen: Option<String>,
    /// TCP address of the pages for the operator.
    #[arg(long)]
    http: Option<String>,
    /// rocksdb, redb or memory.
    #[arg(long)]
    store: Option<String>,
    /// The folder of the store.
    #[arg(long)]
    data: Option<String>,
    /// Which log lines are written.
    #[arg(long)]
    log_level: Option<String>,
    /// text or json.
    #[arg(long)]
    log_format: Option<String>,
}

impl Flags {
    fn overrides(&self) -> Overrides {
        let Self {
            name,
            listen,
            http,
            store,
            data,
            log_level,
            log_format,
        } = self;
        let flags = [
            ("name", name),
            ("listen", listen),
            ("http", http),
            ("store", store),
            ("data", data),
            ("log.level", log_level),
            ("log.format", log_format),
        ];
        let given = |(key, value): (&'static str, &Option<String>)| Some((key, value.clone()?));
        let flags: BTreeMap<_, _> = flags.into_iter().filter_map(given).collect();
        Overrides::with_environment(flags)
    }
}

impl Cli {
    /// Carries the command out and prints its result to `out`.
    ///
    /// # Errors
    /// Whatever keeps it from being done; [`Error::exit`] is then how the process ends.
    pub fn carry_out(self, out: &mut dyn Write) -> Result<Exit, Error> {
        let home = self.home.unwrap_or_else(default_home);
        let load = |flags: &Flags| config::load(&home, &flags.overrides());
        let mut printer = Printer {
            json: self.json,
            out,
        };
        match self.command {
            Command::Init(init) => init::init(&home, &init, &mut printer),
            Command::Run {
                exit_on_stdin_close,
                flags,
            } => {
                let watch_input = exit_on_stdin_close;
                run::run(load(&flags)?, watch_input).map(|()| Exit::Done)
            }
            Command::Status(flags) => status(&load(&flags)?, &mut printer),
            Command::Block { height, flags } => block(&load(&flags)?, height, &mut printer),
            Command::Dag {
                command: Dag::Export { epoch, flags },
            } => dag::export(&load(&flags)?, epoch, printer.out),
            Command::Fsck(flags) => audit::fsck(&load(&flags)?, &mut printer),
            Command::Replay(flags) => audit::replay(&load(&flags)?, &mut printer),
            Command::Prune { keep_epochs, flags } => {
                audit::prune(&load(&flags)?, keep_epochs, &mut printer)
            }
            Command::Snapshot { command } => match command {
                Snapshot::Create { file, flags } => {
                    snapshot::make(&load(&flags)?, &file, &mut printer)
                }
                Snapshot::Verify { file, flags } => {
                    snapshot::verify(&load(&flags)?, &file, &mut printer)
                }
                Snapshot::Restore { file, flags } => {
                    snapshot::restore(&load(&flags)?, &file, &mut printer)
                }
            },
            Command::Join(flags) => snapshot::join(&load(&flags)?, &mut printer),
            Command::Evidence { command } => match command {
                Evidence::List(flags) => evidence::list(&load(&flags)?, &mut printer),
                Evidence::Export { epoch, peer, flags } => {
                    evidence::export(&load(&flags)?, Epoch::new(epoch), &peer, &mut printer)
                }
                Evidence::Verify {
                    file,
                    genesis: Some(genesis),
                    flags: _,
                } => evidence::verify_alone(&genesis, &file, &mut printer),
                Evidence::Verify {
                    file,
                    genesis: None,
                    flags,
                } => evidence::verify(&load(&flags)?, &file, &mut printer),
            },
            Command::Key { command } => key(command, &mut printer),
            Command::Config {
                command: ConfigCommand::Show { origin, flags },
            } => {
                let settings = config::settings(&home, &flags.overrides())?;
                show_config(&settings, origin, &mut printer)
            }
        }
    }
}

struct Printer<'a> {
    json: bool,
    out: &'a mut dyn Write,
}

impl Printer<'_> {
    /// Prints `value` as one object, or else the lines of `text`.
    fn print(&mut self, value: &impl Serialize, text: &str) -> Result<(), Error> {
        let written = if self.json {
            serde_json::to_writer(&mut self.out, value)
                .map_err(Into::into)
                .and_then(|()| self.out.write_all(b"\n"))
        } else {
            self.out.write_all(text.as_bytes())
        };
        written.map_err(Error::io("standard output"))
    }
}

fn default_home() -> PathBuf {
    std::env::home_dir().unwrap_or_default().join(".primus")
}

#[derive(Serialize)]
struct StatusResult {
    #[serde(flatten)]
    status: Status,
    #[serde(flatten)]
    readiness: Readiness,
}

fn status(config: &Config, printer: &mut Printer<'_>) -> Result<Exit, Error> {
    let status: Status = client::json(config.http, "/v1/status")?;
    let readiness = Readiness::of(Some(&status));
    let exit = match readiness.ready {
        true => Exit::Done,
        false => Exit::No,
    };
    let text = status_text(&status, &readiness);
    printer.print(&StatusResult { status, readiness }, &text)?;
    Ok(exit)
}

fn status_text(status: &Status, readiness: &Readiness) -> String {
    let mut text = format!(
        "{} ({})\nchain    {}\nepoch    {}\nheight   {} executed, {} certified, {} heard\n\
         root     {}\nround    {} own, {} settled\npeers    {} of {} connected\n\
         stake    {} own, {} of {} heard\npool     {} transactions\n",
        status.name,
        status.peer,
        status.chain,
        status.epoch,
        status.height,
        status.certified_height,
        status.height_heard,
        status.root,
        status.round,
        status.settled_round,
        status.peers_connected,
        status.peers_total,
        status.own_stake,
        status.stake_heard,
        status.total_stake,
        status.pool_transactions,
    );
    text.push_str(&keeps_text(status));
    if let Some(HeadView {
        round,
        leader,
        support,
    }) = &status.head
    {
        text.push_str(&format!(
            "head     {leader} of round {round}, tentative, support {support}\n"
        ));
    }
    if let Some(heard) = &status.partition {
        let total = status.total_stake;
        text.push_str(&format!(
            "PARTITION: stake {heard} of {total} is heard, nothing settles\n"
        ));
    }
    if let Some(alarm) = &status.fork_alarm {
        text.push_str(&format!(
            "FORK ALARM: {} backed by {} against {} backed by {}\n",
            alarm.first, alarm.first_backing, alarm.second, alarm.second_backing,
        ));
    }
    if readiness.ready {
        text.push_str("ready\n");
    }
    for reason in &readiness.reasons {
        text.push_str(&format!("not ready: {}: {}\n", reason.check, reason.detail));
    }
    text
}

/// What the node can give and prove to others.
fn keeps_text(status: &Status) -> String {
    if status.first_block == 0 {
        return "keeps    everything: an archive\n".to_owned();
    }
    format!(
        "keeps    events from epoch {}, transactions from block {} on; proves of any block: its \
         header, outputs, keys and their histories\n",
        status.first_epoch, status.first_block
    )
}

fn block(config: &Config, height: u64, printer: &mut Printer<'_>) -> Result<Exit, Error> {
    let block: BlockView = client::json(config.http, &format!("/v1/blocks/{height}"))?;
    let text = format!(
        "block    {} ({})\nroot     {}\nprevious {}\nepoch    {}\nround    {}\nleader   {}\n\
         time     {} ms\nstate    {}\ncontains {} transactions\n",
        block.height,
        block.grade.name(),
        block.root,
        block.previous,
        block.epoch,
        block.round,
        block.leader,
        block.time_ms,
        block.state,
        block.transactions,
    );
    printer.print(&block, &text)?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct KeyResult {
    role: &'static str,
    public: String,
}

fn key(command: Key, printer: &mut Printer<'_>) -> Result<Exit, Error> {
    let (role, secret) = match command {
        Key::Show { file } => Secret::read_any(&file)?,
        Key::New { role, file } => {
            let secret = Secret::generate()?;
            secret.write(&file, role)?;
            (role, secret)
        }
    };
    let result = KeyResult {
        role: role.name(),
        public: secret.public().to_string(),
    };
    let text = format!("{} {}\n", result.role, result.public);
    printer.print(&result, &text)?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct SettingResult<'a> {
    value: &'a str,
    origin: String,
}

fn show_config(
    settings: &[config::Setting],
    origin: bool,
    printer: &mut Printer<'_>,
) -> Result<Exit, Error> {
    let mut text = String::new();
    let mut rows = BTreeMap::new();
    for setting in settings {
        let (name, value) = (setting.key.name, &setting.value);
        let origin_text = setting.origin_text();
        if origin {
            text.push_str(&format!("{name} = {value:?}  # {origin_text}\n"));
        } else {
            text.push_str(&format!("{name} = {value:?}  # {}\n", setting.key.purpose));
        }
        let origin = origin_text;
        rows.insert(name, SettingResult { value, origin });
    }
    printer.print(&rows, &text)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests;
