//! One epoch's DAG as one JSON object: enough to recompute every decision.
//!
//! Source: docs/spec/consensus.md section 11. The object is written as it is read, so that its size
//! costs no memory.

use std::collections::BTreeMap;
use std::io::Write;

use dag::committee::{Committee, Member};
use dag::event::{Event, Kind, Reference, Signed};
use ledger::rows::StakeRow;
use ledger::{Genesis, Header};
use primitives::Digest;
use primitives::codec::{self, Canonical};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;
use primitives::store::{Row, Store, Table};
use primitives::units::{Epoch, Height, Stake, snapshot_height};
use serde::Serialize;

use crate::error::Error;

/// Rows read at one time.
const PAGE_ROWS: usize = 1_024;

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

/// Where `epoch` begins: from the genesis, or from the stake and the sealing block in the store.
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
        let stakes = genesis.stake().map_err(damaged("genesis"))?;
        return Ok(EpochStart {
            committee: committee(chain, epoch, genesis, &stakes)?,
            seed: derive(Domain::SeedGenesis, &[&chain.0]),
            first: Height::new(1),
        });
    }
    let parameters = &genesis.parameters;
    let first = first_height(epoch, parameters.lag, parameters.period).ok_or_else(not_begun)?;
    let sealing = header(store, first.earlier(1))?.ok_or_else(not_begun)?;
    let snapshot = snapshot_height(first, parameters.lag, parameters.period);
    let key = [b"stake".as_slice(), &snapshot.get().to_be_bytes()].concat();
    let row = store.get(Table::Meta, &key)?.ok_or_else(not_begun)?;
    let row: StakeRow = decode("stake", &row)?;
    let stakes: BTreeMap<_, _> = row.stakes.iter().copied().collect();
    let number = epoch.get().to_le_bytes();
    Ok(EpochStart {
        committee: committee(chain, epoch, genesis, &stakes)?,
        seed: derive(Domain::SeedEpoch, &[&sealing.seed.0, &number]),
        first,
    })
}

/// Writes the events and blocks of the epoch that begins with `start` as one JSON object.
///
/// Events come by (round, admission), which puts parents first. Cost: one read and about 100 us for
/// the beacon of each root.
///
/// # Errors
/// [`Error::Damaged`] for an event that is not the one it is stored as; a failed disk; [`Error::Io`]
/// when `out` fails.
pub fn write(store: &impl Store, start: &EpochStart, out: &mut dyn Write) -> Result<(), Error> {
    let committee = &start.committee;
    let members: Vec<MemberRow> = committee.members().iter().map(MemberRow::new).collect();
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
    write_blocks(store, start, out)?;
    put(out, "]}\n")?;
    out.flush().map_err(Error::io("export"))
}

#[derive(Serialize)]
struct MemberRow {
    key: String,
    stake: u64,
}

impl MemberRow {
    fn new(member: &Member) -> Self {
        Self {
            key: member.key.to_string(),
            stake: member.stake.get(),
        }
    }
}

#[derive(Serialize)]
struct EventRow {
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

impl EventRow {
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
struct BlockRow {
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
    let mut from = epoch.get().to_be_bytes().to_vec();
    let to = epoch.later(1).get().to_be_bytes();
    let mut separator = "";
    loop {
        let rows = store.range(Table::Chain, &from, &to, PAGE_ROWS)?;
        let Some((last, _)) = rows.last() else {
            return Ok(());
        };
        // The least key above the last one.
        from = [last.as_slice(), &[0]].concat();
        for row in &rows {
            let event = stored_event(store, row)?;
            put(out, separator)?;
            json(out, &EventRow::new(&event, committee)?)?;
            separator = ",";
        }
    }
}

fn stored_event(store: &impl Store, (_, value): &Row) -> Result<Event, Error> {
    let id = digest("event id", value)?;
    let bytes = store
        .get(Table::Event, &id.0)?
        .ok_or_else(|| damaged("event")(format!("event {id} is missing")))?;
    let signed: Signed = decode("event", &bytes)?;
    let event = Event::trust(signed).map_err(damaged("event"))?;
    if *event.id() != id {
        let reason = format!("id {} where {id} was due", event.id());
        return Err(damaged("event")(reason));
    }
    Ok(event)
}

fn write_blocks(store: &impl Store, start: &EpochStart, out: &mut dyn Write) -> Result<(), Error> {
    let mut height = start.first;
    let mut separator = "";
    while let Some(header) = header(store, height)? {
        if header.epoch != start.committee.epoch() {
            break;
        }
        let order = order(store, height)?;
        put(out, separator)?;
        let row = BlockRow {
            height: height.get(),
            round: header.round.get(),
            leader: header.leader.to_string(),
            order: order.iter().map(ToString::to_string).collect(),
        };
        json(out, &row)?;
        separator = ",";
        height = height.later(1);
    }
    Ok(())
}

/// The header of the block at `height`, if it is stored.
///
/// # Errors
/// [`Error::Damaged`]; a failed disk.
pub fn header(store: &impl Store, height: Height) -> Result<Option<Header>, Error> {
    store
        .get(Table::Block, &height.get().to_be_bytes())?
        .map(|bytes| decode("header", &bytes))
        .transpose()
}

fn order(store: &impl Store, height: Height) -> Result<Vec<Digest>, Error> {
    let bytes = store
        .get(Table::Order, &height.get().to_be_bytes())?
        .unwrap_or_default();
    bytes.chunks(32).map(|id| digest("order", id)).collect()
}

fn committee(
    chain: Digest,
    epoch: Epoch,
    genesis: &Genesis,
    stakes: &BTreeMap<PublicKey, Stake>,
) -> Result<Committee, Error> {
    let member = |member: ledger::committee::Member| {
        let event_key = member.event_key.to_verifying()?;
        Ok(Member {
            key: member.peer_key,
            event_key,
            stake: member.stake,
        })
    };
    let candidates: Result<Vec<_>, primitives::Error> =
        genesis.candidates(stakes).into_iter().map(member).collect();
    let candidates = candidates.map_err(damaged("genesis"))?;
    Committee::new(chain, epoch, candidates).map_err(damaged("genesis"))
}

/// The first height of a later epoch (C30): `lag + period * epoch`.
fn first_height(epoch: Epoch, lag: u64, period: u64) -> Option<Height> {
    let blocks = period.checked_mul(epoch.get())?;
    lag.checked_add(blocks).map(Height::new)
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
mod tests;
