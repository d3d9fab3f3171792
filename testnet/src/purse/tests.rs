use ledger::genesis::Parameters;
use ledger::tx::check_alone;
use primitives::codec::List;

use super::*;
use crate::session::bytes;

#[test]
fn a_payment_and_its_change_use_up_the_coin_but_for_the_fee() {
    let genesis = genesis();
    let mut purse = Purse::of_genesis("alice", &genesis).unwrap();
    let bob = wallet_key("bob").public();
    let paid = purse.pay(bob, Amount::new(30)).unwrap();
    let amounts = paid.transaction.body.outputs.iter();
    let amounts: Vec<_> = amounts.map(|one| (one.owner, one.amount.get())).collect();
    assert_eq!(amounts, [(bob, 30), (purse.owner(), 67)]);
    let outpoint = paid.change.outpoint;
    assert_eq!((outpoint.transaction, outpoint.index), (paid.id, 1));
    let chain = genesis.chain_id().unwrap();
    let checked = check_alone(bytes(&paid.transaction).unwrap(), &chain);
    assert!(checked.fault().is_none(), "{:?}", checked.fault());
    // The change can be spent in turn.
    let again = purse.turn(paid.change).unwrap();
    assert_eq!(again.change.output.amount, Amount::new(64));
}

#[test]
fn a_purse_holds_its_own_coins_and_not_its_stake() {
    let genesis = genesis();
    assert_eq!(Purse::of_genesis("alice", &genesis).unwrap().count(), 2);
    assert_eq!(Purse::of_genesis("bob", &genesis).unwrap().count(), 0);
}

#[test]
fn an_empty_purse_and_a_coin_too_small_are_refused() {
    let genesis = genesis();
    let mut bob = Purse::of_genesis("bob", &genesis).unwrap();
    assert!(matches!(bob.take(), Err(Error::PurseEmpty { .. })));
    let mut alice = Purse::of_genesis("alice", &genesis).unwrap();
    assert!(alice.pay(bob.owner(), Amount::new(98)).is_err());
    assert!(alice.pay(bob.owner(), Amount::new(97)).is_ok());
}

fn genesis() -> Genesis {
    let owner = wallet_key("alice").public();
    let coin = Output::new(owner, Amount::new(100));
    let stake = Output {
        host: Some(owner),
        ..coin
    };
    Genesis {
        version: 1,
        parameters: Parameters {
            fee_min: Amount::new(3),
            ..Parameters::default()
        },
        peers: List::empty(),
        outputs: List::new(vec![coin, stake, coin]).unwrap(),
    }
}
