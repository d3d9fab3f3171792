//! Newcomers: how many at once, from where, and to which protocol.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use primitives::keys::PublicKey;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config::Limits;
use crate::error::CloseReason;
use crate::event::{EventSender, WalletEvent};
use crate::queue::lock;
use crate::stats::Counters;
use crate::tls::{GOSSIP, WALLET};
use crate::transport::{HANDSHAKE_TIMEOUT, close, other_side, raise_to_peer};
use crate::wallets::Sessions;

/// Who waits for a dial: the peers with a lower key than ours.
pub(crate) type Doors = BTreeMap<PublicKey, mpsc::Sender<quinn::Connection>>;

/// Takes newcomers in.
#[derive(Debug)]
pub(crate) struct Acceptor {
    pub(crate) doors: Doors,
    /// Peers with a higher key than ours, which we dial.
    pub(crate) dialled: Vec<PublicKey>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) events: EventSender<WalletEvent>,
    pub(crate) limits: Limits,
}

/// What is done with a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accept,
    ProveAddress,
    Refuse,
}

/// A /24 of IPv4 or a /48 of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Network {
    V4([u8; 3]),
    V6([u8; 6]),
}

/// Handshakes in flight by network.
#[derive(Debug, Default)]
struct Flights {
    networks: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_network: BTreeMap<Network, usize>,
}

/// One handshake in flight, until dropped.
struct Flight {
    flights: Arc<Flights>,
    network: Network,
}

impl Acceptor {
    /// Accepts until the endpoint is closed.
    pub(crate) async fn run(self, endpoint: quinn::Endpoint) {
        let acceptor = Arc::new(self);
        let flights = Arc::new(Flights::default());
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                incoming = endpoint.accept() => {
                    let Some(incoming) = incoming else { return };
                    if let Some((incoming, flight)) = acceptor.judge(incoming, &flights) {
                        tasks.spawn(Arc::clone(&acceptor).welcome(incoming, flight));
                    }
                }
                Some(_) = tasks.join_next() => {}
            }
        }
    }

    fn judge(
        &self,
        incoming: quinn::Incoming,
        flights: &Arc<Flights>,
    ) -> Option<(quinn::Incoming, Flight)> {
        let network = Network::of(incoming.remote_address().ip());
        let proven = incoming.remote_address_validated() || !incoming.may_retry();
        let verdict = lock(&flights.networks).judge(network, proven, &self.limits);
        match verdict {
            Verdict::Accept => Some((incoming, Flight::start(flights, network))),
            Verdict::ProveAddress => {
                self.counters.handshakes_retried.add(1);
                // Refused only to one that has proven its address, which this one has not.
                let _ = incoming.retry();
                None
            }
            Verdict::Refuse => {
                self.counters.handshakes_refused.add(1);
                incoming.refuse();
                None
            }
        }
    }

    /// The handshake, then the protocol that the newcomer chose.
    async fn welcome(self: Arc<Self>, incoming: quinn::Incoming, flight: Flight) {
        let connection = match timeout(HANDSHAKE_TIMEOUT, incoming).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(_)) | Err(_) => {
                self.counters.handshakes_failed.add(1);
                return;
            }
        };
        drop(flight);
        match other_side(&connection) {
            Some((key, protocol)) if protocol == GOSSIP => self.welcome_peer(connection, &key),
            Some((key, protocol)) if protocol == WALLET => {
                let events = self.events.clone();
                self.sessions.serve(connection, key, events).await;
            }
            // TLS lets nobody through without a key and a protocol of ours.
            Some(_) | None => {
                self.counters.handshakes_failed.add(1);
                close(&connection, CloseReason::Malformed);
            }
        }
    }

    fn welcome_peer(&self, connection: quinn::Connection, key: &PublicKey) {
        let Some(door) = self.doors.get(key) else {
            self.counters.peers_refused.add(1);
            let reason = if self.dialled.contains(key) {
                CloseReason::WrongDialer
            } else {
                CloseReason::UnknownPeer
            };
            close(&connection, reason);
            return;
        };
        raise_to_peer(&connection);
        if let Err(error) = door.try_send(connection) {
            close(&error.into_inner(), CloseReason::Replaced);
        }
    }
}

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, ..] = address.octets();
                Self::V6([a, b, c, d, e, f])
            }
        }
    }
}

impl Counts {
    fn judge(&self, network: Network, proven: bool, limits: &Limits) -> Verdict {
        let here = self.by_network.get(&network).copied().unwrap_or(0);
        if self.total >= limits.handshakes || here >= limits.handshakes_per_network {
            Verdict::Refuse
        } else if self.total >= limits.handshakes_unproven && !proven {
            Verdict::ProveAddress
        } else {
            Verdict::Accept
        }
    }
}

impl Flight {
    fn start(flights: &Arc<Flights>, network: Network) -> Self {
        let mut counts = lock(&flights.networks);
        counts.total += 1;
        *counts.by_network.entry(network).or_insert(0) += 1;
        Self {
            flights: Arc::clone(flights),
            network,
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut counts = lock(&self.flights.networks);
        counts.total -= 1;
        if let Some(count) = counts.by_network.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.by_network.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests;
