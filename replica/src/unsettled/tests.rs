use ledger::tx::{Body, Holder, Kind, Outpoint, Output, check_alone, sign};
use primitives::codec::{self, List};
use primitives::keys::{SecretKey, Signer};
use primitives::units::Amount;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

use super::*;

const CHAIN: Digest = Digest([1; 32]);

fn secret(seed: u8) -> SecretKey<ChaCha20Rng> {
    let randomness = ChaCha20Rng::from_seed([seed; 32]);
    SecretKey::from_seed(&Zeroizing::new([seed; 32]), randomness)
}

/// A transaction of the name by the key of `seed`, paid for with a coin of its own.
fn named(seed: u8, name: &str, number: Option<u64>) -> Checked {
    let secret = secret(seed);
    let key = secret.public();
    let name = name.parse().unwrap();
    let from = number.map(|number| Holder { key, number });
    let transaction = Digest([seed; 32]);
    let body = Body {
        inputs: List::new(vec![Outpoint {
            transaction,
            index: 0,
        }])
        .unwrap(),
        outputs: List::new(vec![Output::new(key, Amount::new(1))]).unwrap(),
        ..Body::of(Kind::Name {
            name,
            to: key,
            from,
        })
    };
    let signed = sign(body, &[&secret], &CHAIN).unwrap();
    let checked = check_alone(codec::encode(&signed).unwrap(), &CHAIN);
    assert_eq!(checked.fault(), None);
    checked
}

#[test]
fn two_transactions_of_one_place_in_a_name_are_rivals() {
    let [first, second] = [1, 2].map(|seed| named(seed, "anna", None));
    let others = [named(3, "bert", None), named(4, "anna", Some(0))];
    let mut unsettled = Unsettled::default();
    let event = |number: u8| Digest([number; 32]);
    unsettled.add(event(1), vec![first.clone(), others[0].clone()]);
    unsettled.add(event(2), vec![others[1].clone()]);
    assert!(!unsettled.is_contested());
    unsettled.add(event(3), vec![second.clone()]);
    assert!(unsettled.is_contested());
    assert_eq!(unsettled.rivals(first.id()), Some(vec![*second.id()]));
    for other in &others {
        assert_eq!(unsettled.rivals(other.id()), Some(Vec::new()));
    }
    let contested: Vec<_> = unsettled.contested_after(None).collect();
    let position = "anna".parse::<ledger::tx::Name>().unwrap().position();
    assert_eq!(
        contested,
        [Taken::Name {
            position,
            number: 0
        }]
    );
    unsettled.remove(&event(3));
    assert!(!unsettled.is_contested());
}
