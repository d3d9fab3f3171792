use primitives::Digest;
use primitives::codec::{Bytes, List, decode, encode};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::Signature;
use primitives::limits;
use primitives::units::{Epoch, Height, PeerIndex, Round, Seq};

use super::{Cursor, Head, Message, Parcel, Parcels};
use crate::brief::Brief;
use crate::event::{Attestation, Event, Kind, Reference, Signed};
use crate::test_dag::header;

fn parcel(payload: &[u8]) -> Parcel {
    Parcel {
        signed: Signed::new(
            header(PeerIndex(1), Round::ZERO, Kind::Root),
            Signature([1; 64]),
        )
        .unwrap(),
        payload: Bytes::new(payload.to_vec()).unwrap(),
    }
}

fn parcels() -> Parcels {
    List::new(vec![parcel(b""), parcel(b"two")]).unwrap()
}

/// A brief with everything: a vote by a bit and one by an id, and the same of other parents.
fn brief() -> Brief {
    let reference = |creator| Reference {
        creator: PeerIndex(creator),
        seq: Seq::new(4),
        round: Round::new(5),
        id: Digest([6; 32]),
    };
    let mut header = header(PeerIndex(1), Round::new(6), Kind::Root);
    header.seq = Seq::new(7);
    header.self_parent = Some(reference(1));
    header.sealing = Some(Digest([8; 32]));
    header.votes = List::new(vec![reference(1), reference(2), reference(10)]).unwrap();
    header.parents = List::new(vec![reference(2), reference(3)]).unwrap();
    let attestation = Attestation {
        height: Height::new(2),
        root: Digest([3; 32]),
        signature: Signature([5; 64]),
    };
    header.attestations = List::new(vec![attestation]).unwrap();
    let event = Event::trust(Signed::new(header, Signature([1; 64])).unwrap());
    Brief::new(&event, |pointer| pointer.creator() != PeerIndex(2)).unwrap()
}

#[test]
fn messages_are_frozen_and_decode_again() {
    let cursor = Cursor {
        round: Round::new(3),
        admission: 4,
    };
    let head = Head {
        creator: PeerIndex(2),
        seq: Seq::new(5),
        round: Round::new(6),
        id: Digest([7; 32]),
    };
    let messages = [
        (
            Message::Events(parcels()),
            "5459bc83558b3c29e3b86e9fc703cd52a69f80cea54f0a170152b4fa2c7d7ccb",
        ),
        (
            Message::Want(List::new(vec![Digest([1; 32]), Digest([2; 32])]).unwrap()),
            "6be2d18d7159099831e00ff80843c1b1cd6ee1ebe0ac22f79e7b1afb7a9157d6",
        ),
        (
            Message::Frontier {
                epoch: Epoch::new(1),
                height: Height::new(2),
                floor: Round::new(3),
                heads: List::new(vec![head]).unwrap(),
            },
            "0d6ae26697d8788d365fcb3c250acec6a05437ff24afb008a7190c07678a3527",
        ),
        (
            Message::Follow {
                epoch: Epoch::new(1),
                from: cursor,
            },
            "d7afc9aad2c90765412654c207fa813be58d1e8d5e1156a775a36d6a0f8a8374",
        ),
        (
            Message::Followed {
                epoch: Epoch::new(1),
                events: parcels(),
                next: Some(cursor),
            },
            "1b9851fc9ddd4fb00edb28cdccb9be52106d08e9ddb4b82abf8fef3d365e8d7c",
        ),
        (
            Message::Attested {
                epoch: Epoch::new(1),
                height: Height::new(2),
                root: Digest([3; 32]),
                signatures: List::new(vec![(PeerIndex(4), Signature([5; 64]))]).unwrap(),
            },
            "6a0bb43a3730f3581a2e4e4bb57fe338ba8c1e8877d8da6e64d800d43620ec5f",
        ),
        (
            Message::WantSeal {
                epoch: Epoch::new(1),
            },
            "60febd2107e701877d71f96111a8833261bc6ad966e6d2699561732b74528d6f",
        ),
        (
            Message::Passed(Bytes::new(vec![1, 2]).unwrap()),
            "16d2744c37579a9587e90bfc4ae0fcd42b2884ede5463120a32dd2c35e395ed0",
        ),
        (
            Message::Brief {
                brief: Box::new(brief()),
                payload: Bytes::new(vec![1, 2]).unwrap(),
            },
            "f6c1311e05a14488ec2bd7b546af0213920fbbe58843726aa167ee19bf50f651",
        ),
    ];
    let digests = messages.map(|(message, frozen)| {
        let bytes = encode(&message).unwrap();
        assert_eq!(decode(&bytes), Ok(message));
        (derive(Domain::TestKey, &[&bytes]).to_string(), frozen)
    });
    let (got, frozen): (Vec<String>, Vec<&str>) = digests.into_iter().unzip();
    assert_eq!(got, frozen);
}

#[test]
fn a_message_with_the_largest_payload_fits_and_truncated_ones_are_refused() {
    let largest = parcel(&vec![1; limits::PAYLOAD_BYTES_MAX]);
    let message = Message::Events(List::new(vec![largest]).unwrap());
    assert!(encode(&message).is_ok());
    let bytes = encode(&Message::Events(parcels())).unwrap();
    for length in 0..bytes.len() {
        assert!(decode::<Message>(&bytes[..length]).is_err(), "{length}");
    }
}
