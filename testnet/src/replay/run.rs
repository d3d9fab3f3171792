//! Carries a plan out: submits every payment, follows it to final, and submits anew whatever came
//! before its parents.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ledger::{Outcome, Reason};
use primitives::Digest;
use serde::Serialize;
use wallet_proto::reply::{Stage, Step};
use wallet_proto::request::Report;

use super::plan::Planned;
use crate::error::Error;
use crate::session::{Session, batches, bytes};
use crate::submit::{News, Submitter, may_pass, outcomes, percentile};

/// Payments of one request: enough requests that every peer of a large network has some.
const BATCH: usize = 128;
/// How long what was not taken waits before it is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// How long nothing may become final before the replay gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often one payment is submitted before the replay gives up.
const ATTEMPTS_MAX: u32 = 200;

/// How far a replay has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Payments that are final and applied.
    pub applied: usize,
    /// All payments.
    pub payments: usize,
    /// Payments submitted anew so far.
    pub resubmitted: u64,
}

/// What a replay measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// Payments, each final and applied.
    pub payments: usize,
    /// Submissions beyond the first of each.
    pub resubmitted: u64,
    /// From the first submission to the last finality.
    pub seconds: f64,
    /// Payments over seconds.
    pub per_second: f64,
    /// Half of the payments were final within this many milliseconds of their first submission.
    pub p50_ms: u128,
    /// 99 of 100 were.
    pub p99_ms: u128,
}

/// Submits `planned` over `sessions` and returns when all are final and applied.
///
/// # Errors
/// [`Error::Unplaced`] for a payment that is refused or rejected for good; [`Error::TimedOut`] when
/// nothing becomes final for a minute.
pub async fn run(
    planned: &[Planned],
    sessions: &[Session],
    mut report: impl FnMut(Progress),
) -> Result<Replayed, Error> {
    let mut driver = Driver::new(planned, sessions)?;
    driver.waiting.extend(0..planned.len());
    // At first everything goes out, children too: peers must cope with any order.
    driver.submit(planned, |_, _| true)?;
    let mut retry_at = Instant::now() + RETRY;
    while driver.applied < planned.len() {
        if let Some(note) = driver.submitter.note(RETRY).await {
            let before = driver.applied;
            driver.hear(planned, note.batch, note.at, note.news)?;
            if driver.applied > before {
                report(driver.progress());
            }
        }
        if Instant::now() >= retry_at {
            driver.submit(planned, Driver::is_ready)?;
            retry_at = Instant::now() + RETRY;
        }
        if driver.newest.elapsed() > PATIENCE {
            return Err(driver.timed_out());
        }
    }
    Ok(driver.measured())
}

/// Checks that every one of `sessions` reports every payment as final and applied.
///
/// # Errors
/// [`Error::Unplaced`] naming the payment and the peer's answer; as [`outcomes`].
pub async fn check_everywhere(planned: &[Planned], sessions: &[Session]) -> Result<(), Error> {
    let ids: Vec<Digest> = planned.iter().map(|one| one.id).collect();
    for session in sessions {
        let stages = outcomes(session, &ids).await?;
        for (stage, id) in stages.iter().zip(&ids) {
            if !is_applied(stage) {
                return Err(Error::Unplaced {
                    id: *id,
                    reason: format!("{} says {stage:?}", session.name()),
                });
            }
        }
    }
    Ok(())
}

struct Driver {
    submitter: Submitter,
    bytes: Vec<Vec<u8>>,
    /// Positions of the payments of each batch.
    batches: Vec<Vec<usize>>,
    state: Vec<State>,
    /// Positions that are under way with no peer.
    waiting: BTreeSet<usize>,
    applied: usize,
    resubmitted: u64,
    last_refusal: String,
    start: Instant,
    newest: Instant,
}

/// What is known of one payment.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    attempts: u32,
    /// The newest batch that it is part of.
    batch: usize,
    first: Option<Instant>,
    applied: Option<Instant>,
}

impl Driver {
    fn new(planned: &[Planned], sessions: &[Session]) -> Result<Self, Error> {
        let bytes: Result<_, Error> = planned.iter().map(|one| bytes(&one.transaction)).collect();
        Ok(Self {
            submitter: Submitter::new(sessions.to_vec(), Report::Final),
            bytes: bytes?,
            batches: Vec::new(),
            state: vec![State::default(); planned.len()],
            waiting: BTreeSet::new(),
            applied: 0,
            resubmitted: 0,
            last_refusal: "nothing refused".into(),
            start: Instant::now(),
            newest: Instant::now(),
        })
    }

    /// Whether all parents of a payment are applied.
    fn is_ready(&self, planned: &Planned) -> bool {
        let mut parents = planned.parents.iter();
        parents.all(|parent| self.state[*parent].applied.is_some())
    }

    fn submit(
        &mut self,
        planned: &[Planned],
        choose: impl Fn(&Self, &Planned) -> bool,
    ) -> Result<(), Error> {
        let waiting = self.waiting.iter().copied();
        let ready: Vec<usize> = waiting.filter(|one| choose(self, &planned[*one])).collect();
        let sizes: Vec<usize> = ready.iter().map(|one| self.bytes[*one].len()).collect();
        for range in batches(&sizes, BATCH) {
            let positions = ready[range].to_vec();
            let number = self.batches.len();
            for position in &positions {
                self.waiting.remove(position);
                let state = &mut self.state[*position];
                state.batch = number;
                state.attempts += 1;
                self.resubmitted += u64::from(state.attempts > 1);
                state.first.get_or_insert_with(Instant::now);
                if state.attempts > ATTEMPTS_MAX {
                    return Err(Error::Unplaced {
                        id: planned[*position].id,
                        reason: self.last_refusal.clone(),
                    });
                }
            }
            let bytes = positions.iter().map(|one| self.bytes[*one].clone());
            self.submitter.submit(number, bytes.collect());
            self.batches.push(positions);
        }
        Ok(())
    }

    fn hear(
        &mut self,
        planned: &[Planned],
        batch: usize,
        at: Instant,
        news: News,
    ) -> Result<(), Error> {
        match news {
            News::Steps(steps) => steps
                .into_iter()
                .try_for_each(|step| self.step(planned, batch, at, step)),
            News::Ended(failure) => {
                if let Some(failure) = failure {
                    self.last_refusal = failure.to_string();
                }
                // What the peer has not answered for is tried with another.
                let positions = &self.batches[batch];
                let left = positions.iter().filter(|position| {
                    let state = self.state[**position];
                    state.batch == batch && state.applied.is_none()
                });
                self.waiting.extend(left);
                Ok(())
            }
        }
    }

    fn step(
        &mut self,
        planned: &[Planned],
        batch: usize,
        at: Instant,
        step: Step,
    ) -> Result<(), Error> {
        let Some(position) = self.batches[batch].get(usize::from(step.position)).copied() else {
            return Ok(());
        };
        if is_applied(&step.stage) {
            let state = &mut self.state[position];
            if state.applied.is_none() {
                state.applied = Some(at);
                self.applied += 1;
                self.newest = at;
                self.waiting.remove(&position);
            }
            return Ok(());
        }
        let Some((reason, for_good)) = unapplied(&step.stage) else {
            return Ok(());
        };
        if for_good {
            let id = planned[position].id;
            return Err(Error::Unplaced { id, reason });
        }
        self.last_refusal = reason;
        if self.state[position].applied.is_none() {
            self.waiting.insert(position);
        }
        Ok(())
    }

    const fn progress(&self) -> Progress {
        Progress {
            applied: self.applied,
            payments: self.state.len(),
            resubmitted: self.resubmitted,
        }
    }

    fn timed_out(&self) -> Error {
        Error::TimedOut {
            awaited: format!("{} payments to be final", self.state.len()),
            after: PATIENCE,
            found: format!(
                "{} final and {} to be submitted anew ({})",
                self.applied,
                self.waiting.len(),
                self.last_refusal
            ),
        }
    }

    fn measured(&self) -> Replayed {
        let elapsed = self.newest.duration_since(self.start).as_secs_f64();
        let times = self.state.iter().filter_map(|state| {
            let first = state.first?;
            Some(state.applied?.duration_since(first))
        });
        let mut latencies: Vec<Duration> = times.collect();
        latencies.sort_unstable();
        let payments = self.state.len();
        Replayed {
            payments,
            resubmitted: self.resubmitted,
            seconds: elapsed,
            per_second: u32::try_from(payments).map_or(f64::MAX, f64::from) / elapsed,
            p50_ms: percentile(&latencies, 50).as_millis(),
            p99_ms: percentile(&latencies, 99).as_millis(),
        }
    }
}

/// Applied in this submission or in an earlier one.
fn is_applied(stage: &Stage) -> bool {
    match stage {
        Stage::Final { outcome, .. } => match outcome {
            Outcome::Applied => true,
            Outcome::Rejected { reason, .. } => *reason == Reason::Duplicate,
        },
        Stage::Refused { .. }
        | Stage::Seen
        | Stage::Endorsed
        | Stage::Official
        | Stage::Proven { .. } => false,
    }
}

/// Why a payment was not applied, and whether it never will be; none while it is under way.
fn unapplied(stage: &Stage) -> Option<(String, bool)> {
    match stage {
        Stage::Refused { refusal } => Some((refusal.to_string(), !may_pass(refusal))),
        Stage::Final { outcome, .. } => match outcome {
            Outcome::Applied => None,
            Outcome::Rejected { reason, .. } => {
                let early = matches!(reason, Reason::MissingInput { .. });
                Some((outcome.to_string(), !early))
            }
        },
        Stage::Seen | Stage::Endorsed | Stage::Official | Stage::Proven { .. } => None,
    }
}

#[cfg(test)]
mod tests;
