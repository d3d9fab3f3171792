//! A steady stream of transactions, and what the network made of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ledger::Outcome;
use ledger::tx::draft::Coin;
use ledger::tx::{Body, Transaction};
use serde::Serialize;
use wallet_proto::reply::Stage;
use wallet_proto::request::Report;

use crate::error::Error;
use crate::purse::Purse;
use crate::session::{Session, batches, bytes};
use crate::submit::{News, Note, Submitter, percentile};

/// How often a batch goes out. Each goes to the next session.
const TICK: Duration = Duration::from_millis(50);
/// Transactions of one request at most.
const BATCH: usize = 1_024;
/// How long the last transactions may take to become final.
const DRAIN: Duration = Duration::from_secs(60);

/// What kind of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Opaque bytes that spend nothing.
    Data,
    /// Payments, each with a coin of its own.
    Pay,
}

/// How much load, of what kind, for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Load {
    /// Transactions a second.
    pub rate: u32,
    /// What kind.
    pub kind: Kind,
    /// For how long.
    pub seconds: u32,
    /// Bytes of each, for data.
    pub size: usize,
}

/// What became of a load. Every transaction submitted is counted in exactly one of the last four.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// The load.
    pub load: Load,
    /// Transactions submitted.
    pub submitted: usize,
    /// Transactions that were due but had no coin to spend.
    pub skipped: usize,
    /// From the first submission to the last finality.
    pub seconds: f64,
    /// Applied transactions over seconds.
    pub per_second: f64,
    /// Half were final within this many milliseconds of their submission.
    pub p50_ms: u128,
    /// 99 of 100 were.
    pub p99_ms: u128,
    /// Final and applied.
    pub applied: usize,
    /// Final and rejected.
    pub rejected: usize,
    /// Not taken by the peer.
    pub refused: usize,
    /// Not final when the load gave up waiting.
    pub unfinished: usize,
}

/// Puts `load` on `sessions` in turn, with the coins of `purse`, and measures.
///
/// # Errors
/// [`Error::Unit`] for data above its limit; what fails at a peer is counted, not returned.
pub async fn run(load: Load, sessions: &[Session], purse: &mut Purse) -> Result<Measured, Error> {
    let mut generator = Generator {
        load,
        purse,
        submitter: Submitter::new(sessions.to_vec(), Report::Final),
        batches: BTreeMap::new(),
        count: 0,
        nonce: nonce(),
        tally: Tally::default(),
    };
    let start = Instant::now();
    let end = start + Duration::from_secs(load.seconds.into());
    let mut tick_at = start;
    while Instant::now() < end {
        generator.send_due(start.elapsed())?;
        tick_at += TICK;
        generator.listen(tick_at).await;
    }
    let drained = Instant::now() + DRAIN;
    while generator.tally.open > 0 && Instant::now() < drained {
        generator.listen(Instant::now() + TICK).await;
    }
    Ok(generator.tally.measured(load, start))
}

struct Generator<'a> {
    load: Load,
    purse: &'a mut Purse,
    submitter: Submitter,
    batches: BTreeMap<usize, Vec<Open>>,
    count: usize,
    nonce: u64,
    tally: Tally,
}

/// The coin that a payment spends, back when it is refused; and the one it makes, there when it is
/// applied.
#[derive(Debug, Clone, Copy)]
struct Coins {
    spent: Coin,
    made: Coin,
}

/// One transaction under way.
#[derive(Debug, Clone, Copy)]
struct Open {
    since: Instant,
    coins: Option<Coins>,
    ended: bool,
}

#[derive(Debug, Default)]
struct Tally {
    submitted: usize,
    skipped: usize,
    applied: usize,
    rejected: usize,
    refused: usize,
    open: usize,
    latencies: Vec<Duration>,
    newest: Option<Instant>,
}

impl Generator<'_> {
    /// Submits what is due after `elapsed` and has not gone out.
    fn send_due(&mut self, elapsed: Duration) -> Result<(), Error> {
        let due = u128::from(self.load.rate) * elapsed.as_millis() / 1_000;
        let gone = self.tally.submitted + self.tally.skipped;
        let due = usize::try_from(due)
            .unwrap_or(usize::MAX)
            .saturating_sub(gone);
        let (mut transactions, mut open) = (Vec::new(), Vec::new());
        for _ in 0..due {
            let Some((transaction, coins)) = self.make()? else {
                self.tally.skipped += 1;
                continue;
            };
            transactions.push(bytes(&transaction)?);
            open.push(Open {
                since: Instant::now(),
                coins,
                ended: false,
            });
        }
        let sizes: Vec<usize> = transactions.iter().map(Vec::len).collect();
        self.tally.submitted += transactions.len();
        self.tally.open += transactions.len();
        for range in batches(&sizes, BATCH) {
            self.submitter
                .submit(self.count, transactions[range.clone()].to_vec());
            self.batches.insert(self.count, open[range].to_vec());
            self.count += 1;
        }
        Ok(())
    }

    /// The next transaction, none without a coin for it.
    fn make(&mut self) -> Result<Option<(Transaction, Option<Coins>)>, Error> {
        match self.load.kind {
            Kind::Data => {
                self.nonce += 1;
                let body = Body::data(self.nonce, vec![0x5a; self.load.size])?;
                Ok(Some((Transaction::unsigned(body), None)))
            }
            Kind::Pay => {
                let Ok(coin) = self.purse.take() else {
                    return Ok(None);
                };
                let signed = self.purse.turn(coin)?;
                let coins = Coins {
                    spent: coin,
                    made: signed.change,
                };
                Ok(Some((signed.transaction, Some(coins))))
            }
        }
    }

    /// Takes in what is heard until `end`.
    async fn listen(&mut self, end: Instant) {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.submitter.note(left).await {
                Some(note) => self.hear(note),
                None => return,
            }
            // News that never pauses must not keep the next batch from going out.
            if left.is_zero() {
                return;
            }
        }
    }

    fn hear(&mut self, note: Note) {
        let Some(open) = self.batches.get_mut(&note.batch) else {
            return;
        };
        match note.news {
            News::Steps(steps) => {
                for step in steps {
                    let Some(one) = open.get_mut(usize::from(step.position)) else {
                        continue;
                    };
                    if one.ended {
                        continue;
                    }
                    let back = self.tally.count(one, &step.stage, note.at);
                    back.into_iter().for_each(|coin| self.purse.put(coin));
                }
            }
            News::Ended(_) => {
                self.tally.drop_open(open);
                self.batches.remove(&note.batch);
            }
        }
    }
}

impl Tally {
    /// Counts a stage and gives back the coin that the purse has from then on.
    fn count(&mut self, open: &mut Open, stage: &Stage, at: Instant) -> Option<Coin> {
        let (counter, coin) = match stage {
            Stage::Final { outcome, .. } => match outcome {
                Outcome::Applied => {
                    self.latencies
                        .push(at.saturating_duration_since(open.since));
                    self.newest = self.newest.max(Some(at));
                    (&mut self.applied, open.coins.map(|coins| coins.made))
                }
                // Its coin is gone: somebody else has spent it.
                Outcome::Rejected { .. } => (&mut self.rejected, None),
            },
            Stage::Refused { .. } => (&mut self.refused, open.coins.map(|coins| coins.spent)),
            Stage::Seen | Stage::Endorsed | Stage::Official | Stage::Proven { .. } => return None,
        };
        *counter += 1;
        self.open -= 1;
        open.ended = true;
        coin
    }

    /// Gives up waiting for what a batch left open; it stays unfinished.
    fn drop_open(&mut self, batch: &[Open]) {
        self.open -= batch.iter().filter(|one| !one.ended).count();
    }

    fn measured(mut self, load: Load, start: Instant) -> Measured {
        self.latencies.sort_unstable();
        let seconds = self
            .newest
            .map_or(0.0, |newest| newest.duration_since(start).as_secs_f64());
        let applied = u32::try_from(self.applied).map_or(f64::MAX, f64::from);
        Measured {
            load,
            submitted: self.submitted,
            skipped: self.skipped,
            seconds,
            per_second: if seconds > 0.0 {
                applied / seconds
            } else {
                0.0
            },
            p50_ms: percentile(&self.latencies, 50).as_millis(),
            p99_ms: percentile(&self.latencies, 99).as_millis(),
            applied: self.applied,
            rejected: self.rejected,
            refused: self.refused,
            unfinished: self.submitted - self.applied - self.rejected - self.refused,
        }
    }
}

/// A start for nonces that another run does not repeat: equal data would be the same transaction.
fn nonce() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanoseconds = since.map_or(0, |since| since.as_nanos());
    u64::try_from(nanoseconds).unwrap_or_default()
}

#[cfg(test)]
mod tests;
