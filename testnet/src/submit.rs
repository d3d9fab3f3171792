//! Hands batches of transactions to peers and gathers how far each one comes.

use std::time::{Duration, Instant};

use primitives::Digest;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wallet_proto::reply::{Refusal, Stage, Step};
use wallet_proto::request::Report;

use crate::error::Error;
use crate::session::{Following, Session};

/// Many batches under way at once, over several peers.
#[derive(Debug)]
pub struct Submitter {
    sessions: Vec<Session>,
    turn: usize,
    report: Report,
    sender: mpsc::UnboundedSender<Note>,
    receiver: mpsc::UnboundedReceiver<Note>,
    tasks: JoinSet<()>,
}

/// Something heard of a batch.
#[derive(Debug)]
pub struct Note {
    /// The number that the batch was submitted under.
    pub batch: usize,
    /// When it was heard.
    pub at: Instant,
    /// What was heard.
    pub news: News,
}

/// What is heard of a batch; the end comes last and exactly once.
#[derive(Debug)]
pub enum News {
    /// Some of its transactions have come further.
    Steps(Vec<Step>),
    /// No more will be heard, for this reason if something failed.
    Ended(Option<Error>),
}

impl Submitter {
    /// A submitter that asks for `report` over these sessions, at least one.
    #[must_use]
    pub fn new(sessions: Vec<Session>, report: Report) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self {
            sessions,
            turn: 0,
            report,
            sender,
            receiver,
            tasks: JoinSet::new(),
        }
    }

    /// Submits to the sessions in turn.
    pub fn submit(&mut self, batch: usize, transactions: Vec<Vec<u8>>) {
        let index = self.turn;
        self.turn = (self.turn + 1) % self.sessions.len();
        self.submit_to(index, batch, transactions);
    }

    /// Submits to the session at `index`, counted round the end.
    pub fn submit_to(&mut self, index: usize, batch: usize, transactions: Vec<Vec<u8>>) {
        let session = self.sessions[index % self.sessions.len()].clone();
        let (report, sender) = (self.report, self.sender.clone());
        // Ended tasks are taken note of, or they would pile up.
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(async move {
            let note = |news| Note {
                batch,
                at: Instant::now(),
                news,
            };
            let following = session.submit(&transactions, report).await;
            drop(transactions);
            let ended = match following {
                Ok(following) => pass_on(following, |steps| {
                    // Nobody listens any more: the submitter is gone, and this task with it.
                    let _ = sender.send(note(News::Steps(steps)));
                })
                .await
                .err(),
                Err(error) => Some(error),
            };
            let _ = sender.send(note(News::Ended(ended)));
        });
    }

    /// The next news, or none within `patience`.
    pub async fn note(&mut self, patience: Duration) -> Option<Note> {
        let heard = tokio::time::timeout(patience, self.receiver.recv()).await;
        heard.ok().flatten()
    }
}

/// The last stage that `peer` reports of each of `ids`, in their order.
///
/// # Errors
/// [`Error::Untracked`] when it says nothing final of one of them; as [`Session::track`].
pub async fn outcomes(peer: &Session, ids: &[Digest]) -> Result<Vec<Stage>, Error> {
    let mut stages = Vec::with_capacity(ids.len());
    for part in ids.chunks(wallet_proto::request::TRANSACTIONS_MAX) {
        let mut found: Vec<Option<Stage>> = vec![None; part.len()];
        let mut following = peer.track(part, Report::Final).await?;
        while found.iter().any(Option::is_none) {
            let Some(steps) = following.next().await? else {
                break;
            };
            for step in steps {
                if let Some(slot) = found.get_mut(usize::from(step.position)) {
                    *slot = Some(step.stage);
                }
            }
        }
        for (stage, id) in found.into_iter().zip(part) {
            stages.push(stage.ok_or_else(|| Error::Untracked {
                peer: peer.name().to_owned(),
                id: *id,
            })?);
        }
    }
    Ok(stages)
}

/// Whether the peer could not take the transaction for now, so that trying again makes sense.
#[must_use]
pub const fn may_pass(refusal: &Refusal) -> bool {
    use wallet_proto::reply::Code;
    match refusal.code {
        Code::Busy | Code::Stopping | Code::TooEarly | Code::Invalid => true,
        Code::Unknown | Code::Malformed | Code::NotFound | Code::Pruned | Code::Quarantined => {
            false
        }
    }
}

/// The value below which `percent` of a hundred of the sorted `values` lie; zero without any.
#[must_use]
pub fn percentile(values: &[Duration], percent: usize) -> Duration {
    let rank = (values.len() * percent).div_ceil(100);
    values
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

async fn pass_on(mut following: Following, send: impl Fn(Vec<Step>)) -> Result<(), Error> {
    while let Some(steps) = following.next().await? {
        send(steps);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let values: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        for (percent, wanted) in [(0, 1), (50, 100), (99, 198), (100, 200)] {
            assert_eq!(
                percentile(&values, percent),
                Duration::from_millis(wanted),
                "{percent}"
            );
        }
        assert_eq!(percentile(&[], 50), Duration::ZERO);
        assert_eq!(percentile(&values[..1], 99), Duration::from_millis(1));
    }
}
