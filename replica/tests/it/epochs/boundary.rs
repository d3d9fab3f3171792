//! What may happen to a peer just when an epoch ends.

use primitives::keys::Signer;
use primitives::units::{Epoch, Height};
use primus_replica::replica::Standing;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::{EPOCHS, Stake, all_proven, follow_handovers, run_to_epoch};
use crate::network::{Network, secret};
use crate::{EQUAL, assert_agreement, data, stages};
use wallet_proto::reply::Stage;

/// Everything that a running peer took has come into a block.
fn is_quiet(network: &Network) -> bool {
    let mut peers = network.running();
    let height = network.peer(0).engine().height();
    peers.all(|peer| {
        peer.pooled() == 0
            && !peer.is_unsettled()
            && peer.strays() == 0
            && peer.engine().height() == height
            && *peer.standing() == Standing::Active
    })
}

/// The heights that end the first epochs.
fn last_height(epoch: u64) -> u64 {
    EPOCHS.0 + EPOCHS.1 * (epoch + 1) - 1
}

#[test]
fn a_peer_that_joins_and_leaves_the_committee_loses_no_payment_given_to_it() {
    for seed in 0..6 {
        let funded = [(secret(1).public(), 1_000)];
        let mut network = Network::with_epochs(40 + seed, &[900, 900, 900, 0], &funded, EPOCHS);
        let guest = (0..4).find(|peer| network.peer(*peer).own().is_none());
        let guest = guest.unwrap();
        let mut coin = Stake::of(&network, 1);
        let moved = coin.host_with(Some(network.key(guest)), &network);
        network.submit(guest, 7, vec![moved]);
        let mut nonce = 0;
        run_to_epoch(&mut network, 1, &mut nonce, &[0, 1, 2, 3]);
        assert!(network.peer(guest).own().is_some());
        let moved = coin.host_with(None, &network);
        network.submit(guest, 8, vec![moved]);
        // Payments come in at the guest in every state around two boundaries.
        let mut sent = Vec::new();
        while network.peer(guest).committee().epoch() < Epoch::new(3) {
            network.submit(guest, 2_000 + nonce, vec![data(nonce)]);
            sent.push(2_000 + nonce);
            nonce += 1;
            network.run(30);
        }
        assert!(network.peer(guest).own().is_none());
        all_proven(&mut network, &sent);
        network.run_until(30_000, &format!("seed {seed}"), is_quiet);
    }
}

#[test]
fn what_a_peer_showed_before_it_died_at_the_boundary_is_brought_in_by_others() {
    let mut saved = 0;
    for seed in 0..12 {
        let mut network = Network::with_epochs(60 + seed, &[1_000; 5], &[], EPOCHS);
        let mut nonce = 0;
        while network.peer(0).engine().height().get() + 2 < last_height(0) {
            network.submit(0, 2_000 + nonce, vec![data(nonce)]);
            nonce += 1;
            network.run(100);
        }
        // Peer 4 makes events until the others seal, and dies before it can say them again.
        let first = nonce;
        while network.peer(0).committee().epoch() == Epoch::ZERO {
            network.submit(4, 3_000 + nonce, vec![data(nonce)]);
            nonce += 1;
            network.run(10);
        }
        network.kill(4);
        saved += network.running().map(|peer| peer.strays()).max().unwrap();
        network.submit(0, 2_000 + nonce, vec![data(nonce)]);
        network.run_until(60_000, &format!("seed {seed}"), is_quiet);
        let applied: Vec<u64> = network
            .running()
            .map(|peer| peer.stats().transactions_applied)
            .collect();
        assert!(applied.iter().all(|count| *count > first), "{applied:?}");
        // Peer 4 comes again and finds all its payments settled, or brings them in itself.
        network.boot(4);
        network.run_until(60_000, &format!("seed {seed}, again"), is_quiet);
        assert_agreement(&network, &[0, 1, 2, 3, 4]);
    }
    assert!(saved > 0, "no event was void in any run");
}

/// Kills a peer at a moment near a boundary and starts it again after a while.
fn restart_near_boundary(seed: u64) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut below = |end: u64| rng.next_u64() % end;
    let mut network = Network::with_epochs(seed, &EQUAL, &[], EPOCHS);
    let (mut nonce, mut sent) = (0, Vec::new());
    for epoch in 0..3 {
        while network.peer(0).engine().height().get() + 1 < last_height(epoch) {
            network.submit(0, 2_000 + nonce, vec![data(nonce)]);
            sent.push(2_000 + nonce);
            nonce += 1;
            network.run(60);
        }
        let victim = usize::try_from(1 + below(3)).unwrap();
        network.submit(victim, 2_000 + nonce, vec![data(nonce)]);
        nonce += 1;
        network.run(below(200));
        network.kill(victim);
        let away = below(3);
        for _ in 0..away {
            network.submit(0, 2_000 + nonce, vec![data(nonce)]);
            sent.push(2_000 + nonce);
            nonce += 1;
            network.run(below(400));
        }
        network.boot(victim);
        network.run(below(100));
    }
    while network.peer(0).committee().epoch() < Epoch::new(3) {
        network.submit(0, 2_000 + nonce, vec![data(nonce)]);
        sent.push(2_000 + nonce);
        nonce += 1;
        network.run(60);
    }
    all_proven(&mut network, &sent);
    network.run_until(60_000, &format!("seed {seed}"), is_quiet);
    network.run(2_000);
    assert_agreement(&network, &[0, 1, 2, 3]);
    for peer in 0..4 {
        assert!(follow_handovers(&mut network, peer) >= Epoch::new(3));
    }
}

#[test]
fn a_peer_that_restarts_at_any_moment_around_a_boundary_goes_on() {
    for seed in 100..160 {
        restart_near_boundary(seed);
    }
}

#[test]
fn the_certificate_of_an_epoch_long_past_is_made_anew_where_nobody_has_it() {
    let mut network = Network::with_epochs(171, &EQUAL, &[], EPOCHS);
    run_to_epoch(&mut network, 4, &mut 0, &[0, 1, 2, 3]);
    network.run(2_000);
    (0..4).for_each(|peer| network.kill(peer));
    network.lose_seal(Epoch::ZERO);
    network.lose_seal(Epoch::new(1));
    (0..4).for_each(|peer| network.boot(peer));
    network.run(20_000);
    for peer in 0..4 {
        assert!(follow_handovers(&mut network, peer) >= Epoch::new(4));
    }
}

#[test]
fn all_peers_restart_at_once_after_every_sealing_block() {
    for pause in [0, 20, 50, 1_000] {
        let mut network = Network::with_epochs(170 + pause, &EQUAL, &[], EPOCHS);
        let mut nonce = 0;
        for epoch in 1..=3 {
            run_to_epoch(&mut network, epoch, &mut nonce, &[0, 1, 2, 3]);
            network.run(pause);
            (0..4).for_each(|peer| network.kill(peer));
            (0..4).for_each(|peer| network.boot(peer));
            network.run(100);
        }
        network.submit(2, 9_000, vec![data(9_000)]);
        network.run_until(30_000, "proven", |network| {
            matches!(stages(network, 9_000).last(), Some(Stage::Proven { .. }))
        });
        network.run_until(30_000, "quiet", is_quiet);
        assert_agreement(&network, &[0, 1, 2, 3]);
        for peer in 0..4 {
            assert!(follow_handovers(&mut network, peer) >= Epoch::new(3));
        }
    }
}

#[test]
fn a_peer_behind_by_three_epochs_catches_up_from_its_store_and_from_nothing() {
    for keep_store in [true, false] {
        let mut network = Network::with_epochs(33, &[1_000; 5], &[], EPOCHS);
        let mut nonce = 0;
        network.run(1_000);
        network.submit(4, 2_000, vec![data(99_999)]);
        network.run(2_000);
        network.kill(4);
        run_to_epoch(&mut network, 4, &mut nonce, &[0, 1, 2, 3]);
        if !keep_store {
            network.wipe(4);
            network.set_guard(4, None);
        }
        network.boot(4);
        network.run_until(30_000, "caught up", |network| {
            network.peer(4).engine().height() == network.peer(0).engine().height()
        });
        network.run(5_000);
        assert_agreement(&network, &[0, 1, 2, 3, 4]);
        assert!(network.peer(4).engine().height() >= Height::new(last_height(3)));
        let epoch = network.peer(0).committee().epoch();
        assert_eq!(follow_handovers(&mut network, 4), epoch);
        if !keep_store {
            // It has met events of its own that it no longer knows, and must not sign again.
            assert_eq!(*network.peer(4).standing(), Standing::Quarantined);
            continue;
        }
        // In this epoch it has signed nothing yet, as a quorum says, so that it may begin.
        network.submit(4, 3_000, vec![data(100_000)]);
        network.run_until(30_000, "own payment proven", |network| {
            matches!(stages(network, 3_000).last(), Some(Stage::Proven { .. }))
        });
    }
}
