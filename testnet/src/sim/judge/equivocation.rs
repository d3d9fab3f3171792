//! P4: a key that follows the rules never signs two events of one sequence number that leave it,
//! whatever its process goes through.

use std::collections::BTreeMap;

use dag::gossip::Message;
use primitives::Digest;
use primitives::units::{Epoch, Seq};
use replica::Effect;

use super::{Judge, Seen, Sight};

/// Everything that any honest key ever signed and showed.
#[derive(Debug, Default)]
pub struct Equivocation {
    signed: BTreeMap<(usize, Epoch, Seq), Digest>,
}

impl Judge for Equivocation {
    fn name(&self) -> &'static str {
        "equivocation"
    }

    fn see(&mut self, seen: &Seen<'_>) -> Option<String> {
        let Sight::Left(Effect::Send { message, .. }) = seen.sight else {
            return None;
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
            if first != id {
                let (peer, seq) = (seen.peer, header.seq);
                return Some(format!("peer {peer} signs {first} and {id} as event {seq}"));
            }
        }
        None
    }
}
