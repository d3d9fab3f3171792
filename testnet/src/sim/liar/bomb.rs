//! Many events of one sequence number, shown to all.

use super::puppet::{Branch, Puppet, message, payload};
use super::{Behaviour, Heard, Place};
use crate::error::Error;
use crate::sim::world::World;

/// How many events one turn makes at most, so that a run ends.
const TURN_MAX: u32 = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Bomb {
    puppet: Puppet,
    /// How many events there are to be of each sequence number.
    twins: u32,
    chain: Branch,
}

impl Bomb {
    pub(super) fn new(world: &World, peer: usize, twins: u32) -> Result<Self, Error> {
        Ok(Self {
            puppet: Puppet::new(world, peer)?,
            twins: twins.clamp(1, TURN_MAX),
            chain: Branch::default(),
        })
    }
}

impl Behaviour for Bomb {
    fn hear(&mut self, heard: &Heard, place: &mut Place<'_>) -> Result<(), Error> {
        if !self.puppet.hear(heard, place)? {
            return Ok(());
        }
        let Some(header) = self.puppet.root(&self.chain, place) else {
            return Ok(());
        };
        let mut parcels = Vec::new();
        for _ in 0..self.twins {
            let payload = payload(place)?;
            parcels.push(self.puppet.sign(header.clone(), payload, place)?);
        }
        place.lie();
        place.broadcast(&message(&parcels));
        // Any of them may be the one that goes on.
        let next = place.stream.place(parcels.len());
        self.chain.follow(&parcels[next]);
        Ok(())
    }
}
