//! A node from its home to its end: `primus run`.

use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use ledger::Genesis;
use ledger::genesis::Peer;
use net::{Endpoint, Limits};
use primitives::Digest;
use primitives::keys::PublicKey;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task;

use crate::config::Config;
use crate::driver::{self, Links, QUERIES_MAX, Query, Start};
use crate::error::Error;
use crate::guard::Guard;
use crate::home::read_genesis;
use crate::http::{self, Shared, admin};
use crate::keyfile::{Role, Secret};
use crate::log::{self, LogCounts};
use crate::metrics::Timings;
use crate::peers::Peers;
use crate::status::Status;
use crate::store::{Database, Kind, Stamp};

/// Runs the node of `config` until SIGINT or SIGTERM, until standard input ends if that is wished, or
/// until it fails.
///
/// # Errors
/// Whatever stops it: configuration, keys, a store in use, a failed disk, a taken port.
pub fn run(config: Config, exit_on_stdin_close: bool) -> Result<(), Error> {
    let logs = log::start(config.log_level.clone(), config.log_format);
    log::abort_on_panic();
    let identity = Identity::load(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.workers.get())
        .enable_all()
        .build()
        .map_err(Error::io("tokio runtime"))?;
    runtime.block_on(serve(config, identity, logs, exit_on_stdin_close))
}

/// Who this node is.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) genesis: Genesis,
    pub(crate) chain: Digest,
    pub(crate) peer: Peer,
    event_key: Secret,
    transport_key: Secret,
}

impl Identity {
    pub(crate) fn load(config: &Config) -> Result<Self, Error> {
        let genesis = read_genesis(&config.genesis)?;
        let chain = genesis.chain_id().map_err(|error| Error::InvalidGenesis {
            path: config.genesis.clone(),
            reason: error.to_string(),
        })?;
        let event_key = Secret::read(&config.event_key, Role::Event)?;
        let transport_key = Secret::read(&config.transport_key, Role::Transport)?;
        let peer = find_peer(&genesis, chain, event_key.public())?;
        if peer.transport_key != transport_key.public() {
            let key = transport_key.public();
            return Err(Error::NotAPeer { key, chain });
        }
        Ok(Self {
            genesis,
            chain,
            peer,
            event_key,
            transport_key,
        })
    }
}

impl Identity {
    /// What its store is marked with.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp {
            chain: self.chain,
            event_key: self.peer.event_key,
        }
    }
}

fn find_peer(genesis: &Genesis, chain: Digest, key: PublicKey) -> Result<Peer, Error> {
    genesis
        .peers
        .iter()
        .find(|peer| peer.event_key == key)
        .cloned()
        .ok_or(Error::NotAPeer { key, chain })
}

async fn serve(
    config: Config,
    identity: Identity,
    logs: Arc<LogCounts>,
    exit_on_stdin_close: bool,
) -> Result<(), Error> {
    // Before anything that takes time, so that a stop is never missed.
    let stopped = stop_signal(exit_on_stdin_close)?;
    let (status_sender, status) = watch::channel(None);
    let (queries, query_receiver) = mpsc::channel(QUERIES_MAX);
    let timings = Arc::new(Timings::new()?);
    let shared = Arc::new(Shared {
        status: status.clone(),
        queries: queries.clone(),
        timings: Arc::clone(&timings),
        logs,
        genesis: identity.genesis.clone(),
        store: OnceLock::new(),
        endpoint: OnceLock::new(),
    });
    // The pages first: a node that is opening a large store is alive, and says why it is not ready.
    let listener = http::bind(config.http).await?;
    let address = listener.local_addr().map_err(Error::io("http"))?;
    tracing::info!(%address, "pages are up");
    let (stop_pages, pages_stopped) = oneshot::channel();
    let router = http::router(Arc::clone(&shared));
    let pages = task::spawn(http::serve(listener, router, pages_stopped));
    let links = Links {
        status: status_sender,
        queries: query_receiver,
        timings,
    };
    let started = start(config, identity, &shared, links).await;
    let result = match started {
        Ok(running) => running.until(stopped, status, &queries).await,
        Err(error) => Err(error),
    };
    // The pages may have ended by themselves; the node's own result matters more.
    let _ = stop_pages.send(());
    let _ = pages.await;
    result
}

/// A driver and its network.
#[derive(Debug)]
struct Running {
    driver: JoinHandle<Result<(), Error>>,
    endpoint: Endpoint,
    _controls: Option<oneshot::Sender<()>>,
}

async fn start(
    config: Config,
    identity: Identity,
    shared: &Arc<Shared>,
    links: Links,
) -> Result<Running, Error> {
    let Identity {
        genesis,
        chain,
        peer,
        event_key,
        transport_key,
    } = identity;
    let stamp = Stamp {
        chain,
        event_key: peer.event_key,
    };
    let (kind, folder, home) = (config.store, config.data.clone(), config.home.clone());
    let (store, guard) = blocking(move || {
        let store = Database::open(kind, &folder, &stamp)?;
        // A store that forgets everything cannot be older than what was signed.
        let guard = match kind {
            Kind::Memory => None,
            Kind::Rocksdb | Kind::Redb => Some(Guard::open(&home, &stamp)?),
        };
        Ok((store, guard))
    })
    .await?;
    let store = Arc::new(store);
    // Set once, here alone.
    let _ = shared.store.set(Arc::clone(&store));
    let peers = Peers::read(&config.peers)?.resolve(&config.peers, &genesis)?;
    let settings = net::Config {
        listen: config.listen,
        chain,
        peers,
        limits: Limits::default(),
        link_faults: config.link_faults.is_on(),
    };
    let served =
        Endpoint::serve(settings, transport_key.signer()?).map_err(|error| Error::Network {
            address: config.listen,
            source: error,
        })?;
    let endpoint = served.endpoint.clone();
    let _ = shared.endpoint.set(endpoint.clone());
    tracing::info!(
        %chain, peer = %peer.peer_key, store = %kind,
        listen = %endpoint.local_address(), "node starts"
    );
    let controls = control(&config, shared);
    let driver = driver::spawn(Start {
        config,
        genesis,
        chain,
        peer,
        event_key,
        store,
        guard,
        served,
        links,
    })?;
    Ok(Running {
        driver,
        endpoint,
        _controls: controls,
    })
}

/// Opens the admin socket until what it returns is dropped. A node without one runs all the same.
fn control(config: &Config, shared: &Arc<Shared>) -> Option<oneshot::Sender<()>> {
    match admin::bind(&config.home) {
        Ok(listener) => {
            let (stop, stopped) = oneshot::channel();
            let router = admin::router(Arc::clone(shared));
            task::spawn(http::serve(listener, router, stopped));
            Some(stop)
        }
        Err(error) => {
            tracing::warn!(%error, "there is no admin socket");
            None
        }
    }
}

impl Running {
    /// Waits for the stop signal or the driver's own end, then ends both in order.
    async fn until(
        self,
        stopped: oneshot::Receiver<&'static str>,
        mut status: watch::Receiver<Option<Arc<Status>>>,
        queries: &mpsc::Sender<Query>,
    ) -> Result<(), Error> {
        let ended = async { while status.changed().await.is_ok() {} };
        tokio::select! {
            signal = stopped => {
                tracing::info!(signal = signal.unwrap_or("none"), "node stops");
                // A driver that has ended in the meantime is stopped already.
                let _ = queries.send(Query::Stop).await;
            }
            () = ended => {}
        }
        let result = blocking(move || {
            self.driver.join().unwrap_or_else(|_| {
                Err(Error::Driver {
                    reason: "its thread panicked".to_owned(),
                })
            })
        })
        .await;
        self.endpoint.close().await;
        result
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Driver {
            reason: error.to_string(),
        })?
}

/// Ends when standard input does. A thread of its own reads it, because a read cannot be taken back.
async fn stdin_end() {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        // Whether it ends or fails, nobody is there any more.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = sender.send(());
    });
    let _ = receiver.await;
}

/// Ends when the process is asked to stop, with the name of the signal.
fn stop_signal(exit_on_stdin_close: bool) -> Result<oneshot::Receiver<&'static str>, Error> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::io("SIGINT"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::io("SIGTERM"))?;
    let (sender, receiver) = oneshot::channel();
    task::spawn(async move {
        let name = tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
            () = stdin_end(), if exit_on_stdin_close => "the end of standard input",
        };
        // Nobody waits any more if the node failed by itself.
        let _ = sender.send(name);
    });
    Ok(receiver)
}
