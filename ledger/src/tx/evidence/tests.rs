use super::*;
use crate::test_chain::{TestChain, accusation, bytes, check_golden, check_text, public};
use crate::tx::{Transaction, check_alone as check_transaction};
use primitives::keys::Signer;

const PEER: usize = 1;
/// Epoch, index in the committee, seq.
const PLACE: (u64, u16, u64) = (0, 1, 7);

fn fault(evidence: &Evidence, chain: &TestChain) -> Option<Reason> {
    let bytes = bytes(&accusation(evidence.clone()));
    check_transaction(bytes, &chain.chain()).fault().copied()
}

#[test]
fn two_signed_events_of_one_place_are_evidence_in_one_order_alone() {
    let chain = TestChain::new();
    let good = chain.evidence(PEER, 0, 7);
    assert_eq!(fault(&good, &chain), None);
    assert_eq!(good.place(), Some((Epoch::ZERO, PeerIndex(1))));
    let Evidence { first, second, .. } = good.clone();
    let (peer, key) = (good.peer, good.event_key);
    assert_eq!(
        Evidence::new(peer, key, second.clone(), first.clone()),
        good
    );
    let swapped = Evidence {
        first: second,
        second: first,
        ..good
    };
    assert_eq!(fault(&swapped, &chain), Some(Reason::NoContradiction));
}

#[test]
fn the_encoding_is_golden_and_its_limit_holds_the_longest_headers() {
    let header = |byte| SignedHeader {
        bytes: Bytes::new(vec![byte; 99]).unwrap(),
        signature: Signature([byte; 64]),
    };
    let evidence = |first, second| Evidence {
        peer: PublicKey([1; 32]),
        event_key: PublicKey([2; 32]),
        first,
        second,
    };
    let body = accusation(evidence(header(3), header(4))).body;
    check_golden(&body, "413 bytes f973b1aa");
    let longest = || SignedHeader {
        bytes: Bytes::new(vec![5; limits::EVENT_HEADER_CANONICAL_BYTES_MAX]).unwrap(),
        signature: Signature([6; 64]),
    };
    let encoded = bytes(&accusation(evidence(longest(), longest())));
    let decoded: Transaction = codec::decode(&encoded).unwrap();
    assert_eq!(bytes(&decoded), encoded);
    let beyond = vec![5; limits::EVENT_HEADER_CANONICAL_BYTES_MAX + 1];
    assert!(SignedHeader::new(beyond, Signature([6; 64])).is_err());
    check_text(
        &header(3).id().to_string(),
        "4ac916b2133f0024e76544332a73389c64a2be766940edfc378ffe35a5978331",
    );
}

#[test]
fn headers_of_different_places_do_not_contradict_each_other() {
    let chain = TestChain::new();
    let good = chain.evidence(PEER, 0, 7);
    let signer = chain.event_signer(PEER);
    let (epoch, creator, seq) = PLACE;
    let elsewhere = [
        (epoch + 1, creator, seq),
        (epoch, creator + 1, seq),
        (epoch, creator, seq + 1),
    ];
    let against = |other: SignedHeader| {
        let first = good.first.clone();
        fault(
            &Evidence::new(good.peer, good.event_key, first, other),
            &chain,
        )
    };
    for place in elsewhere {
        let other = chain.header(place, 9, &signer);
        assert_eq!(against(other), Some(Reason::NoContradiction), "{place:?}");
    }
    assert_eq!(against(chain.header(PLACE, 9, &signer)), None);
    assert_eq!(against(good.first.clone()), Some(Reason::NoContradiction));
}

#[test]
fn one_event_with_two_signatures_is_no_evidence() {
    let chain = TestChain::new();
    let good = chain.evidence(PEER, 0, 7);
    let signer = chain.event_signer(PEER);
    let id = good.first.id();
    // Two were made with the first two nonces of this signer.
    let signatures = [(); 3].map(|()| signer.sign(Role::Event, &chain.chain(), &id));
    let again = SignedHeader {
        signature: signatures[2],
        bytes: good.first.bytes.clone(),
    };
    assert_ne!(again, good.first);
    let twice = Evidence::new(good.peer, good.event_key, good.first, again);
    assert_eq!(fault(&twice, &chain), Some(Reason::NoContradiction));
}

#[test]
fn twisted_signatures_and_keys_are_false_evidence() {
    let chain = TestChain::new();
    let good = chain.evidence(PEER, 0, 7);
    let stranger = chain.event_signer(PEER + 1);
    let forged = chain.header(PLACE, 9, &stranger);
    let swapped = |first: Signature, second: Signature| Evidence {
        first: SignedHeader {
            signature: first,
            ..good.first.clone()
        },
        second: SignedHeader {
            signature: second,
            ..good.second.clone()
        },
        ..good.clone()
    };
    let (one, other) = (good.first.signature, good.second.signature);
    let with_key = |event_key| Evidence {
        event_key,
        ..good.clone()
    };
    for bad in [
        swapped(other, one),
        swapped(one, one),
        swapped(one, Signature([0; 64])),
        Evidence::new(good.peer, good.event_key, good.first.clone(), forged),
        with_key(public(9)),
        with_key(PublicKey([0; 32])),
        with_key(PublicKey([255; 32])),
    ] {
        assert_eq!(fault(&bad, &chain), Some(Reason::FalseEvidence));
    }
}

#[test]
fn no_byte_of_evidence_can_be_changed() {
    let chain = TestChain::new();
    let good = chain.evidence(PEER, 0, 7);
    let encoded = bytes(&accusation(good.clone()));
    let peer_at = encoded
        .windows(32)
        .position(|it| it == good.peer.0)
        .unwrap();
    for position in 0..encoded.len() {
        let mut changed = encoded.clone();
        changed[position] ^= 1 << (position % 8);
        let checked = check_transaction(changed, &chain.chain());
        // Whose event key it is, only the committee tells.
        let is_peer = (peer_at..peer_at + 32).contains(&position);
        assert_eq!(checked.fault().is_none(), is_peer, "byte {position}");
    }
}

#[test]
fn headers_of_another_chain_or_version_or_too_short_show_nothing() {
    let chain = TestChain::new();
    let mut genesis = crate::test_chain::genesis();
    genesis.parameters.lag += 1;
    let other = TestChain::of(genesis);
    let refused = Some(Reason::NoContradiction);
    assert_eq!(fault(&other.evidence(PEER, 0, 7), &chain), refused);
    let good = chain.evidence(PEER, 0, 7);
    let signer = chain.event_signer(PEER);
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let [one, other] = [&good.first, &good.second].map(|header| {
            let mut bytes = header.bytes.to_vec();
            change(&mut bytes);
            let id = derive(Domain::Event, &[&bytes]);
            let signature = signer.sign(Role::Event, &chain.chain(), &id);
            SignedHeader::new(bytes, signature).unwrap()
        });
        fault(
            &Evidence::new(good.peer, good.event_key, one, other),
            &chain,
        )
    };
    assert_eq!(with(&|_| ()), None);
    assert_eq!(with(&|bytes| bytes[0] = 2), refused);
    assert_eq!(with(&|bytes| bytes.truncate(Leading::BYTES_MAX)), None);
    assert_eq!(
        with(&|bytes| bytes.truncate(Leading::BYTES_MAX - 1)),
        refused
    );
    assert_eq!(with(&|bytes| bytes.clear()), refused);
}
