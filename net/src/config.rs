//! What an endpoint is told at its start.

use std::net::SocketAddr;
use std::time::Duration;

use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::limits;

/// A peer that may speak gossip, and where it listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress {
    /// Its transport key.
    pub key: PublicKey,
    /// Where it listens.
    pub address: SocketAddr,
}

/// What an endpoint is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The one UDP address for peers and wallets; port 0 lets the kernel choose.
    pub listen: SocketAddr,
    /// The chain; a handshake with an endpoint of another one fails.
    pub chain: Digest,
    /// Who may speak gossip. An entry with the endpoint's own key is passed over.
    pub peers: Vec<PeerAddress>,
    /// Bounds of queues, sessions and handshakes.
    pub limits: Limits,
    /// Whether [`crate::Endpoint::set_link`] may damage links. For test networks only.
    pub link_faults: bool,
}

/// Bounds of queues, sessions and handshakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wallet sessions at one time.
    pub wallet_sessions: usize,
    /// Frames queued for one lane of one peer.
    pub lane_frames: usize,
    /// Bytes queued for one lane of one peer; an empty queue takes any one frame.
    pub lane_bytes: usize,
    /// Bytes queued for one request of a wallet; an empty queue takes any one reply.
    pub reply_bytes: usize,
    /// Events from peers that wait for [`crate::Events::recv`].
    pub peer_events: usize,
    /// Events from wallets that wait for [`crate::Events::recv`].
    pub wallet_events: usize,
    /// Bytes read from one peer that wait for [`crate::Events::recv`].
    pub peer_inbound_bytes: usize,
    /// Bytes of requests, over all wallets, that arrive or wait for [`crate::Events::recv`];
    /// requests above it are turned away.
    pub wallet_inbound_bytes: usize,
    /// Bytes of replies, over all wallets, that were not acknowledged yet; what comes above it ends
    /// its request.
    pub wallet_outbound_bytes: usize,
    /// A wallet's request must have arrived completely by then.
    pub request_timeout: Duration,
    /// Handshakes in flight above which an address must first prove that it receives (QUIC retry).
    pub handshakes_unproven: usize,
    /// Handshakes in flight above which every newcomer is refused.
    pub handshakes: usize,
    /// Handshakes in flight from one /24 or /48 above which newcomers from there are refused.
    pub handshakes_per_network: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wallet_sessions: limits::WALLET_SESSIONS_MAX,
            lane_frames: 16 * 1024,
            // A few of the largest messages.
            lane_bytes: 4 * limits::GOSSIP_MESSAGE_BYTES_MAX,
            reply_bytes: 2 * limits::WALLET_REPLY_BYTES_MAX,
            peer_events: 16 * 1024,
            wallet_events: 1024,
            peer_inbound_bytes: 2 * limits::GOSSIP_MESSAGE_BYTES_MAX,
            wallet_inbound_bytes: 256 * 1024 * 1024,
            wallet_outbound_bytes: 256 * 1024 * 1024,
            request_timeout: Duration::from_secs(10),
            handshakes_unproven: 256,
            handshakes: 1024,
            handshakes_per_network: 512,
        }
    }
}
