use primitives::Digest;
use primitives::codec::List;
use primitives::limits;
use primitives::units::{PeerIndex, Round, Seq};

use crate::event::{Event, Kind, Reference};
use crate::pending::Pending;
use crate::test_dag::{Drawing, header, unsigned};

fn drawing() -> Drawing {
    Drawing::new(
        &[1, 1, 1, 1],
        "A0
         B0
         C0
         D0
         A1 = A0 B0 C0
         a1.x = D0
         b0.x = A0",
    )
}

fn event(drawing: &Drawing, name: &str) -> Event {
    drawing.dag.event(&drawing.id(name)).unwrap().clone()
}

fn references(drawing: &Drawing, names: &[&str]) -> Vec<Reference> {
    names.iter().map(|name| drawing.reference(name)).collect()
}

#[test]
fn an_event_is_released_by_the_last_parent_it_missed() {
    let drawing = drawing();
    let mut pending = Pending::new(4);
    let missing = references(&drawing, &["A0", "B0"]);
    assert!(pending.insert(event(&drawing, "A1"), 1, missing).is_empty());
    let missing = references(&drawing, &["A1", "D0"]);
    assert!(
        pending
            .insert(event(&drawing, "a1.x"), 2, missing)
            .is_empty()
    );
    assert!(pending.contains(&drawing.id("A1")));
    assert!(pending.released_by(&drawing.id("A0")).is_empty());
    assert!(pending.released_by(&drawing.id("C0")).is_empty());
    let released = pending.released_by(&drawing.id("B0"));
    assert_eq!(released, [(event(&drawing, "A1"), 1)]);
    assert!(pending.released_by(&drawing.id("A1")).is_empty());
    let released = pending.released_by(&drawing.id("D0"));
    assert_eq!(released, [(event(&drawing, "a1.x"), 2)]);
    assert_eq!(pending.size(), 0);
    assert_eq!(pending.wanted().count(), 0);
}

#[test]
fn what_is_wanted_comes_lowest_round_first_and_leaves_out_what_is_held_back() {
    let drawing = drawing();
    let mut pending = Pending::new(4);
    let missing = references(&drawing, &["A1", "D0"]);
    pending.insert(event(&drawing, "a1.x"), (), missing);
    let wanted: Vec<Digest> = pending.wanted().map(|wanted| wanted.id).collect();
    assert_eq!(wanted, [drawing.id("D0"), drawing.id("A1")]);
    pending.insert(event(&drawing, "A1"), (), references(&drawing, &["C0"]));
    let wanted: Vec<Digest> = pending.wanted().map(|wanted| wanted.id).collect();
    let mut due = [drawing.id("C0"), drawing.id("D0")];
    due.sort_unstable();
    assert_eq!(wanted, due);
}

#[test]
fn raising_the_floor_releases_what_missed_only_what_lies_below() {
    let drawing = drawing();
    let mut pending = Pending::new(4);
    pending.insert(
        event(&drawing, "A1"),
        1,
        references(&drawing, &["A0", "C0"]),
    );
    pending.insert(event(&drawing, "b0.x"), 2, references(&drawing, &["A0"]));
    pending.insert(
        event(&drawing, "a1.x"),
        3,
        references(&drawing, &["A1", "D0"]),
    );
    let released = pending.raise_floor(Round::new(1));
    assert_eq!(released, [(event(&drawing, "A1"), 1)]);
    let wanted: Vec<Digest> = pending.wanted().map(|wanted| wanted.id).collect();
    assert_eq!(wanted, [drawing.id("A1")]);
    assert_eq!(pending.size(), 1);
}

/// An event of `creator` that names one unknown parent.
fn orphan(creator: u16, round: u64) -> (Event, Reference) {
    let mut header = header(PeerIndex(creator), Round::new(round), Kind::Data);
    let parent = Reference {
        creator: PeerIndex(creator),
        seq: Seq::new(round),
        round: Round::new(round),
        id: Digest([u8::try_from(round % 251).unwrap(); 32]),
    };
    header.seq = Seq::new(round + 1);
    header.self_parent = Some(parent);
    header.parents = List::empty();
    (unsigned(header), parent)
}

#[test]
fn a_creator_over_its_share_loses_its_highest_round_and_nobody_elses() {
    let share = limits::PENDING_EVENTS_MAX / 999;
    let mut pending = Pending::new(999);
    let (other, parent) = orphan(5, 1_000);
    assert!(pending.insert(other.clone(), (), vec![parent]).is_empty());
    for round in 1..=u64::try_from(share).unwrap() {
        let (event, parent) = orphan(3, round);
        assert!(pending.insert(event, (), vec![parent]).is_empty());
    }
    let (high, parent) = orphan(3, 500);
    let loser = pending.insert(high.clone(), (), vec![parent]);
    assert_eq!(loser, [(high, ())]);
    let (low, parent) = orphan(3, 0);
    let loser = pending.insert(low.clone(), (), vec![parent]);
    assert_eq!(loser[0].0.header().round, Round::new(share as u64));
    assert!(pending.contains(low.id()) && pending.contains(other.id()));
    assert_eq!(pending.size(), share + 1);
    // What the losers missed is no longer wanted.
    assert_eq!(pending.wanted().count(), share + 1);
}

#[test]
fn an_event_held_already_stays_as_it_is() {
    let mut pending = Pending::new(4);
    let (event, parent) = orphan(0, 7);
    pending.insert(event.clone(), 1, vec![parent]);
    assert!(pending.insert(event.clone(), 2, vec![parent]).is_empty());
    assert_eq!(pending.released_by(&parent.id), [(event, 1)]);
}

#[test]
fn a_creator_cannot_fill_memory_with_long_payloads() {
    let mut pending = Pending::new(64);
    let share = limits::PENDING_BYTES_MAX / 64;
    let long = limits::PAYLOAD_BYTES_MAX;
    let mut lost = 0;
    for round in 1..=20 {
        let (event, parent) = orphan(3, round);
        let mut header = event.header().clone();
        header.payload_bytes = u32::try_from(long).unwrap();
        lost += pending.insert(unsigned(header), (), vec![parent]).len();
    }
    assert_eq!(pending.size(), share / long);
    assert_eq!(lost, 20 - share / long);
    for round in 1..=20 {
        pending.released_by(&orphan(3, round).1.id);
    }
    assert_eq!(pending.size(), 0);
    let (event, parent) = orphan(3, 7);
    assert!(pending.insert(event, (), vec![parent]).is_empty());
}
