//! `primus fsck` and `primus replay`: whether a store is what it should be, offline.

use std::io::Write;
use std::num::NonZeroU64;

use ledger::Genesis;
use primitives::store::Table;
use serde::Serialize;

use super::Printer;
use crate::config::Config;
use crate::error::{Error, Exit};
use crate::fsck;
use crate::home::read_genesis;
use crate::prune::{self, Keep};
use crate::replay::{self, Replayed};
use crate::store::Database;

#[derive(Serialize)]
struct FsckResult {
    sound: bool,
    #[serde(flatten)]
    checked: fsck::Checked,
}

/// Checks every row; exit 1 and the first bad row if there is one.
pub(super) fn fsck(config: &Config, printer: &mut Printer<'_>) -> Result<Exit, Error> {
    let (store, genesis) = open(config)?;
    let checked = fsck::check(&store, &genesis, &mut |table: Table| {
        tell(&format!("checking {}", table.name()));
    })?;
    let mut text = format!(
        "sound    {} events, {} blocks, {} transactions, {} outputs, {} keys with {} entries\n",
        checked.events,
        checked.blocks,
        checked.transactions,
        checked.outputs,
        checked.keys,
        checked.entries,
    );
    if checked.first_block > 0 {
        text.push_str(&format!(
            "pruned   not checked: events before epoch {}, transactions before block {}; {} idle \
             rows of them are left\n",
            checked.first_epoch, checked.first_block, checked.idle
        ));
    }
    let sound = true;
    printer.print(&FsckResult { sound, checked }, &text)?;
    Ok(Exit::Done)
}

/// Executes every block anew; exit 1 and the first block whose root differs.
pub(super) fn replay(config: &Config, printer: &mut Printer<'_>) -> Result<Exit, Error> {
    let (store, genesis) = open(config)?;
    let replayed = replay::replay(&store, &genesis, &mut |height, so_far| {
        tell(&format!("block {height}, {} transactions/s", rate(so_far)));
    })?;
    let mut text = format!(
        "same     {} blocks with {} transactions have the roots that are stored; {} \
         transactions/s\n",
        replayed.blocks,
        replayed.transactions,
        rate(&replayed),
    );
    if replayed.first_block > 1 {
        text.push_str(&format!(
            "pruned   the state before block {} was rebuilt from today's rows and has its root; no \
             block before it was executed\n",
            replayed.first_block
        ));
    }
    printer.print(&replayed, &text)?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct PruneResult {
    first_epoch: u64,
    first_block: u64,
}

/// Makes a pruned store of an archive, or a smaller one of a pruned store.
pub(super) fn prune(
    config: &Config,
    keep: Option<NonZeroU64>,
    printer: &mut Printer<'_>,
) -> Result<Exit, Error> {
    let keep = match (keep, config.keep_epochs) {
        (Some(keep), _) | (None, Keep::Sealed(keep)) => keep,
        (None, Keep::All) => return Err(Error::KeepsAll),
    };
    let (store, genesis) = open(config)?;
    let mut steps = 0_u64;
    let kept = prune::prune(&store, &genesis, keep, &mut || {
        steps += 1;
        if steps.is_multiple_of(256) {
            tell(&format!("{steps} steps"));
        }
    })?;
    let (epoch, block) = (kept.epoch, kept.height);
    let text = format!("keeps    events from epoch {epoch}, transactions from block {block} on\n");
    let result = PruneResult {
        first_epoch: epoch.get(),
        first_block: block.get(),
    };
    printer.print(&result, &text)?;
    Ok(Exit::Done)
}

fn rate(replayed: &Replayed) -> u64 {
    let thousandfold = replayed.transactions.saturating_mul(1_000);
    thousandfold.checked_div(replayed.took_ms).unwrap_or(0)
}

/// The store of this configuration and the genesis of its chain.
pub(super) fn open(config: &Config) -> Result<(Database, Genesis), Error> {
    let (store, stamp) = Database::open_offline(&config.data)?;
    let genesis = read_genesis(&config.genesis)?;
    let chain = genesis.chain_id().map_err(|error| Error::InvalidGenesis {
        path: config.genesis.clone(),
        reason: error.to_string(),
    })?;
    if chain != stamp.chain {
        return Err(Error::OtherStore {
            path: config.data.clone(),
            field: "chain",
            found: stamp.chain.to_string(),
            wanted: chain.to_string(),
        });
    }
    Ok((store, genesis))
}

/// Progress, for people.
pub(super) fn tell(line: &str) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
