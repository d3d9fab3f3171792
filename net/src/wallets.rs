//! Sessions of wallets: one task a session, one task a request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use primitives::keys::PublicKey;
use primitives::limits::{WALLET_REPLY_BYTES_MAX, WALLET_REQUEST_BYTES_MAX};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config::Limits;
use crate::endpoint::Part;
use crate::error::{CloseReason, Error, SendError};
use crate::event::{EventSender, WalletEvent};
use crate::frame::{FrameReader, code, write_frames};
use crate::peers::count_fault;
use crate::queue::{Queue, lock};
use crate::stats::Counters;
use crate::transport::close;

/// Replies queued for one request; further ones wait at their maker.
const REPLIES_MAX: usize = 1024;
/// Counted for each request above its bytes, so that empty requests are bounded too.
const REQUEST_COST: usize = 256;

/// Every session at the moment.
#[derive(Debug)]
pub(crate) struct Sessions {
    open: Mutex<BTreeMap<u64, Arc<Session>>>,
    next: AtomicU64,
    inbound: Arc<Semaphore>,
    outbound: Arc<Semaphore>,
    limits: Limits,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Session {
    number: u64,
    requests: Mutex<BTreeMap<u64, Arc<Queue>>>,
}

impl Sessions {
    pub(crate) fn new(limits: Limits, counters: Arc<Counters>) -> Self {
        // The largest request must fit, or it would never be read.
        let inbound = limits.wallet_inbound_bytes.clamp(
            WALLET_REQUEST_BYTES_MAX + REQUEST_COST,
            Semaphore::MAX_PERMITS,
        );
        // The same of the largest reply.
        let outbound = limits
            .wallet_outbound_bytes
            .clamp(WALLET_REPLY_BYTES_MAX, Semaphore::MAX_PERMITS);
        Self {
            inbound: Arc::new(Semaphore::new(inbound)),
            outbound: Arc::new(Semaphore::new(outbound)),
            open: Mutex::new(BTreeMap::new()),
            next: AtomicU64::new(0),
            limits,
            counters,
        }
    }

    /// Queues a reply; see [`crate::Endpoint::reply`].
    pub(crate) fn reply(
        &self,
        session: u64,
        request: u64,
        bytes: Bytes,
        part: Part,
    ) -> Result<(), SendError> {
        if bytes.len() > WALLET_REPLY_BYTES_MAX {
            return Err(SendError::Oversized {
                found: bytes.len(),
                limit: WALLET_REPLY_BYTES_MAX,
            });
        }
        let session = lock(&self.open).get(&session).cloned();
        let session = session.ok_or(SendError::NotConnected)?;
        let queue = lock(&session.requests).get(&request).cloned();
        let queue = queue.ok_or(SendError::NotConnected)?;
        let cost = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(&self.outbound).try_acquire_many_owned(cost) else {
            self.counters.replies_refused.add(1);
            queue.close();
            return Err(SendError::QueueFull);
        };
        let pushed = queue.push(Bytes::from_owner(Counted {
            bytes,
            _permit: permit,
        }));
        if pushed == Err(SendError::QueueFull) {
            self.counters.replies_refused.add(1);
        }
        pushed?;
        match part {
            Part::More => {}
            Part::Last => queue.finish(),
        }
        Ok(())
    }

    /// Serves one wallet until its connection ends.
    pub(crate) async fn serve(
        &self,
        connection: quinn::Connection,
        key: PublicKey,
        events: EventSender<WalletEvent>,
    ) {
        let Some(session) = self.admit() else {
            self.counters.wallets_refused.add(1);
            close(&connection, CloseReason::SessionsFull);
            return;
        };
        let number = session.number;
        let up = WalletEvent::Up {
            session: number,
            key,
        };
        events.send(up, None).await;
        let reason = self.serve_requests(&session, &connection, &events).await;
        count_fault(&self.counters, &reason);
        close(&connection, reason.close_reason());
        lock(&self.open).remove(&number);
        self.counters.wallet_sessions.subtract(1);
        let down = WalletEvent::Down { session: number };
        events.send(down, None).await;
    }

    fn admit(&self) -> Option<Arc<Session>> {
        let mut open = lock(&self.open);
        if open.len() >= self.limits.wallet_sessions {
            return None;
        }
        let session = Arc::new(Session {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            requests: Mutex::new(BTreeMap::new()),
        });
        open.insert(session.number, Arc::clone(&session));
        self.counters.wallet_sessions.add(1);
        Some(session)
    }

    /// Why the session ended. QUIC bounds the requests at one time.
    async fn serve_requests(
        &self,
        session: &Arc<Session>,
        connection: &quinn::Connection,
        events: &EventSender<WalletEvent>,
    ) -> Error {
        let mut requests = JoinSet::new();
        loop {
            tokio::select! {
                accepted = connection.accept_bi() => match accepted {
                    Ok((send, receive)) => {
                        let request = Request {
                            session: Arc::clone(session),
                            inbound: Arc::clone(&self.inbound),
                            timeout: self.limits.request_timeout,
                            number: send.id().index(),
                            queue: Arc::new(Queue::new(REPLIES_MAX, self.limits.reply_bytes)),
                            counters: Arc::clone(&self.counters),
                        };
                        requests.spawn(request.serve(send, receive, events.clone()));
                    }
                    Err(error) => return error.into(),
                },
                // A request that panicked was the last word of its task alone.
                Some(Ok(Err(error))) = requests.join_next() => return error,
            }
        }
    }
}

/// A reply that counts until it is acknowledged, or nobody waits for it any more.
struct Counted {
    bytes: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// One request and the queue of its replies.
struct Request {
    session: Arc<Session>,
    inbound: Arc<Semaphore>,
    timeout: Duration,
    number: u64,
    queue: Arc<Queue>,
    counters: Arc<Counters>,
}

impl Request {
    /// An error ends the whole session.
    async fn serve(
        self,
        mut send: quinn::SendStream,
        receive: quinn::RecvStream,
        events: EventSender<WalletEvent>,
    ) -> Result<(), Error> {
        let mut reader = FrameReader::new(receive, WALLET_REQUEST_BYTES_MAX);
        let arrived = timeout(self.timeout, self.read(&mut reader)).await;
        let (bytes, permit) = match arrived {
            Ok(Ok(Some(arrived))) => arrived,
            Ok(Ok(None)) => {
                self.counters.requests_refused.add(1);
                turn_away(&mut reader, &mut send, CloseReason::Busy);
                return Ok(());
            }
            // The wallet took its request back.
            Ok(Err(Error::Closed { .. })) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                self.counters.requests_late.add(1);
                turn_away(&mut reader, &mut send, CloseReason::TimedOut);
                return Ok(());
            }
        };
        self.counters.wallet.received(bytes.len());
        self.queue.open();
        let Self {
            session, number, ..
        } = &self;
        lock(&session.requests).insert(*number, Arc::clone(&self.queue));
        let event = WalletEvent::Request {
            session: session.number,
            request: *number,
            bytes,
        };
        events.send(event, Some(permit)).await;
        let stopped = send.stopped();
        tokio::select! {
            // How the replies ended is the wallet's affair; the session goes on.
            _ = write_frames(&self.queue, &mut send, &self.counters.wallet) => {}
            _ = stopped => {}
        }
        self.queue.close();
        lock(&session.requests).remove(number);
        Ok(())
    }

    /// The request, unless all requests together hold too much. Nobody waits for room: a stream
    /// that waits would hold the window that another one needs to go on.
    async fn read(
        &self,
        reader: &mut FrameReader,
    ) -> Result<Option<(Vec<u8>, OwnedSemaphorePermit)>, Error> {
        let missing = Error::Malformed {
            found: 0,
            wanted: 1,
        };
        let length = reader.read_length().await?.ok_or(missing)?;
        let cost = u32::try_from(length + REQUEST_COST).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(&self.inbound).try_acquire_many_owned(cost) else {
            return Ok(None);
        };
        let bytes = reader.read_body(length).await?;
        match reader.read_length().await? {
            None => Ok(Some((bytes, permit))),
            Some(more) => Err(Error::Malformed {
                found: more,
                wanted: 0,
            }),
        }
    }
}

/// Ends one request in both directions, and not its session.
fn turn_away(reader: &mut FrameReader, send: &mut quinn::SendStream, reason: CloseReason) {
    reader.stop(reason);
    // A stream that has already ended needs no word.
    let _ = send.reset(code(reason));
}

#[cfg(test)]
mod tests;
