//! The parameters of a chain, and which heights make up an epoch.

use primitives::codec::{Canonical, Decode, Encode};
use primitives::units::{Amount, Epoch, Height, Time};

use crate::error::Error;

/// The parameters of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Parameters {
    /// How many blocks a snapshot of stake is older than the epoch it counts for, at least 1 (C2).
    pub lag: u64,
    /// Blocks of one epoch, at least 1 (C30).
    pub period: u64,
    /// The least fee of a transaction that spends coin.
    pub fee_min: Amount,
    /// Whether `Data` transactions without inputs are applied.
    pub data_free: bool,
    /// Whether new coin can be made; version 1 knows no way to, so it must be false.
    pub mint: bool,
    /// The time of the genesis block, below which no block time falls (C29a).
    pub time: Time,
    /// The least spacing of rounds in milliseconds (C35).
    pub round_ms_min: u64,
    /// The shortest wait for slow roots in milliseconds (C34).
    pub wait_ms_min: u64,
    /// The longest wait for slow roots while blocks settle, in milliseconds (C34).
    pub wait_ms_max: u64,
}

/// A period that no chain outlives: for chains that keep the committee of their genesis.
pub const ONE_EPOCH: u64 = 1 << 40;

impl Default for Parameters {
    /// The values of the design: snapshots 1,000 to 5,095 blocks old, epochs of 4,096, waits of 50
    /// to 250 ms, rounds at least 5 ms apart; data costs coin.
    fn default() -> Self {
        Self {
            lag: 1_000,
            period: 4_096,
            fee_min: Amount::new(1),
            data_free: false,
            mint: false,
            time: Time::ZERO,
            round_ms_min: 5,
            wait_ms_min: 50,
            wait_ms_max: 250,
        }
    }
}

impl Canonical for Parameters {
    const BYTES_MAX: usize = 7 * 8 + 2;
}

impl Parameters {
    /// The epoch of `height`: `max(0, floor((height - lag) / period))`. Rule C30.
    #[must_use]
    pub fn epoch_of(&self, height: Height) -> Epoch {
        let blocks = height.since(Height::new(self.lag));
        Epoch::new(blocks.checked_div(self.period).unwrap_or(0))
    }

    /// The first height of `epoch`: `lag + period * epoch`, and 0 for epoch 0. Rule C30.
    #[must_use]
    pub fn first_height(&self, epoch: Epoch) -> Height {
        if epoch == Epoch::ZERO {
            return Height::ZERO;
        }
        self.snapshot_height(epoch).later(self.lag)
    }

    /// The last height of `epoch`, whose block seals it. Rule C30.
    #[must_use]
    pub fn last_height(&self, epoch: Epoch) -> Height {
        self.first_height(epoch.later(1)).earlier(1)
    }

    /// The height whose stake counts in `epoch`: `period * epoch`. Rule C2.
    #[must_use]
    pub const fn snapshot_height(&self, epoch: Epoch) -> Height {
        Height::new(self.period.saturating_mul(epoch.get()))
    }

    /// Whether stake is kept as it is after the block at `height`. Rule C2.
    #[must_use]
    pub(crate) fn is_snapshot(&self, height: Height) -> bool {
        height.get().checked_rem(self.period) == Some(0)
    }

    /// A period of at least 1 lets epochs end. A lag of at least 1 puts every snapshot at or before
    /// the block that chooses the committee from it, so that it is of settled state (C2).
    pub(super) const fn check(&self) -> Result<(), Error> {
        if self.lag == 0 || self.period == 0 {
            return Err(Error::Epochs {
                lag: self.lag,
                period: self.period,
            });
        }
        if self.mint {
            return Err(Error::Mint);
        }
        if self.wait_ms_min > self.wait_ms_max {
            return Err(Error::Waits {
                least: self.wait_ms_min,
                most: self.wait_ms_max,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
