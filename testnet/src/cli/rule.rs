//! `primus-testnet reference`, `exhaustive` and `twins`: the commit rule, looked at from outside.

use std::path::PathBuf;

use clap::Args;

use crate::error::Error;
use crate::verdict::Verdict;
use crate::voice::Voice;
use crate::{exhaustive, reference, twins};

/// How many violations are told in words.
const VIOLATIONS_TOLD: usize = 5;

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

/// `primus-testnet exhaustive`.
#[derive(Debug, Args)]
pub struct Exhaustive {
    /// Look at one graph of so many.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub one_of: u64,
}

impl Exhaustive {
    pub(super) fn carry_out(&self, voice: Voice) -> Result<u8, Error> {
        let found = exhaustive::run(self.one_of, voice)?;
        for violation in found.violations.iter().take(VIOLATIONS_TOLD) {
            voice.progress(violation);
        }
        let words = format!(
            "{} votes of round 1 up to symmetry, {} graphs of three rounds, {} parts, {} states, {} \
             anchors; of the slots {} committed, {} skipped, {} open\n{} states visited, {} violations",
            found.first_votes,
            found.graphs,
            found.parts,
            found.states,
            found.anchors,
            found.committed,
            found.skipped,
            found.open,
            found.parts + found.anchors,
            found.violations.len(),
        );
        voice.say("exhaustive", &words, &found);
        Ok(verdict(found.violations.is_empty()).exit())
    }
}

/// `primus-testnet twins`.
#[derive(Debug, Args)]
pub struct Twins {
    /// How many cases.
    #[arg(long, default_value_t = 1_000)]
    pub cases: u64,
    /// The first case.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// What was run, one JSON object a line; appended to.
    #[arg(long, value_name = "FILE", default_value = "target/twins/log.jsonl")]
    pub log: PathBuf,
}

impl Twins {
    pub(super) fn carry_out(&self, voice: Voice) -> Result<u8, Error> {
        let found = twins::run(self.from, self.cases, &self.log, voice)?;
        let violations = found.violations.len();
        let words = format!("{} cases, {violations} violations", found.cases);
        voice.say("twins", &words, &found);
        Ok(verdict(violations == 0).exit())
    }
}

const fn verdict(holds: bool) -> Verdict {
    if holds {
        Verdict::Agree
    } else {
        Verdict::Diverged
    }
}
