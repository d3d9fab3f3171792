use super::*;
use crate::test_chain::{TestChain, bytes, public, signer};
use crate::tx::{Body, Inputs, Output, TransferDraft, sign};
use primitives::codec::List;
use primitives::keys::Signer;
use primitives::units::Height;

fn transfer() -> (TestChain, Transaction) {
    let chain = TestChain::new();
    let coins = [chain.coin(0), chain.coin(1), chain.coin(8)];
    let transaction = chain.transfer(&coins, &[(3, 1_000), (4, 1_990)]);
    (chain, transaction)
}

fn resign(chain: &TestChain, body: Body) -> Vec<u8> {
    let (one, two) = (signer(1), signer(2));
    bytes(&sign(body, &[&one, &two], &chain.chain()).unwrap())
}

#[test]
fn a_signed_transfer_has_no_fault_and_one_witness_an_owner() {
    let (chain, transaction) = transfer();
    let checked = check_alone(bytes(&transaction), &chain.chain());
    assert_eq!(checked.fault(), None);
    assert_eq!(*checked.id(), transaction.id(&chain.chain()).unwrap());
    assert_eq!(checked.transaction(), Some(&transaction));
    let owners: Vec<_> = transaction.witnesses.iter().map(|it| it.owner).collect();
    assert_eq!(owners, [public(1), public(2)]);
}

#[test]
fn the_id_covers_all_but_the_witnesses() {
    let (chain, transaction) = transfer();
    let checked = check_alone(bytes(&transaction), &chain.chain());
    let unsigned = Transaction::unsigned(transaction.body.clone());
    let again = check_alone(bytes(&unsigned), &chain.chain());
    assert_eq!(checked.id(), again.id());
    assert_ne!(checked.witness_digest(), again.witness_digest());
    assert_ne!(
        checked.id(),
        check_alone(bytes(&transaction), &Digest([7; 32])).id()
    );
}

#[test]
fn every_flipped_byte_of_a_signed_transfer_is_noticed() {
    let (chain, transaction) = transfer();
    let good = bytes(&transaction);
    for position in 0..good.len() {
        let mut bad = good.clone();
        bad[position] ^= 1;
        let checked = check_alone(bad, &chain.chain());
        // An output's amount or host is signed, so its change shows in the signature.
        assert!(checked.fault().is_some(), "byte {position}");
    }
}

#[test]
fn truncated_extended_and_foreign_bytes_are_undecodable_and_named_apart() {
    let (chain, transaction) = transfer();
    let good = bytes(&transaction);
    let check = |bytes: Vec<u8>| check_alone(bytes, &chain.chain());
    let mut ids = BTreeSet::from([*check(good.clone()).id()]);
    for length in 0..good.len() {
        let checked = check(good[..length].to_vec());
        assert_eq!(
            checked.fault(),
            Some(&Reason::Undecodable),
            "{length} bytes"
        );
        assert!(checked.transaction().is_none());
        assert!(ids.insert(*checked.id()), "{length} bytes");
    }
    let longer = [good.as_slice(), &[0]].concat();
    assert_eq!(check(longer).fault(), Some(&Reason::Undecodable));
    let body = bytes(&transaction.body);
    assert_ne!(*check(body).id(), transaction.id(&chain.chain()).unwrap());
    let huge = check(vec![0; limits::TRANSACTION_BYTES_MAX + 1]);
    assert_eq!(huge.fault(), Some(&Reason::TooLarge));
    assert!(huge.bytes().is_empty());
}

#[test]
fn each_fault_of_shape_is_named() {
    let (chain, transaction) = transfer();
    let body = transaction.body;
    let coin = body.inputs[0];
    let output = |amount| Output::new(public(5), Amount::new(amount));
    let data = Body::data(0, vec![1]).unwrap();
    let cases = [
        (
            Body {
                version: 2,
                ..body.clone()
            },
            Reason::Version { found: 2 },
        ),
        (
            Body {
                inputs: Inputs::empty(),
                ..body.clone()
            },
            Reason::NoInputs,
        ),
        (
            Body {
                inputs: List::new(vec![coin, body.inputs[1], coin]).unwrap(),
                ..body.clone()
            },
            Reason::RepeatedInput { input: 2 },
        ),
        (
            Body {
                outputs: List::new(vec![output(u64::MAX), output(1)]).unwrap(),
                ..body.clone()
            },
            Reason::SumOverflow,
        ),
        (
            Body {
                inputs: List::new(vec![coin]).unwrap(),
                ..body
            },
            Reason::ExtraWitness { witness: 1 },
        ),
        (
            Body {
                outputs: List::new(vec![output(1)]).unwrap(),
                ..data.clone()
            },
            Reason::NoInputs,
        ),
        (data, Reason::ExtraWitness { witness: 0 }),
    ];
    for (body, reason) in cases {
        let checked = check_alone(resign(&chain, body), &chain.chain());
        assert_eq!(checked.fault(), Some(&reason));
    }
}

#[test]
fn two_witnesses_of_one_owner_and_invalid_keys_are_faults() {
    let (chain, transaction) = transfer();
    let (one, other) = (transaction.witnesses[0], transaction.witnesses[1]);
    let check = |witnesses: Vec<Witness>| {
        let transaction = Transaction {
            witnesses: List::new(witnesses).unwrap(),
            ..transaction.clone()
        };
        check_alone(bytes(&transaction), &chain.chain())
            .fault()
            .copied()
    };
    assert_eq!(
        check(vec![one, other, one]),
        Some(Reason::ExtraWitness { witness: 2 })
    );
    let identity = Witness {
        owner: primitives::keys::PublicKey([0; 32]),
        ..other
    };
    assert_eq!(
        check(vec![one, identity]),
        Some(Reason::BadSignature { witness: 1 })
    );
    let swapped = Witness {
        owner: other.owner,
        signature: one.signature,
    };
    assert_eq!(
        check(vec![one, swapped]),
        Some(Reason::BadSignature { witness: 1 })
    );
}

#[test]
fn a_batch_has_the_verdicts_of_each_alone() {
    let (chain, transaction) = transfer();
    let good = bytes(&transaction);
    let mut all: Vec<_> = (0..good.len())
        .step_by(7)
        .map(|position| {
            let mut bad = good.clone();
            bad[position] ^= 4;
            bad
        })
        .collect();
    all.insert(5, good.clone());
    all.push(bytes(&Transaction::unsigned(
        Body::data(1, vec![2; 99]).unwrap(),
    )));
    all.push(Vec::new());
    all.push(good);
    let alone: Vec<_> = all
        .iter()
        .map(|bytes| check_alone(bytes.clone(), &chain.chain()))
        .collect();
    assert_eq!(check_batch(all, &chain.chain()), alone);
    assert_eq!(alone.iter().filter(|it| it.fault().is_none()).count(), 3);
}

#[test]
fn a_payload_keeps_the_order_and_bytes_that_are_none_hold_nothing() {
    let (chain, transaction) = transfer();
    let all = vec![bytes(&transaction), vec![1, 2, 3], Vec::new()];
    let payload = Payload::bytes(all.clone()).unwrap();
    let fixed = Payload::BYTES_FIXED + 3 * Payload::BYTES_PER_TRANSACTION;
    assert_eq!(
        payload.len(),
        fixed + all.iter().map(Vec::len).sum::<usize>()
    );
    let checked = check_payload(&payload, &chain.chain());
    let bytes: Vec<_> = checked.iter().map(|it| it.bytes().to_vec()).collect();
    assert_eq!(bytes, all);
    assert!(Payload::bytes(Vec::new()).unwrap().is_empty());
    let mut other_version = payload.clone();
    other_version[0] = 2;
    for none in [&[], &payload[1..], &payload[..9], &other_version] {
        assert!(check_payload(none, &chain.chain()).is_empty());
    }
}

#[test]
fn a_draft_signs_in_order_of_first_appearance_and_names_who_is_missing() {
    let chain = TestChain::new();
    let coins = [2, 0, 10, 8].map(|index| chain.coin(index));
    let draft = TransferDraft {
        inputs: coins.to_vec(),
        outputs: vec![Output::new(public(5), Amount::new(3_998))],
        memo: Some(Digest([5; 32])),
        valid_until: Some(Height::new(9)),
    };
    assert_eq!(draft.fee(), Ok(Amount::new(2)));
    let (one, three) = (signer(1), signer(3));
    let transaction = draft.sign(&[&one, &three], &chain.chain()).unwrap();
    let owners: Vec<_> = transaction.witnesses.iter().map(|it| it.owner).collect();
    assert_eq!(owners, [three.public(), one.public()]);
    let missing = draft.sign(&[&three], &chain.chain());
    let owner = one.public();
    assert_eq!(missing, Err(crate::Error::MissingSigner { owner }));
    let overspent = TransferDraft {
        inputs: Vec::new(),
        ..draft
    };
    assert!(overspent.fee().is_err());
}
