use super::*;
use crate::outcome::Reason;
use crate::rows::{EntryRow, OutputRow, PositionRow, key_position, log_key, role};
use crate::test_chain::{TestChain, bytes, genesis, height, named, public, signer, unspent};
use crate::tx::{Body, Output, Taken, Transaction, TransferDraft, fee_transaction, sign};
use primitives::codec;
use primitives::keys::Signer;

mod commits;
mod epochs;
mod model;
mod names;
mod roots;
mod standing;

fn outcomes(executed: &Executed) -> Vec<Outcome> {
    executed
        .outcomes
        .iter()
        .map(|(_, outcome)| *outcome)
        .collect()
}

fn rejected_by(reason: Reason, winner: &Transaction, chain: &TestChain) -> Outcome {
    Outcome::Rejected {
        reason,
        winner: Some(winner.id(&chain.chain()).unwrap()),
    }
}

const SPENT: Reason = Reason::SpentInput { input: 0 };

#[test]
fn conflicting_spends_name_the_winner_in_one_block_and_across_blocks() {
    let mut chain = TestChain::new();
    let coin = chain.coin(0);
    let first = chain.transfer(&[coin], &[(2, 900)]);
    let second = chain.transfer(&[coin], &[(3, 900)]);
    let third = chain.transfer(&[coin, chain.coin(1)], &[(4, 900)]);
    let executed = chain.run(&[&first, &second]);
    let lost = rejected_by(SPENT, &first, &chain);
    assert_eq!(outcomes(&executed), [Outcome::Applied, lost]);
    let executed = chain.run(&[&third, &second]);
    assert_eq!(outcomes(&executed), [lost, lost]);
}

#[test]
fn a_copy_of_an_applied_transaction_is_a_duplicate_over_the_whole_chain() {
    let mut chain = TestChain::new();
    let transfer = chain.transfer(&[chain.coin(0)], &[(2, 900)]);
    let data = Transaction::unsigned(Body::data(1, vec![1, 2, 3]).unwrap());
    let other = Transaction::unsigned(Body::data(2, vec![1, 2, 3]).unwrap());
    let executed = chain.run(&[&transfer, &data, &data, &other]);
    let copied = rejected_by(Reason::Duplicate, &data, &chain);
    let applied = Outcome::Applied;
    assert_eq!(outcomes(&executed), [applied, applied, copied, applied]);
    let executed = chain.run(&[&data, &transfer]);
    let again = rejected_by(Reason::Duplicate, &transfer, &chain);
    assert_eq!(outcomes(&executed), [copied, again]);
    assert_eq!(chain.ledger.stats().duplicates, 3);
}

#[test]
fn a_chain_of_seventeen_dependent_transfers_applies_in_one_block() {
    let mut chain = TestChain::new();
    let mut coin = chain.coin(0);
    let mut all = Vec::new();
    for link in 1..=17_u8 {
        let owner = 1 + link % 8;
        let amount = 1_000 - 2 * u64::from(link);
        let transfer = chain.transfer(&[coin], &[(owner, amount)]);
        coin = chain.coin_of(&transfer, 0);
        all.push(transfer);
    }
    let executed = chain.run(&all.iter().collect::<Vec<_>>());
    assert_eq!(outcomes(&executed), [Outcome::Applied; 17]);
    let unspent = unspent(&chain.rows);
    assert_eq!(unspent.get(&coin.outpoint), Some(&coin.output));
    // Sixteen of genesis, one spent; sixteen of the chain came and went; the fee.
    assert_eq!(unspent.len(), 17);
}

#[test]
fn a_child_before_its_parent_misses_its_input_and_applies_later() {
    let mut chain = TestChain::new();
    let parent = chain.transfer(&[chain.coin(0)], &[(2, 900)]);
    let child = chain.transfer(&[chain.coin_of(&parent, 0)], &[(3, 800)]);
    let executed = chain.run(&[&child, &parent]);
    let missing = Outcome::rejected(Reason::MissingInput { input: 0 });
    assert_eq!(outcomes(&executed), [missing, Outcome::Applied]);
    assert_eq!(outcomes(&chain.run(&[&child])), [Outcome::Applied]);
}

#[test]
fn an_invalid_copy_ordered_first_does_not_bar_the_valid_one() {
    let mut chain = TestChain::new();
    let valid = chain.transfer(&[chain.coin(0)], &[(2, 900)]);
    let mut forged = valid.clone();
    let mut witness = forged.witnesses[0];
    witness.signature.0[5] ^= 1;
    forged.witnesses = codec::List::new(vec![witness]).unwrap();
    let stripped = Transaction::unsigned(valid.body.clone());
    let executed = chain.run(&[&forged, &stripped, &valid]);
    assert!(
        executed
            .outcomes
            .iter()
            .all(|(id, _)| *id == executed.outcomes[0].0)
    );
    let bad = Outcome::rejected(Reason::BadSignature { witness: 0 });
    let unsigned = Outcome::rejected(Reason::NotOwner);
    assert_eq!(outcomes(&executed), [bad, unsigned, Outcome::Applied]);
}

#[test]
fn each_rule_against_the_state_has_its_reason() {
    let mut chain = TestChain::new();
    let coin = chain.coin(0);
    let draft = |amount| TransferDraft {
        inputs: vec![coin],
        outputs: vec![Output::new(public(2), Amount::new(amount))],
        ..TransferDraft::default()
    };
    let (owner, thief) = (signer(1), signer(2));
    let sign_with = |draft: TransferDraft, key: &dyn Signer| {
        sign(draft.body().unwrap(), &[key], &chain.chain()).unwrap()
    };
    let expired = TransferDraft {
        valid_until: Some(height(0)),
        ..draft(900)
    };
    let last = TransferDraft {
        valid_until: Some(height(1)),
        ..draft(998)
    };
    let (inputs, outputs) = (Amount::new(1_000), Amount::new(1_001));
    let (fee, wanted) = (Amount::new(1), Amount::new(2));
    let until = height(0);
    let cases = [
        (sign_with(draft(900), &thief), Reason::NotOwner),
        (
            sign_with(draft(1_001), &owner),
            Reason::NotConserved { inputs, outputs },
        ),
        (
            sign_with(draft(999), &owner),
            Reason::FeeTooLow { fee, wanted },
        ),
        (
            sign_with(expired, &owner),
            Reason::Expired { valid_until: until },
        ),
    ];
    let good = sign_with(last, &owner);
    let mut all: Vec<_> = cases.iter().map(|(transaction, _)| transaction).collect();
    all.push(&good);
    let mut wanted: Vec<_> = cases.iter().map(|(_, it)| Outcome::rejected(*it)).collect();
    wanted.push(Outcome::Applied);
    assert_eq!(outcomes(&chain.run(&all)), wanted);
}

#[test]
fn data_costs_coin_where_it_is_not_free() {
    let mut genesis = genesis();
    genesis.parameters.data_free = false;
    let mut chain = TestChain::of(genesis);
    let free = Transaction::unsigned(Body::data(1, vec![7; 4_096]).unwrap());
    let owner = signer(1);
    let paid = |amount| {
        let transfer = chain.transfer(&[chain.coin(0)], &[(1, amount)]).body;
        let body = Body {
            kind: Body::data(1, vec![7; 4_096]).unwrap().kind,
            ..transfer
        };
        sign(body, &[&owner], &chain.chain()).unwrap()
    };
    let (fee, wanted) = (Amount::new(1), Amount::new(2));
    let expected = [
        Outcome::rejected(Reason::DataNotFree),
        Outcome::rejected(Reason::FeeTooLow { fee, wanted }),
        Outcome::Applied,
    ];
    assert_eq!(
        outcomes(&chain.run(&[&free, &paid(999), &paid(998)])),
        expected
    );
}

#[test]
fn all_fees_of_one_creator_become_one_output_to_its_payout_key() {
    let mut chain = TestChain::new();
    let transfers = [0, 1, 2].map(|coin| chain.transfer(&[chain.coin(coin)], &[(2, 990)]));
    let [one, two, three] = transfers.map(|transfer| bytes(&transfer));
    let mut block = chain.block(&[one]);
    let creators: Vec<_> = chain.genesis.peers.iter().map(|it| it.peer_key).collect();
    for (creator, transaction) in [(2, two), (0, three)] {
        let events = chain.block(&[transaction]).events.remove(0);
        block.events.push(OrderedEvent {
            creator: creators[creator],
            ..events
        });
    }
    let executed = chain.execute(block);
    assert_eq!(outcomes(&executed), [Outcome::Applied; 3]);
    let unspent = unspent(&chain.rows);
    for (peer, amount, index) in [(0, 20, 3), (2, 10, 4)] {
        let transaction = fee_transaction(&chain.chain(), height(1), &creators[peer]);
        let outpoint = crate::tx::Outpoint {
            transaction,
            index: 0,
        };
        let payout = chain.genesis.peers[peer].payout_key;
        let output = Output::new(payout, Amount::new(amount));
        assert_eq!(unspent.get(&outpoint), Some(&output));
        let key = log_key(&key_position(&payout), 0);
        let row = chain.rows.get(Table::KeyLog, &key).unwrap().unwrap();
        let entry = codec::decode::<EntryRow>(&row).unwrap().entry;
        assert_eq!((entry.txid, entry.role), (transaction, role::FEE));
        assert_eq!((entry.block, entry.index), (height(1), index));
    }
}

#[test]
fn a_key_gets_one_entry_for_each_transaction_that_touches_it() {
    let mut chain = TestChain::new();
    let own = chain.transfer(
        &[chain.coin(0), chain.coin(8)],
        &[(1, 5), (1, 6), (2, 1_900)],
    );
    chain.run(&[&own]);
    let entry = |owner, index| {
        let key = log_key(&key_position(&public(owner)), index);
        let row = chain.rows.get(Table::KeyLog, &key).unwrap();
        row.map(|row| codec::decode::<EntryRow>(&row).unwrap())
    };
    assert_eq!(entry(1, 0).unwrap().entry.role, role::GENESIS);
    assert_eq!(*entry(1, 0).unwrap().outputs, [0, 8]);
    let touched = entry(1, 1).unwrap();
    assert_eq!(touched.entry.role, role::SPENDER | role::RECEIVER);
    assert_eq!(*touched.outputs, [16, 17]);
    assert_eq!(entry(1, 2), None);
    assert_eq!(entry(2, 1).unwrap().entry.role, role::RECEIVER);
}

#[test]
fn one_block_executed_twice_gives_identical_bytes() {
    let mut chain = TestChain::new();
    let transfer = chain.transfer(&[chain.coin(0)], &[(2, 900)]);
    let block = chain.block(&[bytes(&transfer), vec![1]]);
    let preview = chain.ledger.preview(&block.events, &chain.rows).unwrap();
    let mut twin = chain.clone();
    let (one, two) = (chain.execute(block.clone()), twin.execute(block));
    assert_eq!(one, two);
    assert_eq!(bytes(&one.header), bytes(&two.header));
    assert_eq!(one.outcomes, preview);
}

#[test]
fn whatever_changes_in_a_block_changes_its_consensus_root() {
    let chain = TestChain::new();
    let transfer = chain.transfer(&[chain.coin(0)], &[(2, 900), (3, 50)]);
    let again = {
        let one = signer(1);
        one.sign(
            primitives::keys::Role::Event,
            &chain.chain(),
            &chain.chain(),
        );
        sign(transfer.body.clone(), &[&one], &chain.chain()).unwrap()
    };
    assert_ne!(transfer.witnesses, again.witnesses, "another nonce");
    let other = chain.transfer(&[chain.coin(0)], &[(2, 901), (3, 49)]);
    let hosted = {
        let mut draft = transfer.body.clone();
        let mut outputs = draft.outputs.to_vec();
        outputs[1].host = Some(chain.genesis.peers[0].peer_key);
        draft.outputs = codec::List::new(outputs).unwrap();
        sign(draft, &[&signer(1)], &chain.chain()).unwrap()
    };
    let data = Transaction::unsigned(Body::data(1, vec![1]).unwrap());
    let base = [bytes(&transfer), bytes(&data)];
    let [one, two] = base.clone();
    let lists = [
        vec![two.clone(), one.clone()],
        vec![one.clone()],
        vec![bytes(&again), two.clone()],
        vec![bytes(&other), two.clone()],
        vec![bytes(&hosted), two.clone()],
        vec![one.clone(), two.clone(), vec![0]],
        vec![one, two, vec![1]],
    ];
    let base = chain.block(&base);
    let mut blocks: Vec<_> = lists.iter().map(|list| chain.block(list)).collect();
    let digest = Digest([9; 32]);
    blocks.extend([
        Block {
            round: Round::new(1),
            ..base.clone()
        },
        Block {
            leader: digest,
            ..base.clone()
        },
        Block {
            time: Time::new(1),
            ..base.clone()
        },
        Block {
            seed: digest,
            ..base.clone()
        },
    ]);
    let mut other_creator = base.clone();
    other_creator.events[0].creator = chain.genesis.peers[1].peer_key;
    blocks.extend([other_creator, base]);
    let roots: std::collections::BTreeSet<_> = blocks
        .iter()
        .map(|block| chain.clone().execute(block.clone()).root)
        .collect();
    assert_eq!(roots.len(), blocks.len());
}

#[test]
fn a_block_that_does_not_follow_or_has_strangers_is_refused() {
    let mut chain = TestChain::new();
    let (found, wanted) = (height(2), height(1));
    let mut block = chain.block(&[]);
    block.height = found;
    let refused = chain.ledger.execute(block, &chain.rows);
    assert_eq!(refused, Err(Error::Height { found, wanted }));
    let (found, wanted) = (Epoch::new(1), Epoch::ZERO);
    let mut block = chain.block(&[]);
    block.epoch = found;
    let refused = chain.ledger.execute(block, &chain.rows);
    assert_eq!(refused, Err(Error::Epoch { found, wanted }));
    let mut block = chain.block(&[]);
    block.events[0].creator = public(1);
    let creator = public(1);
    let refused = chain.ledger.execute(block, &chain.rows).unwrap_err();
    assert_eq!(refused, Error::UnknownCreator { creator });
    assert_eq!(refused.culprit(), Some(&creator));
}

#[test]
fn an_empty_store_restores_nothing_and_another_genesis_is_refused() {
    let chain = TestChain::new();
    let empty = crate::test_chain::Rows::default();
    assert!(Ledger::restore(&chain.genesis, &empty).unwrap().is_none());
    let mut other = chain.genesis.clone();
    other.parameters.fee_min = Amount::new(3);
    let refused = Ledger::restore(&other, &chain.rows);
    assert!(matches!(refused, Err(Error::OtherChain { .. })));
}

#[test]
fn a_store_with_a_changed_or_lost_row_is_refused() {
    let mut chain = TestChain::new();
    let transfer = chain.transfer(&[chain.coin(0)], &[(2, 900)]);
    chain.run(&[&transfer]);
    chain.run(&[]);
    assert!(
        Ledger::restore(&chain.genesis, &chain.rows)
            .unwrap()
            .is_some()
    );
    let rebuilt_from = [Table::Output, Table::Key, Table::Block];
    let keys: Vec<_> = chain.rows.0.keys().cloned().collect();
    for key in keys
        .iter()
        .filter(|(table, _)| rebuilt_from.contains(table))
    {
        let mut lost = chain.rows.clone();
        lost.0.remove(key);
        let restored = Ledger::restore(&chain.genesis, &lost);
        assert!(restored.is_err(), "lost {key:?}");
        let mut changed = chain.rows.clone();
        changed.0.get_mut(key).unwrap()[33] ^= 1;
        let restored = Ledger::restore(&chain.genesis, &changed);
        assert!(restored.is_err(), "changed {key:?}");
    }
}

#[test]
fn coin_out_of_nothing_in_the_store_stops_the_peer() {
    let chain = TestChain::new();
    let mut rows = chain.rows;
    let key = (Table::Output, crate::rows::position_key(0));
    let mut row: OutputRow = codec::decode(&rows.0[&key]).unwrap();
    row.created.output.amount = Amount::new(1_001);
    rows.0.insert(key, bytes(&row));
    let (found, wanted) = (16_001, 16_000);
    let refused = Ledger::restore(&chain.genesis, &rows).unwrap_err();
    assert_eq!(refused, Error::Supply { found, wanted });
}

fn stops(chain: &mut TestChain, transaction: &Transaction) -> Error {
    let block = chain.block(&[bytes(transaction)]);
    chain.ledger.execute(block, &chain.rows).unwrap_err()
}

#[test]
fn a_changed_row_of_an_outpoint_stops_the_peer_instead_of_spending_another_output() {
    let mut chain = TestChain::new();
    let coin = chain.coin(0);
    let outpoint = coin.outpoint;
    let key = (Table::Outpoint, crate::rows::outpoint_key(&outpoint));
    chain
        .rows
        .0
        .insert(key, bytes(&PositionRow { position: 2 }));
    let found = chain.coin(2).outpoint;
    let wanted = Error::Misled { outpoint, found };
    let asked = chain.ledger.output(&outpoint, &chain.rows).unwrap_err();
    assert_eq!(asked, wanted);
    let spend = chain.transfer(&[coin], &[(1, 900)]);
    assert_eq!(stops(&mut chain, &spend), wanted);
}
