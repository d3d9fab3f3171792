//! Snapshots: the state after a sealing block as one file, to begin from instead of from the genesis
//! (docs/spec/snapshots.md).
//!
//! ```text
//!   store --state_before--> rows --cut--> chunks --> file --Restorer--> store of another node --fsck
//!                                          |  named by the manifest     ^
//!                                          `--Request::Chunk, several peers at once
//! ```
//!
//! Whoever begins so trusts the genesis alone: the committees' handovers lead from there to the
//! sealing block, and the rows must give its state root.

use std::path::{Path, PathBuf};

use consensus::checkpoint::Checkpoint;
use consensus::seed;
use ledger::committee::Members;
use ledger::prune::KeptFrom;
use ledger::rows::{CommitteeRow, HeadRow, committee_key};
use ledger::{Genesis, Header};
use primitives::Digest;
use primitives::codec::{self, List};
use primitives::store::{Batch, Store, Table};
use primitives::units::{Epoch, Height};
use replica::rows::{CHECKPOINT, CertificateRow, seal_key};
use wallet_proto::certificate::{Certificate, attestation_digest};
use wallet_proto::reply::{Handover, Snapshot};
use wallet_proto::snapshot::{Manifest, Row, chunk_digest, rows};
use wallet_proto::trust::Trust;

use self::file::Writer;
use crate::error::Error;
use crate::export;
use crate::fsck::rows::read;
use crate::fsck::{self, Checked};
use crate::state_before::rows_before;
use crate::store::{Backend, Database, Kind, Stamp};

pub mod file;
pub mod join;
pub mod serve;

pub use file::File;

/// What a snapshot is of, as results show it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Summary {
    /// The sealing block.
    pub height: u64,
    /// Its consensus root.
    pub root: String,
    /// The epoch that begins after it.
    pub epoch: u64,
    /// Rows of the state.
    pub rows: u64,
    /// Chunks that they are cut into.
    pub chunks: usize,
    /// Bytes of all chunks.
    pub bytes: u64,
}

impl Summary {
    pub(crate) fn of(manifest: &Manifest, genesis: &Genesis) -> Self {
        let epoch = genesis.parameters.epoch_of(manifest.height.later(1));
        Self {
            height: manifest.height.get(),
            root: manifest.root.to_string(),
            epoch: epoch.get(),
            rows: manifest.rows,
            chunks: manifest.chunks.len(),
            bytes: manifest.bytes,
        }
    }
}

/// Writes the state before the epoch in force to a new file at `path`, with the handovers that lead
/// to it; whatever was there is replaced once the new one is whole and durable. The store may go on
/// meanwhile. `tell` hears how many rows are written. Cost: a read of every row of the state.
///
/// # Errors
/// [`Error::NoSnapshot`] in the first epoch, or while a sealing block lacks its certificate;
/// [`Error::BadRow`] for rows that contradict one another; [`Error::Io`].
pub fn create(
    store: &impl Store,
    genesis: &Genesis,
    path: &Path,
    tell: &mut dyn FnMut(u64),
) -> Result<Manifest, Error> {
    let chain = genesis.chain_id().map_err(replica::Error::from)?;
    let head: HeadRow = read(store, Table::Meta, b"head")?;
    let epoch = genesis.parameters.epoch_of(head.height.later(1));
    if epoch == Epoch::ZERO {
        let first = genesis.parameters.first_height(Epoch::new(1));
        return Err(Error::NoSnapshot {
            reason: format!("the first epoch still runs; the next one begins at block {first}"),
        });
    }
    let handovers = handovers(store, &chain, genesis, epoch)?;
    let sealing = handovers.last().map(|handover| handover.sealing.header);
    let sealing = sealing.ok_or_else(|| Error::NoSnapshot {
        reason: "no block has sealed an epoch".to_owned(),
    })?;
    let first = KeptFrom {
        epoch,
        height: sealing.height.later(1),
    };
    let mut writer = Writer::begin(path)?;
    rows_before(store, genesis, first, &mut |table, key, value| {
        let row = Row::new(table, key.to_vec(), value).map_err(|error| refused(&error))?;
        writer.push(row)?;
        if writer.rows().is_multiple_of(TELL_ROWS) {
            tell(writer.rows());
        }
        Ok(())
    })?;
    let root = sealing.root().map_err(replica::Error::from)?;
    writer.finish(chain, sealing.height, root, &handovers)
}

/// How the keys of the rows of [`Table::Meta`] begin that are part of the state.
const META: [&[u8]; 6] = [
    b"head",
    b"stake",
    b"committee",
    b"conviction",
    b"holder",
    b"named",
];
/// Rows between two words about how far it has come.
const TELL_ROWS: u64 = 100_000;

/// The handovers of every epoch before `last`.
fn handovers(
    store: &impl Store,
    chain: &Digest,
    genesis: &Genesis,
    last: Epoch,
) -> Result<Vec<Handover>, Error> {
    let members = |epoch: Epoch| -> Result<Members, Error> {
        let row: CommitteeRow = read(store, Table::Meta, &committee_key(epoch))?;
        Ok(row.members)
    };
    let mut handovers = Vec::new();
    let mut committee = members(Epoch::ZERO)?;
    for epoch in (0..last.get()).map(Epoch::new) {
        let Some(row) = store.get(Table::Meta, &seal_key(epoch))? else {
            return Err(Error::NoSnapshot {
                reason: format!(
                    "the block that seals epoch {epoch} has no certificate yet; a running node \
                     asks the others for it"
                ),
            });
        };
        let row: CertificateRow = codec::decode(&row).map_err(|error| refused(&error))?;
        let header = export::header(store, genesis.parameters.last_height(epoch))?;
        let header = header.ok_or_else(|| damaged("sealing block", "missing"))?;
        let next = members(epoch.later(1))?;
        handovers.push(Handover {
            sealing: Snapshot {
                certificate: certificate(&row, epoch, chain, &committee)?,
                header,
            },
            members: next.clone(),
        });
        committee = next;
    }
    Ok(handovers)
}

fn certificate(
    row: &CertificateRow,
    epoch: Epoch,
    chain: &Digest,
    committee: &Members,
) -> Result<Certificate, Error> {
    let signed = row.signatures.iter().map(|(creator, signature)| {
        let member = committee.members.get(creator.position());
        let member = member.ok_or_else(|| damaged("certificate", "signed by no member"))?;
        let key = member.event_key.to_verifying();
        let key = key.map_err(|error| damaged("committee", &error.to_string()))?;
        Ok((*creator, key, *signature))
    });
    let signed: Vec<_> = signed.collect::<Result<_, Error>>()?;
    let digest = attestation_digest(epoch, row.height, &row.root);
    let made = Certificate::new(epoch, committee.members.len(), chain, &digest, &signed);
    made.map_err(|error| damaged("certificate", &error.to_string()))
}

/// Follows `handovers` from the genesis to the sealing block that `manifest` names.
///
/// # Errors
/// [`Error::BadSnapshot`] unless they lead there.
pub fn certify(
    manifest: &Manifest,
    genesis: &Genesis,
    handovers: &[Handover],
) -> Result<Header, Error> {
    let mut trust = Trust::new(genesis).map_err(|error| refused(&error))?;
    let followed = trust.follow_all(handovers);
    followed.map_err(|error| refused(&error))?;
    let sealing = handovers.last().map(|handover| handover.sealing.header);
    let sealing = sealing.ok_or_else(|| refused("it comes without handovers"))?;
    agree(manifest, genesis, &sealing)?;
    Ok(sealing)
}

/// Whether `manifest` is of this chain and of the state after `sealing`.
fn agree(manifest: &Manifest, genesis: &Genesis, sealing: &Header) -> Result<(), Error> {
    let chain = genesis.chain_id().map_err(replica::Error::from)?;
    let root = sealing.root().map_err(replica::Error::from)?;
    if manifest.version != 1 {
        return Err(refused(&format!(
            "version {} where 1 was due",
            manifest.version
        )));
    }
    if manifest.chain != chain {
        let (found, wanted) = (manifest.chain, chain);
        return Err(refused(&format!("of chain {found} where {wanted} was due")));
    }
    if (manifest.height, manifest.root) != (sealing.height, root) {
        let (height, found) = (manifest.height, manifest.root);
        return Err(refused(&format!(
            "block {height} has the root {root}, not {found}"
        )));
    }
    Ok(())
}

/// Builds the store of a node that begins with a snapshot. It is made beside its place and put there
/// once everything has been checked.
#[derive(Debug)]
pub struct Restorer {
    manifest: Manifest,
    store: Database,
    /// Rows and bytes taken in.
    taken: (u64, u64),
    /// Where it is made and where it goes; nowhere if it is only to be checked.
    goes: Option<(PathBuf, PathBuf)>,
}

impl Restorer {
    /// Begins the store of `manifest` that `stamp` will open in `place`.
    ///
    /// # Errors
    /// [`Error::StoreExists`] if there is anything; as [`Database::open`].
    pub fn begin(
        manifest: Manifest,
        kind: Kind,
        place: &Path,
        stamp: &Stamp,
    ) -> Result<Self, Error> {
        if place
            .read_dir()
            .is_ok_and(|mut found| found.next().is_some())
        {
            return Err(Error::StoreExists {
                path: place.to_owned(),
            });
        }
        let folder = place.with_extension("unfinished");
        // What an earlier attempt left.
        remove(&folder)?;
        Ok(Self {
            manifest,
            store: Database::open(kind, &folder, stamp)?,
            taken: (0, 0),
            goes: Some((folder, place.to_owned())),
        })
    }

    /// Begins a store that is checked and then forgotten.
    #[must_use]
    pub fn in_memory(manifest: Manifest) -> Self {
        Self {
            manifest,
            store: Database::in_memory(),
            taken: (0, 0),
            goes: None,
        }
    }

    /// Takes a chunk in, in any order, each once.
    ///
    /// # Errors
    /// [`Error::OtherChunk`] unless it is the one that the manifest names; [`Error::BadSnapshot`] for
    /// bytes that are no rows; a failed disk.
    pub fn take(&mut self, index: usize, chunk: &[u8]) -> Result<(), Error> {
        check_chunk(&self.manifest, index, chunk)?;
        let mut batch = Batch::new();
        let rows = rows(chunk).map_err(|error| refused(&error))?;
        self.taken.0 += rows.len() as u64;
        self.taken.1 += chunk.len() as u64;
        for row in rows {
            let (table, key, value) = row.into_parts().map_err(|error| refused(&error))?;
            if table == Table::Meta && !META.iter().any(|name| key.starts_with(name)) {
                return Err(refused("it holds what each peer keeps for itself"));
            }
            batch.put(table, key, value);
        }
        Ok(self.store.apply(&batch)?)
    }

    /// Checks every row against the state root of `sealing`, which a certificate vouches for, and puts
    /// the store in its place. `tell` hears which table is next.
    ///
    /// # Errors
    /// [`Error::BadRow`] for what does not fit; [`Error::BadSnapshot`] if the rows are of another
    /// block; a failed disk.
    pub fn finish(
        self,
        genesis: &Genesis,
        sealing: &Header,
        tell: &mut dyn FnMut(Table),
    ) -> Result<Checked, Error> {
        let checked = match self.check(genesis, sealing, tell) {
            Ok(checked) => checked,
            Err(error) => {
                self.abandon()?;
                return Err(error);
            }
        };
        let Self { store, goes, .. } = self;
        drop(store);
        if let Some((folder, place)) = goes {
            // An empty folder may stand there.
            remove(&place)?;
            std::fs::rename(&folder, &place).map_err(Error::io(place.display().to_string()))?;
            file::sync_parent(&place)?;
        }
        Ok(checked)
    }

    fn check(
        &self,
        genesis: &Genesis,
        sealing: &Header,
        tell: &mut dyn FnMut(Table),
    ) -> Result<Checked, Error> {
        if self.taken != (self.manifest.rows, self.manifest.bytes) {
            return Err(refused(
                "it has another number of rows or bytes than it says",
            ));
        }
        begin_epoch(&self.store, genesis, sealing)?;
        let checked = fsck::check(&self.store, genesis, tell)?;
        let head: HeadRow = read(&self.store, Table::Meta, b"head")?;
        let root = sealing.root().map_err(replica::Error::from)?;
        if (head.height, head.root) != (sealing.height, root) {
            return Err(refused("its rows are of another block"));
        }
        self.store.sync()?;
        Ok(checked)
    }

    /// Removes what was made.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn abandon(self) -> Result<(), Error> {
        drop(self.store);
        self.goes.map_or(Ok(()), |(folder, _)| remove(&folder))
    }
}

/// Refuses a chunk other than the one that `manifest` names at `index`.
fn check_chunk(manifest: &Manifest, index: usize, chunk: &[u8]) -> Result<(), Error> {
    let found = chunk_digest(chunk);
    match manifest.chunks.get(index) {
        Some(wanted) if *wanted == found => Ok(()),
        _ => Err(Error::OtherChunk { index, found }),
    }
}

/// Writes what an epoch begins with after `sealing` (C30, C31): nothing ordered, nobody known as a
/// forker, nothing kept from before.
fn begin_epoch(store: &Database, genesis: &Genesis, sealing: &Header) -> Result<(), Error> {
    let height = sealing.height;
    let epoch = genesis.parameters.epoch_of(height.later(1));
    let checkpoint = Checkpoint {
        version: 1,
        epoch,
        height,
        seed: seed::epoch(&sealing.seed, epoch),
        settled: None,
        time: sealing.time,
        ordered: List::empty(),
        forkers: List::empty(),
    };
    let checkpoint = codec::encode(&checkpoint).map_err(replica::Error::from)?;
    let mut batch = Batch::new();
    batch.put(Table::Meta, CHECKPOINT.to_vec(), checkpoint);
    let kept = KeptFrom {
        epoch,
        height: height.later(1),
    };
    kept.write(&mut batch).map_err(replica::Error::from)?;
    Ok(store.apply(&batch)?)
}

/// The last block of the newest sealed epoch of a store; none in the first epoch.
fn newest_sealing(store: &impl Store, genesis: &Genesis) -> Result<Option<Height>, Error> {
    let head: HeadRow = read(store, Table::Meta, b"head")?;
    let parameters = &genesis.parameters;
    let epoch = parameters.epoch_of(head.height.later(1));
    Ok((epoch > Epoch::ZERO).then(|| parameters.last_height(epoch.earlier(1))))
}

fn remove(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(folder.display().to_string())(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn refused(reason: &(impl std::fmt::Display + ?Sized)) -> Error {
    Error::BadSnapshot {
        reason: reason.to_string(),
    }
}

fn damaged(what: &'static str, reason: &str) -> Error {
    Error::Damaged {
        what,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
