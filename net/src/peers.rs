//! One task a peer for as long as the endpoint lives: the lower key dials, the higher one waits.
//!
//! ```text
//!   lower key:   dial --fails--> pause 50 ms .. 2 s --> dial      higher key: wait for the dial
//!                 `--- both: greet on two lanes, Up, talk, Down, and from the start -------'
//! ```
//!
//! Invariants:
//! - a peer has at most one connection that talks; a newer one ends it first;
//! - `Up` is told when both lanes of the other side have begun, which it does only after it has
//!   accepted our key.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::limits::GOSSIP_MESSAGE_BYTES_MAX;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep, timeout};

use crate::backoff::Backoff;
use crate::config::{Limits, PeerAddress};
use crate::error::{CloseReason, Error, SendError};
use crate::event::{DELAY_INTERVAL, EventSender, PeerEvent};
use crate::frame::{FrameReader, Lane, write_frames};
use crate::queue::Queue;
use crate::stats::{Counters, TrafficCounters};
use crate::tls::{Fault, Identity, SERVER_NAME};
use crate::transport::{HANDSHAKE_TIMEOUT, close};

/// A dial that has not led to lanes by then is given up and made anew.
const DIAL_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that lasted this long ends the growth of pauses; one that flaps does not.
const LASTING: Duration = Duration::from_secs(2);
/// Counted for each frame above its bytes, so that empty frames are bounded too.
const FRAME_COST: usize = 256;
/// Accepted connections that wait for their peer's task; more would only replace one another.
pub(crate) const ARRIVALS_MAX: usize = 4;

/// What the endpoint's handle and the peer's task share.
#[derive(Debug)]
pub(crate) struct Peer {
    key: PublicKey,
    address: SocketAddr,
    consensus: Queue,
    bulk: Queue,
    inbound: Arc<Semaphore>,
}

/// What a peer's task needs of the rest.
#[derive(Debug)]
pub(crate) struct PeerTask {
    pub(crate) peer: Arc<Peer>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) events: EventSender<PeerEvent>,
}

/// The two lanes of a connection, both ways.
struct Lanes {
    consensus: (quinn::SendStream, FrameReader),
    bulk: (quinn::SendStream, FrameReader),
}

impl Peer {
    pub(crate) fn new(address: PeerAddress, limits: &Limits) -> Self {
        let queue = || Queue::new(limits.lane_frames, limits.lane_bytes);
        // The largest frame must fit, or it would never be read.
        let inbound = limits.peer_inbound_bytes.clamp(
            GOSSIP_MESSAGE_BYTES_MAX + FRAME_COST,
            Semaphore::MAX_PERMITS,
        );
        Self {
            key: address.key,
            address: address.address,
            consensus: queue(),
            bulk: queue(),
            inbound: Arc::new(Semaphore::new(inbound)),
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn send(&self, lane: Lane, bytes: Bytes) -> Result<(), SendError> {
        if bytes.len() > GOSSIP_MESSAGE_BYTES_MAX {
            return Err(SendError::Oversized {
                found: bytes.len(),
                limit: GOSSIP_MESSAGE_BYTES_MAX,
            });
        }
        match lane {
            Lane::Consensus => self.consensus.push(bytes),
            Lane::Bulk => self.bulk.push(bytes),
        }
    }
}

impl PeerTask {
    /// Dials for ever, with pauses after failures.
    pub(crate) async fn dial(
        self,
        endpoint: quinn::Endpoint,
        identity: Identity,
        config: (quinn::ClientConfig, Fault),
    ) {
        let (config, fault) = config;
        let (ours, theirs) = (Digest(identity.public().0), Digest(self.peer.key.0));
        let mut backoff = Backoff::new(ours.first_u64().rotate_left(32) ^ theirs.first_u64());
        loop {
            match timeout(DIAL_TIMEOUT, self.connect(&endpoint, &config)).await {
                Ok(Ok((connection, lanes))) => {
                    let since = Instant::now();
                    let reason = self.talk(&connection, lanes).await;
                    self.tell_down(&connection, reason).await;
                    if since.elapsed() >= LASTING {
                        backoff.reset();
                    }
                }
                failed => {
                    let error = failed.map_or(Error::TimedOut, |result| {
                        result.err().unwrap_or(Error::TimedOut)
                    });
                    let reason = fault.take().unwrap_or(error);
                    self.counters.dials_failed.add(1);
                    let peer = self.peer.key;
                    self.events
                        .send(PeerEvent::DialFailed { peer, reason }, None)
                        .await;
                }
            }
            sleep(backoff.pause()).await;
        }
    }

    /// Takes what the acceptor hands over for ever; the newest connection counts.
    pub(crate) async fn wait(self, mut arrivals: mpsc::Receiver<quinn::Connection>) {
        let mut next = arrivals.recv().await;
        while let Some(connection) = next.take() {
            let greeted = tokio::select! {
                greeted = timeout(HANDSHAKE_TIMEOUT, greet(&connection)) => Some(greeted),
                newer = arrivals.recv() => { next = newer; None }
            };
            match greeted {
                Some(Ok(Ok(lanes))) => {
                    let reason = tokio::select! {
                        reason = self.talk(&connection, lanes) => reason,
                        newer = arrivals.recv() => {
                            next = newer;
                            Error::ClosedHere { reason: CloseReason::Replaced }
                        }
                    };
                    self.tell_down(&connection, reason).await;
                }
                Some(Ok(Err(error))) => self.refuse(&connection, &error),
                Some(Err(_)) => self.refuse(&connection, &Error::TimedOut),
                None => close(&connection, CloseReason::Replaced),
            }
            if next.is_none() {
                next = arrivals.recv().await;
            }
        }
    }

    async fn connect(
        &self,
        endpoint: &quinn::Endpoint,
        config: &quinn::ClientConfig,
    ) -> Result<(quinn::Connection, Lanes), Error> {
        let address = self.peer.address;
        let connecting = endpoint.connect_with(config.clone(), address, SERVER_NAME)?;
        let connection = connecting.await?;
        match greet(&connection).await {
            Ok(lanes) => Ok((connection, lanes)),
            Err(error) => {
                close(&connection, error.close_reason());
                Err(error)
            }
        }
    }

    /// Tells `Up` and moves frames both ways until the connection ends; the reason for its end.
    async fn talk(&self, connection: &quinn::Connection, lanes: Lanes) -> Error {
        let (mut consensus_out, consensus_in) = lanes.consensus;
        let (mut bulk_out, bulk_in) = lanes.bulk;
        let Peer {
            consensus, bulk, ..
        } = &*self.peer;
        let counters = &*self.counters;
        consensus.open();
        bulk.open();
        counters.peers_connected.add(1);
        let peer = self.peer.key;
        self.events.send(PeerEvent::Up { peer }, None).await;
        let ended = tokio::select! {
            ended = write_frames(consensus, &mut consensus_out, &counters.consensus) => ended,
            ended = write_frames(bulk, &mut bulk_out, &counters.bulk) => ended,
            ended = self.read_lane(consensus_in, &counters.consensus) => ended,
            ended = self.read_lane(bulk_in, &counters.bulk) => ended,
            ended = self.tell_delays(connection) => ended,
            error = connection.closed() => Err(error.into()),
        };
        // A lane that ends in order means that the other side stops.
        ended.err().unwrap_or(Error::Closed {
            reason: CloseReason::Stopping,
        })
    }

    async fn read_lane(
        &self,
        mut lane: FrameReader,
        traffic: &TrafficCounters,
    ) -> Result<(), Error> {
        while let Some(bytes) = lane.read().await? {
            traffic.received(bytes.len());
            let cost = u32::try_from(bytes.len() + FRAME_COST).unwrap_or(u32::MAX);
            let inbound = Arc::clone(&self.peer.inbound);
            // The semaphore is never closed; without a permit the frame would be unbounded.
            let permit = inbound.acquire_many_owned(cost).await.ok();
            let peer = self.peer.key;
            let message = PeerEvent::Message { peer, bytes };
            self.events.send(message, permit).await;
        }
        Ok(())
    }

    /// Tells the transport's measure of the delay at each interval, for as long as it is polled.
    async fn tell_delays(&self, connection: &quinn::Connection) -> Result<(), Error> {
        loop {
            sleep(DELAY_INTERVAL).await;
            let peer = self.peer.key;
            let one_way = connection.rtt() / 2;
            self.events
                .send(PeerEvent::Delay { peer, one_way }, None)
                .await;
        }
    }

    async fn tell_down(&self, connection: &quinn::Connection, reason: Error) {
        self.peer.consensus.close();
        self.peer.bulk.close();
        self.counters.peers_connected.subtract(1);
        count_fault(&self.counters, &reason);
        close(connection, reason.close_reason());
        let peer = self.peer.key;
        self.events
            .send(PeerEvent::Down { peer, reason }, None)
            .await;
    }

    fn refuse(&self, connection: &quinn::Connection, error: &Error) {
        self.counters.handshakes_failed.add(1);
        count_fault(&self.counters, error);
        close(connection, error.close_reason());
    }
}

/// Counts what only a faulty or hostile other side sends.
pub(crate) fn count_fault(counters: &Counters, error: &Error) {
    match error {
        Error::Oversized { .. } => counters.frames_oversized.add(1),
        Error::Malformed { .. } | Error::WrongLane { .. } => counters.frames_malformed.add(1),
        Error::Socket { .. }
        | Error::Settings
        | Error::Address
        | Error::WrongKey { .. }
        | Error::NoKey
        | Error::WrongSignature { .. }
        | Error::Transport { .. }
        | Error::Refused
        | Error::Closed { .. }
        | Error::ClosedHere { .. }
        | Error::Forgotten
        | Error::TimedOut => {}
    }
}

/// Opens our lanes, each beginning with its tag, and waits for theirs.
async fn greet(connection: &quinn::Connection) -> Result<Lanes, Error> {
    let [consensus_out, bulk_out] = [
        open_lane(connection, Lane::Consensus).await?,
        open_lane(connection, Lane::Bulk).await?,
    ];
    // QUIC hands streams over in the order in which they were opened.
    let consensus_in = accept_lane(connection, Lane::Consensus).await?;
    let bulk_in = accept_lane(connection, Lane::Bulk).await?;
    Ok(Lanes {
        consensus: (consensus_out, consensus_in),
        bulk: (bulk_out, bulk_in),
    })
}

async fn open_lane(connection: &quinn::Connection, lane: Lane) -> Result<quinn::SendStream, Error> {
    let mut stream = connection.open_uni().await?;
    // A stream that is closed already says so at the first write.
    let _ = stream.set_priority(lane.priority());
    stream.write_all(&[lane.tag()]).await?;
    Ok(stream)
}

async fn accept_lane(connection: &quinn::Connection, lane: Lane) -> Result<FrameReader, Error> {
    let stream = connection.accept_uni().await?;
    let mut reader = FrameReader::new(stream, GOSSIP_MESSAGE_BYTES_MAX);
    reader.read_tag(lane).await?;
    Ok(reader)
}

#[cfg(test)]
mod tests;
