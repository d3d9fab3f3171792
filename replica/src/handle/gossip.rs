//! Peers: connecting, frontiers, requests and answers.

use alloc::vec::Vec;
use core::cmp::Ordering;

use dag::event::{Signed, payload_digest};
use dag::gossip::{Cursor, Head, Message, Parcel};
use dag::graph::Vertex;
use primitives::codec::{Bytes, List};
use primitives::keys::PublicKey;
use primitives::planted::{self, Bug};
use primitives::store::{Store, Table};
use primitives::units::{Epoch, Round};
use primitives::{Digest, limits};

use crate::error::Error;
use crate::fetch::{TIMEOUT_MS, Word};
use crate::handle::seal::Attested;
use crate::input::Gossip;
use crate::replica::{Peer, Replica, Standing, decode_row};
use crate::rows;
use crate::turn::Turn;

/// How often frontiers are told, in milliseconds.
const FRONTIER_MS: u64 = 1_000;
/// Full messages in answer to one request for events: it may name a thousand of the longest.
const ANSWERS_MAX: usize = 4;
/// The least time to wait for an event before somebody else is asked, in milliseconds.
const PATIENCE_MS_MIN: u64 = 200;
/// Ids that are asked for again at a time.
const RETRIED_MAX: usize = 256;
/// A peer whose heads are so many rounds above ours is followed round by round instead of being asked
/// for single events.
const FOLLOW_ROUNDS_MIN: u64 = 4;
/// The same for a peer that has so many more events, of whatever round, and so many a member: a side of a
/// cut settles nothing and so stays in its round, however long it is.
const FOLLOW_EVENTS_MIN: usize = 128;
/// See [`FOLLOW_EVENTS_MIN`]; less than a member's newest event or two is merely under way.
const FOLLOW_EVENTS_EACH_MIN: usize = 4;
/// Events that go along with those wanted at most: of a longer past whoever lacks it follows somebody.
const ALONG_MAX: usize = 256;

impl Replica {
    pub(crate) fn handle_peer_up<S: Store>(&mut self, peer: PublicKey, turn: &mut Turn<'_, S>) {
        let heard_ms = turn.now.mono_ms;
        let known = Peer {
            heard_ms,
            ..Peer::default()
        };
        self.peers.insert(peer, known);
        let frontier = self.frontier();
        turn.send(peer, frontier);
    }

    pub(crate) fn handle_tick<S: Store>(&mut self, turn: &mut Turn<'_, S>) {
        let now = turn.now.mono_ms;
        if now >= self.frontier_due_ms {
            self.frontier_due_ms = now.saturating_add(FRONTIER_MS);
            let frontier = self.frontier();
            turn.broadcast(frontier);
            self.retry_missing(turn);
            self.look_ahead(now);
            if self.peers.contains_key(&self.retry.0) {
                self.ask_for_seals(self.retry.0, turn);
            }
        }
        if let Some(failed) = self.fetch.overdue_following(now)
            && let Some(next) = self.peer_after(failed.peer)
        {
            self.follow(next, failed.from, turn);
        }
        self.ask_for_briefs(turn);
        let (dag, pending) = (&self.dag, &self.pending);
        self.fetch
            .keep(|id| !dag.contains(id) && !pending.contains(id));
        let connected: Vec<PublicKey> = self.peers.keys().copied().collect();
        for (peer, ids) in self.fetch.overdue(&connected, self.patience_ms(), now) {
            self.ask(peer, ids, turn);
        }
        turn.wake_at(self.frontier_due_ms);
    }

    pub(crate) fn handle_gossip<S: Store>(
        &mut self,
        from: PublicKey,
        gossip: Gossip,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        // What was under way when the link ended is answered to nobody.
        let Some(peer) = self.peers.get_mut(&from) else {
            return Ok(());
        };
        peer.heard_ms = turn.now.mono_ms;
        match gossip {
            Gossip::Events(arrivals) => {
                self.receive(from, arrivals, turn)?;
            }
            Gossip::Brief { brief, load } => self.receive_brief(from, brief, load, turn)?,
            Gossip::Want(ids) => self.answer_want(from, &ids, turn)?,
            Gossip::Frontier {
                epoch,
                height,
                floor,
                heads,
            } => {
                let peer = self.peers.entry(from).or_default();
                let has_advanced = peer.epoch < epoch;
                // A peer does not go back while it is connected.
                (peer.epoch, peer.height) = (peer.epoch.max(epoch), height);
                match epoch.cmp(&self.committee.epoch()) {
                    Ordering::Equal => {
                        self.note_own_heads(from, floor, &heads, turn)?;
                        self.compare_frontier(from, &heads, turn);
                        // Whoever has just come here lacks what was sent before.
                        if has_advanced {
                            turn.send(from, self.frontier());
                        }
                    }
                    Ordering::Greater => self.follow_through(from, turn),
                    Ordering::Less => {}
                }
            }
            Gossip::Follow {
                epoch,
                from: cursor,
            } => self.answer_follow(from, epoch, cursor, turn)?,
            Gossip::Followed {
                epoch,
                events,
                next,
            } => {
                let is_barren = self.receive(from, events, turn)? == 0;
                let now = turn.now.mono_ms;
                if epoch == self.committee.epoch()
                    && let Some(next) = self.fetch.followed(from, next, is_barren, now)
                {
                    self.ask_to_follow(from, next, turn);
                }
            }
            Gossip::Attested {
                epoch,
                height,
                root,
                signatures,
            } => {
                let attested = Attested {
                    epoch,
                    height,
                    root,
                    signatures,
                };
                self.take_attested(from, &attested, turn)?;
            }
            Gossip::WantSeal { epoch } => self.answer_want_seal(from, epoch, turn)?,
            Gossip::Passed(transactions) => self.take_passed(transactions, turn)?,
        }
        Ok(())
    }

    /// Asks the next peer for some of what pending events miss and nobody is asked for: all of it in
    /// turn, whoever named how much.
    fn retry_missing<S: Store>(&mut self, turn: &mut Turn<'_, S>) {
        let (last, round, id) = self.retry;
        let Some(peer) = self.peer_after(last) else {
            return;
        };
        let missing: Vec<_> = self
            .pending
            .wanted_from(round, id)
            .take(RETRIED_MAX)
            .collect();
        self.retry = match missing.last().filter(|_| missing.len() == RETRIED_MAX) {
            Some(last) => (peer, last.round, last.id),
            None => (peer, Round::ZERO, Digest::ZERO),
        };
        let ids = missing.into_iter().map(|parent| parent.id);
        let claim = (peer, Word::Claimed);
        let ask = self.fetch.want(ids, claim, turn.now.mono_ms);
        self.ask(peer, ask, turn);
    }

    /// Begins to catch up with a peer that is in a later epoch: it says no more of this one, so that
    /// every event from the next round to settle on is asked for.
    fn follow_through<S: Store>(&mut self, peer: PublicKey, turn: &mut Turn<'_, S>) {
        if !self.fetch.may_follow(peer, turn.now.mono_ms) {
            return;
        }
        let settled = self.engine.settled_round();
        let from = Cursor {
            round: settled.map_or(Round::ZERO, |settled| settled.later(1)),
            admission: 0,
        };
        self.follow(peer, from, turn);
    }

    pub(crate) fn frontier(&self) -> Message {
        Message::Frontier {
            epoch: self.committee.epoch(),
            height: self.engine.height(),
            floor: self.dag.floor(),
            // Two heads a creator at most, so the bound of the list is never met.
            heads: List::new(self.dag.heads()).unwrap_or_default(),
        }
    }

    /// Learns from a peer's heads what we lack.
    fn compare_frontier<S: Store>(
        &mut self,
        from: PublicKey,
        heads: &[Head],
        turn: &mut Turn<'_, S>,
    ) {
        let lacking: Vec<&Head> = heads
            .iter()
            .filter(|head| head.round >= self.dag.floor())
            .filter(|head| !self.dag.contains(&head.id) && !self.pending.contains(&head.id))
            .collect();
        let own = self.dag.highest_round().unwrap_or(Round::ZERO);
        let highest = lacking
            .iter()
            .map(|head| head.round)
            .max()
            .unwrap_or(Round::ZERO);
        let behind = lacking.iter().fold(0, |sum: u64, head| {
            let newest = self.dag.latest(head.creator).map(Vertex::seq);
            let next = newest.map_or(0, |seq| seq.get().saturating_add(1));
            sum.saturating_add(head.seq.get().saturating_add(1).saturating_sub(next))
        });
        let members = self.committee.size();
        let many = FOLLOW_EVENTS_MIN.max(members.saturating_mul(FOLLOW_EVENTS_EACH_MIN));
        let is_far = behind >= u64::try_from(many).unwrap_or(u64::MAX);
        if is_far || highest.since(own) >= FOLLOW_ROUNDS_MIN {
            if self.fetch.may_follow(from, turn.now.mono_ms) {
                let round = own.earlier(1).max(self.dag.floor());
                self.follow(
                    from,
                    Cursor {
                        round,
                        admission: 0,
                    },
                    turn,
                );
            }
            return;
        }
        let ids = lacking.iter().map(|head| head.id);
        let ids = ids.filter(|id| !self.briefs.contains(id));
        let claim = (from, Word::Claimed);
        let ask = self.fetch.want(ids, claim, turn.now.mono_ms);
        self.ask(from, ask, turn);
    }

    // C32: no own event before a quorum has told which own events it knows.
    fn note_own_heads<S: Store>(
        &mut self,
        from: PublicKey,
        floor: Round,
        heads: &[Head],
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let own = self.own();
        let Standing::Asking(inquiry) = &mut self.standing else {
            return Ok(());
        };
        let mut lacking = Vec::new();
        for head in heads.iter().filter(|head| Some(head.creator) == own) {
            if turn.store.get(Table::Event, &head.id.0)?.is_none() {
                lacking.push(head.id);
            }
        }
        let claims = inquiry.answer(from, floor, lacking, turn.now.mono_ms);
        self.ask(from, claims, turn);
        Ok(())
    }

    pub(crate) fn ask<S: Store>(&self, peer: PublicKey, ids: Vec<Digest>, turn: &mut Turn<'_, S>) {
        if !ids.is_empty() && !planted::has(Bug::ParentsNotAsked) {
            // `Fetch` returns no more than one request holds.
            turn.send(peer, Message::Want(List::new(ids).unwrap_or_default()));
            turn.wake_at(turn.now.mono_ms.saturating_add(self.patience_ms()));
        }
    }

    /// How long to wait for an event before somebody else is asked, in milliseconds: the wait for roots
    /// is about a question and its answer, and as much again is for work on both sides.
    pub(crate) fn patience_ms(&self) -> u64 {
        let wait_ms = self.wait_ms().unwrap_or(TIMEOUT_MS);
        wait_ms.saturating_mul(2).clamp(PATIENCE_MS_MIN, TIMEOUT_MS)
    }

    pub(crate) fn follow<S: Store>(
        &mut self,
        peer: PublicKey,
        from: Cursor,
        turn: &mut Turn<'_, S>,
    ) {
        self.fetch.follow(peer, from, turn.now.mono_ms);
        self.ask_to_follow(peer, from, turn);
    }

    fn ask_to_follow<S: Store>(&self, peer: PublicKey, from: Cursor, turn: &mut Turn<'_, S>) {
        let epoch = self.committee.epoch();
        turn.send(peer, Message::Follow { epoch, from });
    }

    fn peer_after(&self, peer: PublicKey) -> Option<PublicKey> {
        let later = self.peers.keys().find(|candidate| **candidate > peer);
        later.or(self.peers.keys().next()).copied()
    }

    fn answer_want<S: Store>(
        &mut self,
        to: PublicKey,
        ids: &[Digest],
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let now_ms = turn.now.mono_ms;
        let allowance = &mut self.peers.entry(to).or_default().allowance;
        if !allowance.is_left(now_ms) {
            return Ok(());
        }
        let along = self.along_with(ids, &to);
        let allowance = &mut self.peers.entry(to).or_default().allowance;
        let mut parcels = Vec::new();
        let (mut bytes, mut full): (usize, usize) = (0, 0);
        for id in along.iter().chain(ids) {
            if full >= ANSWERS_MAX || !allowance.is_left(now_ms) {
                break;
            }
            let found = stored_parcel(&turn.store, id)?;
            allowance.spend(found.as_ref().map_or(0, |(_, size)| *size));
            let Some((parcel, size)) = found else {
                continue;
            };
            bytes = bytes.saturating_add(size);
            parcels.push(parcel);
            let is_full = parcels.len() >= limits::EVENTS_PER_ANSWER_MAX;
            if is_full || bytes >= limits::ANSWER_BYTES_TARGET {
                let events = List::new(core::mem::take(&mut parcels)).unwrap_or_default();
                turn.send_bulk(to, Message::Events(events));
                bytes = 0;
                full = full.saturating_add(1);
            }
        }
        if !parcels.is_empty() {
            turn.send_bulk(to, Message::Events(List::new(parcels).unwrap_or_default()));
        }
        Ok(())
    }

    /// What a peer that wants these events lacks of their past, so that it need not ask for one
    /// generation after the other: it holds the past of its own newest event. None if that is unknown,
    /// and none of a past that is long.
    fn along_with(&self, ids: &[Digest], peer: &PublicKey) -> Vec<Digest> {
        let own = self.committee.index_of(peer);
        let newest = own.and_then(|own| self.dag.latest(own));
        let known = newest.and_then(|newest| self.dag.handle(newest.id()));
        let Some(known) = known else {
            return Vec::new();
        };
        let wanted: Vec<_> = ids.iter().filter_map(|id| self.dag.handle(id)).collect();
        let lacked = self.dag.between(known, &wanted);
        if lacked.len() > ALONG_MAX.saturating_add(wanted.len()) {
            return Vec::new();
        }
        let lacked = lacked.into_iter().filter(|handle| !wanted.contains(handle));
        let vertices = lacked.filter_map(|handle| self.dag.vertex(handle));
        vertices.map(|vertex| *vertex.id()).collect()
    }

    fn answer_follow<S: Store>(
        &mut self,
        to: PublicKey,
        epoch: Epoch,
        from: Cursor,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let allowance = &mut self.peers.entry(to).or_default().allowance;
        if epoch > self.committee.epoch() || !allowance.is_left(turn.now.mono_ms) {
            return Ok(());
        }
        let (begin, end) = (rows::chain_key(epoch, from), rows::chain_end(epoch));
        let page = limits::EVENTS_PER_ANSWER_MAX;
        let chain = turn.store.range(Table::Chain, &begin, &end, page)?;
        let complete = chain.len() < page;
        let mut parcels = Vec::new();
        let mut bytes: usize = 0;
        let mut next = None;
        for (key, id) in &chain {
            let cursor = rows::chain_cursor(key).ok_or(Error::Damaged { what: "chain key" })?;
            if bytes >= limits::ANSWER_BYTES_TARGET {
                next = Some(cursor);
                break;
            }
            let id: [u8; 32] = id
                .as_slice()
                .try_into()
                .map_err(|_| Error::Damaged { what: "chain row" })?;
            let found = stored_parcel(&turn.store, &Digest(id))?;
            let (parcel, size) = found.ok_or(Error::Damaged { what: "event" })?;
            allowance.spend(size);
            bytes = bytes.saturating_add(size);
            parcels.push(parcel);
            if !complete {
                next = Some(Cursor {
                    admission: cursor.admission.saturating_add(1),
                    ..cursor
                });
            }
        }
        let events = List::new(parcels).unwrap_or_default();
        let followed = Message::Followed {
            epoch,
            events,
            next,
        };
        turn.send_bulk(to, followed);
        Ok(())
    }
}

/// A stored event with its payload, and about how many bytes it takes.
pub(super) fn stored_parcel<S: Store>(
    store: &S,
    id: &Digest,
) -> Result<Option<(Parcel, usize)>, Error> {
    let Some(bytes) = store.get(Table::Event, &id.0)? else {
        return Ok(None);
    };
    let signed: Signed = decode_row(&bytes, "event")?;
    let payload = match signed.header().payload_bytes {
        0 => Vec::new(),
        _ => store
            .get(Table::Payload, &id.0)?
            .ok_or(Error::Damaged { what: "payload" })?,
    };
    // A flipped bit here would execute other transactions than the creator signed for.
    if payload_digest(&payload) != signed.header().payload {
        return Err(Error::Damaged { what: "payload" });
    }
    let size = bytes.len().saturating_add(payload.len());
    let payload =
        Bytes::new(payload).map_err(|_: primitives::Error| Error::Damaged { what: "payload" })?;
    Ok(Some((Parcel { signed, payload }, size)))
}
