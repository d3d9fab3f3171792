//! Events that come without the ids of their parents (C37).

use alloc::boxed::Box;
use alloc::vec::Vec;

use dag::brief::{Brief, Step, Unfolding};
use dag::graph::Pointer;
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::store::Store;

use crate::briefs::{Load, Unfolded};
use crate::error::Error;
use crate::fetch::{TIMEOUT_MS, Word};
use crate::input::Arrival;
use crate::replica::Replica;
use crate::turn::Turn;

/// Which part of the wait for roots a brief waits for what it points to.
const BRIEF_PATIENCE_PART: u64 = 8;

impl Replica {
    /// Takes a brief that its author sent.
    pub(crate) fn receive_brief<S: Store>(
        &mut self,
        from: PublicKey,
        brief: Box<Brief>,
        load: Load,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        // C30, as whole events.
        if brief.epoch != self.committee.epoch() {
            return Ok(());
        }
        let id = brief.id;
        if self.holds(&id) {
            self.stats.events_repeated = self.stats.events_repeated.saturating_add(1);
            return Ok(());
        }
        // Only authors send briefs, so that whoever sends one answers for it.
        let is_authors = self.committee.index_of(&from) == Some(brief.creator);
        let unfolding = Unfolding::new(brief, &self.committee);
        let (true, Ok(unfolding)) = (is_authors, unfolding) else {
            self.stats.events_refused = self.stats.events_refused.saturating_add(1);
            return Ok(());
        };
        self.briefs.push_ready(Unfolded {
            from,
            unfolding,
            load,
        });
        self.receive(from, Vec::new(), turn)?;
        Ok(())
    }

    /// The event of a brief, if everything that it points to is held. Else the brief waits, or is asked for
    /// in full.
    pub(crate) fn unfold<S: Store>(
        &mut self,
        mut brief: Unfolded,
        turn: &mut Turn<'_, S>,
    ) -> Option<Arrival> {
        match brief.unfolding.advance(&self.dag) {
            Step::Whole => self.finish(brief, turn),
            Step::Waits(pointer) => {
                let due_ms = self.due_ms(pointer, turn.now.mono_ms);
                let (id, from) = (brief.id(), brief.from);
                let creators = self.committee.size();
                match self.briefs.hold(brief, pointer, due_ms, creators) {
                    true => turn.wake_at(due_ms),
                    false => self.ask_in_full(from, id, turn),
                }
                None
            }
            Step::Ambiguous => {
                self.ask_in_full(brief.from, brief.id(), turn);
                None
            }
        }
    }

    fn finish<S: Store>(&mut self, brief: Unfolded, turn: &mut Turn<'_, S>) -> Option<Arrival> {
        let (id, from) = (brief.id(), brief.from);
        let Load {
            payload,
            digest,
            transactions,
        } = brief.load;
        let bytes = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        match brief.unfolding.finish((digest, bytes), &self.committee) {
            Ok(event) => Some(Arrival {
                event,
                payload,
                transactions,
            }),
            Err(dag::Error::OtherEvent { .. }) => {
                self.ask_in_full(from, id, turn);
                None
            }
            Err(_) => {
                self.stats.events_refused = self.stats.events_refused.saturating_add(1);
                None
            }
        }
    }

    /// When a brief that waits for an event is asked for in full: at once if nobody will send that event
    /// by itself.
    fn due_ms(&self, pointer: Pointer, now_ms: u64) -> u64 {
        let creator = self
            .committee
            .member(pointer.creator())
            .map(|member| member.key);
        let is_coming = creator.is_ok_and(|key| self.peers.contains_key(&key));
        match is_coming || self.briefs.misses(pointer) {
            true => now_ms.saturating_add(self.brief_patience_ms()),
            false => now_ms,
        }
    }

    /// A part of the wait for roots: what is on its way mostly comes within it, and where somebody is cut
    /// off from its author, each round is late by it.
    fn brief_patience_ms(&self) -> u64 {
        let wait_ms = self.wait_ms().unwrap_or(TIMEOUT_MS);
        wait_ms.checked_div(BRIEF_PATIENCE_PART).unwrap_or(wait_ms)
    }

    /// Asks for the briefs in full that have waited long enough; a catch-up brings what they miss.
    pub(crate) fn ask_for_briefs<S: Store>(&mut self, turn: &mut Turn<'_, S>) {
        if self.fetch.following().is_some() {
            return;
        }
        let (now_ms, patience_ms) = (turn.now.mono_ms, self.patience_ms());
        for (from, id) in self.briefs.due(now_ms, patience_ms) {
            self.ask_in_full(from, id, turn);
        }
    }

    fn ask_in_full<S: Store>(&mut self, from: PublicKey, id: Digest, turn: &mut Turn<'_, S>) {
        let word = (from, Word::BuiltOn);
        let ids = core::iter::once(id);
        let ask = self.fetch.want(ids, word, turn.now.mono_ms);
        self.ask(from, ask, turn);
    }
}
