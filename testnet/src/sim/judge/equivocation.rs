//! P4: a key that follows the rules never signs two events of one sequence number that leave it,
//! whatever its process goes through.
//!
//! A process that comes back without what it had written, or beside another one with the same key,
//! must ask a quorum first (C32), and stop once it holds a fork of its own key. It must know of each
//! sequence number that peers with a third of stake, which forget nothing, had seen used when it
//! began: every quorum that answers has one of them. Of later ones it need not: no question finds
//! what nobody knows, and what two processes sign at the same moment neither can know of.

use std::collections::{BTreeMap, BTreeSet};

use dag::gossip::{Message, Parcel};
use primitives::Digest;
use primitives::units::{Epoch, PeerIndex, Seq};
use replica::{Effect, Replica};

use super::{Judge, Seen, Sight, forgets};

/// Everything that any honest key ever signed and showed.
#[derive(Debug, Default)]
pub struct Equivocation {
    shown: BTreeMap<(usize, Epoch, Seq), BTreeSet<Digest>>,
    /// Events of keys that may forget, signed by processes that could not know better.
    excused: BTreeSet<Digest>,
    /// Of each peer that may forget, the newest event that each other one holds.
    knowing: BTreeMap<usize, BTreeMap<usize, (Epoch, Seq)>>,
    /// Up to which event each process must know what was signed.
    warned: BTreeMap<usize, (Epoch, Seq)>,
}

impl Judge for Equivocation {
    fn name(&self) -> &'static str {
        "equivocation"
    }

    fn see(&mut self, seen: &Seen<'_>) -> Option<String> {
        match seen.sight {
            Sight::Started(_) => self.start(seen),
            Sight::Handled { replica, effects } => {
                self.learn(seen, replica);
                self.excuse(seen, replica, effects);
            }
            Sight::Left(effect) => return self.judge(seen, effect),
            Sight::Killed => {}
        }
        None
    }
}

impl Equivocation {
    fn judge(&mut self, seen: &Seen<'_>, effect: &Effect) -> Option<String> {
        for Shown { epoch, seq, id, .. } in own_events(seen, effect) {
            let shown = self.shown.entry((seen.peer, epoch, seq)).or_default();
            let is_new = shown.insert(id);
            if is_new && shown.len() > 1 && !self.excused.contains(&id) {
                let peer = seen.peer;
                return Some(format!("peer {peer} signs {shown:?} as event {seq}"));
            }
        }
        None
    }

    fn start(&mut self, seen: &Seen<'_>) {
        let knowing = self.knowing.get(&seen.peer);
        let known = |newest: &&(Epoch, Seq)| {
            let Some(committee) = seen.world.committee(newest.0) else {
                return false;
            };
            let stake = |peer: &usize| {
                let index = committee.index_of(&seen.world.key(*peer));
                index.map_or(0, |index| committee.stake(index).get())
            };
            let know = knowing.into_iter().flatten().filter(|(_, it)| it >= newest);
            3 * know.map(|(peer, _)| stake(peer)).sum::<u64>() >= committee.total().get()
        };
        match knowing
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter(known)
            .max()
        {
            Some(newest) => self.warned.insert(seen.process, *newest),
            None => self.warned.remove(&seen.process),
        };
    }

    /// Excuses what is signed without a warning.
    fn excuse(&mut self, seen: &Seen<'_>, replica: &Replica, effects: &[Effect]) {
        if !forgets(&seen.world.plan, seen.peer) {
            return;
        }
        let own = replica.committee().index_of(&seen.world.key(seen.peer));
        if own.is_some_and(|own| replica.dag().tips(own).nth(1).is_some()) {
            let all = (Epoch::new(u64::MAX), Seq::new(u64::MAX));
            self.warned.insert(seen.process, all);
        }
        let warned = self.warned.get(&seen.process);
        let events = effects.iter().flat_map(|effect| own_events(seen, effect));
        let excused = events.filter(|it| warned.is_none_or(|warned| *warned < (it.epoch, it.seq)));
        self.excused.extend(excused.map(|shown| shown.id));
    }

    fn learn(&mut self, seen: &Seen<'_>, replica: &Replica) {
        let plan = &seen.world.plan;
        if forgets(plan, seen.peer) {
            return;
        }
        for peer in (0..plan.peers()).filter(|peer| forgets(plan, *peer)) {
            let (epoch, key) = (replica.committee().epoch(), seen.world.key(peer));
            let index = replica.committee().index_of(&key);
            let latest = index.and_then(|index| replica.dag().latest(index));
            let knowing = self.knowing.entry(peer).or_default();
            match latest {
                Some(latest) => {
                    knowing.insert(seen.peer, (epoch, latest.seq()));
                }
                None if knowing.get(&seen.peer).is_some_and(|it| it.0 == epoch) => {
                    knowing.remove(&seen.peer);
                }
                // Whoever has come to a later epoch says nothing of this one as if it had not.
                None => {}
            }
        }
    }
}

/// An event that somebody shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) epoch: Epoch,
    creator: PeerIndex,
    pub(super) seq: Seq,
    pub(super) id: Digest,
}

/// The events in an effect that are of the process's own key.
pub(super) fn own_events(seen: &Seen<'_>, effect: &Effect) -> impl Iterator<Item = Shown> {
    let shown = match effect {
        Effect::Send { message, .. } => events(message),
        Effect::Persist { .. }
        | Effect::Guard(_)
        | Effect::Reply { .. }
        | Effect::WakeAt(_)
        | Effect::Accuse(_) => Vec::new(),
    };
    let (world, own) = (seen.world, seen.peer);
    let is_own = move |shown: &Shown| world.member(shown.epoch, shown.creator) == Some(own);
    shown.into_iter().filter(is_own)
}

fn events(message: &Message) -> Vec<Shown> {
    let whole = |parcel: &Parcel| {
        let header = parcel.signed.header();
        Shown {
            epoch: header.epoch,
            creator: header.creator,
            seq: header.seq,
            id: *parcel.signed.id(),
        }
    };
    match message {
        Message::Events(parcels)
        | Message::Followed {
            events: parcels, ..
        } => parcels.iter().map(whole).collect(),
        Message::Brief { brief, .. } => vec![Shown {
            epoch: brief.epoch,
            creator: brief.creator,
            seq: brief.seq,
            id: brief.id,
        }],
        Message::Want(_)
        | Message::Frontier { .. }
        | Message::Follow { .. }
        | Message::Attested { .. }
        | Message::WantSeal { .. }
        | Message::Passed(_) => Vec::new(),
    }
}
