//! A reply against what the wallet trusts: one function for each kind of answer.
//!
//! Each refuses first (another kind, another thing than was asked for), then verifies the
//! certificate, then the proof under its state root, and returns what was proven.

use alloc::vec::Vec;

use ledger::rows::{Created, TransactionRow};
use ledger::subject::Subject;
use ledger::tx::{Checked, Outpoint, check_alone};
use ledger::{Header, Outcome, Reason};
use merkle::log::Frontier;
use merkle::proof::complete::EntryPage;
use merkle::proof::output::OutputStatus;
use merkle::proof::transaction::BlockTransactions;
use merkle::{LogEntry, Record, Spent};
use primitives::units::Height;
use primitives::{Digest, limits};

use crate::error::{Error, Part};
use crate::reply::{Answer, BlockProof, Body, Handover, History, TransactionAnswer};
use crate::request::Page;
use crate::trust::{Certified, Trust, same};

mod commit;
mod name;

pub use commit::{Commit, KeyCommit, commit};
pub use name::{ProvenName, name};

/// Entries of the log of a key or name up to the newest one, none of them withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenHistory {
    /// The certified block it is complete to.
    pub as_of: Certified,
    /// Whose log it is.
    pub of: Subject,
    /// The index of the first of the entries; zero if they are all.
    pub first: u64,
    /// The entries, oldest first.
    pub entries: Vec<LogEntry>,
}

/// What the maps hold of a key or name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvenRecord {
    /// The certified block it is proven under.
    pub as_of: Certified,
    /// Whose log it is.
    pub of: Subject,
    /// Its record; none for what no transaction ever touched.
    pub record: Option<Record>,
}

/// One page of a log, proven to follow the entries known before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenPage {
    /// The certified block it is proven under.
    pub as_of: Certified,
    /// Whose log it is.
    pub of: Subject,
    /// Its entries, and how many follow.
    pub page: EntryPage,
}

/// An output and whether it is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownOutput {
    /// The certified block it is proven under.
    pub as_of: Certified,
    /// Its name, what it holds, and the block that made it.
    pub created: Created,
    /// Unspent, or by what it was spent.
    pub status: OutputStatus,
}

/// How an output stood as of an earlier block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusAt {
    /// It was made later.
    NotYet,
    /// It could still be spent.
    Unspent,
    /// It had been spent.
    Spent(Spent),
}

/// A transaction that a block contains, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledTransaction {
    /// The certified block it is proven under.
    pub as_of: Certified,
    /// The header of its own block.
    pub header: Header,
    /// Its place among the transactions of its block.
    pub index: u32,
    /// The transaction.
    pub checked: Checked,
    /// What became of it.
    pub outcome: Outcome,
}

/// A block in the past of a certified one, or that block itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownBlock {
    /// The certified block it is proven under.
    pub as_of: Certified,
    /// Its header.
    pub header: Header,
    /// Its consensus root.
    pub root: Digest,
}

impl KnownOutput {
    /// How the output stood as of the block at `height`: what a leaf says changes once, so the
    /// newest root answers for the past.
    ///
    /// # Errors
    /// [`Error::AfterSnapshot`] above the certified block.
    pub fn status_at(&self, height: Height) -> Result<StatusAt, Error> {
        not_after(height, &self.as_of)?;
        Ok(match self.status {
            _ if height < self.created.height => StatusAt::NotYet,
            OutputStatus::Spent(spent) if spent.block <= height => StatusAt::Spent(spent),
            OutputStatus::Spent(_) | OutputStatus::Unspent { .. } => StatusAt::Unspent,
        })
    }
}

impl ProvenHistory {
    /// The part of it up to the block at `height`: blocks of entries never fall.
    ///
    /// # Errors
    /// [`Error::AfterSnapshot`] above the certified block.
    pub fn up_to(mut self, height: Height) -> Result<Self, Error> {
        not_after(height, &self.as_of)?;
        self.entries.retain(|entry| entry.block <= height);
        Ok(self)
    }
}

fn not_after(found: Height, as_of: &Certified) -> Result<(), Error> {
    let last = as_of.height();
    if found > last {
        return Err(Error::AfterSnapshot { found, last });
    }
    Ok(())
}

/// Checks the answer to [`crate::Request::Head`]. Cost: about 20 us a signature, as in all others.
///
/// # Errors
/// As [`Trust::certify`].
pub fn head(answer: &Answer, trust: &Trust) -> Result<Certified, Error> {
    let Body::Head = &answer.body else {
        return Err(Error::OtherKind);
    };
    trust.certify(&answer.snapshot)
}

/// Checks the answer to [`crate::Request::History`] for a page that ends with the newest entry.
///
/// # Errors
/// As [`Trust::certify`]; [`Error::Proof`] naming what fails in the record, the log or the top.
pub fn history(
    of: &Subject,
    page: Page,
    answer: &Answer,
    trust: &Trust,
) -> Result<ProvenHistory, Error> {
    let Body::History(history) = &answer.body else {
        return Err(Error::OtherKind);
    };
    let page_max = u64::try_from(limits::PAGE_ENTRIES_MAX).unwrap_or(u64::MAX);
    let wanted = match page {
        Page::All => page_max,
        Page::Newest { count } => page_max.min(u64::from(count)),
        Page::From { .. } => return Err(Error::OtherKind),
    };
    let as_of = trust.certify(&answer.snapshot)?;
    let (keys, at, state) = (trust.keys(), of.position(), as_of.state());
    let proven = match (history, page) {
        (History::All(all), Page::All) => all.verify(keys, &at, &state),
        (History::Newest(newest), _) => newest.verify(keys, &at, wanted, &state),
        (History::All(_) | History::From(_), _) => return Err(Error::OtherKind),
    };
    let proven = proven.map_err(in_part(Part::History))?;
    Ok(ProvenHistory {
        as_of,
        of: *of,
        first: proven.first,
        entries: proven.entries,
    })
}

/// Checks the answer to [`crate::Request::Record`].
///
/// # Errors
/// As [`history`].
pub fn record(of: &Subject, answer: &Answer, trust: &Trust) -> Result<ProvenRecord, Error> {
    let Body::Record(given) = &answer.body else {
        return Err(Error::OtherKind);
    };
    let as_of = trust.certify(&answer.snapshot)?;
    let record = given.verify(trust.keys(), &of.position(), &as_of.state());
    Ok(ProvenRecord {
        as_of,
        of: *of,
        record: record.map_err(in_part(Part::History))?,
    })
}

/// Checks the answer to [`crate::Request::History`] for a page that begins where `known` ends.
///
/// # Errors
/// As [`history`].
pub fn history_page(
    of: &Subject,
    known: &Frontier,
    answer: &Answer,
    trust: &Trust,
) -> Result<ProvenPage, Error> {
    let Body::History(History::From(page)) = &answer.body else {
        return Err(Error::OtherKind);
    };
    let as_of = trust.certify(&answer.snapshot)?;
    let page = page.verify(trust.keys(), &of.position(), known, &as_of.state());
    let page = page.map_err(in_part(Part::History))?;
    // Else a host could keep a wallet asking for ever.
    if page.entries.is_empty() && page.remaining > 0 {
        return Err(Error::EmptyPage {
            remaining: page.remaining,
        });
    }
    Ok(ProvenPage {
        as_of,
        of: *of,
        page,
    })
}

/// Checks the answer to [`crate::Request::Output`].
///
/// # Errors
/// As [`Trust::certify`]; [`Error::Other`] for another output; [`Error::Proof`].
pub fn output(outpoint: &Outpoint, answer: &Answer, trust: &Trust) -> Result<KnownOutput, Error> {
    let Body::Output(given) = &answer.body else {
        return Err(Error::OtherKind);
    };
    let found = given.created.outpoint;
    same(Part::Output, found.transaction, outpoint.transaction)?;
    if found.index != outpoint.index {
        return Err(Error::OtherIndex {
            found: found.index,
            wanted: outpoint.index,
        });
    }
    let as_of = trust.certify(&answer.snapshot)?;
    let commitment = given.created.commitment(trust.chain())?;
    let proof = &given.proof;
    let status = proof.verify(trust.keys(), &commitment, &as_of.state());
    Ok(KnownOutput {
        as_of,
        created: given.created,
        status: status.map_err(in_part(Part::Output))?,
    })
}

/// Checks the answer to [`crate::Request::Transaction`].
///
/// # Errors
/// As [`Trust::certify`]; [`Error::Other`] for another transaction; [`Error::DuplicateCopy`] for a
/// later copy, since the applied one tells what became of it; [`Error::Proof`] naming the
/// transactions tree or the block tree.
pub fn transaction(
    id: &Digest,
    answer: &Answer,
    trust: &Trust,
) -> Result<SettledTransaction, Error> {
    let Body::Transaction(given) = &answer.body else {
        return Err(Error::OtherKind);
    };
    let checked = check_alone(given.bytes.to_vec(), trust.chain());
    same(Part::Transaction, *checked.id(), *id)?;
    if let Outcome::Rejected {
        reason: Reason::Duplicate,
        ..
    } = given.outcome
    {
        return Err(Error::DuplicateCopy { id: *id });
    }
    let as_of = trust.certify(&answer.snapshot)?;
    let header = ancestor(&given.block, &as_of, trust)?;
    let index = included(given, &checked, &header, trust)?;
    Ok(SettledTransaction {
        as_of,
        header,
        index,
        checked,
        outcome: given.outcome,
    })
}

/// Checks the answer to [`crate::Request::Block`].
///
/// # Errors
/// As [`Trust::certify`]; [`Error::OtherHeight`]; [`Error::Proof`] naming the block tree.
pub fn block(height: Height, answer: &Answer, trust: &Trust) -> Result<KnownBlock, Error> {
    let Body::Block(proof) = &answer.body else {
        return Err(Error::OtherKind);
    };
    known_block(height, proof, answer, trust)
}

/// Checks the answer to [`crate::Request::Consistency`]: that the certified block continues the
/// older one whose consensus root the wallet remembers.
///
/// # Errors
/// As [`block`]; [`Error::Other`] where the chain holds another block at that height, which with
/// both certificates is evidence against a third of the stake.
pub fn consistency(
    height: Height,
    root: &Digest,
    answer: &Answer,
    trust: &Trust,
) -> Result<Certified, Error> {
    let Body::Consistency(proof) = &answer.body else {
        return Err(Error::OtherKind);
    };
    let known = known_block(height, proof, answer, trust)?;
    same(Part::Block, known.root, *root)?;
    Ok(known.as_of)
}

/// Checks the answer to [`crate::Request::Committee`], lets `trust` follow it, and returns what
/// others need to follow as well.
///
/// # Errors
/// As [`Trust::follow`].
pub fn committee(answer: Answer, trust: &mut Trust) -> Result<Handover, Error> {
    let Body::Committee(members) = answer.body else {
        return Err(Error::OtherKind);
    };
    let handover = Handover {
        sealing: answer.snapshot,
        members,
    };
    trust.follow(&handover)?;
    Ok(handover)
}

fn known_block(
    height: Height,
    proof: &BlockProof,
    answer: &Answer,
    trust: &Trust,
) -> Result<KnownBlock, Error> {
    let as_of = trust.certify(&answer.snapshot)?;
    let header = ancestor(proof, &as_of, trust)?;
    if header.height != height {
        return Err(Error::OtherHeight {
            part: Part::Block,
            found: header.height,
            wanted: height,
        });
    }
    Ok(KnownBlock {
        as_of,
        header,
        root: header.root()?,
    })
}

fn ancestor(proof: &BlockProof, as_of: &Certified, trust: &Trust) -> Result<Header, Error> {
    match proof {
        BlockProof::Snapshot => Ok(*as_of.header()),
        BlockProof::Ancestor { header, inclusion } => {
            // The consensus root is what the leaf of the block tree is made of.
            let root = header.root()?;
            inclusion
                .verify(trust.keys(), header.height, &root.0, &as_of.state())
                .map_err(in_part(Part::Block))?;
            Ok(**header)
        }
    }
}

fn included(
    given: &TransactionAnswer,
    checked: &Checked,
    header: &Header,
    trust: &Trust,
) -> Result<u32, Error> {
    let block = BlockTransactions {
        root: header.transactions,
        count: header.transaction_count,
    };
    let row = TransactionRow {
        id: *checked.id(),
        witness_digest: *checked.witness_digest(),
        outcome: given.outcome,
        bytes: given.bytes.clone(),
    };
    let leaf = row.leaf(trust.keys())?;
    let included = given.inclusion.verify(&block, &[leaf]);
    let included = included.map_err(in_part(Part::Transaction))?;
    let [only] = included.as_slice() else {
        return Err(Error::OtherKind);
    };
    Ok(only.index)
}

fn in_part(part: Part) -> impl FnOnce(merkle::Error) -> Error {
    move |source| Error::Proof { part, source }
}

#[cfg(test)]
mod tests;
