use primitives::Digest;
use primitives::codec::{Bytes, List, decode, encode};
use primitives::keys::{SecretKey, Signature, Signer};
use primitives::units::{Epoch, Height, PeerIndex, Round, Seq, Stake, Time};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use zeroize::Zeroizing;

use super::{Brief, Step, Unfolding};
use crate::committee::{Committee, Member};
use crate::error::Error;
use crate::event::{Attestation, Event, Header, Kind, Reference, payload_digest};
use crate::gossip::Message;
use crate::graph::{Dag, Pointer};
use crate::test_dag::{self, CHAIN};

const PAYLOAD: (usize, &[u8]) = (4, b"paid");

fn signer(index: u16) -> SecretKey<ChaCha20Rng> {
    let seed = Zeroizing::new([index as u8 + 1; 32]);
    SecretKey::from_seed(&seed, ChaCha20Rng::from_seed([9; 32]))
}

fn committee(size: u16) -> Committee {
    let members = (0..size).map(|index| Member {
        key: test_dag::key(usize::from(index)),
        event_key: signer(index).public().to_verifying().unwrap(),
        stake: Stake::new(1),
    });
    Committee::new(CHAIN, Epoch::ZERO, members.collect()).unwrap()
}

fn sign(header: Header) -> Event {
    let signer = signer(header.creator.0);
    Event::sign(header, &signer).unwrap()
}

/// The root of round 0, or another one of the same place.
fn first(creator: u16, twin: u64) -> Event {
    let mut header = test_dag::header(PeerIndex(creator), Round::ZERO, Kind::Root);
    header.time = Time::new(twin);
    sign(header)
}

/// A root of round 1 of the first member that votes for these and names those besides.
fn second(votes: &[&Event], parents: &[&Event]) -> Event {
    let mut header = test_dag::header(PeerIndex(0), Round::new(1), Kind::Root);
    let references = |events: &[&Event]| -> Vec<Reference> {
        events.iter().map(|event| event.reference()).collect()
    };
    header.seq = Seq::new(1);
    header.self_parent = Some(votes[0].reference());
    header.votes = List::new(references(votes)).unwrap();
    header.parents = List::new(references(parents)).unwrap();
    header.time = Time::new(9);
    header.payload = payload_digest(PAYLOAD.1);
    header.payload_bytes = PAYLOAD.0 as u32;
    sign(header)
}

/// A data event on top of another one.
fn data(after: &Event) -> Event {
    let before = after.header();
    let mut header = test_dag::header(before.creator, before.round, Kind::Data);
    header.seq = before.seq.later(1);
    header.self_parent = Some(after.reference());
    header.time = before.time;
    sign(header)
}

fn dag(events: &[&Event]) -> Dag {
    let mut dag = Dag::new(committee(4));
    for event in events {
        assert!(dag.admit((*event).clone()).unwrap().new);
    }
    dag
}

fn unfolding(brief: &Brief) -> Unfolding {
    Unfolding::new(Box::new(brief.clone()), &committee(4)).unwrap()
}

fn message(brief: &Brief) -> Message {
    Message::Brief {
        brief: Box::new(brief.clone()),
        payload: Bytes::new(Vec::new()).unwrap(),
    }
}

fn finish(unfolding: Unfolding) -> Result<Event, Error> {
    let payload = (payload_digest(PAYLOAD.1), PAYLOAD.0 as u32);
    unfolding.finish(payload, &committee(4))
}

#[test]
fn a_brief_becomes_the_event_it_was_made_of() {
    let roots = [0, 1, 2, 3].map(|creator| first(creator, 0));
    let more = data(&roots[3]);
    let event = second(&[&roots[0], &roots[1], &roots[2]], &[&more]);
    let all = [&roots[0], &roots[1], &roots[2], &roots[3], &more, &event];
    let author = dag(&all);
    let brief = Brief::of(&event, &author).unwrap();
    let bytes = encode(&message(&brief)).unwrap();
    assert_eq!(decode::<Message>(&bytes), Ok(message(&brief)));
    let mut unfolding = unfolding(&brief);
    assert_eq!(unfolding.advance(&author), Step::Whole);
    assert_eq!(finish(unfolding).unwrap(), event);
}

#[test]
fn it_waits_for_one_parent_after_the_other_and_looks_up_none_twice() {
    let roots = [0, 1, 2, 3].map(|creator| first(creator, 0));
    let event = second(&[&roots[0], &roots[1], &roots[2]], &[&roots[3]]);
    let author = dag(&[&roots[0], &roots[1], &roots[2], &roots[3], &event]);
    let brief = Brief::of(&event, &author).unwrap();
    let mut unfolding = unfolding(&brief);
    let mut receiver = Dag::new(committee(4));
    let own = Pointer::Seq(PeerIndex(0), Seq::ZERO);
    assert_eq!(unfolding.advance(&receiver), Step::Waits(own));
    for creator in [0_u16, 1, 2] {
        receiver.admit(roots[usize::from(creator)].clone()).unwrap();
        let next = match creator {
            2 => Pointer::Seq(PeerIndex(3), Seq::ZERO),
            _ => Pointer::Root(PeerIndex(creator + 1), Round::ZERO),
        };
        assert_eq!(unfolding.advance(&receiver), Step::Waits(next));
    }
    receiver.admit(roots[3].clone()).unwrap();
    assert_eq!(
        unfolding.advance(&Dag::new(committee(4))),
        Step::Waits(Pointer::Seq(PeerIndex(3), Seq::ZERO))
    );
    assert_eq!(unfolding.advance(&receiver), Step::Whole);
    assert_eq!(finish(unfolding).unwrap(), event);
}

#[test]
fn a_fork_that_the_author_knows_is_named_by_id() {
    let roots = [0, 1, 2, 3].map(|creator| first(creator, 0));
    let twin = first(1, 5);
    let event = second(&[&roots[0], &twin, &roots[2]], &[&roots[1]]);
    let author = dag(&[&roots[0], &roots[1], &twin, &roots[2], &event]);
    let brief = Brief::of(&event, &author).unwrap();
    let mut unfolding = unfolding(&brief);
    assert_eq!(unfolding.advance(&author), Step::Whole);
    assert_eq!(finish(unfolding).unwrap(), event);
}

#[test]
fn a_fork_that_only_the_receiver_knows_calls_for_the_whole_event() {
    let roots = [0, 1, 2, 3].map(|creator| first(creator, 0));
    let twin = first(1, 5);
    let event = second(&[&roots[0], &roots[1], &roots[2]], &[]);
    let author = dag(&[&roots[0], &roots[1], &roots[2], &event]);
    let brief = Brief::of(&event, &author).unwrap();
    let both = dag(&[&roots[0], &roots[1], &twin, &roots[2]]);
    assert_eq!(unfolding(&brief).advance(&both), Step::Ambiguous);
    let other = dag(&[&roots[0], &twin, &roots[2]]);
    let mut unfolding = unfolding(&brief);
    assert_eq!(unfolding.advance(&other), Step::Whole);
    assert_eq!(
        finish(unfolding),
        Err(Error::OtherEvent { id: *event.id() })
    );
}

#[test]
fn whoever_sends_a_brief_answers_for_what_it_says() {
    let roots = [0, 1, 2, 3].map(|creator| first(creator, 0));
    let event = second(&[&roots[0], &roots[1], &roots[2]], &[]);
    let author = dag(&[&roots[0], &roots[1], &roots[2], &event]);
    let brief = Brief::of(&event, &author).unwrap();
    let take = |change: &dyn Fn(&mut Brief)| {
        let mut brief = brief.clone();
        change(&mut brief);
        let mut unfolding = Unfolding::new(Box::new(brief), &committee(4))?;
        assert_eq!(unfolding.advance(&author), Step::Whole);
        finish(unfolding)
    };
    let other = Err(Error::OtherEvent { id: *event.id() });
    assert_eq!(take(&|brief| brief.time = Time::new(10)), other);
    let is_signature = |result| matches!(result, Err(Error::Primitive(_)));
    assert!(is_signature(take(
        &|brief| brief.signature = Signature([1; 64])
    )));
    let epoch = take(&|brief| brief.epoch = Epoch::new(1));
    assert!(matches!(epoch, Err(Error::OtherEpoch { .. })));
    let mut wide = brief.clone();
    let mut bits = wide.voters.to_vec();
    super::set(&mut bits, PeerIndex(4));
    wide.voters = Bytes::new(bits).unwrap();
    let refused = Unfolding::new(Box::new(wide), &committee(4)).unwrap_err();
    assert!(matches!(refused, Error::UnknownCreator { .. }));
}

/// Of a committee of 999, all of whom it votes for, with a beacon and an attestation.
fn longest_usual() -> Brief {
    let mut header = test_dag::header(PeerIndex(998), Round::new(7), Kind::Root);
    let vote = |creator| Reference {
        creator: PeerIndex(creator),
        seq: Seq::new(6),
        round: Round::new(6),
        id: Digest([1; 32]),
    };
    header.seq = Seq::new(7);
    header.self_parent = Some(vote(998));
    header.votes = List::new((0..999).map(vote).collect()).unwrap();
    let attestation = Attestation {
        height: Height::new(3),
        root: Digest([2; 32]),
        signature: Signature([3; 64]),
    };
    header.attestations = List::new(vec![attestation]).unwrap();
    Brief::new(&sign(header), |_| true).unwrap()
}

#[test]
fn a_root_of_a_thousand_votes_takes_less_than_five_hundred_bytes() {
    let bytes = encode(&message(&longest_usual())).unwrap().len();
    assert!(bytes < 490, "{bytes}");
}
