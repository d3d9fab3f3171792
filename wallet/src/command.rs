//! One function for each command: ask the wallet, print what came.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::subject::Subject;
use primitives::units::{Amount, Height};
use primus_wallet::error::Error;
use primus_wallet::home::{self, Home, Settings};
use primus_wallet::keys::new_seed;
use primus_wallet::policy::Policy;
use primus_wallet::wallet::{Balance, Options, Paid, Payment, Prepared, Wallet};
use serde_json::{Value, json};
use wallet_proto::proof_file::{self, Claim};
use wallet_proto::reply::Stage;
use wallet_proto::{Certified, Trust};

use crate::cli::{
    Cli, Command, History, How, New, PolicyOut, Proof, Receipt, Start, Verifiable, Verify,
};
use crate::print::Printer;

mod names;
mod notary;

/// Carries out what the command line asks for.
pub(crate) fn run(cli: Cli, out: Printer) -> Result<(), Error> {
    let home = cli.home.unwrap_or_else(default_home);
    let options = Options::new(home.clone(), Duration::from_secs(cli.patience));
    match cli.command {
        Command::New(new) => make(&Home::new(home), new, out),
        Command::Verify(verify) => check(&Home::new(home), verify, out),
        Command::Balance => block_on(balance(options, out)),
        Command::Pay(pay) => {
            let payment = payment(pay.key, pay.amount, &pay.how);
            block_on(transfer(options, payment, pay.how, out))
        }
        Command::Send(send) => {
            let payment = payment(send.key, send.amount, &send.how);
            block_on(transfer(options, payment, send.how, out))
        }
        Command::History(history) => block_on(list(options, history, out)),
        Command::Proof(proof) => block_on(prove(options, proof, out)),
        Command::Notarise(notarise) => block_on(notary::notarise(options, notarise, out)),
        Command::Commit(commit) => block_on(notary::commit(options, commit, out)),
        Command::Name(name) => block_on(names::run(options, name, out)),
        Command::Receipt(Receipt::Export(export)) => block_on(notary::export(options, export, out)),
        Command::Policy(policy) => block_on(checkpoint(options, policy, out)),
    }
}

fn make(home: &Home, new: New, out: Printer) -> Result<(), Error> {
    let settings = Settings {
        genesis: new.genesis,
        chain: None,
        policy: new.policy,
        hosts: new.hosts,
    };
    let named =
        settings.genesis.is_some() || settings.policy.is_some() || !settings.hosts.is_empty();
    if home.has_key() && (new.seed_file.is_some() || !named) {
        let path = home.path().to_path_buf();
        return Err(Error::HomeExists { path });
    }
    if !home.has_key() {
        let seed = match &new.seed_file {
            Some(path) => home::read_seed(path)?,
            None => new_seed()?,
        };
        Wallet::create(home, &seed, &Settings::default())?;
    }
    let settings = Wallet::configure(home, &settings)?;
    let key = home.public_key()?;
    let mut lines = vec![
        format!("key      {key}"),
        format!("home     {}", home.path().display()),
    ];
    lines.extend(
        settings
            .chain
            .iter()
            .map(|chain| format!("chain    {chain}")),
    );
    lines.extend(settings.hosts.iter().map(|host| format!("host     {host}")));
    let hosts: Vec<_> = settings.hosts.iter().map(ToString::to_string).collect();
    let object = json!({
        "key": key.to_string(),
        "home": home.path().display().to_string(),
        "chain": settings.chain,
        "hosts": hosts,
    });
    out.result(&lines, &object);
    Ok(())
}

fn check(home: &Home, verify: Verify, out: Printer) -> Result<(), Error> {
    if let Some(Verifiable::Receipt(receipt)) = &verify.other {
        return notary::check(home, receipt, out);
    }
    let trust = trust(home, &verify.start)?;
    let file = verify.file.unwrap_or_default();
    notary::check_proof(&file, verify.document.as_deref(), &trust, out)
}

/// What a verifier starts from: a policy, a genesis, or what the home names.
fn trust(home: &Home, start: &Start) -> Result<Trust, Error> {
    if let Some(path) = &start.policy {
        return Ok(Policy::read(path)?.trust);
    }
    if let Some(path) = &start.genesis {
        return Ok(Policy::of_genesis(path)?.trust);
    }
    let settings = home.settings()?;
    let policy = match (&settings.policy, &settings.genesis) {
        (Some(path), _) => Policy::read(path),
        (None, Some(path)) => Policy::of_genesis(path),
        (None, None) => Err(Error::NoGenesis {
            path: home.path().to_path_buf(),
        }),
    };
    Ok(policy?.trust)
}

async fn balance(options: Options, out: Printer) -> Result<(), Error> {
    let mut wallet = Wallet::open(&options)?;
    let balance = wallet.balance().await?;
    let mut lines = vec![
        format!("proven   {} in {} coins", balance.proven, balance.coins),
        format!("free     {}", balance.free),
        format!("as of    {}", balance.as_of),
    ];
    if balance.hosted > Amount::ZERO {
        lines.insert(2, format!("hosted   {} counts as stake", balance.hosted));
    }
    for pending in &balance.pending {
        let (id, spends, returns) = (pending.id, pending.spends, pending.returns);
        lines.push(format!(
            "pending  {id} spends {spends}, of which {returns} come back"
        ));
    }
    out.result(&lines, &balance_object(&wallet, &balance));
    Ok(())
}

fn balance_object(wallet: &Wallet, balance: &Balance) -> Value {
    let pending = balance.pending.iter().map(|pending| {
        json!({
            "id": pending.id.to_string(),
            "spends": pending.spends.to_string(),
            "returns": pending.returns.to_string(),
        })
    });
    json!({
        "key": wallet.key().to_string(),
        "proven": balance.proven.to_string(),
        "free": balance.free.to_string(),
        "hosted": balance.hosted.to_string(),
        "coins": balance.coins,
        "pending": pending.collect::<Vec<_>>(),
        "as_of": as_of(&balance.as_of),
    })
}

async fn transfer(options: Options, payment: Payment, how: How, out: Printer) -> Result<(), Error> {
    let mut wallet = Wallet::open(&options)?;
    let prepared = wallet.prepare(&payment).await?;
    let (id, fee, remains) = (prepared.id, prepared.fee, prepared.remains);
    out.progress(format!("payment  {id}"));
    out.progress(format!("pays     {} to {}", prepared.amount, payment.to));
    out.progress(format!("fee      {fee}; {remains} remain free"));
    let paid = send(&mut wallet, &prepared, how.timeout, out).await?;
    if let Some(path) = &how.proof {
        write_proof(path, &paid.proof, out)?;
    }
    let settled = &paid.settled;
    out.object(&json!({
        "id": id.to_string(),
        "to": payment.to.to_string(),
        "amount": prepared.amount.to_string(),
        "fee": fee.to_string(),
        "remains": remains.to_string(),
        "height": settled.header.height.get(),
        "index": settled.index,
        "outcome": settled.outcome.to_string(),
        "proof": how.proof.map(|path| path.display().to_string()),
        "as_of": as_of(&settled.as_of),
    }));
    Ok(())
}

/// Carries a prepared transaction through, and shows each grade as it comes.
async fn send(
    wallet: &mut Wallet,
    prepared: &Prepared,
    timeout: u64,
    out: Printer,
) -> Result<Paid, Error> {
    let mut on_stage = |stage: &Stage, after: Duration| {
        let (name, detail) = describe(stage);
        out.progress(format!("{name:<8} after {} ms{detail}", after.as_millis()));
    };
    let limit = Duration::from_secs(timeout);
    wallet.send(prepared, limit, &mut on_stage).await
}

fn write_proof(path: &Path, proof: &[u8], out: Printer) -> Result<(), Error> {
    home::replace(path, proof)?;
    let (path, bytes) = (path.display(), proof.len());
    out.progress(format!("proof    {path} ({bytes} bytes)"));
    Ok(())
}

async fn list(options: Options, history: History, out: Printer) -> Result<(), Error> {
    let mut wallet = Wallet::open(&options)?;
    let balance = wallet.balance().await?;
    let book = wallet.book();
    let mut lines = Vec::with_capacity(book.lines().len());
    let mut rows = Vec::with_capacity(book.lines().len());
    for line in book.lines() {
        let (entry, received, spent) = (&line.entry, line.received, line.spent);
        let (height, id) = (entry.block, entry.txid);
        lines.push(format!(
            "proven   block {height:<8} +{received:<12} -{spent:<12} {id}"
        ));
        rows.push(json!({
            "id": id.to_string(),
            "height": height.get(),
            "index": entry.index,
            "received": received.to_string(),
            "spent": spent.to_string(),
        }));
    }
    for pending in &balance.pending {
        lines.push(format!("pending  {}", pending.id));
    }
    let (key, count) = (*wallet.key(), rows.len());
    lines.push(format!(
        "PROVEN complete to block {}: these are all {count} transactions of this key, no more \
         exist; {}",
        balance.as_of.height(),
        balance.as_of
    ));
    if let Some(path) = &history.proof {
        let of = Subject::Key(key);
        home::replace(path, &wallet.proof(Claim::History { of }).await?)?;
        lines.push(format!("proof    {}", path.display()));
    }
    let pending: Vec<_> = balance
        .pending
        .iter()
        .map(|pending| pending.id.to_string())
        .collect();
    let object = json!({
        "key": key.to_string(),
        "complete": true,
        "count": count,
        "transactions": rows,
        "pending": pending,
        "as_of": as_of(&balance.as_of),
    });
    out.result(&lines, &object);
    Ok(())
}

async fn prove(options: Options, proof: Proof, out: Printer) -> Result<(), Error> {
    let mut wallet = Wallet::open(&options)?;
    let claim = match proof.as_of.map(Height::new) {
        Some(height) => proof.claim.as_of(height).ok_or(Error::NotAsOf)?,
        None => proof.claim,
    };
    let bytes = wallet.proof(claim).await?;
    let statement = proof_file::verify(&bytes, wallet.trust())?;
    home::replace(&proof.output, &bytes)?;
    let lines = [
        format!("proven   {statement}"),
        format!(
            "proof    {} ({} bytes)",
            proof.output.display(),
            bytes.len()
        ),
    ];
    let object = json!({
        "statement": statement.to_string(),
        "proof": proof.output.display().to_string(),
        "bytes": bytes.len(),
        "as_of": as_of(statement.as_of()),
    });
    out.result(&lines, &object);
    Ok(())
}

async fn checkpoint(options: Options, policy: PolicyOut, out: Printer) -> Result<(), Error> {
    let mut wallet = Wallet::open(&options)?;
    let text = wallet.checkpoint(&policy.output).await?;
    home::replace(&policy.output, text.as_bytes())?;
    let (head, path) = (wallet.head(), policy.output.display());
    let lines = [
        format!("block    {} with root {}", head.height, head.root),
        format!("policy   {path}"),
    ];
    let object = json!({
        "height": head.height.get(),
        "root": head.root.to_string(),
        "policy": path.to_string(),
    });
    out.result(&lines, &object);
    Ok(())
}

fn payment(to: primitives::keys::PublicKey, amount: u64, how: &How) -> Payment {
    Payment {
        fee: how.fee.map(Amount::new),
        host: how.host_peer,
        ..Payment::new(to, Amount::new(amount))
    }
}

fn describe(stage: &Stage) -> (&'static str, String) {
    match stage {
        Stage::Refused { refusal } => ("refused", format!(": {refusal}")),
        Stage::Seen => ("seen", String::new()),
        Stage::Endorsed => ("endorsed", String::new()),
        Stage::Official => ("official", String::new()),
        Stage::Final {
            height,
            index,
            outcome,
        } => (
            "final",
            format!(", block {height} place {index}, {outcome}"),
        ),
        Stage::Proven { height } => ("proven", format!(", block {height}")),
    }
}

fn as_of(certified: &Certified) -> Value {
    json!({
        "height": certified.height().get(),
        "root": certified.root().to_string(),
        "stake_percent": certified.percent(),
    })
}

fn default_home() -> PathBuf {
    let user = std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    user.join(".primus-wallet")
}

fn block_on(work: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|source| Error::File {
        path: PathBuf::from("tokio runtime"),
        source,
    })?;
    runtime.block_on(work)
}
