//! How a peer without a store comes in: by the snapshot of the others, and by all their events.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use node::snapshot::join::Joined;
use node::store::Kind;
use serde::Serialize;

use crate::cluster::{Cluster, Stay};
use crate::error::Error;
use crate::files::{DATA, remove};
use crate::load::{self, Kind as LoadKind, Load};
use crate::network::{Epochs, Network, STAKE, Setup, create};
use crate::purse::Purse;
use crate::verdict::{Judgement, judge, status};
use crate::voice::Voice;
use crate::wait::{Probe, until};

/// How many peers.
const PEERS: usize = 4;
/// The peer that comes in.
const NEW: usize = PEERS - 1;
/// How long it may take to come level with the others.
const LEVEL: Duration = Duration::from_secs(1_800);
/// Payments a second while an epoch is waited for.
const TRICKLE: u32 = 50;

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Options {
    /// The network's folder; whatever network was there is gone.
    pub folder: PathBuf,
    /// The node's program.
    pub node: PathBuf,
    /// The backend of the stores.
    pub store: Kind,
    /// Payments before the peer comes in.
    pub transactions: u32,
    /// Payments a second.
    pub rate: u32,
    /// How long epochs are.
    pub epochs: Epochs,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Payments applied before.
    pub transactions: usize,
    /// Blocks then.
    pub blocks: u64,
    /// What `primus join` says.
    pub joined: Joined,
    /// From its start until the new peer is as far as the others were when it began, in milliseconds.
    pub by_snapshot_ms: u64,
    /// The same for a peer that follows every event, from its start.
    pub by_events_ms: u64,
    /// What the judge says of all peers after either.
    pub judgements: [Judgement; 2],
}

/// Measures. No process is left, however it ends.
///
/// # Errors
/// What keeps the network from running; [`Error::Join`] when the peer cannot come in.
pub async fn run(options: &Options, voice: Voice) -> Result<Report, Error> {
    let (cluster, network) = create(&Setup {
        folder: &options.folder,
        program: &options.node,
        stakes: &[STAKE; PEERS],
        epochs: options.epochs,
        store: options.store,
        funding: &[],
        stay: Stay::Attached,
    })?;
    let purse = Purse::of_genesis("load", &network.genesis)?;
    let mut measure = Measure {
        options,
        voice,
        cluster,
        network,
        purse,
    };
    let report = measure.run().await;
    measure.cluster.down().await?;
    report
}

struct Measure<'a> {
    options: &'a Options,
    voice: Voice,
    cluster: Cluster,
    network: Network,
    purse: Purse,
}

impl Measure<'_> {
    async fn run(&mut self) -> Result<Report, Error> {
        for peer in 0..NEW {
            self.cluster.start(peer)?;
        }
        let transactions = self.fill().await?;
        let begun = Instant::now();
        let blocks = self.height(0).await?;
        let joined = self.join()?;
        self.come_level(blocks).await?;
        let by_snapshot_ms = millis(begun);
        self.voice.progress(&format!(
            "by snapshot: level with block {blocks} after {by_snapshot_ms} ms"
        ));
        let first = self.judge().await?;
        self.cluster.kill(NEW).await?;
        remove(&self.cluster.peer(NEW)?.home.join(DATA))?;
        let begun = Instant::now();
        let level = self.height(0).await?;
        self.come_level(level).await?;
        let by_events_ms = millis(begun);
        self.voice.progress(&format!(
            "by events: level with block {level} after {by_events_ms} ms"
        ));
        Ok(Report {
            transactions,
            blocks,
            joined,
            by_snapshot_ms,
            by_events_ms,
            judgements: [first, self.judge().await?],
        })
    }

    /// Pays until there are as many transactions as wanted, then until an epoch has begun after them.
    async fn fill(&mut self) -> Result<usize, Error> {
        let (wanted, rate) = (self.options.transactions, self.options.rate);
        let mut applied = self.pay(rate, wanted.div_ceil(rate)).await?;
        while applied < wanted as usize {
            applied += self.pay(rate, 1).await?;
        }
        let epoch = status(self.cluster.peer(0)?.http).await?.epoch;
        while status(self.cluster.peer(0)?.http).await?.epoch == epoch {
            applied += self.pay(TRICKLE, 1).await?;
        }
        Ok(applied)
    }

    async fn pay(&mut self, rate: u32, seconds: u32) -> Result<usize, Error> {
        let load = Load {
            rate,
            kind: LoadKind::Pay,
            seconds,
            size: 0,
        };
        let peers = self.cluster.peers();
        let sessions = self.network.sessions("load", peers, 0..NEW).await?;
        let measured = load::run(load, &sessions, &mut self.purse).await?;
        if rate > TRICKLE {
            self.voice.progress(&format!(
                "{} payments applied, {:.0} a second",
                measured.applied, measured.per_second
            ));
        }
        Ok(measured.applied)
    }

    fn join(&self) -> Result<Joined, Error> {
        let program = &self.options.node;
        let output = Command::new(program)
            .args(["join", "--json", "--home"])
            .arg(&self.cluster.peer(NEW)?.home)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Error::Start {
                program: program.clone(),
                error,
            })?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        self.voice.progress(&said);
        if !output.status.success() {
            return Err(Error::Join { said });
        }
        serde_json::from_slice(&output.stdout).map_err(|error| Error::Join {
            said: error.to_string(),
        })
    }

    /// Starts the new peer and waits until it has executed the block at `level`.
    async fn come_level(&mut self, level: u64) -> Result<(), Error> {
        self.cluster.start(NEW)?;
        let http = self.cluster.peer(NEW)?.http;
        until("the new peer to come level", LEVEL, async || {
            // One that cannot start will not come level.
            if let Some(code) = self.cluster.ended(NEW)? {
                let said = format!("the peer ended with {code}; its log says why");
                return Err(Error::Join { said });
            }
            Ok(match status(http).await {
                Ok(status) if status.height >= level => Probe::Done(()),
                Ok(status) => Probe::Found(format!("block {} of {level}", status.height)),
                Err(error) => Probe::Found(error.to_string()),
            })
        })
        .await
    }

    async fn height(&self, peer: usize) -> Result<u64, Error> {
        Ok(status(self.cluster.peer(peer)?.http).await?.height)
    }

    async fn judge(&self) -> Result<Judgement, Error> {
        let peers = self.cluster.peers();
        let sessions = self.network.sessions("alice", peers, 0..PEERS).await?;
        let pages: Vec<_> = peers.iter().map(|peer| peer.http).collect();
        judge(&self.network, &sessions, &pages).await
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
