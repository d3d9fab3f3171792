use std::collections::{BTreeMap, BTreeSet};

use dag::Dag;
use dag::graph::{Handle, Vertex};
use dag::test_dag::{Drawing, Random, Shape, committee, random, walk};
use primitives::Digest;
use primitives::quorum::Threshold;
use primitives::units::{PeerIndex, Stake, Time};

use super::{arrange, block_time, unordered_past};
use crate::seed::tie;

const SEED: Digest = Digest([6; 32]);

/// C22 as it is written, by walking: `t(e)`, then again and again the least.
fn slow_order(dag: &Dag, seed: &Digest, members: &[Handle], view: &[Handle]) -> Vec<Digest> {
    let vertex = |handle: &Handle| dag.vertex(*handle).unwrap();
    let known = |event: Handle| -> Option<Time> {
        let mut knowers: Vec<&Vertex> = view
            .iter()
            .filter(|observer| walk(dag, **observer).contains(&event))
            .map(vertex)
            .collect();
        knowers.sort_by_key(|knower| knower.time());
        let mut creators = BTreeSet::new();
        knowers.into_iter().find_map(|knower| {
            creators.insert(knower.creator());
            let stake = creators
                .iter()
                .map(|creator| dag.committee().stake(*creator));
            let stake = Stake::sum(stake).unwrap();
            dag.committee()
                .meets(Threshold::Half, stake)
                .then(|| knower.time())
        })
    };
    let mut left: Vec<_> = members
        .iter()
        .map(|handle| {
            let event = vertex(handle);
            let time = known(*handle);
            (
                time.is_none(),
                time,
                event.round(),
                tie(seed, event.id()),
                *handle,
            )
        })
        .collect();
    left.sort_unstable();
    let mut order = Vec::new();
    while !left.is_empty() {
        let waiting: BTreeSet<Handle> = left.iter().map(|entry| entry.4).collect();
        let next = left
            .iter()
            .position(|entry| {
                vertex(&entry.4)
                    .parents()
                    .all(|parent| !waiting.contains(&parent))
            })
            .unwrap();
        order.push(*vertex(&left.remove(next).4).id());
    }
    order
}

/// C29a as it is written.
fn slow_time(dag: &Dag, leader: Handle, previous: Time) -> Time {
    let round = dag.vertex(leader).unwrap().round();
    let mut claims: BTreeMap<PeerIndex, Time> = BTreeMap::new();
    for event in walk(dag, leader)
        .into_iter()
        .filter(|event| *event != leader)
    {
        let event = dag.vertex(event).unwrap();
        if event.round().get() + 64 >= round.get() {
            let claim = claims.entry(event.creator()).or_default();
            *claim = (*claim).max(event.time());
        }
    }
    let stake = |creator: &PeerIndex| dag.committee().stake(*creator).get();
    let counted: u64 = claims.keys().map(stake).sum();
    let median = claims.values().copied().filter(|v| {
        let below: u64 = claims
            .iter()
            .filter(|(_, time)| *time <= v)
            .map(|(creator, _)| stake(creator))
            .sum();
        2 * below >= counted
    });
    median.min().unwrap_or(previous).max(previous)
}

#[test]
fn the_order_agrees_with_the_rule_as_written_on_random_dags() {
    for seed in 0..120 {
        let mut numbers = Random(seed);
        let shape = Shape::draw(&mut numbers, 70);
        let mut dag = Dag::new(committee(&shape.stakes));
        for event in random(&mut numbers, &shape) {
            dag.admit(event).unwrap();
        }
        // An earlier leader's past counts as ordered.
        let pick = |percent: u64| {
            let position = dag.size() as u64 * percent / 100;
            dag.vertices().nth(position as usize).unwrap().0
        };
        let ordered = walk(&dag, pick(30));
        let is_ordered = |id: &Digest| ordered.contains(&dag.handle(id).unwrap());
        let leader = pick(95);
        let members = unordered_past(&dag, leader, is_ordered);
        let view: Vec<Handle> = walk(&dag, leader).into_iter().collect();
        let wanted: BTreeSet<Handle> = view
            .iter()
            .copied()
            .filter(|event| !ordered.contains(event))
            .collect();
        assert_eq!(members.iter().copied().collect::<BTreeSet<_>>(), wanted);
        let order = arrange(&dag, &SEED, &members);
        assert_eq!(
            order,
            slow_order(&dag, &SEED, &members, &view),
            "seed {seed}"
        );
        let vertex = dag.vertex(leader).unwrap();
        for previous in [Time::ZERO, Time::new(1_020), Time::MAX] {
            let time = block_time(&dag, vertex, previous);
            assert_eq!(time, slow_time(&dag, leader, previous), "seed {seed}");
        }
        // The tentative ledger: the whole view.
        let all: Vec<Handle> = dag.vertices().map(|(handle, _)| handle).collect();
        let rest: Vec<Handle> = all
            .iter()
            .copied()
            .filter(|event| !ordered.contains(event))
            .collect();
        let tentative = arrange(&dag, &SEED, &rest);
        assert_eq!(
            tentative,
            slow_order(&dag, &SEED, &rest, &all),
            "seed {seed}"
        );
    }
}

#[test]
fn what_the_majority_knew_first_comes_first_whatever_the_author_claims() {
    // a0.x claims to be early, but b0.x was known to half of the stake before.
    let drawing = Drawing::new(
        &[1, 1, 1, 1, 1],
        "A0 @10
         B0 @10
         C0 @10
         D0 @10
         E0 @10
         a0.x @11
         b0.x @50
         c0.x = b0.x @60
         d0.x = b0.x @61
         c0.y = a0.x @70
         d0.y = a0.x @71
         B1 = A0 B0 C0 D0 +c0.y +d0.y @80",
    );
    let leader = drawing.dag.handle(&drawing.id("B1")).unwrap();
    let members = unordered_past(&drawing.dag, leader, |_| false);
    let order = arrange(&drawing.dag, &SEED, &members);
    let names = drawing.names(&order);
    let place = |name: &str| names.split(' ').position(|other| other == name).unwrap();
    assert!(place("b0.x") < place("a0.x"), "{names}");
    assert_eq!(names.split(' ').next_back(), Some("B1"));
    // E0 is not in the leader's past.
    assert!(!names.contains("E0"));
}

#[test]
fn events_more_than_64_rounds_below_the_leader_are_stale() {
    let mut text = String::from("A0\n a0.x\n B0\n");
    for round in 1..=65 {
        text.push_str(&format!("A{round} = A{}\n", round - 1));
        if round == 64 {
            text.push_str("a64.x = B0\n");
        }
    }
    let drawing = Drawing::new(&[9, 1], &text);
    let past = |leader: &str| {
        let leader = drawing.dag.handle(&drawing.id(leader)).unwrap();
        let members = unordered_past(&drawing.dag, leader, |_| false);
        drawing.names(&arrange(&drawing.dag, &SEED, &members))
    };
    assert!(past("a64.x").contains("B0") && past("a64.x").contains("A0"));
    let late = past("A65");
    assert!(
        !late
            .split(' ')
            .any(|name| ["A0", "a0.x", "B0"].contains(&name))
    );
    assert!(late.starts_with("A1 A2 "));
}
