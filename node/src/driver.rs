//! The thread that owns the replica, and what the rest of the node exchanges with it.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use ledger::Genesis;
use ledger::genesis::Peer;
use net::Served;
use primitives::Digest;
use primitives::units::{Height, Stake};
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::Config;
use crate::error::Error;
use crate::export;
use crate::keyfile::Secret;
use crate::metrics::Timings;
use crate::status::{BlockView, Counters, Grade, Status};
use crate::store::{Backend, Database};

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
    thread::Builder::new()
        .name("driver".to_owned())
        .spawn(move || drive(start))
        .map_err(Error::io("driver thread"))
}

fn drive(start: Start) -> Result<(), Error> {
    let status = first_status(&start)?;
    let Start {
        store,
        served,
        mut links,
        ..
    } = start;
    links.status.send_replace(Some(Arc::new(status)));
    while let Some(query) = links.queries.blocking_recv() {
        match query {
            Query::Block { height, reply } => {
                // Whoever asked may have gone.
                let _ = reply.send(stored_block(&store, height));
            }
            Query::Stop => break,
        }
    }
    drop(served);
    store.sync()?;
    Ok(())
}

/// What this node is before anything has happened.
fn first_status(start: &Start) -> Result<Status, Error> {
    let stakes = start.genesis.stake().map_err(|error| Error::Damaged {
        what: "genesis",
        reason: error.to_string(),
    })?;
    let own_stake = stakes.get(&start.peer.peer_key).copied();
    let total = Stake::sum(stakes.values().copied()).unwrap_or(Stake::MAX);
    let others = stakes
        .values()
        .filter(|stake| **stake > Stake::ZERO)
        .count();
    let others = others.saturating_sub(usize::from(own_stake > Some(Stake::ZERO)));
    Ok(Status {
        name: start.name(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        peer: start.peer.peer_key,
        chain: start.chain,
        epoch: 0,
        height: 0,
        certified_height: 0,
        height_heard: 0,
        root: Digest::ZERO,
        round: 0,
        settled_round: 0,
        peers_total: u64::try_from(others).unwrap_or(u64::MAX),
        peers_connected: start.served.endpoint.stats().peers_connected,
        own_stake: own_stake.unwrap_or_default(),
        stake_heard: own_stake.unwrap_or_default(),
        total_stake: total,
        pool_transactions: 0,
        events_suspended: 0,
        quarantined: false,
        counters: Counters::default(),
    })
}

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
