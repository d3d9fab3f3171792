use ledger::tx::{Body, Kind, Output, sign};
use primitives::codec::{self, Bytes};
use primitives::keys::Signer;
use primitives::units::{Amount, Height};

use super::*;
use crate::deed::memo;
use crate::deed::tests::fields;
use crate::proof_file::tests::file;
use crate::test_chain::{TestChain, genesis, public, secret};

const OWNER: u8 = 50;
pub(crate) const NAMES: [&str; 5] = ["amount", "buyer", "date", "document", "seller"];

/// A chain whose first block has the transaction that commits to `deed`, paid for by the owner.
pub(crate) fn notarised(names: &[&str]) -> (TestChain, Deed) {
    let mut chain = TestChain::new(genesis(OWNER, &[100, 50]));
    let id = *chain.ledger.chain();
    let fields = fields(names);
    let memo = Some(memo(&id, &fields).unwrap());
    let transaction = settle(&mut chain, memo);
    let deed = Deed {
        chain: id,
        transaction,
        fields,
    };
    (chain, deed)
}

fn settle(chain: &mut TestChain, memo: Option<Digest>) -> Digest {
    let coin = chain.coins(OWNER)[0];
    let body = Body {
        inputs: List::new(vec![coin.outpoint]).unwrap(),
        outputs: List::new(vec![Output::new(public(OWNER), Amount::new(99))]).unwrap(),
        memo,
        ..Body::of(Kind::Data {
            nonce: 0,
            bytes: Bytes::default(),
        })
    };
    let signer = secret(OWNER);
    let signed = sign(body, &[&signer as &dyn Signer], chain.ledger.chain()).unwrap();
    let id = signed.id(chain.ledger.chain()).unwrap();
    chain.settle(&[codec::encode(&signed).unwrap()]);
    id
}

pub(crate) fn receipt(chain: &TestChain, deed: &Deed, names: &[&str]) -> Receipt {
    let proof = file(
        Claim::Transaction {
            id: deed.transaction,
        },
        chain,
    );
    let chosen = |field: &Field| names.iter().any(|name| name.as_bytes() == &*field.name);
    Receipt::new(deed, chosen, proof).unwrap()
}

fn trust(chain: &TestChain) -> Trust {
    Trust::new(&chain.genesis).unwrap()
}

#[test]
fn every_choice_of_fields_is_proven_and_shows_nothing_of_the_others() {
    for count in 1..=NAMES.len() {
        let names = &NAMES[..count];
        let (chain, deed) = notarised(names);
        for choice in 1..1_u32 << count {
            let chosen: Vec<_> = (0..count)
                .filter(|place| choice >> place & 1 == 1)
                .collect();
            let chosen: Vec<_> = chosen.into_iter().map(|place| names[place]).collect();
            let bytes = receipt(&chain, &deed, &chosen).to_bytes().unwrap();
            let proven = verify(&bytes, &trust(&chain)).unwrap();
            let shown: Vec<_> = proven
                .shown
                .iter()
                .map(|shown| &*shown.field.name)
                .collect();
            let wanted: Vec<_> = chosen.iter().map(|name| name.as_bytes()).collect();
            assert_eq!(shown, wanted);
            assert_eq!(proven.count as usize, count);
            for hidden in deed
                .fields
                .iter()
                .filter(|field| !wanted.contains(&&*field.name))
            {
                let told = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
                assert!(!told(&hidden.name) && !told(&hidden.salt), "{chosen:?}");
            }
        }
    }
}

#[test]
fn a_receipt_says_in_plain_words_what_it_proves() {
    let (mut chain, deed) = notarised(&NAMES);
    chain.settle(&[]);
    let bytes = receipt(&chain, &deed, &["amount", "buyer"])
        .to_bytes()
        .unwrap();
    let proven = verify(&bytes, &trust(&chain)).unwrap();
    let (id, key) = (deed.transaction, public(OWNER));
    let start = format!(
        "on record since block 1, time 1001 ms, by transaction {id} signed by key {key}: 2 of the 5 \
         fields of a deed; \"amount\" = \"amount\"; \"buyer\" = \"buyer\"; root "
    );
    assert!(proven.to_string().starts_with(&start), "{proven}");
    assert_eq!(proven.document(), None);
}

#[test]
fn a_receipt_with_any_bit_changed_is_refused() {
    let (chain, deed) = notarised(&NAMES);
    let trust = trust(&chain);
    let bytes = receipt(&chain, &deed, &["buyer", "seller"])
        .to_bytes()
        .unwrap();
    verify(&bytes, &trust).unwrap();
    for bit in 0..8 * bytes.len() {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&changed, &trust).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(verify(&bytes[..length], &trust).is_err(), "{length} bytes");
    }
}

#[test]
fn fields_of_another_deed_place_or_number_are_refused() {
    let (chain, deed) = notarised(&NAMES);
    let good = receipt(&chain, &deed, &["buyer", "date"]);
    let check = |receipt: &Receipt| verify(&receipt.to_bytes().unwrap(), &trust(&chain));
    check(&good).unwrap();
    let change = |change: fn(&mut Vec<Shown>)| {
        let mut shown = good.shown.to_vec();
        change(&mut shown);
        let shown = List::new(shown).unwrap();
        check(&Receipt {
            shown,
            ..good.clone()
        })
        .unwrap_err()
    };
    let memo = |error: Error| {
        let deed = matches!(
            error,
            Error::Other {
                part: Part::Deed,
                ..
            }
        );
        assert!(deed, "{error}");
    };
    memo(change(|shown| {
        shown[0].field.value = Bytes::new(b"me".to_vec()).unwrap()
    }));
    memo(change(|shown| shown[0].field.salt = [0; 32]));
    // The place moves within the same pair of leaves, so that as many siblings are due.
    assert!(matches!(
        change(|shown| shown[0].index = 0),
        Error::Other { .. }
    ));
    let order = Error::FieldOrder { index: 1 };
    assert_eq!(change(|shown| shown.swap(0, 1)), order);
    assert_eq!(change(|shown| shown[1] = shown[0].clone()), order);
    assert_eq!(change(Vec::clear), Error::FieldOrder { index: 0 });
    memo(change(|shown| drop(shown.pop())));
    let other = deed_of(&chain, &deed);
    memo(check(&other).unwrap_err());
    for count in [0, 4, 6, u32::MAX] {
        check(&Receipt {
            count,
            ..good.clone()
        })
        .unwrap_err();
    }
}

/// The receipt of another deed of as many fields, with the proof of `deed`'s transaction.
fn deed_of(chain: &TestChain, deed: &Deed) -> Receipt {
    let mut other = deed.clone();
    other.fields = fields(&["amount", "buyer", "date", "document", "tenant"]);
    receipt(chain, &other, &["buyer", "date"])
}

#[test]
fn transactions_without_a_memo_or_without_effect_notarise_nothing() {
    let (mut chain, mut deed) = notarised(&NAMES);
    // The same coin again: this one is rejected, though its memo is right.
    let memo = memo(&deed.chain, &deed.fields).unwrap();
    deed.transaction = settle(&mut chain, Some(Digest([1; 32])));
    let check = |chain: &TestChain, deed: &Deed| {
        let bytes = receipt(chain, deed, &["buyer"]).to_bytes().unwrap();
        verify(&bytes, &trust(chain)).unwrap_err()
    };
    let id = deed.transaction;
    assert_eq!(check(&chain, &deed), Error::NotApplied { id });
    assert_ne!(memo, Digest([1; 32]));
    let mut plain = TestChain::new(genesis(OWNER, &[100, 50]));
    let id = settle(&mut plain, None);
    let unsaid = Deed {
        transaction: id,
        ..deed
    };
    assert_eq!(check(&plain, &unsaid), Error::NoMemo { id });
    let mut other = receipt(&plain, &unsaid, &["buyer"]);
    other.proof = file(
        Claim::Block {
            height: Height::new(1),
        },
        &plain,
    );
    let refused = verify(&other.to_bytes().unwrap(), &trust(&plain));
    assert_eq!(refused, Err(Error::OtherKind));
}

#[test]
fn bytes_of_a_stranger_forge_no_line() {
    let texts: [(&[u8], &str); 4] = [
        (b"plain", "\"plain\""),
        (b"a\nVALID", "\"a\\nVALID\""),
        ("\u{202e}x\u{1b}[2J".as_bytes(), "\"\\u{202e}x\\u{1b}[2J\""),
        (b"\xff\x00", "ff00"),
    ];
    for (bytes, words) in texts {
        assert_eq!(Plain(bytes).to_string(), words);
    }
}
