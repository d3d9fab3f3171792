//! P4: a key that follows the rules never signs two events of one sequence number that leave it,
//! whatever its process goes through.
//!
//! A process that comes back without what it had written, or beside another one with the same key,
//! must ask a quorum first. It is excused only if it began before a third of stake, of peers that
//! forget nothing, knew any event of its key: no question finds what nobody knows.

use std::collections::{BTreeMap, BTreeSet};

use dag::gossip::Message;
use primitives::Digest;
use primitives::units::{Epoch, Seq};
use replica::{Effect, Replica};

use super::{Judge, Seen, Sight};
use crate::sim::plan::{Plan, Trouble};
use crate::sim::world::World;

/// Everything that any honest key ever signed and showed.
#[derive(Debug, Default)]
pub struct Equivocation {
    signed: BTreeMap<(usize, Epoch, Seq), Digest>,
    /// Of each peer that may forget, who else knows an event.
    knowing: BTreeMap<usize, BTreeSet<usize>>,
    /// The processes that began when a quorum could not be found that knows nothing.
    warned: BTreeSet<usize>,
}

impl Judge for Equivocation {
    fn name(&self) -> &'static str {
        "equivocation"
    }

    fn see(&mut self, seen: &Seen<'_>) -> Option<String> {
        let message = match seen.sight {
            Sight::Started(_) => {
                self.start(seen);
                return None;
            }
            Sight::Handled { replica, .. } => {
                self.learn(seen, replica);
                return None;
            }
            Sight::Left(Effect::Send { message, .. }) => message,
            Sight::Left(_) | Sight::Killed => return None,
        };
        let parcels = match message {
            Message::Events(parcels)
            | Message::Followed {
                events: parcels, ..
            } => parcels,
            Message::Want(_)
            | Message::Frontier { .. }
            | Message::Follow { .. }
            | Message::Attested { .. }
            | Message::WantSeal { .. }
            | Message::Passed(_) => return None,
        };
        let own = seen.world.committee.members().get(seen.peer)?;
        for parcel in parcels.iter() {
            let header = parcel.signed.header();
            let creator = seen.world.committee.member(header.creator).ok()?;
            if creator.key != own.key {
                continue;
            }
            let id = *parcel.signed.id();
            let place = (seen.peer, header.epoch, header.seq);
            let first = *self.signed.entry(place).or_insert(id);
            let is_excused =
                forgets(&seen.world.plan, seen.peer) && !self.warned.contains(&seen.process);
            if first != id && !is_excused {
                let (peer, seq) = (seen.peer, header.seq);
                return Some(format!("peer {peer} signs {first} and {id} as event {seq}"));
            }
        }
        None
    }
}

impl Equivocation {
    fn start(&mut self, seen: &Seen<'_>) {
        let plan = &seen.world.plan;
        let knowing = self.knowing.get(&seen.peer).into_iter().flatten();
        let stake: u64 = knowing.map(|peer| plan.stakes[*peer]).sum();
        match 3 * stake >= plan.stakes.iter().sum() {
            true => self.warned.insert(seen.process),
            false => self.warned.remove(&seen.process),
        };
    }

    fn learn(&mut self, seen: &Seen<'_>, replica: &Replica) {
        let World { plan, .. } = seen.world;
        if forgets(plan, seen.peer) {
            return;
        }
        for peer in (0..plan.peers()).filter(|peer| forgets(plan, *peer)) {
            let index = replica.committee().index_of(&seen.world.key(peer));
            let latest = index.and_then(|index| replica.dag().latest(index));
            let knowing = self.knowing.entry(peer).or_default();
            match latest {
                Some(_) => knowing.insert(seen.peer),
                None => knowing.remove(&seen.peer),
            };
        }
    }
}

/// Whether a process of `peer` may lack what the peer once wrote.
fn forgets(plan: &Plan, peer: usize) -> bool {
    plan.faults.iter().any(|fault| match fault.trouble {
        Trouble::Wipe { peer: one }
        | Trouble::Rollback { peer: one }
        | Trouble::Twin { peer: one }
        | Trouble::LyingDisk { peer: one }
        | Trouble::Rot { peer: one } => one == peer,
        Trouble::Lane { .. }
        | Trouble::Cut { .. }
        | Trouble::Flap { .. }
        | Trouble::Crash { .. }
        | Trouble::CrashAll
        | Trouble::Pause { .. }
        | Trouble::SlowDisk { .. }
        | Trouble::Clock { .. } => false,
    })
}
