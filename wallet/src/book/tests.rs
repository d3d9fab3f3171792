use primitives::units::Height;

use super::*;

fn entry(id: u8, role: u8) -> LogEntry {
    LogEntry {
        txid: Digest([id; 32]),
        block: Height::new(1),
        index: 0,
        role,
    }
}

fn coin(id: u8, amount: u64) -> Coin {
    Coin {
        outpoint: Outpoint {
            transaction: Digest([id; 32]),
            index: 0,
        },
        output: Output::new(PublicKey([1; 32]), Amount::new(amount)),
    }
}

#[test]
fn coins_come_and_go_with_the_lines() {
    let mut book = Book::default();
    book.add(entry(1, role::GENESIS), &Effect::of_fee(coin(1, 30)))
        .unwrap();
    let effect = Effect {
        outputs: vec![coin(2, 20)],
        inputs: vec![coin(1, 30).outpoint, coin(9, 1).outpoint],
    };
    book.add(entry(2, role::SPENDER | role::RECEIVER), &effect)
        .unwrap();
    let line = book.lines().last().unwrap();
    assert_eq!(
        (line.received, line.spent),
        (Amount::new(20), Amount::new(30))
    );
    assert_eq!(book.unspent().collect::<Vec<_>>(), [coin(2, 20)]);
    assert_eq!(book.spender(&coin(1, 30).outpoint), Some(Digest([2; 32])));
    assert_eq!(book.spender(&coin(2, 20).outpoint), None);
    assert!(book.contains(&Digest([2; 32])) && !book.contains(&Digest([3; 32])));
}

#[test]
fn the_role_says_where_to_look() {
    let cases = [
        (role::GENESIS, Origin::Genesis),
        (role::FEE, Origin::Fee),
        (role::SPENDER, Origin::Transaction),
        (role::RECEIVER, Origin::Transaction),
        (role::SPENDER | role::RECEIVER, Origin::Transaction),
    ];
    for (role, origin) in cases {
        assert_eq!(Origin::of(&entry(1, role)), origin);
    }
}
