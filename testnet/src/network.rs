//! The chain of a test network: its genesis, its homes, and how wallets reach its peers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ledger::Genesis;
use ledger::genesis::{Parameters, Peer};
use ledger::tx::{Lock, Output};
use node::config::Switch;
use node::home::{self, Plan, Secrets};
use node::keyfile::Secret;
use node::peers::Peers;
use node::store::Kind;
use primitives::Digest;
use primitives::codec::List;
use primitives::keys::{PublicKey, Signer};
use primitives::units::{Amount, Time};

use crate::cluster::run::PeerRun;
use crate::cluster::{Cluster, Ports, Stay, clear, free_ports};
use crate::error::Error;
use crate::keys::test_seed;
use crate::purse::wallet_key;
use crate::replay::shape::FEE_MIN;
use crate::session::{Host, Session};
use crate::wait::{Probe, until, with_log};

/// The genesis file within a network's folder.
pub const GENESIS: &str = "genesis.bin";
/// Coin hosted with each peer.
pub const STAKE: Amount = Amount::new(1_000_000_000);
/// The test wallets that a genesis gives coin to: name, coins, and what each is worth.
pub const WALLETS: [(&str, usize, Amount); 4] = [
    ("alice", 8, Amount::new(1_000_000_000)),
    ("bob", 8, Amount::new(1_000_000_000)),
    ("faucet", 64, Amount::new(1_000_000_000_000)),
    ("load", 8_192, Amount::new(1_000_000)),
];
/// How long a peer may take until it answers wallets.
const COME_UP: Duration = Duration::from_secs(60);

/// What a new network is made of.
#[derive(Debug, Clone)]
pub struct Setup<'a> {
    /// The folder; whatever network was there is gone.
    pub folder: &'a Path,
    /// The program of every peer.
    pub program: &'a Path,
    /// The coin hosted with each peer; one without begins outside the committee.
    pub stakes: &'a [Amount],
    /// How long epochs are.
    pub epochs: Epochs,
    /// The backend of their stores.
    pub store: Kind,
    /// Outputs beside stake and test wallets, for a replay.
    pub funding: &'a [Output],
    /// Whether the peers end with this process.
    pub stay: Stay,
}

/// How long epochs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epochs {
    /// How many blocks a snapshot of stake is older than the epoch it counts for.
    pub lag: u64,
    /// Blocks of one epoch; the first is longer by the lag.
    pub period: u64,
}

impl Default for Epochs {
    /// Epochs that end within seconds of load.
    fn default() -> Self {
        Self {
            lag: 10,
            period: 30,
        }
    }
}

/// The chain of a test network and its peers as wallets dial them.
#[derive(Debug, Clone)]
pub struct Network {
    /// The genesis.
    pub genesis: Genesis,
    /// The genesis file.
    pub path: PathBuf,
    /// The chain's id.
    pub chain: Digest,
    /// The peers; a peer's number is its place.
    pub hosts: Vec<Host>,
}

/// Makes the homes of a new network; no peer runs yet.
///
/// # Errors
/// As [`clear`] and [`free_ports`]; [`Error::Node`] when a home cannot be made.
pub fn create(setup: &Setup<'_>) -> Result<(Cluster, Network), Error> {
    clear(setup.folder)?;
    let folder =
        std::path::absolute(setup.folder).map_err(|error| Error::file(setup.folder, error))?;
    let ports = free_ports(setup.stakes.len())?;
    let secrets: Vec<Secrets> = (0..setup.stakes.len()).map(secrets).collect();
    let genesis = genesis(&secrets, setup)?;
    let addresses = secrets.iter().zip(&ports);
    let addresses = addresses.map(|(one, ports)| (one.peer.public(), ports.address.to_string()));
    let peers = Peers(addresses.collect());
    let mut runs = Vec::with_capacity(secrets.len());
    for (index, (secrets, ports)) in secrets.iter().zip(&ports).enumerate() {
        let run = peer_run(&folder, index, *ports);
        home::create(&Plan {
            home: &run.home,
            listen: ports.address,
            http: ports.http,
            store: setup.store,
            genesis: Some(&genesis),
            peers: &peers,
            secrets,
            link_faults: Switch::On,
        })?;
        runs.push(run);
    }
    home::write_genesis(&folder.join(GENESIS), &genesis)?;
    let cluster = Cluster::create(&folder, setup.program, runs, setup.stay)?;
    let network = Network::new(&folder, genesis, cluster.peers())?;
    Ok((cluster, network))
}

impl Network {
    /// The chain of the network that was recorded in `folder` with these peers.
    ///
    /// # Errors
    /// [`Error::Node`] without a readable genesis; [`Error::Stranger`] for a peer not in it.
    pub fn open(folder: &Path, peers: &[PeerRun]) -> Result<Self, Error> {
        let genesis = home::read_genesis(&folder.join(GENESIS))?;
        Self::new(folder, genesis, peers)
    }

    /// The peer key of the peer with this name.
    ///
    /// # Errors
    /// [`Error::Stranger`] for a name that is not in the genesis.
    pub fn peer_key(&self, name: String) -> Result<PublicKey, Error> {
        peer_named(&self.genesis, name).map(|peer| peer.peer_key)
    }

    fn new(folder: &Path, genesis: Genesis, peers: &[PeerRun]) -> Result<Self, Error> {
        let host = |run: &PeerRun| {
            let peer = peer_named(&genesis, run.name.clone())?;
            Ok::<_, Error>(Host {
                name: run.name.clone(),
                address: run.address,
                key: peer.transport_key,
            })
        };
        Ok(Self {
            hosts: peers.iter().map(host).collect::<Result<_, _>>()?,
            chain: genesis.chain_id()?,
            path: folder.join(GENESIS),
            genesis,
        })
    }

    /// Connects to the peers at `indexes` as test wallet `name`, waiting for those that come up.
    ///
    /// # Errors
    /// [`Error::TimedOut`] with the last complaint of the peer that does not answer.
    pub async fn sessions(
        &self,
        name: &str,
        runs: &[PeerRun],
        indexes: impl IntoIterator<Item = usize>,
    ) -> Result<Vec<Session>, Error> {
        let mut sessions = Vec::new();
        for index in indexes {
            let (host, run) = (&self.hosts[index], &runs[index]);
            let awaited = format!("{} to answer wallets", host.name);
            let session = until(&awaited, COME_UP, async || {
                Ok(
                    match Session::connect(host, self.chain, wallet_key(name)).await {
                        Ok(session) => Probe::Done(session),
                        Err(error) => {
                            Probe::Found(with_log(&error.to_string(), &host.name, &run.log))
                        }
                    },
                )
            });
            sessions.push(session.await?);
        }
        Ok(sessions)
    }
}

fn peer_named(genesis: &Genesis, name: String) -> Result<&Peer, Error> {
    let mut known = genesis.peers.iter();
    let peer = known.find(|peer| peer.name[..] == *name.as_bytes());
    peer.ok_or(Error::Stranger { peer: name })
}

/// The stakes of peers that have as much as one another, but for the last, which have none.
#[must_use]
pub fn equal_stakes(peers: usize, observers: usize) -> Vec<Amount> {
    let mut stakes = vec![STAKE; peers.saturating_sub(observers)];
    stakes.resize(peers, Amount::ZERO);
    stakes
}

/// The genesis of these peers, with the test wallets' coin and what else is to be funded.
fn genesis(secrets: &[Secrets], setup: &Setup<'_>) -> Result<Genesis, Error> {
    let stakes = secrets.iter().zip(setup.stakes);
    let stakes: BTreeMap<PublicKey, Amount> = stakes
        .map(|(secrets, stake)| (secrets.peer.public(), *stake))
        .collect();
    let named = secrets.iter().enumerate();
    let peers: Result<Vec<_>, _> = named
        .map(|(index, secrets)| secrets.genesis_peer(&peer_name(index)))
        .collect();
    let mut peers = peers?;
    peers.sort_by_key(|peer| peer.peer_key);
    let mut outputs: Vec<Output> = peers
        .iter()
        .map(|peer| Output {
            owner: peer.payout_key,
            amount: stakes.get(&peer.peer_key).copied().unwrap_or_default(),
            host: Some(peer.peer_key),
            lock: Lock::None,
        })
        .filter(|output| output.amount > Amount::ZERO)
        .collect();
    for (name, coins, amount) in WALLETS {
        let coin = Output::new(wallet_key(name).public(), amount);
        outputs.extend(std::iter::repeat_n(coin, coins));
    }
    outputs.extend_from_slice(setup.funding);
    Ok(Genesis {
        version: 1,
        parameters: Parameters {
            lag: setup.epochs.lag,
            period: setup.epochs.period,
            fee_min: FEE_MIN,
            data_free: true,
            time: wall_time(),
            ..Parameters::default()
        },
        peers: List::new(peers)?,
        outputs: List::new(outputs)?,
    })
}

fn secrets(index: usize) -> Secrets {
    let secret = |role: &str| {
        let seed = test_seed(&[b"peer", peer_name(index).as_bytes(), role.as_bytes()]);
        Secret::from_seed(*seed)
    };
    Secrets {
        peer: secret("peer"),
        event: secret("event"),
        transport: secret("transport"),
        payout: secret("payout"),
    }
}

fn peer_run(folder: &Path, index: usize, ports: Ports) -> PeerRun {
    let name = peer_name(index);
    PeerRun {
        home: folder.join(&name),
        log: folder.join(format!("{name}.log")),
        address: ports.address,
        http: ports.http,
        process: None,
        name,
    }
}

fn peer_name(index: usize) -> String {
    format!("peer-{index}")
}

/// The time of the genesis block. Two networks made in different milliseconds are different chains.
fn wall_time() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let milliseconds = since.map_or(0, |since| since.as_millis());
    Time::new(u64::try_from(milliseconds).unwrap_or_default())
}

#[cfg(test)]
mod tests;
