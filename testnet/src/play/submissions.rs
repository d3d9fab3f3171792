//! What wallets hand in during a run, each on its own way to a host, and what they are told.

use std::time::Duration;

use ledger::Outcome;
use ledger::tx::{Body, Transaction};
use primitives::Digest;
use primitives::keys::{PublicKey, Signer};
use primitives::units::{Amount, Height};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use wallet_proto::reply::{Refusal, Stage};
use wallet_proto::request::Report;

use crate::error::Error;
use crate::purse::{Purse, wallet_key};
use crate::session::{Host, Session, bytes};
use crate::sim::plan::Workload;
use crate::sim::random::Stream;

/// How long a wallet waits at one host before it tries another.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a wallet waits after a host refused or ended.
const PAUSE: Duration = Duration::from_millis(500);
/// Bytes of a data transaction.
const DATA_BYTES: usize = 64;

/// One transaction.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) id: Digest,
    bytes: Vec<u8>,
    /// The one that spends the same coin, by number.
    pub(super) rival: Option<usize>,
    /// When it was first handed in.
    at: Instant,
    /// How often it was handed in.
    pub(super) tries: u32,
    /// How it ended, and how long that took.
    pub(super) end: Option<(End, Duration)>,
}

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// A block orders it.
    Final { height: Height, outcome: Outcome },
    /// A host does not take it, because its rival is final.
    Refused(Refusal),
}

/// What a wallet's way to a host led to, for the submission of this number.
#[derive(Debug)]
pub(super) struct Told {
    number: usize,
    result: Result<Stage, Error>,
}

/// Every wallet of a run.
#[derive(Debug)]
pub(super) struct Submissions {
    load: Workload,
    stream: Stream,
    purse: Purse,
    chain: Digest,
    pub(super) all: Vec<Submission>,
    sender: mpsc::UnboundedSender<Told>,
    receiver: mpsc::UnboundedReceiver<Told>,
    tasks: JoinSet<()>,
}

impl Submissions {
    pub(super) fn new(load: Workload, seed: u64, purse: Purse, chain: Digest) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self {
            load,
            stream: Stream::new(seed, &[b"wallets"]),
            purse,
            chain,
            all: Vec::new(),
            sender,
            receiver,
            tasks: JoinSet::new(),
        }
    }

    /// How long until the next submission; none without a workload.
    pub(super) fn pause(&mut self) -> Option<Duration> {
        let mean = 1_000 * self.load.every_ms;
        (mean > 0).then(|| Duration::from_micros(self.stream.exponential(mean)))
    }

    /// Hands in one thing or two, each to one of `hosts`; nothing without any, or once the purse is
    /// empty.
    ///
    /// # Errors
    /// A transaction that cannot be made.
    pub(super) fn submit(&mut self, hosts: &[Host]) -> Result<(), Error> {
        let first = self.all.len();
        let is_data = self.stream.chance(self.load.data) || self.load.wallets == 0;
        let is_double = self.stream.chance(self.load.double_spends);
        if hosts.is_empty() {
            return Ok(());
        }
        if is_data {
            let body = Body::data(first as u64, vec![7; DATA_BYTES])?;
            self.add(&Transaction::unsigned(body), None)?;
        } else if self.purse.count() > 0 {
            let coin = self.purse.take()?;
            let amount = Amount::new(coin.output.amount.get() / 2);
            let paid = self.purse.spend(coin, receiver("first rival"), amount)?;
            self.add(&paid.transaction, is_double.then_some(first + 1))?;
            if is_double {
                let rival = self.purse.spend(coin, receiver("second rival"), amount)?;
                self.add(&rival.transaction, Some(first))?;
            }
        }
        for number in first..self.all.len() {
            self.hand_in(number, hosts, Duration::ZERO);
        }
        Ok(())
    }

    /// The next thing that a wallet was told.
    pub(super) async fn told(&mut self) -> Option<Told> {
        self.receiver.recv().await
    }

    /// Takes note of what a wallet was told; what has not ended goes to another of `hosts`.
    pub(super) fn note(&mut self, told: Told, hosts: &[Host]) {
        while self.tasks.try_join_next().is_some() {}
        let Told { number, result } = told;
        let rival = self.all[number].rival.map(|rival| self.all[rival].id);
        let end = match result {
            Ok(Stage::Final {
                height, outcome, ..
            }) => Some(End::Final { height, outcome }),
            Ok(Stage::Refused { refusal }) => {
                let names = |id: Digest| refusal.to_string().contains(&id.to_string());
                rival.is_some_and(names).then_some(End::Refused(refusal))
            }
            Ok(Stage::Seen | Stage::Endorsed | Stage::Official | Stage::Proven { .. }) | Err(_) => {
                None
            }
        };
        let submission = &mut self.all[number];
        match end {
            Some(end) => submission.end = Some((end, submission.at.elapsed())),
            None => self.hand_in(number, hosts, PAUSE),
        }
    }

    /// How many have not ended.
    pub(super) fn open(&self) -> usize {
        self.all.iter().filter(|one| one.end.is_none()).count()
    }

    fn add(&mut self, transaction: &Transaction, rival: Option<usize>) -> Result<(), Error> {
        self.all.push(Submission {
            id: transaction.id(&self.chain)?,
            bytes: bytes(transaction)?,
            rival,
            at: Instant::now(),
            tries: 0,
            end: None,
        });
        Ok(())
    }

    fn hand_in(&mut self, number: usize, hosts: &[Host], pause: Duration) {
        let host = match hosts.len() {
            0 => None,
            count => Some(hosts[self.stream.place(count)].clone()),
        };
        let submission = &mut self.all[number];
        submission.tries += u32::from(host.is_some());
        let (bytes, chain) = (submission.bytes.clone(), self.chain);
        let sender = self.sender.clone();
        self.tasks.spawn(async move {
            tokio::time::sleep(pause).await;
            let result = match host {
                Some(host) => timeout(PATIENCE, last_stage(&host, chain, bytes))
                    .await
                    .unwrap_or(Ok(Stage::Seen)),
                None => Ok(Stage::Seen),
            };
            // Nobody listens any more once the run is over.
            let _ = sender.send(Told { number, result });
        });
    }
}

/// The last stage that a host tells of a transaction handed in to it.
async fn last_stage(host: &Host, chain: Digest, bytes: Vec<u8>) -> Result<Stage, Error> {
    let session = Session::connect(host, chain, wallet_key("load")).await?;
    let mut following = session.submit(&[bytes], Report::Final).await?;
    let mut last = Stage::Seen;
    while let Some(steps) = following.next().await? {
        if let Some(step) = steps.into_iter().next_back() {
            last = step.stage;
        }
    }
    Ok(last)
}

fn receiver(name: &str) -> PublicKey {
    wallet_key(name).public()
}
