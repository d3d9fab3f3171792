//! Signs roots of blocks that the blocks do not have (C29).

use dag::event::{Attestation, attestation_digest};
use primitives::Digest;
use primitives::codec::List;
use primitives::keys::Role;
use primitives::units::Height;

use super::puppet::{Branch, Puppet, message, payload};
use super::{Behaviour, Heard, Place};
use crate::error::Error;
use crate::sim::world::World;

/// How far from the newest block the heights lie.
const HEIGHTS: u64 = 3;

/// See the module.
#[derive(Debug)]
pub(super) struct Misattest {
    puppet: Puppet,
    chain: Branch,
}

impl Misattest {
    pub(super) fn new(world: &World, peer: usize) -> Result<Self, Error> {
        Ok(Self {
            puppet: Puppet::new(world, peer)?,
            chain: Branch::default(),
        })
    }

    fn attestations(&self, place: &mut Place<'_>) -> Vec<Attestation> {
        let epoch = self.puppet.dag().committee().epoch();
        let newest = self.puppet.eye().header().height.get();
        let low = newest.saturating_sub(HEIGHTS);
        let mut of = |height| {
            let height = Height::new(height);
            let mut root = Digest::ZERO;
            place.stream.fill(&mut root.0);
            let digest = attestation_digest(epoch, height, &root);
            let signature = place
                .key
                .sign(Role::Attestation, &place.world.chain, &digest);
            Attestation {
                height,
                root,
                signature,
            }
        };
        (low..=newest + HEIGHTS).map(&mut of).collect()
    }
}

impl Behaviour for Misattest {
    fn hear(&mut self, heard: &Heard, place: &mut Place<'_>) -> Result<(), Error> {
        if !self.puppet.hear(heard, place)? {
            return Ok(());
        }
        let Some(mut header) = self.puppet.root(&self.chain, place) else {
            return Ok(());
        };
        header.attestations = List::new(self.attestations(place))?;
        let payload = payload(place)?;
        let parcel = self.puppet.sign(header, payload, place)?;
        place.lie();
        place.broadcast(&message(core::slice::from_ref(&parcel)));
        self.chain.follow(&parcel);
        Ok(())
    }
}
