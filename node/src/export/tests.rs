use dag::event;
use ledger::committee::Members;
use ledger::genesis::Parameters;
use ledger::header::Counts;
use ledger::rows::TreeRow;
use ledger::tx::{Lock, Output};
use primitives::codec::List;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::Signer;
use primitives::store::{Batch, Row};
use primitives::units::{Amount, PeerIndex, Round, Seq, Stake, Time};
use serde_json::{Value, json};

use super::*;
use crate::home::Secrets;
use crate::keyfile::Secret;
use crate::store::{Backend, Database};

pub(crate) fn secrets() -> Secrets {
    let secret = |seed| Secret::from_seed([seed; 32]);
    Secrets {
        peer: secret(1),
        event: secret(2),
        transport: secret(3),
        payout: secret(4),
    }
}

/// One peer; epoch 1 begins at height 1 + 2.
pub(crate) fn genesis() -> Genesis {
    let peer = secrets().genesis_peer("a").unwrap();
    let stake = Output {
        owner: peer.payout_key,
        amount: Amount::new(9),
        host: Some(peer.peer_key),
        lock: Lock::None,
    };
    Genesis {
        version: 1,
        parameters: Parameters {
            lag: 1,
            period: 2,
            ..Parameters::default()
        },
        peers: List::new(vec![peer]).unwrap(),
        outputs: List::new(vec![stake]).unwrap(),
    }
}

/// The event after `before`; its beacon is of `beacon_round`.
fn event(epoch: u64, before: Option<&Event>, kind: Kind, beacon_round: Option<u64>) -> Event {
    let chain = genesis().chain_id().unwrap();
    let signer = secrets().event.signer().unwrap();
    let (seq, round) = before.map_or((0, 0), |before| {
        let header = before.header();
        let step = u64::from(kind == Kind::Root);
        (header.seq.get() + 1, header.round.get() + step)
    });
    let own = before.map(Event::reference);
    let votes = own.filter(|_| kind == Kind::Root);
    let epoch = Epoch::new(epoch);
    let header = event::Header {
        version: 1,
        chain,
        epoch,
        creator: PeerIndex(0),
        round: Round::new(round),
        seq: Seq::new(seq),
        kind,
        self_parent: own,
        sealing: None,
        votes: List::new(votes.into_iter().collect()).unwrap(),
        parents: List::empty(),
        time: Time::new(1_000 + seq),
        payload: event::payload_digest(&[]),
        payload_bytes: 0,
        beacon: beacon_round.map(|round| signer.beacon(&chain, epoch, Round::new(round))),
        attestations: List::empty(),
    };
    Event::sign(header, &signer).unwrap()
}

fn put_event(batch: &mut Batch, event: &Event, admission: u64) {
    let header = event.header();
    let key = [header.epoch.get(), header.round.get(), admission].map(u64::to_be_bytes);
    batch.put(Table::Chain, key.concat(), event.id().0.to_vec());
    let bytes = codec::encode(event.signed()).unwrap();
    batch.put(Table::Event, event.id().0.to_vec(), bytes);
}

fn put_block(batch: &mut Batch, height: u64, epoch: u64, leader: &Event, order: &[&Event]) {
    let header = Header {
        version: 1,
        height: Height::new(height),
        epoch: Epoch::new(epoch),
        round: leader.header().round,
        leader: *leader.id(),
        previous: Digest::ZERO,
        time: Time::new(5),
        transactions: Digest::ZERO,
        transaction_count: 0,
        state: Digest::ZERO,
        seed: Digest([8; 32]),
        committee: Digest::ZERO,
        next_committee: None,
        counts: Counts::default(),
    };
    let key = height.to_be_bytes().to_vec();
    let tree = TreeRow {
        root: Digest::ZERO,
        size: 0,
    };
    let row = BlockRow {
        header,
        key: tree,
        name: tree,
        outputs: tree,
    };
    batch.put(Table::Block, key.clone(), codec::encode(&row).unwrap());
    let ids: Vec<u8> = order.iter().flat_map(|event| event.id().0).collect();
    batch.put(Table::Order, key, ids);
}

struct Example {
    store: Database,
    /// Root of round 0, data of round 0, root of round 1 with a beacon of another round.
    events: [Event; 3],
    /// The root of epoch 1.
    later: Event,
}

fn example() -> Example {
    let store = Database::in_memory();
    let first = event(0, None, Kind::Root, Some(0));
    let data = event(0, Some(&first), Kind::Data, None);
    let second = event(0, Some(&data), Kind::Root, Some(7));
    let later = event(1, None, Kind::Root, Some(0));
    let mut batch = Batch::new();
    for (admission, event) in [&first, &data, &second, &later].into_iter().enumerate() {
        put_event(&mut batch, event, u64::try_from(admission).unwrap());
    }
    put_block(&mut batch, 1, 0, &first, &[&first]);
    put_block(&mut batch, 2, 0, &second, &[&data, &second]);
    put_block(&mut batch, 3, 1, &later, &[&later]);
    let member = ledger::committee::Member {
        peer_key: secrets().peer.public(),
        event_key: secrets().event.public(),
        stake: Stake::new(30),
    };
    let row = CommitteeRow {
        eligible: member.stake,
        members: Members {
            version: 1,
            members: List::new(vec![member]).unwrap(),
        },
    };
    batch.put(
        Table::Meta,
        committee_key(Epoch::new(1)),
        codec::encode(&row).unwrap(),
    );
    store.apply(&batch).unwrap();
    Example {
        store,
        events: [first, data, second],
        later,
    }
}

fn exported(store: &Database, epoch: u64) -> Value {
    let start = epoch_start(store, &genesis(), Epoch::new(epoch)).unwrap();
    let mut text = Vec::new();
    write(store, &start, &mut text).unwrap();
    assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1);
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn an_epoch_is_one_object_with_events_parents_first_and_blocks() {
    let Example { store, events, .. } = example();
    let [first, data, second] = events.each_ref().map(|event| event.id().to_string());
    let chain = genesis().chain_id().unwrap();
    let vrf = events[0].header().beacon.unwrap().pre_output;
    let wanted = json!({
        "chain_id": chain.to_string(),
        "epoch": 0,
        "seed": derive(Domain::SeedGenesis, &[&chain.0]).to_string(),
        "committee": [{"key": secrets().peer.public().to_string(), "stake": 9}],
        "events": [
            {"id": first, "creator": 0, "seq": 0, "round": 0, "root": true, "time": 1000,
             "self_parent": null, "votes": [], "parents": [], "vrf": Digest(vrf).to_string()},
            {"id": data, "creator": 0, "seq": 1, "round": 0, "root": false, "time": 1001,
             "self_parent": first, "votes": [], "parents": [], "vrf": null},
            {"id": second, "creator": 0, "seq": 2, "round": 1, "root": true, "time": 1002,
             "self_parent": data, "votes": [data], "parents": [], "vrf": null},
        ],
        "blocks": [
            {"height": 1, "round": 0, "leader": first, "order": [first]},
            {"height": 2, "round": 1, "leader": second, "order": [data, second]},
        ],
    });
    assert_eq!(exported(&store, 0), wanted);
}

#[test]
fn a_later_epoch_begins_with_the_stake_and_seed_of_its_snapshot() {
    let Example { store, later, .. } = example();
    let object = exported(&store, 1);
    let seed = derive(Domain::SeedEpoch, &[&[8; 32], &1_u64.to_le_bytes()]);
    assert_eq!(object["seed"], seed.to_string());
    assert_eq!(object["committee"][0]["stake"], 30);
    assert_eq!(object["events"][0]["id"], later.id().to_string());
    assert_eq!(object["events"].as_array().unwrap().len(), 1);
    assert_eq!(object["blocks"][0]["height"], 3);
    assert_eq!(object["blocks"].as_array().unwrap().len(), 1);
}

#[test]
fn an_epoch_that_has_not_begun_is_not_found() {
    let Example { store, .. } = example();
    for epoch in [2, 3, u64::MAX] {
        let error = epoch_start(&store, &genesis(), Epoch::new(epoch)).unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{epoch}: {error}");
    }
}

#[test]
fn a_damaged_or_missing_event_stops_the_export() {
    let Example { store, events, .. } = example();
    let start = epoch_start(&store, &genesis(), Epoch::ZERO).unwrap();
    let key = events[1].id().0.to_vec();
    let other = codec::encode(events[0].signed()).unwrap();
    for change in [Some(other), Some(vec![1, 2, 3]), None] {
        let mut batch = Batch::new();
        match change {
            Some(bytes) => batch.put(Table::Event, key.clone(), bytes),
            None => batch.delete(Table::Event, key.clone()),
        }
        store.apply(&batch).unwrap();
        let error = write(&store, &start, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        assert_eq!(error.exit(), crate::error::Exit::Storage);
    }
}

/// A node's store that grows by a batch just before the first event is read.
struct Growing {
    store: Database,
    growth: std::cell::RefCell<Option<Batch>>,
}

impl Store for Growing {
    fn get(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, primitives::store::StoreError> {
        let growth = self.growth.borrow_mut().take_if(|_| table == Table::Event);
        if let Some(growth) = growth {
            self.store.apply(&growth)?;
        }
        self.store.get(table, key)
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, primitives::store::StoreError> {
        self.store.range(table, from, to, limit)
    }
}

#[test]
fn what_is_written_during_an_export_is_not_half_in_it() {
    let Example { store, events, .. } = example();
    let before = exported(&store, 0);
    let [_, _, second] = events;
    let third = event(0, Some(&second), Kind::Root, None);
    let late = event(0, Some(&third), Kind::Data, None);
    let mut growth = Batch::new();
    put_event(&mut growth, &third, 4);
    put_event(&mut growth, &late, 5);
    put_block(&mut growth, 3, 0, &third, &[&third, &late]);
    let growing = Growing {
        store,
        growth: Some(growth).into(),
    };
    let start = epoch_start(&growing, &genesis(), Epoch::ZERO).unwrap();
    let mut text = Vec::new();
    write(&growing, &start, &mut text).unwrap();
    let during: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(during, before);
    assert!(growing.growth.borrow().is_none());
    let after = exported(&growing.store, 0);
    assert_eq!(after["events"].as_array().unwrap().len(), 5);
    assert_eq!(after["blocks"].as_array().unwrap().len(), 3);
}
