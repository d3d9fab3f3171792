//! P17, P4: nobody is shown to have forked, is quarantined, or finds its state to differ from a
//! certified one, who follows the rules on a disk that keeps what it was given.

use std::collections::BTreeSet;

use replica::Effect;
use replica::replica::Standing;

use super::{Judge, Seen, Sight, forgets_what_it_signed};

/// Remembers who was blamed, to say it once.
#[derive(Debug, Default)]
pub struct Blamed {
    peers: BTreeSet<usize>,
}

impl Judge for Blamed {
    fn name(&self) -> &'static str {
        "blamed"
    }

    fn see(&mut self, seen: &Seen<'_>) -> Option<String> {
        let Sight::Handled { replica, effects } = seen.sight else {
            return None;
        };
        let world = seen.world;
        let accused = effects.iter().filter_map(|effect| match effect {
            Effect::Accuse(evidence) => {
                let header = evidence.first.header();
                world.member(header.epoch, header.creator)
            }
            Effect::Persist { .. }
            | Effect::Guard(_)
            | Effect::Send { .. }
            | Effect::Reply { .. }
            | Effect::WakeAt(_) => None,
        });
        let is_stopped =
            *replica.standing() == Standing::Quarantined || replica.diverged().is_some();
        let blamed: Vec<usize> = accused.chain(is_stopped.then_some(seen.peer)).collect();
        for peer in blamed {
            let is_sound = world.plan.is_honest(peer) && !forgets_what_it_signed(&world.plan, peer);
            if is_sound && self.peers.insert(peer) {
                let (process, diverged) = (seen.process, replica.diverged());
                return Some(format!(
                    "peer {peer} is blamed at process {process}: stopped {is_stopped}, diverged \
                     {diverged:?}"
                ));
            }
        }
        None
    }
}
