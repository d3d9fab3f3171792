//! QUIC settings and the socket.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use primitives::Digest;
use primitives::digest::keyed;
use primitives::keys::PublicKey;
use quinn::crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig};
use quinn::crypto::{CryptoError, HmacKey};
use quinn::{AsyncUdpSocket, Runtime, TokioRuntime, TransportConfig, VarInt};
use quinn_proto::RandomConnectionIdGenerator;
use rustls::pki_types::CertificateDer;
use socket2::{Domain, Protocol, Socket, Type};

use crate::error::{CloseReason, Error};
use crate::frame::code;
use crate::tls::{self, Fault, Identity};

/// A handshake, and a peer's opening of its lanes, may take this long.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Streams that a peer may have open: (bidirectional, unidirectional).
const PEER_STREAMS: (u32, u32) = (64, 16);
/// Streams that a wallet may have open; one bidirectional stream is one request.
const WALLET_STREAMS: (u32, u32) = (16, 4);
/// Bytes in flight on a peer's connection.
const PEER_WINDOW: u32 = 8 * 1024 * 1024;
/// Bytes in flight on one of a peer's streams.
const PEER_STREAM_WINDOW: u32 = 1024 * 1024;
/// Bytes in flight from a wallet to its host.
const WALLET_WINDOW: u32 = 1024 * 1024;
/// Bytes in flight on one stream from a host to a wallet.
const REPLY_STREAM_WINDOW: u32 = 256 * 1024;
/// Bytes in flight from a host to a wallet: every request may be open and only one be read, so each
/// stream has its own share and a reply that nobody reads holds up no other.
const REPLY_WINDOW: u32 = WALLET_STREAMS.0 * REPLY_STREAM_WINDOW;
/// Asked of the kernel, which may give less.
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// The assumed round trip before the first measured one: a lost first packet is sent again after
/// three of these, so that peers that start together meet within a second.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(50);
/// Bytes of a connection id: too many to guess, few enough for every packet.
const CONNECTION_ID_BYTES: usize = 8;
/// Handshakes that wait to be looked at.
const INCOMING_MAX: usize = 4_096;

/// The socket, wrapped, and the QUIC endpoint that serves both protocols and dials peers.
///
/// # Errors
/// [`Error::Socket`], [`Error::Settings`].
pub(crate) fn serving(
    listen: SocketAddr,
    identity: &Identity,
    wrap: impl FnOnce(Arc<dyn AsyncUdpSocket>) -> Arc<dyn AsyncUdpSocket>,
) -> Result<quinn::Endpoint, Error> {
    let crypto = QuicServerConfig::try_from(identity.server()?).map_err(|_| Error::Settings)?;
    let mut server = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    // The dialer alone keeps the connection alive, and the shorter idle time of the two holds. Each
    // connection starts within the bounds of a wallet and is raised by `raise_to_peer`; a stream's
    // window cannot be changed, but that of its connection bounds it. Nor can migration be told
    // apart: it stays on for wallets that roam, and for peers the keys of the connection decide.
    let mut transport = shared_transport(WALLET_STREAMS, WALLET_WINDOW, PEER_STREAM_WINDOW);
    transport.max_idle_timeout(Some(VarInt::from_u32(60_000).into()));
    server.transport_config(Arc::new(transport));
    server.max_incoming(INCOMING_MAX);
    // A restarted endpoint tells its old connections at once that they are gone (RFC 9000, 10.3):
    // its reset tokens are those from before, and it answers any connection id.
    let mut config = quinn::EndpointConfig::new(Arc::new(ResetKey(identity.lasting_secret())));
    config.cid_generator(|| Box::new(RandomConnectionIdGenerator::new(CONNECTION_ID_BYTES)));
    bind(listen, config, Some(server), wrap)
}

/// The socket and the QUIC endpoint of a wallet that dials `address`.
///
/// # Errors
/// [`Error::Socket`], [`Error::Settings`].
pub(crate) fn dialling(address: SocketAddr) -> Result<quinn::Endpoint, Error> {
    let any = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    bind(any, quinn::EndpointConfig::default(), None, |socket| socket)
}

/// How a peer dials the peer `expected`.
///
/// # Errors
/// [`Error::Settings`].
pub(crate) fn peer_dialler(
    identity: &Identity,
    expected: PublicKey,
) -> Result<(quinn::ClientConfig, Fault), Error> {
    let mut transport = shared_transport(PEER_STREAMS, PEER_WINDOW, PEER_STREAM_WINDOW);
    transport.max_idle_timeout(Some(VarInt::from_u32(20_000).into()));
    transport.keep_alive_interval(Some(Duration::from_secs(5)));
    dialler(identity, tls::GOSSIP, expected, transport)
}

/// How a wallet dials its host `expected`.
///
/// # Errors
/// [`Error::Settings`].
pub(crate) fn wallet_dialler(
    identity: &Identity,
    expected: PublicKey,
) -> Result<(quinn::ClientConfig, Fault), Error> {
    let mut transport = shared_transport(WALLET_STREAMS, REPLY_WINDOW, REPLY_STREAM_WINDOW);
    transport.send_window(WALLET_WINDOW.into());
    transport.max_idle_timeout(Some(VarInt::from_u32(60_000).into()));
    transport.keep_alive_interval(Some(Duration::from_secs(15)));
    dialler(identity, tls::WALLET, expected, transport)
}

/// Gives an accepted connection the bounds of a peer.
pub(crate) fn raise_to_peer(connection: &quinn::Connection) {
    let (bidirectional, unidirectional) = PEER_STREAMS;
    connection.set_max_concurrent_bi_streams(VarInt::from_u32(bidirectional));
    connection.set_max_concurrent_uni_streams(VarInt::from_u32(unidirectional));
    connection.set_receive_window(VarInt::from_u32(PEER_WINDOW));
    connection.set_send_window(PEER_WINDOW.into());
}

/// Closes a connection with a reason that the other side reads.
pub(crate) fn close(connection: &quinn::Connection, reason: CloseReason) {
    connection.close(code(reason), &[]);
}

/// The proven key at the other end, and the protocol that it chose.
pub(crate) fn other_side(connection: &quinn::Connection) -> Option<(PublicKey, Vec<u8>)> {
    let certificates = connection.peer_identity()?;
    let certificates = certificates
        .downcast::<Vec<CertificateDer<'static>>>()
        .ok()?;
    let handshake = connection.handshake_data()?;
    let handshake = handshake.downcast::<HandshakeData>().ok()?;
    Some((tls::unwrap(certificates.first()?)?, handshake.protocol?))
}

fn shared_transport(streams: (u32, u32), window: u32, stream_window: u32) -> TransportConfig {
    let (bidirectional, unidirectional) = streams;
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(bidirectional))
        .max_concurrent_uni_streams(VarInt::from_u32(unidirectional))
        .receive_window(VarInt::from_u32(window))
        .stream_receive_window(VarInt::from_u32(stream_window))
        .send_window(window.into())
        // Replies of one wallet take turns; a peer's lanes differ in priority anyway.
        .send_fairness(true)
        .initial_rtt(FIRST_ROUND_TRIP)
        .datagram_receive_buffer_size(None);
    transport
}

fn dialler(
    identity: &Identity,
    protocol: &[u8],
    expected: PublicKey,
    transport: TransportConfig,
) -> Result<(quinn::ClientConfig, Fault), Error> {
    let (crypto, fault) = identity.client(protocol, expected)?;
    let crypto = QuicClientConfig::try_from(crypto).map_err(|_| Error::Settings)?;
    let mut config = quinn::ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(transport));
    Ok((config, fault))
}

fn bind(
    address: SocketAddr,
    config: quinn::EndpointConfig,
    server: Option<quinn::ServerConfig>,
    wrap: impl FnOnce(Arc<dyn AsyncUdpSocket>) -> Arc<dyn AsyncUdpSocket>,
) -> Result<quinn::Endpoint, Error> {
    let runtime = Arc::new(TokioRuntime);
    socket(address)
        .and_then(|socket| runtime.wrap_udp_socket(socket))
        .and_then(|socket| {
            quinn::Endpoint::new_with_abstract_socket(config, server, wrap(socket), runtime)
        })
        .map_err(|error| Error::Socket { kind: error.kind() })
}

fn socket(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() {
        // Where the system has no dual stack, the socket serves IPv6 alone.
        let _ = socket.set_only_v6(false);
    }
    // A kernel that permits less gives what it permits.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Makes stateless reset tokens that outlive a restart.
struct ResetKey(Digest);

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature_out: &mut [u8]) {
        let signature = keyed(&self.0, &[data]);
        signature_out
            .iter_mut()
            .zip(signature.0)
            .for_each(|(to, from)| *to = from);
    }

    fn signature_len(&self) -> usize {
        32
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        // Reset tokens are made by this side and compared by the other one; QUIC never comes here.
        if keyed(&self.0, &[data]).0 == signature {
            Ok(())
        } else {
            Err(CryptoError)
        }
    }
}

impl From<quinn::ConnectionError> for Error {
    fn from(error: quinn::ConnectionError) -> Self {
        use quinn::ConnectionError;
        match error {
            ConnectionError::VersionMismatch => Self::Transport { code: 0 },
            ConnectionError::TransportError(error) => Self::Transport {
                code: error.code.into(),
            },
            ConnectionError::ConnectionClosed(close) => match close.error_code.into() {
                // CONNECTION_REFUSED of RFC 9000, 20.1.
                2 => Self::Refused,
                code => Self::Transport { code },
            },
            ConnectionError::ApplicationClosed(close) => Self::Closed {
                reason: CloseReason::from_code(close.error_code.into_inner()),
            },
            ConnectionError::Reset => Self::Forgotten,
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::LocallyClosed => Self::ClosedHere {
                reason: CloseReason::Stopping,
            },
            ConnectionError::CidsExhausted => Self::Settings,
        }
    }
}

impl From<quinn::ConnectError> for Error {
    fn from(error: quinn::ConnectError) -> Self {
        use quinn::ConnectError;
        match error {
            ConnectError::EndpointStopping => Self::ClosedHere {
                reason: CloseReason::Stopping,
            },
            ConnectError::InvalidRemoteAddress(_) => Self::Address,
            ConnectError::CidsExhausted
            | ConnectError::InvalidServerName(_)
            | ConnectError::NoDefaultClientConfig
            | ConnectError::UnsupportedVersion => Self::Settings,
        }
    }
}

impl From<quinn::ReadError> for Error {
    fn from(error: quinn::ReadError) -> Self {
        use quinn::ReadError;
        match error {
            ReadError::Reset(code) => Self::Closed {
                reason: CloseReason::from_code(code.into_inner()),
            },
            ReadError::ConnectionLost(error) => error.into(),
            ReadError::ClosedStream
            | ReadError::IllegalOrderedRead
            | ReadError::ZeroRttRejected => Self::ClosedHere {
                reason: CloseReason::Stopping,
            },
        }
    }
}

impl From<quinn::WriteError> for Error {
    fn from(error: quinn::WriteError) -> Self {
        use quinn::WriteError;
        match error {
            WriteError::Stopped(code) => Self::Closed {
                reason: CloseReason::from_code(code.into_inner()),
            },
            WriteError::ConnectionLost(error) => error.into(),
            WriteError::ClosedStream | WriteError::ZeroRttRejected => Self::ClosedHere {
                reason: CloseReason::Stopping,
            },
        }
    }
}
