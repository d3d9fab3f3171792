use dag::gossip::Cursor;
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::units::Round;

use super::*;

const LIAR: PublicKey = PublicKey([1; 32]);
const HONEST: PublicKey = PublicKey([2; 32]);
const OTHER: PublicKey = PublicKey([3; 32]);
const NAMED: (PublicKey, Word) = (HONEST, Word::BuiltOn);
const PATIENCE_MS: u64 = 500;

fn ids(first: u64, count: u64) -> impl Iterator<Item = Digest> {
    (first..first + count).map(|number| {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_be_bytes());
        Digest(id)
    })
}

#[test]
fn made_up_ids_leave_room_for_what_others_name_and_are_given_up() {
    let mut fetch = Fetch::default();
    for first in 0..10 {
        fetch.want(ids(first * 1_000, 1_000), (LIAR, Word::Claimed), 0);
    }
    assert_eq!(fetch.wanted_count(), WANTED_MAX);
    assert_eq!(fetch.want(ids(1_000_000, 3), NAMED, 0).len(), 3);
    fetch.arrived(&ids(1_000_000, 1).next().unwrap());
    let mut now_ms = 0;
    for _ in 0..100 {
        now_ms += PATIENCE_MS;
        fetch.overdue(&[LIAR, HONEST], PATIENCE_MS, now_ms);
    }
    assert_eq!(fetch.wanted_count(), 0);
    // The shares are whole again.
    let again = fetch.want(ids(0, 1_024), (LIAR, Word::Claimed), now_ms);
    assert_eq!(again.len(), WANTED_MAX);
}

#[test]
fn an_overdue_id_is_asked_of_whoever_named_it_and_else_of_the_next_peer() {
    let asked = |fetch: &mut Fetch, now_ms| {
        let asks = fetch.overdue(&[LIAR, HONEST, OTHER], PATIENCE_MS, now_ms);
        asks.into_keys().collect::<Vec<_>>()
    };
    let mut fetch = Fetch::default();
    fetch.want(ids(7, 1), (LIAR, Word::BuiltOn), 0);
    assert_eq!(asked(&mut fetch, PATIENCE_MS - 1), []);
    assert_eq!(asked(&mut fetch, PATIENCE_MS), [HONEST]);
    assert_eq!(fetch.want(ids(7, 1), (LIAR, Word::BuiltOn), 0), []);
    assert_eq!(asked(&mut fetch, 2 * PATIENCE_MS), [LIAR]);
    assert_eq!(fetch.want(ids(7, 1), (OTHER, Word::BuiltOn), 0), []);
    assert_eq!(asked(&mut fetch, 3 * PATIENCE_MS), [OTHER]);
    fetch.keep(|_| false);
    assert_eq!(fetch.wanted_count(), 0);
}

#[test]
fn who_only_claims_to_hold_an_id_does_not_keep_us_from_asking_who_builds_on_it() {
    let mut fetch = Fetch::default();
    assert_eq!(fetch.want(ids(7, 1), (LIAR, Word::Claimed), 0).len(), 1);
    assert_eq!(fetch.want(ids(7, 1), (OTHER, Word::Claimed), 1), []);
    assert_eq!(fetch.want(ids(7, 1), NAMED, 1).len(), 1);
    assert_eq!(fetch.want(ids(7, 1), (OTHER, Word::BuiltOn), 2), []);
    assert_eq!(fetch.wanted_count(), 1);
}

#[test]
fn a_catch_up_that_leads_nowhere_ends_and_is_not_begun_again_at_once() {
    let at = |admission| Cursor {
        round: Round::new(3),
        admission,
    };
    let mut fetch = Fetch::default();
    fetch.follow(LIAR, at(0), 0);
    assert_eq!(fetch.followed(HONEST, Some(at(9)), false, 0), None);
    // The same place again and again.
    assert_eq!(fetch.followed(LIAR, Some(at(0)), false, 0), None);
    assert!(!fetch.may_follow(LIAR, DISTRUST_MS - 1) && fetch.may_follow(HONEST, 0));
    // Ever later places, and nothing new.
    fetch.follow(LIAR, at(0), DISTRUST_MS);
    let answers = (1..100).take_while(|next| {
        let next = fetch.followed(LIAR, Some(at(*next)), true, DISTRUST_MS);
        next.is_some()
    });
    assert_eq!(answers.count(), 7);
    assert!(fetch.following().is_none());
    fetch.follow(HONEST, at(0), 0);
    assert_eq!(fetch.followed(HONEST, Some(at(5)), false, 0), Some(at(5)));
    assert_eq!(fetch.followed(HONEST, None, false, 0), None);
    assert!(fetch.may_follow(HONEST, 0));
}
