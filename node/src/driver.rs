//! The thread that owns the replica, and what the rest of the node exchanges with it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use consensus::creation::Parameters;
use dag::Committee;
use dag::gossip::Message;
use ledger::Genesis;
use ledger::genesis::Peer;
use net::{Endpoint, Held, Part, Served};
use primitives::units::{Height, Time};
use primitives::{Digest, codec};
use replica::{Effect, Input, Now, Recipient, Replica, Setup, Ticket, Watermark};
use tokio::sync::{mpsc, oneshot, watch};
use wallet_proto::reply::{Code, Refusal, Reply};
use wallet_proto::wire;

mod directory;
mod hashing;
mod intake;
mod pruner;
mod view;

use directory::Directory;
use hashing::Threads;
use pruner::Pruner;

use crate::config::Config;
use crate::error::Error;
use crate::export;
use crate::guard::Guard;
use crate::keyfile::Secret;
use crate::metrics::Timings;
use crate::snapshot::serve::{self, Keeper};
use crate::status::{BlockView, Grade, Status};
use crate::store::{Backend, Database, Kind};

/// Questions that wait for the driver; more are refused by the page that asks.
pub const QUERIES_MAX: usize = 64;

/// What the rest of the node asks of the driver.
#[derive(Debug)]
pub enum Query {
    /// The block at `height`, if there is one.
    Block {
        /// The height.
        height: Height,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Option<BlockView>, Error>>,
    },
    /// Make everything durable and end.
    Stop,
}

/// The driver's ends of the channels to the rest of the node.
#[derive(Debug)]
pub struct Links {
    /// Where the driver publishes what it is; none until it has begun. Dropped when it ends.
    pub status: watch::Sender<Option<Arc<Status>>>,
    /// What it is asked.
    pub queries: mpsc::Receiver<Query>,
    /// Where it notes durations.
    pub timings: Arc<Timings>,
}

/// Everything that a driver starts from.
#[derive(Debug)]
pub struct Start {
    /// The settings.
    pub config: Config,
    /// The chain, checked.
    pub genesis: Genesis,
    /// The chain's id.
    pub chain: Digest,
    /// This node among the peers of the genesis.
    pub peer: Peer,
    /// The secret that signs events.
    pub event_key: Secret,
    /// The disk.
    pub store: Arc<Database>,
    /// What remembers the newest own event outside of it, with what it says.
    pub guard: Option<(Guard, Option<Watermark>)>,
    /// The network.
    pub served: Served,
    /// The channels to the rest of the node.
    pub links: Links,
}

/// Starts the thread.
///
/// # Errors
/// [`Error::Io`] if the system gives no thread.
pub fn spawn(start: Start) -> Result<JoinHandle<Result<(), Error>>, Error> {
    named_thread("driver", move || drive(start))
}

fn named_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Error> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(Error::io(format!("{name} thread")))
}

/// What the driver works through, one after the other.
#[derive(Debug)]
pub(crate) enum Work {
    /// For the replica.
    Input(Held<Input>),
    /// From the rest of the node.
    Query(Query),
}

/// Works through everything until it is told to stop. Effects of a group of inputs share one sync,
/// and nothing leaves before it (C32).
fn drive(start: Start) -> Result<(), Error> {
    let name = start.name();
    let Start {
        config,
        genesis,
        chain,
        peer,
        event_key,
        store,
        guard,
        served,
        links,
    } = start;
    let parameters = genesis.parameters;
    let creation = Parameters {
        wait_ms_min: parameters.wait_ms_min,
        wait_ms_max: parameters.wait_ms_max,
        round_ms_min: parameters.round_ms_min,
        ..Parameters::default()
    };
    let (mut guard, watermark) = guard.map_or((None, None), |(guard, mark)| (Some(guard), mark));
    let directory = Arc::new(Directory::new(&genesis));
    let pruner = Pruner::new(&config, &genesis, &store)?;
    let snapshot_genesis = genesis.clone();
    let setup = Setup {
        genesis,
        signer: Box::new(event_key.signer()?),
        creation,
        watermark,
    };
    let (mut replica, batch) = Replica::start(setup, store.as_ref())?;
    replica.hash_with(Arc::new(Threads(config.workers)));
    store.apply(&batch)?;
    store.sync()?;
    if let (Some(guard), Some(mark)) = (&mut guard, replica.watermark()) {
        guard.record(mark)?;
    }
    let (committee, committees) = watch::channel(Arc::new(replica.committee().clone()));
    let Links {
        status,
        queries,
        timings,
    } = links;
    let (sender, works) = sync_channel(WORKS_MAX);
    let Served {
        endpoint,
        peers,
        wallets,
    } = served;
    let keeps = config.snapshots.is_on() && config.store != Kind::Memory;
    let snapshots = keeps.then(|| {
        let path = config.home.join(serve::FILE);
        Keeper::spawn(path, Arc::clone(&store), snapshot_genesis, endpoint.clone())
    });
    let snapshots = snapshots.transpose()?;
    intake::start(
        peers,
        wallets,
        queries,
        sender,
        &intake::Checks {
            chain,
            committee: committees,
            directory: Arc::clone(&directory),
            endpoint: endpoint.clone(),
            workers: config.workers,
            snapshots: snapshots
                .as_ref()
                .map(|keeper| keeper.asker(endpoint.clone())),
        },
    )?;
    let mut driver = Driver {
        replica,
        snapshots,
        store,
        guard,
        endpoint,
        directory,
        committee,
        timings,
        status,
        origin: Origin { name, peer, chain },
        begun: Instant::now(),
        wake_ms: Some(0),
        unsynced: false,
        unguarded: None,
        outbox: Vec::new(),
        told_ms: 0,
        pruner,
    };
    driver.tell();
    tracing::info!(height = %driver.replica.engine().height(), "driver runs");
    driver.run(&works)
}

/// Work that waits: a bound on memory, upon which reading from the network pauses.
const WORKS_MAX: usize = 1_024;
/// Inputs whose effects share one sync.
const GROUP_MAX: usize = 64;
/// How often the status is published at most, in milliseconds.
const STATUS_MS: u64 = 50;

#[derive(Debug)]
struct Driver {
    replica: Replica,
    store: Arc<Database>,
    guard: Option<Guard>,
    endpoint: Endpoint,
    directory: Arc<Directory>,
    /// Whose events are verified before they come here.
    committee: watch::Sender<Arc<Committee>>,
    timings: Arc<Timings>,
    status: watch::Sender<Option<Arc<Status>>>,
    origin: Origin,
    begun: Instant,
    wake_ms: Option<u64>,
    /// Whether writes wait for a sync that later effects depend on.
    unsynced: bool,
    /// What the guard must remember before anything leaves.
    unguarded: Option<Watermark>,
    /// Effects that wait for the sync.
    outbox: Vec<Effect>,
    told_ms: u64,
    pruner: Pruner,
    snapshots: Option<Keeper>,
}

/// What never changes about a node.
#[derive(Debug)]
struct Origin {
    name: String,
    peer: Peer,
    chain: Digest,
}

impl Driver {
    fn run(&mut self, works: &Receiver<Work>) -> Result<(), Error> {
        loop {
            let first = match works.recv_timeout(self.until_wake()) {
                Ok(work) => Some(work),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut stop = false;
            for work in first.into_iter().chain(works.try_iter().take(GROUP_MAX)) {
                match work {
                    Work::Input(input) => self.handle(input.event)?,
                    Work::Query(Query::Stop) => stop = true,
                    Work::Query(Query::Block { height, reply }) => {
                        // Whoever asked may have gone.
                        let _ = reply.send(stored_block(&self.store, height));
                    }
                }
            }
            if self.wake_ms.is_some_and(|wake| wake <= self.now().mono_ms) {
                self.wake_ms = None;
                self.handle(Input::Tick)?;
            }
            self.flush()?;
            let head = self.replica.ledger().height();
            self.pruner.step(&self.store, head)?;
            self.tell_at_times();
            if stop {
                break;
            }
        }
        self.store.sync()?;
        Ok(())
    }

    fn handle(&mut self, input: Input) -> Result<(), Error> {
        let now = self.now();
        for effect in self.replica.handle(now, input, self.store.as_ref())? {
            match effect {
                Effect::Persist { batch, durable } => {
                    self.store.apply(&batch)?;
                    self.unsynced |= durable;
                }
                Effect::WakeAt(at) => {
                    self.wake_ms = Some(self.wake_ms.map_or(at, |wake| wake.min(at)));
                }
                Effect::Accuse(evidence) => {
                    let header = evidence.first.header();
                    tracing::warn!(
                        creator = %header.creator, seq = %header.seq, "a peer signed two events"
                    );
                }
                Effect::Guard(mark) => self.unguarded = Some(mark),
                later @ (Effect::Send { .. } | Effect::Reply { .. }) => self.outbox.push(later),
            }
        }
        self.follow_committee();
        Ok(())
    }

    /// From the change of an epoch on, events of the new committee are let in (C30).
    fn follow_committee(&mut self) {
        let committee = self.replica.committee();
        let (epoch, before) = (committee.epoch(), self.committee.borrow().epoch());
        if epoch != before {
            let (members, total) = (committee.size(), committee.total());
            tracing::info!(%epoch, members, stake = %total, "an epoch begins");
            self.committee.send_replace(Arc::new(committee.clone()));
            self.pruner.begin();
            if let Some(snapshots) = &self.snapshots {
                snapshots.renew();
            }
        }
    }

    /// Syncs if anything that waits depends on it, then lets it out.
    fn flush(&mut self) -> Result<(), Error> {
        if self.unsynced {
            let begun = Instant::now();
            self.store.sync()?;
            self.timings.store_written(begun.elapsed());
            self.unsynced = false;
        }
        if let (Some(mark), Some(guard)) = (self.unguarded.take(), &mut self.guard) {
            guard.record(mark)?;
        }
        for effect in std::mem::take(&mut self.outbox) {
            match effect {
                Effect::Send { to, lane, message } => self.send(to, lane, &message)?,
                Effect::Reply {
                    ticket,
                    reply,
                    last,
                } => self.reply(ticket, &reply, last)?,
                Effect::Persist { .. }
                | Effect::Guard(_)
                | Effect::WakeAt(_)
                | Effect::Accuse(_) => {}
            }
        }
        Ok(())
    }

    fn send(&self, to: Recipient, lane: replica::Lane, message: &Message) -> Result<(), Error> {
        let bytes = Bytes::from(codec::encode(message).map_err(replica::Error::from)?);
        let lane = match lane {
            replica::Lane::Consensus => net::Lane::Consensus,
            replica::Lane::Bulk => net::Lane::Bulk,
        };
        let recipients = match to {
            Recipient::Peer(peer) => vec![peer],
            Recipient::Everyone => self.replica.peers().map(|(peer, _)| peer).collect(),
        };
        for peer in recipients {
            if let Some(key) = self.directory.transport_key(&peer) {
                // What a full queue or a lost link drops is healed by the next frontier.
                let _ = self.endpoint.send(key, lane, bytes.clone());
            }
        }
        Ok(())
    }

    fn reply(&self, ticket: Ticket, reply: &Reply, last: bool) -> Result<(), Error> {
        let bytes = match wire::to_bytes(reply) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(%error, "a reply does not fit its frame");
                let refusal = Refusal::new(Code::Busy, "the answer is too long");
                wire::to_bytes(&Reply::Error(refusal)).map_err(|error| Error::Driver {
                    reason: error.to_string(),
                })?
            }
        };
        let part = if last { Part::Last } else { Part::More };
        // A wallet that left needs no answer.
        let _ = self
            .endpoint
            .reply(ticket.session, ticket.request, bytes.into(), part);
        Ok(())
    }

    fn now(&self) -> Now {
        let mono_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let wall = Time::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        Now { mono_ms, wall }
    }

    fn until_wake(&self) -> Duration {
        if self.pruner.is_busy() {
            return Duration::ZERO;
        }
        let now = self.now().mono_ms;
        let wake = self
            .wake_ms
            .map_or(IDLE_MS, |wake| wake.saturating_sub(now).min(IDLE_MS));
        Duration::from_millis(wake)
    }

    fn tell_at_times(&mut self) {
        let now = self.now().mono_ms;
        if now.saturating_sub(self.told_ms) >= STATUS_MS {
            self.told_ms = now;
            self.tell();
        }
    }

    fn tell(&self) {
        let status = view::status(&self.replica, &self.origin, self.pruner.kept);
        self.status.send_replace(Some(Arc::new(status)));
    }
}

/// The longest sleep of an idle driver, in milliseconds; then the status is told again.
const IDLE_MS: u64 = 200;

impl Start {
    /// The name to show: the configured one, else the one in the genesis.
    #[must_use]
    pub fn name(&self) -> String {
        if self.config.name.is_empty() {
            return String::from_utf8_lossy(&self.peer.name).into_owned();
        }
        self.config.name.clone()
    }
}

/// The settled block at `height`, as the store has it.
///
/// # Errors
/// [`Error::Damaged`]; a failed disk.
pub fn stored_block(store: &Database, height: Height) -> Result<Option<BlockView>, Error> {
    let Some(header) = export::header(store, height)? else {
        return Ok(None);
    };
    let root = header.root().map_err(|error| Error::Damaged {
        what: "header",
        reason: error.to_string(),
    })?;
    Ok(Some(BlockView::new(&header, root, Grade::Final)))
}
