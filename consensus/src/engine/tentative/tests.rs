use dag::test_dag::Drawing;

use super::*;
use crate::engine::tests::{ALL, draw};

/// C27 as it is written: every candidate is weighed, none is left out early.
fn slow_head(engine: &Engine, dag: &Dag) -> Option<Digest> {
    let round = engine.next_round();
    let committee = dag.committee();
    let weight = |peer: PeerIndex| {
        let member = committee.member(peer).unwrap();
        race::weight(Tag::Leader, &engine.seed, round, &member.key, member.stake)
    };
    let median = |mut peers: Vec<PeerIndex>| {
        peers.sort_by_key(|peer| core::cmp::Reverse(weight(*peer)));
        peers.truncate(3);
        match peers.as_slice() {
            [] => 0,
            [one] => weight(*one),
            [_, second, ..] => weight(*second),
        }
    };
    let honest: Vec<PeerIndex> = committee
        .iter()
        .map(|(peer, _)| peer)
        .filter(|peer| !dag.is_forker(*peer))
        .collect();
    let rank = engine.slots.leader_rank(&engine.seed, round);
    let candidates = dag.roots(round).into_iter().filter(|id| {
        let peer = dag.event(id).unwrap().header().creator;
        !engine.slots.is_skipped(Slot { round, peer })
    });
    candidates.max_by_key(|id| {
        let stake = finality::support(dag, id);
        let knows = |peer: &&PeerIndex| {
            dag.tips(**peer)
                .any(|tip| dag.reaches(id, dag.vertex(tip).unwrap().id()))
        };
        let knowers: Vec<PeerIndex> = honest.iter().filter(knows).copied().collect();
        let before = engine.previous.map_or(Vec::new(), |previous| {
            let has = |event: &&dag::Event| {
                dag.reaches(event.id(), id) && dag.reaches(&previous, event.id())
            };
            let mut peers: Vec<PeerIndex> = dag
                .events()
                .filter(has)
                .map(|event| event.header().creator)
                .filter(|peer| honest.contains(peer))
                .collect();
            peers.sort();
            peers.dedup();
            peers
        });
        let class = [Threshold::Third, Threshold::Half].map(|share| committee.meets(share, stake));
        let creator = dag.event(id).unwrap().header().creator;
        let place = rank.iter().position(|peer| *peer == creator);
        (
            class.into_iter().filter(|met| *met).count(),
            knowers.len().min(3),
            median(knowers) + median(before),
            core::cmp::Reverse((place, *id)),
        )
    })
}

#[test]
fn the_head_equals_a_slow_reading_of_the_rule_and_mostly_comes_true() {
    let (mut shown, mut confirmed) = (0, 0);
    for seed in 0..60 {
        let (committee, events, _) = draw(seed, 200);
        let mut dag = Dag::new(committee.clone());
        let mut engine = Engine::new(&committee);
        let mut head = None;
        for event in events {
            dag.admit(event).unwrap();
            for block in engine.advance(&dag, &ALL) {
                if let Some(TentativeHead { round, leader, .. }) = head.take()
                    && round == block.round
                {
                    shown += 1;
                    confirmed += u32::from(leader == block.leader);
                }
            }
            let now = engine.tentative_head(&dag);
            assert_eq!(
                now.map(|head| head.leader),
                slow_head(&engine, &dag),
                "seed {seed}"
            );
            head = now;
        }
    }
    assert!(
        shown > 200 && 4 * confirmed > 3 * shown,
        "{confirmed} of {shown}"
    );
}

#[test]
fn the_side_with_more_stake_has_the_head_whatever_the_race_says() {
    // D and E are cut off and see only themselves.
    let cut = "
        A0
        B0
        C0
        D0
        E0
        a0.x = B0 C0
        b0.x = A0 C0
        c0.x = A0 B0
        d0.x = E0
        e0.x = D0";
    for chain in 0..20 {
        let drawing = Drawing::new(&[2, 2, 2, 1, 1], cut);
        let mut engine = Engine::new(drawing.dag.committee());
        engine.seed = Digest([chain; 32]);
        let head = engine.tentative_head(&drawing.dag).unwrap();
        assert!(head.creator.0 < 3, "{head:?}");
        assert_eq!(head.support, Stake::new(6));
    }
}

#[test]
fn without_candidates_there_is_no_head() {
    let drawing = Drawing::new(&[1, 1, 1, 1], "");
    let engine = Engine::new(drawing.dag.committee());
    assert_eq!(engine.tentative_head(&drawing.dag), None);
}
