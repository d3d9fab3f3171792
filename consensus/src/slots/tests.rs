use alloc::collections::BTreeSet;

use dag::Dag;
use dag::graph::{Handle, Vertex};
use dag::test_dag::{Drawing, Random, Shape, committee, random};
use primitives::Digest;
use primitives::quorum::Threshold;
use primitives::units::{PeerIndex, Round, Stake};

use super::{Outcome, Slot, Slots, candidates, is_certified};
use crate::error::Contradiction;
use crate::race::Tag;

const SEED: Digest = Digest([3; 32]);

fn slot(peer: u16, round: u64) -> Slot {
    Slot {
        round: Round::new(round),
        peer: PeerIndex(peer),
    }
}

fn decide(drawing: &Drawing, slot: Slot) -> Result<Option<String>, Contradiction> {
    let mut slots = Slots::new(drawing.dag.committee());
    let outcome = slots.decide(&drawing.dag, &SEED, slot)?;
    Ok(outcome.map(|outcome| match outcome {
        Outcome::Skipped => "skipped".to_owned(),
        Outcome::Committed(handle) => {
            let id = *drawing.dag.vertex(handle).unwrap().id();
            drawing.name(&id).to_owned()
        }
    }))
}

fn check(drawing: &Drawing, slot: Slot, wanted: Option<&str>) {
    let got = decide(drawing, slot).unwrap();
    assert_eq!(got.as_deref(), wanted, "{slot:?}");
}

const FULL: &str = "A0
    B0
    C0
    D0
    A1 = A0 B0 C0 D0
    B1 = A0 B0 C0 D0
    C1 = A0 B0 C0 D0
    D1 = A0 B0 C0 D0";

#[test]
fn a_quorum_of_certifiers_commits_and_one_less_does_not() {
    let mut drawing = Drawing::new(&[1, 1, 1, 1], FULL);
    drawing.draw("A2 = A1 B1 C1 D1\n B2 = A1 B1 C1");
    check(&drawing, slot(0, 0), None);
    // A second root of one creator adds nothing.
    drawing.draw("B2' = A1 B1 D1 ^B1");
    check(&drawing, slot(0, 0), None);
    drawing.draw("D2 = B1 C1 D1");
    for (peer, root) in ["A0", "B0", "C0", "D0"].iter().enumerate() {
        check(&drawing, slot(peer as u16, 0), Some(root));
    }
}

#[test]
fn a_slot_without_candidate_is_skipped_by_a_quorum_of_the_next_round() {
    let mut drawing = Drawing::new(&[1, 1, 1, 1], "A0\n B0\n C0");
    drawing.draw("A1 = A0 B0 C0\n B1 = A0 B0 C0");
    check(&drawing, slot(3, 0), None);
    drawing.draw("C1 = A0 B0 C0");
    check(&drawing, slot(3, 0), Some("skipped"));
}

#[test]
fn a_late_candidate_is_skipped_when_a_quorum_does_not_vote_for_it() {
    let mut drawing = Drawing::new(
        &[1, 1, 1, 1],
        "A0
         B0
         C0
         D0
         A1 = A0 B0 C0
         B1 = A0 B0 C0
         D1 = A0 B0 C0 D0",
    );
    check(&drawing, slot(3, 0), None);
    drawing.draw("C1 = A0 B0 C0");
    check(&drawing, slot(3, 0), Some("skipped"));
}

/// One root certifies D0, a third votes against it: the anchor decides by what it has in its votes.
const OPEN: &str = "A0
    B0
    C0
    D0
    A1 = A0 B0 C0
    B1 = A0 B0 C0 D0
    C1 = A0 B0 C0 D0
    D1 = A0 B0 C0 D0
    A2 = A1 B1 C1
    B2 = A1 B1 D1
    C2 = B1 C1 D1
    D2 = A1 C1 D1
    A3 = A2 B2 D2
    B3 = A2 B2 C2
    C3 = B2 C2 D2
    D3 = A2 B2 D2
    A4 = A3 B3 C3 D3
    B4 = A3 B3 C3 D3
    C4 = A3 B3 C3 D3
    D4 = A3 B3 C3 D3";

#[test]
fn the_first_anchor_that_is_not_skipped_decides_by_its_vote_past() {
    let mut drawing = Drawing::new(&[1, 1, 1, 1], OPEN);
    drawing.draw("A5 = A4 B4 C4 D4\n B5 = A4 B4 C4 D4");
    check(&drawing, slot(3, 0), None);
    drawing.draw("C5 = A4 B4 C4 D4");
    let mut seen = [false; 2];
    for seed in 0..32 {
        let seed = Digest([seed; 32]);
        let mut slots = Slots::new(drawing.dag.committee());
        let outcome = slots.decide(&drawing.dag, &seed, slot(3, 0)).unwrap();
        let runners = slots.runners.clone();
        let anchors = crate::race::rank(Tag::Anchor, &seed, Round::new(3), &runners);
        // B3 and C3 vote for C2, which alone certifies D0.
        let certified = [PeerIndex(1), PeerIndex(2)].contains(&anchors[0]);
        let wanted = if certified {
            Outcome::Committed(drawing.dag.handle(&drawing.id("D0")).unwrap())
        } else {
            Outcome::Skipped
        };
        assert_eq!(outcome, Some(wanted), "{anchors:?}");
        seen[usize::from(certified)] = true;
    }
    assert_eq!(seen, [true, true]);
}

#[test]
fn an_undecided_anchor_is_waited_for_and_not_passed_over() {
    // Of round 3 nobody but the last anchor is committed; the first is open as D0 is.
    let mut drawing = Drawing::new(&[1, 1, 1, 1], OPEN);
    drawing.draw("A5 = A4 B4 C4 D4\n B5 = A4 B4 C4 D4");
    let slots = Slots::new(drawing.dag.committee());
    for seed in 0..16 {
        let seed = Digest([seed; 32]);
        let got = slots.clone().decide(&drawing.dag, &seed, slot(3, 0));
        assert_eq!(got, Ok(None));
    }
}

#[test]
fn two_certified_candidates_stop_settling() {
    // Half of the stake forks: more than the rule bears.
    let drawing = Drawing::new(
        &[1, 1, 1, 1],
        "A0
         B0
         C0
         D0
         A0' = ^
         A1 = A0 B0 C0 D0 ^A0
         B1 = A0 B0 C0 D0
         C1 = A0 B0 C0 D0
         D1 = A0 B0 C0 D0
         A1' = A0' B0 C0 D0 ^A0'
         B1' = A0' B0 C0 D0 ^B0
         C1' = A0' B0 C0 D0 ^C0
         A2 = A1 B1 C1 ^A1
         B2 = A1 B1 C1 ^B1
         C2 = A1' B1' C1' ^C1'",
    );
    let wanted = {
        let (one, other) = (drawing.id("A0"), drawing.id("A0'"));
        Contradiction::TwoCertified {
            peer: PeerIndex(0),
            round: Round::ZERO,
            first: one.min(other),
            second: one.max(other),
        }
    };
    assert_eq!(decide(&drawing, slot(0, 0)), Err(wanted));
}

#[test]
fn commit_and_skip_of_one_slot_stop_settling() {
    let drawing = Drawing::new(
        &[1, 1, 1, 1],
        "A0
         B0
         C0
         D0
         A1 = A0 B0 C0 D0
         B1 = A0 B0 C0 D0
         C1 = A0 B0 C0 D0
         A1' = A0 B0 C0 ^A0
         B1' = A0 B0 C0 ^B0
         C1' = A0 B0 C0 ^C0
         A2 = A1 B1 C1 ^A1
         B2 = A1 B1 C1 ^B1
         C2 = A1 B1 C1 ^C1",
    );
    let wanted = Contradiction::CommitAndSkip {
        peer: PeerIndex(3),
        round: Round::ZERO,
        candidate: drawing.id("D0"),
    };
    assert_eq!(decide(&drawing, slot(3, 0)), Err(wanted));
}

#[test]
fn the_facts_of_c16_hold_on_random_dags_with_forkers_below_a_third() {
    let mut decided = 0;
    for seed in 0..150 {
        let mut numbers = Random(seed);
        let shape = Shape::draw(&mut numbers, 220);
        let mut dag = Dag::new(committee(&shape.stakes));
        let mut slots = Slots::new(dag.committee());
        let mut before = std::collections::BTreeMap::new();
        for (count, event) in random(&mut numbers, &shape).into_iter().enumerate() {
            dag.admit(event).unwrap();
            if count % 44 != 43 {
                continue;
            }
            for round in 0..dag.highest_round().unwrap().get() {
                for peer in 0..shape.stakes.len() as u16 {
                    let slot = slot(peer, round);
                    let outcome = slots.decide(&dag, &SEED, slot).unwrap();
                    // Fresh counts agree with kept ones.
                    let fresh = Slots::new(dag.committee()).decide(&dag, &SEED, slot);
                    assert_eq!(fresh, Ok(outcome), "seed {seed} {slot:?}");
                    if let Some(outcome) = outcome {
                        let first = *before.entry(slot).or_insert(outcome);
                        assert_eq!(first, outcome, "seed {seed} {slot:?}");
                    }
                    check_certified(&dag, slot, seed);
                }
            }
        }
        decided += before.len();
    }
    assert!(decided > 1_000, "only {decided} slots");
}

/// C12 as it is written.
fn certifies(dag: &Dag, root: &Vertex, peer: PeerIndex, candidate: Handle) -> bool {
    let votes_for = |vote: &(PeerIndex, Handle)| {
        let vote = dag.vertex(vote.1);
        vote.is_some_and(|vote| vote.vote_of(peer) == Some(candidate))
    };
    let voting = root.votes().filter(votes_for);
    let stakes = voting.map(|(creator, _)| dag.committee().stake(creator));
    let voting = Stake::sum(stakes).unwrap();
    dag.committee().meets(Threshold::Quorum, voting)
}

/// At most one candidate of a slot is certified by any held root, and counting agrees with C12.
fn check_certified(dag: &Dag, slot: Slot, seed: u64) {
    for candidate in candidates(dag, slot, 0) {
        for handle in dag.root_handles(slot.round.later(2)) {
            let root = dag.vertex(*handle).unwrap();
            let expected = certifies(dag, root, slot.peer, candidate);
            let counted = is_certified(dag, slot, candidate, &BTreeSet::from([*handle]));
            assert_eq!(counted, expected, "seed {seed} {slot:?}");
        }
    }
    let certified = candidates(dag, slot, 0)
        .filter(|candidate| {
            dag.root_handles(slot.round.later(2))
                .iter()
                .filter_map(|handle| dag.vertex(*handle))
                .any(|root| certifies(dag, root, slot.peer, *candidate))
        })
        .count();
    assert!(certified <= 1, "seed {seed} {slot:?}");
}

#[test]
fn a_deep_undecided_dag_needs_no_deep_stack() {
    // Every round leaves its slots as open as OPEN leaves D0's: 3,000 rounds of nested walks.
    let mut drawing = Drawing::new(&[1, 1, 1, 1], "A0\n B0\n C0\n D0");
    for round in 1..3_000 {
        let before = round - 1;
        // Each root leaves out another, so that votes are three of four everywhere.
        for (own, left) in [("A", "B"), ("B", "C"), ("C", "D"), ("D", "A")] {
            let votes: Vec<String> = ["A", "B", "C", "D"]
                .iter()
                .filter(|peer| **peer != left)
                .map(|peer| format!("{peer}{before}"))
                .collect();
            drawing.admit(&format!("{own}{round} = {}", votes.join(" ")));
        }
    }
    check(&drawing, slot(0, 0), None);
}
