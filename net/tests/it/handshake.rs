//! Handshakes that must fail, and newcomers that are too many.

use std::sync::Arc;

use primus_net::{Client, CloseReason, Error, Limits, PeerEvent, Served, WalletEvent};
use quinn::crypto::rustls::QuicClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

use crate::support::{
    Key, chain, config, keys, loopback, next_peer, next_wallet, peer, serve, soon, until,
};

async fn connect(host: &Served, expected: Key, network: u8, wallet: Key) -> Result<(), Error> {
    let address = host.endpoint.local_address();
    let connecting = Client::connect(address, expected.public, chain(network), wallet.secret());
    soon(connecting).await.map(drop)
}

async fn dial_failure(served: &mut Served) -> Error {
    let event = next_peer(served).await;
    let PeerEvent::DialFailed { reason, .. } = event else {
        panic!("{event:?} where a failed dial was due");
    };
    reason
}

#[tokio::test]
async fn another_key_than_the_pinned_one_ends_the_handshake() {
    let [lower, expected, found] = keys();
    let host = serve(found, config(&[peer(lower, loopback())]));
    let wrong = Error::WrongKey {
        expected: expected.public,
        found: found.public,
    };
    assert_eq!(wrong.culprit(), Some(&found.public));
    assert_eq!(connect(&host, expected, 1, lower).await, Err(wrong.clone()));
    let address = host.endpoint.local_address();
    let mut dialler = serve(lower, config(&[peer(expected, address)]));
    assert_eq!(dial_failure(&mut dialler).await, wrong);
    until(|| host.endpoint.stats().handshakes_failed >= 2).await;
    assert_eq!(host.endpoint.stats().wallet_sessions, 0);
}

#[tokio::test]
async fn a_peer_that_is_not_listed_is_refused_with_the_reason() {
    let [lower, higher] = keys();
    let host = serve(higher, config(&[]));
    let mut dialler = serve(
        lower,
        config(&[peer(higher, host.endpoint.local_address())]),
    );
    let reason = CloseReason::UnknownPeer;
    assert_eq!(dial_failure(&mut dialler).await, Error::Closed { reason });
    assert!(host.endpoint.stats().peers_refused >= 1);
    assert_eq!(host.endpoint.stats().peers_connected, 0);
}

#[tokio::test]
async fn an_endpoint_of_another_chain_is_not_believed() {
    let [lower, higher] = keys();
    let mut settings = config(&[peer(lower, loopback())]);
    settings.chain = chain(2);
    let host = serve(higher, settings);
    let wrong = Error::WrongSignature { key: higher.public };
    assert_eq!(connect(&host, higher, 1, lower).await, Err(wrong.clone()));
    let mut dialler = serve(
        lower,
        config(&[peer(higher, host.endpoint.local_address())]),
    );
    assert_eq!(dial_failure(&mut dialler).await, wrong);
    until(|| host.endpoint.stats().handshakes_failed >= 2).await;
    assert_eq!(connect(&host, higher, 2, lower).await, Ok(()));
}

/// Trusts whatever it is shown, in the manner that a case asks for.
#[derive(Debug)]
struct Gullible {
    scheme: SignatureScheme,
    raw_keys: bool,
}

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![self.scheme]
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.raw_keys
    }
}

#[tokio::test]
async fn certificates_other_schemes_other_protocols_and_nameless_wallets_are_refused() {
    let ours = SignatureScheme::Unknown(0xfe50);
    let wallet = &b"primus-wallet/1"[..];
    let cases = [
        ("certificates only", ours, false, wallet),
        ("another scheme", SignatureScheme::ED25519, true, wallet),
        ("another protocol", ours, true, &b"h3"[..]),
        ("no key of its own", ours, true, wallet),
    ];
    let [host] = keys();
    let mut host = serve(host, config(&[]));
    for (count, (case, scheme, raw_keys, protocol)) in (1..).zip(cases) {
        let provider = Arc::new(default_provider());
        let mut crypto = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Gullible { scheme, raw_keys }))
            .with_no_client_auth();
        crypto.alpn_protocols = vec![protocol.to_vec()];
        let crypto = QuicClientConfig::try_from(crypto).unwrap();
        let settings = quinn::ClientConfig::new(Arc::new(crypto));
        let socket = quinn::Endpoint::client(loopback()).unwrap();
        let address = host.endpoint.local_address();
        let connecting = socket.connect_with(settings, address, "primus").unwrap();
        // A client may believe that it is connected until the server has looked for its key.
        let ended = match soon(connecting).await {
            Ok(connection) => soon(connection.closed()).await,
            Err(error) => error,
        };
        let alert = matches!(ended, quinn::ConnectionError::ConnectionClosed(_));
        assert!(alert, "{case}: {ended:?}");
        until(|| host.endpoint.stats().handshakes_failed == count).await;
    }
    assert_eq!(host.wallets.try_recv(), None);
}

#[tokio::test]
async fn newcomers_prove_their_address_when_many_handshakes_are_in_flight() {
    let [key, wallet] = keys();
    let mut settings = config(&[]);
    settings.limits = Limits {
        handshakes_unproven: 0,
        ..Limits::default()
    };
    let mut host = serve(key, settings);
    assert_eq!(connect(&host, key, 1, wallet).await, Ok(()));
    assert!(matches!(
        next_wallet(&mut host).await,
        WalletEvent::Up { .. }
    ));
    assert!(host.endpoint.stats().handshakes_retried >= 1);
}

#[tokio::test]
async fn newcomers_are_refused_when_too_many_handshakes_are_in_flight() {
    let [key, wallet] = keys();
    for (handshakes, handshakes_per_network) in [(0, 1), (1, 0)] {
        let mut settings = config(&[]);
        settings.limits = Limits {
            handshakes,
            handshakes_per_network,
            ..Limits::default()
        };
        let host = serve(key, settings);
        assert_eq!(connect(&host, key, 1, wallet).await, Err(Error::Refused));
        assert_eq!(host.endpoint.stats().handshakes_refused, 1);
    }
}
