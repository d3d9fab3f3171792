//! `primus-testnet reference`: the commit rule, looked at from outside.

use std::path::PathBuf;

use clap::Args;

use crate::error::Error;
use crate::reference;
use crate::verdict::Verdict;
use crate::voice::Voice;

/// `primus-testnet reference`.
#[derive(Debug, Args)]
pub struct Reference {
    /// How many graphs, one a seed.
    #[arg(long, default_value_t = 1_000)]
    pub graphs: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// What was compared, one JSON object a line; appended to.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/reference/log.jsonl"
    )]
    pub log: PathBuf,
}

impl Reference {
    pub(super) fn carry_out(&self, voice: Voice) -> Result<u8, Error> {
        let found = reference::run(self.from, self.graphs, &self.log, voice)?;
        let differences = found.differences.len();
        let words = format!("{} graphs, {differences} differences", found.graphs);
        voice.say("reference", &words, &found);
        Ok(verdict(differences == 0).exit())
    }
}

const fn verdict(holds: bool) -> Verdict {
    if holds {
        Verdict::Agree
    } else {
        Verdict::Diverged
    }
}
