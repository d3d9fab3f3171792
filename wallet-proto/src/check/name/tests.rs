use ledger::tx::Body as TransactionBody;
use merkle::proof::span::EntrySpan;
use primitives::codec::List;

use super::*;
use crate::Request;
use crate::check::{history, record};
use crate::reply::{Code, History, SpanAnswer};
use crate::request::Page;
use crate::test_chain::{TestChain, genesis, public};

const OWNER: u8 = 50;

/// In block 1 a name is registered, in block 2 nothing happens, in block 3 it is handed over and in
/// block 4 it goes to a third key and a fourth.
fn chain() -> TestChain {
    let mut chain = TestChain::new(genesis(OWNER, &[100, 50, 40, 30]));
    let coins = chain.coins(OWNER);
    let named =
        |chain: &TestChain, coin: usize, from, to| chain.name(&coins[coin], "anna", from, to);
    let register = named(&chain, 0, None, OWNER);
    chain.settle(&[register]);
    chain.settle(&[]);
    let over = named(&chain, 1, Some((OWNER, 0)), 51);
    chain.settle(&[over]);
    let third = named(&chain, 2, Some((51, 1)), 52);
    let fourth = named(&chain, 3, Some((52, 2)), 53);
    chain.settle(&[third, fourth]);
    chain
}

fn anna() -> Name {
    "anna".parse().unwrap()
}

fn bert() -> Name {
    "bert".parse().unwrap()
}

fn ask(chain: &TestChain, name: Name, height: Option<u64>) -> Answer {
    let height = height.map(Height::new);
    chain.answer(&Request::Name { name, height }).unwrap()
}

fn verdict(chain: &TestChain, height: Option<u64>, answer: &Answer) -> Result<ProvenName, Error> {
    let trust = Trust::new(&chain.genesis).unwrap();
    name(&anna(), height.map(Height::new), answer, &trust)
}

fn given(answer: &mut Answer) -> &mut SpanAnswer {
    let Body::Name(given) = &mut answer.body else {
        panic!("another body than of a name");
    };
    given
}

#[test]
fn the_holder_of_a_name_is_proven_as_of_every_block() {
    let chain = chain();
    let owner = Some((OWNER, 0));
    let holders = [None, owner, owner, Some((51, 1)), Some((53, 3))];
    let wanted = |held: Option<(u8, u64)>| held.map(|(key, number)| (public(key), number));
    let found = |proven: ProvenName| proven.held.map(|(it, _)| (it.key, it.number));
    for (height, held) in (0..).zip(holders) {
        let answer = ask(&chain, anna(), Some(height));
        let proven = verdict(&chain, Some(height), &answer).unwrap();
        assert_eq!(found(proven), wanted(held), "block {height}");
    }
    let proven = verdict(&chain, None, &ask(&chain, anna(), None)).unwrap();
    assert_eq!(found(proven), wanted(holders[4]));
    let trust = Trust::new(&chain.genesis).unwrap();
    let proven = name(&bert(), None, &ask(&chain, bert(), None), &trust).unwrap();
    assert_eq!(proven.held, None);
    let (name, height) = (anna(), Some(Height::new(5)));
    let refusal = chain.answer(&Request::Name { name, height }).unwrap_err();
    assert_eq!(refusal.code, Code::TooEarly);
}

#[test]
fn an_answer_for_another_block_or_name_or_above_the_certified_block_is_refused() {
    let chain = chain();
    for height in 0..=4 {
        let answer = ask(&chain, anna(), Some(height));
        for other in (0..=4).filter(|other| *other != height) {
            // What it says of another block is true, or it is refused.
            if let Ok(found) = verdict(&chain, Some(other), &answer) {
                let honest = ask(&chain, anna(), Some(other));
                assert_eq!(Ok(found), verdict(&chain, Some(other), &honest));
            }
        }
        let (found, last) = (Height::new(5), Height::new(4));
        let late = verdict(&chain, Some(5), &answer);
        assert_eq!(late, Err(Error::AfterSnapshot { found, last }));
        let other = ask(&chain, bert(), Some(height));
        verdict(&chain, Some(height), &other).unwrap_err();
    }
}

#[test]
fn a_holder_that_is_withheld_made_up_or_outdated_is_refused() {
    let chain = chain();
    let honest = ask(&chain, anna(), None);
    let mut hidden = honest.clone();
    given(&mut hidden).body = None;
    let height = Height::new(4);
    let refused = verdict(&chain, None, &hidden);
    assert_eq!(refused, Err(Error::NameLog { height }));
    let body = given(&mut honest.clone()).body.take().unwrap();
    let mut invented = ask(&chain, anna(), Some(0));
    given(&mut invented).body = Some(body.clone());
    let height = Height::ZERO;
    let refused = verdict(&chain, Some(0), &invented);
    assert_eq!(refused, Err(Error::NameLog { height }));
    let mut changed = honest;
    let memo = Some(primitives::Digest([9; 32]));
    given(&mut changed).body = Some(Box::new(TransactionBody { memo, ..*body }));
    let refused = verdict(&chain, None, &changed).unwrap_err().to_string();
    assert!(refused.starts_with("transaction: "), "{refused}");
    // The holder of block 3 is none of block 4, also where its successor is left out.
    let outdated = ask(&chain, anna(), Some(3));
    verdict(&chain, None, &outdated).unwrap_err();
    let mut cut = outdated;
    let EntrySpan::Entries { range, .. } = &mut given(&mut cut).span else {
        panic!("{cut:?}")
    };
    range.entries = List::new(range.entries[..1].to_vec()).unwrap();
    for height in [Some(3), None] {
        verdict(&chain, height, &cut).unwrap_err();
    }
}

#[test]
fn every_transaction_of_a_name_is_proven_and_none_can_be_withheld() {
    let chain = chain();
    let trust = Trust::new(&chain.genesis).unwrap();
    let (of, page) = (Subject::Name(anna()), Page::All);
    let answer = chain.answer(&Request::History { of, page }).unwrap();
    let all = history(&of, page, &answer, &trust).unwrap();
    assert_eq!((all.entries.len(), all.first), (4, 0));
    for missing in 0..4 {
        let mut forged = answer.clone();
        let Body::History(History::All(given)) = &mut forged.body else {
            panic!("{forged:?}")
        };
        let mut entries = given.entries.to_vec();
        entries.remove(missing);
        given.entries = List::new(entries).unwrap();
        history(&of, page, &forged, &trust).unwrap_err();
    }
    for other in [Subject::Key(public(OWNER)), Subject::Name(bert())] {
        history(&other, page, &answer, &trust).unwrap_err();
    }
    let answer = chain.answer(&Request::Record { of }).unwrap();
    let proven = record(&of, &answer, &trust).unwrap();
    assert_eq!(proven.record.map(|record| record.count), Some(4));
}
