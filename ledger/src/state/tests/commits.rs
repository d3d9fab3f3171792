//! A key commits at most once in a block.

use primitives::codec::List;

use super::*;
use crate::subject::Subject;
use crate::tx::{Kind, check_alone};

fn commit(chain: &TestChain, seed: u8, number: u8) -> Transaction {
    let (key, hash) = (public(seed), Digest([number; 32]));
    let body = Body::of(Kind::Commit { key, hash });
    sign(body, &[&signer(seed)], &chain.chain()).unwrap()
}

#[test]
fn a_key_commits_once_in_a_block_and_the_first_wins() {
    let mut chain = TestChain::new();
    let [first, second, other] = [(1, 1), (1, 2), (2, 1)].map(|(seed, number)| {
        let transaction = commit(&chain, seed, number);
        assert_eq!(
            check_alone(bytes(&transaction), &chain.chain()).fault(),
            None
        );
        transaction
    });
    let executed = chain.run(&[&first, &second, &other, &first]);
    let wanted = [
        Outcome::Applied,
        rejected_by(Reason::SecondCommit, &first, &chain),
        Outcome::Applied,
        rejected_by(Reason::Duplicate, &first, &chain),
    ];
    assert_eq!(outcomes(&executed), wanted);
    // In the next block it is free to say more, but nothing twice.
    let executed = chain.run(&[&first, &second]);
    let again = rejected_by(Reason::Duplicate, &first, &chain);
    assert_eq!(outcomes(&executed), [again, Outcome::Applied]);
    let stats = chain.ledger.stats();
    assert_eq!((stats.commits_applied, stats.rejected), (3, 3));
}

#[test]
fn only_the_key_itself_commits_and_a_rejected_commit_uses_up_nothing() {
    let mut chain = TestChain::new();
    let right = commit(&chain, 1, 1);
    let id = chain.chain();
    let by = |signers: &[&dyn Signer]| sign(right.body.clone(), signers, &id).unwrap();
    let forged = [by(&[]), by(&[&signer(2)])];
    let expired = Body {
        valid_until: Some(height(0)),
        ..commit(&chain, 1, 2).body
    };
    let expired = sign(expired, &[&signer(1)], &chain.chain()).unwrap();
    let executed = chain.run(&[&forged[0], &forged[1], &expired, &right]);
    let valid_until = height(0);
    let wanted = [
        Outcome::rejected(Reason::NotOwner),
        Outcome::rejected(Reason::NotOwner),
        Outcome::rejected(Reason::Expired { valid_until }),
        Outcome::Applied,
    ];
    assert_eq!(outcomes(&executed), wanted);
    let extra = by(&[&signer(1), &signer(2)]);
    let checked = check_alone(bytes(&extra), &chain.chain());
    assert_eq!(checked.fault(), Some(&Reason::ExtraWitness { witness: 1 }));
}

#[test]
fn a_commit_may_pay_with_coin_of_its_own_and_of_others() {
    let mut chain = TestChain::of(Genesis {
        parameters: Parameters {
            data_free: false,
            ..genesis().parameters
        },
        ..genesis()
    });
    let free = commit(&chain, 1, 1);
    let paid = |seed: u8, coin: u32, signers: &[&dyn Signer]| {
        let body = Body {
            inputs: List::new(vec![chain.coin(coin).outpoint]).unwrap(),
            ..commit(&chain, seed, 2).body
        };
        sign(body, signers, &chain.chain()).unwrap()
    };
    // Coins 0 and 1 are those of owners 1 and 2.
    let own = paid(1, 0, &[&signer(1)]);
    let others = paid(1, 1, &[&signer(2), &signer(1)]);
    let unordered = paid(3, 2, &[&signer(1), &signer(3)]);
    let executed = chain.run(&[&free, &own]);
    let wanted = [Outcome::rejected(Reason::DataNotFree), Outcome::Applied];
    assert_eq!(outcomes(&executed), wanted);
    let executed = chain.run(&[&unordered, &others]);
    let wanted = [Outcome::rejected(Reason::NotOwner), Outcome::Applied];
    assert_eq!(outcomes(&executed), wanted);
    let log = chain
        .ledger
        .history(&Subject::Key(public(1)).position(), &chain.rows);
    let roles: Vec<_> = log.unwrap().entries.iter().map(|it| it.role).collect();
    let genesis = role::GENESIS;
    let both = role::SPENDER | role::COMMIT;
    assert_eq!(roles, [genesis, both, role::COMMIT]);
}
