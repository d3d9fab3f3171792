//! `primus dag export`: from the store, or from the node that has it open.

use std::io::{self, BufWriter, Write};

use primitives::units::Epoch;

use crate::config::Config;
use crate::error::{Error, Exit};
use crate::export as document;
use crate::http::client;

/// Writes `epoch` to `out` as one JSON object.
pub(super) fn export(config: &Config, epoch: u64, out: &mut dyn Write) -> Result<Exit, Error> {
    let mut out = BufWriter::new(out);
    match super::audit::open(config) {
        Ok((store, genesis)) => {
            let start = document::start(&store, &genesis, Epoch::new(epoch))?;
            document::write(&store, &start, &mut out)?;
        }
        Err(Error::StoreInUse { .. }) => {
            let path = format!("/v1/dag/export?epoch={epoch}");
            let mut answer = client::get(config.http, &path)?;
            io::copy(&mut answer.body, &mut out).map_err(Error::io("export"))?;
            out.flush().map_err(Error::io("standard output"))?;
        }
        Err(error) => return Err(error),
    }
    Ok(Exit::Done)
}
