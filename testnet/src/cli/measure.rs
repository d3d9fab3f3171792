//! `primus-testnet scale`: what large committees cost.

use clap::Args;

use crate::error::Error;
use crate::scale::{Report, Task, run};
use crate::verdict::Verdict;
use crate::voice::Voice;

/// `primus-testnet scale`.
#[derive(Debug, Args)]
pub struct Scale {
    /// Members of the committee.
    #[arg(long, default_value_t = 999, value_parser = clap::value_parser!(u16).range(4..=999))]
    pub committee: u16,
    /// How many of them are whole peers.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=999))]
    pub replicas: u16,
    /// How many rounds to run.
    #[arg(long, default_value_t = 20)]
    pub rounds: u64,
}

impl Scale {
    pub(super) fn carry_out(&self, voice: Voice) -> Result<u8, Error> {
        let task = Task {
            committee: usize::from(self.committee),
            replicas: usize::from(self.replicas.min(self.committee)),
            rounds: self.rounds,
        };
        let report = run(task, voice)?;
        voice.say("scale", &words(&report), &report);
        let verdict = match (report.agree, report.blocks) {
            (false, _) => Verdict::Diverged,
            (true, 0) => Verdict::Stalled,
            (true, _) => Verdict::Agree,
        };
        Ok(verdict.exit())
    }
}

fn words(report: &Report) -> String {
    format!(
        "{} whole peers in a committee of {}, {} rounds: {} to {} blocks, {} events held and {} \
         transactions applied by each, {} ms of virtual time in {} s, {} MiB, {}",
        report.replicas,
        report.committee,
        report.rounds,
        report.blocks,
        report.blocks_max,
        report.events,
        report.applied,
        report.virtual_ms,
        report.wall_ms / 1_000,
        report.memory_mib,
        if report.agree {
            "all agree"
        } else {
            "DIVERGED"
        },
    )
}
