use primitives::Digest;
use primitives::codec::List;
use primitives::limits;
use primitives::units::{Epoch, PeerIndex, Round, Seq, Stake, Time};

use crate::error::Error;
use crate::event::{Event, Fault, Kind};
use crate::graph::{Dag, Handle};
use crate::test_dag::{Drawing, Random, Shape, committee, header, random, unsigned};

const ROUND_0: &str = "A0
    B0
    C0
    D0";

fn drawing(text: &str) -> Drawing {
    let mut drawing = Drawing::new(&[1, 1, 1, 1], ROUND_0);
    drawing.draw(text);
    drawing
}

/// A random graph of so many events.
fn drawn(numbers: &mut Random, events: usize) -> Dag {
    let shape = Shape::draw(numbers, events);
    let mut dag = Dag::new(committee(&shape.stakes));
    for event in random(numbers, &shape) {
        dag.admit(event).unwrap();
    }
    dag
}

/// The event of `line` is refused for `fault`, its creator is to blame, and the DAG is unchanged.
fn refused(before: &str, line: &str, fault: Fault) {
    let mut drawing = drawing(before);
    let event = drawing.event(line);
    let (creator, id) = (event.header().creator, *event.id());
    let size = drawing.dag.size();
    let error = drawing.dag.admit(event).unwrap_err();
    let wanted = Error::Malformed { creator, id, fault };
    assert_eq!(error, wanted, "{line}");
    assert_eq!(error.culprit(), Some(creator), "{line}");
    assert_eq!(drawing.dag.size(), size, "{line}");
}

#[test]
fn a_claimed_time_may_equal_the_self_parents_but_not_fall_below() {
    drawing("A1 = A0 B0 C0 @500\n a1.x = @500");
    refused("A1 = A0 B0 C0 @500", "a1.x = @499", Fault::Time);
}

#[test]
fn votes_are_for_roots() {
    let mut drawing = drawing("b0.x");
    let event = drawing.event("A1 = A0 B0 C0");
    let mut header = event.header().clone();
    let data = drawing.reference("b0.x");
    header.votes = List::new(vec![drawing.reference("A0"), data]).unwrap();
    let event = unsigned(header);
    let error = drawing.dag.admit(event.clone()).unwrap_err();
    assert_eq!(
        error,
        Error::Malformed {
            creator: PeerIndex(0),
            id: *event.id(),
            fault: Fault::VoteOrder
        }
    );
}

#[test]
fn a_root_votes_for_the_own_root_of_the_round_before() {
    drawing("A1 = A0 B0 C0");
    refused("", "A1 = B0 C0 D0", Fault::OwnVote);
    // A data event between changes nothing.
    refused("a0.x", "A1 = B0 C0 D0", Fault::OwnVote);
    // The own root on the other branch is another's.
    let forked = "A0' = ^ @7";
    refused(forked, "A1 = A0 B0 C0 ^A0'", Fault::OwnVote);
}

#[test]
fn a_creator_without_a_root_in_the_round_before_votes_for_others_alone() {
    let drawing = drawing(
        "A1 = A0 B0 C0
         B1 = A0 B0 C0
         C1 = A0 B0 C0
         D2 = A1 B1 C1",
    );
    assert_eq!(drawing.dag.roots(Round::new(2)), [drawing.id("D2")]);
}

#[test]
fn a_round_has_at_most_1024_data_events_of_one_chain() {
    let mut drawing = drawing("");
    for number in 0..limits::DATA_EVENTS_PER_ROUND_MAX {
        drawing.admit(&format!("a0.{number}"));
    }
    let event = drawing.event("a0.more");
    let wanted = Error::Malformed {
        creator: PeerIndex(0),
        id: *event.id(),
        fault: Fault::DataEvents,
    };
    assert_eq!(drawing.dag.admit(event), Err(wanted));
    let next = drawing.event("A1 = A0 B0 C0 ^a0.1023");
    assert!(drawing.dag.admit(next).is_ok());
    drawing.admit("a1.x");
}

#[test]
fn a_reference_that_does_not_match_delays_and_condemns_nobody() {
    let mut drawing = drawing("");
    let good = drawing.event("a0.x = B0");
    type Change = fn(&mut crate::event::Reference);
    let changes: [Change; 3] = [
        |reference| reference.creator = PeerIndex(2),
        |reference| reference.seq = Seq::new(9),
        |reference| reference.round = Round::new(1),
    ];
    for change in changes {
        let mut header = good.header().clone();
        let mut parent = drawing.reference("B0");
        change(&mut parent);
        header.parents = List::new(vec![parent]).unwrap();
        let error = drawing.dag.admit(unsigned(header)).unwrap_err();
        assert!(
            matches!(&error, Error::Delayed { parent, fault: Fault::Reference, .. }
                if *parent == drawing.id("B0")),
            "{error}"
        );
        assert_eq!(error.culprit(), None);
    }
    assert!(drawing.dag.admit(good).is_ok());
}

#[test]
fn a_self_parent_far_below_delays_until_the_floor_passes_it() {
    let mut dag = Dag::new(committee(&[1]));
    let chain = chain_of_one(66);
    let first = chain[0].clone();
    for event in chain {
        dag.admit(event).unwrap();
    }
    let jump = |round: u64| {
        let mut header = header(PeerIndex(0), Round::new(round), Kind::Root);
        header.seq = Seq::new(1);
        header.self_parent = Some(first.reference());
        header.time = Time::ZERO;
        header.votes = List::new(vec![]).unwrap();
        unsigned(header)
    };
    // The first event's time is 1, so a child of time 0 is wrong; near it is to blame.
    assert!(matches!(
        dag.admit(jump(64)),
        Err(Error::Malformed {
            fault: Fault::Time,
            ..
        })
    ));
    assert_eq!(
        dag.admit(jump(65)),
        Err(Error::Delayed {
            id: *jump(65).id(),
            parent: *first.id(),
            until: Round::ZERO,
            fault: Fault::Time
        })
    );
    dag.raise_floor(Round::new(1));
    assert!(dag.admit(jump(65)).is_ok());
}

/// Roots 0, 1, .. of the only peer, at times 1, 2, ..
fn chain_of_one(length: u64) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for round in 0..length {
        let mut header = header(PeerIndex(0), Round::new(round), Kind::Root);
        header.seq = Seq::new(round);
        header.time = Time::new(round + 1);
        if let Some(last) = events.last() {
            header.self_parent = Some(last.reference());
            header.votes = List::new(vec![last.reference()]).unwrap();
        }
        events.push(unsigned(header));
    }
    events
}

#[test]
fn missing_parents_are_named_once_and_only_above_the_floor() {
    let mut all = drawing("A1 = A0 B0 C0 +d0.x".replace("+d0.x", "").as_str());
    let event = all.event("a1.x = B0 C0");
    let mut dag = Dag::new(committee(&[1, 1, 1, 1]));
    let missing: Vec<Digest> = dag.missing(&event).iter().map(|parent| parent.id).collect();
    assert_eq!(missing, [all.id("A1"), all.id("B0"), all.id("C0")]);
    assert!(matches!(
        dag.admit(event.clone()),
        Err(Error::MissingParent { .. })
    ));
    // The own root is self-parent and vote at once.
    let root = all.dag.event(&all.id("A1")).unwrap();
    assert_eq!(dag.missing(root).len(), 3);
    dag.raise_floor(Round::new(1));
    assert!(dag.missing(root).is_empty());
    assert_eq!(dag.missing(&event).len(), 1);
    dag.admit(root.clone()).unwrap();
    assert!(dag.admit(event).unwrap().new);
}

#[test]
fn events_below_the_floor_or_of_another_epoch_are_refused() {
    let mut dag = Dag::new(committee(&[1, 1, 1, 1]));
    dag.raise_floor(Round::new(1));
    let old = unsigned(header(PeerIndex(0), Round::ZERO, Kind::Root));
    assert!(matches!(dag.admit(old), Err(Error::BelowFloor { .. })));
    let mut other = header(PeerIndex(0), Round::new(1), Kind::Root);
    other.epoch = Epoch::new(1);
    assert!(matches!(
        dag.admit(unsigned(other)),
        Err(Error::OtherEpoch { .. })
    ));
    let stranger = unsigned(header(PeerIndex(4), Round::new(1), Kind::Root));
    assert!(matches!(
        dag.admit(stranger),
        Err(Error::UnknownCreator { .. })
    ));
}

#[test]
fn each_fork_yields_evidence_once() {
    let mut drawing = drawing("a0.x\n a0.y");
    let (second, third) = ("a0.x' = ^A0", "a0.x'' = ^A0 @5");
    let admission = drawing.admit(second);
    let pair = admission.evidence.expect("a fork");
    let ids = [*pair.first.id(), *pair.second.id()];
    let mut wanted = [drawing.id("a0.x"), drawing.id("a0.x'")];
    wanted.sort_unstable();
    assert_eq!(ids, wanted);
    assert!(drawing.dag.is_forker(PeerIndex(0)));
    // What follows on the second branch is the same fork.
    assert_eq!(drawing.admit("a0.y' = ^a0.x'").evidence, None);
    // A third branch is another, and so is a fork further up.
    assert!(drawing.admit(third).evidence.is_some());
    assert!(drawing.admit("a0.y'' = ^a0.x @3").evidence.is_some());
    let twice = drawing.dag.event(&drawing.id("a0.x'")).unwrap().clone();
    let again = drawing.dag.admit(twice).unwrap();
    assert!(!again.new && again.evidence.is_none());
}

#[test]
fn heads_are_two_of_a_forker_and_one_of_the_others() {
    let drawing = drawing("a0.x\n a0.x' = ^A0\n a0.x'' = ^A0 @5\n b0.x");
    let heads = drawing.dag.heads();
    let names: Vec<&str> = heads.iter().map(|head| drawing.name(&head.id)).collect();
    let mut forked = [("a0.x", drawing.id("a0.x")), ("a0.x'", drawing.id("a0.x'"))];
    forked.sort_by_key(|(_, id)| *id);
    assert_eq!(names, [forked[0].0, forked[1].0, "b0.x", "C0", "D0"]);
    assert_eq!(
        drawing.dag.latest(PeerIndex(1)).map(|vertex| *vertex.id()),
        Some(drawing.id("b0.x"))
    );
}

#[test]
fn roots_are_listed_by_creator_and_heard_once_a_creator() {
    let mut drawing = drawing("A0' = ^ @9");
    assert_eq!(drawing.dag.heard(Round::ZERO), Stake::new(4));
    let roots = drawing.dag.roots(Round::ZERO);
    assert_eq!(roots.len(), 5);
    assert!(roots[0] < roots[1]);
    assert_eq!(roots[2], drawing.id("B0"));
    assert_eq!(drawing.dag.quorum_round(), Some(Round::ZERO));
    drawing.draw("B1 = A0 B0 C0\n C1 = A0 B0 C0");
    assert_eq!(drawing.dag.quorum_round(), Some(Round::ZERO));
    drawing.draw("D1 = A0 C0 D0");
    assert_eq!(drawing.dag.quorum_round(), Some(Round::new(1)));
}

#[test]
fn raising_the_floor_drops_exactly_what_lies_below_it() {
    for seed in 0..30 {
        let mut numbers = Random(seed);
        let mut dag = drawn(&mut numbers, 150);
        let floor = Round::new(3);
        let (kept, below): (Vec<Event>, Vec<Event>) = dag
            .events()
            .cloned()
            .partition(|event| event.header().round >= floor);
        let forkers: Vec<PeerIndex> = dag.forkers().collect();
        let mut dropped = dag.raise_floor(floor);
        let mut wanted: Vec<Digest> = below.iter().map(|event| *event.id()).collect();
        dropped.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(dropped, wanted, "seed {seed}");
        assert_eq!(
            dag.events().cloned().collect::<Vec<_>>(),
            kept,
            "seed {seed}"
        );
        assert_eq!(dag.forkers().collect::<Vec<_>>(), forkers, "seed {seed}");
        assert!(dag.raise_floor(Round::new(2)).is_empty());
        assert_eq!(dag.floor(), floor);
    }
}

#[test]
fn the_first_knowing_event_and_the_newest_up_to_a_round_agree_with_a_search() {
    for seed in 0..30 {
        let mut numbers = Random(seed);
        let dag = drawn(&mut numbers, 100);
        for (target, vertex) in dag.vertices() {
            for creator in (0..dag.committee().size()).map(|index| PeerIndex(index as u16)) {
                let slow = dag
                    .vertices()
                    .filter(|(handle, own)| {
                        own.creator() == creator && dag.is_past(target, *handle)
                    })
                    .map(|(_, own)| own.seq())
                    .min();
                assert_eq!(dag.first_knowing(creator, target), slow, "seed {seed}");
                for (_, newest) in dag.newest_up_to(creator, vertex.round()) {
                    assert!(newest.round() <= vertex.round());
                }
            }
        }
    }
}

#[test]
fn what_lies_between_is_what_a_walk_over_parents_finds() {
    let mut found = 0;
    for seed in 0..60 {
        let mut numbers = Random(seed);
        let mut dag = drawn(&mut numbers, 120);
        dag.raise_floor(Round::new(numbers.below(3)));
        let handles: Vec<_> = dag.vertices().map(|(handle, _)| handle).collect();
        for _ in 0..20 {
            let mut any = || handles[numbers.below(handles.len() as u64) as usize];
            let (known, wanted) = (any(), [any(), any()]);
            let mut model: Vec<_> = past(&dag, &wanted)
                .difference(&past(&dag, &[known]))
                .copied()
                .collect();
            model.sort_unstable();
            assert_eq!(dag.between(known, &wanted), model, "seed {seed}");
            found += model.len();
        }
    }
    assert!(found > 1_000, "only {found}");
}

/// Events and all that a walk over their parents comes to.
fn past(dag: &Dag, of: &[Handle]) -> std::collections::BTreeSet<Handle> {
    let mut seen = std::collections::BTreeSet::new();
    let mut left = of.to_vec();
    while let Some(handle) = left.pop() {
        if let Some(vertex) = dag.vertex(handle)
            && seen.insert(handle)
        {
            left.extend(vertex.parents());
        }
    }
    seen
}
