//! Proofs that a peer signed two events for one place of its self-chain, for people and for files
//! that anyone checks who knows the committee (C10).

use dag::event::Evidence;
use ledger::Genesis;
use primitives::codec::{self, Canonical};
use primitives::digest::{from_hex, to_hex};
use primitives::keys::PublicKey;
use primitives::store::{Store, Table};
use primitives::units::Epoch;
use replica::rows::{evidence_end, evidence_key};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::export::epoch_start;

/// Rows read at once: each may be half a mebibyte long.
const PAGE: usize = 16;
/// The longest file: both headers as hexadecimal text, and what is said of them.
pub const FILE_BYTES_MAX: u64 = 2 * Evidence::BYTES_MAX as u64 + 4_096;

/// What a pair of signed headers shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The chain.
    pub chain: String,
    /// The epoch of both events.
    pub epoch: u64,
    /// The sequence number of both events.
    pub seq: u64,
    /// The peer key of who signed them.
    pub peer: String,
    /// The lower id.
    pub first: String,
    /// The higher id.
    pub second: String,
}

/// What every pair of a store shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// By epoch and peer key.
    pub evidence: Vec<Shown>,
}

/// A pair of signed headers beside what they show: the contents of an evidence file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// What the pair shows.
    pub shows: Shown,
    /// The canonical bytes of both signed headers in hexadecimal digits.
    pub pair: String,
}

/// Every pair that the store holds: the first of each epoch and peer. Cost: two signature checks a
/// pair.
///
/// # Errors
/// [`Error::Damaged`] for a row that shows nothing; a failed disk.
pub fn list(store: &impl Store, genesis: &Genesis) -> Result<Listed, Error> {
    let end = evidence_end();
    let mut evidence = Vec::new();
    let mut from = Vec::new();
    loop {
        let page = store.range(Table::Evidence, &from, &end, PAGE)?;
        for (_, row) in &page {
            evidence.push(stored(row, store, genesis)?.shows);
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => from = [key.as_slice(), &[0]].concat(),
            _ => return Ok(Listed { evidence }),
        }
    }
}

/// The evidence file against `peer` in `epoch`.
///
/// # Errors
/// [`Error::NotFound`] if the store holds none; as [`list`].
pub fn export(
    store: &impl Store,
    genesis: &Genesis,
    epoch: Epoch,
    peer: &PublicKey,
) -> Result<File, Error> {
    let row = store.get(Table::Evidence, &evidence_key(epoch, peer))?;
    let row = row.ok_or_else(|| Error::NotFound {
        what: format!("evidence against peer {peer} in epoch {epoch}"),
    })?;
    stored(&row, store, genesis)
}

/// Checks an evidence file against the committee of its epoch.
///
/// # Errors
/// [`Error::ShowsNothing`] for a file that does not show what it says; [`Error::NotFound`] for an
/// epoch whose committee `store` does not know; a failed disk.
pub fn verify(text: &[u8], store: &impl Store, genesis: &Genesis) -> Result<Shown, Error> {
    let file: File = serde_json::from_slice(text).map_err(nothing)?;
    let evidence: Evidence = unhex(&file.pair)
        .ok_or_else(|| nothing("the pair is not hexadecimal"))
        .and_then(|bytes| codec::decode(&bytes).map_err(nothing))?;
    let shown = shown(&evidence, store, genesis)?;
    match shown == file.shows {
        true => Ok(shown),
        false => Err(nothing("the pair shows something else than is said of it")),
    }
}

fn stored(row: &[u8], store: &impl Store, genesis: &Genesis) -> Result<File, Error> {
    let damaged = |reason: String| Error::Damaged {
        what: "evidence",
        reason,
    };
    let evidence = codec::decode(row).map_err(|error| damaged(error.to_string()))?;
    let shows = match shown(&evidence, store, genesis) {
        Err(Error::ShowsNothing { reason }) => return Err(damaged(reason)),
        result => result?,
    };
    let pair = to_hex(row);
    Ok(File { shows, pair })
}

fn shown(evidence: &Evidence, store: &impl Store, genesis: &Genesis) -> Result<Shown, Error> {
    let header = evidence.first.header();
    let committee = epoch_start(store, genesis, header.epoch)?.committee;
    let forker = evidence.verify(&committee);
    let forker = forker.and_then(|forker| committee.member(forker));
    Ok(Shown {
        chain: committee.chain().to_string(),
        epoch: header.epoch.get(),
        seq: header.seq.get(),
        peer: forker.map_err(nothing)?.key.to_string(),
        first: evidence.first.id().to_string(),
        second: evidence.second.id().to_string(),
    })
}

fn nothing(reason: impl ToString) -> Error {
    let reason = reason.to_string();
    Error::ShowsNothing { reason }
}

/// The bytes that `text` spells in hexadecimal digits.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair| {
        str::from_utf8(pair)
            .ok()
            .and_then(|pair| from_hex(pair).ok())
    };
    pairs
        .map(|pair| byte(pair).map(|[byte]: [u8; 1]| byte))
        .collect()
}

#[cfg(test)]
mod tests;
