//! The one commit of a key in a block, or that there is none.

use ledger::rows::role;
use ledger::subject::Subject;
use ledger::tx::Kind;
use merkle::LogEntry;
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::units::Height;

use super::{in_part, not_after};
use crate::error::{Error, Part};
use crate::reply::{Answer, Body};
use crate::trust::{Certified, Trust, same};

/// What a key committed to in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCommit {
    /// The certified block it is proven under.
    pub as_of: Certified,
    /// The key.
    pub key: PublicKey,
    /// The block.
    pub height: Height,
    /// Its only commit there; none if it made none.
    pub commit: Option<Commit>,
}

/// A commit of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// The hash that the key signed.
    pub hash: Digest,
    /// Its entry in the key's log.
    pub entry: LogEntry,
}

/// Checks the answer to [`crate::Request::Commit`].
///
/// # Errors
/// As [`Trust::certify`]; [`Error::AfterSnapshot`]; [`Error::Proof`] naming what fails in the record,
/// the log or the top; [`Error::Commits`] for a log with two commits in the block, which no honest
/// chain has; [`Error::Other`] and [`Error::OtherKind`] for what is not that transaction or no commit
/// of that key.
pub fn commit(
    key: &PublicKey,
    height: Height,
    answer: &Answer,
    trust: &Trust,
) -> Result<KeyCommit, Error> {
    let Body::Commit(given) = &answer.body else {
        return Err(Error::OtherKind);
    };
    let as_of = trust.certify(&answer.snapshot)?;
    not_after(height, &as_of)?;
    let (keys, at, state) = (trust.keys(), Subject::Key(*key).position(), as_of.state());
    let entries = given.span.of_block(keys, &at, height, &state);
    let mut commits = entries.map_err(in_part(Part::History))?;
    commits.retain(|entry| entry.role & role::COMMIT > 0);
    let commit = match (commits.as_slice(), &given.body) {
        ([], None) => None,
        ([entry], Some(body)) => {
            same(Part::Transaction, body.id(trust.chain())?, entry.txid)?;
            let Kind::Commit { key: signer, hash } = body.kind else {
                return Err(Error::OtherKind);
            };
            same(Part::Transaction, Digest(signer.0), Digest(key.0))?;
            let entry = *entry;
            Some(Commit { hash, entry })
        }
        _ => {
            let found = commits.len();
            return Err(Error::Commits { found, height });
        }
    };
    Ok(KeyCommit {
        as_of,
        key: *key,
        height,
        commit,
    })
}

#[cfg(test)]
mod tests;
