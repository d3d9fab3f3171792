//! `primus-testnet scale`, `latency`, `scenarios` and `pace`: what large committees cost, how soon anything
//! is final, and how fast it is simulated.

use clap::Args;

use crate::error::Error;
use crate::latency::{self, Distribution};
use crate::pace;
use crate::scale::{Report, Task, run};
use crate::scenarios;
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
         transactions applied by each; a root without payload travels in {} bytes on average, {} at \
         most, instead of {}; {} ms of virtual time in {} s, {} MiB, {}",
        report.replicas,
        report.committee,
        report.rounds,
        report.blocks,
        report.blocks_max,
        report.events,
        report.applied,
        report.sizes.brief,
        report.sizes.brief_max,
        report.sizes.whole,
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

/// `primus-testnet latency`.
#[derive(Debug, Args)]
pub struct Latency {
    /// How many peers, one or more numbers.
    #[arg(long, value_delimiter = ',', default_values_t = [4, 13, 50, 100],
        value_parser = clap::value_parser!(u16).range(1..=999))]
    pub peers: Vec<u16>,
    /// For how many seconds of virtual time payments count.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=20))]
    pub seconds: u64,
}

/// The mean time between two payments, in milliseconds: in a busy network and in an idle one.
const BUSY_MS: u64 = 50;
/// See [`BUSY_MS`].
const IDLE_MS: u64 = 3_000;

impl Latency {
    /// Measures a busy network, an idle one and one of which a third crashes, for each size.
    pub(super) fn carry_out(&self, voice: Voice) -> Result<u8, Error> {
        let mut verdict = Verdict::Agree;
        for peers in self.peers.iter().copied().map(usize::from) {
            // As many as leave a quorum (C3).
            let third = peers.saturating_sub(1) / 3;
            for (crashed, every_ms, seconds) in [
                (0, BUSY_MS, self.seconds),
                (third, BUSY_MS, self.seconds),
                (0, IDLE_MS, 6 * self.seconds),
            ] {
                let report = latency::run(latency::Task {
                    peers,
                    crashed,
                    every_ms,
                    for_ms: 1_000 * seconds,
                })?;
                voice.say("latency", &latency_words(&report), &report);
                verdict = verdict.max(Verdict::of_run(report.violations, report.open));
            }
        }
        Ok(verdict.exit())
    }
}

/// `primus-testnet scenarios`.
#[derive(Debug, Args)]
pub struct Scenarios {
    /// Only those that have this in their names.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub only: String,
}

impl Scenarios {
    pub(super) fn carry_out(&self, voice: Voice) -> Result<u8, Error> {
        let mut verdict = Verdict::Agree;
        let mut all = scenarios::all();
        let names: Vec<_> = all.iter().map(|scenario| scenario.name).collect();
        all.retain(|scenario| scenario.name.contains(&self.only));
        if all.is_empty() {
            return Err(Error::NoScenario {
                wanted: self.only.clone(),
                names: names.join(", "),
            });
        }
        for scenario in all {
            let report = scenario.run()?;
            voice.say("scenario", &scenario_words(&report), &report);
            verdict = verdict.max(Verdict::of_run(report.violations, report.open));
        }
        Ok(verdict.exit())
    }
}

fn scenario_words(report: &scenarios::Report) -> String {
    let mut words = format!(
        "{}, {} peers: {} blocks; leaders' roots {}; payments {}",
        report.name,
        report.peers,
        report.blocks,
        distribution(&report.roots),
        distribution(&report.payments),
    );
    if !report.odd.is_empty() {
        words += &format!(
            "; peers {:?} led {} blocks, payments there {}",
            report.odd,
            report.led_by_odd,
            distribution(&report.payments_at_odd),
        );
    }
    if let Some(ms) = report.recovered_ms {
        words += &format!("; {ms} ms from the first frontier across to a new block everywhere");
    }
    words + &format!("; {} open, {} violations", report.open, report.violations)
}

/// `primus-testnet pace`.
#[derive(Debug, Args)]
pub struct Pace {
    /// How many peers, one or more numbers.
    #[arg(long, value_delimiter = ',', default_values_t = [7, 50],
        value_parser = clap::value_parser!(u16).range(1..=999))]
    pub peers: Vec<u16>,
    /// How many seconds of virtual time.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
}

impl Pace {
    pub(super) fn carry_out(&self, voice: Voice) -> Result<u8, Error> {
        let mut verdict = Verdict::Agree;
        for peers in self.peers.iter().copied().map(usize::from) {
            let report = pace::run(peers, 1_000 * self.seconds)?;
            let times = |wall_ms: u64| report.virtual_ms as f64 / wall_ms.max(1) as f64;
            let mut words = format!(
                "{peers} peers: {} s in {:.1} s, {:.1} times as fast as time, {} blocks",
                self.seconds,
                report.wall_ms as f64 / 1_000.0,
                times(report.wall_ms),
                report.height,
            );
            if let Some(wall_ms) = report.remembering_ms {
                words += &format!("; remembering signatures {:.1} times", times(wall_ms));
            }
            voice.say("pace", &words, &report);
            verdict = verdict.max(Verdict::of_run(report.violations, 0));
        }
        Ok(verdict.exit())
    }
}

fn latency_words(report: &latency::Report) -> String {
    let is_busy = report.every_ms < IDLE_MS;
    let roots = match is_busy {
        true => format!("; leaders' roots {}", distribution(&report.roots)),
        false => String::new(),
    };
    format!(
        "{} peers, {} crashed, {}: payments {}{roots}",
        report.peers,
        report.crashed,
        if is_busy { "busy" } else { "idle" },
        distribution(&report.payments),
    )
}

fn distribution(of: &Distribution) -> String {
    let delays = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
    format!(
        "{} delays on average of {} ({} to {}, half {}, nine tenths {})",
        delays(of.mean),
        of.count,
        delays(of.least),
        delays(of.most),
        delays(of.half),
        delays(of.nine_tenths),
    )
}
