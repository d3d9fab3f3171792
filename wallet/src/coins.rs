//! Which coins a payment spends: the same choice for the same coins on every machine.

use ledger::tx::draft::Coin;
use primitives::limits;
use primitives::units::Amount;

/// The fewest coins that give at least `wanted`: such as count as nobody's stake first, then by
/// amount descending, ties by outpoint. None if all together give less.
#[must_use]
pub fn select(coins: &[Coin], wanted: Amount) -> Option<Vec<Coin>> {
    let mut sorted = coins.to_vec();
    sorted.sort_by_key(|coin| {
        let output = &coin.output;
        (
            output.host.is_some(),
            std::cmp::Reverse(output.amount),
            coin.outpoint,
        )
    });
    let mut sum = Amount::ZERO;
    let mut chosen = Vec::new();
    for coin in sorted.into_iter().take(limits::INPUTS_MAX) {
        if sum >= wanted && !chosen.is_empty() {
            break;
        }
        sum = sum.plus(coin.output.amount).ok()?;
        chosen.push(coin);
    }
    (sum >= wanted && !chosen.is_empty()).then_some(chosen)
}

#[cfg(test)]
mod tests;
