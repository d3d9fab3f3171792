//! TLS 1.3 between transport keys: raw public keys (RFC 7250), schnorrkel signatures under a
//! private signature scheme, over the chain id.

use std::fmt;
use std::sync::{Arc, Mutex};

use primitives::Digest;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{PublicKey, Role, Signature, Signer};
use primitives::units::{Epoch, Round};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{cipher_suite, default_provider, kx_group};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, PeerIncompatible,
    SignatureAlgorithm, SignatureScheme,
};

use crate::error::Error;
use crate::queue::lock;

/// The protocol between peers.
pub(crate) const GOSSIP: &[u8] = b"primus-gossip/1";
/// The protocol between a wallet and its host.
pub(crate) const WALLET: &[u8] = b"primus-wallet/1";
/// The name that TLS asks for and nobody sends or checks.
pub(crate) const SERVER_NAME: &str = "primus";
/// Ours, from the range for private use (RFC 8446, 4.2.3).
const SCHEME: SignatureScheme = SignatureScheme::Unknown(0xfe50);
/// What precedes the 32 bytes of a key: SubjectPublicKeyInfo { { algorithm }, bit string }.
///
/// The algorithm is `2.25.320283293246634685712727440712177367318`, an arc that needs no registry
/// (ITU-T X.667).
const KEY_PREFIX: [u8; 29] = [
    0x30, 0x3b, 0x30, 0x16, 0x06, 0x14, 0x69, 0x83, 0xe1, 0xf4, 0xa8, 0xe2, 0xc6, 0xc0, 0xe2, 0x95,
    0xdf, 0x80, 0xac, 0x81, 0xb9, 0x86, 0xb5, 0xf4, 0xf2, 0x16, 0x03, 0x21, 0x00,
];

/// Our own key on one chain, as TLS uses it.
#[derive(Clone)]
pub(crate) struct Identity(Arc<Inner>);

struct Inner {
    // One thread signs at a time; a signature takes 30 us.
    signer: Mutex<Box<dyn Signer + Send>>,
    public: PublicKey,
    chain: Digest,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({:?})", self.0.public)
    }
}

impl Identity {
    pub(crate) fn new(signer: Box<dyn Signer + Send>, chain: Digest) -> Self {
        let public = signer.public();
        Self(Arc::new(Inner {
            signer: Mutex::new(signer),
            public,
            chain,
        }))
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.0.public
    }

    /// A secret of this key that is the same after every restart.
    pub(crate) fn lasting_secret(&self) -> Digest {
        let last = (Epoch::new(u64::MAX), Round::new(u64::MAX));
        let beacon = lock(&self.0.signer).beacon(&self.0.chain, last.0, last.1);
        derive(Domain::Handshake, &[b"lasting secret", &beacon.pre_output])
    }

    /// The server's side, for both protocols.
    ///
    /// # Errors
    /// [`Error::Settings`], if rustls refuses them.
    pub(crate) fn server(&self) -> Result<rustls::ServerConfig, Error> {
        let verifier = AnyKey {
            chain: self.0.chain,
        };
        let mut config = rustls::ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|_| Error::Settings)?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(
                self.certified(),
            )));
        config.alpn_protocols = vec![GOSSIP.to_vec(), WALLET.to_vec()];
        config.max_early_data_size = 0;
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(config)
    }

    /// The client's side for one protocol, which accepts `expected` alone.
    ///
    /// # Errors
    /// [`Error::Settings`], if rustls refuses them.
    pub(crate) fn client(
        &self,
        protocol: &[u8],
        expected: PublicKey,
    ) -> Result<(rustls::ClientConfig, Fault), Error> {
        let fault = Fault::default();
        let verifier = OneKey {
            expected,
            chain: self.0.chain,
            fault: fault.clone(),
        };
        let mut config = rustls::ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|_| Error::Settings)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(
                self.certified(),
            )));
        config.alpn_protocols = vec![protocol.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        Ok((config, fault))
    }

    fn certified(&self) -> Arc<CertifiedKey> {
        let key = CertificateDer::from(wrap(&self.0.public));
        Arc::new(CertifiedKey::new(vec![key], Arc::new(self.clone())))
    }
}

impl SigningKey for Identity {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        offered
            .contains(&SCHEME)
            .then(|| -> Box<dyn rustls::sign::Signer> { Box::new(self.clone()) })
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(wrap(&self.0.public)))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Unknown(0xfe)
    }
}

impl rustls::sign::Signer for Identity {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let digest = derive(Domain::Handshake, &[message]);
        let signature = lock(&self.0.signer).sign(Role::Tls, &self.0.chain, &digest);
        Ok(signature.0.to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
}

/// Why our verifier refused the last handshake of a dialer; TLS itself keeps only an alert.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fault(Arc<Mutex<Option<Error>>>);

impl Fault {
    pub(crate) fn take(&self) -> Option<Error> {
        lock(&self.0).take()
    }

    fn keep(&self, error: Error) {
        *lock(&self.0) = Some(error);
    }
}

/// The key of a transport identity as it was shown in a handshake, if it is one.
pub(crate) fn unwrap(certificate: &CertificateDer<'_>) -> Option<PublicKey> {
    let key = certificate.as_ref().strip_prefix(&KEY_PREFIX)?;
    key.try_into().ok().map(PublicKey)
}

fn wrap(key: &PublicKey) -> Vec<u8> {
    [KEY_PREFIX.as_slice(), &key.0].concat()
}

/// AES-128 and ChaCha20 (each at 128 bits or more) and X25519, nothing else.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![kx_group::X25519],
        ..default_provider()
    })
}

/// Checks that `certificate`'s key signed `message` on `chain`.
fn verify(
    chain: &Digest,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    let bad = || rustls::Error::InvalidCertificate(CertificateError::BadSignature);
    if signed.scheme != SCHEME {
        return Err(bad());
    }
    let key = unwrap(certificate).ok_or_else(bad)?;
    let signature = signed.signature().try_into().map_err(|_| bad())?;
    let digest = derive(Domain::Handshake, &[message]);
    key.to_verifying()
        .and_then(|key| key.verify(Role::Tls, chain, &digest, &Signature(signature)))
        .map(|()| HandshakeSignatureValid::assertion())
        .map_err(|_| bad())
}

fn not_a_key() -> rustls::Error {
    rustls::Error::InvalidCertificate(CertificateError::BadEncoding)
}

fn only_tls13() -> rustls::Error {
    rustls::Error::PeerIncompatible(PeerIncompatible::Tls13RequiredForQuic)
}

/// The dialer's check: one key alone.
#[derive(Debug)]
struct OneKey {
    expected: PublicKey,
    chain: Digest,
    fault: Fault,
}

impl ServerCertVerifier for OneKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(found) = unwrap(end_entity) else {
            self.fault.keep(Error::NoKey);
            return Err(not_a_key());
        };
        if found != self.expected {
            self.fault.keep(Error::WrongKey {
                expected: self.expected,
                found,
            });
            return Err(rustls::Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ));
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(only_tls13())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify(&self.chain, message, cert, dss).inspect_err(|_| {
            self.fault
                .keep(Error::WrongSignature { key: self.expected });
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SCHEME]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// The accepting side's check: any key that signs on the chain; who may do what is decided after.
#[derive(Debug)]
struct AnyKey {
    chain: Digest,
}

impl ClientCertVerifier for AnyKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        unwrap(end_entity)
            .map(|_| ClientCertVerified::assertion())
            .ok_or_else(not_a_key)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(only_tls13())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify(&self.chain, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SCHEME]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
