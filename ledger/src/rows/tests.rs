use super::*;
use crate::test_chain::{TestChain, check_golden, height};
use primitives::units::Amount;

fn created() -> Created {
    Created {
        outpoint: Outpoint {
            transaction: Digest([1; 32]),
            index: 2,
        },
        output: Output::new(PublicKey([3; 32]), Amount::new(4)),
        height: height(5),
    }
}

fn entry() -> LogEntry {
    LogEntry {
        txid: Digest([1; 32]),
        block: height(2),
        index: 3,
        role: role::SPENDER | role::RECEIVER,
    }
}

#[test]
fn every_encoding_is_golden() {
    let spent = Spent {
        txid: Digest([7; 32]),
        block: height(8),
        input: 9,
    };
    check_golden(&created(), "");
    let spent = OutputRow {
        created: created(),
        spent: Some(spent),
    };
    check_golden(&spent, "");
    check_golden(&PositionRow { position: 5 }, "");
    let transaction = TransactionRow {
        id: Digest([1; 32]),
        witness_digest: Digest([2; 32]),
        outcome: Outcome::Applied,
        bytes: Bytes::new(vec![3, 4]).unwrap(),
    };
    check_golden(&transaction, "");
    let place = Place {
        height: height(5),
        index: 6,
    };
    check_golden(&place, "");
    let log = KeyLogRow {
        entry: entry(),
        nodes: List::new(vec![Digest([5; 32])]).unwrap(),
        outputs: List::new(vec![7, 8]).unwrap(),
    };
    check_golden(&log, "");
    let head = HeadRow {
        height: height(3),
        root: Digest([4; 32]),
    };
    check_golden(&head, "");
    let leaves = List::new(vec![Digest([6; 32])]).unwrap();
    check_golden(&LeavesRow { leaves }, "");
    let stakes = List::new(vec![(PublicKey([1; 32]), Stake::new(2))]).unwrap();
    check_golden(&StakeRow { stakes }, "");
}

#[test]
fn key_and_block_rows_of_the_genesis_are_golden() {
    let chain = TestChain::new();
    let row = |table| {
        let row = chain.rows.0.iter().find(|((it, _), _)| *it == table);
        row.unwrap().1.clone()
    };
    let key: KeyRow = codec::decode(&row(Table::Key)).unwrap();
    check_golden(&key, "");
    let block: BlockRow = codec::decode(&row(Table::Block)).unwrap();
    check_golden(&block, "");
}

#[test]
fn a_commitment_binds_chain_name_coin_and_birth() {
    let chain = Digest([9; 32]);
    let base = created();
    let mut others = [base; 7];
    others[0].outpoint.transaction = Digest([2; 32]);
    others[1].outpoint.index = 3;
    others[2].output.owner = PublicKey([4; 32]);
    others[3].output.amount = Amount::new(5);
    others[4].output.host = Some(PublicKey([3; 32]));
    others[5].height = height(6);
    let digests = others.iter().map(|it| it.commitment(&chain).unwrap());
    let mut digests: std::collections::BTreeSet<_> = digests.collect();
    // The last of the seven is the base itself.
    assert_eq!(digests.len(), 7);
    digests.insert(base.commitment(&Digest::ZERO).unwrap());
    assert_eq!(digests.len(), 8);
    assert_eq!(base.commitment(&chain).unwrap().to_string(), "");
    assert_eq!(key_position(&PublicKey([1; 32])).to_string(), "");
}

#[test]
fn keys_sort_as_the_numbers_they_hold() {
    let outpoint = |index| Outpoint {
        transaction: Digest([1; 32]),
        index,
    };
    let place = |height, index| {
        place_key(Place {
            height: Height::new(height),
            index,
        })
    };
    assert!(position_key(255) < position_key(256));
    assert!(outpoint_key(&outpoint(255)) < outpoint_key(&outpoint(256)));
    assert!(place(1, u32::MAX) < place(2, 0));
    assert!(log_key(&Digest::ZERO, 255) < log_key(&Digest::ZERO, 256));
}
