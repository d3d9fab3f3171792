//! P2, P3, P15: what one peer calls final all call final alike, of two that spend one coin one at
//! most is applied, and both are called official only if somebody forked (C25).

use ledger::Outcome;
use wallet_proto::reply::Stage;

use super::{Cluster, Judge, Seen};
use crate::sim::wallets::Submission;

/// Looks at everything that wallets were told.
#[derive(Debug)]
pub struct Told;

impl Judge for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn see(&mut self, _seen: &Seen<'_>) -> Option<String> {
        None
    }

    fn end(&mut self, cluster: &Cluster) -> Vec<String> {
        let submissions = cluster.wallets().submissions();
        let is_forked = cluster
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

/// Two ways in which one transaction became final.
fn contradiction(submission: &Submission) -> Option<String> {
    let mut ends = submission.told.iter().filter_map(|(_, process, stage)| {
        let is_final = matches!(stage, Stage::Final { .. });
        is_final.then_some((process, stage))
    });
    let (first, stage) = ends.next()?;
    let (second, other) = ends.find(|(_, other)| *other != stage)?;
    Some(format!(
        "process {first} tells {stage:?}, process {second} {other:?}"
    ))
}

fn is_applied(submission: &Submission) -> bool {
    matches!(submission.outcome(), Some((_, Outcome::Applied)))
}

fn is_official(submission: &Submission) -> bool {
    let mut stages = submission.told.iter().map(|(_, _, stage)| stage);
    stages.any(|stage| matches!(stage, Stage::Official))
}
