//! `primus-testnet sim` and `swarm`: runs in virtual time.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::error::Error;
use crate::sim::plan::{Lie, Plan, Profile, draw};
use crate::sim::run::{Report, run};
use crate::sim::shrink::shrink;
use crate::sim::swarm;
use crate::verdict::Verdict;
use crate::voice::Voice;

/// Runs that shrinking a plan may take.
const SHRINK_RUNS: u32 = 400;

/// `primus-testnet sim`.
#[derive(Debug, Args)]
pub struct Sim {
    /// The seed that the plan is drawn from.
    #[arg(long, default_value_t = 1, conflicts_with = "plan")]
    pub seed: u64,
    /// How long the run is, and how much goes wrong.
    #[arg(long, value_enum, default_value = "short", conflicts_with = "plan")]
    pub profile: Profile,
    /// A plan to carry out instead.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Write the smallest plan that still fails in the same way to this file.
    #[arg(long, value_name = "FILE")]
    pub shrink: Option<PathBuf>,
    /// Print the plan and do nothing.
    #[arg(long)]
    pub show: bool,
}

impl Sim {
    pub(super) fn carry_out(&self, voice: Voice) -> Result<u8, Error> {
        let plan = match &self.plan {
            Some(path) => Plan::read(path)?,
            None => draw(self.seed, self.profile),
        };
        if self.show {
            voice.say("plan", &plan.text(), &plan);
            return Ok(0);
        }
        let report = run(plan.clone())?;
        voice.say("run", &words(&report), &report);
        for violation in &report.violations {
            let words = format!(
                "{} ms, {}: {}",
                violation.at_ms, violation.judge, violation.what
            );
            voice.say("violation", &words, &json!(violation));
        }
        if let (Some(path), Some(found)) = (&self.shrink, report.violations.first()) {
            voice.progress(&format!(
                "looking for the smallest plan, {SHRINK_RUNS} runs at most"
            ));
            shrink(plan, found.judge, SHRINK_RUNS).write(path)?;
            voice.progress(&format!("primus-testnet sim --plan {}", path.display()));
        }
        Ok(Verdict::of_run(report.violations.len(), 0).exit())
    }
}

/// `primus-testnet swarm`.
#[derive(Debug, Args)]
pub struct Swarm {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    pub seeds: u64,
    /// The first seed [default: where the log ends].
    #[arg(long)]
    pub from: Option<u64>,
    /// How long each run is, and how much goes wrong.
    #[arg(long, value_enum, default_value = "short")]
    pub profile: Profile,
    /// How many runs at once.
    #[arg(long, default_value_t = 2)]
    pub jobs: usize,
    /// What was run, one JSON object a line; appended to.
    #[arg(long, value_name = "FILE", default_value = "target/swarm/log.jsonl")]
    pub log: PathBuf,
}

impl Swarm {
    pub(super) fn carry_out(&self, voice: Voice) -> Result<u8, Error> {
        let task = swarm::Task {
            seeds: self.seeds,
            from: match self.from {
                Some(from) => from,
                None => swarm::next_seed(&self.log, self.profile)?,
            },
            profile: self.profile,
            jobs: self.jobs.max(1),
        };
        let found = swarm::run(&task, &self.log, voice)?;
        let untold: Vec<&str> = Lie::NAMES
            .into_iter()
            .filter(|lie| found.lies.get(*lie).is_none_or(|count| *count == 0))
            .collect();
        voice.progress(&format!("lies told: {:?}; never: {untold:?}", found.lies));
        voice.progress(&format!("officials: {:?}", found.officials));
        let words = format!("{} seeds, {} violations", found.seeds, found.violations);
        voice.say("swarm", &words, &found);
        Ok(Verdict::of_run(found.violations, 0).exit())
    }
}

fn words(report: &Report) -> String {
    format!(
        "seed {}: {} peers, {} s of virtual time, {} inputs, height {}, {} of {} transactions final, \
         audit {}, {} violations",
        report.seed,
        report.peers,
        report.virtual_ms / 1_000,
        report.inputs,
        report.height,
        report.settled,
        report.submitted,
        report.audit,
        report.violations.len(),
    )
}
