//! After a start: which own events the others know, before any new one is signed (C32).
//!
//! ```text
//!   frontier --no own event that we lack, floor reached--> counts  --a quorum counts--> sign
//!            `-an own event that we lack: ask for it-+--it comes: it is signed by us: quarantine
//!                                                    `--it does not come in time: a lie, or lost
//! ```

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::units::Round;

/// How long a claimed own event may take to come, in milliseconds. A peer has one claim: no number
/// of lies delays longer.
const CLAIM_MS: u64 = 5_000;
/// Own heads that an honest peer names at most.
const CLAIMS_MAX: usize = 2;

/// What each peer said first after the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inquiry {
    answers: BTreeMap<PublicKey, Word>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    /// Below it the peer could not have named an own event.
    floor: Round,
    /// Until when events that it named and we lack are waited for; none if it named none.
    claimed_until_ms: Option<u64>,
}

/// What the answers so far amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An own event that this peer lacks may still come until then.
    Claimed {
        /// The monotone time.
        until_ms: u64,
    },
    /// These know of no own event that this peer lacks.
    Clear(Vec<PublicKey>),
}

impl Inquiry {
    /// Notes a peer's first answer, with the own events it named that this peer's store lacks, and
    /// returns those to ask it for.
    pub fn answer(
        &mut self,
        peer: PublicKey,
        floor: Round,
        mut claims: Vec<Digest>,
        now_ms: u64,
    ) -> Vec<Digest> {
        if self.answers.contains_key(&peer) {
            return Vec::new();
        }
        claims.truncate(CLAIMS_MAX);
        let until_ms = now_ms.saturating_add(CLAIM_MS);
        let claimed_until_ms = (!claims.is_empty()).then_some(until_ms);
        let word = Word {
            floor,
            claimed_until_ms,
        };
        self.answers.insert(peer, word);
        claims
    }

    /// What is found by now, at a peer whose floor is `floor`: what lies below another's floor must
    /// have been looked through here, since the other has forgotten it.
    #[must_use]
    pub fn finding(&self, floor: Round, now_ms: u64) -> Finding {
        let until = |word: &Word| word.claimed_until_ms.filter(|until_ms| *until_ms > now_ms);
        if let Some(until_ms) = self.answers.values().filter_map(until).max() {
            return Finding::Claimed { until_ms };
        }
        let clear = self
            .answers
            .iter()
            .filter(|(_, word)| word.claimed_until_ms.is_none() && word.floor <= floor);
        Finding::Clear(clear.map(|(peer, _)| *peer).collect())
    }
}
