use primitives::Digest;
use primitives::codec::{Canonical, List, decode, encode};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{Beacon, Role, SecretKey, Signature, Signer};
use primitives::limits;
use primitives::units::{Epoch, Height, PeerIndex, Round, Seq, Stake, Time};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use zeroize::Zeroizing;

use super::{
    Attestation, Event, Evidence, Fault, Header, Kind, Reference, Signed, attestation_digest,
    payload_digest,
};
use crate::committee::{Committee, Member};
use crate::error::Error;
use crate::test_dag::{self, CHAIN};

const PAYLOAD: &[u8] = b"three";

fn signer(index: u16) -> SecretKey<ChaCha20Rng> {
    let seed = Zeroizing::new([index as u8 + 1; 32]);
    SecretKey::from_seed(&seed, ChaCha20Rng::from_seed([9; 32]))
}

fn committee() -> Committee {
    let members = (0..4)
        .map(|index| Member {
            key: test_dag::key(usize::from(index)),
            event_key: signer(index).public().to_verifying().unwrap(),
            stake: Stake::new(1),
        })
        .collect();
    Committee::new(CHAIN, Epoch::ZERO, members).unwrap()
}

fn reference(creator: u16, seq: u64, round: u64) -> Reference {
    Reference {
        creator: PeerIndex(creator),
        seq: Seq::new(seq),
        round: Round::new(round),
        id: Digest([creator as u8 * 16 + seq as u8; 32]),
    }
}

/// A root of round 1 with everything: votes, a parent, payload, attestations.
fn root() -> Header {
    let mut header = test_dag::header(PeerIndex(0), Round::new(1), Kind::Root);
    header.seq = Seq::new(1);
    header.self_parent = Some(reference(0, 0, 0));
    let votes = vec![reference(0, 0, 0), reference(1, 0, 0), reference(2, 0, 0)];
    header.votes = List::new(votes).unwrap();
    header.parents = List::new(vec![reference(1, 1, 0), reference(3, 2, 0)]).unwrap();
    header.time = Time::new(1_000);
    header.payload = payload_digest(PAYLOAD);
    header.payload_bytes = 5;
    header.beacon = Some(Beacon {
        pre_output: [4; 32],
        proof: [5; 64],
    });
    let attestation = |height| Attestation {
        height: Height::new(height),
        root: Digest([6; 32]),
        signature: Signature([7; 64]),
    };
    header.attestations = List::new(vec![attestation(3), attestation(4)]).unwrap();
    header
}

fn data() -> Header {
    let mut header = root();
    header.kind = Kind::Data;
    header.round = Round::ZERO;
    header.votes = List::empty();
    header.beacon = None;
    header
}

fn verify(header: Header) -> Result<Event, Error> {
    let event = Event::sign(header, &signer(0)).unwrap();
    Event::verify(event.signed().clone(), PAYLOAD, &committee())
}

#[test]
fn encodings_are_frozen_and_decode_again() {
    let mut later = root();
    later.time = Time::new(1_001);
    let event = |header: Header| Event::trust(Signed::new(header, Signature([8; 64])).unwrap());
    let event = (event(root()), event(later));
    let evidence = Evidence::new(&event.0, &event.1);
    let signed = event.0.signed();
    fn frozen<T: Canonical + PartialEq + core::fmt::Debug>(value: &T) -> (usize, String) {
        let encoded = encode(value).unwrap();
        assert_eq!(decode::<T>(&encoded).as_ref(), Ok(value));
        let digest = derive(Domain::TestKey, &[&encoded]);
        (encoded.len(), digest.to_string())
    }
    let got = [
        frozen(&root()),
        frozen(&data()),
        frozen(signed),
        frozen(&evidence),
        (32, signed.id().to_string()),
        (
            32,
            attestation_digest(Epoch::new(2), Height::new(3), &Digest([6; 32])).to_string(),
        ),
    ];
    let wanted = FROZEN.map(|(bytes, digest)| (bytes, digest.to_owned()));
    assert_eq!(got, wanted);
}

const FROZEN: [(usize, &str); 6] = [
    (
        726,
        "f33d1cd00404219b99d94a1a4e27703272b7767005530af9669834c7e835ef5f",
    ),
    (
        480,
        "17ce11911dac9381f5d8b517ebf49ae40529e5687fe826bf85907cb617b6d7a6",
    ),
    (
        790,
        "ff763c2deeb328d033c5e42ea716889f0e0957c15f418e14b51eacd3c46c607a",
    ),
    (
        1580,
        "234f0df189207fbc12a49c0431a6940edb3222d7d54d376bfeaa24b433bef3b4",
    ),
    (
        32,
        "c0c3e026e7978ef0aaa6bb7df83db807412047d3276f73320451900e1958f80c",
    ),
    (
        32,
        "4728e91c32749b9282422c385d750330b4ff2df6e308569c51b8dcaf8e450259",
    ),
];

#[test]
fn sound_events_verify() {
    verify(root()).unwrap();
    verify(data()).unwrap();
    let mut first = root();
    (first.round, first.seq) = (Round::ZERO, Seq::ZERO);
    first.self_parent = None;
    first.votes = List::empty();
    first.parents = List::empty();
    verify(first).unwrap();
}

#[test]
fn every_fault_names_its_rule_and_its_creator() {
    type Change = fn(&mut Header);
    let roots: [(Change, Fault); 19] = [
        (|h| h.self_parent = None, Fault::SelfParentPresence),
        (|h| h.seq = Seq::ZERO, Fault::SelfParentPresence),
        (
            |h| h.self_parent = Some(reference(1, 0, 0)),
            Fault::SelfParentReference,
        ),
        (|h| h.seq = Seq::new(2), Fault::SelfParentReference),
        (
            |h| h.self_parent = Some(reference(0, 0, 1)),
            Fault::SelfParentRound,
        ),
        (|h| h.sealing = Some(Digest::ZERO), Fault::Sealing),
        (
            |h| h.votes = List::new(h.votes[..2].to_vec()).unwrap(),
            Fault::VoteQuorum,
        ),
        (
            |h| h.votes = List::new([&h.votes[..], &h.votes[2..]].concat()).unwrap(),
            Fault::VoteOrder,
        ),
        (
            |h| h.votes = List::new(h.votes.iter().rev().copied().collect()).unwrap(),
            Fault::VoteOrder,
        ),
        (
            |h| {
                let mut votes = h.votes.to_vec();
                votes[2].round = Round::new(1);
                h.votes = List::new(votes).unwrap();
            },
            Fault::VoteOrder,
        ),
        (
            |h| h.parents = List::new(h.parents.iter().rev().copied().collect()).unwrap(),
            Fault::ParentOrder,
        ),
        (
            |h| h.parents = List::new(vec![h.parents[0]; 2]).unwrap(),
            Fault::ParentOrder,
        ),
        (
            |h| h.parents = List::new((0..9).map(|seq| reference(3, seq, 0)).collect()).unwrap(),
            Fault::ParentOrder,
        ),
        (
            |h| h.parents = List::new(vec![reference(1, 1, 1)]).unwrap(),
            Fault::ParentRound,
        ),
        (
            |h| h.parents = List::new(vec![reference(1, 0, 0)]).unwrap(),
            Fault::ParentRepeated,
        ),
        (
            |h| h.parents = List::new(vec![reference(0, 0, 0)]).unwrap(),
            Fault::ParentRepeated,
        ),
        (
            |h| h.parents = List::new(vec![reference(4, 0, 0)]).unwrap(),
            Fault::ReferenceCreator,
        ),
        (|h| h.beacon = None, Fault::Beacon),
        (
            |h| {
                let twice = vec![h.attestations[0]; 2];
                h.attestations = List::new(twice).unwrap();
            },
            Fault::AttestationOrder,
        ),
    ];
    for (change, fault) in roots {
        check_fault(root(), change, fault);
    }
    let data_events: [(Change, Fault); 5] = [
        (|h| h.round = Round::new(1), Fault::SelfParentRound),
        (
            |h| h.votes = List::new(vec![reference(1, 0, 0)]).unwrap(),
            Fault::UnwantedVotes,
        ),
        (|h| h.beacon = root().beacon, Fault::Beacon),
        (
            |h| h.parents = List::new(vec![reference(1, 0, 1)]).unwrap(),
            Fault::ParentRound,
        ),
        (|h| h.payload_bytes = 4, Fault::Payload),
    ];
    for (change, fault) in data_events {
        check_fault(data(), change, fault);
    }
    check_fault(root(), |h| h.payload = Digest::ZERO, Fault::Payload);
    let first_is_data: Change = |h| (h.seq, h.self_parent) = (Seq::ZERO, None);
    check_fault(data(), first_is_data, Fault::SelfParentRound);
}

fn check_fault(mut header: Header, change: fn(&mut Header), fault: Fault) {
    change(&mut header);
    let id = *test_dag::unsigned(header.clone()).id();
    let error = verify(header).unwrap_err();
    assert_eq!(error.culprit(), Some(PeerIndex(0)));
    let creator = PeerIndex(0);
    assert_eq!(error, Error::Malformed { creator, id, fault });
}

#[test]
fn other_parents_lie_at_most_64_rounds_below() {
    let mut header = root();
    header.round = Round::new(64);
    let votes = (0..3).map(|creator| reference(creator, 9, 63)).collect();
    header.votes = List::new(votes).unwrap();
    verify(header.clone()).unwrap();
    header.round = Round::new(65);
    let votes = (0..3).map(|creator| reference(creator, 9, 64)).collect();
    header.votes = List::new(votes).unwrap();
    assert!(matches!(
        verify(header),
        Err(Error::Malformed {
            fault: Fault::ParentRound,
            ..
        })
    ));
}

#[test]
fn what_is_not_of_this_committee_blames_nobody() {
    type Change = fn(&mut Header);
    let changes: [Change; 4] = [
        |h| h.version = 2,
        |h| h.chain = Digest::ZERO,
        |h| h.epoch = Epoch::new(1),
        |h| h.creator = PeerIndex(4),
    ];
    for change in changes {
        let mut header = root();
        change(&mut header);
        assert_eq!(verify(header).unwrap_err().culprit(), None);
    }
}

#[test]
fn every_flipped_byte_of_an_event_is_noticed() {
    let event = Event::sign(root(), &signer(0)).unwrap();
    let bytes = encode(event.signed()).unwrap();
    let committee = committee();
    for position in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[position] ^= 1;
        let accepted = decode::<Signed>(&flipped)
            .is_ok_and(|signed| Event::verify(signed, PAYLOAD, &committee).is_ok());
        assert!(!accepted, "byte {position}");
    }
    let signed = event.signed().clone();
    for position in 0..PAYLOAD.len() {
        let mut flipped = PAYLOAD.to_vec();
        flipped[position] ^= 1;
        assert!(Event::verify(signed.clone(), &flipped, &committee).is_err());
    }
    assert!(Event::verify(signed, PAYLOAD, &committee).is_ok());
}

#[test]
fn evidence_holds_for_two_headers_of_one_seq_and_for_nothing_else() {
    let committee = committee();
    let sign = |header: Header| Event::sign(header, &signer(0)).unwrap();
    let mut twin = root();
    twin.time = Time::new(5);
    let (one, other) = (sign(root()), sign(twin));
    let evidence = Evidence::new(&one, &other);
    assert_eq!(evidence, Evidence::new(&other, &one));
    assert_eq!(evidence.verify(&committee), Ok(PeerIndex(0)));
    let refused = |evidence: Evidence| {
        let error = evidence.verify(&committee).unwrap_err();
        let creator = PeerIndex(0);
        assert_eq!(error, Error::NoEvidence { creator });
    };
    refused(Evidence::new(&one, &one));
    refused(Evidence {
        first: evidence.second,
        second: evidence.first,
    });
    let mut later = root();
    later.seq = Seq::new(2);
    refused(Evidence::new(&one, &sign(later)));
    let mut elsewhere = root();
    elsewhere.chain = Digest::ZERO;
    refused(Evidence::new(&one, &sign(elsewhere)));
    let forged = Event::sign(root(), &signer(1)).unwrap();
    let mut twin = root();
    twin.time = Time::new(5);
    assert!(
        Evidence::new(&forged, &sign(twin))
            .verify(&committee)
            .is_err()
    );
}

#[test]
fn every_flipped_byte_of_evidence_is_noticed() {
    let mut twin = root();
    twin.time = Time::new(5);
    let sign = |header: Header| Event::sign(header, &signer(0)).unwrap();
    let evidence = Evidence::new(&sign(root()), &sign(twin));
    let bytes = encode(&evidence).unwrap();
    let committee = committee();
    for position in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[position] ^= 1;
        let accepted =
            decode::<Evidence>(&flipped).is_ok_and(|evidence| evidence.verify(&committee).is_ok());
        assert!(!accepted, "byte {position}");
    }
}

#[test]
fn the_largest_event_fits_its_limit() {
    let mut header = root();
    let many = |count: usize| (0..count).map(|_| reference(0, 0, 0)).collect();
    header.votes = List::new(many(limits::VOTES_MAX)).unwrap();
    header.parents = List::new(many(limits::PARENTS_MAX)).unwrap();
    let attestations = vec![header.attestations[0]; limits::ATTESTATIONS_MAX];
    header.attestations = List::new(attestations).unwrap();
    assert!(encode(&header).is_ok());
}

#[test]
fn copies_share_the_bytes_that_the_id_and_the_store_are_made_of() {
    let event = Event::sign(root(), &signer(0)).unwrap();
    let copy = event.clone();
    let bytes = copy.signed().bytes();
    assert!(alloc::sync::Arc::ptr_eq(bytes, event.signed().bytes()));
    assert_eq!(**bytes, *encode(event.signed()).unwrap());
    let header = encode(&root()).unwrap();
    assert_eq!(*event.id(), derive(Domain::Event, &[&header]));
    let decoded: Signed = decode(bytes).unwrap();
    assert_eq!(decoded, *event.signed());
}

#[test]
fn a_signature_of_another_role_is_no_events() {
    let id = *Event::sign(root(), &signer(0)).unwrap().id();
    let signature = signer(0).sign(Role::Attestation, &CHAIN, &id);
    let signed = Signed::new(root(), signature).unwrap();
    assert!(Event::verify(signed, PAYLOAD, &committee()).is_err());
}
