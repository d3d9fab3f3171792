//! Pauses between dials, and the numbers that they and damaged links draw.

use std::time::Duration;

/// The first pause; short, so that peers started together meet within a second.
const FIRST_MS: u64 = 50;
/// The longest pause.
const LAST_MS: u64 = 2_000;

/// Pauses that double from 50 ms to 2 s, each shortened by up to half, drawn from a seed.
#[derive(Debug)]
pub(crate) struct Backoff {
    next_ms: u64,
    draws: Draws,
}

impl Backoff {
    pub(crate) const fn new(seed: u64) -> Self {
        Self {
            next_ms: FIRST_MS,
            draws: Draws::new(seed),
        }
    }

    /// Begins again with the shortest pause.
    pub(crate) const fn reset(&mut self) {
        self.next_ms = FIRST_MS;
    }

    /// The next pause.
    pub(crate) fn pause(&mut self) -> Duration {
        let half = self.next_ms / 2;
        self.next_ms = self.next_ms.saturating_mul(2).min(LAST_MS);
        Duration::from_millis(half + self.draws.draw() % (half + 1))
    }
}

/// Numbers drawn from a seed that need not be hard to guess: SplitMix64 (Steele, Lea, Flood 2014),
/// whose arithmetic is modulo 2^64.
#[derive(Debug)]
pub(crate) struct Draws {
    state: u64,
}

impl Draws {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub(crate) const fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests;
