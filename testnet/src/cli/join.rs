//! `primus-testnet join`: how a new peer comes in.

use clap::Args;
use node::store::Kind;

use super::{Context, kind};
use crate::error::Error;
use crate::join::{Options, Report, run};
use crate::network::Epochs;

/// `primus-testnet join`.
#[derive(Debug, Args)]
pub struct Join {
    /// Payments before the peer comes in.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub transactions: u32,
    /// Payments a second.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
    /// Blocks of an epoch.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u64).range(1..))]
    pub period: u64,
    /// The backend of the peers' stores: rocksdb or redb, as far as the node has it.
    #[arg(long, default_value = "redb", value_parser = kind)]
    pub store: Kind,
}

impl Context {
    pub(super) async fn join(&self, arguments: &Join) -> Result<u8, Error> {
        let options = Options {
            folder: self.folder.clone(),
            node: self.node()?,
            store: arguments.store,
            transactions: arguments.transactions,
            rate: arguments.rate,
            epochs: Epochs {
                lag: arguments.period.div_ceil(4),
                period: arguments.period,
            },
        };
        let report = run(&options, self.voice).await?;
        self.voice.say("joined", &words(&report), &report);
        let [first, second] = &report.judgements;
        Ok(first.verdict.max(second.verdict).exit())
    }
}

fn words(report: &Report) -> String {
    let Report {
        transactions,
        blocks,
        joined,
        by_snapshot_ms,
        by_events_ms,
        judgements: [first, second],
    } = report;
    format!(
        "after {transactions} payments in {blocks} blocks a new peer loads {} rows, {} bytes, in {} ms, has \
         checked them after {} ms and is level after {by_snapshot_ms} ms; by every event it is after \
         {by_events_ms} ms, {:.1} times as long; verdicts {} and {}",
        joined.snapshot.rows,
        joined.snapshot.bytes,
        joined.loaded_ms,
        joined.took_ms,
        *by_events_ms as f64 / (*by_snapshot_ms).max(1) as f64,
        first.verdict,
        second.verdict,
    )
}
