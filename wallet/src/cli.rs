//! What can be asked on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ledger::tx::Outpoint;
use primitives::Digest;
use primitives::keys::PublicKey;
use primus_wallet::HostAddress;

const EXAMPLES: &str = "Examples:
  primus-wallet new --genesis genesis.bin --host 127.0.0.1:7000#TRANSPORTKEY
  primus-wallet balance
  primus-wallet pay RECEIVERKEY 25 --proof paid.primusproof
  primus-wallet history
  primus-wallet proof TRANSACTION -o payment.primusproof
  primus-wallet verify payment.primusproof --genesis genesis.bin

Exit codes: 0 done; 1 failed; 2 usage; 3 the proof does not hold; 4 no host reachable;
5 timed out; 6 refused or rejected.";

/// A light client that believes only what is proven.
#[derive(Debug, Parser)]
#[command(name = "primus-wallet", version, before_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The wallet's folder [default: ~/.primus-wallet].
    #[arg(long, global = true, env = "PRIMUS_WALLET_HOME", value_name = "FOLDER")]
    pub(crate) home: Option<PathBuf>,
    /// Prints one JSON object (or one a line) on standard output and nothing else.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Seconds one host may take for one answer.
    #[arg(long, global = true, default_value_t = 10, value_name = "SECONDS")]
    pub(crate) patience: u64,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a key, or names genesis and hosts for the key there is.
    New(New),
    /// Shows what is proven to be yours, and what is pending.
    Balance,
    /// Pays a key, and shows each grade as it comes.
    Pay(Pay),
    /// Pays a key: the same as `pay`, amount first.
    Send(Send),
    /// Lists the transactions of the key, proven to be all.
    History(History),
    /// Writes a proof file that anyone can check offline.
    Proof(Proof),
    /// Checks a proof file offline, from the genesis alone.
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The genesis file of the chain.
    #[arg(long, value_name = "FILE")]
    pub(crate) genesis: Option<PathBuf>,
    /// A host, as often as there are hosts: ADDRESS:PORT#TRANSPORTKEY.
    #[arg(long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<HostAddress>,
    /// Takes the key from a file of 64 hexadecimal digits instead of chance; for tests.
    #[arg(long, value_name = "FILE")]
    pub(crate) seed_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Pay {
    /// The receiver's key, 64 hexadecimal digits.
    pub(crate) key: PublicKey,
    /// How much.
    pub(crate) amount: u64,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// How much.
    pub(crate) amount: u64,
    /// The receiver's key, 64 hexadecimal digits.
    pub(crate) key: PublicKey,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct How {
    /// The fee [default: the chain's least fee].
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) fee: Option<u64>,
    /// The peer key whose stake the paid coin counts as.
    #[arg(long, value_name = "KEY")]
    pub(crate) host_peer: Option<PublicKey>,
    /// Writes the proof of the payment to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) proof: Option<PathBuf>,
    /// Seconds to wait for the proof; the payment stays in the outbox after that.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    pub(crate) timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Writes the proof of the whole history to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) proof: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Proof {
    /// The transaction's id, 64 hexadecimal digits; TRANSACTION:INDEX for one of its outputs.
    #[arg(value_parser = subject)]
    pub(crate) subject: Subject,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The proof file.
    pub(crate) file: PathBuf,
    /// The genesis to start from [default: that of the home].
    #[arg(long, value_name = "FILE")]
    pub(crate) genesis: Option<PathBuf>,
}

/// What a proof is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Transaction(Digest),
    Output(Outpoint),
}

fn subject(text: &str) -> Result<Subject, String> {
    let wanted = || "a transaction id of 64 hexadecimal digits, or ID:INDEX".to_owned();
    let Some((id, index)) = text.split_once(':') else {
        return text.parse().map(Subject::Transaction).map_err(|_| wanted());
    };
    Ok(Subject::Output(Outpoint {
        transaction: id.parse().map_err(|_| wanted())?,
        index: index.parse().map_err(|_| wanted())?,
    }))
}
