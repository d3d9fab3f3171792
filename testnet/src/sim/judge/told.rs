//! P2, P3, P15: what one peer calls applied no peer calls applied elsewhere or rejected, of two that
//! spend one coin one at most is applied, and both are called official only if somebody forked (C25).
//!
//! A copy that a wallet hands in again after the first is applied ends as a duplicate of itself; what
//! is told of it says nothing of the first. Nor does what is called official once one of the two is applied,
//! which the host of such a copy may do and crash before it tells the end.

use std::collections::BTreeMap;

use ledger::Outcome;
use ledger::outcome::Reason;
use ledger::rows::Place;
use primitives::store::{Store, Table};
use primitives::units::{Epoch, Height, Seq};
use primitives::{Digest, codec};
use wallet_proto::reply::Stage;

use super::equivocation::own_events;
use super::{Cluster, Judge, Seen, Sight, new_heights};
use crate::sim::clock::Moment;
use crate::sim::wallets::Submission;

/// Looks at everything that wallets were told.
#[derive(Debug, Default)]
pub struct Told {
    /// What each peer first showed of each of its places.
    shown: BTreeMap<(usize, Epoch, Seq), Digest>,
    /// Whether a peer whose disk forgets showed another event of such a place. Where all that had the first
    /// one were killed before they wrote it down, no evidence of that is left.
    is_forked: bool,
    /// When some process first held each block.
    settled: BTreeMap<Height, Moment>,
}

impl Judge for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn see(&mut self, seen: &Seen<'_>) -> Option<String> {
        match seen.sight {
            Sight::Left(effect) => {
                for parcel in own_events(seen, effect) {
                    let (header, id) = (parcel.signed.header(), *parcel.signed.id());
                    let place = (seen.peer, header.epoch, header.seq);
                    self.is_forked |= *self.shown.entry(place).or_insert(id) != id;
                }
            }
            Sight::Handled { replica, .. } => {
                for height in new_heights(replica, |height| self.settled.contains_key(&height)) {
                    self.settled.insert(height, seen.at);
                }
            }
            Sight::Started(_) | Sight::Killed => {}
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
            let Some(rival) = submission.rival.map(|rival| &submissions[rival]) else {
                continue;
            };
            if is_applied(submission) && is_applied(rival) {
                found.push(format!("{number} and its rival are both applied"));
            }
            let decided = self
                .decided(submission, cluster)
                .min(self.decided(rival, cluster));
            let is_official = |one| is_official(one, decided);
            if is_official(submission) && is_official(rival) && !is_forked {
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
}

fn is_official(submission: &Submission, decided: Moment) -> bool {
    let told = &submission.told;
    let is_of_copy = |of: &usize| {
        let mut ends = told.iter().filter(|(_, process, _)| process == of);
        ends.any(|(_, _, stage)| is_duplicate(stage))
    };
    told.iter().any(|(at, process, stage)| {
        *stage == Stage::Official && *at < decided && !is_of_copy(process)
    })
}
