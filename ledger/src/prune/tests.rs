use primitives::limits::PAGE_ENTRIES_MAX;

use super::*;
use crate::outcome::{Outcome, Reason};
use crate::state::Ledger;
use crate::subject::Subject;
use crate::test_chain::{TestChain, bytes, height, public};
use crate::tx::Transaction;

/// Five blocks, each with a payment of owner 1 and one that loses against it; the loser of block 1
/// is tried again in block 5.
fn chain() -> (TestChain, Vec<Transaction>, Vec<Transaction>) {
    let mut chain = TestChain::new();
    let mut coin = chain.coin(0);
    let (mut applied, mut rejected) = (Vec::new(), Vec::<Transaction>::new());
    for number in 1..=5_u64 {
        let left = 1_000 - 100 * number;
        let payment = chain.transfer(&[coin], &[(1, left), (2, 90)]);
        let rival = chain.transfer(&[coin], &[(8, left)]);
        let again: Vec<_> = rejected
            .first()
            .filter(|_| number == 5)
            .into_iter()
            .collect();
        chain.run(&[&[&payment, &rival][..], &again].concat());
        coin = chain.coin_of(&payment, 0);
        applied.push(payment);
        rejected.push(rival);
    }
    (chain, applied, rejected)
}

pub(crate) fn pruned(chain: &mut TestChain, first: u64) {
    let mark = KeptFrom {
        epoch: chain.genesis.parameters.epoch_of(height(first)),
        height: height(first),
    };
    let mut batch = Batch::new();
    mark.write(&mut batch).unwrap();
    chain.rows.write(&batch);
    loop {
        let batch = prune(&chain.rows, mark.height, 2).unwrap();
        if batch.is_empty() {
            return;
        }
        chain.rows.write(&batch);
    }
}

#[test]
fn transactions_below_the_mark_are_gone_and_the_rest_is_as_it_was() {
    let (whole, applied, rejected) = chain();
    let mut chain = whole.clone();
    pruned(&mut chain, 4);
    let ledger = &chain.ledger;
    for (index, payment) in applied.iter().enumerate() {
        let id = payment.id(&chain.chain()).unwrap();
        let found = ledger.transaction(&id, &chain.rows);
        let block = height(u64::try_from(index).unwrap() + 1);
        if block < height(4) {
            let (found_at, first) = (block, height(4));
            let pruned = || Error::Pruned {
                found: found_at,
                first,
            };
            assert_eq!(found, Err(pruned()));
            assert_eq!(ledger.transaction_body(&id, &chain.rows), Err(pruned()));
        } else {
            assert_eq!(found, whole.ledger.transaction(&id, &whole.rows));
        }
        let place = Place {
            height: block,
            index: 0,
        };
        let settled = ledger.settled(&id, &chain.rows).unwrap();
        assert_eq!(settled, Some((place, Outcome::Applied)));
    }
    // The first loser was tried again in a block that is kept; those of 2 and 3 are forgotten.
    let known = rejected.iter().map(|rival| {
        let id = rival.id(&chain.chain()).unwrap();
        ledger.settled(&id, &chain.rows).unwrap().is_some()
    });
    assert_eq!(known.collect::<Vec<_>>(), [true, false, false, true, true]);
    for owner in 1..=8 {
        let key = public(owner);
        let at = Subject::Key(key).position();
        let history = |chain: &TestChain| chain.ledger.history(&at, &chain.rows).unwrap();
        assert_eq!(history(&chain), history(&whole));
        let outputs = |chain: &TestChain| {
            let from = crate::query::OutputCursor::default();
            let page = chain.ledger.outputs_of(&key, from, &chain.rows).unwrap();
            assert!(page.outputs.len() < PAGE_ENTRIES_MAX);
            page.outputs
        };
        assert_eq!(outputs(&chain), outputs(&whole));
        for (_, row) in outputs(&chain) {
            let outpoint = &row.created.outpoint;
            let found = ledger.output(outpoint, &chain.rows).unwrap();
            assert_eq!(found, whole.ledger.output(outpoint, &whole.rows).unwrap());
        }
    }
    for block in 0..5 {
        let proof = |chain: &TestChain| {
            let under = chain.ledger.height();
            chain
                .ledger
                .block_inclusion(height(block), under, &chain.rows)
        };
        assert_eq!(proof(&chain), proof(&whole));
    }
}

#[test]
fn a_pruned_ledger_restores_and_goes_on_with_the_same_roots() {
    let (mut whole, applied, _) = chain();
    for first in 0..=5 {
        let mut chain = whole.clone();
        pruned(&mut chain, first);
        let restored = Ledger::restore(&chain.genesis, &chain.rows)
            .unwrap()
            .unwrap();
        assert_eq!(restored.root(), whole.ledger.root());
        chain.ledger = restored;
        // A copy of a transaction whose block is gone is still known for one.
        let next = chain.block(&[bytes(&applied[0])]);
        let mut other = whole.clone();
        let wanted = other.execute(next.clone());
        let executed = chain.execute(next);
        assert_eq!(executed.root, wanted.root);
        let reason = Reason::Duplicate;
        let winner = Some(applied[0].id(&chain.chain()).unwrap());
        assert_eq!(executed.outcomes[0].1, Outcome::Rejected { reason, winner });
    }
    pruned(&mut whole, 5);
    assert!(prune(&whole.rows, height(5), 100).unwrap().is_empty());
}
