use ledger::tx::Body as TransactionBody;
use merkle::proof::span::EntrySpan;
use primitives::codec::List;

use super::*;
use crate::Request;
use crate::reply::SpanAnswer;
use crate::test_chain::{TestChain, genesis, public};

const OWNER: u8 = 50;
const HASH: Digest = Digest([9; 32]);

/// In block 1 the owner pays and commits, in block 2 it does nothing, in block 3 it pays, and in
/// block 4 it commits again.
fn chain() -> TestChain {
    let mut chain = TestChain::new(genesis(OWNER, &[100, 50]));
    let coins = chain.coins(OWNER);
    let payment = chain.payment(OWNER, &coins[..1], public(51), 30);
    let (first, stranger) = (chain.commit(OWNER, HASH), chain.commit(51, Digest([7; 32])));
    let second = chain.commit(OWNER, Digest([8; 32]));
    chain.settle(&[payment, first, second.clone(), stranger]);
    chain.settle(&[]);
    let payment = chain.payment(OWNER, &coins[1..], public(51), 30);
    chain.settle(&[payment]);
    chain.settle(&[second]);
    chain
}

fn ask(chain: &TestChain, seed: u8, height: u64) -> Answer {
    let (key, height) = (public(seed), Height::new(height));
    chain.answer(&Request::Commit { key, height }).unwrap()
}

fn verdict(chain: &TestChain, seed: u8, height: u64, answer: &Answer) -> Result<KeyCommit, Error> {
    let trust = Trust::new(&chain.genesis).unwrap();
    commit(&public(seed), Height::new(height), answer, &trust)
}

fn given(answer: &mut Answer) -> &mut SpanAnswer {
    let Body::Commit(given) = &mut answer.body else {
        panic!("another body than of a commit");
    };
    given
}

#[test]
fn the_only_commit_of_a_key_in_each_block_is_proven_or_that_it_made_none() {
    let chain = chain();
    let cases = [
        (OWNER, 0, None),
        (OWNER, 1, Some(HASH)),
        (OWNER, 2, None),
        (OWNER, 3, None),
        (OWNER, 4, Some(Digest([8; 32]))),
        (51, 1, Some(Digest([7; 32]))),
        (51, 3, None),
        (99, 1, None),
    ];
    for (seed, height, wanted) in cases {
        let proven = verdict(&chain, seed, height, &ask(&chain, seed, height)).unwrap();
        let found = proven.commit.map(|commit| commit.hash);
        assert_eq!(found, wanted, "key {seed}, block {height}");
    }
    let refusal = chain.answer(&Request::Commit {
        key: public(OWNER),
        height: Height::new(5),
    });
    assert_eq!(refusal.unwrap_err().code, crate::reply::Code::TooEarly);
}

#[test]
fn an_answer_for_another_block_or_key_or_above_the_certified_block_is_refused() {
    let chain = chain();
    for height in 0..=4 {
        let answer = ask(&chain, OWNER, height);
        for other in (0..=4).filter(|other| *other != height) {
            // A span may say as much of a second block; then it says what is true of that.
            if let Ok(found) = verdict(&chain, OWNER, other, &answer) {
                let wanted = verdict(&chain, OWNER, other, &ask(&chain, OWNER, other));
                assert_eq!(Ok(found), wanted, "{height} for {other}");
            }
        }
        verdict(&chain, 51, height, &answer).unwrap_err();
        let (found, last) = (Height::new(5), Height::new(4));
        let late = verdict(&chain, OWNER, 5, &answer);
        assert_eq!(late, Err(Error::AfterSnapshot { found, last }));
    }
}

#[test]
fn a_commit_that_is_withheld_doubled_or_made_up_is_refused() {
    let chain = chain();
    let honest = ask(&chain, OWNER, 1);
    let Some(body) = given(&mut honest.clone()).body.take() else {
        panic!("{honest:?}")
    };
    let mut hidden = honest.clone();
    given(&mut hidden).body = None;
    let refused = verdict(&chain, OWNER, 1, &hidden);
    let (found, height) = (1, Height::new(1));
    assert_eq!(refused, Err(Error::Commits { found, height }));
    let mut invented = ask(&chain, OWNER, 2);
    given(&mut invented).body = Some(body.clone());
    let refused = verdict(&chain, OWNER, 2, &invented);
    let (found, height) = (0, Height::new(2));
    assert_eq!(refused, Err(Error::Commits { found, height }));
    let mut other = honest.clone();
    given(&mut other).body = Some(Box::new(TransactionBody {
        memo: Some(HASH),
        ..*body
    }));
    let refused = verdict(&chain, OWNER, 1, &other).unwrap_err();
    assert!(
        refused.to_string().starts_with("transaction: "),
        "{refused}"
    );
    let count = given(&mut honest.clone()).span.entries().len();
    assert_eq!(
        count, 4,
        "the genesis, a payment, the commit, and the next payment"
    );
    for index in 0..count {
        for doubled in [false, true] {
            let mut forged = honest.clone();
            let EntrySpan::Entries { range, .. } = &mut given(&mut forged).span else {
                panic!("{forged:?}")
            };
            let mut entries = range.entries.to_vec();
            if doubled {
                entries.insert(index, entries[index]);
            } else {
                entries.remove(index);
            }
            range.entries = List::new(entries).unwrap();
            verdict(&chain, OWNER, 1, &forged).unwrap_err();
        }
    }
}
