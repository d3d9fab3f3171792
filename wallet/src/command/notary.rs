//! Notarising, commits, receipts, and their check.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use primitives::Digest;
use primitives::codec::{Bytes, List};
use primitives::digest::to_hex;
use primitives::units::Amount;
use primus_wallet::error::Error;
use primus_wallet::home::{self, Home};
use primus_wallet::keys::new_seed;
use primus_wallet::wallet::{Options, Wallet};
use serde_json::{Value, json};
use wallet_proto::Trust;
use wallet_proto::deed::{DOCUMENT, Deed, Field, Fields};
use wallet_proto::proof_file::{self, Claim, ProofFile, Statement};
use wallet_proto::receipt::{self, Notarised, Receipt};
use wallet_proto::wire;

use super::{as_of, send, trust, write_proof};
use crate::cli::{CommitTo, Export, Notarise, VerifyReceipt};
use crate::print::Printer;

pub(super) async fn notarise(options: Options, asked: Notarise, out: Printer) -> Result<(), Error> {
    let fields = fields(&asked)?;
    let base = asked.output.or(asked.file).unwrap_or_default();
    let (kept, proof) = (named(&base, "primusdeed"), named(&base, "primusproof"));
    let mut wallet = Wallet::open(&options)?;
    let keep = |deed: &Deed| {
        home::create_secret(&kept, &deed.to_bytes()?)?;
        let path = kept.display();
        out.progress(format!(
            "deed     {path}: keep it, its salts are nowhere else"
        ));
        Ok(())
    };
    let names: Vec<_> = fields.iter().map(|field| text(&field.name)).collect();
    let fee = asked.fee.map(Amount::new);
    let prepared = wallet.prepare_deed(fields, fee, keep).await?;
    out.progress(format!(
        "commits  {} in transaction {}",
        names.join(", "),
        prepared.id
    ));
    out.progress(format!(
        "fee      {}; {} remain free",
        prepared.fee, prepared.remains
    ));
    let paid = send(&mut wallet, &prepared, asked.timeout, out).await?;
    write_proof(&proof, &paid.proof, out)?;
    let settled = &paid.settled;
    let (height, time) = (settled.header.height, settled.header.time);
    out.progress(format!(
        "NOTARISED on record since block {height}, time {time} ms; {}",
        settled.as_of
    ));
    out.object(&json!({
        "id": prepared.id.to_string(),
        "fields": names,
        "fee": prepared.fee.to_string(),
        "remains": prepared.remains.to_string(),
        "height": height.get(),
        "index": settled.index,
        "time_ms": time.get(),
        "deed": kept.display().to_string(),
        "proof": proof.display().to_string(),
        "as_of": as_of(&settled.as_of),
    }));
    Ok(())
}

pub(super) async fn commit(options: Options, asked: CommitTo, out: Printer) -> Result<(), Error> {
    let document = asked.file.as_ref().map(|path| home::read_document(path));
    let hash = asked.hash.or(document.transpose()?).unwrap_or_default();
    let default = || named(&asked.file.unwrap_or_default(), "commit.primusproof");
    let path = asked.output.unwrap_or_else(default);
    let mut wallet = Wallet::open(&options)?;
    let fee = asked.fee.map(Amount::new);
    let prepared = wallet.prepare_commit(hash, fee).await?;
    let (id, fee, remains) = (prepared.id, prepared.fee, prepared.remains);
    out.progress(format!("commits  to {hash} in transaction {id}"));
    out.progress(format!("fee      {fee}; {remains} remain free"));
    let paid = send(&mut wallet, &prepared, asked.timeout, out).await?;
    let (height, time) = (paid.settled.header.height, paid.settled.header.time);
    let key = *wallet.key();
    let proof = wallet.proof(Claim::Commit { key, height }).await?;
    let statement = proof_file::verify(&proof, wallet.trust())?;
    write_proof(&path, &proof, out)?;
    out.progress(format!("COMMITTED {statement}"));
    out.object(&json!({
        "id": id.to_string(),
        "key": key.to_string(),
        "hash": hash.to_string(),
        "fee": fee.to_string(),
        "remains": remains.to_string(),
        "height": height.get(),
        "time_ms": time.get(),
        "proof": path.display().to_string(),
        "as_of": as_of(statement.as_of()),
    }));
    Ok(())
}

pub(super) async fn export(options: Options, asked: Export, out: Printer) -> Result<(), Error> {
    let mut wallet = Wallet::open(&options)?;
    let deed = read_deed(&asked.deed)?;
    let missing = |name: &&String| {
        !deed
            .fields
            .iter()
            .any(|field| *field.name == *name.as_bytes())
    };
    if let Some(name) = asked.fields.iter().find(missing) {
        let names: Vec<_> = deed.fields.iter().map(|field| text(&field.name)).collect();
        return Err(Error::Fields {
            reason: format!("no field {name:?}; there are {}", names.join(", ")),
        });
    }
    let proof = match &asked.proof {
        Some(path) => home::read(path)?,
        None => {
            let id = deed.transaction;
            wallet.proof(Claim::Transaction { id }).await?
        }
    };
    let proof: ProofFile = wire::from_bytes(&proof)?;
    let chosen = |field: &Field| {
        let mut names = asked.fields.iter();
        names.any(|name| name.as_bytes() == &*field.name)
    };
    let bytes = Receipt::new(&deed, chosen, proof)?.to_bytes()?;
    let proven = receipt::verify(&bytes, wallet.trust())?;
    home::replace(&asked.output, &bytes)?;
    let path = asked.output.display();
    let lines = [
        format!("proven   {proven}"),
        format!("receipt  {path} ({} bytes)", bytes.len()),
    ];
    let mut object = object(&proven);
    object["receipt"] = json!(path.to_string());
    object["bytes"] = json!(bytes.len());
    out.result(&lines, &object);
    Ok(())
}

pub(super) fn check(home: &Home, asked: &VerifyReceipt, out: Printer) -> Result<(), Error> {
    let trust = trust(home, &asked.start)?;
    let bytes = home::read(&asked.file)?;
    let proven = receipt::verify(&bytes, &trust).map_err(Error::from);
    let proven = proven.and_then(|proven| {
        check_document(proven.document(), asked.document.as_deref())?;
        Ok(proven)
    });
    let proven = proven.inspect_err(|error| invalid(error, out))?;
    tell_valid(&proven, asked.document.as_deref(), &object(&proven), out);
    Ok(())
}

/// Checks a proof file, and that a commit in it is to the document, if one is given.
pub(super) fn check_proof(
    file: &Path,
    document: Option<&Path>,
    trust: &Trust,
    out: Printer,
) -> Result<(), Error> {
    let proven = proof_file::verify(&home::read(file)?, trust).map_err(Error::from);
    let proven = proven.and_then(|statement| {
        check_document(committed(&statement), document)?;
        Ok(statement)
    });
    let statement = proven.inspect_err(|error| invalid(error, out))?;
    let object = json!({
        "valid": true,
        "statement": statement.to_string(),
        "as_of": as_of(statement.as_of()),
    });
    tell_valid(&statement, document, &object, out);
    Ok(())
}

fn committed(statement: &Statement) -> Option<Digest> {
    if let Statement::Commit(proven) = statement {
        return proven.commit.map(|commit| commit.hash);
    }
    None
}

fn tell_valid(proven: &impl Display, document: Option<&Path>, object: &Value, out: Printer) {
    let mut lines = vec![format!("VALID    {proven}")];
    lines.extend(document.map(|path| {
        let path = path.display();
        format!("document {path} is the one on record")
    }));
    out.result(&lines, object);
}

fn invalid(error: &Error, out: Printer) {
    let object = json!({ "valid": false, "failing": error.to_string() });
    out.result(&[format!("INVALID  {error}")], &object);
}

/// Checks that what is on record is this document, if one is given.
fn check_document(on_record: Option<Digest>, path: Option<&Path>) -> Result<(), Error> {
    let Some(path) = path else {
        return Ok(());
    };
    let found = home::read_document(path)?;
    if on_record == Some(found) {
        return Ok(());
    }
    let wanted = on_record.map(|digest| digest.to_string());
    Err(Error::OtherDocument {
        path: path.to_path_buf(),
        found,
        wanted: wanted.unwrap_or_else(|| "nothing of one".to_owned()),
    })
}

/// The fields asked for, each under a salt of its own, by ascending names.
fn fields(asked: &Notarise) -> Result<Fields, Error> {
    let mut values = BTreeMap::new();
    if let Some(path) = &asked.file {
        let digest = home::read_document(path)?;
        values.insert(DOCUMENT.to_owned(), digest.0.to_vec());
    }
    for (name, value) in &asked.fields {
        let value = value.clone().into_bytes();
        if values.insert(name.clone(), value).is_some() {
            return Err(Error::Fields {
                reason: format!("the field {name:?} is named twice"),
            });
        }
    }
    let field = |(name, value): (String, Vec<u8>)| {
        Ok::<_, Error>(Field {
            salt: *new_seed()?,
            name: Bytes::new(name.into_bytes())?,
            value: Bytes::new(value)?,
        })
    };
    let fields: Result<Vec<_>, _> = values.into_iter().map(field).collect();
    Ok(List::new(fields?)?)
}

fn read_deed(path: &Path) -> Result<Deed, Error> {
    Deed::from_bytes(&home::read(path)?).map_err(|error| Error::Content {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}

/// `contract.pdf` becomes `contract.pdf.primusdeed`.
fn named(base: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(base);
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn object(proven: &Notarised) -> Value {
    let shown = proven.shown.iter().map(|shown| {
        json!({
            "index": shown.index,
            "name": text(&shown.field.name),
            "value": std::str::from_utf8(&shown.field.value).ok(),
            "value_hex": to_hex(&shown.field.value),
        })
    });
    let signers = proven.signers.iter().map(ToString::to_string);
    let header = &proven.settled.header;
    json!({
        "valid": true,
        "statement": proven.to_string(),
        "id": proven.settled.checked.id().to_string(),
        "signers": signers.collect::<Vec<_>>(),
        "fields": shown.collect::<Vec<_>>(),
        "count": proven.count,
        "height": header.height.get(),
        "time_ms": header.time.get(),
        "as_of": as_of(proven.as_of()),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
