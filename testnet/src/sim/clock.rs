//! Virtual time, and the clocks that processes see of it.

use std::ops::{Add, Sub};

use primitives::units::Time;
use replica::Now;
use serde::{Deserialize, Serialize};

/// What every honest wall clock shows when a run begins, in milliseconds since 1970.
pub const WALL_START_MS: u64 = 1_700_000_000_000;

/// Virtual time since the run began, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment(pub u64);

impl Moment {
    /// The beginning of the run.
    pub const ZERO: Self = Self(0);

    /// The moment this many milliseconds after the beginning.
    #[must_use]
    pub const fn at_ms(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// Whole milliseconds since the beginning.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.0 / 1_000
    }
}

impl Add<u64> for Moment {
    type Output = Self;

    /// The moment this many microseconds later.
    fn add(self, us: u64) -> Self {
        Self(self.0.saturating_add(us))
    }
}

impl Sub for Moment {
    type Output = u64;

    /// Microseconds from `other` to this moment, or zero.
    fn sub(self, other: Self) -> u64 {
        self.0.saturating_sub(other.0)
    }
}

/// How a clock of a process lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Skew {
    /// How far the wall clock is ahead, in milliseconds.
    pub step_ms: i64,
    /// How much faster both clocks run, in millionths.
    pub drift_ppm: i64,
    /// Whether the wall clock stands still.
    pub frozen: bool,
}

/// The clocks of one process: a monotonic one that begins at zero, and one that tells the date.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    started: Moment,
    skew: Skew,
    /// Since when `skew` holds.
    since: Moment,
    /// The monotonic time at `since`, in microseconds.
    mono_us: u64,
    /// How far the wall clock has drifted by `since`, in microseconds.
    drifted_us: i64,
}

impl Clock {
    /// Begins a new life of the process: the monotonic clock starts again, the wall clock goes on.
    pub fn restart(&mut self, at: Moment) {
        self.fold(at);
        (self.started, self.mono_us) = (at, 0);
    }

    /// From now on the clocks lie like this.
    pub fn lie(&mut self, skew: Skew, at: Moment) {
        self.fold(at);
        self.skew = skew;
    }

    /// Both clocks at this moment.
    #[must_use]
    pub fn now(&self, at: Moment) -> Now {
        let true_us = i64::try_from(at.0).unwrap_or(i64::MAX);
        let shown_us = if self.skew.frozen {
            i64::try_from(self.since.0).unwrap_or(i64::MAX)
        } else {
            true_us.saturating_add(drift(at - self.since, self.skew.drift_ppm))
        };
        let shown_ms = (shown_us.saturating_add(self.drifted_us) / 1_000)
            .saturating_add(self.skew.step_ms)
            .saturating_add(WALL_START_MS as i64);
        Now {
            mono_ms: self.mono(at) / 1_000,
            wall: Time::new(u64::try_from(shown_ms).unwrap_or(0)),
        }
    }

    /// When the monotonic clock will show `mono_ms`, or `at` if it does.
    #[must_use]
    pub fn when(&self, mono_ms: u64, at: Moment) -> Moment {
        let wanted = mono_ms.saturating_mul(1_000).saturating_sub(self.mono(at));
        let rate = u64::try_from(1_000_000 + self.skew.drift_ppm).unwrap_or(1_000_000);
        // Rounded up: a wake that comes too early would ask for another at the same time.
        let wait = (u128::from(wanted) * 1_000_000).div_ceil(u128::from(rate.max(1)));
        at + u64::try_from(wait).unwrap_or(u64::MAX)
    }

    fn mono(&self, at: Moment) -> u64 {
        let passed = at - self.since.max(self.started);
        let drifted = drift(passed, self.skew.drift_ppm);
        self.mono_us
            .saturating_add(passed)
            .saturating_add_signed(drifted)
    }

    fn fold(&mut self, at: Moment) {
        self.mono_us = self.mono(at);
        if !self.skew.frozen {
            let more = drift(at - self.since, self.skew.drift_ppm);
            self.drifted_us = self.drifted_us.saturating_add(more);
        }
        self.since = at;
    }
}

fn drift(passed_us: u64, ppm: i64) -> i64 {
    let drifted = i128::from(passed_us) * i128::from(ppm) / 1_000_000;
    i64::try_from(drifted).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(clock: &Clock, ms: u64) -> (u64, u64) {
        let now = clock.now(Moment::at_ms(ms));
        (now.mono_ms, now.wall.get() - WALL_START_MS)
    }

    #[test]
    fn an_honest_clock_shows_virtual_time_and_a_restart_resets_the_monotonic_one() {
        let mut clock = Clock::default();
        assert_eq!(shown(&clock, 1_500), (1_500, 1_500));
        clock.restart(Moment::at_ms(2_000));
        assert_eq!(shown(&clock, 2_500), (500, 2_500));
        let wake = clock.when(700, Moment::at_ms(2_500));
        assert_eq!(wake, Moment::at_ms(2_700));
        assert_eq!(clock.when(100, wake), wake);
    }

    #[test]
    fn a_step_a_drift_and_a_frozen_clock_show_what_they_say() {
        let mut clock = Clock::default();
        let step = Skew {
            step_ms: 5_000,
            ..Skew::default()
        };
        clock.lie(step, Moment::at_ms(1_000));
        assert_eq!(shown(&clock, 1_000), (1_000, 6_000));
        let fast = Skew {
            drift_ppm: 10_000,
            ..Skew::default()
        };
        clock.lie(fast, Moment::at_ms(2_000));
        assert_eq!(shown(&clock, 12_000), (12_100, 12_100));
        // A wake is never early by the process's own clock.
        let wake = clock.when(20_000, Moment::at_ms(12_000));
        assert!(clock.now(wake).mono_ms >= 20_000);
        let frozen = Skew {
            frozen: true,
            ..Skew::default()
        };
        clock.lie(frozen, Moment::at_ms(12_000));
        assert_eq!(shown(&clock, 13_000), (13_100, 12_100));
    }
}
