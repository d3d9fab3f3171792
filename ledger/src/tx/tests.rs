use super::*;
use crate::test_chain::{TestChain, check_golden, check_text, public};

fn body() -> Body {
    let outpoint = |index| Outpoint {
        transaction: Digest([1; 32]),
        index,
    };
    let hosted = Output {
        host: Some(PublicKey([3; 32])),
        ..Output::new(PublicKey([2; 32]), Amount::new(7))
    };
    Body {
        version: 1,
        kind: Kind::Transfer,
        inputs: List::new(vec![outpoint(0), outpoint(5)]).unwrap(),
        outputs: List::new(vec![hosted]).unwrap(),
        memo: Some(Digest([4; 32])),
        valid_until: Some(Height::new(9)),
    }
}

#[test]
fn every_encoding_is_golden() {
    check_golden(&body(), "204 bytes 538fa1c7");
    check_golden(&Body::data(3, vec![1, 2]).unwrap(), "29 bytes bacd6744");
    let (key, hash) = (PublicKey([7; 32]), Digest([8; 32]));
    check_golden(&Body::of(Kind::Commit { key, hash }), "79 bytes 2661da9e");
    let name = "anna".parse().unwrap();
    let (to, number) = (PublicKey([7; 32]), 3);
    let from = Some(Holder { key, number });
    check_golden(
        &Body::of(Kind::Name { name, to, from }),
        "96 bytes 9e826be9",
    );
    let witness = Witness {
        owner: PublicKey([5; 32]),
        signature: Signature([6; 64]),
    };
    let transaction = Transaction {
        body: body(),
        witnesses: List::new(vec![witness]).unwrap(),
    };
    check_golden(&transaction, "304 bytes 612dae28");
    let payload = Payload {
        version: 1,
        transactions: List::new(vec![Bytes::new(vec![8, 9]).unwrap()]).unwrap(),
    };
    check_golden(&payload, "11 bytes 196dd092");
    let added = codec::encode(&transaction).unwrap().len() - codec::encode(&body()).unwrap().len();
    assert_eq!(added, 4 + Witness::BYTES);
}

#[test]
fn ids_are_golden() {
    let chain = Digest([9; 32]);
    check_text(
        &body().id(&chain).unwrap().to_string(),
        "1fd6b0e1257c7f2b377420fa29fc29dd49e5f1e23059c5c3ca6071335ba5ae61",
    );
    check_text(
        &genesis_transaction(&chain).to_string(),
        "c53ea913002b42777366c7f05335d22e68bf1c2014402b59331dc4b42d6454db",
    );
    let fee = fee_transaction(&chain, Height::new(7), &PublicKey([1; 32]));
    check_text(
        &fee.to_string(),
        "f1decac2e34d606ec9752f0f6d10e1cab1874a10cb35689b75ef5c083a5c8036",
    );
}

#[test]
fn ids_differ_by_chain_and_by_every_field() {
    let chain = TestChain::new().chain();
    let other_kind = Body::data(1, vec![]).unwrap();
    let bodies = [
        body(),
        Body {
            memo: None,
            ..body()
        },
        Body {
            valid_until: None,
            ..body()
        },
        Body {
            outputs: List::new(vec![Output::new(public(1), Amount::ZERO)]).unwrap(),
            ..body()
        },
        Body {
            inputs: List::empty(),
            ..body()
        },
        other_kind,
        Body::data(2, vec![]).unwrap(),
    ];
    let ids = bodies
        .iter()
        .flat_map(|body| [body.id(&chain), body.id(&Digest::ZERO)]);
    let ids: std::collections::BTreeSet<_> = ids.map(Result::unwrap).collect();
    assert_eq!(ids.len(), 2 * bodies.len());
}

#[test]
fn data_above_4096_bytes_and_payloads_above_a_mebibyte_are_refused() {
    assert!(Body::data(0, vec![0; limits::DATA_BYTES_MAX]).is_ok());
    assert!(Body::data(0, vec![0; limits::DATA_BYTES_MAX + 1]).is_err());
    let large = vec![0; limits::TRANSACTION_BYTES_MAX];
    assert!(Payload::bytes(vec![large.clone(); 3]).is_ok());
    assert!(Payload::bytes(vec![large; 4]).is_err());
    assert!(Payload::bytes(vec![vec![0; limits::TRANSACTION_BYTES_MAX + 1]]).is_err());
    assert!(Payload::bytes(vec![Vec::new(); limits::PAYLOAD_TRANSACTIONS_MAX + 1]).is_err());
}
