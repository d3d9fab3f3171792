//! Damages datagrams toward chosen peers on purpose, so that real processes meet real faults.
//!
//! ```text
//!   QUIC --datagrams--> Shim --to a healthy link-------------------------> socket
//!                         `--to a damaged link--> late, by due time --tick--^
//!                                        `--> lost
//! ```
//!
//! Each side damages only what it sends, so that a cut of one direction needs one side. What a link
//! does is drawn for each datagram: QUIC above it repairs what it can, as on a bad line.

use std::collections::BTreeMap;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use quinn::udp::{EcnCodepoint, RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::backoff::Draws;
use crate::error::LinkError;
use crate::queue::lock;

/// Bytes that wait for a slow or long link; more are lost, as in a router.
const LATE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// An exponentially drawn delay is at most this many times its mean.
const TAIL_TIMES_MAX: f64 = 20.0;
/// A datagram that arrives twice does so within this many delays.
const AGAIN_TIMES: u64 = 10;

/// What is done to what one endpoint sends to one peer. Chances are in thousandths of the
/// datagrams, each of at most some 1,450 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Link {
    /// Nothing passes.
    pub cut: bool,
    /// The least delay, in microseconds.
    pub delay_us: u64,
    /// The mean of what comes on top, exponentially distributed, in microseconds.
    pub tail_us: u64,
    /// How many of a thousand are lost.
    pub loss: u32,
    /// How many of a thousand may be overtaken or overtake.
    pub reorder: u32,
    /// How many of a thousand arrive twice.
    pub duplicate: u32,
    /// How many of a thousand arrive with a flipped bit.
    pub corrupt: u32,
    /// Bytes a second; 0 is without limit.
    pub bandwidth: u64,
}

impl Link {
    /// The longest [`Self::delay_us`] and [`Self::tail_us`].
    pub const DELAY_US_MAX: u64 = 60_000_000;

    /// Nothing is done.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        *self == Self::default()
    }

    /// Names the first number that is out of its bounds.
    pub(crate) fn check(&self) -> Result<(), LinkError> {
        let Self {
            cut: _,
            delay_us,
            tail_us,
            loss,
            reorder,
            duplicate,
            corrupt,
            bandwidth: _,
        } = *self;
        let delays = [("delay_us", delay_us), ("tail_us", tail_us)];
        let chances = [
            ("loss", loss),
            ("reorder", reorder),
            ("duplicate", duplicate),
            ("corrupt", corrupt),
        ];
        let delays = delays
            .into_iter()
            .map(|(name, us)| (name, us <= Self::DELAY_US_MAX));
        let chances = chances
            .into_iter()
            .map(|(name, chance)| (name, chance <= 1_000));
        match delays.chain(chances).find(|(_, is_good)| !is_good) {
            Some((field, _)) => Err(LinkError::OutOfBounds { field }),
            None => Ok(()),
        }
    }
}

/// The links of an endpoint and what is on its way on them.
#[derive(Debug, Default)]
pub(crate) struct Links {
    state: Mutex<State>,
    /// The next datagram is due sooner than before.
    sooner: Notify,
}

#[derive(Debug, Default)]
struct State {
    lanes: BTreeMap<SocketAddr, Lane>,
    /// By when they are due; those due at one time leave in the order of their numbers.
    late: BTreeMap<(Instant, u64), Late>,
    late_bytes: usize,
    /// Datagrams ever made late.
    count: u64,
}

/// A damaged link.
#[derive(Debug)]
struct Lane {
    link: Link,
    draws: Draws,
    /// When it has sent what it was given, where its rate is bounded.
    free: Instant,
    /// When the newest datagram that may not be overtaken leaves.
    last: Instant,
}

/// A datagram that leaves later.
#[derive(Debug)]
struct Late {
    destination: SocketAddr,
    ecn: Option<EcnCodepoint>,
    contents: Vec<u8>,
}

impl Links {
    /// Does to a link from now on what `link` says. What is on its way arrives as it would have,
    /// but for a cut, which takes it.
    pub(crate) fn set(&self, to: SocketAddr, link: Link) {
        let mut state = lock(&self.state);
        if link.is_healthy() {
            state.lanes.remove(&to);
            return;
        }
        let now = Instant::now();
        let seed = u64::from(to.port());
        let lane = state.lanes.entry(to).or_insert_with(|| Lane {
            link,
            draws: Draws::new(seed),
            free: now,
            last: now,
        });
        lane.link = link;
        if link.cut {
            state.late.retain(|_, late| late.destination != to);
            state.late_bytes = state.late.values().map(|late| late.contents.len()).sum();
        }
    }

    /// What is done to a link.
    pub(crate) fn get(&self, to: SocketAddr) -> Link {
        let state = lock(&self.state);
        state
            .lanes
            .get(&to)
            .map(|lane| lane.link)
            .unwrap_or_default()
    }

    /// Takes a transmit to a damaged link, late or lost; false if its link is healthy.
    fn take(&self, transmit: &Transmit<'_>, now: Instant) -> bool {
        let mut state = lock(&self.state);
        let State {
            lanes,
            late,
            late_bytes,
            count,
        } = &mut *state;
        let Some(lane) = lanes.get_mut(&transmit.destination) else {
            return false;
        };
        let segment = transmit.segment_size.unwrap_or(transmit.contents.len());
        for contents in transmit.contents.chunks(segment.max(1)) {
            for (due, contents) in lane.pass(contents, now) {
                if *late_bytes + contents.len() > LATE_BYTES_MAX {
                    continue;
                }
                *late_bytes += contents.len();
                *count += 1;
                let next = Late {
                    destination: transmit.destination,
                    ecn: transmit.ecn,
                    contents,
                };
                late.insert((due, *count), next);
            }
        }
        drop(state);
        self.sooner.notify_one();
        true
    }

    /// The next datagram that is due, or when to come again.
    fn due(&self, now: Instant) -> Result<Late, Option<Instant>> {
        let mut state = lock(&self.state);
        let next = state.late.first_entry().ok_or(None)?;
        let (due, _) = *next.key();
        if due > now {
            return Err(Some(due));
        }
        let late = next.remove();
        state.late_bytes -= late.contents.len();
        Ok(late)
    }

    /// Sends what was late as it becomes due, for as long as it is polled.
    pub(crate) async fn run(self: Arc<Self>, socket: Arc<dyn AsyncUdpSocket>) {
        loop {
            match self.due(Instant::now()) {
                Ok(late) => {
                    // A socket that is full loses a datagram, as any hop may.
                    let _ = socket.try_send(&Transmit {
                        destination: late.destination,
                        ecn: late.ecn,
                        contents: &late.contents,
                        segment_size: None,
                        src_ip: None,
                    });
                }
                Err(Some(next)) => {
                    tokio::select! {
                        () = sleep_until(next) => {}
                        () = self.sooner.notified() => {}
                    }
                }
                Err(None) => self.sooner.notified().await,
            }
        }
    }
}

impl Lane {
    /// The copies of a datagram that leave, and when.
    fn pass(&mut self, contents: &[u8], now: Instant) -> Vec<(Instant, Vec<u8>)> {
        let link = self.link;
        if link.cut {
            return Vec::new();
        }
        let delay =
            Duration::from_micros(link.delay_us + exponential(&mut self.draws, link.tail_us));
        let [is_lost, overtakes, is_twice, is_corrupt] =
            [link.loss, link.reorder, link.duplicate, link.corrupt]
                .map(|chance| self.draws.draw() % 1_000 < u64::from(chance));
        let (bit, again) = (self.draws.draw(), self.draws.draw());
        if is_lost {
            return Vec::new();
        }
        let mut due = now + delay;
        let scaled = (contents.len() as u64).saturating_mul(1_000_000);
        if let Some(us) = scaled.checked_div(link.bandwidth) {
            self.free = self.free.max(now) + Duration::from_micros(us);
            due = self.free + delay;
        }
        if !overtakes {
            due = due.max(self.last);
            self.last = due;
        }
        let mut contents = contents.to_vec();
        if is_corrupt {
            let place = usize::try_from(bit / 8).unwrap_or(usize::MAX) % contents.len().max(1);
            if let Some(byte) = contents.get_mut(place) {
                *byte ^= 1 << (bit % 8);
            }
        }
        let copy = is_twice.then(|| {
            let span = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
            let later = again % span.saturating_mul(AGAIN_TIMES).max(1);
            (due + Duration::from_micros(later), contents.clone())
        });
        copy.into_iter().chain([(due, contents)]).collect()
    }
}

/// An exponentially distributed number with this mean.
fn exponential(draws: &mut Draws, mean: u64) -> u64 {
    // 53 bits, as many as a double holds; never zero.
    let uniform = ((draws.draw() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    ((-uniform.ln()).min(TAIL_TIMES_MAX) * mean as f64) as u64
}

/// A socket whose datagrams to damaged links go astray.
#[derive(Debug)]
pub(crate) struct Shim {
    pub(crate) socket: Arc<dyn AsyncUdpSocket>,
    pub(crate) links: Arc<Links>,
}

impl AsyncUdpSocket for Shim {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.socket).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        match self.links.take(transmit, Instant::now()) {
            true => Ok(()),
            false => self.socket.try_send(transmit),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_recv(cx, bufs, meta)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.socket.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.socket.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.socket.may_fragment()
    }
}

#[cfg(test)]
mod tests;
