//! Two payments with one coin, handed to two peers at once: exactly one is final everywhere, and the
//! loser is told which won.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ledger::Outcome;
use primitives::Digest;
use primitives::keys::Signer;
use primitives::units::Amount;
use serde::Serialize;
use wallet_proto::reply::{Refusal, Stage};
use wallet_proto::request::Report;

use crate::error::Error;
use crate::purse::{Purse, Signed, wallet_key};
use crate::session::{Session, bytes};
use crate::submit::{News, Submitter, outcomes};

/// Pairs under way at once.
const TOGETHER: usize = 16;
/// How long nothing may be heard of the pairs under way.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of the pairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoubleSpends {
    /// Pairs tried; exactly one of each is final and applied.
    pub pairs: usize,
    /// Losers that are in a block as rejected, naming the winner.
    pub rejected: usize,
    /// Losers that a peer refused to take, naming the winner.
    pub refused: usize,
}

/// One payment of a pair and what is known of it.
#[derive(Debug, Clone)]
struct Rival {
    signed: Signed,
    end: Option<End>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Ordered(Outcome),
    Refused(Refusal),
}

/// Spends `repeat` coins of `purse` twice each, at two of `sessions` at once, and judges.
///
/// # Errors
/// [`Error::DoubleSpend`] naming the first pair of which not exactly one is applied, at whichever
/// peer, or whose loser was not told the winner; [`Error::PurseEmpty`]; [`Error::TimedOut`].
pub async fn run(
    repeat: usize,
    sessions: &[Session],
    purse: &mut Purse,
    mut report: impl FnMut(usize),
) -> Result<DoubleSpends, Error> {
    let mut submitter = Submitter::new(sessions.to_vec(), Report::Final);
    let mut rivals: Vec<Rival> = Vec::with_capacity(2 * repeat);
    let mut open = 0;
    let mut newest = Instant::now();
    while rivals.len() < 2 * repeat || open > 0 {
        while rivals.len() < 2 * repeat && open < 2 * TOGETHER {
            for signed in conflict(purse)? {
                let batch = rivals.len();
                // The two go to neighbours, which move on with every pair.
                let bytes = vec![bytes(&signed.transaction)?];
                submitter.submit_to(batch / 2 + batch % 2, batch, bytes);
                rivals.push(Rival { signed, end: None });
                open += 1;
            }
        }
        if let Some(note) = submitter.note(PATIENCE).await {
            newest = note.at.max(newest);
            let rival = &mut rivals[note.batch];
            match note.news {
                News::Steps(steps) => {
                    let end = steps.into_iter().find_map(|step| ended(step.stage));
                    rival.end = rival.end.take().or(end);
                }
                News::Ended(None) => open -= 1,
                News::Ended(Some(error)) => return Err(error),
            }
        } else if newest.elapsed() > PATIENCE {
            return Err(Error::TimedOut {
                awaited: "an end of both payments of every pair".into(),
                after: PATIENCE,
                found: format!("{open} of {} payments open", rivals.len()),
            });
        }
        report((rivals.len() - open) / 2);
    }
    let found = judge(&rivals)?;
    for pair in rivals.chunks(2) {
        if let Some(winner) = pair.iter().find(|rival| applied(rival)) {
            purse.put(winner.signed.change);
        }
    }
    check_everywhere(&rivals, sessions).await?;
    Ok(found)
}

fn conflict(purse: &mut Purse) -> Result<[Signed; 2], Error> {
    let coin = purse.take()?;
    let amount = Amount::new(coin.output.amount.get() / 2);
    let to = |name| wallet_key(name).public();
    Ok([
        purse.spend(coin, to("first rival"), amount)?,
        purse.spend(coin, to("second rival"), amount)?,
    ])
}

fn ended(stage: Stage) -> Option<End> {
    match stage {
        Stage::Final { outcome, .. } => Some(End::Ordered(outcome)),
        Stage::Refused { refusal } => Some(End::Refused(refusal)),
        Stage::Seen | Stage::Endorsed | Stage::Official | Stage::Proven { .. } => None,
    }
}

fn applied(rival: &Rival) -> bool {
    rival.end == Some(End::Ordered(Outcome::Applied))
}

fn judge(rivals: &[Rival]) -> Result<DoubleSpends, Error> {
    let mut found = DoubleSpends {
        pairs: rivals.len() / 2,
        rejected: 0,
        refused: 0,
    };
    for pair in rivals.chunks(2) {
        let [first, second] = pair else { continue };
        let (winner, loser) = match (applied(first), applied(second)) {
            (true, false) => (first, second),
            (false, true) => (second, first),
            (true, true) => return Err(unfit(pair, "both are final")),
            (false, false) => return Err(unfit(pair, "neither is final")),
        };
        match &loser.end {
            Some(End::Ordered(Outcome::Rejected { winner: told, .. }))
                if *told == Some(winner.signed.id) =>
            {
                found.rejected += 1;
            }
            Some(End::Refused(refusal))
                if refusal.to_string().contains(&winner.signed.id.to_string()) =>
            {
                found.refused += 1;
            }
            Some(_) | None => return Err(unfit(pair, "the loser was not told the winner")),
        }
    }
    Ok(found)
}

async fn check_everywhere(rivals: &[Rival], sessions: &[Session]) -> Result<(), Error> {
    // What was refused is in no block, so only what was ordered has an outcome at every peer.
    let mut ordered: BTreeMap<Digest, Outcome> = BTreeMap::new();
    for rival in rivals {
        if let Some(End::Ordered(outcome)) = rival.end {
            ordered.insert(rival.signed.id, outcome);
        }
    }
    let ids: Vec<Digest> = ordered.keys().copied().collect();
    for session in sessions {
        let stages = outcomes(session, &ids).await?;
        for (stage, (id, wanted)) in stages.into_iter().zip(&ordered) {
            if ended(stage.clone()) != Some(End::Ordered(*wanted)) {
                return Err(Error::DoubleSpend {
                    first: *id,
                    second: *id,
                    found: format!(
                        "{} says {stage:?} where {wanted} is final elsewhere",
                        session.name()
                    ),
                });
            }
        }
    }
    Ok(())
}

fn unfit(pair: &[Rival], found: &str) -> Error {
    let id = |at: usize| {
        pair.get(at)
            .map(|rival| rival.signed.id)
            .unwrap_or_default()
    };
    let ends: Vec<String> = pair
        .iter()
        .map(|rival| format!("{:?}", rival.end))
        .collect();
    Error::DoubleSpend {
        first: id(0),
        second: id(1),
        found: format!("{found}: {}", ends.join(" and ")),
    }
}

#[cfg(test)]
mod tests;
