//! Events from outside: held back until their parents are there, admitted, written down.

use alloc::vec::Vec;

use dag::Event;
use dag::gossip::Cursor;
use primitives::codec;
use primitives::store::{Store, Table};
use primitives::units::PeerIndex;

use crate::error::Error;
use crate::handle::gossip::event_row;
use crate::input::Arrival;
use crate::replica::{Replica, Standing};
use crate::rows;
use crate::turn::Turn;

impl Replica {
    /// Takes events that `from` sent: admits those whose parents are there, and what waited for them;
    /// asks `from` for the parents of the others.
    pub(crate) fn receive<S: Store>(
        &mut self,
        from: PeerIndex,
        arrivals: Vec<Arrival>,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        for arrival in arrivals {
            let id = *arrival.event.id();
            self.fetch.arrived(&id);
            if self.dag.contains(&id) || self.pending.contains(&id) {
                self.stats.events_repeated = self.stats.events_repeated.saturating_add(1);
                continue;
            }
            if self.is_needless_branch(&arrival.event) {
                self.stats.events_refused = self.stats.events_refused.saturating_add(1);
                continue;
            }
            let missing = self.dag.missing(&arrival.event);
            if missing.is_empty() {
                self.admit_with_waiting(arrival, turn)?;
            } else {
                let event = arrival.event.clone();
                self.pending.insert(event, arrival, missing);
            }
        }
        if self.fetch.following().is_none() {
            let (dag, pending) = (&self.dag, &self.pending);
            let wanted = pending
                .wanted()
                .map(|parent| parent.id)
                .filter(|id| !dag.contains(id));
            let ask = self.fetch.want(wanted, from, turn.now.mono_ms);
            self.ask(from, ask, turn);
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
            && !self.pending.wanted().any(|parent| parent.id == *event.id())
    }

    /// Admits an event and everything that waited for it alone.
    fn admit_with_waiting<S: Store>(
        &mut self,
        arrival: Arrival,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let mut ready = alloc::vec![arrival];
        while let Some(arrival) = ready.pop() {
            let id = *arrival.event.id();
            if self.admit(arrival, turn)? {
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
        let header = event.header().clone();
        let admission = match self.dag.admit(event.clone()) {
            Ok(admission) => admission,
            Err(_) => {
                self.stats.events_refused = self.stats.events_refused.saturating_add(1);
                return Ok(false);
            }
        };
        if !admission.new {
            return Ok(true);
        }
        let id = *event.id();
        let row = event_row(event.signed())?;
        turn.store.batch.put(Table::Event, id.0.to_vec(), row);
        if !payload.is_empty() {
            turn.store.batch.put(Table::Payload, id.0.to_vec(), payload);
        }
        let at = Cursor {
            round: header.round,
            admission: admission.handle.get(),
        };
        let key = rows::chain_key(header.epoch, at);
        turn.store.batch.put(Table::Chain, key, id.0.to_vec());
        self.stats.events_admitted = self.stats.events_admitted.saturating_add(1);
        if let Some(evidence) = admission.evidence {
            self.stats.equivocations = self.stats.equivocations.saturating_add(1);
            turn.store
                .batch
                .put(Table::Evidence, id.0.to_vec(), codec::encode(&evidence)?);
            turn.accuse(evidence);
        }
        // An own event that this peer did not make: another copy of the key is at work (C32).
        if header.creator == self.own && self.own_head.is_none_or(|(_, own)| own != id) {
            self.standing = Standing::Quarantined;
        }
        self.unsettled.add(id, transactions);
        self.certifier.gather(header.creator, &header.attestations);
        self.creation.observe(&self.dag, &event, turn.now.mono_ms);
        Ok(true)
    }
}
