//! The node's controls, on a Unix socket in its home that only its owner may open.
//!
//! What it changes is for test networks: links to other peers, where `link_faults` is on.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Json;
use axum::routing::{get, put};
use ledger::Genesis;
use net::Link;
use primitives::keys::PublicKey;
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;

use super::Shared;
use super::problem::Problem;
use crate::error::Error;

/// The socket within a node's home.
pub const SOCKET: &str = "admin.sock";

/// What is done to what the node sends to one peer, as it travels; see [`Link`] for the units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkView {
    /// Nothing passes.
    pub cut: bool,
    /// The least delay, in microseconds.
    pub delay_us: u64,
    /// The mean of what comes on top, in microseconds.
    pub tail_us: u64,
    /// How many of a thousand datagrams are lost.
    pub loss: u32,
    /// How many of a thousand may be overtaken.
    pub reorder: u32,
    /// How many of a thousand arrive twice.
    pub duplicate: u32,
    /// How many of a thousand arrive with a flipped bit.
    pub corrupt: u32,
    /// Bytes a second; 0 is without limit.
    pub bandwidth: u64,
}

/// The damaged links of a node, by the peer key of their other end.
pub type LinkViews = BTreeMap<String, LinkView>;

impl From<Link> for LinkView {
    fn from(link: Link) -> Self {
        let Link {
            cut,
            delay_us,
            tail_us,
            loss,
            reorder,
            duplicate,
            corrupt,
            bandwidth,
        } = link;
        Self {
            cut,
            delay_us,
            tail_us,
            loss,
            reorder,
            duplicate,
            corrupt,
            bandwidth,
        }
    }
}

impl From<LinkView> for Link {
    fn from(view: LinkView) -> Self {
        let LinkView {
            cut,
            delay_us,
            tail_us,
            loss,
            reorder,
            duplicate,
            corrupt,
            bandwidth,
        } = view;
        Self {
            cut,
            delay_us,
            tail_us,
            loss,
            reorder,
            duplicate,
            corrupt,
            bandwidth,
        }
    }
}

/// The bound socket in `home`. One that a killed node left is replaced, so that only the node that
/// holds the store may call this.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn bind(home: &FilePath) -> Result<UnixListener, Error> {
    let path = home.join(SOCKET);
    let bound = match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => UnixListener::bind(&path),
    };
    bound
        .and_then(|listener| {
            fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            Ok(listener)
        })
        .map_err(Error::io(path.display().to_string()))
}

/// Every control.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/links", get(links).put(set_links))
        .route("/v1/links/{peer}", put(set_link))
        .fallback(async || Problem::not_found("there is no such control"))
        .with_state(shared)
}

async fn links(State(shared): State<Arc<Shared>>) -> Result<Json<LinkViews>, Problem> {
    let endpoint = shared.endpoint.get().ok_or_else(Problem::starting)?;
    let links = endpoint.links()?;
    let named = links.into_iter().map(|(key, link)| {
        let mut peers = shared.genesis.peers.iter();
        let peer = peers.find(|peer| peer.transport_key == key);
        let key = peer.map_or(key, |peer| peer.peer_key);
        (key.to_string(), link.into())
    });
    Ok(Json(named.collect()))
}

/// Sets every link: those that the body does not name are healed.
async fn set_links(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<Json<LinkViews>, Problem> {
    let endpoint = shared.endpoint.get().ok_or_else(Problem::starting)?;
    let views: LinkViews = read(&body)?;
    let links: BTreeMap<PublicKey, Link> = views
        .into_iter()
        .map(|(peer, view)| Ok::<_, Problem>((transport_key(&shared.genesis, &peer)?, view.into())))
        .collect::<Result<_, _>>()?;
    for key in endpoint.links()?.keys() {
        if !links.contains_key(key) {
            endpoint.set_link(key, Link::default())?;
        }
    }
    for (key, link) in &links {
        endpoint.set_link(key, *link)?;
    }
    if links.is_empty() {
        tracing::info!("every link is whole");
    } else {
        tracing::warn!(damaged = links.len(), "links are damaged on purpose");
    }
    self::links(State(shared)).await
}

async fn set_link(
    State(shared): State<Arc<Shared>>,
    Path(peer): Path<String>,
    body: Bytes,
) -> Result<Json<LinkViews>, Problem> {
    let endpoint = shared.endpoint.get().ok_or_else(Problem::starting)?;
    let view: LinkView = read(&body)?;
    endpoint.set_link(&transport_key(&shared.genesis, &peer)?, view.into())?;
    tracing::warn!(%peer, ?view, "a link is damaged on purpose");
    links(State(shared)).await
}

fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(&error.to_string()))
}

fn transport_key(genesis: &Genesis, peer: &str) -> Result<PublicKey, Problem> {
    let key: Option<PublicKey> = peer.parse().ok();
    let mut peers = genesis.peers.iter();
    let known = peers.find(|peer| Some(peer.peer_key) == key);
    known
        .map(|peer| peer.transport_key)
        .ok_or_else(|| Problem::not_found(&format!("no peer has the key {peer}")))
}
