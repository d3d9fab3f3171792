//! Events from outside: held back until their parents are there, admitted, written down.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use dag::Event;
use dag::event::Kind;
use dag::gossip::Cursor;
use dag::graph::Pointer;
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::planted::{self, Bug};
use primitives::store::{Store, Table};

use crate::error::Error;
use crate::fetch::Word;
use crate::input::Arrival;
use crate::replica::{Replica, Standing, Watermark};
use crate::rows;
use crate::turn::Turn;

impl Replica {
    /// Takes events that `from` sent: admits those whose parents are there, and what waited for them;
    /// asks `from` for the parents of the others. Returns how many were new.
    pub(crate) fn receive<S: Store>(
        &mut self,
        from: PublicKey,
        arrivals: Vec<Arrival>,
        turn: &mut Turn<'_, S>,
    ) -> Result<usize, Error> {
        let mut new: usize = 0;
        let mut wanted = BTreeMap::new();
        for arrival in arrivals {
            // C30: late ones are void, and early ones come again once their epoch has begun here.
            if arrival.event.header().epoch != self.committee.epoch() {
                continue;
            }
            if self.take_in(from, arrival, &mut wanted, turn)? {
                new = new.saturating_add(1);
            }
        }
        while let Some(brief) = self.briefs.pop_ready() {
            let from = brief.from;
            if let Some(arrival) = self.unfold(brief, turn) {
                self.take_in(from, arrival, &mut wanted, turn)?;
            }
        }
        for (builder, ids) in wanted {
            // Whom we follow sends parents before children.
            if self
                .fetch
                .following()
                .is_none_or(|ours| ours.peer != builder)
            {
                let missing = ids.into_iter().filter(|id| !self.holds(id));
                let missing: Vec<Digest> = missing.collect();
                let word = (builder, Word::BuiltOn);
                let ask = self.fetch.want(missing.into_iter(), word, turn.now.mono_ms);
                self.ask(builder, ask, turn);
            }
        }
        Ok(new)
    }

    /// Whether an event is held, or held back.
    pub(super) fn holds(&self, id: &Digest) -> bool {
        self.dag.contains(id) || self.pending.contains(id) || self.briefs.contains(id)
    }

    /// Takes one event of the epoch; whether it was new. What it lacks is noted in `wanted`.
    fn take_in<S: Store>(
        &mut self,
        from: PublicKey,
        arrival: Arrival,
        wanted: &mut BTreeMap<PublicKey, Vec<Digest>>,
        turn: &mut Turn<'_, S>,
    ) -> Result<bool, Error> {
        let id = *arrival.event.id();
        self.fetch.arrived(&id);
        self.briefs.remove(&id);
        if self.dag.contains(&id) || self.pending.contains(&id) {
            self.stats.events_repeated = self.stats.events_repeated.saturating_add(1);
            return Ok(false);
        }
        self.look_for_twin(&arrival.event, turn)?;
        if self.is_needless_branch(&arrival.event) {
            self.stats.events_refused = self.stats.events_refused.saturating_add(1);
            return Ok(false);
        }
        let missing = self.dag.missing(&arrival.event);
        if missing.is_empty() {
            self.admit_with_waiting(arrival, turn)?;
        } else {
            let event = arrival.event.clone();
            let missed = missing.iter().map(|parent| parent.id);
            wanted.entry(from).or_default().extend(missed);
            self.pending.insert(event, arrival, missing);
        }
        Ok(true)
    }

    /// An event signed with the own key that this peer did not write down: another copy of the key is
    /// at work, or this store is an old one. Either way nothing is ever signed again (C32).
    fn look_for_twin<S: Store>(
        &mut self,
        event: &Event,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let creator = event.header().creator;
        let is_own = self.own() == Some(creator);
        // An old store gets back what it knows to have signed.
        let is_due = self.lacks_own_events()
            && self
                .watermark
                .is_some_and(|mark| mark.covers(&Watermark::of(event)));
        if is_own && !is_due && turn.store.get(Table::Event, &event.id().0)?.is_none() {
            self.standing = Standing::Quarantined;
            let key = rows::QUARANTINED.to_vec();
            turn.store.batch.put(Table::Meta, key, Vec::new());
            turn.require_durability();
        }
        Ok(())
    }

    /// Whether an event opens a third branch of a forker that no other event names as a parent: two
    /// branches are evidence enough, more only cost memory.
    fn is_needless_branch(&self, event: &Event) -> bool {
        let header = event.header();
        let tips = || {
            self.dag
                .tips(header.creator)
                .filter_map(|tip| self.dag.vertex(tip))
        };
        let own = header.self_parent.map(|parent| parent.id);
        let goes_on = || tips().any(|tip| Some(*tip.id()) == own);
        self.dag.is_forker(header.creator)
            && tips().nth(1).is_some()
            && !goes_on()
            && !self.pending.misses(event.id())
    }

    /// Admits an event and everything that waited for it alone.
    pub(crate) fn admit_with_waiting<S: Store>(
        &mut self,
        arrival: Arrival,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let mut ready = alloc::vec![arrival];
        while let Some(arrival) = ready.pop() {
            let id = *arrival.event.id();
            // While it waited its creator may have shown two branches already.
            if self.is_needless_branch(&arrival.event) {
                self.stats.events_refused = self.stats.events_refused.saturating_add(1);
                continue;
            }
            if self.admit(arrival, turn)? && !planted::has(Bug::WaitingNotReleased) {
                let released = self.pending.released_by(&id);
                ready.extend(released.into_iter().map(|(_, arrival)| arrival));
            }
        }
        Ok(())
    }

    /// Admits one event whose parents are there. False if it was refused, which the counters tell.
    pub(crate) fn admit<S: Store>(
        &mut self,
        arrival: Arrival,
        turn: &mut Turn<'_, S>,
    ) -> Result<bool, Error> {
        let Arrival {
            event,
            payload,
            transactions,
        } = arrival;
        let header = event.header();
        // C30: a first event names the leader that sealed the epoch before.
        let is_of_here = header.sealing.is_none() || header.sealing == self.sealing;
        let admitted = is_of_here.then(|| self.dag.admit(event.clone()));
        let Some(Ok(admission)) = admitted else {
            self.stats.events_refused = self.stats.events_refused.saturating_add(1);
            return Ok(false);
        };
        if !admission.new {
            return Ok(true);
        }
        let id = *event.id();
        if header.kind == Kind::Root {
            self.briefs
                .release(Pointer::Root(header.creator, header.round));
        }
        self.briefs
            .release(Pointer::Seq(header.creator, header.seq));
        if self.own() == Some(header.creator) {
            self.note_own_event(&event, turn);
        }
        let row = event.signed().bytes().clone();
        turn.store.batch.put(Table::Event, id.0.to_vec(), row);
        if !payload.is_empty() {
            turn.store.batch.put(Table::Payload, id.0.to_vec(), payload);
        }
        let at = Cursor {
            round: header.round,
            admission: self.admission_base.saturating_add(admission.handle.get()),
        };
        let key = rows::chain_key(header.epoch, at);
        turn.store.batch.put(Table::Chain, key, id.0.to_vec());
        self.stats.events_admitted = self.stats.events_admitted.saturating_add(1);
        if let Some(evidence) = admission.evidence {
            self.note_evidence(evidence, turn)?;
        }
        if !self.strays.is_empty() {
            for transaction in transactions.iter().filter(|it| it.fault().is_none()) {
                self.strays.remove(transaction.id());
            }
        }
        self.unsettled.add(id, transactions);
        let executed = self.ledger.height();
        self.certifier
            .gather(header.creator, &header.attestations, executed);
        if let Some(seat) = &mut self.seat {
            seat.creation.observe(&self.dag, &event, turn.now.mono_ms);
        }
        Ok(true)
    }
}
