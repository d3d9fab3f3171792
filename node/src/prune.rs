//! Letting go of old epochs: all at once offline (`primus prune`), or a little between two groups of
//! inputs while the node runs.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use ledger::Genesis;
use ledger::prune::KeptFrom;
use ledger::rows::HeadRow;
use primitives::codec;
use primitives::store::{Store, Table};
use primitives::units::Height;

use crate::error::Error;
use crate::store::{Backend, Database};

/// How much of the past a node keeps beside what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Everything: an archive.
    All,
    /// Events and transactions of the epoch in force and of so many sealed ones before it.
    Sealed(NonZeroU64),
}

impl FromStr for Keep {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "all" => Ok(Self::All),
            number => number.parse().map(Self::Sealed).map_err(drop),
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Sealed(epochs) => epochs.fmt(f),
        }
    }
}

/// Takes one step of pruning `store`, whose newest block is at `head`, and tells whether there was
/// any left to take.
///
/// # Errors
/// A failed disk, or rows that do not decode.
pub fn step(
    store: &Database,
    genesis: &Genesis,
    head: Height,
    keep: NonZeroU64,
) -> Result<bool, Error> {
    let Some(batch) = replica::prune::step(store, &genesis.parameters, head, keep)? else {
        return Ok(false);
    };
    store.apply(&batch)?;
    Ok(true)
}

/// Prunes a store that no node has open, to the end, and gives its space back; `tell` hears of each
/// step.
///
/// # Errors
/// [`Error::Damaged`] for a store without a block; as [`step`].
pub fn prune(
    store: &Database,
    genesis: &Genesis,
    keep: NonZeroU64,
    tell: &mut dyn FnMut(),
) -> Result<KeptFrom, Error> {
    let row = store.get(Table::Meta, b"head")?;
    let row = row.ok_or_else(|| damaged("missing"))?;
    let head: HeadRow = codec::decode(&row).map_err(damaged)?;
    while step(store, genesis, head.height, keep)? {
        tell();
    }
    store.sync()?;
    store.compact()?;
    Ok(KeptFrom::read(store).map_err(replica::Error::from)?)
}

fn damaged(reason: impl fmt::Display) -> Error {
    Error::Damaged {
        what: "head",
        reason: reason.to_string(),
    }
}
