use super::*;
use crate::outcome::{Outcome, Reason};
use crate::rows::{role, transaction_leaf};
use crate::test_chain::{TestChain, bytes, genesis, height, public};
use crate::tx::{Transaction, check_alone};
use merkle::log::Frontier;
use merkle::proof::output::OutputStatus;
use merkle::proof::transaction::BlockTransactions;
use merkle::top::State;
use primitives::codec::{self, Canonical};
use primitives::units::Amount;

/// Five blocks: each moves owner 1's change on and touches others; one conflict in block 3.
fn chain() -> (TestChain, Vec<Transaction>) {
    let mut chain = TestChain::new();
    let mut coin = chain.coin(0);
    let mut transfers = Vec::new();
    for number in 1..=5_u8 {
        let left = 1_000 - 100 * u64::from(number);
        let transfer = chain.transfer(&[coin], &[(1, left), (number + 1, 90)]);
        let rival = chain.transfer(&[coin], &[(8, left)]);
        let other = chain.transfer(&[chain.coin(u32::from(number))], &[(7, 500), (7, 400)]);
        if number == 3 {
            chain.run(&[&transfer, &rival, &other]);
            transfers.push(rival);
        } else {
            chain.run(&[&transfer, &other]);
        }
        coin = chain.coin_of(&transfer, 0);
        transfers.push(transfer);
    }
    (chain, transfers)
}

/// Checks that `proof` verifies, and does not with any one byte changed, nor under another state.
pub(crate) fn check<T: Canonical>(
    chain: &TestChain,
    proof: &T,
    verify: impl Fn(&T, &State) -> bool,
) {
    let state = chain.ledger.state();
    assert!(verify(proof, &state));
    let other = State {
        root: Digest([1; 32]),
        ..state
    };
    assert!(!verify(proof, &other));
    let good = bytes(proof);
    for position in 0..good.len() {
        for bit in [1, 0x80] {
            let mut bad = good.clone();
            bad[position] ^= bit;
            let accepted = codec::decode::<T>(&bad).is_ok_and(|bad| verify(&bad, &state));
            assert!(!accepted, "byte {position} of {}", good.len());
        }
    }
}

#[test]
fn a_transaction_is_proven_with_its_outcome_under_the_header_of_its_block() {
    let (chain, transfers) = chain();
    let ledger = &chain.ledger;
    for transfer in &transfers {
        let id = transfer.id(&chain.chain()).unwrap();
        let found = ledger.transaction(&id, &chain.rows).unwrap().unwrap();
        let checked = check_alone(found.row.bytes.to_vec(), &chain.chain());
        assert_eq!(checked.transaction(), Some(transfer));
        assert_eq!(checked.witness_digest(), &found.row.witness_digest);
        let block = BlockTransactions {
            root: found.header.transactions,
            count: found.header.transaction_count,
        };
        let leaf = |outcome| {
            let keys = ledger.tree_keys();
            transaction_leaf(keys, checked.id(), checked.witness_digest(), &outcome).unwrap()
        };
        let verify = |proof: &TransactionInclusion, leaf| {
            proof
                .verify(&block, &[leaf])
                .is_ok_and(|included| included.len() == 1 && included[0].index == found.place.index)
        };
        let good = leaf(found.row.outcome);
        assert!(verify(&found.inclusion, good));
        assert!(!verify(
            &found.inclusion,
            leaf(Outcome::rejected(Reason::NotOwner))
        ));
        let encoded = bytes(&found.inclusion);
        for position in 0..encoded.len() {
            let mut bad = encoded.clone();
            bad[position] ^= 1;
            let bad = codec::decode::<TransactionInclusion>(&bad);
            assert!(!bad.is_ok_and(|bad| verify(&bad, good)), "byte {position}");
        }
    }
    let unknown = ledger.transaction(&Digest::ZERO, &chain.rows).unwrap();
    assert_eq!(unknown, None);
}

#[test]
fn a_loser_is_found_with_the_winner() {
    let (chain, transfers) = chain();
    let [rival, winner] = [2, 3].map(|index| transfers[index].id(&chain.chain()).unwrap());
    let found = chain
        .ledger
        .transaction(&rival, &chain.rows)
        .unwrap()
        .unwrap();
    let lost = Outcome::Rejected {
        reason: Reason::SpentInput { input: 0 },
        winner: Some(winner),
    };
    assert_eq!(found.row.outcome, lost);
    assert_eq!(found.place.height, height(3));
}

#[test]
fn the_status_of_every_output_is_proven() {
    let (chain, transfers) = chain();
    let ledger = &chain.ledger;
    let coins = [
        chain.coin(0),
        chain.coin(15),
        chain.coin_of(&transfers[0], 0),
        chain.coin_of(&transfers[0], 1),
    ];
    let spent = [true, false, true, false];
    for (coin, spent) in coins.iter().zip(spent) {
        let found = ledger.output(&coin.outpoint, &chain.rows).unwrap().unwrap();
        assert_eq!(found.created.output, coin.output);
        let commitment = found.created.commitment(&chain.chain()).unwrap();
        let wanted = found.proof.spent.map_or(
            OutputStatus::Unspent { as_of: height(5) },
            OutputStatus::Spent,
        );
        assert_eq!(found.proof.spent.is_some(), spent);
        check(&chain, &found.proof, |proof, state| {
            proof.verify(ledger.tree_keys(), &commitment, state) == Ok(wanted)
        });
    }
    let mut unknown = coins[0].outpoint;
    unknown.index = 16;
    assert_eq!(ledger.output(&unknown, &chain.rows), Ok(None));
}

#[test]
fn presence_and_absence_of_a_key_are_proven() {
    let (chain, _) = chain();
    let keys = chain.ledger.tree_keys();
    for (owner, count) in [(1, Some(6)), (8, Some(1)), (50, None)] {
        let at = Subject::Key(public(owner)).position();
        let proof = chain.ledger.record(&at, &chain.rows).unwrap();
        let record = proof.record;
        assert_eq!(record.map(|record| record.count), count);
        check(&chain, &proof, |proof, state| {
            proof.verify(keys, &at, state) == Ok(record)
        });
    }
}

#[test]
fn all_entries_and_the_newest_are_proven_complete() {
    let (chain, transfers) = chain();
    let (ledger, keys, key) = (&chain.ledger, chain.ledger.tree_keys(), public(1));
    let at = Subject::Key(key).position();
    let all = ledger.history(&at, &chain.rows).unwrap();
    let roles: Vec<_> = all.entries.iter().map(|entry| entry.role).collect();
    let moved = role::SPENDER | role::RECEIVER;
    assert_eq!(roles, [role::GENESIS, moved, moved, moved, moved, moved]);
    let newest = all.entries.last().unwrap();
    assert_eq!(newest.txid, transfers[5].id(&chain.chain()).unwrap());
    check(&chain, &all, |proof, state| {
        proof
            .verify(keys, &at, state)
            .is_ok_and(|it| it.entries.len() == 6)
    });
    for wanted in 0..=7 {
        let recent = ledger.history_recent(&at, wanted, &chain.rows).unwrap();
        let due = usize::try_from(wanted.min(6)).unwrap();
        assert_eq!(*recent.entries, all.entries[6 - due..]);
        check(&chain, &recent, |proof, state| {
            proof
                .verify(keys, &at, wanted, state)
                .is_ok_and(|it| it.entries.len() == due)
        });
    }
    let nobody = ledger
        .history(&Subject::Key(public(50)).position(), &chain.rows)
        .unwrap();
    assert!(nobody.entries.is_empty());
}

#[test]
fn pages_follow_one_another_without_a_gap() {
    let mut genesis = genesis();
    genesis.parameters.fee_min = Amount::ZERO;
    let mut chain = TestChain::of(genesis);
    let mut coin = chain.coin(0);
    // Two entries of genesis outputs are one; two full pages and a part of a third follow.
    for _ in 0..25 {
        let mut transfers = Vec::new();
        for _ in 0..100 {
            let transfer = chain.transfer(&[coin], &[(1, 1_000)]);
            coin = chain.coin_of(&transfer, 0);
            transfers.push(transfer);
        }
        chain.run(&transfers.iter().collect::<Vec<_>>());
    }
    let (ledger, rows, key) = (&chain.ledger, &chain.rows, public(1));
    let (keys, at, state) = (
        ledger.tree_keys(),
        Subject::Key(key).position(),
        ledger.state(),
    );
    assert!(ledger.history(&at, rows).is_err());
    assert!(ledger.history_recent(&at, 1_025, rows).is_err());
    let mut known = Frontier::new();
    let mut lengths = Vec::new();
    loop {
        let page = ledger.history_from(&at, known.size(), rows).unwrap();
        let page = page.verify(keys, &at, &known, &state).unwrap();
        lengths.push(page.entries.len());
        known = page.frontier;
        if page.remaining == 0 {
            break;
        }
    }
    assert_eq!(lengths, [1_024, 1_024, 453]);
    // From anywhere: the verifier's own frontier comes from the entries before.
    for first in [1, 2, 7, 255, 256, 1_000, 1_476, 1_477, 1_478, 2_500, 2_501] {
        let recent = ledger
            .history_recent(&at, 1_024.min(2_501 - first), rows)
            .unwrap();
        assert!(
            recent
                .verify(keys, &at, 1_024.min(2_501 - first), &state)
                .is_ok()
        );
        let log = ledger.log(&at, rows).unwrap().1;
        let before = log.frontier(first).unwrap();
        let page = ledger.history_from(&at, first, rows).unwrap();
        let page = page.verify(keys, &at, &before, &state);
        assert_eq!(
            page.unwrap().entries[..],
            log.entries(first, 1_024).unwrap(),
            "{first}"
        );
    }
    assert!(ledger.history_from(&at, 2_502, rows).is_err());
    let first = ledger
        .outputs_of(&key, OutputCursor::default(), rows)
        .unwrap();
    assert_eq!(first.outputs.len(), 1_024);
    let second = ledger.outputs_of(&key, first.next.unwrap(), rows).unwrap();
    assert_eq!(second.outputs[0].0, first.outputs[1_023].0 + 1);
}

#[test]
fn a_page_in_the_middle_fails_with_any_byte_flipped() {
    let (chain, _) = chain();
    let (ledger, keys, key) = (&chain.ledger, chain.ledger.tree_keys(), public(1));
    let at = Subject::Key(key).position();
    let log = ledger.log(&at, &chain.rows).unwrap().1;
    for first in 0..6 {
        let before = log.frontier(first).unwrap();
        let mut proof = ledger.history_from(&at, first, &chain.rows).unwrap();
        let page = first..first + 1;
        proof.entries = codec::List::new(log.entries(page.start, 1).unwrap()).unwrap();
        proof.rest = log.consistency(page.end).unwrap();
        check(&chain, &proof, |proof, state| {
            let page = proof.verify(keys, &at, &before, state);
            page.is_ok_and(|it| it.entries.len() == 1)
        });
    }
}

#[test]
fn the_entries_of_a_block_and_the_newest_up_to_it_are_those_of_a_scan() {
    let mut genesis = genesis();
    genesis.parameters.fee_min = Amount::ZERO;
    let mut chain = TestChain::of(genesis);
    let mut coin = chain.coin(0);
    for count in [3, 0, 1, 0, 0, 6, 2, 0] {
        let mut transfers = Vec::new();
        for _ in 0..count {
            let transfer = chain.transfer(&[coin], &[(1, 1_000)]);
            coin = chain.coin_of(&transfer, 0);
            transfers.push(transfer);
        }
        chain.run(&transfers.iter().collect::<Vec<_>>());
        check_spans(&chain);
    }
}

fn check_spans(chain: &TestChain) {
    let (ledger, keys, rows) = (&chain.ledger, chain.ledger.tree_keys(), &chain.rows);
    let state = ledger.state();
    for at in [1, 2, 99].map(|seed| Subject::Key(public(seed)).position()) {
        let all = ledger.history(&at, rows).unwrap().entries.into_vec();
        for block in (0..=state.height.get()).map(height) {
            let span = ledger.entries_of_block(&at, block, rows).unwrap();
            let mut of_block = all.clone();
            of_block.retain(|entry| entry.block == block);
            assert_eq!(span.of_block(keys, &at, block, &state), Ok(of_block));
            let span = ledger.newest_entry(&at, block, rows).unwrap();
            let newest = all.iter().rfind(|entry| entry.block <= block).copied();
            assert_eq!(span.newest(keys, &at, block, &state), Ok(newest));
        }
    }
}

#[test]
fn earlier_blocks_are_proven_ancestors() {
    let (chain, _) = chain();
    let (ledger, keys) = (&chain.ledger, chain.ledger.tree_keys());
    for number in 0..5 {
        let number = height(number);
        let (header, proof) = ledger
            .block_inclusion(number, height(5), &chain.rows)
            .unwrap();
        assert_eq!(header.height, number);
        let root = header.root().unwrap();
        check(&chain, &proof, |proof, state| {
            proof.verify(keys, number, &root.0, state).is_ok()
        });
        let proof = ledger.block_consistency(number, &chain.rows).unwrap();
        let old = State {
            height: number,
            root: header.state,
        };
        check(&chain, &proof, |proof, state| {
            proof.verify(keys, &old, state).is_ok()
        });
    }
    let (found, last) = (height(5), height(5));
    let refused = ledger.block_inclusion(found, last, &chain.rows);
    assert_eq!(refused, Err(Error::UnknownHeight { found, last }));
}

#[test]
fn earlier_blocks_are_proven_under_any_later_one() {
    let (chain, _) = chain();
    let (ledger, keys) = (&chain.ledger, chain.ledger.tree_keys());
    for (number, under) in
        [(0, 1), (0, 4), (1, 3), (3, 4), (2, 5)].map(|(a, b)| (height(a), height(b)))
    {
        let (header, proof) = ledger.block_inclusion(number, under, &chain.rows).unwrap();
        let row: BlockRow = demand(&chain.rows, Table::Block, &height_key(under)).unwrap();
        let state = State {
            height: under,
            root: row.header.state,
        };
        let root = header.root().unwrap();
        proof.verify(keys, number, &root.0, &state).unwrap();
    }
    for (number, under) in [(3, 3), (3, 2)] {
        let refused = ledger.block_inclusion(height(number), height(under), &chain.rows);
        assert!(refused.is_err(), "{number} under {under}");
    }
}

#[test]
fn the_outputs_of_a_key_are_listed_with_their_status() {
    let (chain, _) = chain();
    let page = |key, from| {
        chain
            .ledger
            .outputs_of(&public(key), from, &chain.rows)
            .unwrap()
    };
    let first = page(1, OutputCursor::default());
    assert_eq!(first.next, None);
    let unspent = first.outputs.iter().filter(|(_, row)| row.spent.is_none());
    let amounts: Vec<_> = unspent
        .map(|(_, row)| row.created.output.amount.get())
        .collect();
    assert_eq!(amounts, [1_000, 500]);
    assert_eq!(first.outputs.len(), 7);
    let later = OutputCursor {
        entry: 0,
        offset: 1,
    };
    assert_eq!(page(1, later).outputs, first.outputs[1..]);
    assert!(page(50, OutputCursor::default()).outputs.is_empty());
}
