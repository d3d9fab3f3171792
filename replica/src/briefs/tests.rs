use dag::committee::{Committee, Member};
use dag::event::{Event, Header, Kind, payload_digest};
use primitives::codec::List;
use primitives::keys::{Beacon, SecretKey, Signer};
use primitives::units::{Epoch, Seq, Stake, Time};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

use super::*;

const CHAIN: Digest = Digest([1; 32]);

fn signer() -> SecretKey<ChaCha20Rng> {
    SecretKey::from_seed(&Zeroizing::new([1; 32]), ChaCha20Rng::from_seed([1; 32]))
}

fn committee() -> Committee {
    let key = signer().public();
    let member = Member {
        key,
        event_key: key.to_verifying().unwrap(),
        stake: Stake::new(1),
    };
    Committee::new(CHAIN, Epoch::ZERO, vec![member]).unwrap()
}

/// A first root of its creator with a time and bytes of payload.
fn brief(time: u64, bytes: usize) -> Unfolded {
    let payload = vec![0; bytes];
    let header = Header {
        version: 1,
        chain: CHAIN,
        epoch: Epoch::ZERO,
        creator: PeerIndex(0),
        round: Round::new(time),
        seq: Seq::ZERO,
        kind: Kind::Root,
        self_parent: None,
        sealing: None,
        votes: List::empty(),
        parents: List::empty(),
        time: Time::new(time),
        payload: payload_digest(&payload),
        payload_bytes: bytes as u32,
        beacon: Some(Beacon {
            pre_output: [4; 32],
            proof: [5; 64],
        }),
        attestations: List::empty(),
    };
    let event = Event::sign(header, &signer()).unwrap();
    let brief = dag::brief::Brief::new(&event, |_| true).unwrap();
    Unfolded {
        from: signer().public(),
        unfolding: Unfolding::new(Box::new(brief), &committee()).unwrap(),
        load: Load {
            digest: payload_digest(&payload),
            payload,
            transactions: Vec::new(),
        },
    }
}

fn pointer(creator: u16) -> Pointer {
    Pointer::Root(PeerIndex(creator), Round::ZERO)
}

#[test]
fn what_waits_for_an_event_may_go_on_when_it_comes() {
    let mut briefs = Briefs::default();
    let ids = [1, 2, 3].map(|time| brief(time, 0).id());
    assert!(briefs.hold(brief(1, 0), pointer(1), 50, 4));
    assert!(briefs.hold(brief(2, 0), pointer(2), 50, 4));
    assert!(briefs.hold(brief(3, 0), pointer(1), 50, 4));
    briefs.release(pointer(3));
    assert!(briefs.pop_ready().is_none());
    briefs.release(pointer(1));
    let ready: BTreeSet<Digest> = core::iter::from_fn(|| briefs.pop_ready())
        .map(|ready| ready.id())
        .collect();
    assert_eq!(ready, [ids[0], ids[2]].into());
    assert_eq!((briefs.size(), briefs.contains(&ids[1])), (1, true));
    assert!(briefs.misses(pointer(2)) && !briefs.misses(pointer(1)));
}

#[test]
fn one_brief_is_asked_for_in_full_for_each_event_that_is_missed_and_the_next_one_later() {
    let mut briefs = Briefs::default();
    let ids = [1, 2, 3].map(|time| brief(time, 0).id());
    assert!(briefs.hold(brief(1, 0), pointer(1), 50, 4));
    assert!(briefs.hold(brief(2, 0), pointer(1), 60, 4));
    assert!(briefs.hold(brief(3, 0), pointer(2), 70, 4));
    let due = |briefs: &mut Briefs, now_ms| -> Vec<Digest> {
        let due = briefs.due(now_ms, 200);
        due.into_iter().map(|(_, id)| id).collect()
    };
    assert_eq!(due(&mut briefs, 49), []);
    assert_eq!(due(&mut briefs, 50), [ids[0]]);
    assert_eq!(due(&mut briefs, 70), [ids[2]]);
    assert_eq!(due(&mut briefs, 249), []);
    assert!(briefs.remove(&ids[0]).is_some());
    assert_eq!(due(&mut briefs, 250), [ids[1]]);
}

#[test]
fn a_creator_has_its_share_of_the_room_in_events_and_in_bytes() {
    let mut briefs = Briefs::default();
    let creators = limits::PENDING_EVENTS_MAX / 2;
    let share = limits::PENDING_BYTES_MAX / creators;
    assert!(!briefs.hold(brief(1, share + 1), pointer(1), 50, creators));
    assert!(briefs.hold(brief(1, share - 1), pointer(1), 50, creators));
    assert!(!briefs.hold(brief(2, 2), pointer(1), 50, creators));
    assert!(briefs.hold(brief(2, 1), pointer(1), 50, creators));
    assert!(!briefs.hold(brief(3, 0), pointer(1), 50, creators));
    briefs.release(pointer(1));
    assert!(briefs.hold(brief(3, share), pointer(1), 50, creators));
}

#[test]
fn what_lies_below_the_floor_is_forgotten_and_what_is_left_comes_out_at_the_end() {
    let mut briefs = Briefs::default();
    assert!(briefs.hold(brief(1, 3), pointer(1), 50, 4));
    assert!(briefs.hold(brief(2, 4), pointer(1), 50, 4));
    briefs.raise_floor(Round::new(2));
    assert_eq!(briefs.size(), 1);
    let left: Vec<usize> = briefs.drain().map(|load| load.payload.len()).collect();
    assert_eq!(left, [4]);
    assert_eq!((briefs.size(), briefs.misses(pointer(1))), (0, false));
}
