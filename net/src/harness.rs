//! What the unit tests share: keys, chains, endpoints, and raw connections that misbehave.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use primitives::Digest;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{PublicKey, SecretKey, Signer};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

use crate::config::{Config, Limits, PeerAddress};
use crate::endpoint::{Endpoint, Served};
use crate::tls::{Fault, Identity, SERVER_NAME};
use crate::transport::dialling;

/// Far more than anything here takes, so that only a hang fails by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits, but not for ever.
pub(crate) async fn soon<T>(awaited: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, awaited)
        .await
        .expect("what a test waited for did not happen")
}

/// Waits until `condition` holds.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    soon(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

pub(crate) fn secret(number: u8) -> SecretKey<ChaCha12Rng> {
    let seed = derive(Domain::TestKey, &[&[number]]);
    SecretKey::from_seed(&Zeroizing::new(seed.0), ChaCha12Rng::from_seed(seed.0))
}

pub(crate) fn chain(number: u8) -> Digest {
    derive(Domain::Chain, &[&[number]])
}

/// The numbers of two keys, the lower key first.
pub(crate) fn lower_and_higher() -> (u8, u8) {
    if secret(1).public() < secret(2).public() {
        (1, 2)
    } else {
        (2, 1)
    }
}

pub(crate) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// An endpoint that expects the given keys to dial it.
pub(crate) fn serve(own: u8, dialled_by: &[u8], limits: Limits) -> Served {
    let config = Config {
        listen: loopback(),
        chain: chain(1),
        peers: dialled_by
            .iter()
            .map(|number| PeerAddress {
                key: secret(*number).public(),
                address: loopback(),
            })
            .collect(),
        limits,
        link_faults: false,
    };
    Endpoint::serve(config, secret(own)).expect("an endpoint")
}

/// A connection made by hand, with the socket that carries it.
pub(crate) async fn dial(
    served: &Served,
    own: u8,
    settings: impl FnOnce(&Identity, PublicKey) -> Result<(quinn::ClientConfig, Fault), crate::Error>,
) -> (quinn::Endpoint, quinn::Connection) {
    let identity = Identity::new(Box::new(secret(own)), chain(1));
    let (config, _) = settings(&identity, served.endpoint.public()).expect("settings");
    let address = served.endpoint.local_address();
    let socket = dialling(address).expect("a socket");
    let connecting = socket.connect_with(config, address, SERVER_NAME);
    let connection = soon(connecting.expect("a dial"))
        .await
        .expect("a connection");
    (socket, connection)
}
