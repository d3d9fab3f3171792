//! A running node's snapshot: made anew after each epoch, and given to whoever asks.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use ledger::Genesis;
use net::{Endpoint, Part};
use primitives::codec::Bytes;
use primitives::units::Height;
use replica::Ticket;
use wallet_proto::reply::{Code, Refusal, Reply};
use wallet_proto::request::Request;
use wallet_proto::wire;

use super::{File, create, newest_sealing};
use crate::error::Error;
use crate::store::Database;

/// The file within a node's home.
pub const FILE: &str = "state.snapshot";
/// Questions that wait; more are told to come again.
const QUESTIONS_MAX: usize = 256;
/// Snapshots that chunks are given of.
const FILES_MAX: usize = 2;
/// Bytes given in a second at most, so that whoever begins leaves room for what others say.
const BYTES_PER_SECOND: u64 = 32 * 1024 * 1024;
/// After one was made, or could not be, so many times as long passes before the next.
const REST_TIMES: u32 = 9;
/// That much time at least; certificates of sealing blocks come a little later than the blocks.
const REST_MIN: Duration = Duration::from_secs(1);

/// What the threads of a node's snapshot are told.
#[derive(Debug)]
enum Work {
    /// A wallet asks.
    Asked(Ticket, Option<(Height, u32)>),
    /// A new one is there.
    Made(Box<File>),
}

/// The threads that make and give a node's snapshot; they end with it.
#[derive(Debug)]
pub struct Keeper {
    works: SyncSender<Work>,
    renew: SyncSender<()>,
}

/// Where questions go.
#[derive(Debug, Clone)]
pub struct Asker {
    works: SyncSender<Work>,
    endpoint: Endpoint,
}

impl Keeper {
    /// Starts the threads. The file at `path` is given if it is of the newest sealed epoch; else it is
    /// made anew.
    ///
    /// # Errors
    /// [`Error::Io`] if the system gives no thread.
    pub fn spawn(
        path: PathBuf,
        store: Arc<Database>,
        genesis: Genesis,
        endpoint: Endpoint,
    ) -> Result<Self, Error> {
        let (works, questions) = sync_channel(QUESTIONS_MAX);
        let (renew, renewals) = sync_channel(1);
        let made = works.clone();
        spawn("snapshot", move || {
            make(&path, &store, &genesis, &renewals, &made);
        })?;
        spawn("snapshots", move || give(&questions, &endpoint))?;
        let keeper = Self { works, renew };
        keeper.renew();
        Ok(keeper)
    }

    /// Makes a new one of the epoch that has just been sealed.
    pub fn renew(&self) {
        // One that waits is as good.
        let _ = self.renew.try_send(());
    }

    /// Where wallets' questions go.
    #[must_use]
    pub fn asker(&self, endpoint: Endpoint) -> Asker {
        Asker {
            works: self.works.clone(),
            endpoint,
        }
    }
}

impl Asker {
    /// Takes a question that is about snapshots; false for any other.
    pub(crate) fn take(&self, ticket: Ticket, request: &Request) -> bool {
        let chunk = match request {
            Request::Manifest => None,
            Request::Chunk { height, index } => Some((*height, *index)),
            Request::Head
            | Request::Submit { .. }
            | Request::Track { .. }
            | Request::History { .. }
            | Request::Output { .. }
            | Request::Transaction { .. }
            | Request::Block { .. }
            | Request::Consistency { .. }
            | Request::Committee { .. }
            | Request::Record { .. }
            | Request::Commit { .. }
            | Request::Name { .. } => return false,
        };
        if let Err(TrySendError::Full(_)) = self.works.try_send(Work::Asked(ticket, chunk)) {
            let refusal = Refusal::new(Code::Busy, "too many ask for the snapshot; come again");
            reply(&self.endpoint, ticket, &Reply::Error(refusal));
        }
        true
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread
        .map(drop)
        .map_err(Error::io(format!("{name} thread")))
}

/// Makes a snapshot whenever it is told to, until nobody can tell it any more.
fn make(
    path: &Path,
    store: &Database,
    genesis: &Genesis,
    renewals: &Receiver<()>,
    made: &SyncSender<Work>,
) {
    let mut given = None;
    let mut is_due = false;
    let mut rests_until = Instant::now();
    loop {
        let rest = rests_until.saturating_duration_since(Instant::now());
        let told = match is_due {
            true => renewals.recv_timeout(rest),
            false => renewals.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match told {
            Ok(()) => is_due = true,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if Instant::now() < rests_until {
            continue;
        }
        let begun = Instant::now();
        is_due = false;
        match renew(path, store, genesis, given) {
            Ok(Some(file)) => {
                given = Some(file.manifest().height);
                if made.send(Work::Made(Box::new(file))).is_err() {
                    return;
                }
            }
            Ok(None) => {}
            // Certificates of sealing blocks come a little later, or are asked for.
            Err(Error::NoSnapshot { reason }) => {
                tracing::debug!(%reason, "no snapshot yet");
                is_due = true;
            }
            Err(error) => tracing::warn!(%error, "no snapshot is made of this epoch"),
        }
        let rest = begun.elapsed().saturating_mul(REST_TIMES).max(REST_MIN);
        rests_until = Instant::now() + rest;
    }
}

/// The snapshot of the newest sealed epoch; none if `given` is that, or no epoch is sealed.
fn renew(
    path: &Path,
    store: &Database,
    genesis: &Genesis,
    given: Option<Height>,
) -> Result<Option<File>, Error> {
    let newest = newest_sealing(store, genesis)?;
    if newest.is_none() || newest == given {
        return Ok(None);
    }
    let chain = genesis.chain_id().map_err(replica::Error::from)?;
    if let Ok(file) = File::open(path) {
        let manifest = file.manifest();
        if Some(manifest.height) == newest && manifest.chain == chain {
            return Ok(Some(file));
        }
    }
    let manifest = create(store, genesis, path, &mut |_| {})?;
    let (height, bytes) = (manifest.height, manifest.bytes);
    tracing::info!(block = %height, bytes, "a snapshot is made");
    File::open(path).map(Some)
}

/// Answers until nobody can ask any more.
fn give(works: &Receiver<Work>, endpoint: &Endpoint) {
    // The newest last. The one before stays for whoever has begun with it.
    let mut files: Vec<Box<File>> = Vec::new();
    for work in works {
        match work {
            Work::Made(made) => {
                files.push(made);
                files.drain(..files.len().saturating_sub(FILES_MAX));
            }
            Work::Asked(ticket, chunk) => {
                let answer = answer(&files, chunk);
                let bytes = reply(endpoint, ticket, &answer);
                let us = (bytes as u64).saturating_mul(1_000_000) / BYTES_PER_SECOND;
                thread::sleep(Duration::from_micros(us));
            }
        }
    }
}

fn answer(files: &[Box<File>], chunk: Option<(Height, u32)>) -> Reply {
    let refuse = |code, text: &str| Reply::Error(Refusal::new(code, text));
    let Some(newest) = files.last() else {
        return refuse(Code::NotFound, "there is no snapshot yet");
    };
    let Some((height, index)) = chunk else {
        return Reply::Manifest(Box::new(newest.manifest().clone()));
    };
    let mut files = files.iter();
    let Some(file) = files.find(|file| file.manifest().height == height) else {
        let newest = newest.manifest().height;
        let text = format!("the snapshot is of block {newest} by now");
        return refuse(Code::NotFound, &text);
    };
    let chunk = file.chunk(usize::try_from(index).unwrap_or(usize::MAX));
    match chunk.map(|chunk| chunk.and_then(|chunk| Bytes::new(chunk).ok())) {
        Ok(Some(chunk)) => Reply::Chunk(chunk),
        Ok(None) => refuse(Code::NotFound, "there is no such chunk"),
        Err(error) => {
            tracing::error!(%error, "the snapshot is damaged");
            refuse(Code::NotFound, "the snapshot is damaged")
        }
    }
}

/// Sends the only reply to a question; returns its bytes.
fn reply(endpoint: &Endpoint, ticket: Ticket, reply: &Reply) -> usize {
    let Ok(bytes) = wire::to_bytes(reply) else {
        return 0;
    };
    let length = bytes.len();
    // A wallet that left needs no answer.
    let _ = endpoint.reply(ticket.session, ticket.request, bytes.into(), Part::Last);
    length
}
