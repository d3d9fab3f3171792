//! Names: registered once, handed over by whoever holds them.

use primitives::codec::List;

use super::*;
use crate::query::tests::check;
use crate::subject::Subject;
use crate::tx::draft::{Coin, in_order_of_appearance};
use crate::tx::{Holder, Kind, check_alone};

const fn holder(key: PublicKey, number: u64) -> Holder {
    Holder { key, number }
}

/// A transaction of a name paid for with `coin` of an owner, which is signed by whom the rules ask for.
fn of_name(chain: &TestChain, coin: Coin, name: &str, to: u8, from: Option<Holder>) -> Transaction {
    let kind = Kind::Name {
        name: named(name),
        to: public(to),
        from,
    };
    let due = in_order_of_appearance([coin.output.owner].into_iter().chain(kind.signers()));
    let all: Vec<_> = (1..9).chain([103, 113, 123, 133]).map(signer).collect();
    let find = |key: &PublicKey| all.iter().find(|signer| signer.public() == *key).unwrap();
    let signers: Vec<_> = due.iter().map(|key| find(key) as &dyn Signer).collect();
    let left = coin.output.amount.minus(Amount::new(2)).unwrap();
    let body = Body {
        inputs: List::new(vec![coin.outpoint]).unwrap(),
        outputs: List::new(vec![Output::new(coin.output.owner, left)]).unwrap(),
        ..Body::of(kind)
    };
    sign(body, &signers, &chain.chain()).unwrap()
}

/// Who holds a name as of a block, proven under the newest state.
fn held(chain: &TestChain, name: &str, block: u64) -> Option<PublicKey> {
    let (ledger, keys, name) = (&chain.ledger, chain.ledger.tree_keys(), named(name));
    let (span, body) = ledger.name(&name, height(block), &chain.rows).unwrap();
    let at = Subject::Name(name).position();
    let newest = span
        .newest(keys, &at, height(block), &ledger.state())
        .unwrap();
    check(chain, &span, |span, state| {
        span.newest(keys, &at, height(block), state) == Ok(newest)
    });
    assert_eq!(newest.is_some(), body.is_some());
    let body = body?;
    assert_eq!(body.id(&chain.chain()).unwrap(), newest.unwrap().txid);
    let Kind::Name {
        name: found, to, ..
    } = body.kind
    else {
        panic!("{:?}", body.kind);
    };
    assert_eq!(found, name);
    Some(to)
}

#[test]
fn the_first_registration_wins_and_the_loser_learns_of_it() {
    let mut chain = TestChain::new();
    let [first, second, third] = [0, 1, 2].map(|coin| {
        let owner = u8::try_from(coin + 1).unwrap();
        of_name(&chain, chain.coin(coin), "anna", owner, None)
    });
    for transaction in [&first, &second] {
        let checked = check_alone(bytes(transaction), &chain.chain());
        assert_eq!(checked.fault(), None);
    }
    let executed = chain.run(&[&first, &second]);
    let taken = || rejected_by(Reason::NameTaken, &first, &chain);
    assert_eq!(outcomes(&executed), [Outcome::Applied, taken()]);
    let wanted = taken();
    let executed = chain.run(&[&third]);
    assert_eq!(outcomes(&executed), [wanted]);
    assert_eq!(executed.header.counts.names, 1);
    assert_eq!(held(&chain, "anna", 0), None);
    for block in [1, 2] {
        assert_eq!(held(&chain, "anna", block), Some(public(1)));
    }
    assert_eq!(held(&chain, "bert", 2), None);
    assert_eq!(chain.ledger.stats().names_applied, 1);
    let number = |number| {
        let position = named("anna").position();
        let taken = Taken::Name { position, number };
        chain.ledger.taker(&taken, &chain.rows).unwrap()
    };
    assert_eq!(number(0), Some(first.id(&chain.chain()).unwrap()));
    assert_eq!(number(1), None);
}

#[test]
fn the_holder_hands_a_name_over_also_to_and_fro_and_nobody_else_does() {
    let mut chain = TestChain::new();
    let register = of_name(&chain, chain.coin(0), "anna", 1, None);
    let mut coin = 8;
    let mut hand = |chain: &TestChain, from: u8, number, to| {
        coin += 1;
        let from = Some(holder(public(from), number));
        of_name(chain, chain.coin(coin - 1), "anna", to, from)
    };
    // Within the block that registers it too.
    let [early, over] = [hand(&chain, 1, 1, 2), hand(&chain, 1, 0, 2)];
    let executed = chain.run(&[&early, &register, &over]);
    let not_held = Outcome::rejected(Reason::NameNotHeld);
    assert_eq!(
        outcomes(&executed),
        [not_held, Outcome::Applied, Outcome::Applied]
    );
    let [late, thief] = [hand(&chain, 1, 0, 3), hand(&chain, 3, 1, 3)];
    let [back, again] = [hand(&chain, 2, 1, 1), hand(&chain, 1, 2, 2)];
    let late_outcome = rejected_by(Reason::NameTaken, &over, &chain);
    let executed = chain.run(&[&late, &thief, &back, &again]);
    let wanted = [late_outcome, not_held, Outcome::Applied, Outcome::Applied];
    assert_eq!(outcomes(&executed), wanted);
    // A holder that lies about who signs for it.
    let forged = of_name(&chain, chain.coin(7), "anna", 8, Some(holder(public(2), 3)));
    let forged = sign(forged.body, &[&signer(8)], &chain.chain()).unwrap();
    let executed = chain.run(&[&forged]);
    assert_eq!(outcomes(&executed), [Outcome::rejected(Reason::NotOwner)]);
    for (block, key) in [(0, None), (1, Some(2)), (2, Some(2)), (3, Some(2))] {
        assert_eq!(held(&chain, "anna", block), key.map(public));
    }
    let log = |subject: Subject| {
        let log = chain.ledger.history(&subject.position(), &chain.rows);
        let entries = log.unwrap().entries;
        entries.iter().map(|it| it.role).collect::<Vec<_>>()
    };
    let name = Subject::Name(named("anna"));
    assert_eq!(log(name), [role::NAMED; 4]);
    // The first owner paid for the first two, and handed the name over by the second and the fourth.
    let (paid, named, unnamed) = (role::SPENDER | role::RECEIVER, role::NAMED, role::UNNAMED);
    let of_first = [role::GENESIS, paid | named, unnamed, named, unnamed];
    assert_eq!(log(Subject::Key(public(1))), of_first);
}

#[test]
fn a_name_is_paid_for_and_that_of_a_peer_is_for_its_payout_key() {
    let mut chain = TestChain::new();
    let kind = |name: &str, to| Kind::Name {
        name: named(name),
        to: public(to),
        from: None,
    };
    let free = sign(Body::of(kind("anna", 1)), &[&signer(1)], &chain.chain()).unwrap();
    let checked = check_alone(bytes(&free), &chain.chain());
    assert_eq!(checked.fault(), Some(&Reason::NoInputs));
    // The peers are called a to d.
    let squatter = of_name(&chain, chain.coin(0), "b", 1, None);
    let peer = of_name(&chain, chain.coin(0), "b", 113, None);
    let executed = chain.run(&[&squatter, &peer]);
    let wanted = [Outcome::rejected(Reason::NameReserved), Outcome::Applied];
    assert_eq!(outcomes(&executed), wanted);
    // What it does with it is its own affair.
    let over = of_name(&chain, chain.coin(1), "b", 1, Some(holder(public(113), 0)));
    assert_eq!(outcomes(&chain.run(&[&over])), [Outcome::Applied]);
    assert_eq!(held(&chain, "b", 2), Some(public(1)));
}

#[test]
fn a_pruned_ledger_proves_the_holder_of_every_name_and_restores() {
    let mut chain = TestChain::new();
    let register = of_name(&chain, chain.coin(0), "anna", 1, None);
    chain.run(&[&register]);
    let over = of_name(&chain, chain.coin(1), "anna", 2, Some(holder(public(1), 0)));
    chain.run(&[&over]);
    for _ in 0..3 {
        chain.run(&[]);
    }
    crate::prune::tests::pruned(&mut chain, 4);
    let restored = Ledger::restore(&chain.genesis, &chain.rows).unwrap();
    chain.ledger = restored.unwrap();
    for block in [2, 5] {
        assert_eq!(held(&chain, "anna", block), Some(public(2)));
    }
    let name = named("anna");
    let refused = chain.ledger.name(&name, height(1), &chain.rows);
    let (found, first) = (height(1), height(4));
    assert_eq!(refused, Err(Error::Pruned { found, first }));
    let back = of_name(&chain, chain.coin(2), "anna", 1, Some(holder(public(2), 1)));
    assert_eq!(outcomes(&chain.run(&[&back])), [Outcome::Applied]);
    assert_eq!(held(&chain, "anna", 6), Some(public(1)));
}

#[test]
fn a_changed_row_of_a_holder_stops_the_peer_instead_of_letting_another_hand_the_name_over() {
    let mut chain = TestChain::new();
    let register = of_name(&chain, chain.coin(0), "anna", 1, None);
    chain.run(&[&register]);
    let name = named("anna");
    let key = (Table::Meta, crate::rows::holder_key(&name.position()));
    for thief in [holder(public(2), 0), holder(public(1), 1)] {
        chain.rows.0.insert(key.clone(), bytes(&thief));
        let over = of_name(&chain, chain.coin(1), "anna", 2, Some(thief));
        assert_eq!(stops(&mut chain, &over), Error::TwoHolders { name });
    }
}
