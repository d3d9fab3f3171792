//! `primus join`: the store of a new node from the snapshots of running ones, several at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ledger::committee::Members;
use ledger::{Genesis, Header};
use net::{Client, PeerAddress};
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::store::Table;
use primitives::units::{Epoch, Stake};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use wallet_proto::reply::Reply;
use wallet_proto::request::{Question, Request};
use wallet_proto::snapshot::Manifest;
use wallet_proto::{Trust, check, wire};

use super::{Restorer, Summary, agree, check_chunk};
use crate::error::Error;
use crate::keyfile::Secret;
use crate::store::{Kind, Stamp};

/// How long a peer may take for one answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Chunks asked of one peer at a time.
const ASKED_MAX: usize = 4;
/// Chunks that wait to be written.
const WAITING_MAX: usize = 16;
/// How often `tell` hears how far it has come.
const TELL: Duration = Duration::from_secs(1);

/// What a node begins from.
#[derive(Debug)]
pub struct Plan {
    /// The chain.
    pub genesis: Genesis,
    /// Whom to ask: where they listen, by transport key.
    pub peers: Vec<PeerAddress>,
    /// The backend of the store.
    pub kind: Kind,
    /// Where the store goes.
    pub data: PathBuf,
    /// Whose store it is.
    pub stamp: Stamp,
}

/// How a node began.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Joined {
    /// What it begins with.
    #[serde(flatten)]
    pub snapshot: Summary,
    /// Stake of the peers that gave the same manifest.
    pub stake_agreeing: u64,
    /// Stake of all peers.
    pub total_stake: u64,
    /// Until the last chunk was written, in milliseconds.
    pub loaded_ms: u64,
    /// Until every row was checked as well.
    pub took_ms: u64,
    /// Who gave how many chunks, and why some were left.
    pub sources: Vec<Source>,
}

/// A peer that was asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Source {
    /// Its name in the genesis.
    pub name: String,
    /// Chunks that it gave.
    pub chunks: u64,
    /// Why it was left, if it was.
    pub left: Option<String>,
}

/// A peer that can be asked.
#[derive(Debug, Clone)]
struct Host {
    name: String,
    peer_key: PublicKey,
    client: Client,
}

/// Peers that give the same manifest.
#[derive(Debug)]
struct Offer {
    manifest: Manifest,
    hosts: Vec<Host>,
}

/// Loads the newest snapshot that peers agree on into a new store, checks every row of it and puts the
/// store in its place. `tell` hears how far it has come.
///
/// # Errors
/// [`Error::NoSource`] if no peer gives one that holds, with what each did; [`Error::StoreExists`]; a
/// failed disk.
pub async fn join(plan: &Plan, tell: &mut dyn FnMut(&str)) -> Result<Joined, Error> {
    let begun = Instant::now();
    let chain = plan.genesis.chain_id().map_err(replica::Error::from)?;
    let mut log = Log::default();
    let hosts = connect(plan, chain, &mut log).await?;
    for proven in proven(plan, &hosts, &mut log).await? {
        let Proven {
            agreeing,
            total,
            offer,
            sealing,
        } = proven;
        let Manifest {
            height,
            rows,
            bytes,
            ..
        } = offer.manifest;
        let (megabytes, count) = (bytes / 1_000_000, offer.hosts.len());
        tell(&format!(
            "block {height}: {rows} rows, {megabytes} MB from {count} peers with stake {agreeing} of \
             {total}",
        ));
        if u128::from(agreeing) * 3 <= u128::from(total) {
            tell("WARNING: not more than a third of stake gives this; ask more peers if you can");
        }
        let restorer = Restorer::begin(offer.manifest.clone(), plan.kind, &plan.data, &plan.stamp)?;
        let restorer = match load(&offer, restorer, &mut log, tell).await? {
            Ok(restorer) => restorer,
            Err(restorer) => {
                restorer.abandon()?;
                continue;
            }
        };
        let loaded_ms = millis(begun);
        tell("all is here; every row is checked");
        let mut table = |table: Table| tell(&format!("checking {}", table.name()));
        match restorer.finish(&plan.genesis, &sealing, &mut table) {
            Ok(_) => {}
            Err(error @ (Error::BadRow { .. } | Error::BadSnapshot { .. })) => {
                log.leave(&offer.hosts, &error.to_string());
                continue;
            }
            Err(error) => return Err(error),
        }
        return Ok(Joined {
            snapshot: Summary::of(&offer.manifest, &plan.genesis),
            stake_agreeing: agreeing,
            total_stake: total,
            loaded_ms,
            took_ms: millis(begun),
            sources: log.sources(),
        });
    }
    Err(Error::NoSource {
        reasons: log.reasons(),
    })
}

/// What each peer gave and why it was left.
#[derive(Debug, Default)]
struct Log(BTreeMap<String, Source>);

impl Log {
    fn source(&mut self, name: &str) -> &mut Source {
        self.0.entry(name.to_owned()).or_insert_with(|| Source {
            name: name.to_owned(),
            chunks: 0,
            left: None,
        })
    }

    fn leave_one(&mut self, name: &str, reason: &str) {
        tracing::warn!(peer = name, reason, "left");
        self.source(name).left = Some(reason.to_owned());
    }

    fn leave(&mut self, hosts: &[Host], reason: &str) {
        for host in hosts {
            self.leave_one(&host.name, reason);
        }
    }

    fn sources(self) -> Vec<Source> {
        self.0.into_values().collect()
    }

    fn reasons(self) -> String {
        let mut text = String::new();
        for source in self.sources() {
            let reason = source.left.unwrap_or_default();
            // Writing to a string does not fail.
            let _ = write!(text, "\n  {}: {reason}", source.name);
        }
        match text.is_empty() {
            true => "there is no peer to ask; peers.toml names none but this node".to_owned(),
            false => text,
        }
    }
}

async fn connect(plan: &Plan, chain: Digest, log: &mut Log) -> Result<Vec<Host>, Error> {
    let mut dials = JoinSet::new();
    for PeerAddress { key, address } in &plan.peers {
        let mut peers = plan.genesis.peers.iter();
        let Some(peer) = peers.find(|peer| peer.transport_key == *key) else {
            continue;
        };
        if peer.event_key == plan.stamp.event_key {
            continue;
        }
        let name = String::from_utf8_lossy(&peer.name).into_owned();
        // A wallet that nobody needs to know again.
        let wallet = Secret::generate()?.signer()?;
        let (key, address, peer_key) = (*key, *address, peer.peer_key);
        dials.spawn(async move {
            let client = Client::connect(address, key, chain, wallet).await;
            (name, peer_key, client)
        });
    }
    let mut hosts = Vec::new();
    while let Some(Ok((name, peer_key, client))) = dials.join_next().await {
        match client {
            Ok(client) => hosts.push(Host {
                name,
                peer_key,
                client,
            }),
            Err(error) => log.leave_one(&name, &error.to_string()),
        }
    }
    hosts.sort_by_key(|host| host.peer_key);
    Ok(hosts)
}

async fn ask(host: &Host, request: Request) -> Result<Reply, String> {
    let exchange = async {
        let question = wire::to_bytes(&Question::from(request)).map_err(|it| it.to_string())?;
        let replies = host.client.request(question).await;
        let mut replies = replies.map_err(|error| error.to_string())?;
        let reply = replies.next().await.ok_or("it ends without an answer")?;
        let reply = reply.map_err(|error| error.to_string())?;
        match wire::from_bytes(&reply).map_err(|error| error.to_string())? {
            Reply::Error(refusal) => Err(refusal.to_string()),
            reply @ (Reply::Progress(_)
            | Reply::Answer(_)
            | Reply::Manifest(_)
            | Reply::Chunk(_)) => Ok(reply),
        }
    };
    let exchanged = timeout(PATIENCE, exchange).await;
    exchanged.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

/// An offer of the state after a block that is proven to seal an epoch of this chain.
#[derive(Debug)]
struct Proven {
    /// Stake of the peers that offer it.
    agreeing: u64,
    /// Stake of all.
    total: u64,
    offer: Offer,
    sealing: Header,
}

/// The offers whose block is proven: that with the most stake first, of equals the newest.
async fn proven(plan: &Plan, hosts: &[Host], log: &mut Log) -> Result<Vec<Proven>, Error> {
    let mut trust = Trust::new(&plan.genesis).map_err(|error| super::refused(&error))?;
    let mut sealing: BTreeMap<Epoch, (Header, Members)> = BTreeMap::new();
    let mut helpers = hosts.to_vec();
    let mut proven = Vec::new();
    for offer in offers(hosts, log).await {
        let after = offer.manifest.height.later(1);
        let epoch = plan.genesis.parameters.epoch_of(after);
        follow(&mut trust, &mut sealing, epoch, &mut helpers).await;
        let Some((sealing, members)) = sealing.get(&epoch) else {
            log.leave(
                &offer.hosts,
                "nobody proves the block that its snapshot is of",
            );
            continue;
        };
        match agree(&offer.manifest, &plan.genesis, sealing) {
            Ok(()) => proven.push(Proven {
                agreeing: stake(&offer.hosts, members),
                total: total(members),
                offer,
                sealing: *sealing,
            }),
            Err(error) => log.leave(&offer.hosts, &error.to_string()),
        }
    }
    proven.sort_by_key(|proven| (proven.agreeing, proven.offer.manifest.height));
    proven.reverse();
    Ok(proven)
}

/// What is offered, and by whom.
async fn offers(hosts: &[Host], log: &mut Log) -> Vec<Offer> {
    let mut asked = JoinSet::new();
    for host in hosts.iter().cloned() {
        asked.spawn(async move { (ask(&host, Request::Manifest).await, host) });
    }
    let mut offers: Vec<Offer> = Vec::new();
    while let Some(Ok((reply, host))) = asked.join_next().await {
        let manifest = match reply {
            Ok(Reply::Manifest(manifest)) => *manifest,
            Ok(_) => {
                log.leave_one(&host.name, "it answers with something else");
                continue;
            }
            Err(reason) => {
                log.leave_one(&host.name, &reason);
                continue;
            }
        };
        log.source(&host.name);
        let mut known = offers.iter_mut();
        match known.find(|offer| offer.manifest == manifest) {
            Some(offer) => offer.hosts.push(host),
            None => offers.push(Offer {
                manifest,
                hosts: vec![host],
            }),
        }
    }
    offers
}

/// Follows the committees up to that of `epoch`, with the help of whoever proves them.
async fn follow(
    trust: &mut Trust,
    sealing: &mut BTreeMap<Epoch, (Header, Members)>,
    epoch: Epoch,
    helpers: &mut [Host],
) {
    let mut failed = 0;
    while trust.epoch() < epoch && failed < helpers.len() {
        let next = trust.epoch().later(1);
        let answer = ask(&helpers[0], Request::Committee { epoch: next }).await;
        let found = match answer {
            Ok(Reply::Answer(answer)) => check::committee(*answer, trust).ok(),
            Ok(_) | Err(_) => None,
        };
        if let Some(handover) = found {
            failed = 0;
            sealing.insert(next, (handover.sealing.header, handover.members));
        } else {
            // Who is slow or lies is asked again only where all others fail.
            failed += 1;
            helpers.rotate_left(1);
        }
    }
}

/// Stake of those of `hosts` that are members.
fn stake(hosts: &[Host], members: &Members) -> u64 {
    let keys: BTreeSet<PublicKey> = hosts.iter().map(|host| host.peer_key).collect();
    let members = members.members.iter();
    let agreeing = members.filter(|member| keys.contains(&member.peer_key));
    agreeing.map(|member| member.stake.get()).sum()
}

fn total(members: &Members) -> u64 {
    let stakes = members.members.iter().map(|member| member.stake);
    stakes.map(Stake::get).sum()
}

/// What is left to load.
#[derive(Debug)]
struct Missing(Mutex<BTreeSet<usize>>);

impl Missing {
    fn next(&self) -> Option<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_first()
    }

    fn put_back(&self, index: usize) {
        let mut missing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        missing.insert(index);
    }
}

/// What one of the tasks that load has to say.
enum Heard {
    Chunk(usize, Vec<u8>),
    Left(String),
}

/// Loads every chunk from whoever offers them. A peer that gives another than its manifest names is
/// left. The restorer comes back, as the error if nobody gives what is missing.
async fn load(
    offer: &Offer,
    mut restorer: Restorer,
    log: &mut Log,
    tell: &mut dyn FnMut(&str),
) -> Result<Result<Restorer, Restorer>, Error> {
    let manifest = Arc::new(offer.manifest.clone());
    let count = manifest.chunks.len();
    let missing = Arc::new(Missing(Mutex::new((0..count).collect())));
    let (begun, mut told) = (Instant::now(), Instant::now());
    let (mut done, mut bytes) = (0, 0_u64);
    // What a peer took and did not give goes to those that stay.
    while done < count {
        let (sender, mut heard) = mpsc::channel(WAITING_MAX);
        let mut tasks = JoinSet::new();
        let stays = |host: &&Host| log.0.get(&host.name).is_none_or(|it| it.left.is_none());
        for host in offer.hosts.iter().filter(stays) {
            for _ in 0..ASKED_MAX {
                let (host, manifest) = (host.clone(), Arc::clone(&manifest));
                tasks.spawn(fetch(host, manifest, Arc::clone(&missing), sender.clone()));
            }
        }
        drop(sender);
        if tasks.is_empty() {
            return Ok(Err(restorer));
        }
        while let Some((name, heard)) = heard.recv().await {
            match heard {
                Heard::Chunk(index, chunk) => {
                    match restorer.take(index, &chunk) {
                        Ok(()) => {}
                        // Every peer of the offer vouches for it by its digest.
                        Err(error @ Error::BadSnapshot { .. }) => {
                            log.leave(&offer.hosts, &error.to_string());
                            return Ok(Err(restorer));
                        }
                        Err(error) => return Err(error),
                    }
                    log.source(&name).chunks += 1;
                    done += 1;
                    bytes += chunk.len() as u64;
                }
                Heard::Left(reason) => log.leave_one(&name, &reason),
            }
            if told.elapsed() >= TELL {
                told = Instant::now();
                tell(&progress(bytes, manifest.bytes, begun.elapsed()));
            }
        }
    }
    Ok(Ok(restorer))
}

async fn fetch(
    host: Host,
    manifest: Arc<Manifest>,
    missing: Arc<Missing>,
    heard: mpsc::Sender<(String, Heard)>,
) {
    while let Some(index) = missing.next() {
        let request = Request::Chunk {
            height: manifest.height,
            index: u32::try_from(index).unwrap_or(u32::MAX),
        };
        let chunk = match ask(&host, request).await {
            Ok(Reply::Chunk(chunk)) => {
                let chunk = chunk.into_vec();
                let right = check_chunk(&manifest, index, &chunk);
                right.map(|()| chunk).map_err(|error| error.to_string())
            }
            Ok(_) => Err("it answers with something else".to_owned()),
            Err(reason) => Err(reason),
        };
        let (news, leaves) = match chunk {
            Ok(chunk) => (Heard::Chunk(index, chunk), false),
            Err(reason) => {
                missing.put_back(index);
                (Heard::Left(reason), true)
            }
        };
        if heard.send((host.name.clone(), news)).await.is_err() || leaves {
            return;
        }
    }
}

fn progress(bytes: u64, whole: u64, took: Duration) -> String {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = bytes.saturating_mul(1_000) / ms;
    let left = whole.saturating_sub(bytes).checked_div(rate).unwrap_or(0);
    format!(
        "{} of {} MB, {} MB/s, {left} s to go",
        bytes / 1_000_000,
        whole / 1_000_000,
        rate / 1_000_000,
    )
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
