//! `primus-testnet play`: a plan carried out by real processes.

use std::path::PathBuf;

use clap::Args;
use node::store::Kind;

use super::{Context, kind};
use crate::error::Error;
use crate::play::{Options, Report, kills, run};
use crate::sim::plan::Plan;

/// `primus-testnet play`.
#[derive(Debug, Args)]
pub struct Play {
    /// A plan, as `sim --plan` takes it.
    #[arg(value_name = "PLAN", required_unless_present = "kills")]
    pub plan: Option<PathBuf>,
    /// Instead of a plan: kill peers this often at random moments, under load.
    #[arg(long, conflicts_with = "plan")]
    pub kills: Option<u16>,
    /// How many peers are killed.
    #[arg(long, default_value_t = 4, requires = "kills",
        value_parser = clap::value_parser!(u16).range(1..=100))]
    pub peers: u16,
    /// What the moments are drawn from.
    #[arg(long, default_value_t = 1, requires = "kills")]
    pub seed: u64,
    /// The backend of the peers' stores: rocksdb or redb, as far as the node has it.
    #[arg(long, default_value = "redb", value_parser = kind)]
    pub store: Kind,
}

impl Context {
    pub(super) async fn play(&self, play: &Play) -> Result<u8, Error> {
        let plan = match (&play.plan, play.kills) {
            (Some(path), _) => Plan::read(path)?,
            (None, count) => kills(
                play.seed,
                play.peers.into(),
                count.unwrap_or_default().into(),
            ),
        };
        let options = Options {
            folder: self.folder.clone(),
            node: self.node()?,
            store: play.store,
            plan,
        };
        let report = run(&options, self.voice).await?;
        for violation in &report.violations {
            self.voice.say("violation", violation, violation);
        }
        self.voice.say("played", &words(&report), &report);
        Ok(report.verdict().exit())
    }
}

fn words(report: &Report) -> String {
    let halts: Vec<String> = report
        .without_quorum
        .iter()
        .map(|halt| {
            let seconds = (halt.to_ms - halt.from_ms) / 1_000;
            format!("\n  no quorum for {seconds} s: {} blocks", halt.blocks)
        })
        .collect();
    format!(
        "verdict {}: {} peers for {:.0} s, {} kills; {} transactions, {} applied, {} rejected, {} open, \
         p50 {} ms, p99 {} ms, all final {:.1} s after everything healed; block {}, {} \
         equivocations, {} violations{}{}",
        report.verdict(),
        report.peers,
        report.seconds,
        report.kills,
        report.submitted,
        report.applied,
        report.rejected,
        report.open,
        report.p50_ms,
        report.p99_ms,
        report.healed_after_seconds,
        report.judgement.height,
        report.equivocations,
        report.violations.len(),
        report
            .judgement
            .reason
            .as_ref()
            .map_or_else(String::new, |reason| format!("\n  {reason}")),
        halts.concat(),
    )
}
