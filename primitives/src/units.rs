//! Checked newtypes for every number that has a meaning. Arithmetic is checked and named; there are
//! no operators and no conversions from bare numbers but `new`.

use core::fmt;
use core::iter;
use core::str::FromStr;

use crate::codec::{Decode, Encode};
use crate::error::Error;

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $text:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
        #[bincode(crate = "crate::codec::bincode")]
        pub struct $name(u64);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);
            /// The largest value.
            pub const MAX: Self = Self(u64::MAX);

            /// The unit of a bare number.
            #[must_use]
            pub const fn new(value: u64) -> Self {
                Self(value)
            }

            /// The bare number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The sum.
            ///
            /// # Errors
            /// [`Error::Overflow`] above 64 bits.
            pub fn plus(self, other: Self) -> Result<Self, Error> {
                self.0.checked_add(other.0).map(Self).ok_or(Error::Overflow { unit: $text })
            }

            /// The difference.
            ///
            /// # Errors
            /// [`Error::Overflow`] below zero.
            pub fn minus(self, other: Self) -> Result<Self, Error> {
                self.0.checked_sub(other.0).map(Self).ok_or(Error::Overflow { unit: $text })
            }

            /// The sum of all.
            ///
            /// # Errors
            /// [`Error::Overflow`] above 64 bits.
            pub fn sum(all: impl iter::IntoIterator<Item = Self>) -> Result<Self, Error> {
                all.into_iter().try_fold(Self::ZERO, Self::plus)
            }

            /// The value `steps` later, or the largest.
            #[must_use]
            pub const fn later(self, steps: u64) -> Self {
                Self(self.0.saturating_add(steps))
            }

            /// The value `steps` earlier, or zero.
            #[must_use]
            pub const fn earlier(self, steps: u64) -> Self {
                Self(self.0.saturating_sub(steps))
            }

            /// How far this lies above `other`, or zero.
            #[must_use]
            pub const fn since(self, other: Self) -> u64 {
                self.0.saturating_sub(other.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                text.parse().map(Self).map_err(|_| Error::InvalidNumber { unit: $text })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

unit!(
    /// Consensus weight: the coin hosted with a peer at the snapshot.
    Stake, "stake"
);
unit!(
    /// Coin, in its smallest unit.
    Amount, "amount"
);
unit!(
    /// The number of a block; genesis is 0, the first block 1.
    Height, "height"
);
unit!(
    /// A round of roots within an epoch.
    Round, "round"
);
unit!(
    /// The number of an event on its creator's self-chain within an epoch.
    Seq, "sequence number"
);
unit!(
    /// An epoch of the committee.
    Epoch, "epoch"
);
unit!(
    /// Claimed or measured wall-clock time in milliseconds since 1970.
    Time, "time"
);

impl From<Amount> for Stake {
    /// Coin hosted with a peer is its stake, one for one.
    fn from(amount: Amount) -> Self {
        Self(amount.0)
    }
}

/// The position of a peer in its epoch's committee (C1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub struct PeerIndex(pub u16);

impl PeerIndex {
    /// For indexing a committee-long list.
    #[must_use]
    pub fn position(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for PeerIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_differences_outside_64_bits_are_errors() {
        assert_eq!(Amount::new(2).plus(Amount::new(3)), Ok(Amount::new(5)));
        assert!(Amount::MAX.plus(Amount::new(1)).is_err());
        assert!(Amount::ZERO.minus(Amount::new(1)).is_err());
        assert!(Amount::sum([Amount::MAX, Amount::new(1)]).is_err());
    }
}
