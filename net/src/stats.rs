//! What the endpoint counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Frames and their bytes, without the four bytes of length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames received.
    pub frames_in: u64,
    /// Frames handed to the transport.
    pub frames_out: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes handed to the transport.
    pub bytes_out: u64,
}

/// What the endpoint has counted since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// The consensus lane, over all peers.
    pub consensus: Traffic,
    /// The bulk lane, over all peers.
    pub bulk: Traffic,
    /// Requests and replies of wallets.
    pub wallet: Traffic,
    /// Peers connected at the moment.
    pub peers_connected: u64,
    /// Wallet sessions at the moment.
    pub wallet_sessions: u64,
    /// Frames that were too long; each ended its connection.
    pub frames_oversized: u64,
    /// Streams that did not consist of frames; each ended its connection.
    pub frames_malformed: u64,
    /// Frames that were not queued for a peer because its lane was full.
    pub lane_frames_refused: u64,
    /// Replies that were not queued because the wallet reads too slowly.
    pub replies_refused: u64,
    /// Dials that led to no connection.
    pub dials_failed: u64,
    /// Incoming handshakes that failed: no raw key, another scheme, another chain, too late.
    pub handshakes_failed: u64,
    /// Incoming handshakes refused because too many were in flight.
    pub handshakes_refused: u64,
    /// Incoming handshakes sent back to prove their address.
    pub handshakes_retried: u64,
    /// Gossip connections of unknown keys or from the wrong side.
    pub peers_refused: u64,
    /// Wallets turned away because there were too many sessions.
    pub wallets_refused: u64,
    /// Requests of wallets that did not arrive in time.
    pub requests_late: u64,
    /// Requests of wallets turned away because all together hold too much.
    pub requests_refused: u64,
}

/// One number that many tasks count up.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, count: u64) {
        self.0.fetch_sub(count, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counting side of [`Traffic`].
#[derive(Debug, Default)]
pub(crate) struct TrafficCounters {
    frames_in: Counter,
    frames_out: Counter,
    bytes_in: Counter,
    bytes_out: Counter,
}

impl TrafficCounters {
    pub(crate) fn received(&self, bytes: usize) {
        self.frames_in.add(1);
        self.bytes_in.add(count(bytes));
    }

    pub(crate) fn sent(&self, frames: usize, bytes: usize) {
        self.frames_out.add(count(frames));
        self.bytes_out.add(count(bytes));
    }

    fn read(&self) -> Traffic {
        Traffic {
            frames_in: self.frames_in.read(),
            frames_out: self.frames_out.read(),
            bytes_in: self.bytes_in.read(),
            bytes_out: self.bytes_out.read(),
        }
    }
}

/// The counting side of [`Stats`], field by field.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) consensus: TrafficCounters,
    pub(crate) bulk: TrafficCounters,
    pub(crate) wallet: TrafficCounters,
    pub(crate) peers_connected: Counter,
    pub(crate) wallet_sessions: Counter,
    pub(crate) frames_oversized: Counter,
    pub(crate) frames_malformed: Counter,
    pub(crate) lane_frames_refused: Counter,
    pub(crate) replies_refused: Counter,
    pub(crate) dials_failed: Counter,
    pub(crate) handshakes_failed: Counter,
    pub(crate) handshakes_refused: Counter,
    pub(crate) handshakes_retried: Counter,
    pub(crate) peers_refused: Counter,
    pub(crate) wallets_refused: Counter,
    pub(crate) requests_late: Counter,
    pub(crate) requests_refused: Counter,
}

impl Counters {
    pub(crate) fn read(&self) -> Stats {
        Stats {
            consensus: self.consensus.read(),
            bulk: self.bulk.read(),
            wallet: self.wallet.read(),
            peers_connected: self.peers_connected.read(),
            wallet_sessions: self.wallet_sessions.read(),
            frames_oversized: self.frames_oversized.read(),
            frames_malformed: self.frames_malformed.read(),
            lane_frames_refused: self.lane_frames_refused.read(),
            replies_refused: self.replies_refused.read(),
            dials_failed: self.dials_failed.read(),
            handshakes_failed: self.handshakes_failed.read(),
            handshakes_refused: self.handshakes_refused.read(),
            handshakes_retried: self.handshakes_retried.read(),
            peers_refused: self.peers_refused.read(),
            wallets_refused: self.wallets_refused.read(),
            requests_late: self.requests_late.read(),
            requests_refused: self.requests_refused.read(),
        }
    }
}

fn count(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}
