//! What all processes of a run have in common: the chain, the keys, the committee.

use dag::Committee;
use ledger::Genesis;
use ledger::genesis::{Parameters, Peer};
use ledger::tx::Output;
use primitives::Digest;
use primitives::codec::{Bytes, List};
use primitives::keys::{PublicKey, Signer};
use primitives::units::{Amount, Epoch, PeerIndex, Time};
use replica::Setup;
use replica::seat::committee;

use super::clock::WALL_START_MS;
use super::plan::Plan;
use crate::error::Error;
use crate::keys::{TestKey, test_key};

/// Coins of each wallet in the genesis, and what each is worth.
pub const COINS: usize = 64;
/// See [`COINS`].
pub const COIN: Amount = Amount::new(1_000);

/// Keys that are paid and never pay.
pub const STRANGERS: usize = 2;

/// The common ground of a run.
#[derive(Debug)]
pub struct World {
    /// The plan.
    pub plan: Plan,
    /// The genesis.
    pub genesis: Genesis,
    /// The chain's id.
    pub chain: Digest,
    /// The committees by epoch, of every epoch that some peer has come to. In that of epoch 0 a peer's
    /// number is its index.
    committees: Vec<Committee>,
    /// Which seed of keys each peer has: peers are numbered by ascending key.
    names: Vec<u64>,
    /// The public keys of the wallets, and of those that are only paid to.
    purses: Vec<PublicKey>,
}

impl World {
    /// The world of a plan.
    ///
    /// # Errors
    /// A plan without peers or with a stake that no genesis takes.
    pub fn new(plan: Plan) -> Result<Self, Error> {
        let mut names: Vec<(PublicKey, u64)> = (0..plan.stakes.len() as u64)
            .map(|name| (key(name, "peer").public(), name))
            .collect();
        names.sort_unstable();
        let names: Vec<u64> = names.into_iter().map(|(_, name)| name).collect();
        let purses: Vec<PublicKey> = (0..plan.workload.wallets + STRANGERS)
            .map(|wallet| Self::wallet(wallet).public())
            .collect();
        let genesis = genesis(&plan, &names, &purses)?;
        let chain = genesis.chain_id()?;
        let committee = committee(chain, Epoch::ZERO, genesis.committee()?)?;
        Ok(Self {
            plan,
            genesis,
            chain,
            committees: vec![committee],
            names,
            purses,
        })
    }

    /// How many peers there are.
    #[must_use]
    pub const fn peers(&self) -> usize {
        self.names.len()
    }

    /// The committee of an epoch that some peer has come to.
    #[must_use]
    pub fn committee(&self, epoch: Epoch) -> Option<&Committee> {
        self.committees.get(usize::try_from(epoch.get()).ok()?)
    }

    /// Every committee so far, by ascending epoch.
    #[must_use]
    pub fn committees(&self) -> &[Committee] {
        &self.committees
    }

    /// The peer at an index in an epoch's committee, if there is one.
    #[must_use]
    pub fn member(&self, epoch: Epoch, index: PeerIndex) -> Option<usize> {
        self.number(&self.committee(epoch)?.member(index).ok()?.key)
    }

    /// A peer has come to an epoch with this committee.
    pub fn meet(&mut self, committee: &Committee) {
        if committee.epoch().get() == self.committees.len() as u64 {
            self.committees.push(committee.clone());
        }
    }

    /// The peer key of a peer, by which others know it.
    #[must_use]
    pub fn key(&self, peer: usize) -> PublicKey {
        self.genesis.peers[peer].peer_key
    }

    /// The number of the peer with this peer key.
    #[must_use]
    pub fn number(&self, key: &PublicKey) -> Option<usize> {
        let place = self
            .genesis
            .peers
            .binary_search_by_key(key, |peer| peer.peer_key);
        place.ok()
    }

    /// The event key of a peer.
    #[must_use]
    pub fn signer(&self, peer: usize) -> Box<dyn Signer + Send> {
        Box::new(key(self.names[peer], "event"))
    }

    /// What a replica of a peer starts from.
    #[must_use]
    pub fn setup(&self, peer: usize) -> Setup {
        let Parameters {
            wait_ms_min,
            wait_ms_max,
            round_ms_min,
            ..
        } = self.genesis.parameters;
        Setup {
            genesis: self.genesis.clone(),
            signer: self.signer(peer),
            creation: consensus::creation::Parameters {
                wait_ms_min,
                wait_ms_max,
                round_ms_min,
                ..Default::default()
            },
            watermark: None,
        }
    }

    /// What a replica starts from that follows without a seat, in the place of a peer.
    #[must_use]
    pub fn observer(&self, peer: usize) -> Setup {
        Setup {
            signer: Box::new(key(self.names[peer], "observer")),
            ..self.setup(peer)
        }
    }

    /// The key that owns what a peer hosts of its own.
    #[must_use]
    pub fn payout(&self, peer: usize) -> TestKey {
        key(self.names[peer], "payout")
    }

    /// The key of a wallet.
    #[must_use]
    pub fn wallet(wallet: usize) -> TestKey {
        key(wallet as u64, "wallet")
    }

    /// The public key of a wallet, or after them of one that is only paid to.
    #[must_use]
    pub fn purse(&self, wallet: usize) -> PublicKey {
        self.purses[wallet]
    }

    /// The place of a wallet's coin among the outputs of the genesis.
    #[must_use]
    pub const fn coin(&self, wallet: usize, coin: usize) -> usize {
        self.names.len() + wallet * COINS + coin
    }
}

/// A peer's index in the committee of epoch 0.
#[must_use]
pub fn index(peer: usize) -> PeerIndex {
    PeerIndex(u16::try_from(peer).unwrap_or(u16::MAX))
}

fn key(name: u64, role: &str) -> TestKey {
    test_key(&[b"sim", role.as_bytes(), &name.to_le_bytes()])
}

fn genesis(plan: &Plan, names: &[u64], purses: &[PublicKey]) -> Result<Genesis, Error> {
    let mut peers = Vec::with_capacity(names.len());
    let mut outputs = Vec::new();
    for ((number, name), stake) in names.iter().enumerate().zip(&plan.stakes) {
        let public = |role| key(*name, role).public();
        let peer = Peer {
            name: Bytes::new(format!("peer-{number}").into_bytes())?,
            peer_key: public("peer"),
            event_key: public("event"),
            transport_key: public("transport"),
            payout_key: public("payout"),
        };
        outputs.push(Output {
            host: Some(peer.peer_key),
            ..Output::new(peer.payout_key, Amount::new(*stake))
        });
        peers.push(peer);
    }
    for purse in &purses[..plan.workload.wallets] {
        let coin = Output::new(*purse, COIN);
        outputs.extend(std::iter::repeat_n(coin, COINS));
    }
    let parameters = Parameters {
        lag: plan.chain.lag,
        period: plan.chain.period,
        data_free: true,
        time: Time::new(WALL_START_MS),
        ..Parameters::default()
    };
    Ok(Genesis {
        version: 1,
        parameters,
        peers: List::new(peers)?,
        outputs: List::new(outputs)?,
    })
}
