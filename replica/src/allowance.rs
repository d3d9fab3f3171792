//! How much work one peer may cause by asking.

use primitives::limits;

/// Bytes read for one peer in one window: far above what a catch-up can take in.
const BYTES_MAX: usize = 32 * limits::GOSSIP_MESSAGE_BYTES_MAX;
/// The window, in milliseconds.
const WINDOW_MS: u64 = 1_000;
/// What a look into the store counts at least.
const LOOK_BYTES: usize = 1_024;

/// What has been read for one peer in the present window.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allowance {
    since_ms: u64,
    bytes: usize,
}

impl Allowance {
    /// Whether the peer may be answered; what it is not answered it asks for again, or elsewhere.
    pub(crate) const fn is_left(&mut self, now_ms: u64) -> bool {
        if now_ms.saturating_sub(self.since_ms) >= WINDOW_MS {
            self.since_ms = now_ms;
            self.bytes = 0;
        }
        self.bytes < BYTES_MAX
    }

    /// Notes that `bytes` were read in one look.
    pub(crate) const fn spend(&mut self, bytes: usize) {
        let least = if bytes < LOOK_BYTES {
            LOOK_BYTES
        } else {
            bytes
        };
        self.bytes = self.bytes.saturating_add(least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_asks_too_much_waits_for_the_next_window() {
        let mut allowance = Allowance::default();
        let mut looks = 0;
        while allowance.is_left(10) {
            allowance.spend(0);
            looks += 1;
        }
        assert_eq!(looks, BYTES_MAX / LOOK_BYTES);
        assert!(!allowance.is_left(999) && allowance.is_left(WINDOW_MS));
    }
}
