//! Many wallets that are logged in to one peer and ask for proofs, and what they wait.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ledger::subject::Subject;
use ledger::tx::{Outpoint, genesis_transaction};
use primitives::keys::Signer;
use primitives::units::Height;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use wallet_proto::reply::Answer;

use wallet_proto::{Request, Trust, check};

use crate::error::Error;
use crate::network::Network;
use crate::purse::wallet_key;
use crate::session::{Host, Session};
use crate::sim::random::Stream;
use crate::submit::percentile;
use crate::verdict;

/// Logins under way at once: a host refuses newcomers when too many handshakes are in flight.
const LOGINS: usize = 32;
/// How long answers may take after the last question.
const DRAIN: Duration = Duration::from_secs(30);

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Asking {
    /// Wallets that are logged in; each asks in its turn.
    pub wallets: usize,
    /// Questions a second, over all of them.
    pub rate: u32,
    /// For how long.
    pub seconds: u32,
}

/// What the wallets got.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// How much was asked.
    pub asking: Asking,
    /// How long all logins took.
    pub login_seconds: f64,
    /// What each login added to the memory of the host, in bytes.
    pub bytes_a_wallet: u64,
    /// Questions asked.
    pub asked: usize,
    /// Answers whose proof holds.
    pub proven: usize,
    /// Half of the answers came within so many microseconds of when the question was due.
    pub p50_us: u64,
    /// 99 of 100 did.
    pub p99_us: u64,
    /// The slowest.
    pub max_us: u64,
    /// The first thing that went wrong, if anything did.
    pub failed: Option<String>,
}

/// Logs wallets in at `host`, whose process is `pid`, and lets them ask for proofs: of coins of the
/// genesis, of blocks, and of how many transactions a key has.
///
/// # Errors
/// What keeps the wallets from logging in; what fails later is counted.
pub async fn run(
    asking: Asking,
    network: &Network,
    host: &Host,
    pid: u32,
) -> Result<Measured, Error> {
    let mut trust = Trust::new(&network.genesis)?;
    let first = Session::connect(host, network.chain, wallet_key("asker")).await?;
    let newest = verdict::head(&first, &mut trust).await?.height();
    let trust = Arc::new(trust);
    let before = resident_bytes(pid)?;
    let begun = Instant::now();
    let sessions = log_in(asking.wallets, network, host).await?;
    let login_seconds = begun.elapsed().as_secs_f64();
    let grown = resident_bytes(pid)?.saturating_sub(before);
    let bytes_a_wallet = grown / (asking.wallets as u64).max(1);
    let mut stream = Stream::new(1, &[b"asking"]);
    let (sender, mut answers) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    let (start, pause) = (Instant::now(), Duration::from_secs(1) / asking.rate.max(1));
    let count = u64::from(asking.rate) * u64::from(asking.seconds);
    for (number, session) in (0..count).zip(sessions.iter().cycle()) {
        let due = start + pause * u32::try_from(number).unwrap_or(u32::MAX);
        sleep_until(due).await;
        while tasks.try_join_next().is_some() {}
        let want = Want::draw(&mut stream, network, newest);
        let (session, trust, sender) = (session.clone(), Arc::clone(&trust), sender.clone());
        tasks.spawn(async move {
            let answer = session.ask(want.request()).await;
            // From when it was due, so that a host that lets askers wait gains nothing.
            let after = due.elapsed();
            let held = answer.and_then(|answer| want.check(&answer, &trust));
            // The listener outlives every task.
            let _ = sender.send((after, held));
        });
    }
    drop(sender);
    let until = Instant::now() + DRAIN;
    let (mut waits, mut failed) = (Vec::new(), None);
    while let Ok(Some((after, held))) = tokio::time::timeout_at(until, answers.recv()).await {
        match held {
            Ok(()) => waits.push(after),
            Err(error) => failed = failed.or(Some(error.to_string())),
        }
    }
    waits.sort_unstable();
    let us = |wait: Duration| u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
    Ok(Measured {
        asking,
        login_seconds,
        bytes_a_wallet,
        asked: usize::try_from(count).unwrap_or(usize::MAX),
        proven: waits.len(),
        p50_us: us(percentile(&waits, 50)),
        p99_us: us(percentile(&waits, 99)),
        max_us: us(percentile(&waits, 100)),
        failed,
    })
}

/// One question.
#[derive(Debug, Clone, Copy)]
enum Want {
    Output(Outpoint),
    Block(Height),
    Record(Subject),
}

impl Want {
    fn draw(stream: &mut Stream, network: &Network, newest: Height) -> Self {
        let coins = network.genesis.outputs.len() as u64;
        match stream.below(4) {
            0 => Self::Block(Height::new(stream.between(1, newest.get().max(1)))),
            1 => Self::Record(Subject::Key(wallet_key("load").public())),
            _ => Self::Output(Outpoint {
                transaction: genesis_transaction(&network.chain),
                index: u32::try_from(stream.below(coins)).unwrap_or(0),
            }),
        }
    }

    const fn request(self) -> Request {
        match self {
            Self::Output(outpoint) => Request::Output { outpoint },
            Self::Block(height) => Request::Block { height },
            Self::Record(of) => Request::Record { of },
        }
    }

    fn check(self, answer: &Answer, trust: &Trust) -> Result<(), Error> {
        match self {
            Self::Output(outpoint) => check::output(&outpoint, answer, trust).map(|_| ())?,
            Self::Block(height) => check::block(height, answer, trust).map(|_| ())?,
            Self::Record(of) => check::record(&of, answer, trust).map(|_| ())?,
        }
        Ok(())
    }
}

async fn log_in(count: usize, network: &Network, host: &Host) -> Result<Vec<Session>, Error> {
    let mut sessions = Vec::with_capacity(count);
    let mut logins = JoinSet::new();
    for number in 0..count {
        if logins.len() == LOGINS
            && let Some(session) = logins.join_next().await
        {
            sessions.push(session.map_err(|_| Error::Interrupted)??);
        }
        let (host, chain) = (host.clone(), network.chain);
        let key = wallet_key(&format!("asker {number}"));
        logins.spawn(async move { Session::connect(&host, chain, key).await });
    }
    while let Some(session) = logins.join_next().await {
        sessions.push(session.map_err(|_| Error::Interrupted)??);
    }
    Ok(sessions)
}

/// What a process holds in memory (proc(5), statm).
fn resident_bytes(pid: u32) -> Result<u64, Error> {
    let path = format!("/proc/{pid}/statm");
    let path = Path::new(&path);
    let text = std::fs::read_to_string(path).map_err(|error| Error::file(path, error))?;
    let pages: u64 = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0);
    Ok(pages * rustix::param::page_size() as u64)
}
