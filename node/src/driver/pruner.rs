//! Pruning while the node runs: one small step after each group of inputs, from the start and from
//! each change of epochs on, until nothing is left to do.

use std::num::NonZeroU64;

use ledger::Genesis;
use ledger::prune::KeptFrom;
use primitives::units::Height;

use crate::config::Config;
use crate::error::Error;
use crate::prune::{self, Keep};
use crate::store::Database;

#[derive(Debug)]
pub(super) struct Pruner {
    keep: Option<NonZeroU64>,
    genesis: Genesis,
    busy: bool,
    /// From where on the store keeps everything.
    pub(super) kept: KeptFrom,
}

impl Pruner {
    pub(super) fn new(config: &Config, genesis: &Genesis, store: &Database) -> Result<Self, Error> {
        let keep = match config.keep_epochs {
            Keep::All => None,
            Keep::Sealed(epochs) => Some(epochs),
        };
        Ok(Self {
            keep,
            genesis: genesis.clone(),
            busy: keep.is_some(),
            kept: KeptFrom::read(store).map_err(replica::Error::from)?,
        })
    }

    /// Begins anew: there is more to let go of.
    pub(super) const fn begin(&mut self) {
        self.busy = self.keep.is_some();
    }

    pub(super) const fn is_busy(&self) -> bool {
        self.busy
    }

    pub(super) fn step(&mut self, store: &Database, head: Height) -> Result<(), Error> {
        let Some(keep) = self.keep.filter(|_| self.busy) else {
            return Ok(());
        };
        self.busy = prune::step(store, &self.genesis, head, keep)?;
        if !self.busy {
            let kept = KeptFrom::read(store).map_err(replica::Error::from)?;
            if kept != self.kept {
                tracing::info!(epoch = %kept.epoch, block = %kept.height, "pruned up to here");
            }
            self.kept = kept;
        }
        Ok(())
    }
}
