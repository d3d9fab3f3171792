use ledger::tx::{Outpoint, Output};
use primitives::Digest;
use primitives::keys::PublicKey;
use proptest::prelude::*;

use super::*;

fn coin(index: u32, amount: u64, hosted: bool) -> Coin {
    Coin {
        outpoint: Outpoint {
            transaction: Digest([1; 32]),
            index,
        },
        output: Output {
            host: hosted.then_some(PublicKey([9; 32])),
            ..Output::new(PublicKey([2; 32]), Amount::new(amount))
        },
    }
}

fn chosen(coins: &[Coin], wanted: u64) -> Option<Vec<u32>> {
    let chosen = select(coins, Amount::new(wanted))?;
    Some(chosen.iter().map(|coin| coin.outpoint.index).collect())
}

#[test]
fn the_largest_free_coins_come_first_and_stake_last() {
    let coins = [
        coin(0, 5, false),
        coin(1, 50, true),
        coin(2, 20, false),
        coin(3, 20, false),
    ];
    let cases = [
        (0, Some(vec![2])),
        (20, Some(vec![2])),
        (21, Some(vec![2, 3])),
        (45, Some(vec![2, 3, 0])),
        (46, Some(vec![2, 3, 0, 1])),
        (95, Some(vec![2, 3, 0, 1])),
        (96, None),
    ];
    for (wanted, expected) in cases {
        assert_eq!(chosen(&coins, wanted), expected, "{wanted}");
    }
    assert_eq!(chosen(&[], 0), None);
}

proptest! {
    #[test]
    fn the_choice_does_not_depend_on_the_order_of_the_coins(
        amounts in prop::collection::vec((0_u64..100, any::<bool>()), 0..20),
        wanted in 0_u64..800,
        turn in 0_usize..20,
    ) {
        let coin = |(index, (amount, hosted)): (u32, &(u64, bool))| coin(index, *amount, *hosted);
        let coins: Vec<_> = (0..).zip(&amounts).map(coin).collect();
        let mut turned = coins.clone();
        turned.rotate_left(turn.min(coins.len()));
        let here = select(&coins, Amount::new(wanted));
        prop_assert_eq!(&here, &select(&turned, Amount::new(wanted)));
        let whole: u64 = amounts.iter().map(|(amount, _)| amount).sum();
        prop_assert_eq!(here.is_some(), whole >= wanted && !coins.is_empty());
        let sum = |coins: &[Coin]| Amount::sum(coins.iter().map(|coin| coin.output.amount)).unwrap();
        if let Some(chosen) = here {
            prop_assert!(sum(&chosen) >= Amount::new(wanted));
            let but_last = &chosen[..chosen.len() - 1];
            prop_assert!(but_last.is_empty() || sum(but_last) < Amount::new(wanted));
        }
    }
}
