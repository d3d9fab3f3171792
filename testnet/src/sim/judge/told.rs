//! P2, P3, P15: what one peer calls applied no peer calls applied elsewhere or rejected, of two that
//! spend one coin one at most is applied, and both are called official in one epoch only if
//! somebody forked (C25).
//!
//! A copy that a wallet hands in again after the first is applied ends as a duplicate of itself; what
//! is told of it says nothing of the first. Nor does what is called official once one of the two is applied,
//! which the host of such a copy may do and crash before it tells the end.

use std::collections::{BTreeMap, BTreeSet};

use ledger::Outcome;
use ledger::outcome::Reason;
use ledger::rows::Place;
use primitives::store::{Store, Table};
use primitives::units::{Epoch, Height, Seq};
use primitives::{Digest, codec};
use replica::Effect;
use wallet_proto::reply::{Reply, Stage};

use super::equivocation::own_events;
use super::{Cluster, Judge, Seen, Sight, new_heights};
use crate::sim::clock::Moment;
use crate::sim::wallets::Submission;

/// Looks at everything that wallets were told.
#[derive(Debug, Default)]
pub struct Told {
    /// What each peer first showed of each of its places.
    shown: BTreeMap<(usize, Epoch, Seq), Digest>,
    /// Whether somebody was accused, or a peer whose disk forgets showed another event of such a place: where
    /// all that had the first one were killed before they wrote it down, no evidence of that is left.
    is_forked: bool,
    /// When some process first held each block.
    settled: BTreeMap<Height, Moment>,
    /// The epoch that each process was in when it last handled something.
    epochs: BTreeMap<usize, Epoch>,
    /// In which epochs each process called each submission official.
    officials: BTreeMap<(u64, usize), BTreeSet<Epoch>>,
}

impl Judge for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn see(&mut self, seen: &Seen<'_>) -> Option<String> {
        match seen.sight {
            Sight::Left(effect) => {
                for shown in own_events(seen, effect) {
                    let place = (seen.peer, shown.epoch, shown.seq);
                    self.is_forked |= *self.shown.entry(place).or_insert(shown.id) != shown.id;
                }
            }
            Sight::Handled { replica, effects } => {
                let mut accused = effects.iter();
                self.is_forked |= accused.any(|effect| matches!(effect, Effect::Accuse(_)));
                // What is told by an input that ends an epoch is told of that epoch.
                let epoch = replica.committee().epoch();
                let before = self.epochs.insert(seen.process, epoch).unwrap_or(epoch);
                for number in effects.iter().filter_map(told_official) {
                    let place = (number, seen.process);
                    self.officials.entry(place).or_default().insert(before);
                }
                for height in new_heights(replica, |height| self.settled.contains_key(&height)) {
                    self.settled.insert(height, seen.at);
                }
            }
            Sight::Started(replica) => {
                let epoch = replica.committee().epoch();
                self.epochs.insert(seen.process, epoch);
            }
            Sight::Killed => {}
        }
        None
    }

    fn end(&mut self, cluster: &Cluster) -> Vec<String> {
        let submissions = cluster.wallets().submissions();
        let is_forked = self.is_forked
            || cluster
                .honest()
                .any(|(_, _, replica, _)| replica.dag().forkers().next().is_some());
        let mut found = Vec::new();
        for (number, submission) in submissions.iter().enumerate() {
            found.extend(contradiction(submission).map(|what| format!("of {number}: {what}")));
            let Some(other) = submission.rival else {
                continue;
            };
            let rival = &submissions[other];
            if is_applied(submission) && is_applied(rival) {
                found.push(format!("{number} and its rival are both applied"));
            }
            let decided = self
                .decided(submission, cluster)
                .min(self.decided(rival, cluster));
            let official = |number: usize| self.official(number, &submissions[number], decided);
            if !official(number).is_disjoint(&official(other)) && !is_forked {
                let (one, other) = (&submission.told, &rival.told);
                found.push(format!(
                    "{number} and its rival are both official: {one:?}, {other:?}"
                ));
            }
        }
        found
    }
}

/// Two ways in which one transaction became final. A rejected one may be ordered and rejected again.
fn contradiction(submission: &Submission) -> Option<String> {
    let ends = submission.told.iter().filter_map(|(_, process, stage)| {
        let is_final = matches!(stage, Stage::Final { .. }) && !is_duplicate(stage);
        is_final.then_some((process, stage))
    });
    let (applied, rejected): (Vec<_>, Vec<_>) =
        ends.partition(|(_, stage)| is_applied_stage(stage));
    let (first, stage) = applied.first()?;
    let differs = |(_, other): &&(&usize, &Stage)| other != stage;
    let (second, other) = applied.iter().chain(&rejected).find(differs)?;
    Some(format!(
        "process {first} tells {stage:?}, process {second} {other:?}"
    ))
}

const fn is_applied_stage(stage: &Stage) -> bool {
    matches!(
        stage,
        Stage::Final {
            outcome: Outcome::Applied,
            ..
        }
    )
}

const fn is_duplicate(stage: &Stage) -> bool {
    matches!(
        stage,
        Stage::Final {
            outcome: Outcome::Rejected {
                reason: Reason::Duplicate,
                ..
            },
            ..
        }
    )
}

fn is_applied(submission: &Submission) -> bool {
    let mut stages = submission.told.iter().map(|(_, _, stage)| stage);
    stages.any(is_applied_stage)
}

impl Told {
    /// When some process first held a block that applies it, or somebody was first told how it ended.
    fn decided(&self, submission: &Submission, cluster: &Cluster) -> Moment {
        let id = submission.transaction.id();
        let applied = cluster.honest().find_map(|(_, _, _, disk)| {
            let place = disk.get(Table::TransactionIndex, &id.0).ok()??;
            codec::decode::<Place>(&place).ok()
        });
        let applied = applied.and_then(|place| self.settled.get(&place.height));
        let ends = submission.told.iter();
        let ends = ends.filter(|(_, _, stage)| matches!(stage, Stage::Final { .. }));
        let told = ends.map(|(at, _, _)| at);
        told.chain(applied)
            .min()
            .copied()
            .unwrap_or(Moment(u64::MAX))
    }

    /// In which epochs a submission was called official before it was decided.
    fn official(&self, number: usize, submission: &Submission, decided: Moment) -> BTreeSet<Epoch> {
        let told = &submission.told;
        let is_of_copy = |of: &usize| {
            let mut ends = told.iter().filter(|(_, process, _)| process == of);
            ends.any(|(_, _, stage)| is_duplicate(stage))
        };
        let official = told.iter().filter(|(at, process, stage)| {
            *stage == Stage::Official && *at < decided && !is_of_copy(process)
        });
        official
            .filter_map(|(_, process, _)| self.officials.get(&(number as u64, *process)))
            .flatten()
            .copied()
            .collect()
    }
}

/// The submission that an effect calls official, if it does.
fn told_official(effect: &Effect) -> Option<u64> {
    let Effect::Reply { ticket, reply, .. } = effect else {
        return None;
    };
    let Reply::Progress(steps) = reply else {
        return None;
    };
    let mut stages = steps.iter().map(|step| &step.stage);
    stages
        .any(|stage| *stage == Stage::Official)
        .then_some(ticket.session)
}
