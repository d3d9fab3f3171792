//! A peer that follows the rules but for whom it shows its own events, and when: a withholder, one
//! that is late, one that selects, one that shows each round to others.

use std::collections::{BTreeMap, VecDeque};

use dag::gossip::{Message, Parcel};
use primitives::Digest;
use primitives::codec::List;
use primitives::keys::PublicKey;
use primitives::units::Round;
use replica::{Effect, Recipient};

use super::{Behaviour, Heard, Inner, Place};
use crate::error::Error;
use crate::sim::clock::Moment;
use crate::sim::disk::Disk;
use crate::sim::plan::Peers;
use crate::sim::world::World;

/// Who sees an own event.
#[derive(Debug)]
pub(super) enum Eyes {
    /// These peers.
    Of(Peers),
    /// Every second peer, those of odd numbers in odd rounds.
    Alternate,
}

impl Eyes {
    /// Whether a peer sees the events of a round.
    fn see(&self, round: Round, peer: usize) -> bool {
        match self {
            Self::Of(peers) => peers.contain(peer),
            Self::Alternate => (round.get() + peer as u64).is_multiple_of(2),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Keep {
    inner: Inner,
    /// Who ever sees an own event.
    eyes: Eyes,
    /// How long it is held back, in microseconds.
    hold_us: u64,
    /// Own events, with the time from which they are shown.
    shown_from: BTreeMap<Digest, Moment>,
    /// What tells of them, with their rounds.
    held: VecDeque<(Moment, Round, Message)>,
}

impl Keep {
    pub(super) fn new(world: &World, peer: usize, eyes: Eyes, hold_ms: u64) -> Result<Self, Error> {
        Ok(Self {
            inner: Inner::new(world.setup(peer), Disk::default())?,
            eyes,
            hold_us: hold_ms.saturating_mul(1_000),
            shown_from: BTreeMap::new(),
            held: VecDeque::new(),
        })
    }

    /// Shows what has been held back long enough.
    fn release(&mut self, place: &mut Place<'_>) {
        while let Some((_, round, brief)) = self.held.pop_front_if(|(due, ..)| *due <= place.at) {
            for to in place.connected {
                if self.eyes.see(round, *to) {
                    place.send(*to, &brief);
                }
            }
        }
        if let Some((due, ..)) = self.held.front() {
            place.wake_at(place.now.mono_ms + (*due - place.at).div_ceil(1_000));
        }
    }

    /// Whether `to` may be shown an event.
    fn is_shown(&self, parcel: &Parcel, to: usize, at: Moment) -> bool {
        let from = self.shown_from.get(parcel.signed.id());
        let round = parcel.signed.header().round;
        from.is_none_or(|from| *from <= at && self.eyes.see(round, to))
    }

    /// Sends a message without the events that its receiver may not see.
    fn say(&self, to: &PublicKey, message: &Message, place: &mut Place<'_>) {
        let Some(to) = place.world.number(to) else {
            return;
        };
        let shown = |parcels: &[Parcel]| {
            let parcels = parcels.iter();
            let shown = parcels.filter(|parcel| self.is_shown(parcel, to, place.at));
            List::new(shown.cloned().collect()).unwrap_or_default()
        };
        let message = match message {
            Message::Events(parcels) => Message::Events(shown(parcels)),
            Message::Followed {
                epoch,
                events,
                next,
            } => Message::Followed {
                epoch: *epoch,
                events: shown(events),
                next: *next,
            },
            Message::Want(_)
            | Message::Frontier { .. }
            | Message::Follow { .. }
            | Message::Attested { .. }
            | Message::WantSeal { .. }
            | Message::Passed(_)
            | Message::Brief { .. } => message.clone(),
        };
        place.send(to, &message);
    }
}

impl Behaviour for Keep {
    fn hear(&mut self, heard: &Heard, place: &mut Place<'_>) -> Result<(), Error> {
        for effect in self.inner.hear(heard, place)? {
            match &effect {
                // Only its own events does a peer tell everyone.
                Effect::Send {
                    to: Recipient::Everyone,
                    message: message @ Message::Brief { brief, .. },
                    ..
                } => {
                    place.lie();
                    let due = place.at + self.hold_us;
                    self.shown_from.insert(brief.id, due);
                    self.held.push_back((due, brief.round, message.clone()));
                }
                Effect::Send {
                    to: Recipient::Peer(to),
                    message,
                    ..
                } => self.say(to, message, place),
                Effect::Send { .. }
                | Effect::Persist { .. }
                | Effect::Guard(_)
                | Effect::Reply { .. }
                | Effect::WakeAt(_)
                | Effect::Accuse(_) => self.inner.carry_out(&effect, place),
            }
        }
        self.release(place);
        Ok(())
    }
}
