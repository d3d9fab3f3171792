//! Asking for what is missing: single events by id, and whole rounds when far behind.
//!
//! Ids may be made up: each peer has its own share of what is asked for because of it, and an id that
//! nobody delivers is given up, so that one liar cannot keep us from asking for what exists. Nor can it by
//! naming what it will not hand out: whoever has an event that builds on it is asked as well.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use dag::gossip::Cursor;
use primitives::keys::PublicKey;
use primitives::{Digest, limits};

/// How long a catch-up may be without an answer, in milliseconds; no single event waits longer for one.
pub const TIMEOUT_MS: u64 = 2_000;
/// Ids asked for at once because one peer named them: a bound on memory and on what a liar can make
/// us ask.
const WANTED_MAX: usize = limits::REQUEST_ITEMS_MAX;
/// How many peers are asked for an id, one after the other, before it is given up.
const TRIES_MAX: u32 = 8;
/// Answers in a row without a new event, after which a catch-up is given up.
const BARREN_MAX: u32 = 8;
/// How long a peer whose catch-up failed is not followed again, in milliseconds.
const DISTRUST_MS: u64 = 30_000;

/// Outstanding requests. Asks the sender of a child first, then the others in turn.
#[derive(Debug, Default)]
pub struct Fetch {
    wanted: BTreeMap<Digest, Asked>,
    /// How many of `wanted` each peer is the cause of.
    shares: BTreeMap<PublicKey, usize>,
    following: Option<Following>,
    /// Until when not to follow whom.
    distrusted: BTreeMap<PublicKey, u64>,
}

#[derive(Debug)]
struct Asked {
    /// Who named the id.
    cause: PublicKey,
    /// Who was asked last.
    peer: PublicKey,
    /// What it had said of the id.
    word: Word,
    /// Who else has named the id since.
    other: Option<PublicKey>,
    at_ms: u64,
    tries: u32,
}

/// What a peer says of an id that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// That it holds it; it need not.
    Claimed,
    /// An event that it sent builds on it, so that nobody could admit that one without it.
    BuiltOn,
}

/// A catch-up under way with one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Following {
    /// Whom we follow.
    pub peer: PublicKey,
    /// Where the next answer begins.
    pub from: Cursor,
    /// When it was asked for.
    pub at_ms: u64,
    /// Answers in a row that brought nothing new.
    pub barren: u32,
}

impl Fetch {
    /// Notes that `ids` are missing, which `peer` named, and returns those to ask it for now: the ones
    /// not asked of anybody yet, and those that another merely claimed to hold and it builds on.
    pub fn want(
        &mut self,
        ids: impl Iterator<Item = Digest>,
        (peer, word): (PublicKey, Word),
        now_ms: u64,
    ) -> Vec<Digest> {
        let mut ask = Vec::new();
        let share = self.shares.entry(peer).or_default();
        for id in ids {
            if ask.len() >= limits::REQUEST_ITEMS_MAX {
                break;
            }
            match self.wanted.get_mut(&id) {
                Some(asked) if asked.peer == peer => {}
                Some(asked) if word <= asked.word => asked.other = Some(peer),
                Some(asked) => {
                    (asked.peer, asked.word, asked.at_ms) = (peer, word, now_ms);
                    ask.push(id);
                }
                None if *share >= WANTED_MAX => {}
                None => {
                    *share = share.saturating_add(1);
                    let asked = Asked {
                        cause: peer,
                        peer,
                        word,
                        other: None,
                        at_ms: now_ms,
                        tries: 1,
                    };
                    self.wanted.insert(id, asked);
                    ask.push(id);
                }
            }
        }
        ask
    }

    /// Forgets what has arrived.
    pub fn arrived(&mut self, id: &Digest) {
        if let Some(asked) = self.wanted.remove(id) {
            give_back(&mut self.shares, asked.cause);
        }
    }

    /// Ids without an answer for `patience_ms`, each to be asked of somebody else who named it, or else
    /// of the connected peer after the one that failed.
    pub fn overdue(
        &mut self,
        connected: &[PublicKey],
        patience_ms: u64,
        now_ms: u64,
    ) -> BTreeMap<PublicKey, Vec<Digest>> {
        let mut asks: BTreeMap<PublicKey, Vec<Digest>> = BTreeMap::new();
        let shares = &mut self.shares;
        self.wanted.retain(|id, asked| {
            if now_ms < asked.at_ms.saturating_add(patience_ms) {
                return true;
            }
            let other = asked.other.take();
            let next = connected
                .iter()
                .find(|peer| other == Some(**peer))
                .or_else(|| connected.iter().find(|peer| **peer > asked.peer))
                .or(connected.first());
            let Some(peer) = next.filter(|_| asked.tries < TRIES_MAX) else {
                give_back(shares, asked.cause);
                return false;
            };
            let ids = asks.entry(*peer).or_default();
            if ids.len() < limits::REQUEST_ITEMS_MAX {
                ids.push(*id);
                asked.peer = *peer;
                asked.at_ms = now_ms;
                asked.tries = asked.tries.saturating_add(1);
            }
            true
        });
        asks
    }

    /// Drops requests that nobody waits for.
    pub fn keep(&mut self, needed: impl Fn(&Digest) -> bool) {
        let shares = &mut self.shares;
        self.wanted.retain(|id, asked| {
            let keeps = needed(id);
            if !keeps {
                give_back(shares, asked.cause);
            }
            keeps
        });
    }

    /// The catch-up under way.
    #[must_use]
    pub const fn following(&self) -> Option<&Following> {
        self.following.as_ref()
    }

    /// Whether a catch-up with `peer` may begin.
    #[must_use]
    pub fn may_follow(&self, peer: PublicKey, now_ms: u64) -> bool {
        let until_ms = self.distrusted.get(&peer).copied().unwrap_or(0);
        self.following.is_none() && now_ms >= until_ms
    }

    /// Starts a catch-up.
    pub const fn follow(&mut self, peer: PublicKey, from: Cursor, now_ms: u64) {
        self.following = Some(Following {
            peer,
            from,
            at_ms: now_ms,
            barren: 0,
        });
    }

    /// Takes an answer of `peer` with its next place, and says where to go on with the same peer. A
    /// peer that leads nowhere is left.
    pub fn followed(
        &mut self,
        peer: PublicKey,
        next: Option<Cursor>,
        is_barren: bool,
        now_ms: u64,
    ) -> Option<Cursor> {
        let following = self.following.as_mut().filter(|ours| ours.peer == peer)?;
        let Some(next) = next else {
            self.following = None;
            return None;
        };
        following.barren = match is_barren {
            true => following.barren.saturating_add(1),
            false => 0,
        };
        if next <= following.from || following.barren >= BARREN_MAX {
            self.following = None;
            self.distrust(peer, now_ms);
            return None;
        }
        following.from = next;
        following.at_ms = now_ms;
        Some(next)
    }

    /// Ends a catch-up that has had no answer for two seconds and says with whom it was.
    pub fn overdue_following(&mut self, now_ms: u64) -> Option<Following> {
        let failed = self
            .following
            .take_if(|following| now_ms >= following.at_ms.saturating_add(TIMEOUT_MS))?;
        self.distrust(failed.peer, now_ms);
        Some(failed)
    }

    /// Forgets what was asked for in the epoch before, and returns whom it followed.
    pub fn next_epoch(&mut self) -> Option<PublicKey> {
        self.wanted.clear();
        self.shares.clear();
        self.following.take().map(|following| following.peer)
    }

    /// How many single events are asked for.
    #[must_use]
    pub fn wanted_count(&self) -> usize {
        self.wanted.len()
    }

    fn distrust(&mut self, peer: PublicKey, now_ms: u64) {
        let until_ms = now_ms.saturating_add(DISTRUST_MS);
        self.distrusted.insert(peer, until_ms);
    }
}

fn give_back(shares: &mut BTreeMap<PublicKey, usize>, cause: PublicKey) {
    if let Some(share) = shares.get_mut(&cause) {
        *share = share.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests;
