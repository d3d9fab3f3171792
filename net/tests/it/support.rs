//! Keys, endpoints and patience.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use primitives::Digest;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{PublicKey, SecretKey, Signer};
use primus_net::{Config, Endpoint, Limits, PeerAddress, PeerEvent, Served, WalletEvent};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

/// Far more than anything here takes, so that only a hang fails by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits, but not for ever.
pub(crate) async fn soon<T>(awaited: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, awaited)
        .await
        .expect("what a test waited for did not happen")
}

/// Waits until `condition` holds.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    soon(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A transport key that is the same in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) public: PublicKey,
    number: u8,
}

impl Key {
    pub(crate) fn secret(self) -> SecretKey<ChaCha12Rng> {
        let seed = derive(Domain::TestKey, &[&[self.number]]);
        SecretKey::from_seed(&Zeroizing::new(seed.0), ChaCha12Rng::from_seed(seed.0))
    }
}

/// `N` keys, the lowest first.
pub(crate) fn keys<const N: usize>() -> [Key; N] {
    let mut number = 0;
    let mut keys = [(); N].map(|()| {
        number += 1;
        let unknown = Key {
            public: PublicKey::default(),
            number,
        };
        Key {
            public: unknown.secret().public(),
            number,
        }
    });
    keys.sort();
    keys
}

pub(crate) fn chain(number: u8) -> Digest {
    derive(Domain::Chain, &[&[number]])
}

pub(crate) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// A peer at the address where it listens, or at any if it is the one that dials.
pub(crate) const fn peer(key: Key, address: SocketAddr) -> PeerAddress {
    PeerAddress {
        key: key.public,
        address,
    }
}

pub(crate) fn config(peers: &[PeerAddress]) -> Config {
    Config {
        listen: loopback(),
        chain: chain(1),
        peers: peers.to_vec(),
        limits: Limits::default(),
        link_faults: false,
    }
}

pub(crate) fn serve(key: Key, config: Config) -> Served {
    Endpoint::serve(config, key.secret()).expect("an endpoint")
}

/// Serves as soon as the port of a former endpoint is free.
pub(crate) async fn serve_again(key: Key, config: Config) -> Served {
    let mut served = None;
    until(|| {
        served = Endpoint::serve(config.clone(), key.secret()).ok();
        served.is_some()
    })
    .await;
    served.expect("an endpoint")
}

/// Two peers that know each other, the lower first, both up.
pub(crate) async fn pair(limits: Limits) -> (Served, Served) {
    let [lower, higher] = keys();
    let mut settings = config(&[peer(lower, loopback())]);
    settings.limits = limits;
    let mut second = serve(higher, settings);
    let mut settings = config(&[peer(higher, second.endpoint.local_address())]);
    settings.limits = limits;
    let mut first = serve(lower, settings);
    expect_up(&mut first, higher).await;
    expect_up(&mut second, lower).await;
    (first, second)
}

/// The next event; measured delays come whenever they do and are passed over.
pub(crate) async fn next_peer(served: &mut Served) -> PeerEvent {
    loop {
        let event = soon(served.peers.recv()).await.expect("an event");
        if !matches!(event, PeerEvent::Delay { .. }) {
            return event;
        }
    }
}

pub(crate) async fn next_wallet(served: &mut Served) -> WalletEvent {
    soon(served.wallets.recv()).await.expect("an event")
}

/// Waits for a peer to come up; dials that fail before are no fault.
pub(crate) async fn expect_up(served: &mut Served, key: Key) {
    let mut event = next_peer(served).await;
    while matches!(event, PeerEvent::DialFailed { peer, .. } if peer == key.public) {
        event = next_peer(served).await;
    }
    assert_eq!(event, PeerEvent::Up { peer: key.public });
}
