//! The judge: whether all peers hold the same blocks, and all of them the newest.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use primitives::units::{Amount, Height};
use primitives::{Digest, units::Epoch};
use serde::{Deserialize, Serialize, Serializer};
use wallet_proto::{Certified, Request, Trust, check};

use crate::error::Error;
use crate::network::Network;
use crate::session::Session;
use crate::wait::{Probe, until};

/// How long the slowest peer may take to reach the newest block of the others.
const CATCH_UP: Duration = Duration::from_secs(60);

/// What the judge found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// All peers hold the same blocks.
    Agree,
    /// Some peer does not answer or stays behind.
    Stalled,
    /// Two peers hold different blocks at one height, or other coin than the genesis made.
    Diverged,
}

impl Verdict {
    /// Of a run in virtual time: the worse of both counts as more.
    #[must_use]
    pub const fn of_run(violations: usize, open: usize) -> Self {
        match (violations, open) {
            (0, 0) => Self::Agree,
            (0, _) => Self::Stalled,
            _ => Self::Diverged,
        }
    }

    /// The exit code of the program.
    #[must_use]
    pub const fn exit(self) -> u8 {
        match self {
            Self::Agree => 0,
            Self::Stalled => 3,
            Self::Diverged => 10,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agree => "AGREE",
            Self::Stalled => "STALLED",
            Self::Diverged => "DIVERGED",
        })
    }
}

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The height that was compared.
    pub height: u64,
    /// Why not AGREE, in words.
    pub reason: Option<String>,
    /// What each peer says, in their order.
    pub peers: Vec<Testimony>,
}

/// What one peer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Testimony {
    /// The peer's name.
    pub peer: String,
    /// Consensus roots by height, each proven under a certificate of a quorum.
    pub roots: Vec<Root>,
    /// All coin there is, where the peer reports it.
    #[serde(serialize_with = "decimal")]
    pub supply: Option<Amount>,
}

/// A consensus root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Root {
    /// The height of its block.
    pub height: u64,
    /// The root.
    #[serde(serialize_with = "text")]
    pub root: Digest,
}

/// The part of a peer's status that the judge reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Status {
    /// The epoch in force.
    #[serde(default)]
    pub epoch: u64,
    /// The newest block executed.
    pub height: u64,
    /// The newest block with a certificate of a quorum.
    pub certified_height: u64,
    /// How many peers are connected.
    pub peers_connected: u64,
    /// All coin there is, as decimal text.
    #[serde(default)]
    pub supply: Option<String>,
}

/// The status that the node with these pages gives.
///
/// # Errors
/// [`Error::Node`] when it does not answer.
pub async fn status(http: SocketAddr) -> Result<Status, Error> {
    let asked = tokio::task::spawn_blocking(move || node::http::client::json(http, "/v1/status"));
    let answer = asked.await.map_err(|_| Error::Interrupted)?;
    Ok(answer?)
}

/// The newest block that a quorum has certified, as the peer proves it. Follows the committees.
///
/// # Errors
/// As [`Session::ask`]; [`Error::Wallet`] for a proof that does not hold.
pub async fn head(session: &Session, trust: &mut Trust) -> Result<Certified, Error> {
    let answer = session.ask(Request::Head).await?;
    follow(session, trust, answer.snapshot.header.epoch).await?;
    Ok(check::head(&answer, trust)?)
}

/// Waits until the peer proves a certified block at `height` or later.
///
/// # Errors
/// [`Error::TimedOut`]; [`Error::Wallet`] for a proof that does not hold.
pub async fn reach(session: &Session, trust: &mut Trust, height: Height) -> Result<Height, Error> {
    let awaited = format!("{} to reach height {height}", session.name());
    until(&awaited, CATCH_UP, async || {
        match head(session, trust).await {
            Ok(found) if found.height() >= height => Ok(Probe::Done(found.height())),
            Ok(found) => Ok(Probe::Found(format!("height {}", found.height()))),
            Err(error @ Error::Wallet(_)) => Err(error),
            Err(error) => Ok(Probe::Found(error.to_string())),
        }
    })
    .await
}

/// Judges the peers behind `sessions`, whose pages are at `pages`.
///
/// # Errors
/// Never for what a peer does, which is in the judgement; [`Error::Wallet`] for a genesis that is
/// none.
pub async fn judge(
    network: &Network,
    sessions: &[Session],
    pages: &[SocketAddr],
) -> Result<Judgement, Error> {
    let mut trust = Trust::new(&network.genesis)?;
    let mut judgement = Judgement {
        verdict: Verdict::Agree,
        height: 0,
        reason: None,
        peers: Vec::new(),
    };
    let mut newest = Height::ZERO;
    for session in sessions {
        match reach(session, &mut trust, Height::new(1)).await {
            Ok(height) => newest = newest.max(height),
            Err(error) => return Ok(judgement.ended_by(&error)),
        }
    }
    judgement.height = newest.get();
    for (session, http) in sessions.iter().zip(pages) {
        match testimony(session, *http, &mut trust, newest).await {
            Ok(testimony) => judgement.peers.push(testimony),
            Err(error) => return Ok(judgement.ended_by(&error)),
        }
    }
    let supply = network.genesis.supply()?;
    Ok(judgement.compared(supply))
}

impl Judgement {
    /// The judgement of a run that ended before the judge could ask.
    ///
    /// # Errors
    /// `error` itself, where it says nothing about the peers.
    pub fn of_error(error: Error) -> Result<Self, Error> {
        match error.verdict() {
            Some(verdict) => Ok(Self {
                verdict,
                height: 0,
                reason: Some(error.to_string()),
                peers: Vec::new(),
            }),
            None => Err(error),
        }
    }

    /// Nothing more can be asked: a proof that does not hold is a lie, anything else is silence.
    fn ended_by(mut self, error: &Error) -> Self {
        self.verdict = error.verdict().unwrap_or(Verdict::Stalled);
        self.reason = Some(error.to_string());
        self
    }

    fn compared(mut self, supply: Amount) -> Self {
        let Some(first) = self.peers.first() else {
            return self;
        };
        let other = self.peers.iter().find(|one| one.roots != first.roots);
        let minted = self
            .peers
            .iter()
            .find(|one| one.supply.is_some_and(|found| found != supply));
        self.reason = match (other, minted) {
            (Some(other), _) => Some(format!(
                "{} and {} hold different blocks up to height {}",
                first.peer, other.peer, self.height
            )),
            (None, Some(minted)) => Some(format!(
                "{} holds {} coin where the genesis made {supply}",
                minted.peer,
                minted.supply.unwrap_or_default()
            )),
            (None, None) => None,
        };
        if self.reason.is_some() {
            self.verdict = Verdict::Diverged;
        }
        self
    }
}

async fn testimony(
    session: &Session,
    http: SocketAddr,
    trust: &mut Trust,
    newest: Height,
) -> Result<Testimony, Error> {
    reach(session, trust, newest).await?;
    let mut roots = Vec::new();
    for height in samples(newest) {
        let answer = session.ask(Request::Block { height }).await?;
        follow(session, trust, answer.snapshot.header.epoch).await?;
        let known = check::block(height, &answer, trust)?;
        roots.push(Root {
            height: height.get(),
            root: known.root,
        });
    }
    let supply = status(http).await?.supply;
    Ok(Testimony {
        peer: session.name().to_owned(),
        roots,
        supply: supply.and_then(|text| text.parse().ok()).map(Amount::new),
    })
}

/// The first block, one in the middle, and the newest; a header names the one before, so these
/// vouch for all.
fn samples(newest: Height) -> Vec<Height> {
    let mut heights = vec![1, newest.get().div_ceil(2), newest.get()];
    heights.dedup();
    heights.into_iter().map(Height::new).collect()
}

/// Follows the committees up to that of `epoch`.
///
/// # Errors
/// As [`Session::ask`]; [`Error::Wallet`] for a proof that does not hold.
pub async fn follow(session: &Session, trust: &mut Trust, epoch: Epoch) -> Result<(), Error> {
    while trust.epoch() < epoch {
        let next = trust.epoch().later(1);
        let answer = session.ask(Request::Committee { epoch: next }).await?;
        check::committee(answer, trust)?;
    }
    Ok(())
}

fn decimal<S: Serializer>(amount: &Option<Amount>, serializer: S) -> Result<S::Ok, S::Error> {
    amount
        .map(|amount| amount.to_string())
        .serialize(serializer)
}

fn text<S: Serializer>(root: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(root)
}

#[cfg(test)]
mod tests;
