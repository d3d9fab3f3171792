//! Pages for the operator, on loopback: liveness, readiness, metrics, status, blocks, export,
//! evidence.
//!
//! Every error is an `application/problem+json` with a stable `code`.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query as Parameters, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use axum::serve::Listener;
use ledger::Genesis;
use net::Endpoint;
use primitives::units::{Epoch, Height};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

use crate::driver::Query;
use crate::error::Error;
use crate::evidence::{self, Listed};
use crate::log::LogCounts;
use crate::metrics::{self, Sources, Timings};
use crate::status::{BlockView, Check, Status};
use crate::store::Database;

pub mod admin;
mod body;
pub mod client;
mod problem;

use problem::Problem;

/// What the pages read; the parts that come up later are empty until then.
#[derive(Debug)]
pub struct Shared {
    /// What the driver publishes.
    pub status: watch::Receiver<Option<Arc<Status>>>,
    /// Where it is asked.
    pub queries: mpsc::Sender<Query>,
    /// Durations.
    pub timings: Arc<Timings>,
    /// Counts of log lines.
    pub logs: Arc<LogCounts>,
    /// The chain.
    pub genesis: Genesis,
    /// The disk, once open.
    pub store: OnceLock<Arc<Database>>,
    /// The network, once up.
    pub endpoint: OnceLock<Endpoint>,
}

/// One condition that keeps the node from being ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The condition's name.
    pub check: String,
    /// Why it does not hold.
    pub detail: String,
}

/// What `/readyz` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether every condition holds.
    pub ready: bool,
    /// Those that do not.
    pub reasons: Vec<Reason>,
}

impl Readiness {
    /// The readiness of a node with this status.
    #[must_use]
    pub fn of(status: Option<&Status>) -> Self {
        let reason = |check: Check| {
            let detail = check.unmet(status)?;
            let check = check.name().to_owned();
            Some(Reason { check, detail })
        };
        let reasons: Vec<_> = Check::ALL.into_iter().filter_map(reason).collect();
        Self {
            ready: reasons.is_empty(),
            reasons,
        }
    }
}

/// Every page.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_text))
        .route("/v1/status", get(status))
        .route("/v1/blocks/{height}", get(block))
        .route("/v1/dag/export", get(dag_export))
        .route("/v1/evidence", get(evidence_list))
        .route("/v1/evidence/{epoch}/{peer}", get(evidence_file))
        .fallback(async || Problem::not_found("there is no such page"))
        .with_state(shared)
}

/// The bound socket for the pages.
///
/// # Errors
/// [`Error::Io`].
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "the pages are open to other machines; nothing guards them");
    }
    TcpListener::bind(address)
        .await
        .map_err(Error::io(format!("http address {address}")))
}

/// Serves pages or controls until `stop` ends.
///
/// # Errors
/// [`Error::Io`].
pub async fn serve<L: Listener<Addr: fmt::Debug>>(
    listener: L,
    router: Router,
    stop: oneshot::Receiver<()>,
) -> Result<(), Error> {
    let stopped = async {
        // A dropped sender is a stop as well.
        let _ = stop.await;
    };
    axum::serve(listener, router)
        .with_graceful_shutdown(stopped)
        .await
        .map_err(Error::io("http"))
}

async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    let readiness = Readiness::of(shared.status.borrow().as_deref());
    let code = match readiness.ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, Json(readiness)).into_response()
}

async fn metrics_text(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let status = shared.status.borrow().clone();
    let net = shared.endpoint.get().map(Endpoint::stats);
    let text = shared.timings.text(&Sources {
        version: env!("CARGO_PKG_VERSION"),
        status: status.as_deref(),
        net: net.as_ref(),
        log_errors: shared.logs.errors(),
        log_warnings: shared.logs.warnings(),
    })?;
    let kind = HeaderValue::from_static(metrics::CONTENT_TYPE);
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

async fn status(State(shared): State<Arc<Shared>>) -> Result<Json<Status>, Problem> {
    let status = shared.status.borrow().clone();
    let status = status.ok_or_else(Problem::starting)?;
    Ok(Json(Status::clone(&status)))
}

async fn block(
    State(shared): State<Arc<Shared>>,
    Path(height): Path<String>,
) -> Result<Json<BlockView>, Problem> {
    let height = height
        .parse()
        .map(Height::new)
        .map_err(|_| Problem::bad_request("the height must be a number"))?;
    let (reply, answer) = oneshot::channel();
    shared
        .queries
        .try_send(Query::Block { height, reply })
        .map_err(|_| Problem::busy())?;
    let found = answer.await.map_err(|_| Problem::starting())??;
    found
        .map(Json)
        .ok_or_else(|| Problem::not_found(&format!("there is no block {height} yet")))
}

#[derive(Deserialize)]
struct EpochParameter {
    epoch: Option<String>,
}

async fn dag_export(
    State(shared): State<Arc<Shared>>,
    Parameters(parameters): Parameters<EpochParameter>,
) -> Result<Response, Problem> {
    let epoch = parameters
        .epoch
        .and_then(|epoch| epoch.parse().ok())
        .map(Epoch::new)
        .ok_or_else(|| Problem::bad_request("the query must name an epoch by its number"))?;
    let store = shared.store.get().cloned().ok_or_else(Problem::starting)?;
    let start = crate::export::start(store.as_ref(), &shared.genesis, epoch)?;
    let kind = HeaderValue::from_static("application/json");
    let body = Body::new(body::written_by(move |out| {
        crate::export::write(store.as_ref(), &start, out)
    }));
    Ok(([(CONTENT_TYPE, kind)], body).into_response())
}

async fn evidence_list(State(shared): State<Arc<Shared>>) -> Result<Json<Listed>, Problem> {
    let store = shared.store.get().cloned().ok_or_else(Problem::starting)?;
    let list = move || evidence::list(store.as_ref(), &shared.genesis);
    let listed = tokio::task::spawn_blocking(list).await;
    Ok(Json(listed.map_err(|_| Problem::starting())??))
}

async fn evidence_file(
    State(shared): State<Arc<Shared>>,
    Path((epoch, peer)): Path<(String, String)>,
) -> Result<Json<evidence::File>, Problem> {
    let epoch = epoch.parse().map(Epoch::new);
    let epoch = epoch.map_err(|_| Problem::bad_request("the epoch must be a number"))?;
    let peer = peer.parse();
    let peer = peer.map_err(|_| Problem::bad_request("the peer must be its key"))?;
    let store = shared.store.get().ok_or_else(Problem::starting)?;
    let file = evidence::export(store.as_ref(), &shared.genesis, epoch, &peer)?;
    Ok(Json(file))
}

#[cfg(test)]
mod tests;
