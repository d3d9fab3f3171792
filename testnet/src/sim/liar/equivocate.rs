//! Two self-chains of one peer, each shown to a side of its own (C10).

use super::puppet::{Branch, Puppet, message, payload};
use super::{Behaviour, Heard, Place};
use crate::error::Error;
use crate::sim::clock::Moment;
use crate::sim::plan::Peers;
use crate::sim::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Equivocate {
    puppet: Puppet,
    /// Who is shown the first chain; the others are shown the second.
    side: Peers,
    /// When the chains part.
    from: Moment,
    /// Whether they part at a root, or at a data event.
    at_root: bool,
    chains: [Branch; 2],
    is_parted: bool,
}

impl Equivocate {
    pub(super) fn new(
        world: &World,
        peer: usize,
        side: &Peers,
        from_ms: u64,
        at_root: bool,
    ) -> Result<Self, Error> {
        Ok(Self {
            puppet: Puppet::new(world, peer)?,
            side: side.clone(),
            from: Moment::at_ms(from_ms),
            at_root,
            chains: <[Branch; 2]>::default(),
            is_parted: false,
        })
    }

    /// Lets one chain grow by a root, or by a data event, and shows that to its side.
    fn grow(&mut self, chain: usize, is_root: bool, place: &mut Place<'_>) -> Result<bool, Error> {
        let branch = &self.chains[chain];
        let header = match is_root {
            true => self.puppet.root(branch, place),
            false => self.puppet.data(branch, place),
        };
        let Some(header) = header else {
            return Ok(false);
        };
        // Each has a payload of its own, so no two are one event.
        let payload = payload(place)?;
        let parcel = self.puppet.sign(header, payload, place)?;
        let shown = message(core::slice::from_ref(&parcel));
        for to in place.connected {
            if !self.is_parted || self.side.contain(*to) == (chain == 0) {
                place.send(*to, &shown);
            }
        }
        self.chains[chain].follow(&parcel);
        Ok(true)
    }
}

impl Behaviour for Equivocate {
    fn hear(&mut self, heard: &Heard, place: &mut Place<'_>) -> Result<(), Error> {
        if !self.puppet.hear(heard, place)? {
            return Ok(());
        }
        if self.is_parted {
            for chain in [0, 1] {
                self.grow(chain, true, place)?;
            }
            return Ok(());
        }
        if place.at < self.from || !self.at_root {
            self.grow(0, true, place)?;
        }
        if place.at < self.from {
            return Ok(());
        }
        self.chains[1] = self.chains[0].clone();
        self.is_parted = true;
        let first = self.grow(0, self.at_root, place)?;
        let second = self.grow(1, self.at_root, place)?;
        self.is_parted = first && second;
        if self.is_parted {
            place.lie();
        }
        Ok(())
    }
}
