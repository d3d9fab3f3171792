//! Cuts of every kind: nothing becomes final without a quorum, the cut is told, and afterwards there
//! is one order and nothing is lost (C24 to C28).

use super::*;
use crate::network::Network;

/// How many blocks each peer has settled.
fn heights(network: &Network) -> Vec<u64> {
    let heights = network.running().map(|peer| peer.engine().height().get());
    heights.collect()
}

/// A network whose peers have all settled something, with two payments of one coin.
fn ready(seed: u64, stakes: &[u64]) -> (Network, [Vec<u8>; 2]) {
    let mut network = Network::start(seed, stakes, &[(secret(1).public(), 500)]);
    network.submit(0, 1, vec![data(1)]);
    network.run_until(10_000, "first block", |network| {
        heights(network).iter().all(|height| *height > 0)
    });
    network.run(1_000);
    let payments = [2, 3].map(|to| payment(&network, 1, to));
    (network, payments)
}

/// Everything is settled and the same everywhere; one payment is applied and the other names it.
fn assert_one_wins(network: &mut Network, sessions: [u64; 2]) {
    network.run_until(60_000, "both payments decided", |network| {
        sessions
            .iter()
            .all(|session| outcome(network, *session).is_some())
            && network.running().all(|peer| !peer.is_unsettled())
    });
    let applied = sessions
        .iter()
        .filter(|session| outcome(network, **session) == Some(Outcome::Applied));
    assert_eq!(applied.count(), 1, "{}", network.summary());
    network.run(4_000);
    let peers: Vec<usize> = (0..network.running().count()).collect();
    assert_agreement(network, &peers);
    for peer in network.running() {
        assert_eq!(peer.outlook().partition(), None, "{}", network.summary());
        assert_eq!(peer.outlook().alarm(), None);
        // C25: nobody signed two histories.
        assert_eq!(peer.stats().officials_conflicting, 0);
    }
}

fn outcome(network: &Network, session: u64) -> Option<Outcome> {
    stages(network, session)
        .iter()
        .find_map(|stage| match stage {
            Stage::Final { outcome, .. } => Some(*outcome),
            Stage::Seen
            | Stage::Endorsed
            | Stage::Official
            | Stage::Proven { .. }
            | Stage::Refused { .. } => None,
        })
}

/// Cuts off `side` for a while, with a payment of one coin on each side.
fn cut(network: &mut Network, side: &[usize], payments: [Vec<u8>; 2], duration_ms: u64) {
    network.partition(side);
    let before = heights(network);
    let others = (0..before.len()).find(|peer| !side.contains(peer)).unwrap();
    let [one, other] = payments;
    network.submit(side[0], 11, vec![one]);
    network.submit(others, 12, vec![other]);
    network.run(duration_ms);
    for (height, before) in heights(network).iter().zip(before) {
        // What was on its way when the link broke may still be settled.
        assert!(*height <= before + 1, "{}", network.summary());
    }
}

#[test]
fn two_halves_settle_nothing_say_so_and_heal_to_one_order_with_an_alarm() {
    let (mut network, payments) = ready(1, &EQUAL);
    cut(&mut network, &[0, 1], payments, 20_000);
    for peer in network.running() {
        let partition = peer.outlook().partition().expect("a partition is told");
        assert_eq!(partition.stake_heard.get(), 2_000);
        assert!(partition.since_ms > 1_000 && peer.stats().partitions > 0);
    }
    for session in [11, 12] {
        let told = stages(&network, session);
        // Half the stake is more than a third and no more than a half.
        assert!(told.contains(&Stage::Endorsed), "{told:?}");
        assert!(!told.contains(&Stage::Official), "{told:?}");
    }
    network.heal();
    assert_one_wins(&mut network, [11, 12]);
    let alarms = network.running().map(|peer| peer.stats().fork_alarms);
    assert!(alarms.sum::<u64>() > 0, "{}", network.summary());
}

#[test]
fn the_larger_side_without_a_quorum_has_officials_and_nothing_final() {
    let (mut network, payments) = ready(2, &[7, 2, 2, 2]);
    let large = (0..4).find(|peer| {
        let peer = network.peer(*peer);
        peer.own().map(|own| peer.committee().stake(own).get()) == Some(7)
    });
    cut(&mut network, &[large.unwrap()], payments, 10_000);
    assert!(stages(&network, 11).contains(&Stage::Official));
    assert!(!stages(&network, 12).contains(&Stage::Official));
    network.heal();
    assert_one_wins(&mut network, [11, 12]);
    let judged = network.running().map(|peer| {
        let stats = peer.stats();
        (stats.officials_confirmed, stats.officials_reversed)
    });
    let (confirmed, reversed) = judged.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    println!("of singly official payments {confirmed} became final, {reversed} were reversed");
    assert!(confirmed + reversed > 0);
}

/// The rival is settled by then, so nothing unsettled is in the way of the late one.
#[test]
fn what_comes_after_a_settled_rival_is_never_official() {
    let (mut network, [one, other]) = ready(6, &EQUAL);
    network.submit(0, 11, vec![one]);
    network.run_until(10_000, "the first payment", |network| {
        outcome(network, 11) == Some(Outcome::Applied)
    });
    network.run(1_000);
    network.submit(2, 12, vec![other]);
    assert_one_wins(&mut network, [11, 12]);
    let told = stages(&network, 12);
    assert!(told.contains(&Stage::Endorsed), "{told:?}");
    assert!(!told.contains(&Stage::Official), "{told:?}");
}

#[test]
fn a_cut_in_one_direction_is_told_and_heals() {
    let (mut network, [one, other]) = ready(3, &EQUAL);
    for (from, to) in [(0, 2), (0, 3), (1, 2), (1, 3)] {
        network.deaf.insert((from, to));
    }
    network.submit(0, 11, vec![one]);
    network.submit(2, 12, vec![other]);
    let before = heights(&network);
    network.run(20_000);
    for (height, before) in heights(&network).iter().zip(before) {
        assert!(*height <= before + 1, "{}", network.summary());
    }
    for peer in network.running() {
        assert!(
            peer.outlook().partition().is_some(),
            "{}",
            network.summary()
        );
    }
    network.deaf.clear();
    assert_one_wins(&mut network, [11, 12]);
}

#[test]
fn a_link_that_comes_and_goes_loses_nothing() {
    let (mut network, [one, other]) = ready(4, &EQUAL);
    network.submit(0, 11, vec![one]);
    network.submit(2, 12, vec![other]);
    for nonce in 0..30 {
        network.submit(nonce as usize % 4, 100 + nonce, vec![data(100 + nonce)]);
        if nonce % 2 == 0 {
            network.partition(&[0, 1]);
        } else {
            network.heal();
        }
        network.run(70 + 90 * (nonce % 3));
    }
    network.heal();
    network.run_until(60_000, "all data final", |network| {
        (100..130).all(|session| outcome(network, session).is_some())
    });
    assert_one_wins(&mut network, [11, 12]);
}

#[test]
fn most_heads_that_are_told_come_true_where_nobody_fails() {
    let mut network = Network::start(5, &[3_000, 2_000, 1_500, 1_500, 1_000], &[]);
    for nonce in 0..400 {
        network.submit(nonce as usize % 5, nonce, vec![data(nonce)]);
        network.run(100);
    }
    let stats = network.running().map(|peer| *peer.stats());
    let (told, confirmed) = stats.fold((0, 0), |(told, confirmed), stats| {
        (told + stats.heads_told, confirmed + stats.heads_confirmed)
    });
    println!("{confirmed} of {told} tentative heads became final");
    assert!(told > 50 && 2 * confirmed > told, "{confirmed} of {told}");
}
