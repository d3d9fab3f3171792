//! Names.

use ledger::tx::Name as NameText;
use primitives::units::{Amount, Height};
use primus_wallet::error::Error;
use primus_wallet::home;
use primus_wallet::wallet::{Options, Prepared, Wallet};
use serde_json::json;
use wallet_proto::proof_file::{self, Claim, Statement};

use super::{as_of, send, write_proof};
use crate::cli::{ChangeName, HandOver, Name, ShowName};
use crate::print::Printer;

pub(super) async fn run(options: Options, asked: Name, out: Printer) -> Result<(), Error> {
    let mut wallet = Wallet::open(&options)?;
    match asked {
        Name::Show(asked) => show(&mut wallet, asked, out).await,
        Name::List => list(&mut wallet, out).await,
        Name::Register(how) => {
            let fee = how.fee.map(Amount::new);
            let prepared = wallet.prepare_registration(how.name, fee).await?;
            carry(&mut wallet, &prepared, &how, out).await
        }
        Name::Transfer(HandOver { how, key }) => {
            let fee = how.fee.map(Amount::new);
            let prepared = wallet.prepare_handover(how.name, key, fee).await?;
            carry(&mut wallet, &prepared, &how, out).await
        }
    }
}

async fn carry(
    wallet: &mut Wallet,
    prepared: &Prepared,
    how: &ChangeName,
    out: Printer,
) -> Result<(), Error> {
    let (id, fee, remains, name) = (prepared.id, prepared.fee, prepared.remains, how.name);
    out.progress(format!("name     {name} in transaction {id}"));
    out.progress(format!("fee      {fee}; {remains} remain free"));
    let paid = send(wallet, prepared, how.timeout, out).await?;
    let (proof, statement) = prove(wallet, name, None).await?;
    if let Some(path) = &how.proof {
        write_proof(path, &proof, out)?;
    }
    out.progress(format!("HELD     {statement}"));
    out.object(&json!({
        "id": id.to_string(),
        "name": name.to_string(),
        "key": holder(&statement),
        "fee": fee.to_string(),
        "remains": remains.to_string(),
        "height": paid.settled.header.height.get(),
        "proof": how.proof.as_ref().map(|path| path.display().to_string()),
        "as_of": as_of(statement.as_of()),
    }));
    Ok(())
}

async fn show(wallet: &mut Wallet, asked: ShowName, out: Printer) -> Result<(), Error> {
    let height = asked.as_of.map(Height::new);
    let (proof, statement) = prove(wallet, asked.name, height).await?;
    let mut lines = vec![format!("proven   {statement}")];
    if let Some(path) = &asked.proof {
        home::replace(path, &proof)?;
        lines.push(format!("proof    {}", path.display()));
    }
    let object = json!({
        "name": asked.name.to_string(),
        "key": holder(&statement),
        "statement": statement.to_string(),
        "proof": asked.proof.map(|path| path.display().to_string()),
        "as_of": as_of(statement.as_of()),
    });
    out.result(&lines, &object);
    Ok(())
}

async fn list(wallet: &mut Wallet, out: Printer) -> Result<(), Error> {
    let names = wallet.names().await?;
    let (mut lines, mut rows) = (Vec::new(), Vec::new());
    for (name, since) in names
        .iter()
        .filter_map(|proven| Some((proven.name, proven.held?.1)))
    {
        lines.push(format!("proven   {name} since block {}", since.block));
        rows.push(json!({ "name": name.to_string(), "since": since.block.get() }));
    }
    let (key, count) = (*wallet.key(), rows.len());
    lines.push(format!(
        "PROVEN complete: this key holds {count} names, no more"
    ));
    out.result(&lines, &json!({ "key": key.to_string(), "names": rows }));
    Ok(())
}

/// A proof file of who holds a name, and what it says.
async fn prove(
    wallet: &mut Wallet,
    name: NameText,
    height: Option<Height>,
) -> Result<(Vec<u8>, Statement), Error> {
    let proof = wallet.proof(Claim::Name { name, height }).await?;
    let statement = proof_file::verify(&proof, wallet.trust())?;
    Ok((proof, statement))
}

fn holder(statement: &Statement) -> Option<String> {
    let Statement::Name(proven) = statement else {
        return None;
    };
    proven.held.map(|(holder, _)| holder.key.to_string())
}
