use dag::Dag;
use dag::event::Kind;
use dag::test_dag::Drawing;
use primitives::units::{PeerIndex, Round};

use super::{Creation, Decision, Parameters, Waiting};
use crate::engine::Engine;

mod world;

use world::World;

const PAYLOAD: Waiting = Waiting {
    payload: true,
    attestations: false,
};
const ATTESTATIONS: Waiting = Waiting {
    payload: false,
    attestations: true,
};
const NOTHING: Waiting = Waiting {
    payload: false,
    attestations: false,
};

/// Peer 0's policy after it has observed every event drawn at the time it claims.
fn policy(drawing: &Drawing) -> (Creation, Engine) {
    let mut creation = Creation::new(PeerIndex(0), Parameters::default());
    let mut dag = Dag::new(drawing.dag.committee().clone());
    for event in drawing.dag.events() {
        dag.admit(event.clone()).unwrap();
        creation.observe(&dag, event, event.header().time.get());
    }
    (creation, Engine::new(drawing.dag.committee()))
}

fn check(drawing: &Drawing, waiting: Waiting, now_ms: u64, wanted: Decision) {
    let (creation, engine) = policy(drawing);
    let got = creation.decide(&drawing.dag, &engine, waiting, now_ms);
    assert_eq!(got, wanted, "at {now_ms}");
}

const fn root(round: u64) -> Decision {
    Decision::Root {
        round: Round::new(round),
    }
}

#[test]
fn an_idle_peer_makes_nothing_and_a_waiting_payload_starts_round_0() {
    let drawing = Drawing::new(&[1, 1, 1, 1], "");
    check(&drawing, NOTHING, 9, Decision::Idle);
    check(&drawing, PAYLOAD, 9, root(0));
    check(&drawing, ATTESTATIONS, 9, root(0));
}

#[test]
fn others_payloads_are_something_to_settle_but_empty_events_are_not() {
    let mut drawing = Drawing::new(&[1, 1, 1, 1], "A0\n B0\n C0");
    check(&drawing, NOTHING, 1_000, Decision::Idle);
    drawing.draw("b0.x $1");
    check(&drawing, NOTHING, 1_000, root(1));
}

#[test]
fn without_a_quorum_of_the_own_round_payload_leaves_in_data_events_ever_slower() {
    let drawing = Drawing::new(&[1, 1, 1, 1], "A0\n B0\n a0.x $1 @1000");
    check(&drawing, NOTHING, 1_000, Decision::Idle);
    // In round 0 since 0 ms: the spacing is 50 ms, and a 64th of the time in the round later on.
    check(&drawing, PAYLOAD, 1_049, Decision::Wait { until_ms: 1_050 });
    check(&drawing, PAYLOAD, 1_050, Decision::Data);
    let slow = Drawing::new(&[1, 1, 1, 1], "A0\n B0\n a0.x $1 @64000");
    let wanted = Decision::Wait { until_ms: 65_000 };
    check(&slow, PAYLOAD, 64_000, wanted);
    check(&slow, PAYLOAD, 65_016, Decision::Data);
}

#[test]
fn unsettled_payload_of_others_is_supported_once_when_no_quorum_is_heard() {
    let mut drawing = Drawing::new(&[1, 1, 1, 1], "A0\n B0\n b0.x $1 @10");
    check(&drawing, NOTHING, 100, Decision::Wait { until_ms: 250 });
    check(&drawing, NOTHING, 250, Decision::Data);
    drawing.draw("a0.x = b0.x @250");
    check(&drawing, NOTHING, 10_000, Decision::Idle);
}

#[test]
fn a_root_waits_for_expected_peers_for_t_after_the_quorum_and_no_longer() {
    // D is in time in rounds 0 to 3, and late in round 4.
    let mut text = String::from("A0 @0\n B0 @0\n C0 @0\n D0 @1\n");
    for round in 1..4 {
        for own in ["A", "B", "C", "D"] {
            let before = round - 1;
            let time = 1_000 * round + u64::from(own == "D");
            text.push_str(&format!(
                "{own}{round} = A{before} B{before} C{before} D{before} @{time}\n"
            ));
        }
    }
    text.push_str("A4 = A3 B3 C3 @4000\n B4 = A3 B3 C3 @4001 $1\n C4 = A3 B3 C3 @4002\n");
    let mut drawing = Drawing::new(&[1, 1, 1, 1], &text);
    let t = Parameters::default().wait_ms_max;
    let until_ms = 4_002 + t;
    check(&drawing, NOTHING, 4_003, Decision::Wait { until_ms });
    check(&drawing, NOTHING, 4_251, Decision::Wait { until_ms });
    check(&drawing, NOTHING, until_ms, root(5));
    // (a): the last expected root is in.
    drawing.draw("D4 = A3 B3 C3 D3 @4100");
    check(&drawing, NOTHING, 4_100, root(5));
}

#[test]
fn an_unexpected_peer_is_not_waited_for_and_rounds_have_a_least_length() {
    let drawing = Drawing::new(&[1, 1, 1, 1], "A0 @10\n B0 @11\n C0 @12 $1");
    check(&drawing, NOTHING, 14, Decision::Wait { until_ms: 15 });
    check(&drawing, NOTHING, 15, root(1));
}

#[test]
fn a_quorum_of_the_next_round_lets_the_root_leave_at_once() {
    let mut drawing = Drawing::new(&[1, 1, 1, 1], "A0 @10\n B0 @1\n C0 @2\n D0 @3 $1");
    drawing.draw("B1 = B0 C0 D0 @11\n C1 = B0 C0 D0 @11");
    check(&drawing, NOTHING, 11, Decision::Wait { until_ms: 15 });
    drawing.draw("D1 = B0 C0 D0 @12");
    check(&drawing, NOTHING, 12, root(1));
}

#[test]
fn no_round_is_skipped_within_64_and_the_next_after_the_highest_quorum_is_made_above() {
    let mut text = String::from("A0\n B0\n C0\n D0 $1\n");
    for round in 1..=65 {
        for own in ["B", "C", "D"] {
            let before = round - 1;
            text.push_str(&format!("{own}{round} = B{before} C{before} D{before}\n"));
        }
        let drawing_ends = [64, 65].contains(&round);
        if drawing_ends {
            let drawing = Drawing::new(&[1, 1, 1, 1], &text);
            let wanted = if round == 64 { root(1) } else { root(66) };
            check(&drawing, PAYLOAD, 9_000, wanted);
            let (creation, _) = policy(&drawing);
            let composed = creation.compose(&drawing.dag, wanted).unwrap();
            assert_eq!(composed.self_parent, Some(drawing.reference("A0")));
            assert_eq!(composed.votes.len(), if round == 64 { 4 } else { 3 });
        }
    }
}

/// A was away since its root of round 0, G crashed before the round given, and F forks when all rounds are
/// drawn: B, C, D and E, which remain, are no quorum without A.
fn left_behind(crashed: u64) -> Drawing {
    let present = |round| {
        let peers = ["B", "C", "D", "E", "F", "G"].into_iter();
        let present = peers.filter(move |own| *own != "G" || round < crashed);
        present.map(move |own| format!("{own}{round}"))
    };
    let mut text = String::from("A0\n B0\n C0\n D0\n E0\n F0\n G0\n");
    for round in 1..=70 {
        let votes: Vec<String> = present(round - 1).collect();
        for root in present(round) {
            text.push_str(&format!("{root} = {}\n", votes.join(" ")));
        }
    }
    text.push_str("f70.x\n f70.x' = ^F70\n b70.x = f70.x $1\n b70.y = f70.x'\n");
    Drawing::new(&[1; 7], &text)
}

#[test]
fn who_was_away_comes_back_though_the_others_are_no_quorum_without_it() {
    // G was there in round 69, or long gone: then a vote for the forker's root is all that is left.
    for (crashed, voted) in [(70, [1, 2, 3, 4, 6].as_slice()), (2, &[1, 2, 3, 4, 5])] {
        let drawing = left_behind(crashed);
        assert!(drawing.dag.is_forker(PeerIndex(5)));
        check(&drawing, PAYLOAD, 9_000, root(70));
        let (creation, _) = policy(&drawing);
        let composed = creation.compose(&drawing.dag, root(70)).unwrap();
        let votes: Vec<_> = composed.votes.iter().map(|vote| vote.creator.0).collect();
        assert_eq!(votes, voted, "{crashed}");
    }
}

#[test]
fn attestations_ride_the_next_root_and_justify_one_data_event_when_idle() {
    let mut drawing = Drawing::new(&[1, 1, 1, 1], "A0 @0\n B0\n C0");
    check(&drawing, ATTESTATIONS, 100, Decision::Data);
    drawing.draw("b0.x $1");
    check(&drawing, ATTESTATIONS, 100, root(1));
}

#[test]
fn a_heartbeat_is_made_when_asked_for() {
    let drawing = Drawing::new(&[1, 1, 1, 1], "A0 @0\n B0\n C0");
    let parameters = Parameters {
        heartbeat_ms: 10_000,
        ..Parameters::default()
    };
    let mut creation = Creation::new(PeerIndex(0), parameters);
    for event in drawing.dag.events() {
        creation.observe(&drawing.dag, event, 0);
    }
    let engine = Engine::new(drawing.dag.committee());
    let check = |now_ms, wanted| {
        let got = creation.decide(&drawing.dag, &engine, NOTHING, now_ms);
        assert_eq!(got, wanted);
    };
    check(9_999, Decision::Wait { until_ms: 10_000 });
    check(10_000, Decision::Data);
}

#[test]
fn a_forkers_roots_get_no_vote_and_its_third_branch_no_reference() {
    let drawing = Drawing::new(
        &[2, 2, 2, 2, 1],
        "A0
         B0
         C0
         D0
         E0
         e0.x @1
         e0.x' = ^E0 @2
         e0.x'' = ^E0 @3
         b0.x = e0.x''",
    );
    let (creation, _) = policy(&drawing);
    let composed = creation.compose(&drawing.dag, root(1)).unwrap();
    let votes: Vec<_> = composed.votes.iter().map(|vote| vote.creator.0).collect();
    assert_eq!(votes, [0, 1, 2, 3]);
    let names: Vec<&str> = composed
        .parents
        .iter()
        .map(|parent| drawing.name(&parent.id))
        .collect();
    assert_eq!(composed.kind, Kind::Root);
    // b0.x brings the third branch into the past; of E itself two branches at most are named.
    assert!(names.contains(&"b0.x"));
    assert!(names.iter().filter(|name| name.starts_with("e0")).count() <= 2);
    assert!(!names.contains(&"e0.x''"));
}

#[test]
fn two_branches_from_below_the_floor_get_one_vote() {
    let drawing = Drawing::new(
        &[1, 1, 1, 1],
        "A0
         B0
         C0
         D0
         D0' = ^
         d0'.x
         A1 = A0 B0 C0
         B1 = A0 B0 C0
         C1 = A0 B0 C0
         D1 = A0 B0 D0 ^D0
         D1' = A0 B0 D0' ^d0'.x",
    );
    let mut dag = Dag::new(drawing.dag.committee().clone());
    dag.raise_floor(Round::new(1));
    for event in drawing
        .dag
        .events()
        .filter(|event| event.header().round > Round::ZERO)
    {
        dag.admit(event.clone()).unwrap();
    }
    assert!(!dag.is_forker(PeerIndex(3)));
    let (creation, _) = policy(&drawing);
    let composed = creation.compose(&dag, root(2)).unwrap();
    let votes: Vec<_> = composed.votes.iter().map(|vote| vote.creator.0).collect();
    assert_eq!(votes, [0, 1, 2, 3]);
}

#[test]
fn an_own_fork_ends_creation() {
    let drawing = Drawing::new(&[1, 1, 1, 1], "A0\n a0.x\n a0.x' = ^A0");
    check(&drawing, PAYLOAD, 9_000, Decision::Idle);
}

#[test]
fn t_follows_delays_doubles_without_blocks_and_falls_back() {
    let drawing = Drawing::new(&[1, 1, 1, 1], "A0");
    let (mut creation, _) = policy(&drawing);
    assert_eq!(creation.wait_ms(), 250);
    creation.observe_delay(10);
    assert_eq!(creation.wait_ms(), 50);
    creation.observe_delay(60);
    assert_eq!(creation.wait_ms(), 120);
    creation.observe_delay(500);
    assert_eq!(creation.wait_ms(), 250);
    let event = drawing.dag.event(&drawing.id("A0")).unwrap();
    let mut waits = Vec::new();
    for _ in 0..16 * 10 {
        creation.observe(&drawing.dag, event, 0);
        waits.push(creation.wait_ms());
    }
    // The policy has seen one own root before.
    assert_eq!(waits[13..15], [250, 500]);
    assert_eq!(waits.last(), Some(&60_000));
    let block = world::block();
    for _ in 0..8 {
        creation.settle(&block);
    }
    assert!((15_000..25_000).contains(&creation.wait_ms()));
    for _ in 0..100 {
        creation.settle(&block);
    }
    assert_eq!(creation.wait_ms(), 250);
}

/// A ring: the delay from one peer to another grows with the distance in one direction.
fn ring(peers: usize) -> World {
    World::new(peers, move |from, to| {
        let steps = (to + peers - from) % peers;
        10 + 15 * steps as u64
    })
}

#[test]
fn a_ring_of_unequal_delays_settles_its_rounds() {
    for peers in [4, 7, 10] {
        let mut world = ring(peers);
        for step in 0..100 {
            world.pay(step % peers, 40 * step as u64);
        }
        world.run(20_000);
        world.assert_settled();
        // Rounds take a delay or two: blocks keep coming while payments do.
        assert!(world.blocks(0) >= 15, "{peers}: {} blocks", world.blocks(0));
        assert!(
            world.latency_ms() < 2_000,
            "{peers}: {}",
            world.latency_ms()
        );
    }
}

#[test]
fn a_third_of_the_peers_crashed_leaves_the_others_live() {
    for (peers, crashed) in [(4, 1), (7, 2), (10, 3)] {
        let mut world = ring(peers);
        for peer in 0..crashed {
            world.crash(peer, 500);
        }
        for step in 0..100 {
            world.pay(crashed + step % (peers - crashed), 40 * step as u64);
        }
        world.run(30_000);
        world.assert_settled();
        assert!(
            world.latency_ms() < 5_000,
            "{peers}: {}",
            world.latency_ms()
        );
    }
}

#[test]
fn a_slow_third_does_not_stop_the_others() {
    for peers in [4, 7, 10] {
        let slow = (peers - 1) / 3;
        let mut world = World::new(
            peers,
            move |from, to| {
                if from < slow || to < slow { 200 } else { 20 }
            },
        );
        for step in 0..100 {
            world.pay(step % peers, 40 * step as u64);
        }
        world.run(30_000);
        world.assert_settled();
    }
}

#[test]
fn an_idle_network_stays_silent_and_falls_silent_again() {
    let mut world = ring(4);
    world.run(60_000);
    assert_eq!(world.events(), 0);
    world.pay(2, 60_000);
    world.run(120_000);
    world.assert_settled();
    let made = world.events();
    assert!(made < 80, "{made} events for one payment");
    world.run(600_000);
    assert_eq!(world.events(), made);
}

#[test]
fn one_payment_on_a_healthy_network_is_final_after_few_delays() {
    for peers in [4, 7, 10] {
        let mut world = World::new(peers, |_, _| 20);
        for number in 0..20 {
            world.pay(number % peers, 5_000 * number as u64);
        }
        world.run(110_000);
        world.assert_settled();
        // 4.5 delays on average, and one more to wake the others.
        assert!(world.latency_ms() <= 140, "{peers}: {}", world.latency_ms());
    }
}

#[test]
fn a_cut_in_halves_settles_nothing_and_heals_at_once() {
    for peers in [4, 10] {
        let mut world = ring(peers);
        world.pay(0, 0);
        world.cut(1_000, 21_000);
        for step in 0..200 {
            world.pay(step % peers, 100 * step as u64);
        }
        world.run(20_900);
        let before = world.blocks(0);
        world.run(22_500);
        world.assert_settled();
        assert!(world.blocks(0) > before);
    }
}
