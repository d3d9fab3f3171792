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
    /// Own events that it named and we lack.
    claims: Vec<Digest>,
    /// Until when they are waited for.
    until_ms: u64,
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
        let word = Word {
            floor,
            claims: claims.clone(),
            until_ms: now_ms.saturating_add(CLAIM_MS),
        };
        self.answers.insert(peer, word);
        claims
    }

    /// Notes that an own event is in the store: whoever named it as the newest knows no other.
    pub fn resolve(&mut self, id: &Digest) {
        for word in self.answers.values_mut() {
            word.claims.retain(|claim| claim != id);
        }
    }

    /// What is found by now, at a peer whose floor is `floor`: what lies below another's floor must
    /// have been looked through here, since the other has forgotten it.
    #[must_use]
    pub fn finding(&self, floor: Round, now_ms: u64) -> Finding {
        let open = self.answers.values().filter(|word| !word.claims.is_empty());
        let until = open.map(|word| word.until_ms).max();
        if let Some(until_ms) = until.filter(|until_ms| *until_ms > now_ms) {
            return Finding::Claimed { until_ms };
        }
        let clear = self
            .answers
            .iter()
            .filter(|(_, word)| word.claims.is_empty() && word.floor <= floor);
        Finding::Clear(clear.map(|(peer, _)| *peer).collect())
    }
}
