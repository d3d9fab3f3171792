//! What can go wrong between two keys.

use std::io;

use primitives::keys::PublicKey;

/// Why a connection was not made, or ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The UDP socket could not be made.
    #[error("socket: {kind}")]
    Socket {
        /// The kind of the system's error.
        kind: io::ErrorKind,
    },
    /// The TLS or QUIC libraries refused our own settings; never caused by input from outside.
    #[error("the transport settings are refused by the transport library")]
    Settings,
    /// The address cannot be dialled from this socket.
    #[error("address cannot be dialled from this socket")]
    Address,
    /// Another key than the expected one answered.
    #[error("key {found} answered where {expected} was expected")]
    WrongKey {
        /// The key that was asked for.
        expected: PublicKey,
        /// The key that answered.
        found: PublicKey,
    },
    /// The other side showed something else than a transport key.
    #[error("the other side showed no transport key")]
    NoKey,
    /// The handshake's signature does not hold: another chain, or a forger.
    #[error("the handshake's signature by {key} does not hold on this chain")]
    WrongSignature {
        /// The key it should have been made with.
        key: PublicKey,
    },
    /// The transport failed; codes are of RFC 9000 20.1, alerts of TLS begin at 0x100.
    #[error("transport error {code:#x}")]
    Transport {
        /// The code.
        code: u64,
    },
    /// Too many handshakes are in flight at the other side.
    #[error("the other side accepts no newcomers at the moment")]
    Refused,
    /// The other side closed the connection or the stream.
    #[error("closed by the other side: {reason}")]
    Closed {
        /// Its reason.
        reason: CloseReason,
    },
    /// This side closed the connection.
    #[error("closed by this side: {reason}")]
    ClosedHere {
        /// Our reason.
        reason: CloseReason,
    },
    /// The other side has forgotten the connection; it was probably restarted.
    #[error("the other side has forgotten the connection")]
    Forgotten,
    /// Nothing was heard for too long.
    #[error("nothing was heard for too long")]
    TimedOut,
    /// A frame is longer than its limit; found before anything is allocated.
    #[error("frame of {found} bytes where at most {limit} are allowed")]
    Oversized {
        /// Bytes announced.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A stream ended within a frame, or began or went on with something else than a frame.
    #[error("stream with {found} bytes where {wanted} were due")]
    Malformed {
        /// Bytes found.
        found: usize,
        /// Bytes wanted.
        wanted: usize,
    },
    /// A lane began with another byte than its own.
    #[error("lane began with {found} where {wanted} was due")]
    WrongLane {
        /// Byte found.
        found: u8,
        /// Byte wanted.
        wanted: u8,
    },
}

impl Error {
    /// The key to blame, where one is known.
    #[must_use]
    pub const fn culprit(&self) -> Option<&PublicKey> {
        match self {
            Self::WrongKey { found, .. } => Some(found),
            Self::Socket { .. }
            | Self::Settings
            | Self::Address
            | Self::NoKey
            | Self::WrongSignature { .. }
            | Self::Transport { .. }
            | Self::Refused
            | Self::Closed { .. }
            | Self::ClosedHere { .. }
            | Self::Forgotten
            | Self::TimedOut
            | Self::Oversized { .. }
            | Self::Malformed { .. }
            | Self::WrongLane { .. } => None,
        }
    }

    /// The reason to give to the other side when this error ends the connection.
    pub(crate) const fn close_reason(&self) -> CloseReason {
        match self {
            Self::Oversized { .. } => CloseReason::Oversized,
            Self::Malformed { .. } | Self::WrongLane { .. } => CloseReason::Malformed,
            Self::ClosedHere { reason } => *reason,
            Self::TimedOut => CloseReason::TimedOut,
            Self::Socket { .. }
            | Self::Settings
            | Self::Address
            | Self::WrongKey { .. }
            | Self::NoKey
            | Self::WrongSignature { .. }
            | Self::Transport { .. }
            | Self::Refused
            | Self::Closed { .. }
            | Self::Forgotten => CloseReason::Stopping,
        }
    }
}

/// Why a side closes a connection or a stream, as it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// The endpoint stops.
    #[error("the endpoint stops")]
    Stopping,
    /// The key is not of a peer that may speak gossip.
    #[error("the key is of no known peer")]
    UnknownPeer,
    /// The higher key dialled the lower one.
    #[error("the lower key dials, not the higher")]
    WrongDialer,
    /// A frame was too long.
    #[error("a frame was too long")]
    Oversized,
    /// A stream did not consist of frames.
    #[error("a stream did not consist of frames")]
    Malformed,
    /// There are as many wallet sessions as there may be.
    #[error("as many wallet sessions as there may be")]
    SessionsFull,
    /// A newer connection of the same pair took its place.
    #[error("a newer connection took its place")]
    Replaced,
    /// A request or a greeting did not arrive in time.
    #[error("a request or a greeting did not arrive in time")]
    TimedOut,
    /// The requests of all wallets together hold too much.
    #[error("too many requests at the moment")]
    Busy,
    /// A code that this version does not know.
    #[error("code {code}")]
    Other {
        /// The code.
        code: u64,
    },
}

impl CloseReason {
    /// The number that travels.
    pub(crate) const fn code(self) -> u64 {
        match self {
            Self::Stopping => 0,
            Self::UnknownPeer => 1,
            Self::WrongDialer => 2,
            Self::Oversized => 3,
            Self::Malformed => 4,
            Self::SessionsFull => 5,
            Self::Replaced => 6,
            Self::TimedOut => 7,
            Self::Busy => 8,
            Self::Other { code } => code,
        }
    }

    /// The reason of a number that travelled.
    pub(crate) const fn from_code(code: u64) -> Self {
        match code {
            0 => Self::Stopping,
            1 => Self::UnknownPeer,
            2 => Self::WrongDialer,
            3 => Self::Oversized,
            4 => Self::Malformed,
            5 => Self::SessionsFull,
            6 => Self::Replaced,
            7 => Self::TimedOut,
            8 => Self::Busy,
            code => Self::Other { code },
        }
    }
}

/// Why a frame was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is no such peer, session or request at the moment.
    #[error("not connected")]
    NotConnected,
    /// The queue is at its bound; the frame is counted and not queued.
    #[error("the queue is full")]
    QueueFull,
    /// The frame is longer than its limit.
    #[error("frame of {found} bytes where at most {limit} are allowed")]
    Oversized {
        /// Bytes given.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
}

/// Why a link was not damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The endpoint was started without [`crate::Config::link_faults`].
    #[error("this node was started without link_faults")]
    Off,
    /// There is no such peer.
    #[error("no peer has this key")]
    NoPeer,
    /// A number is out of its bounds.
    #[error("{field} is out of its bounds")]
    OutOfBounds {
        /// The field of [`crate::Link`].
        field: &'static str,
    },
}

#[cfg(test)]
mod tests;
