use dag::event::Event;
use dag::test_dag::{CHAIN, Drawing, Random, Shape, committee, random};
use dag::{Committee, Dag};
use primitives::Digest;
use primitives::codec::{decode, encode};
use primitives::keys::Beacon;
use primitives::units::{Epoch, Height, PeerIndex, Round, Time};

use super::{BeaconCheck, Engine, Settled};
use crate::error::Contradiction;
use crate::reference::bridge::ByFirstByte;
use crate::seed;
use crate::slots::{Slot, Status};

mod reference;

/// Takes every beacon but those of one peer.
pub(super) struct AllBut(Option<PeerIndex>);

impl BeaconCheck for AllBut {
    fn is_valid(&self, creator: PeerIndex, _round: Round, _beacon: &Beacon) -> bool {
        Some(creator) != self.0
    }
}

pub(super) const ALL: AllBut = AllBut(None);

pub(super) fn draw(seed: u64, events: usize) -> (Committee, Vec<Event>, Random) {
    let mut numbers = Random(seed);
    let shape = Shape::draw(&mut numbers, events);
    let events = random(&mut numbers, &shape);
    (committee(&shape.stakes), events, numbers)
}

fn settle(committee: &Committee, events: &[Event]) -> Vec<Settled> {
    let mut dag = Dag::new(committee.clone());
    for event in events {
        dag.admit(event.clone()).unwrap();
    }
    Engine::new(committee).advance(&dag, &ALL)
}

/// Another order of admission, parents first.
fn shuffle(events: &[Event], numbers: &mut Random) -> Vec<Event> {
    let mut left = events.to_vec();
    numbers.shuffle(&mut left);
    let mut held = std::collections::BTreeSet::new();
    let mut order = Vec::new();
    while !left.is_empty() {
        let (ready, waiting): (Vec<Event>, Vec<Event>) = left.into_iter().partition(|event| {
            let mut parents = event.header().all_parents();
            parents.all(|parent| held.contains(&parent.id))
        });
        held.extend(ready.iter().map(|event| *event.id()));
        order.extend(ready);
        left = waiting;
    }
    order
}

#[test]
fn advancing_after_each_admission_gives_the_same_blocks_as_once_at_the_end() {
    let mut blocks = 0;
    for seed in 0..300 {
        let (committee, events, _) = draw(seed, 250);
        let at_once = settle(&committee, &events);
        let mut dag = Dag::new(committee.clone());
        let mut engine = Engine::new(&committee);
        let mut one_by_one = Vec::new();
        for event in events {
            dag.admit(event).unwrap();
            one_by_one.extend(engine.advance(&dag, &ALL));
            assert!(engine.advance(&dag, &ALL).is_empty());
        }
        assert_eq!(one_by_one, at_once, "seed {seed}");
        assert_eq!(engine.contradiction(), None, "seed {seed}");
        blocks += at_once.len();
    }
    assert!(blocks > 1_000, "only {blocks} blocks");
}

#[test]
fn a_thousand_orders_of_arrival_give_one_result() {
    for seed in [1, 5, 9, 13] {
        let (committee, events, mut numbers) = draw(seed, 220);
        let wanted = settle(&committee, &events);
        assert!(!wanted.is_empty(), "seed {seed}");
        for shuffled in 0..250 {
            let events = shuffle(&events, &mut numbers);
            assert_eq!(
                settle(&committee, &events),
                wanted,
                "seed {seed} {shuffled}"
            );
        }
    }
}

#[test]
fn a_smaller_view_settles_a_first_part_of_the_same_chain() {
    for seed in 0..200 {
        let (committee, events, mut numbers) = draw(seed, 250);
        let whole = settle(&committee, &events);
        let shuffled = shuffle(&events, &mut numbers);
        let size = numbers.below(shuffled.len() as u64) as usize;
        let part = settle(&committee, &shuffled[..size]);
        assert_eq!(part, whole[..part.len()], "seed {seed}");
    }
}

#[test]
fn every_block_follows_from_the_one_before() {
    for seed in 0..50 {
        let (committee, events, _) = draw(seed, 250);
        let mut last = (Height::ZERO, seed::genesis(&CHAIN), Time::ZERO);
        let mut ordered = std::collections::BTreeSet::new();
        let mut round = None;
        for block in settle(&committee, &events) {
            assert_eq!(block.height, last.0.later(1));
            assert_eq!(block.seed_before, last.1);
            assert_eq!(
                block.seed_after,
                seed::next(&last.1, block.round, &block.pre_output)
            );
            assert!(block.time >= last.2 && round < Some(block.round));
            assert_eq!(block.order.last(), Some(&block.leader));
            assert!(block.order.iter().all(|id| ordered.insert(*id)));
            last = (block.height, block.seed_after, block.time);
            round = Some(block.round);
        }
    }
}

#[test]
fn a_restart_at_any_moment_and_a_raised_floor_give_the_same_next_blocks() {
    let mut restarts = 0;
    for seed in 0..60 {
        let (committee, events, mut numbers) = draw(seed, 900);
        let wanted = settle(&committee, &events);
        let mut dag = Dag::new(committee.clone());
        let mut engine = Engine::new(&committee);
        let mut blocks = Vec::new();
        for event in events {
            if event.header().round < dag.floor() {
                continue;
            }
            dag.admit(event).unwrap();
            blocks.extend(engine.advance(&dag, &ALL));
            dag.raise_floor(engine.floor());
            if numbers.chance(2) {
                let bytes = encode(&engine.checkpoint(&dag).unwrap()).unwrap();
                let checkpoint = decode(&bytes).unwrap();
                let mut again = Dag::new(committee.clone());
                engine = Engine::restore(&committee, &checkpoint).unwrap();
                again.raise_floor(engine.floor());
                for forker in checkpoint.forkers.iter() {
                    again.mark_forker(*forker);
                }
                for event in dag.events() {
                    again.admit(event.clone()).unwrap();
                }
                dag = again;
                restarts += 1;
            }
        }
        assert_eq!(blocks, wanted, "seed {seed}");
    }
    assert!(restarts > 500);
}

/// Four equal peers that all vote for all, up to round `last`.
fn full(last: u64) -> Drawing {
    let mut drawing = Drawing::new(&[1, 1, 1, 1], "A0\n B0\n C0\n D0");
    for round in 1..=last {
        for own in ["A", "B", "C", "D"] {
            let before = round - 1;
            drawing.admit(&format!(
                "{own}{round} = A{before} B{before} C{before} D{before}"
            ));
        }
    }
    drawing
}

#[test]
fn a_full_dag_settles_each_round_two_rounds_later_and_drops_what_lies_96_below() {
    let mut drawing = full(0);
    let mut engine = Engine::new(drawing.dag.committee());
    for round in 1..=250 {
        drawing.draw(
            &full_round(round)
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join("\n"),
        );
        let blocks = engine.advance(&drawing.dag, &ALL);
        let wanted: Vec<Round> = (round >= 2)
            .then(|| Round::new(round - 2))
            .into_iter()
            .collect();
        let rounds: Vec<Round> = blocks.iter().map(|block| block.round).collect();
        assert_eq!(rounds, wanted);
        assert_eq!(
            engine.floor().get(),
            (round.saturating_sub(2)).saturating_sub(96)
        );
        drawing.dag.raise_floor(engine.floor());
        assert_eq!(
            engine.undecided_rounds(&drawing.dag),
            if round < 2 { round + 1 } else { 2 }
        );
        assert!(drawing.dag.size() <= 4 * 100);
        assert!(engine.checkpoint(&drawing.dag).unwrap().ordered.len() <= 4 * 97);
    }
    let leader = drawing.id("A3");
    assert!(!engine.is_ordered(&leader), "forgotten below the floor");
}

fn full_round(round: u64) -> Vec<String> {
    let before = round - 1;
    ["A", "B", "C", "D"]
        .iter()
        .map(|own| format!("{own}{round} = A{before} B{before} C{before} D{before}"))
        .collect()
}

#[test]
fn a_leader_with_a_bad_beacon_is_passed_over_and_checked_once() {
    let drawing = full(5);
    let committee = drawing.dag.committee();
    for bad in 0..4 {
        let bad = PeerIndex(bad);
        let mut engine = Engine::new(committee);
        let blocks = engine.advance(&drawing.dag, &AllBut(Some(bad)));
        assert_eq!(blocks.len(), 4);
        assert!(blocks.iter().all(|block| block.creator != bad));
    }
    struct None_;
    impl BeaconCheck for None_ {
        fn is_valid(&self, _: PeerIndex, _: Round, _: &Beacon) -> bool {
            false
        }
    }
    let mut engine = Engine::new(committee);
    let seed = engine.seed();
    assert!(engine.advance(&drawing.dag, &None_).is_empty());
    assert_eq!(engine.settled_round(), Some(Round::new(3)));
    assert_eq!((engine.height(), engine.seed()), (Height::ZERO, seed));
}

#[test]
fn drawn_beacons_do_not_verify_against_a_committee() {
    let drawing = full(3);
    let mut engine = Engine::new(drawing.dag.committee());
    assert!(
        engine
            .advance(&drawing.dag, drawing.dag.committee())
            .is_empty()
    );
    assert_eq!(engine.settled_round(), Some(Round::new(1)));
}

#[test]
fn the_sealing_block_is_the_last_and_the_next_epoch_goes_on_from_it() {
    let drawing = full(9);
    let committee = drawing.dag.committee();
    let mut engine = Engine::new(committee)
        .with_time(Time::new(5))
        .with_last_height(Height::new(3));
    let blocks = engine.advance(&drawing.dag, &ALL);
    assert_eq!(blocks.len(), 3);
    assert!(engine.is_sealed());
    assert!(engine.advance(&drawing.dag, &ALL).is_empty());
    let next = Committee::new(CHAIN, Epoch::new(1), committee.members().to_vec()).unwrap();
    let after = engine.next_epoch(&next);
    assert_eq!(after.height(), Height::new(3));
    assert_eq!(after.seed(), seed::epoch(&engine.seed(), Epoch::new(1)));
    assert_eq!((after.time(), after.settled_round()), (engine.time(), None));
    assert!(!after.is_sealed());
}

#[test]
fn a_contradiction_is_reported_and_settles_nothing_more() {
    let drawing = Drawing::new(
        &[1, 1, 1, 1],
        "A0 ?
         B0 ?
         C0 ?
         D0
         A1 = A0 B0 C0 D0
         B1 = A0 B0 C0 D0
         C1 = A0 B0 C0 D0
         A1' = A0 B0 C0 ^A0
         B1' = A0 B0 C0 ^B0
         C1' = A0 B0 C0 ^C0
         A2 = A1 B1 C1
         B2 = A1 B1 C1
         C2 = A1 B1 C1",
    );
    let mut engine = Engine::new(drawing.dag.committee());
    assert!(engine.advance(&drawing.dag, &ByFirstByte).is_empty());
    assert!(matches!(
        engine.contradiction(),
        Some(Contradiction::CommitAndSkip { .. })
    ));
    assert_eq!(engine.settled_round(), None);
}

#[test]
fn a_slots_status_is_shown_without_changing_anything() {
    let drawing = full(3);
    let mut engine = Engine::new(drawing.dag.committee());
    let slot = |round: u64| Slot {
        round: Round::new(round),
        peer: PeerIndex(1),
    };
    let committed = Status::Committed(drawing.id("B0"));
    assert_eq!(engine.status(&drawing.dag, slot(0)), committed);
    assert_eq!(engine.status(&drawing.dag, slot(2)), Status::Undecided);
    engine.advance(&drawing.dag, &ALL);
    assert_eq!(engine.status(&drawing.dag, slot(0)), Status::Undecided);
    let tentative = engine.tentative(&drawing.dag);
    assert_eq!(tentative.len(), drawing.dag.size() - 5);
    assert!(!tentative.contains(&Digest::ZERO));
}

// C17, C18: of a leader's root only its VRF goes on into the seed, and that is one for each round.
#[test]
fn a_thousand_variants_of_the_own_events_change_nobodys_lead() {
    let leaders = |variant: u64| {
        let mut drawing = Drawing::new(&[1, 1, 1, 1], "A0\n B0\n C0\n D0");
        for round in 1..17_u64 {
            let last = round - 1;
            let votes = format!("A{last} B{last} C{last} D{last}");
            let (early, late) = (1_000 * last + variant, 1_000 * round + variant);
            drawing.draw(&format!(
                "a{last}.x = B{last} @{early}
                 A{round} = {votes} @{late}
                 B{round} = {votes} +a{last}.x
                 C{round} = {votes} +a{last}.x
                 D{round} = {votes}"
            ));
        }
        let mut engine = Engine::new(drawing.dag.committee());
        let blocks = engine.advance(&drawing.dag, &ALL);
        let creator = |id: &Digest| drawing.dag.event(id).unwrap().header().creator;
        let leaders: Vec<_> = blocks.iter().map(|block| creator(&block.leader)).collect();
        let last = blocks.last().unwrap();
        (leaders, last.seed_after, last.leader)
    };
    let (wanted, seed, mut last) = leaders(0);
    assert!(
        wanted.len() >= 5 && wanted.contains(&PeerIndex(0)),
        "{wanted:?}"
    );
    for variant in 1..=1_000 {
        let (found, seed_after, leader) = leaders(variant);
        assert_eq!((&found, seed_after), (&wanted, seed), "variant {variant}");
        // The events are others indeed.
        assert_ne!(leader, last);
        last = leader;
    }
}
