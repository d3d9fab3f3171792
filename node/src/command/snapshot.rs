//! `primus snapshot` and `primus join`: beginning with a state instead of the genesis.

use std::path::Path;

use primitives::store::Table;
use serde::Serialize;
use wallet_proto::snapshot::Manifest;

use super::{Printer, audit};
use crate::config::Config;
use crate::error::{Error, Exit};
use crate::fsck::Checked;
use crate::home::read_genesis;
use crate::peers::Peers;
use crate::run::Identity;
use crate::snapshot::join::{self, Joined, Plan};
use crate::snapshot::{File, Restorer, Summary, certify, create};

/// Writes the state before the epoch in force to `path`.
pub(super) fn make(config: &Config, path: &Path, printer: &mut Printer<'_>) -> Result<Exit, Error> {
    let (store, genesis) = audit::open(config)?;
    let manifest = create(&store, &genesis, path, &mut |rows| {
        audit::tell(&format!("{rows} rows"));
    })?;
    let summary = Summary::of(&manifest, &genesis);
    printer.print(&summary, &summary_text(&summary))?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Verified {
    #[serde(flatten)]
    summary: Summary,
    #[serde(flatten)]
    checked: Checked,
}

/// Checks a file as `restore` would, in memory.
pub(super) fn verify(
    config: &Config,
    path: &Path,
    printer: &mut Printer<'_>,
) -> Result<Exit, Error> {
    let said = "holds    every row has been checked; nothing was kept\n";
    let begin = |manifest| Ok(Restorer::in_memory(manifest));
    take(config, path, begin, said, printer)
}

/// Makes the store of this home from a file.
pub(super) fn restore(
    config: &Config,
    path: &Path,
    printer: &mut Printer<'_>,
) -> Result<Exit, Error> {
    let stamp = Identity::load(config)?.stamp();
    let begin = |manifest| Restorer::begin(manifest, config.store, &config.data, &stamp);
    let said = "ready    every row has been checked; `primus run` goes on\n";
    take(config, path, begin, said, printer)
}

fn take(
    config: &Config,
    path: &Path,
    begin: impl FnOnce(Manifest) -> Result<Restorer, Error>,
    said: &str,
    printer: &mut Printer<'_>,
) -> Result<Exit, Error> {
    let genesis = read_genesis(&config.genesis)?;
    let file = File::open(path)?;
    let manifest = file.manifest();
    let sealing = certify(manifest, &genesis, file.handovers())?;
    let mut restorer = begin(manifest.clone())?;
    let mut index = 0;
    while let Some(chunk) = file.chunk(index)? {
        restorer.take(index, &chunk)?;
        index += 1;
        if index.is_multiple_of(64) {
            audit::tell(&format!("{index} of {} chunks", manifest.chunks.len()));
        }
    }
    let checked = restorer.finish(&genesis, &sealing, &mut |table: Table| {
        audit::tell(&format!("checking {}", table.name()));
    })?;
    let summary = Summary::of(manifest, &genesis);
    let mut text = summary_text(&summary);
    text.push_str(said);
    printer.print(&Verified { summary, checked }, &text)?;
    Ok(Exit::Done)
}

fn summary_text(summary: &Summary) -> String {
    format!(
        "snapshot state after block {}, before epoch {}\nroot     {}\nrows     {} in {} chunks, {} bytes\n",
        summary.height, summary.epoch, summary.root, summary.rows, summary.chunks, summary.bytes
    )
}

/// Makes the store of this home from the snapshots of running peers.
pub(super) fn join(config: &Config, printer: &mut Printer<'_>) -> Result<Exit, Error> {
    let identity = Identity::load(config)?;
    let peers = Peers::read(&config.peers)?.resolve(&config.peers, &identity.genesis)?;
    let plan = Plan {
        stamp: identity.stamp(),
        genesis: identity.genesis,
        peers,
        kind: config.store,
        data: config.data.clone(),
    };
    let runtime = tokio::runtime::Runtime::new().map_err(Error::io("the runtime"))?;
    let joined = runtime.block_on(join::join(&plan, &mut audit::tell))?;
    let text = joined_text(&joined);
    printer.print(&joined, &text)?;
    Ok(Exit::Done)
}

fn joined_text(joined: &Joined) -> String {
    let mut text = summary_text(&joined.snapshot);
    text.push_str(&format!(
        "from     peers with stake {} of {}\n",
        joined.stake_agreeing, joined.total_stake
    ));
    for source in &joined.sources {
        text.push_str(&match &source.left {
            Some(reason) => format!(
                "left     {} after {} chunks: {reason}\n",
                source.name, source.chunks
            ),
            None => format!("         {} gave {} chunks\n", source.name, source.chunks),
        });
    }
    text.push_str(&format!(
        "ready    loaded in {} ms, every row checked after {} ms; `primus run` goes on\n",
        joined.loaded_ms, joined.took_ms
    ));
    text
}
