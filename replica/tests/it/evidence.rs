//! A member that signs two events for one place loses its standing (C10).

use dag::Event;
use dag::gossip::{Message, Parcel};
use ledger::Outcome;
use primitives::codec::{Bytes, List};
use primitives::store::{Store, Table};
use primitives::units::{Epoch, Time};
use primus_replica::replica::Standing;

use crate::network::{Network, index};
use crate::{EQUAL, assert_agreement, data};

const LIAR: usize = 3;

/// Another event in the place of the newest one of `LIAR` without payload that peer 0 holds.
fn twin(network: &mut Network) -> Message {
    network.forkers.insert(index(LIAR));
    let events: Vec<&Event> = network.peer(0).dag().events().collect();
    let mut newest = events.iter().rev().map(|event| event.header());
    let is_empty = |header: &&dag::event::Header| {
        header.creator == index(LIAR) && header.payload_bytes == 0 && header.self_parent.is_some()
    };
    let mut header = newest.find(is_empty).unwrap().clone();
    header.time = Time::new(header.time.get() + 1);
    let event = Event::sign(header, &network.event_key(LIAR)).unwrap();
    let parcel = Parcel {
        signed: event.signed().clone(),
        payload: Bytes::new(vec![]).unwrap(),
    };
    Message::Events(List::new(vec![parcel]).unwrap())
}

/// Runs until the honest peers are in `epoch`.
fn run_to_epoch(network: &mut Network, epoch: u64, first: u64) {
    let due = Epoch::new(epoch);
    let mut nonce = first;
    while (0..LIAR).any(|peer| network.peer(peer).committee().epoch() < due) {
        network.submit(0, nonce, vec![data(nonce)]);
        network.run(100);
        nonce += 1;
        assert!(nonce < first + 500, "{}", network.summary());
    }
}

/// Every honest peer has one pair, one conviction, the same blocks, and a committee without the liar.
fn assert_convicted(network: &Network) {
    let liar = network.key(LIAR);
    for peer in 0..LIAR {
        let (disk, replica) = (network.disk(peer), network.peer(peer));
        let rows = disk.range(Table::Evidence, &[], &[u8::MAX; 41], 10);
        assert_eq!(rows.unwrap().len(), 1, "peer {peer}");
        let conviction = replica.ledger().conviction(&liar, &disk).unwrap().unwrap();
        let settled = replica.ledger().settled(&conviction.transaction, &disk);
        assert_eq!(settled.unwrap().unwrap().1, Outcome::Applied);
        assert_eq!(replica.ledger().stats().evidence_applied, 1, "peer {peer}");
        assert!(replica.committee().index_of(&liar).is_none(), "peer {peer}");
        assert_eq!(replica.committee().size(), LIAR);
    }
    assert_agreement(network, &[0, 1, 2]);
}

#[test]
fn whoever_signs_two_events_for_one_place_is_out_of_the_next_committee() {
    let mut network = Network::with_epochs(71, &EQUAL, &[], (5, 12));
    network.run(1_000);
    network.submit(1, 1, vec![data(1)]);
    network.run(300);
    let twin = twin(&mut network);
    assert!(network.inject(LIAR, 0, &twin));
    run_to_epoch(&mut network, 2, 100);
    assert_convicted(&network);
    assert_eq!(*network.peer(LIAR).standing(), Standing::Quarantined);
}

#[test]
fn evidence_that_a_crash_took_out_of_the_pool_is_submitted_after_the_restart() {
    let mut network = Network::with_epochs(72, &EQUAL, &[], (5, 12));
    network.run(1_000);
    network.submit(1, 1, vec![data(1)]);
    network.run(300);
    network.kill(0);
    // Peer 0 hears nobody say that it may sign; it dies while it waits.
    network.deaf = (1..4).map(|other| (other, 0)).collect();
    network.boot(0);
    let twin = twin(&mut network);
    assert!(network.inject(LIAR, 0, &twin));
    assert_eq!(network.peer(0).pooled(), 1);
    network.kill(0);
    network.boot(0);
    assert_eq!(network.peer(0).pooled(), 1);
    network.deaf.clear();
    run_to_epoch(&mut network, 2, 100);
    assert_convicted(&network);
}
