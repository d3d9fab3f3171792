//! What can be asked on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ledger::subject::Subject;
use ledger::tx::{Name as NameText, Outpoint};
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::units::{Epoch, Height};
use primus_wallet::HostAddress;
use wallet_proto::proof_file::Claim;

const EXAMPLES: &str = "Examples:
  primus-wallet new --genesis genesis.bin --host 127.0.0.1:7000#TRANSPORTKEY
  primus-wallet balance
  primus-wallet pay RECEIVERKEY 25 --proof paid.primusproof
  primus-wallet history
  primus-wallet proof TRANSACTION -o payment.primusproof
  primus-wallet proof key:KEY -o key.primusproof
  primus-wallet policy -o policy.toml
  primus-wallet verify payment.primusproof --genesis genesis.bin
  primus-wallet notarise contract.pdf --field buyer=Anna --field price=25
  primus-wallet receipt export contract.pdf.primusdeed --fields document,buyer -o anna.primusreceipt
  primus-wallet commit minutes.pdf
  primus-wallet name register anna
  primus-wallet name show anna --proof anna.primusproof
  primus-wallet verify receipt anna.primusreceipt --document contract.pdf --genesis genesis.bin

Exit codes: 0 done; 1 failed; 2 usage; 3 the proof does not hold; 4 no host reachable;
5 timed out; 6 refused or rejected; 10 two chains.";

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
    /// Checks a proof file or a receipt offline, from the genesis or a trust policy alone.
    Verify(Verify),
    /// Puts a document or fields on record, without showing them to anybody.
    Notarise(Notarise),
    /// Puts a document's hash on record as the one word of this key in its block.
    Commit(CommitTo),
    /// Registers, hands over and looks up names.
    #[command(subcommand)]
    Name(Name),
    /// Shows chosen fields of what was put on record.
    #[command(subcommand)]
    Receipt(Receipt),
    /// Writes a trust policy that starts from the newest certified block.
    Policy(PolicyOut),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The genesis file of the chain.
    #[arg(long, value_name = "FILE")]
    pub(crate) genesis: Option<PathBuf>,
    /// A trust policy: a checkpoint, more signers, more hosts.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
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
    /// TRANSACTION for what became of it; TRANSACTION:INDEX for one of its outputs; history:KEY,
    /// newest:KEY:COUNT or key:KEY for a key, or for a name with @NAME instead of KEY; commit:KEY:HEIGHT for its one word in a block; name:NAME for who holds it; block:HEIGHT; consistency:HEIGHT:ROOT; committee:EPOCH.
    #[arg(value_parser = claim)]
    pub(crate) claim: Claim,
    /// As of this earlier block; for outputs, histories and names.
    #[arg(long, value_name = "HEIGHT")]
    pub(crate) as_of: Option<u64>,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Verify {
    /// The proof file.
    #[arg(required = true)]
    pub(crate) file: Option<PathBuf>,
    /// Checks that a commit is to this document, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) document: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) start: Start,
    #[command(subcommand)]
    pub(crate) other: Option<Verifiable>,
}

/// What can be verified beside a proof file.
#[derive(Debug, Subcommand)]
pub(crate) enum Verifiable {
    /// Checks a receipt offline, and says what was on record since when.
    Receipt(VerifyReceipt),
}

#[derive(Debug, Args)]
pub(crate) struct VerifyReceipt {
    /// The receipt.
    pub(crate) file: PathBuf,
    /// Checks that it is about this document, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) document: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) start: Start,
}

/// What a verifier starts from.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The genesis to start from [default: that of the home].
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    pub(crate) genesis: Option<PathBuf>,
    /// The trust policy to start from.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Notarise {
    /// The document; its digest becomes the field `document`.
    #[arg(required_unless_present = "fields")]
    pub(crate) file: Option<PathBuf>,
    /// A field beside it, as often as there are fields.
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = field)]
    pub(crate) fields: Vec<(String, String)>,
    /// Names the files to write: OUTPUT.primusdeed with the salts, to keep, and OUTPUT.primusproof
    /// [default: FILE].
    #[arg(short, long, value_name = "OUTPUT", required_unless_present = "file")]
    pub(crate) output: Option<PathBuf>,
    /// The fee [default: the chain's least fee].
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) fee: Option<u64>,
    /// Seconds to wait for the proof; the transaction stays in the outbox after that.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    pub(crate) timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct CommitTo {
    /// The document, whose digest is committed to.
    #[arg(required_unless_present = "hash")]
    pub(crate) file: Option<PathBuf>,
    /// A hash instead, 64 hexadecimal digits.
    #[arg(long, value_name = "HASH", conflicts_with = "file")]
    pub(crate) hash: Option<Digest>,
    /// The proof file to write [default: FILE.commit.primusproof].
    #[arg(short, long, value_name = "FILE", required_unless_present = "file")]
    pub(crate) output: Option<PathBuf>,
    /// The fee [default: the chain's least fee].
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) fee: Option<u64>,
    /// Seconds to wait for the proof; the transaction stays in the outbox after that.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    pub(crate) timeout: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Name {
    /// Registers a name that nobody holds for this key.
    Register(ChangeName),
    /// Hands a name of this key over to another key.
    Transfer(HandOver),
    /// Shows who holds a name, proven.
    Show(ShowName),
    /// Lists the names of this key, proven to be all.
    List,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeName {
    /// The name: 1 to 64 of a-z, 0-9 and -.
    pub(crate) name: NameText,
    /// Writes the proof of who holds the name then to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) proof: Option<PathBuf>,
    /// The fee [default: the chain's least fee].
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) fee: Option<u64>,
    /// Seconds to wait for the proof; the transaction stays in the outbox after that.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    pub(crate) timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct HandOver {
    #[command(flatten)]
    pub(crate) how: ChangeName,
    /// Who is to hold it, a key of 64 hexadecimal digits.
    pub(crate) key: PublicKey,
}

#[derive(Debug, Args)]
pub(crate) struct ShowName {
    /// The name.
    pub(crate) name: NameText,
    /// As of this earlier block.
    #[arg(long, value_name = "HEIGHT")]
    pub(crate) as_of: Option<u64>,
    /// Writes the proof to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) proof: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Receipt {
    /// Writes a receipt that shows the chosen fields of a deed and hides the others.
    Export(Export),
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The deed that `notarise` wrote.
    pub(crate) deed: PathBuf,
    /// The fields to show, by their names, with commas between.
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', required = true)]
    pub(crate) fields: Vec<String>,
    /// The proof of the deed's transaction; without it a host is asked.
    #[arg(long, value_name = "FILE")]
    pub(crate) proof: Option<PathBuf>,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyOut {
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// A field as it is written on the command line.
fn field(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("NAME=VALUE with a name is due".to_owned()),
    }
}

/// What a proof is about, as it is written on the command line.
fn claim(text: &str) -> Result<Claim, String> {
    let parts: Vec<_> = text.split(':').collect();
    parsed(&parts).ok_or_else(|| {
        "one of TRANSACTION, TRANSACTION:INDEX, history:KEY, newest:KEY:COUNT, key:KEY, \
         commit:KEY:HEIGHT, name:NAME, block:HEIGHT, consistency:HEIGHT:ROOT, committee:EPOCH, with ids, keys and roots of 64 \
         hexadecimal digits"
            .to_owned()
    })
}

fn parsed(parts: &[&str]) -> Option<Claim> {
    let number = |text: &str| text.parse::<u64>().ok();
    let subject = |text: &str| text.parse::<Subject>().ok();
    Some(match parts {
        ["history", of] => Claim::History { of: subject(of)? },
        ["newest", of, count] => Claim::Newest {
            of: subject(of)?,
            count: count.parse().ok()?,
        },
        ["key", of] => Claim::Record { of: subject(of)? },
        ["name", name] => Claim::Name {
            name: name.parse().ok()?,
            height: None,
        },
        ["commit", of, height] => Claim::Commit {
            key: of.parse().ok()?,
            height: Height::new(number(height)?),
        },
        ["block", height] => Claim::Block {
            height: Height::new(number(height)?),
        },
        ["consistency", height, root] => Claim::Consistency {
            height: Height::new(number(height)?),
            root: root.parse().ok()?,
        },
        ["committee", epoch] => Claim::Committee {
            epoch: Epoch::new(number(epoch)?),
        },
        [id] => Claim::Transaction {
            id: id.parse().ok()?,
        },
        [id, index] => Claim::Output {
            outpoint: Outpoint {
                transaction: id.parse().ok()?,
                index: index.parse().ok()?,
            },
        },
        _ => return None,
    })
}
