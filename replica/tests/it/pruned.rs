//! Peers that have let go of old epochs.

use ledger::Outcome;
use ledger::tx::check_alone;
use primitives::units::Epoch;
use wallet_proto::reply::{Code, Reply, Stage};
use wallet_proto::request::{Report, Request};

use crate::epochs::{EPOCHS, run_to_epoch};
use crate::network::Network;
use crate::{EQUAL, data, stages};

/// A network that has come to `epoch`, and the next number of a transaction.
fn network(seed: u64, epoch: u64) -> (Network, u64) {
    let mut network = Network::with_epochs(seed, &EQUAL, &[], EPOCHS);
    let mut nonce = 0;
    run_to_epoch(&mut network, epoch, &mut nonce, &[0, 1, 2, 3]);
    (network, nonce)
}

/// Every running peer comes to one height with one root.
fn assert_one_state(network: &mut Network, seed: u64) {
    network.run_until(60_000, &format!("seed {seed}: one state"), |network| {
        let mut peers = network.running();
        let first = network.peer(0).ledger();
        peers.all(|peer| {
            let ledger = peer.ledger();
            (ledger.height(), ledger.root()) == (first.height(), first.root())
        })
    });
}

#[test]
fn pruned_peers_are_killed_and_started_and_go_on_with_the_others() {
    for seed in 0..4 {
        let (mut network, mut nonce) = network(seed, 1);
        for epoch in 2..=6 {
            for peer in [1, 2] {
                network.prune(peer);
            }
            network.kill(2);
            network.prune(2);
            network.run(200 * seed);
            network.boot(2);
            run_to_epoch(&mut network, epoch, &mut nonce, &[0, 1, 3]);
        }
        network.run(3_000);
        assert_one_state(&mut network, seed);
        assert!(network.peer(2).committee().epoch() >= Epoch::new(6));
    }
}

#[test]
fn a_peer_from_nothing_comes_to_the_head_through_the_one_archive_among_pruned_peers() {
    for archive in 0..3 {
        let (mut network, _) = network(20, 5);
        for peer in (0..3).filter(|peer| *peer != archive) {
            network.prune(peer);
        }
        network.kill(3);
        network.wipe(3);
        network.boot(3);
        let height = network.peer(0).engine().height();
        network.run_until(120_000, "caught up", |network| {
            network.peer(3).engine().height() >= height
        });
        assert_one_state(&mut network, 20);
    }
}

#[test]
fn wallets_are_told_what_a_pruned_peer_no_longer_has() {
    let (mut network, _) = network(30, 4);
    network.run(3_000);
    network.prune(1);
    let old = *check_alone(data(0), &network.chain).id();
    let request = Request::Transaction { id: old };
    for (peer, pruned) in [(0, false), (1, true)] {
        network.request(peer, 900_000, request.clone());
        network.run(100);
        match &network.replies.last().unwrap().2 {
            Reply::Error(refusal) => {
                assert!(pruned && refusal.code == Code::Pruned, "{refusal}");
                let text = refusal.to_string();
                assert!(text.contains("ask a peer that keeps everything"), "{text}");
            }
            Reply::Answer(_) => assert!(!pruned),
            Reply::Progress(_) | Reply::Manifest(_) | Reply::Chunk(_) => unreachable!(),
        }
    }
    // What became of it is still known.
    let ids = primitives::codec::List::new(vec![old]).unwrap();
    let report = Report::All;
    network.request(1, 900_001, Request::Track { ids, report });
    network.run(100);
    let applied = |stage: &Stage| {
        let outcome = Outcome::Applied;
        matches!(stage, Stage::Final { outcome: found, .. } if *found == outcome)
    };
    assert!(stages(&network, 900_001).iter().any(applied));
}
