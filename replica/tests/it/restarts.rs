//! Peers that are killed and started again, at any moment.

use primitives::units::Height;
use primus_replica::replica::Standing;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::network::Network;
use crate::{EQUAL, assert_agreement, data};

/// Lets a chain grow until it has left `floor` behind, then kills and starts peers at random while
/// transactions come, then lets everything settle.
fn chaos(seed: u64, floor: u64) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut below = |end: u64| rng.next_u64() % end;
    let mut network = Network::start(seed, &EQUAL, &[]);
    network.run(below(300));
    for nonce in 1_000.. {
        if network.peer(0).dag().floor().get() >= floor {
            break;
        }
        network.submit(0, nonce, vec![data(nonce)]);
        network.run(40);
    }
    for nonce in 0..20 {
        let peer = usize::try_from(below(4)).unwrap();
        match below(4) {
            0 if network.is_running(peer) => network.kill(peer),
            0 | 1 if !network.is_running(peer) => network.boot(peer),
            _ if network.is_running(peer) => network.submit(peer, 100 + nonce, vec![data(nonce)]),
            _ => {}
        }
        network.run(below(120));
    }
    for peer in 0..4 {
        if !network.is_running(peer) {
            network.boot(peer);
        }
    }
    let carried = |network: &Network| {
        let mut peers = network.running();
        peers.all(|peer| {
            *peer.standing() == Standing::Active
                && peer.pooled() == 0
                && !peer.is_unsettled()
                && peer.certified().is_some()
        })
    };
    network.run_until(60_000, &format!("seed {seed}: all settled"), carried);
    network.run(3_000);
    assert_agreement(&network, &[0, 1, 2, 3]);
    let heights: Vec<Height> = network
        .running()
        .map(|peer| peer.engine().height())
        .collect();
    assert!(
        heights.iter().all(|height| *height == heights[0]),
        "seed {seed}: {}",
        network.summary()
    );
}

#[test]
fn killed_at_any_moment_peers_never_sign_twice_and_settle_everything() {
    for seed in 0..120 {
        chaos(seed, 0);
    }
}

#[test]
fn a_chain_older_than_memory_survives_restart_after_restart() {
    for seed in 0..12 {
        chaos(seed, 3);
    }
}

#[test]
#[should_panic(expected = "payload")]
fn a_flipped_bit_in_a_stored_payload_keeps_a_peer_from_starting() {
    let mut network = Network::start(12, &EQUAL, &[]);
    network.run(1_000);
    network.submit(3, 1, vec![data(1)]);
    network.run(1_000);
    network.kill(3);
    network.rot_payload(3);
    network.boot(3);
}

#[test]
fn a_peer_away_for_longer_than_memory_goes_on_where_its_own_chain_ended() {
    let mut network = Network::start(11, &EQUAL, &[]);
    network.run(1_000);
    network.submit(3, 1, vec![data(1)]);
    network.run(1_000);
    let before = network.peer(3).own_head().unwrap();
    network.kill(3);
    for nonce in 100..250 {
        network.submit(0, nonce, vec![data(nonce)]);
        network.run(100);
    }
    let floor = network.peer(0).dag().floor();
    assert!(floor.get() > 64, "{floor}");
    for _ in 0..2 {
        network.boot(3);
        network.run(20_000);
        network.submit(3, 2, vec![data(2)]);
        network.run_until(20_000, "own event settled", |network| {
            network.peer(3).pooled() == 0 && !network.peer(3).is_unsettled()
        });
        let seq = network.peer(3).own_head().unwrap().seq;
        assert!(seq > before.seq, "{seq} after {}", before.seq);
        network.kill(3);
    }
}
