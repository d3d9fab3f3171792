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
use serde::Deserialize;
use tokio::net::UnixListener;

use super::Shared;
use super::problem::Problem;
use crate::error::Error;

/// The socket within a node's home.
pub const SOCKET: &str = "admin.sock";

/// The damaged links of a node, by the peer key of their other end.
pub type Links = BTreeMap<String, Link>;

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

async fn links(State(shared): State<Arc<Shared>>) -> Result<Json<Links>, Problem> {
    let endpoint = shared.endpoint.get().ok_or_else(Problem::starting)?;
    let links = endpoint.links()?;
    let named = links.into_iter().map(|(key, link)| {
        let mut peers = shared.genesis.peers.iter();
        let peer = peers.find(|peer| peer.transport_key == key);
        let key = peer.map_or(key, |peer| peer.peer_key);
        (key.to_string(), link)
    });
    Ok(Json(named.collect()))
}

/// Sets every link: those that the body does not name are healed.
async fn set_links(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<Json<Links>, Problem> {
    let endpoint = shared.endpoint.get().ok_or_else(Problem::starting)?;
    let named: Links = read(&body)?;
    let links: BTreeMap<PublicKey, Link> = named
        .into_iter()
        .map(|(peer, link)| Ok::<_, Problem>((transport_key(&shared.genesis, &peer)?, link)))
        .collect::<Result<_, _>>()?;
    endpoint.set_links(&links)?;
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
) -> Result<Json<Links>, Problem> {
    let endpoint = shared.endpoint.get().ok_or_else(Problem::starting)?;
    let link: Link = read(&body)?;
    endpoint.set_link(&transport_key(&shared.genesis, &peer)?, link)?;
    tracing::warn!(%peer, ?link, "a link is damaged on purpose");
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
