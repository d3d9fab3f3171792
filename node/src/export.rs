//! One epoch's DAG as one JSON object: enough to recompute every decision.
//!
//! Source: docs/spec/consensus.md section 11. The object is written as it is read, never held whole.

use std::io::Write;

use consensus::seed;
use dag::committee::{Committee, Member};
use dag::event::{Event, Kind, Reference, Signed};
use ledger::prune::KeptFrom;
use ledger::rows::{BlockRow, CommitteeRow, committee_key};
use ledger::{Genesis, Header};
use primitives::Digest;
use primitives::codec::{self, Canonical};
use primitives::store::{Store, Table};
use primitives::units::{Epoch, Height};
use replica::seat::committee;
use serde::Serialize;

use crate::error::Error;

/// Where an epoch begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochStart {
    /// Who creates events, with how much stake.
    pub committee: Committee,
    /// The first seed.
    pub seed: Digest,
    /// The first height.
    pub first: Height,
}

/// Where `epoch` begins: from the genesis, or from the committee and the sealing block in the store.
///
/// # Errors
/// [`Error::NotFound`] for an epoch that has not begun here; [`Error::Damaged`]; a failed disk.
pub fn epoch_start(
    store: &impl Store,
    genesis: &Genesis,
    epoch: Epoch,
) -> Result<EpochStart, Error> {
    let chain = genesis.chain_id().map_err(damaged("genesis"))?;
    let not_begun = || Error::NotFound {
        what: format!("epoch {epoch}"),
    };
    if epoch == Epoch::ZERO {
        let members = genesis.committee().map_err(damaged("genesis"))?;
        return Ok(EpochStart {
            committee: committee(chain, epoch, members).map_err(damaged("committee"))?,
            seed: seed::genesis(&chain),
            first: Height::new(1),
        });
    }
    let first = genesis.parameters.first_height(epoch);
    let sealing = header(store, first.earlier(1))?.ok_or_else(not_begun)?;
    let row = store
        .get(Table::Meta, &committee_key(epoch))?
        .ok_or_else(not_begun)?;
    let row: CommitteeRow = decode("committee", &row)?;
    let members = row.members.members.into_vec();
    Ok(EpochStart {
        committee: committee(chain, epoch, members).map_err(damaged("committee"))?,
        seed: seed::epoch(&sealing.seed, epoch),
        first,
    })
}

/// As [`epoch_start`], for an epoch that can be exported as a whole.
///
/// # Errors
/// [`Error::Pruned`] for one whose events are gone; as [`epoch_start`].
pub fn start(store: &impl Store, genesis: &Genesis, epoch: Epoch) -> Result<EpochStart, Error> {
    let first = KeptFrom::read(store).map_err(replica::Error::from)?.epoch;
    if epoch < first {
        return Err(Error::Pruned { epoch, first });
    }
    epoch_start(store, genesis, epoch)
}

/// Writes the events and blocks of the epoch that begins with `start` as one JSON object.
///
/// Events come by (round, admission), which puts parents first. The store may be written to
/// meanwhile: what is exported is whole as of one moment. Cost: one read an event, about 100 us for
/// the beacon of each root, and about 150 bytes of memory an event for the list of ids.
///
/// # Errors
/// [`Error::Damaged`] for an event that is not the one it is stored as; a failed disk; [`Error::Io`]
/// when `out` fails.
pub fn write(store: &impl Store, start: &EpochStart, out: &mut dyn Write) -> Result<(), Error> {
    let committee = &start.committee;
    // Before the events, so that every event of a block's order is among them.
    let headers = headers(store, start)?;
    let members: Vec<MemberShape> = committee.members().iter().map(MemberShape::new).collect();
    put(out, "{\"chain_id\":")?;
    json(out, &committee.chain().to_string())?;
    put(out, ",\"epoch\":")?;
    json(out, &committee.epoch().get())?;
    put(out, ",\"seed\":")?;
    json(out, &start.seed.to_string())?;
    put(out, ",\"committee\":")?;
    json(out, &members)?;
    put(out, ",\"events\":[")?;
    write_events(store, committee, out)?;
    put(out, "],\"blocks\":[")?;
    write_blocks(store, &headers, out)?;
    put(out, "]}\n")?;
    out.flush().map_err(Error::io("export"))
}

#[derive(Serialize)]
struct MemberShape {
    key: String,
    stake: u64,
}

impl MemberShape {
    fn new(member: &Member) -> Self {
        Self {
            key: member.key.to_string(),
            stake: member.stake.get(),
        }
    }
}

#[derive(Serialize)]
struct EventShape {
    id: String,
    creator: u16,
    seq: u64,
    round: u64,
    root: bool,
    time: u64,
    self_parent: Option<String>,
    votes: Vec<String>,
    parents: Vec<String>,
    vrf: Option<String>,
}

impl EventShape {
    fn new(event: &Event, committee: &Committee) -> Result<Self, Error> {
        let header = event.header();
        let ids = |references: &[Reference]| -> Vec<String> {
            references
                .iter()
                .map(|reference| reference.id.to_string())
                .collect()
        };
        let member = committee.member(header.creator).map_err(damaged("event"))?;
        let verified = header.beacon.filter(|beacon| {
            let key = &member.event_key;
            key.verify_beacon(&header.chain, header.epoch, header.round, beacon)
        });
        Ok(Self {
            id: event.id().to_string(),
            creator: header.creator.0,
            seq: header.seq.get(),
            round: header.round.get(),
            root: header.kind == Kind::Root,
            time: header.time.get(),
            self_parent: header.self_parent.map(|parent| parent.id.to_string()),
            votes: ids(&header.votes),
            parents: ids(&header.parents),
            vrf: verified.map(|beacon| Digest(beacon.pre_output).to_string()),
        })
    }
}

#[derive(Serialize)]
struct BlockShape {
    height: u64,
    round: u64,
    leader: String,
    order: Vec<String>,
}

fn write_events(
    store: &impl Store,
    committee: &Committee,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let epoch = committee.epoch();
    let (from, to) = (
        epoch.get().to_be_bytes(),
        epoch.later(1).get().to_be_bytes(),
    );
    // One read of all ids: the node may go on writing, and pages read later would hold events
    // whose parents came in behind an earlier page.
    let rows = store.range(Table::Chain, &from, &to, usize::MAX)?;
    for (position, (_, id)) in rows.iter().enumerate() {
        let event = event(store, &digest("event id", id)?)?;
        put(out, if position == 0 { "" } else { "," })?;
        json(out, &EventShape::new(&event, committee)?)?;
    }
    Ok(())
}

/// The event with this id.
///
/// # Errors
/// [`Error::Damaged`] if it is missing or another one; a failed disk.
pub(crate) fn event(store: &impl Store, id: &Digest) -> Result<Event, Error> {
    let bytes = store
        .get(Table::Event, &id.0)?
        .ok_or_else(|| damaged("event")(format!("event {id} is missing")))?;
    let signed: Signed = decode("event", &bytes)?;
    let event = Event::trust(signed);
    if event.id() != id {
        let reason = format!("id {} where {id} was due", event.id());
        return Err(damaged("event")(reason));
    }
    Ok(event)
}

/// The headers of the epoch's blocks by ascending height, 4,096 at most.
fn headers(store: &impl Store, start: &EpochStart) -> Result<Vec<Header>, Error> {
    let mut headers = Vec::new();
    let mut height = start.first;
    while let Some(header) = header(store, height)? {
        if header.epoch != start.committee.epoch() {
            break;
        }
        headers.push(header);
        height = height.later(1);
    }
    Ok(headers)
}

fn write_blocks(store: &impl Store, headers: &[Header], out: &mut dyn Write) -> Result<(), Error> {
    for (position, header) in headers.iter().enumerate() {
        let order = order(store, header.height)?;
        put(out, if position == 0 { "" } else { "," })?;
        let row = BlockShape {
            height: header.height.get(),
            round: header.round.get(),
            leader: header.leader.to_string(),
            order: order.iter().map(ToString::to_string).collect(),
        };
        json(out, &row)?;
    }
    Ok(())
}

/// The header of the block at `height`, if it is stored.
///
/// # Errors
/// [`Error::Damaged`]; a failed disk.
pub fn header(store: &impl Store, height: Height) -> Result<Option<Header>, Error> {
    let row = store.get(Table::Block, &height.get().to_be_bytes())?;
    row.map(|bytes| decode("block", &bytes).map(|row: BlockRow| row.header))
        .transpose()
}

fn order(store: &impl Store, height: Height) -> Result<Vec<Digest>, Error> {
    let bytes = store
        .get(Table::Order, &height.get().to_be_bytes())?
        .unwrap_or_default();
    bytes.chunks(32).map(|id| digest("order", id)).collect()
}

fn decode<T: Canonical>(what: &'static str, bytes: &[u8]) -> Result<T, Error> {
    codec::decode(bytes).map_err(damaged(what))
}

fn digest(what: &'static str, bytes: &[u8]) -> Result<Digest, Error> {
    let bytes = <[u8; 32]>::try_from(bytes);
    bytes.map(Digest).map_err(damaged(what))
}

fn damaged<E: ToString>(what: &'static str) -> impl Fn(E) -> Error {
    move |reason| Error::Damaged {
        what,
        reason: reason.to_string(),
    }
}

fn put(out: &mut dyn Write, text: &str) -> Result<(), Error> {
    out.write_all(text.as_bytes()).map_err(Error::io("export"))
}

fn json(out: &mut dyn Write, value: &impl Serialize) -> Result<(), Error> {
    serde_json::to_writer(out, value)
        .map_err(std::io::Error::from)
        .map_err(Error::io("export"))
}

#[cfg(test)]
pub(crate) mod tests;
