//! `primus evidence`: from the store, or from the node that has it open.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use primitives::keys::PublicKey;
use primitives::units::Epoch;

use super::Printer;
use super::audit::open;
use crate::config::Config;
use crate::error::{Error, Exit};
use crate::evidence::{self, FILE_BYTES_MAX, Listed, Shown};
use crate::home::read_genesis;
use crate::http::client;
use crate::store::Database;

/// Prints what every pair shows.
pub(super) fn list(config: &Config, printer: &mut Printer<'_>) -> Result<Exit, Error> {
    let listed: Listed = match open(config) {
        Ok((store, genesis)) => evidence::list(&store, &genesis)?,
        Err(Error::StoreInUse { .. }) => client::json(config.http, "/v1/evidence")?,
        Err(error) => return Err(error),
    };
    let text: String = match listed.evidence.is_empty() {
        true => "no peer is known to have signed two events for one place\n".to_owned(),
        false => listed.evidence.iter().map(line).collect(),
    };
    printer.print(&listed, &text)?;
    Ok(Exit::Done)
}

/// Prints one evidence file.
pub(super) fn export(
    config: &Config,
    epoch: Epoch,
    peer: &PublicKey,
    printer: &mut Printer<'_>,
) -> Result<Exit, Error> {
    let file: evidence::File = match open(config) {
        Ok((store, genesis)) => evidence::export(&store, &genesis, epoch, peer)?,
        Err(Error::StoreInUse { .. }) => {
            client::json(config.http, &format!("/v1/evidence/{epoch}/{peer}"))?
        }
        Err(error) => return Err(error),
    };
    printer.json = true;
    printer.print(&file, "")?;
    Ok(Exit::Done)
}

/// Checks an evidence file with the committees of a home's store; exit 3 if it shows nothing.
pub(super) fn verify(
    config: &Config,
    file: &Path,
    printer: &mut Printer<'_>,
) -> Result<Exit, Error> {
    let (store, genesis) = open(config)?;
    print(&evidence::verify(&read(file)?, &store, &genesis)?, printer)
}

/// As [`verify`] without a home: a genesis knows the committee of epoch 0.
pub(super) fn verify_alone(
    genesis: &Path,
    file: &Path,
    printer: &mut Printer<'_>,
) -> Result<Exit, Error> {
    let (store, genesis) = (Database::in_memory(), read_genesis(genesis)?);
    print(&evidence::verify(&read(file)?, &store, &genesis)?, printer)
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    // A device or pipe has no length to ask for.
    File::open(file)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(Error::io(file.display().to_string()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let reason = format!("more than {FILE_BYTES_MAX} bytes");
        return Err(Error::ShowsNothing { reason });
    }
    Ok(bytes)
}

fn print(shown: &Shown, printer: &mut Printer<'_>) -> Result<Exit, Error> {
    printer.print(shown, &line(shown))?;
    Ok(Exit::Done)
}

fn line(shown: &Shown) -> String {
    let Shown {
        chain,
        epoch,
        seq,
        peer,
        first,
        second,
    } = shown;
    format!(
        "peer {peer} signed two events of sequence number {seq} in epoch {epoch} of chain {chain}:\n  \
         {first}\n  {second}\n"
    )
}
