//! `primus-testnet mutate`: damaged files.

use clap::Args;
use node::store::Kind;

use super::{Context, kind};
use crate::error::Error;
use crate::mutate::{Options, run};

/// `primus-testnet mutate`.
#[derive(Debug, Args)]
pub struct Mutate {
    /// How many damages, each to a whole home.
    #[arg(long, default_value_t = 100)]
    pub count: u32,
    /// What they are drawn from.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The backend of the peers' stores: rocksdb or redb, as far as the node has it.
    #[arg(long, default_value = "redb", value_parser = kind)]
    pub store: Kind,
}

impl Context {
    pub(super) async fn mutate(&self, arguments: &Mutate) -> Result<u8, Error> {
        let options = Options {
            folder: self.folder.clone(),
            node: self.node()?,
            store: arguments.store,
            count: arguments.count as usize,
            seed: arguments.seed,
        };
        let report = run(&options, self.voice).await?;
        for violation in &report.violations {
            self.voice.say("violation", violation, violation);
        }
        let words = format!(
            "{} damages: {} noticed (exit codes {:?}), {} without effect or repaired, {} violations",
            report.tried,
            report.noticed.values().sum::<usize>(),
            report.noticed,
            report.same.values().sum::<usize>(),
            report.violations.len()
        );
        self.voice.say("mutated", &words, &report);
        Ok(report.verdict().exit())
    }
}
