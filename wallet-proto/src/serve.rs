//! A peer's side: the body of an answer, proven under the newest executed block or, where that will
//! do, under an older one whose certificate the wallet has.
//!
//! The peer holds a body under its newest block until a quorum has attested that block, then sends it
//! with the block's header and certificate as one [`crate::reply::Answer`]. Under the block that the
//! wallet holds it is sent at once, without certificate.

use alloc::boxed::Box;
use alloc::format;

use ledger::committee::Members;
use ledger::genesis::Parameters;
use ledger::prune::KeptFrom;
use ledger::rows::role;
use ledger::subject::Subject;
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
    BlockProof, Body, Code, History, OutputAnswer, Refusal, SpanAnswer, TransactionAnswer,
};
use crate::request::{Page, Question, Request};

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

/// A body and the block that it is proven under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The height of the block.
    pub under: Height,
    /// The body.
    pub body: Body,
}

/// What answers `question`: under the block that the wallet holds if only headers and what they
/// contain are asked for and it is not above that block; a committee under its sealing block, see
/// [`sealing_height`]; else under the newest block of `ledger`.
///
/// # Errors
/// [`Unserved::Refused`] also for [`Request::Submit`] and [`Request::Track`], which have progress
/// and no body; [`Unserved::Broken`] from a failing disk.
pub fn serve<S: Store>(
    question: &Question,
    ledger: &Ledger,
    store: &S,
) -> Result<Served, Unserved> {
    let held = question.held;
    let newest = |body| {
        let under = ledger.height();
        Served { under, body }
    };
    match &question.request {
        Request::Head => Ok(newest(Body::Head)),
        Request::History { of, page } => {
            let history = history(&of.position(), *page, ledger, store)?;
            Ok(newest(Body::History(history)))
        }
        Request::Output { outpoint } => output(outpoint, ledger, store).map(newest),
        Request::Record { of } => {
            let record = ledger.record(&of.position(), store)?;
            Ok(newest(Body::Record(record)))
        }
        Request::Commit { key, height } => commit(key, *height, ledger, store).map(newest),
        Request::Name { name, height } => {
            let height = height.unwrap_or(ledger.height());
            settled(height, ledger)?;
            let (span, body) = ledger.name(name, height, store)?;
            let body = body.map(Box::new);
            Ok(newest(Body::Name(SpanAnswer { span, body })))
        }
        Request::Transaction { id } => transaction(id, held, ledger, store),
        Request::Block { height } => {
            let under = under(held, *height, ledger);
            let body = Body::Block(block(*height, under, ledger, store)?);
            Ok(Served { under, body })
        }
        // Asked to move on, so never under an older block.
        Request::Consistency { old } => {
            let body = block(*old, ledger.height(), ledger, store)?;
            Ok(newest(Body::Consistency(body)))
        }
        Request::Committee { epoch } => committee(*epoch, ledger, store),
        Request::Submit { .. } | Request::Track { .. } => {
            Err(refused(Code::Unknown, "this request has no answer"))
        }
        // Snapshots are files; who keeps them answers before it comes to this.
        Request::Manifest | Request::Chunk { .. } => {
            Err(refused(Code::NotFound, "this peer keeps no snapshot"))
        }
    }
}

/// The block that the header at `height` is proven under: the one that the wallet holds if it is in
/// the past of this ledger and not below `height`, else the newest.
fn under(held: Option<Height>, height: Height, ledger: &Ledger) -> Height {
    let newest = ledger.height();
    held.filter(|held| (height..=newest).contains(held))
        .unwrap_or(newest)
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
    let span = match ledger.entries_of_block(&Subject::Key(*key).position(), height, store) {
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
    Ok(Body::Commit(SpanAnswer { span, body }))
}

fn output<S: Store>(outpoint: &Outpoint, ledger: &Ledger, store: &S) -> Result<Body, Unserved> {
    let found = ledger.output(outpoint, store)?;
    let found = found.ok_or_else(|| refused(Code::NotFound, "no such output"))?;
    Ok(Body::Output(OutputAnswer {
        created: found.created,
        proof: found.proof,
    }))
}

fn transaction<S: Store>(
    id: &Digest,
    held: Option<Height>,
    ledger: &Ledger,
    store: &S,
) -> Result<Served, Unserved> {
    let found = ledger.transaction(id, store)?;
    let Some(found) = found else {
        let first = KeptFrom::read(store)?.height;
        let text = match first {
            Height::ZERO => "no such transaction is settled".into(),
            _ => format!("no such transaction is settled, unless rejected before block {first}"),
        };
        return Err(refused(Code::NotFound, &text));
    };
    let (height, under) = (found.place.height, under(held, found.place.height, ledger));
    let body = Body::Transaction(TransactionAnswer {
        bytes: found.row.bytes,
        outcome: found.row.outcome,
        inclusion: found.inclusion,
        block: block(height, under, ledger, store)?,
    });
    Ok(Served { under, body })
}

fn block<S: Store>(
    height: Height,
    under: Height,
    ledger: &Ledger,
    store: &S,
) -> Result<BlockProof, Unserved> {
    if height == under {
        return Ok(BlockProof::Snapshot);
    }
    settled(height, ledger)?;
    let (header, inclusion) = ledger.block_inclusion(height, under, store)?;
    Ok(BlockProof::Ancestor {
        header: Box::new(header),
        inclusion,
    })
}

fn committee<S: Store>(epoch: Epoch, ledger: &Ledger, store: &S) -> Result<Served, Unserved> {
    let sealing = sealing_height(ledger.parameters(), epoch);
    let under = sealing.ok_or_else(|| refused(Code::Malformed, "the genesis names epoch 0"))?;
    if under > ledger.height() {
        return Err(refused(Code::TooEarly, "the epoch before is not sealed"));
    }
    let members = ledger.committee_of(epoch, store)?;
    let body = Body::Committee(Members {
        version: 1,
        members: List::<_, { limits::PEERS_MAX }>::new(members).map_err(Error::from)?,
    });
    Ok(Served { under, body })
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
