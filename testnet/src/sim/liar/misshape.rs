//! Events that break a rule, and payloads that are none, among events that keep to all.

use dag::event::{Header, Kind, Reference};
use dag::gossip::Parcel;
use primitives::Digest;
use primitives::codec::{Bytes, List};
use primitives::units::{Epoch, PeerIndex, Round, Seq, Time};

use super::puppet::{Branch, Puppet, message, payload};
use super::{Behaviour, Heard, Place};
use crate::error::Error;
use crate::sim::random::Stream;
use crate::sim::world::World;

/// How many of a thousand events break a rule.
const FAULTY: u32 = 300;

/// See the module.
#[derive(Debug)]
pub(super) struct Misshape {
    puppet: Puppet,
    chain: Branch,
}

impl Misshape {
    pub(super) fn new(world: &World, peer: usize) -> Result<Self, Error> {
        Ok(Self {
            puppet: Puppet::new(world, peer)?,
            chain: Branch::default(),
        })
    }

    fn next(&mut self, place: &Place<'_>) -> Option<Header> {
        let root = self.puppet.root(&self.chain, place);
        root.or_else(|| {
            let is_late = place.at.0.is_multiple_of(7);
            self.puppet.data(&self.chain, place).filter(|_| is_late)
        })
    }
}

impl Behaviour for Misshape {
    fn hear(&mut self, heard: &Heard, place: &mut Place<'_>) -> Result<(), Error> {
        if !self.puppet.hear(heard, place)? {
            return Ok(());
        }
        let Some(mut header) = self.next(place) else {
            return Ok(());
        };
        let mut payload = payload(place)?;
        let is_faulty = place.stream.chance(FAULTY);
        if is_faulty {
            break_a_rule(&mut header, place.stream);
            place.lie();
        }
        if place.stream.chance(FAULTY) {
            spoil(&mut payload, place.stream);
        }
        let mut parcel = self.puppet.sign(header, payload, place)?;
        if place.stream.chance(FAULTY / 10) {
            parcel = without_its_payload(parcel)?;
        }
        place.broadcast(&message(core::slice::from_ref(&parcel)));
        // Nothing can follow what nobody takes, but now and then something is said to.
        if !is_faulty || place.stream.chance(FAULTY / 3) {
            self.chain.follow(&parcel);
        }
        Ok(())
    }
}

/// One of the rules C4 to C9, C17, C29 and C30 is not kept.
fn break_a_rule(header: &mut Header, stream: &mut Stream) {
    let votes = header.votes.clone().into_vec();
    let parents = header.parents.clone().into_vec();
    match stream.below(20) {
        0 => header.version = 2,
        1 => stream.fill(&mut header.chain.0),
        2 => header.epoch = Epoch::new(header.epoch.get() ^ 1),
        3 => header.creator = PeerIndex(stream.below(20) as u16),
        4 => header.round = header.round.later(1),
        5 => header.seq = Seq::new(stream.below(1_000)),
        6 => header.self_parent = None,
        7 => header.sealing = Some(Digest::ZERO),
        8 => header.time = Time::ZERO,
        9 => header.beacon = None,
        // A proof of somebody else's, for another round: it passes until it would lead (C17).
        10 => {
            if let Some(beacon) = &mut header.beacon {
                stream.fill(&mut beacon.proof);
            }
        }
        11 => {
            header.kind = match header.kind {
                Kind::Root => Kind::Data,
                Kind::Data => Kind::Root,
            }
        }
        // Fewer votes, among them perhaps not the own one.
        12 => header.votes = some_of(votes, stream),
        13 => header.votes = List::new(votes.into_iter().rev().collect()).unwrap_or_default(),
        14 => header.votes = changed(votes, stream),
        15 => header.parents = changed(parents, stream),
        16 => header.parents = List::new(votes).unwrap_or_default(),
        17 => header.parents = List::new(parents.into_iter().rev().collect()).unwrap_or_default(),
        // Below every floor, known to nobody.
        18 => header.parents = List::new(vec![nowhere(stream)]).unwrap_or_default(),
        _ => header.round = Round::new(stream.draw()),
    }
}

fn some_of<const MAX: usize>(
    references: Vec<Reference>,
    stream: &mut Stream,
) -> List<Reference, MAX> {
    let kept = references.into_iter().filter(|_| stream.chance(700));
    List::new(kept.collect()).unwrap_or_default()
}

/// One reference says something else of its event than that says of itself.
fn changed<const MAX: usize>(
    mut references: Vec<Reference>,
    stream: &mut Stream,
) -> List<Reference, MAX> {
    let place = stream.place(references.len());
    if let Some(reference) = references.get_mut(place) {
        match stream.below(3) {
            0 => reference.round = reference.round.earlier(1),
            1 => reference.seq = reference.seq.later(1),
            _ => stream.fill(&mut reference.id.0),
        }
    }
    List::new(references).unwrap_or_default()
}

fn nowhere(stream: &mut Stream) -> Reference {
    let mut id = Digest::ZERO;
    stream.fill(&mut id.0);
    Reference {
        creator: PeerIndex(0),
        seq: Seq::ZERO,
        round: Round::ZERO,
        id,
    }
}

/// The payload becomes no list of transactions, or one of transactions that no rule lets pass.
fn spoil(payload: &mut Vec<u8>, stream: &mut Stream) {
    match stream.below(3) {
        0 => stream.fill(payload),
        1 => payload.truncate(payload.len() / 2),
        _ => {
            let place = stream.place(payload.len());
            if let Some(byte) = payload.get_mut(place) {
                *byte ^= 1 << stream.below(8);
            }
        }
    }
}

fn without_its_payload(parcel: Parcel) -> Result<Parcel, Error> {
    Ok(Parcel {
        payload: Bytes::new(Vec::new())?,
        ..parcel
    })
}
