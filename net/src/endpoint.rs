//! The handle: start, send, reply, count, close.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use primitives::keys::{PublicKey, Signer};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::accept::{Acceptor, Doors};
use crate::config::Config;
use crate::error::{CloseReason, Error, LinkError, SendError};
use crate::event::{EventSender, Events, PeerEvent, WalletEvent, channel};
use crate::frame::{Lane, code};
use crate::peers::{ARRIVALS_MAX, Peer, PeerTask};
use crate::queue::lock;
use crate::shim::{Link, Links, Shim};
use crate::stats::{Counters, Stats};
use crate::tls::Identity;
use crate::transport::{peer_dialler, serving};
use crate::wallets::Sessions;

/// A handle on one UDP port that serves peers and wallets. Clones are handles on the same port;
/// when the last one is dropped, everything behind it stops.
#[derive(Clone)]
pub struct Endpoint {
    inner: Arc<Inner>,
}

/// A started endpoint and what it tells.
#[derive(Debug)]
pub struct Served {
    /// The handle.
    pub endpoint: Endpoint,
    /// What happens with peers.
    pub peers: Events<PeerEvent>,
    /// What happens with wallets.
    pub wallets: Events<WalletEvent>,
}

/// Whether more replies follow on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// More may follow, as in a subscription.
    More,
    /// This is the last one.
    Last,
}

struct Inner {
    quinn: quinn::Endpoint,
    public: PublicKey,
    address: SocketAddr,
    peers: BTreeMap<PublicKey, Arc<Peer>>,
    sessions: Arc<Sessions>,
    counters: Arc<Counters>,
    links: Option<Arc<Links>>,
    tasks: Mutex<JoinSet<()>>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            public, address, ..
        } = &*self.inner;
        write!(f, "Endpoint({public:?} at {address})")
    }
}

impl Endpoint {
    /// Binds the port, dials the peers with a higher key, and accepts the others and wallets.
    /// `secret` is the transport key. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Socket`] if the port cannot be bound; [`Error::Settings`] if the
    /// transport library refuses our settings, which no input can cause.
    pub fn serve(config: Config, secret: impl Signer + Send + 'static) -> Result<Served, Error> {
        let Config {
            listen,
            chain,
            peers: addresses,
            limits,
            link_faults,
        } = config;
        let identity = Identity::new(Box::new(secret), chain);
        let links = link_faults.then(Arc::<Links>::default);
        let mut tasks = JoinSet::new();
        let quinn = serving(listen, &identity, |socket| match &links {
            Some(links) => {
                tasks.spawn(Arc::clone(links).run(Arc::clone(&socket)));
                let links = Arc::clone(links);
                Arc::new(Shim { socket, links })
            }
            None => socket,
        })?;
        let address = quinn
            .local_addr()
            .map_err(|error| Error::Socket { kind: error.kind() })?;
        let counters = Arc::new(Counters::default());
        let sessions = Arc::new(Sessions::new(limits, Arc::clone(&counters)));
        let (peer_sender, peer_events) = channel(limits.peer_events);
        let (wallet_sender, wallet_events) = channel(limits.wallet_events);
        let peers: BTreeMap<_, _> = addresses
            .into_iter()
            .filter(|address| address.key != identity.public())
            .map(|address| (address.key, Arc::new(Peer::new(address, &limits))))
            .collect();
        let acceptor = Acceptor {
            doors: start_peers(
                &mut tasks,
                &peers,
                (&quinn, &identity),
                (&counters, &peer_sender),
            )?,
            dialled: peers
                .keys()
                .copied()
                .filter(|key| *key > identity.public())
                .collect(),
            sessions: Arc::clone(&sessions),
            counters: Arc::clone(&counters),
            events: wallet_sender,
            limits,
        };
        tasks.spawn(acceptor.run(quinn.clone()));
        let inner = Inner {
            quinn,
            public: identity.public(),
            address,
            peers,
            sessions,
            counters,
            links,
            tasks: Mutex::new(tasks),
        };
        Ok(Served {
            endpoint: Self {
                inner: Arc::new(inner),
            },
            peers: peer_events,
            wallets: wallet_events,
        })
    }

    /// Queues a frame for a peer. Never blocks, and never copies `bytes`.
    ///
    /// # Errors
    /// [`SendError`]; the frame is then not queued.
    pub fn send(&self, peer: &PublicKey, lane: Lane, bytes: Bytes) -> Result<(), SendError> {
        let peer = self.inner.peers.get(peer).ok_or(SendError::NotConnected)?;
        let sent = peer.send(lane, bytes);
        if sent == Err(SendError::QueueFull) {
            self.inner.counters.lane_frames_refused.add(1);
        }
        sent
    }

    /// Queues a reply to a wallet's request. Never blocks; after [`Part::Last`] the request is over.
    ///
    /// # Errors
    /// [`SendError`]; the reply is then not queued. [`SendError::NotConnected`] also when the
    /// wallet has taken its request back, as at the end of a subscription.
    pub fn reply(
        &self,
        session: u64,
        request: u64,
        bytes: Bytes,
        part: Part,
    ) -> Result<(), SendError> {
        self.inner.sessions.reply(session, request, bytes, part)
    }

    /// Does from now on to what we send to a peer what `link` says; the default heals it. Several
    /// peers at one address share a link.
    ///
    /// # Errors
    /// [`LinkError`]; nothing has changed then.
    pub fn set_link(&self, peer: &PublicKey, link: Link) -> Result<(), LinkError> {
        let links = self.inner.links.as_ref().ok_or(LinkError::Off)?;
        let peer = self.inner.peers.get(peer).ok_or(LinkError::NoPeer)?;
        link.check()?;
        links.set(peer.address(), link);
        Ok(())
    }

    /// As [`Self::set_link`] for every peer: those that `all` does not name are healed.
    ///
    /// # Errors
    /// [`LinkError`]; nothing has changed then.
    pub fn set_links(&self, all: &BTreeMap<PublicKey, Link>) -> Result<(), LinkError> {
        let links = self.inner.links.as_ref().ok_or(LinkError::Off)?;
        let peers = &self.inner.peers;
        let mut damaged = Vec::with_capacity(all.len());
        for (key, link) in all {
            link.check()?;
            damaged.push((peers.get(key).ok_or(LinkError::NoPeer)?, *link));
        }
        // First, for a peer that is not named may share its address with one that is.
        for (_, peer) in peers.iter().filter(|(key, _)| !all.contains_key(key)) {
            links.set(peer.address(), Link::default());
        }
        for (peer, link) in damaged {
            links.set(peer.address(), link);
        }
        Ok(())
    }

    /// The damaged links, by the peer at their other end.
    ///
    /// # Errors
    /// [`LinkError::Off`].
    pub fn links(&self) -> Result<BTreeMap<PublicKey, Link>, LinkError> {
        let links = self.inner.links.as_ref().ok_or(LinkError::Off)?;
        let peers = self.inner.peers.iter();
        Ok(peers
            .map(|(key, peer)| (*key, links.get(peer.address())))
            .filter(|(_, link)| !link.is_healthy())
            .collect())
    }

    /// What was counted since the start.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.counters.read()
    }

    /// Where the endpoint listens.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.inner.address
    }

    /// Our transport key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.inner.public
    }

    /// Stops every task, closes every connection, and waits until the others have been told. What
    /// is queued is not sent any more; both [`Events`] end. The port is free soon after the last
    /// handle is dropped.
    pub async fn close(&self) {
        lock(&self.inner.tasks).abort_all();
        self.inner.quinn.close(code(CloseReason::Stopping), &[]);
        self.inner.quinn.wait_idle().await;
    }
}

/// Starts a task for each peer; the doors of those that dial us.
fn start_peers(
    tasks: &mut JoinSet<()>,
    peers: &BTreeMap<PublicKey, Arc<Peer>>,
    (quinn, identity): (&quinn::Endpoint, &Identity),
    (counters, events): (&Arc<Counters>, &EventSender<PeerEvent>),
) -> Result<Doors, Error> {
    let mut doors = Doors::new();
    for (key, peer) in peers {
        let task = PeerTask {
            peer: Arc::clone(peer),
            counters: Arc::clone(counters),
            events: events.clone(),
        };
        if identity.public() < *key {
            let config = peer_dialler(identity, *key)?;
            tasks.spawn(task.dial(quinn.clone(), identity.clone(), config));
        } else {
            let (door, arrivals) = mpsc::channel(ARRIVALS_MAX);
            doors.insert(*key, door);
            tasks.spawn(task.wait(arrivals));
        }
    }
    Ok(doors)
}
