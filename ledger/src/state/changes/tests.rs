use super::*;
use crate::test_chain::TestChain;

#[test]
fn a_block_that_makes_or_loses_coin_is_an_error() {
    let chain = TestChain::new();
    let mut changes = Changes::new(&chain.ledger, Height::new(1));
    (changes.created, changes.spent) = (7, 7);
    assert_eq!(changes.check_supply(&chain.ledger), Ok(()));
    for (created, spent, found) in [(8, 7, 16_001), (7, 8, 15_999), (0, 20_000, u128::MAX)] {
        (changes.created, changes.spent) = (created, spent);
        let wanted = 16_000;
        let error = Error::Supply { found, wanted };
        assert_eq!(changes.check_supply(&chain.ledger), Err(error));
    }
}
