//! Asking for what is missing: single events by id, and whole rounds when far behind.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use dag::gossip::Cursor;
use primitives::units::PeerIndex;
use primitives::{Digest, limits};

/// How long an answer may take before another peer is asked, in milliseconds.
const TIMEOUT_MS: u64 = 2_000;
/// Ids asked for at once, over all peers: a bound on memory and on what a liar can make us ask.
const WANTED_MAX: usize = 4 * limits::REQUEST_ITEMS_MAX;

/// Outstanding requests. Asks the sender of a child first, then the others in turn.
#[derive(Debug, Default)]
pub struct Fetch {
    wanted: BTreeMap<Digest, Asked>,
    following: Option<Following>,
}

#[derive(Debug)]
struct Asked {
    peer: PeerIndex,
    at_ms: u64,
}

/// A catch-up under way with one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Following {
    /// Whom we follow.
    pub peer: PeerIndex,
    /// Where the next answer begins.
    pub from: Cursor,
    /// When it was asked for.
    pub at_ms: u64,
}

impl Fetch {
    /// Notes that `ids` are missing and returns those to ask `peer` for now: the ones not asked of
    /// anybody in the last two seconds.
    pub fn want(
        &mut self,
        ids: impl Iterator<Item = Digest>,
        peer: PeerIndex,
        now_ms: u64,
    ) -> Vec<Digest> {
        let mut ask = Vec::new();
        for id in ids {
            let known = self.wanted.get(&id);
            let due = known.is_none_or(|asked| now_ms >= asked.at_ms.saturating_add(TIMEOUT_MS));
            let room = known.is_some() || self.wanted.len() < WANTED_MAX;
            if due && room && ask.len() < limits::REQUEST_ITEMS_MAX {
                self.wanted.insert(
                    id,
                    Asked {
                        peer,
                        at_ms: now_ms,
                    },
                );
                ask.push(id);
            }
        }
        ask
    }

    /// Forgets what has arrived.
    pub fn arrived(&mut self, id: &Digest) {
        self.wanted.remove(id);
    }

    /// Ids whose answer is overdue, each to be asked of the connected peer after the one that failed.
    pub fn overdue(
        &mut self,
        connected: &[PeerIndex],
        now_ms: u64,
    ) -> BTreeMap<PeerIndex, Vec<Digest>> {
        let mut asks: BTreeMap<PeerIndex, Vec<Digest>> = BTreeMap::new();
        for (id, asked) in &mut self.wanted {
            if now_ms < asked.at_ms.saturating_add(TIMEOUT_MS) {
                continue;
            }
            let next = connected
                .iter()
                .find(|peer| **peer > asked.peer)
                .or(connected.first());
            if let Some(peer) = next {
                *asked = Asked {
                    peer: *peer,
                    at_ms: now_ms,
                };
                let ids = asks.entry(*peer).or_default();
                if ids.len() < limits::REQUEST_ITEMS_MAX {
                    ids.push(*id);
                }
            }
        }
        asks
    }

    /// Drops requests that nobody waits for.
    pub fn keep(&mut self, needed: impl Fn(&Digest) -> bool) {
        self.wanted.retain(|id, _| needed(id));
    }

    /// The catch-up under way.
    #[must_use]
    pub const fn following(&self) -> Option<&Following> {
        self.following.as_ref()
    }

    /// Starts or continues a catch-up.
    pub const fn follow(&mut self, peer: PeerIndex, from: Cursor, now_ms: u64) {
        self.following = Some(Following {
            peer,
            from,
            at_ms: now_ms,
        });
    }

    /// Ends the catch-up.
    pub const fn stop_following(&mut self) {
        self.following = None;
    }

    /// Ends a catch-up that has had no answer for two seconds and says with whom it was.
    pub fn overdue_following(&mut self, now_ms: u64) -> Option<Following> {
        self.following
            .take_if(|following| now_ms >= following.at_ms.saturating_add(TIMEOUT_MS))
    }

    /// How many single events are asked for.
    #[must_use]
    pub fn wanted_count(&self) -> usize {
        self.wanted.len()
    }
}
