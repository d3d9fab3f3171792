//! The command line of `primus-testnet`.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use node::store::Kind;
use primitives::keys::PublicKey;
use primitives::units::Amount;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::Error;
use crate::load::{Kind as LoadKind, Load};
use crate::network::{Epochs, equal_stakes};
use crate::replay::shape::bundled_block;
use crate::voice::{Form, Voice};

mod command;
mod join;
mod links;
mod measure;
mod mutate;
mod play;
mod rule;
mod simulate;

pub use join::Join;
pub use links::{LinkArguments, Numbers};
pub use measure::{Latency, Pace, Scale, Scenarios};
pub use mutate::Mutate;
pub use play::Play;
pub use rule::{Exhaustive, Reference, Twins};
pub use simulate::{Sim, Swarm};

const EXAMPLES: &str = "Examples:
  primus-testnet demo                          thirteen peers, used, broken, healed and judged
  primus-testnet up --peers 4                  four peers until Ctrl-C
  primus-testnet up --detach                   thirteen peers until `primus-testnet down`
  primus-testnet cut 0-6                       parts seven peers from the others, until `heal`
  primus-testnet load --rate 500 --seconds 20  measures throughput and time to finality
  primus-testnet replay --block FILE           the payments of a raw Bitcoin block
  primus-testnet double-spend --repeat 200     exactly one of each pair must be final
  primus-testnet mint KEY 1000                 coin from the faucet
  primus-testnet sim --seed 7                  whole peers in virtual time, under faults
  primus-testnet play --kills 50               real peers killed under load
  primus-testnet swarm --seeds 100             many of them

Everything is written below target/testnet/NAME.

Exit codes: 0 done, AGREE; 1 failed; 2 usage; 3 STALLED; 4 peer unreachable; 5 timed out;
6 refused; 10 DIVERGED; 130 interrupted.";

/// Networks of real peers on this machine, whose coin is worth nothing.
#[derive(Debug, Parser)]
#[command(name = "primus-testnet", version, before_help = EXAMPLES)]
pub struct Cli {
    /// The network's name.
    #[arg(long, global = true, default_value = "demo")]
    pub name: String,
    /// The folder that networks are kept in, by name.
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        default_value = "target/testnet"
    )]
    pub folder: PathBuf,
    /// The node's program [default: `primus` beside this program].
    #[arg(long, global = true, value_name = "PATH", env = "PRIMUS_BIN")]
    pub node: Option<PathBuf>,
    /// The wallet's program [default: `primus-wallet` beside this program].
    #[arg(long, global = true, value_name = "PATH", env = "PRIMUS_WALLET_BIN")]
    pub wallet: Option<PathBuf>,
    /// Print one JSON object a line on standard output and nothing else.
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
    /// Start a new network and keep it up.
    Up(Up),
    /// End every peer of the network.
    Down,
    /// What each peer says of itself; exit 3 if one does not run.
    Status,
    /// Kill a peer with SIGKILL.
    Kill {
        /// The peer's number, from 0.
        peer: usize,
    },
    /// Start a peer that does not run, or kill and start one that does.
    Restart {
        /// The peer's number, from 0.
        peer: usize,
    },
    /// Part some peers from the others, until `heal`.
    Cut {
        /// One side: numbers as in 0-6, or 0-3,7.
        side: Numbers,
        /// What the others send still arrives.
        #[arg(long)]
        one_way: bool,
    },
    /// Mend every link.
    Heal,
    /// Delay, lose or damage what some peers send to others.
    Link(LinkArguments),
    /// Let a peer stand still, as if its machine slept.
    Pause {
        /// The peer's number, from 0.
        peer: usize,
    },
    /// Let a peer go on that stands still.
    Resume {
        /// The peer's number, from 0.
        peer: usize,
    },
    /// Put a steady load on the network and measure.
    Load(LoadArguments),
    /// Log many wallets in to one peer, let them ask for proofs, and measure what they wait.
    Ask(AskArguments),
    /// Carry the payments of a Bitcoin block over, on the network that runs or on one of its own.
    Replay(Replay),
    /// Decide and order an exported DAG again by the slow reference, and compare the blocks.
    Recompute {
        /// What `primus dag export --json` printed.
        file: PathBuf,
    },
    /// Decide random graphs of events with forks by the engine and by the slow reference; exit 10 on
    /// a difference.
    Reference(Reference),
    /// Decide every small graph of four peers of which one lies, in all its parts; exit 10 on a
    /// difference.
    Exhaustive(Exhaustive),
    /// Run two copies of one key among whole peers that are parted in every way; exit 10 on a violation.
    Twins(Twins),
    /// Spend coins twice at two peers at once: exactly one must be final, the loser told which.
    DoubleSpend {
        /// How many coins.
        #[arg(long, default_value_t = 200)]
        repeat: usize,
    },
    /// Play every scene on a new network and judge: AGREE, STALLED or DIVERGED.
    Demo(Fresh),
    /// Carry a plan of `sim` out by real processes in real time, and judge; exit 10 on a violation.
    Play(Play),
    /// Damage the files of one peer of four, again and again: it must notice, or say what the others say;
    /// exit 10 on a violation.
    Mutate(Mutate),
    /// Measure how a new peer comes in: by the snapshot of the others, and by their events.
    Join(Join),
    /// Run whole peers in virtual time under faults and liars, and judge; exit 10 on a violation.
    Sim(Sim),
    /// Run many seeds of `sim`, and go on from where the log ends.
    Swarm(Swarm),
    /// Run a few whole peers in a large committee of peers that only create events, and measure.
    Scale(Scale),
    /// Measure in message delays how soon roots and payments are final, where all links are alike.
    Latency(Latency),
    /// Show how soon roots and payments are final while links are unequal, peers crash or one lies; exit 10
    /// on a violation.
    Scenarios(Scenarios),
    /// Measure how much faster than time peers are simulated.
    Pace(Pace),
    /// Pay from the faucet to a key. Only test networks have a faucet.
    Mint {
        /// The receiver's key, 64 hexadecimal digits.
        key: PublicKey,
        /// How much.
        #[arg(default_value_t = 1_000_000)]
        amount: u64,
        /// The name of a peer that hosts the coin: it counts as stake of that peer.
        #[arg(long)]
        host: Option<String>,
    },
}

/// What a new network is made of.
#[derive(Debug, Clone, Args)]
pub struct Fresh {
    /// How many peers; below 4 none may fail.
    #[arg(long, default_value_t = 13, value_parser = clap::value_parser!(u16).range(1..=999))]
    pub peers: u16,
    /// How many of them begin without stake, outside the committee: the last ones.
    #[arg(long, default_value_t = 0)]
    pub observers: u16,
    /// Blocks of one epoch; the first is longer by the lag.
    #[arg(long, default_value_t = Epochs::default().period, value_parser = counted())]
    pub period: u64,
    /// How many blocks a snapshot of stake is older than the epoch it counts for.
    #[arg(long, default_value_t = Epochs::default().lag, value_parser = counted())]
    pub lag: u64,
    /// The backend of the peers' stores: rocksdb or redb, as far as the node has it.
    #[arg(long, default_value = "redb", value_parser = kind)]
    pub store: Kind,
    /// The raw Bitcoin block that the genesis is funded for [default: mainnet 702,861].
    #[arg(long = "replay", alias = "block", value_name = "FILE")]
    pub block: Option<PathBuf>,
}

impl Fresh {
    const fn epochs(&self) -> Epochs {
        Epochs {
            lag: self.lag,
            period: self.period,
        }
    }

    fn stakes(&self) -> Vec<Amount> {
        equal_stakes(self.peers.into(), self.observers.into())
    }
}

/// `primus-testnet up`.
#[derive(Debug, Args)]
pub struct Up {
    /// What it is made of.
    #[command(flatten)]
    pub fresh: Fresh,
    /// Leave the peers running and return.
    #[arg(long)]
    pub detach: bool,
}

/// `primus-testnet replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// What a network of its own is made of, when none runs.
    #[command(flatten)]
    pub fresh: Fresh,
}

/// `primus-testnet load`.
#[derive(Debug, Clone, Copy, Args)]
pub struct LoadArguments {
    /// Transactions a second.
    #[arg(long, default_value_t = 100)]
    pub rate: u32,
    /// What kind of transactions.
    #[arg(long, value_enum, default_value = "data")]
    pub kind: LoadKind,
    /// For how long.
    #[arg(long, default_value_t = 10)]
    pub seconds: u32,
    /// Bytes of each data transaction.
    #[arg(long, default_value_t = 512)]
    pub size: usize,
}

/// `primus-testnet ask`.
#[derive(Debug, Clone, Copy, Args)]
pub struct AskArguments {
    /// How many wallets.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=4_000))]
    pub wallets: u32,
    /// Questions a second, over all wallets.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
    /// For how long.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub seconds: u32,
    /// The number of the peer that is asked, from 0.
    #[arg(long, default_value_t = 0)]
    pub peer: usize,
}

impl LoadArguments {
    const fn load(self) -> Load {
        let Self {
            rate,
            kind,
            seconds,
            size,
        } = self;
        Load {
            rate,
            kind,
            seconds,
            size,
        }
    }
}

/// What every command knows.
#[derive(Debug)]
struct Context {
    folder: PathBuf,
    node: Option<PathBuf>,
    wallet: Option<PathBuf>,
    voice: Voice,
}

impl Cli {
    /// Carries the command out and returns the exit code. Ends early, with 130, on SIGINT or SIGTERM.
    ///
    /// # Errors
    /// Whatever keeps it from being done; [`Error::exit`] is then the exit code.
    pub fn carry_out(self) -> Result<u8, Error> {
        let form = if self.json { Form::Json } else { Form::Words };
        let context = Context {
            folder: self.folder.join(&self.name),
            node: self.node,
            wallet: self.wallet,
            voice: Voice::new(form),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Runtime { error })?;
        let ended = runtime.block_on(async {
            // A command that is dropped ends its peers.
            tokio::select! {
                ended = context.run(self.command) => ended,
                signalled = interrupted() => signalled.map(|()| 130),
            }
        });
        // A simulation that was interrupted is not waited for.
        runtime.shutdown_background();
        ended
    }
}

/// Runs what waits for nothing on a thread of its own, so that signals are heard meanwhile.
async fn apart(work: impl FnOnce() -> Result<u8, Error> + Send + 'static) -> Result<u8, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(ended) => ended,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Ok(130),
        },
    }
}

impl Context {
    async fn run(&self, command: Command) -> Result<u8, Error> {
        let voice = self.voice;
        match command {
            Command::Up(up) => self.up(&up).await,
            Command::Down => self.down().await,
            Command::Status => self.status().await,
            Command::Kill { peer } => self.kill(peer).await,
            Command::Restart { peer } => self.restart(peer).await,
            Command::Cut { ref side, one_way } => self.cut(side, one_way).await,
            Command::Heal => self.heal().await,
            Command::Link(ref link) => self.link(link).await,
            Command::Pause { peer } => self.pause(peer),
            Command::Resume { peer } => self.resume(peer),
            Command::Load(load) => self.load(load.load()).await,
            Command::Ask(ask) => self.ask(ask).await,
            Command::Replay(replay) => self.replay(&replay.fresh).await,
            Command::Recompute { ref file } => self.recompute(file),
            Command::Reference(reference) => apart(move || reference.carry_out(voice)).await,
            Command::Exhaustive(exhaustive) => apart(move || exhaustive.carry_out(voice)).await,
            Command::Twins(twins) => apart(move || twins.carry_out(voice)).await,
            Command::DoubleSpend { repeat } => self.double_spend(repeat).await,
            Command::Demo(fresh) => self.demo(&fresh).await,
            Command::Play(ref arguments) => self.play(arguments).await,
            Command::Join(ref arguments) => self.join(arguments).await,
            Command::Mutate(ref arguments) => self.mutate(arguments).await,
            Command::Sim(sim) => apart(move || sim.carry_out(voice)).await,
            Command::Swarm(swarm) => apart(move || swarm.carry_out(voice)).await,
            Command::Scale(scale) => apart(move || scale.carry_out(voice)).await,
            Command::Latency(latency) => apart(move || latency.carry_out(voice)).await,
            Command::Scenarios(scenarios) => apart(move || scenarios.carry_out(voice)).await,
            Command::Pace(pace) => apart(move || pace.carry_out(voice)).await,
            Command::Mint { key, amount, host } => self.mint(key, amount, host).await,
        }
    }

    fn node(&self) -> Result<PathBuf, Error> {
        program(self.node.as_deref(), "primus", "--node")
    }

    fn wallet(&self) -> Result<PathBuf, Error> {
        program(self.wallet.as_deref(), "primus-wallet", "--wallet")
    }
}

/// A number from 1 on.
fn counted() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..)
}

/// The program that was named, or the one beside this program.
fn program(named: Option<&Path>, name: &str, flag: &'static str) -> Result<PathBuf, Error> {
    let own = std::env::current_exe().map_err(|error| Error::file(Path::new(name), error))?;
    let path = named.map_or_else(|| own.with_file_name(name), Path::to_path_buf);
    if path.is_file() {
        std::path::absolute(&path).map_err(|error| Error::file(&path, error))
    } else {
        Err(Error::NoProgram { path, flag })
    }
}

fn block(path: Option<&Path>) -> Result<Vec<u8>, Error> {
    match path {
        Some(path) => std::fs::read(path).map_err(|error| Error::file(path, error)),
        None => Ok(bundled_block().to_vec()),
    }
}

fn kind(text: &str) -> Result<Kind, &'static str> {
    text.parse().map_err(|()| "rocksdb, redb or memory")
}

async fn interrupted() -> Result<(), Error> {
    let listen = |kind| signal(kind).map_err(|error| Error::Runtime { error });
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_program_that_is_not_there_is_named_with_its_flag() {
        let error = program(Some(Path::new("/nowhere/primus")), "primus", "--node").unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("/nowhere/primus") && text.contains("--node"),
            "{text}"
        );
        assert_eq!(error.exit(), 1);
    }

    #[test]
    fn a_program_is_looked_for_beside_this_one() {
        let own = std::env::current_exe().unwrap();
        let name = own.file_name().unwrap().to_str().unwrap();
        assert_eq!(program(None, name, "--node").unwrap(), own);
    }
}
