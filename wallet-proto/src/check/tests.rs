use ledger::tx::Outpoint;
use ledger::{Outcome, Reason};
use merkle::log::Frontier;
use merkle::proof::output::OutputStatus;
use primitives::Digest;
use primitives::units::{Amount, Epoch, Height};

use super::*;
use crate::request::Request;
use crate::test_chain::{TestChain, genesis, public};

const OWNER: u8 = 50;
const OTHER: u8 = 51;

/// Two payments of the owner in block 1, of which the second loses, and an empty block 2.
fn chain() -> (TestChain, Digest, Digest) {
    let mut chain = TestChain::new(genesis(OWNER, &[100, 50]));
    let coins = chain.coins(OWNER);
    let first = chain.payment(OWNER, &coins[..1], public(OTHER), 30);
    let second = chain.payment(OWNER, &coins, public(60), 20);
    chain.settle(&[first.clone(), second.clone()]);
    chain.settle(&[]);
    let ids = (chain.id(&first), chain.id(&second));
    (chain, ids.0, ids.1)
}

fn trust(chain: &TestChain) -> Trust {
    Trust::new(&chain.genesis).unwrap()
}

#[test]
fn the_genesis_block_is_certified_by_the_genesis_alone() {
    let chain = TestChain::new(genesis(OWNER, &[100]));
    let answer = chain.answer(&Request::Head).unwrap();
    let certified = head(&answer, &trust(&chain)).unwrap();
    assert_eq!(
        (certified.height(), certified.percent()),
        (Height::ZERO, 100)
    );
    let other = TestChain::new(genesis(OWNER, &[101]));
    let refused = head(&answer, &trust(&other)).unwrap_err();
    assert!(refused.to_string().starts_with("snapshot: "), "{refused}");
}

#[test]
fn a_settled_transaction_is_proven_with_its_outcome() {
    let (chain, first, second) = chain();
    let answer = chain.answer(&Request::Transaction { id: first }).unwrap();
    let settled = transaction(&first, &answer, &trust(&chain)).unwrap();
    assert_eq!(settled.outcome, Outcome::Applied);
    assert_eq!((settled.header.height, settled.index), (Height::new(1), 0));
    assert_eq!(settled.as_of.height(), Height::new(2));
    let answer = chain.answer(&Request::Transaction { id: second }).unwrap();
    let lost = transaction(&second, &answer, &trust(&chain)).unwrap();
    let expected = Outcome::Rejected {
        reason: Reason::SpentInput { input: 0 },
        winner: Some(first),
    };
    assert_eq!(lost.outcome, expected);
}

#[test]
fn a_history_is_complete_and_its_pages_join() {
    let (mut chain, first, _) = chain();
    let key = public(OWNER);
    let all = Request::History {
        of: Subject::Key(key),
        page: Page::All,
    };
    let answer = chain.answer(&all).unwrap();
    let proven = history(&Subject::Key(key), Page::All, &answer, &trust(&chain)).unwrap();
    assert_eq!(proven.first, 0);
    assert_eq!(proven.entries.len(), 2, "the genesis and one payment");
    assert_eq!(proven.entries[1].txid, first);

    let from = |index| Request::History {
        of: Subject::Key(key),
        page: Page::From { index, count: 1 },
    };
    let answer = chain.answer(&from(0)).unwrap();
    let page = history_page(
        &Subject::Key(key),
        &Frontier::new(),
        &answer,
        &trust(&chain),
    )
    .unwrap();
    assert_eq!((page.page.entries.len(), page.page.remaining), (2, 0));
    let coins = chain.coins(OWNER);
    let next = chain.payment(OWNER, &coins[1..], public(OTHER), 5);
    chain.settle(std::slice::from_ref(&next));
    let answer = chain.answer(&from(2)).unwrap();
    let page = history_page(
        &Subject::Key(key),
        &page.page.frontier,
        &answer,
        &trust(&chain),
    )
    .unwrap();
    let ids: Vec<_> = page.page.entries.iter().map(|entry| entry.txid).collect();
    assert_eq!(ids, [chain.id(&next)]);

    let newest = Page::Newest { count: 1 };
    let answer = chain
        .answer(&Request::History {
            of: Subject::Key(key),
            page: newest,
        })
        .unwrap();
    let proven = history(&Subject::Key(key), newest, &answer, &trust(&chain)).unwrap();
    assert_eq!((proven.first, proven.entries.len()), (2, 1));
}

#[test]
fn a_key_without_transactions_is_proven_to_have_none() {
    let (chain, ..) = chain();
    let key = public(77);
    let request = Request::History {
        of: Subject::Key(key),
        page: Page::All,
    };
    let answer = chain.answer(&request).unwrap();
    let proven = history(&Subject::Key(key), Page::All, &answer, &trust(&chain)).unwrap();
    assert!(proven.entries.is_empty());
    let other = history(
        &Subject::Key(public(OWNER)),
        Page::All,
        &answer,
        &trust(&chain),
    );
    assert!(other.is_err(), "an absence shown for another key");
}

#[test]
fn an_output_is_proven_unspent_or_spent() {
    let (chain, first, _) = chain();
    let check = |outpoint: Outpoint| {
        let answer = chain.answer(&Request::Output { outpoint }).unwrap();
        output(&outpoint, &answer, &trust(&chain)).unwrap()
    };
    let paid = check(Outpoint {
        transaction: first,
        index: 0,
    });
    assert_eq!(paid.created.output.amount, Amount::new(30));
    let as_of = Height::new(2);
    assert_eq!(paid.status, OutputStatus::Unspent { as_of });
    let spent = check(chain.coins(OWNER)[0].outpoint);
    let OutputStatus::Spent(spent) = spent.status else {
        panic!("{:?}", spent.status)
    };
    assert_eq!((spent.txid, spent.block), (first, Height::new(1)));
}

#[test]
fn blocks_continue_one_another_and_another_past_is_named() {
    let (chain, ..) = chain();
    for old in 0..=2 {
        let old = Height::new(old);
        let root = chain.snapshots[usize::try_from(old.get()).unwrap()]
            .header
            .root()
            .unwrap();
        let answer = chain.answer(&Request::Consistency { old }).unwrap();
        let certified = consistency(old, &root, &answer, &trust(&chain)).unwrap();
        assert_eq!(certified.height(), Height::new(2));
        let refused = consistency(old, &Digest::ZERO, &answer, &trust(&chain)).unwrap_err();
        assert!(refused.to_string().starts_with("block: "), "{refused}");
        let answer = chain.answer(&Request::Block { height: old }).unwrap();
        let known = block(old, &answer, &trust(&chain)).unwrap();
        assert_eq!(known.root, root);
        let refused = block(old.later(1), &answer, &trust(&chain)).unwrap_err();
        assert!(matches!(refused, Error::OtherHeight { .. }), "{refused}");
    }
}

#[test]
fn a_wallet_follows_the_committees_over_sealing_blocks() {
    let (mut chain, ..) = chain();
    while chain.ledger.height() < Height::new(9) {
        chain.settle(&[]);
    }
    let mut trust = trust(&chain);
    let answer = chain.answer(&Request::Head).unwrap();
    let refused = head(&answer, &trust).unwrap_err();
    assert!(matches!(refused, Error::UnknownEpoch { .. }), "{refused}");
    for epoch in 1..=2 {
        let epoch = Epoch::new(epoch);
        let answer = chain.answer(&Request::Committee { epoch }).unwrap();
        let mut forged = answer.clone();
        if let Body::Committee(members) = &mut forged.body {
            let mut fewer = members.members.to_vec();
            fewer.pop();
            members.members = primitives::codec::List::new(fewer).unwrap();
        }
        let refused = committee(forged, &mut trust).unwrap_err();
        assert!(refused.to_string().starts_with("handover: "), "{refused}");
        committee(answer, &mut trust).unwrap();
    }
    assert_eq!(head(&answer, &trust).unwrap().height(), Height::new(9));
}

#[test]
fn whoever_lies_is_refused_with_the_failing_part() {
    let (chain, first, _) = chain();
    let trust = trust(&chain);
    let key = public(OWNER);
    let all = Request::History {
        of: Subject::Key(key),
        page: Page::All,
    };
    let honest = chain.answer(&all).unwrap();
    let judge =
        |answer: &Answer| history(&Subject::Key(key), Page::All, answer, &trust).unwrap_err();

    let mut few = honest.clone();
    few.snapshot = chain.certify(honest.snapshot.header, &[0, 1]);
    let refused = judge(&few).to_string();
    let part = "where more than two thirds is due";
    assert!(
        refused.starts_with("certificate: stake") && refused.ends_with(part),
        "{refused}"
    );

    let mut state = honest.clone();
    state.snapshot.header.state = Digest::ZERO;
    assert_eq!(judge(&state), Error::Signatures { signers: 4 });

    // Even with every signature right, another state root shows in the proof.
    let mut header = honest.snapshot.header;
    header.state = Digest::ZERO;
    state.snapshot = chain.certify(header, &[0, 1, 2, 3]);
    let refused = judge(&state).to_string();
    assert!(refused.starts_with("history: state root"), "{refused}");

    let mut missing = honest;
    if let Body::History(History::All(all)) = &mut missing.body {
        let entries = all.entries[1..].to_vec();
        all.entries = primitives::codec::List::new(entries).unwrap();
    }
    let refused = judge(&missing).to_string();
    assert_eq!(refused, "history: key log: 1 entries where 2 were due");

    let other = TestChain::new(genesis(OWNER, &[100, 51]));
    let elsewhere = other.answer(&all).unwrap();
    let refused = judge(&elsewhere).to_string();
    assert!(refused.starts_with("snapshot: "), "{refused}");

    let given = chain.answer(&Request::Transaction { id: first }).unwrap();
    let refused = transaction(&Digest::ZERO, &given, &trust).unwrap_err();
    assert!(
        refused.to_string().starts_with("transaction: "),
        "{refused}"
    );
    assert_eq!(head(&given, &trust), Err(Error::OtherKind));
}

/// A chain in which the owner pays once in each of four blocks: five entries with the genesis.
fn four_payments() -> TestChain {
    let mut chain = TestChain::new(genesis(OWNER, &[100; 4]));
    for coin in chain.coins(OWNER) {
        let payment = chain.payment(OWNER, &[coin], public(OTHER), 30);
        chain.settle(&[payment]);
    }
    chain
}

fn without(entries: &[LogEntry], index: usize) -> Vec<LogEntry> {
    let mut fewer = entries.to_vec();
    fewer.remove(index);
    fewer
}

#[test]
fn withholding_any_one_entry_of_any_page_is_caught() {
    let chain = four_payments();
    let (trust, key) = (trust(&chain), public(OWNER));
    let listed = |entries: Vec<LogEntry>| primitives::codec::List::new(entries).unwrap();
    let pages = [
        (Page::All, 5),
        (Page::Newest { count: 4 }, 4),
        (Page::From { index: 0, count: 3 }, 3),
        (Page::From { index: 0, count: 9 }, 5),
    ];
    for (page, held) in pages {
        let honest = chain
            .answer(&Request::History {
                of: Subject::Key(key),
                page,
            })
            .unwrap();
        let verdict = |answer: &Answer| match page {
            Page::From { .. } => history_page(&Subject::Key(key), &Frontier::new(), answer, &trust)
                .map(|page| page.page.entries),
            Page::All | Page::Newest { .. } => {
                history(&Subject::Key(key), page, answer, &trust).map(|proven| proven.entries)
            }
        };
        let count = verdict(&honest).unwrap().len();
        assert!(count >= held, "{page:?}: {count}");
        for index in 0..count {
            let mut liar = honest.clone();
            let Body::History(history) = &mut liar.body else {
                panic!("{:?}", liar.body)
            };
            match history {
                History::All(all) => all.entries = listed(without(&all.entries, index)),
                History::Newest(newest) => newest.entries = listed(without(&newest.entries, index)),
                History::From(from) => from.entries = listed(without(&from.entries, index)),
            }
            assert!(verdict(&liar).is_err(), "{page:?} without entry {index}");
        }
    }
}

#[test]
fn an_output_is_unspent_from_its_making_until_it_is_spent_and_never_both() {
    let chain = four_payments();
    let trust = trust(&chain);
    let last = chain.ledger.height().get();
    for (spender, coin) in (1..).zip(chain.coins(OWNER)) {
        let request = Request::Output {
            outpoint: coin.outpoint,
        };
        let answer = chain.answer(&request).unwrap();
        let known = output(&coin.outpoint, &answer, &trust).unwrap();
        for height in 0..=last {
            let status = known.status_at(Height::new(height)).unwrap();
            match status {
                StatusAt::NotYet => panic!("made in the genesis"),
                StatusAt::Unspent => assert!(height < spender, "{height}"),
                StatusAt::Spent(spent) => {
                    assert_eq!(spent.block, Height::new(spender));
                    assert!(height >= spender, "{height}");
                }
            }
        }
        assert!(known.status_at(Height::new(last + 1)).is_err());
    }
}
