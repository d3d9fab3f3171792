//! The three strict thresholds of stake (C3) and the share worth a warning (C1); nothing else in the
//! project compares shares of stake.

use crate::planted::{self, Bug};
use crate::units::Stake;

/// A strict share of the whole stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Threshold {
    /// `3 * part > whole`: at least one honest peer is among them.
    Third,
    /// `2 * part > whole`.
    Half,
    /// `3 * part > 2 * whole`: two such sets share an honest peer.
    Quorum,
}

impl Threshold {
    /// Whether `part` of `whole` is strictly more than this share. Rule C3.
    #[must_use]
    pub fn is_met(self, part: Stake, whole: Stake) -> bool {
        let (part, whole) = (u128::from(part.get()), u128::from(whole.get()));
        // Two 64-bit numbers times at most 3 stay far inside 128 bits.
        let (times, of) = match self {
            Self::Third => (3, 1),
            Self::Half => (2, 1),
            Self::Quorum if planted::has(Bug::QuorumOfHalf) => (2, 1),
            Self::Quorum => (3, 2),
        };
        part.saturating_mul(times) > whole.saturating_mul(of)
    }
}

/// Whether `part` is under nine tenths of `whole`: stake that is left out is worth a warning. Rule C1.
#[must_use]
pub fn is_under_nine_tenths(part: Stake, whole: Stake) -> bool {
    let (part, whole) = (u128::from(part.get()), u128::from(whole.get()));
    part.saturating_mul(10) < whole.saturating_mul(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_tenths_are_enough_and_one_less_is_not() {
        for (part, whole, under) in [
            (9, 10, false),
            (8, 10, true),
            (90, 101, true),
            (0, 0, false),
        ] {
            let found = is_under_nine_tenths(Stake::new(part), Stake::new(whole));
            assert_eq!(found, under, "{part}/{whole}");
        }
    }

    #[test]
    fn thresholds_are_strict_at_their_edge_and_one_past_it() {
        let check = |threshold: Threshold, part, whole, met| {
            let got = threshold.is_met(Stake::new(part), Stake::new(whole));
            assert_eq!(got, met, "{threshold:?} {part}/{whole}");
        };
        for (whole, third, half, quorum) in
            [(24, 9, 13, 17), (3, 2, 2, 3), (4, 2, 3, 3), (1, 1, 1, 1)]
        {
            for (threshold, least) in [
                (Threshold::Third, third),
                (Threshold::Half, half),
                (Threshold::Quorum, quorum),
            ] {
                check(threshold, least - 1, whole, false);
                check(threshold, least, whole, true);
                check(threshold, whole, whole, true);
            }
        }
        check(Threshold::Quorum, u64::MAX / 3 * 2, u64::MAX, false);
        check(Threshold::Quorum, u64::MAX / 3 * 2 + 1, u64::MAX, true);
        check(Threshold::Third, 0, 0, false);
    }
}
