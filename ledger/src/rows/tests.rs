use super::*;
use crate::test_chain::{TestChain, check_golden, check_text, height};
use crate::tx::Holder;
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
    check_golden(&created(), "89 bytes aa7ac62b");
    let spent = OutputRow {
        created: created(),
        spent: Some(spent),
    };
    check_golden(&spent, "134 bytes c56c290e");
    check_golden(&PositionRow { position: 5 }, "8 bytes 69313d1f");
    let transaction = TransactionRow {
        id: Digest([1; 32]),
        witness_digest: Digest([2; 32]),
        outcome: Outcome::Applied,
        bytes: Bytes::new(vec![3, 4]).unwrap(),
    };
    check_golden(&transaction, "74 bytes 22eddc08");
    let place = Place {
        height: height(5),
        index: 6,
    };
    check_golden(&place, "12 bytes 7b3fd668");
    let transaction = Digest([1; 32]);
    check_golden(&ConvictionRow { transaction, place }, "44 bytes 38243b3c");
    let (key, number) = (PublicKey([1; 32]), 2);
    check_golden(&Holder { key, number }, "40 bytes 63798df8");
    let log = EntryRow {
        entry: entry(),
        nodes: List::new(vec![Digest([5; 32])]).unwrap(),
        outputs: List::new(vec![7, 8]).unwrap(),
    };
    check_golden(&log, "101 bytes 5b12b1ec");
    let head = HeadRow {
        height: height(3),
        root: Digest([4; 32]),
    };
    check_golden(&head, "40 bytes c1626373");
    let leaves = List::new(vec![Digest([6; 32])]).unwrap();
    check_golden(&LeavesRow { leaves }, "36 bytes 9ac6ae7f");
    let stakes = List::new(vec![(PublicKey([1; 32]), Stake::new(2))]).unwrap();
    check_golden(&StakeRow { stakes }, "44 bytes ff3bf2a4");
    let member = Member {
        peer_key: PublicKey([1; 32]),
        event_key: PublicKey([2; 32]),
        stake: Stake::new(3),
    };
    let committee = CommitteeRow::choose(vec![member]).unwrap().unwrap();
    check_golden(&committee, "85 bytes 8b5f282a");
}

#[test]
fn key_and_block_rows_of_the_genesis_are_golden() {
    let chain = TestChain::new();
    let row = |table| {
        let row = chain.rows.0.iter().find(|((it, _), _)| *it == table);
        row.unwrap().1.clone()
    };
    let key: RecordRow = codec::decode(&row(Table::Key)).unwrap();
    check_golden(&key, "88 bytes 3a48f22e");
    let block: BlockRow = codec::decode(&row(Table::Block)).unwrap();
    check_golden(&block, "398 bytes 4ccb76d6");
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
    check_text(
        &base.commitment(&chain).unwrap().to_string(),
        "1286bce69a6da187ac1bc16a12df142e3cdd712596e77ff7aa130d3451c7b67e",
    );
    check_text(
        &key_position(&PublicKey([1; 32])).to_string(),
        "d4c0f25450938a795cc1f7f0b7d4d7cf538b49afe68a8d61d01fd71f1b289515",
    );
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
