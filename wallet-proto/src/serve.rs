//! A peer's side: the body of an answer, proven under the newest executed block.
//!
//! The peer holds the body until a quorum has attested that block, then sends it with the block's
//! header and certificate as one [`crate::reply::Answer`].

use alloc::boxed::Box;
use alloc::format;

use ledger::committee::Members;
use ledger::genesis::Parameters;
use ledger::prune::KeptFrom;
use ledger::query::key_map_position;
use ledger::rows::role;
use ledger::tx::Outpoint;
use ledger::{Error, Ledger};
use merkle::LogEntry;
use merkle::proof::complete::{AllEntries, RecentEntries};
use merkle::proof::record::MapPosition;
use primitives::codec::List;
use primitives::keys::PublicKey;
use primitives::limits::PAGE_ENTRIES_MAX;
use primitives::store::Store;
use primitives::units::{Epoch, Height};
use primitives::{Digest, limits};

use crate::reply::{
    BlockProof, Body, Code, CommitAnswer, History, OutputAnswer, Refusal, TransactionAnswer,
};
use crate::request::{Page, Request};

/// Why there is no body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unserved {
    /// The request is at fault, or comes too early; the wallet is told.
    Refused(Refusal),
    /// The ledger or its store is at fault; the peer stops.
    Broken(Box<Error>),
}

impl From<Error> for Unserved {
    fn from(error: Error) -> Self {
        if let Error::Pruned { .. } = error {
            let text = format!("{error}; ask a peer that keeps everything");
            return refused(Code::Pruned, &text);
        }
        Self::Broken(Box::new(error))
    }
}

/// The body that answers `request` under the newest state of `ledger`. A committee is answered
/// under its sealing block instead, see [`sealing_height`].
///
/// # Errors
/// [`Unserved::Refused`] also for [`Request::Submit`] and [`Request::Track`], which have progress
/// and no body; [`Unserved::Broken`] from a failing disk.
pub fn body<S: Store>(request: &Request, ledger: &Ledger, store: &S) -> Result<Body, Unserved> {
    match request {
        Request::Head => Ok(Body::Head),
        Request::History { key, page } => {
            history(&key_map_position(key), *page, ledger, store).map(Body::History)
        }
        Request::Output { outpoint } => output(outpoint, ledger, store),
        Request::Transaction { id } => transaction(id, ledger, store),
        Request::Block { height } => block(*height, ledger, store).map(Body::Block),
        Request::Consistency { old } => block(*old, ledger, store).map(Body::Consistency),
        Request::Committee { epoch } => committee(*epoch, ledger, store),
        Request::Record { key } => {
            let record = ledger.record(&key_map_position(key), store)?;
            Ok(Body::Record(record))
        }
        Request::Commit { key, height } => commit(key, *height, ledger, store),
        Request::Submit { .. } | Request::Track { .. } => {
            Err(refused(Code::Unknown, "this request has no answer"))
        }
    }
}

/// The height of the block that seals the epoch before `epoch` (C30); none for epoch 0.
#[must_use]
pub fn sealing_height(parameters: &Parameters, epoch: Epoch) -> Option<Height> {
    (epoch > Epoch::ZERO).then(|| parameters.last_height(epoch.earlier(1)))
}

fn history<S: Store>(
    at: &MapPosition,
    page: Page,
    ledger: &Ledger,
    store: &S,
) -> Result<History, Unserved> {
    let page_max = u64::try_from(PAGE_ENTRIES_MAX).unwrap_or(u64::MAX);
    let record = ledger.record(at, store)?.record;
    let count = record.map_or(0, |record| record.count);
    match page {
        Page::All if count <= page_max => {
            let all: AllEntries = ledger.history(at, store)?;
            Ok(History::All(all))
        }
        Page::All => newest(at, page_max, ledger, store),
        Page::Newest { count } => newest(at, page_max.min(u64::from(count)), ledger, store),
        Page::From { index, .. } if index > count => {
            Err(refused(Code::NotFound, "the log has fewer entries"))
        }
        Page::From { index, .. } => Ok(History::From(ledger.history_from(at, index, store)?)),
    }
}

fn newest<S: Store>(
    at: &MapPosition,
    count: u64,
    ledger: &Ledger,
    store: &S,
) -> Result<History, Unserved> {
    let newest: RecentEntries = ledger.history_recent(at, count, store)?;
    Ok(History::Newest(newest))
}

fn commit<S: Store>(
    key: &PublicKey,
    height: Height,
    ledger: &Ledger,
    store: &S,
) -> Result<Body, Unserved> {
    settled(height, ledger)?;
    let span = match ledger.entries_of_block(&key_map_position(key), height, store) {
        Err(Error::Primitive(primitives::Error::TooMany { .. })) => {
            let text = "more transactions touched the key in that block than a page holds";
            return Err(refused(Code::NotFound, text));
        }
        span => span?,
    };
    let is_made = |entry: &&LogEntry| entry.block == height && entry.role & role::COMMIT > 0;
    let made = span.entries().iter().find(is_made);
    let body = made.map(|entry| ledger.transaction_body(&entry.txid, store));
    let body = body.transpose()?.map(Box::new);
    Ok(Body::Commit(CommitAnswer { span, body }))
}

fn output<S: Store>(outpoint: &Outpoint, ledger: &Ledger, store: &S) -> Result<Body, Unserved> {
    let found = ledger.output(outpoint, store)?;
    let found = found.ok_or_else(|| refused(Code::NotFound, "no such output"))?;
    Ok(Body::Output(OutputAnswer {
        created: found.created,
        proof: found.proof,
    }))
}

fn transaction<S: Store>(id: &Digest, ledger: &Ledger, store: &S) -> Result<Body, Unserved> {
    let found = ledger.transaction(id, store)?;
    let Some(found) = found else {
        let first = KeptFrom::read(store)?.height;
        let text = match first {
            Height::ZERO => "no such transaction is settled".into(),
            _ => format!("no such transaction is settled, unless rejected before block {first}"),
        };
        return Err(refused(Code::NotFound, &text));
    };
    Ok(Body::Transaction(TransactionAnswer {
        bytes: found.row.bytes,
        outcome: found.row.outcome,
        inclusion: found.inclusion,
        block: block(found.place.height, ledger, store)?,
    }))
}

fn block<S: Store>(height: Height, ledger: &Ledger, store: &S) -> Result<BlockProof, Unserved> {
    if height == ledger.height() {
        return Ok(BlockProof::Snapshot);
    }
    settled(height, ledger)?;
    let (header, inclusion) = ledger.block_inclusion(height, store)?;
    Ok(BlockProof::Ancestor {
        header: Box::new(header),
        inclusion,
    })
}

fn committee<S: Store>(epoch: Epoch, ledger: &Ledger, store: &S) -> Result<Body, Unserved> {
    let sealing = sealing_height(ledger.parameters(), epoch);
    let sealing = sealing.ok_or_else(|| refused(Code::Malformed, "the genesis names epoch 0"))?;
    if sealing > ledger.height() {
        return Err(refused(Code::TooEarly, "the epoch before is not sealed"));
    }
    let members = ledger.committee_of(epoch, store)?;
    Ok(Body::Committee(Members {
        version: 1,
        members: List::<_, { limits::PEERS_MAX }>::new(members).map_err(Error::from)?,
    }))
}

fn settled(height: Height, ledger: &Ledger) -> Result<(), Unserved> {
    if height > ledger.height() {
        return Err(refused(Code::TooEarly, "no such block is settled"));
    }
    Ok(())
}

fn refused(code: Code, text: &str) -> Unserved {
    Unserved::Refused(Refusal::new(code, text))
}
