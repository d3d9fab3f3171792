//! What comes in: decoded and verified on threads of its own, so that the driver only sees what has
//! been checked. One peer's messages stay in their order.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};

use dag::Committee;
use ledger::tx::check_batch;
use net::{Endpoint, Events, Held, Part, PeerEvent, WalletEvent};
use primitives::Digest;
use primitives::keys::PublicKey;
use replica::{Input, Ticket, input};
use tokio::sync::{mpsc, watch};
use wallet_proto::reply::{Code, Refusal, Reply};
use wallet_proto::request::{Question, Request};
use wallet_proto::wire;

use super::directory::Directory;
use super::{Query, Work, named_thread};
use crate::error::Error;
use crate::snapshot::serve::Asker;

/// What the checking threads know.
#[derive(Debug, Clone)]
pub(super) struct Checks {
    pub(super) chain: Digest,
    pub(super) committee: watch::Receiver<Arc<Committee>>,
    pub(super) directory: Arc<Directory>,
    pub(super) endpoint: Endpoint,
    pub(super) workers: NonZeroUsize,
    /// Who answers for snapshots, if this node keeps any.
    pub(super) snapshots: Option<Asker>,
}

/// Starts the threads. They end when the endpoint is closed and the queries are dropped.
pub(super) fn start(
    peers: Events<PeerEvent>,
    wallets: Events<WalletEvent>,
    queries: mpsc::Receiver<Query>,
    works: SyncSender<Work>,
    checks: &Checks,
) -> Result<(), Error> {
    let mut verifiers = Vec::new();
    for _ in 0..checks.workers.get() {
        // Bounded by what each peer may have under way; a full channel would hold up the others.
        let (sender, receiver) = channel();
        let (checks, works) = (checks.clone(), works.clone());
        named_thread("verify", move || verify_peers(&receiver, &works, &checks))?;
        verifiers.push(sender);
    }
    let directory = Arc::clone(&checks.directory);
    named_thread("intake", move || sort_peers(peers, &verifiers, &directory))?;
    let (wallet_checks, wallet_works) = (checks.clone(), works.clone());
    named_thread("wallets", move || {
        take_wallets(wallets, &wallet_works, &wallet_checks)
    })?;
    named_thread("queries", move || take_queries(queries, &works))?;
    Ok(())
}

/// What one peer did.
type FromPeer = (PublicKey, Held<PeerEvent>);

/// Gives each peer's events to one verifier, always the same.
fn sort_peers(
    mut events: Events<PeerEvent>,
    verifiers: &[Sender<FromPeer>],
    directory: &Directory,
) {
    while let Some(held) = events.blocking_recv_held() {
        let key = match &held.event {
            PeerEvent::Up { peer }
            | PeerEvent::Down { peer, .. }
            | PeerEvent::DialFailed { peer, .. }
            | PeerEvent::Delay { peer, .. }
            | PeerEvent::Message { peer, .. } => *peer,
        };
        let Some(peer) = directory.peer_key(&key) else {
            continue;
        };
        let verifier = usize::from(peer.0[0]).checked_rem(verifiers.len());
        let verifier = verifier.and_then(|position| verifiers.get(position));
        if verifier.is_some_and(|verifier| verifier.send((peer, held)).is_err()) {
            return;
        }
    }
}

fn verify_peers(events: &Receiver<FromPeer>, works: &SyncSender<Work>, checks: &Checks) {
    for (from, held) in events {
        let input = held.and_then(|event| verify_event(from, event, checks));
        if input.is_some_and(|input| works.send(Work::Input(input)).is_err()) {
            return;
        }
    }
}

fn verify_event(from: PublicKey, event: PeerEvent, checks: &Checks) -> Option<Input> {
    match event {
        PeerEvent::Up { .. } => {
            tracing::info!(peer = %from, "peer is up");
            Some(Input::PeerUp(from))
        }
        PeerEvent::Down { reason, .. } => {
            tracing::info!(peer = %from, %reason, "peer is down");
            Some(Input::PeerDown(from))
        }
        PeerEvent::DialFailed { reason, .. } => {
            tracing::debug!(peer = %from, %reason, "peer cannot be reached");
            None
        }
        PeerEvent::Delay { one_way, .. } => {
            let one_way_ms = u64::try_from(one_way.as_millis()).unwrap_or(u64::MAX);
            Some(Input::Delay { from, one_way_ms })
        }
        PeerEvent::Message { bytes, .. } => {
            let committee = Arc::clone(&checks.committee.borrow());
            match input::verify(&bytes, std::slice::from_ref(committee.as_ref())) {
                Ok(gossip) => Some(Input::Gossip { from, gossip }),
                Err(error) => {
                    tracing::warn!(peer = %from, %error, "message refused");
                    Some(Input::Refused { from })
                }
            }
        }
    }
}

fn take_wallets(mut events: Events<WalletEvent>, works: &SyncSender<Work>, checks: &Checks) {
    while let Some(held) = events.blocking_recv_held() {
        let input = held.and_then(|event| match event {
            WalletEvent::Up { .. } => None,
            WalletEvent::Down { session } => Some(Input::WalletGone { session }),
            WalletEvent::Request {
                session,
                request,
                bytes,
            } => take_request(Ticket { session, request }, &bytes, checks),
        });
        if input.is_some_and(|input| works.send(Work::Input(input)).is_err()) {
            return;
        }
    }
}

fn take_request(ticket: Ticket, bytes: &[u8], checks: &Checks) -> Option<Input> {
    match wire::from_bytes(bytes) {
        Ok(Question {
            request:
                Request::Submit {
                    transactions,
                    report,
                },
            held: _,
        }) => {
            let bytes = transactions
                .into_vec()
                .into_iter()
                .map(primitives::codec::Bytes::into_vec);
            let transactions = check_batch(bytes.collect(), &checks.chain);
            Some(Input::Submit {
                ticket,
                transactions,
                report,
            })
        }
        Ok(question) => match &checks.snapshots {
            Some(snapshots) if snapshots.take(ticket, &question.request) => None,
            Some(_) | None => Some(Input::Wallet { ticket, question }),
        },
        Err(error) => {
            tracing::debug!(session = ticket.session, %error, "request refused");
            let refusal = Refusal::new(Code::Malformed, &error.to_string());
            if let Ok(bytes) = wire::to_bytes(&Reply::Error(refusal)) {
                // A wallet that left needs no answer.
                let (session, request) = (ticket.session, ticket.request);
                let _ = checks
                    .endpoint
                    .reply(session, request, bytes.into(), Part::Last);
            }
            Some(Input::RefusedWallet)
        }
    }
}

fn take_queries(mut queries: mpsc::Receiver<Query>, works: &SyncSender<Work>) {
    while let Some(query) = queries.blocking_recv() {
        if works.send(Work::Query(query)).is_err() {
            return;
        }
    }
}
