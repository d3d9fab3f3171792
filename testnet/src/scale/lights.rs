//! Peers that only create valid events: each round, one root for all roots of the round before.

use std::collections::BTreeMap;

use dag::Event;
use dag::event::{Header, Kind, Reference, payload_digest};
use dag::gossip::Parcel;
use ledger::tx::{Body, Payload, Transaction};
use primitives::codec::{self, Bytes, List};
use primitives::keys::Signer;
use primitives::units::{Epoch, PeerIndex, Round, Seq, Time};

use crate::error::Error;
use crate::sim::world::{World, index};

/// How many lights of a round put a transaction into their roots.
const TRANSACTIONS: usize = 8;

/// All lights at once: what one of them hears they all hear.
pub(super) struct Lights {
    keys: BTreeMap<PeerIndex, Box<dyn Signer + Send>>,
    next: u64,
    /// The roots of the newest rounds.
    roots: BTreeMap<u64, BTreeMap<PeerIndex, Reference>>,
}

impl Lights {
    pub(super) fn new(world: &World, peers: impl Iterator<Item = usize>) -> Self {
        Self {
            keys: peers
                .map(|peer| (index(peer), world.signer(peer)))
                .collect(),
            next: 0,
            roots: BTreeMap::new(),
        }
    }

    /// The round of which they make the next roots.
    pub(super) const fn next_round(&self) -> u64 {
        self.next
    }

    /// How many roots of a round they know.
    pub(super) fn known(&self, round: u64) -> usize {
        self.roots.get(&round).map_or(0, BTreeMap::len)
    }

    /// They hear of a root.
    pub(super) fn note(&mut self, root: Reference) {
        let round = self.roots.entry(root.round.get()).or_default();
        round.entry(root.creator).or_insert(root);
    }

    /// Each makes its root of the next round.
    pub(super) fn make(&mut self, world: &World, time: Time) -> Result<Vec<Parcel>, Error> {
        let round = self.next;
        let before = self.roots.get(&round.wrapping_sub(1));
        let votes: Vec<Reference> = before
            .into_iter()
            .flatten()
            .map(|(_, root)| *root)
            .collect();
        let mut parcels = Vec::new();
        for (place, (peer, key)) in self.keys.iter().enumerate() {
            let payload = match place < TRANSACTIONS {
                true => transaction(round, place)?,
                false => Vec::new(),
            };
            let header = Header {
                version: 1,
                chain: world.chain,
                epoch: Epoch::ZERO,
                creator: *peer,
                round: Round::new(round),
                seq: Seq::new(round),
                kind: Kind::Root,
                self_parent: before.and_then(|roots| roots.get(peer)).copied(),
                sealing: None,
                votes: List::new(votes.clone())?,
                parents: List::empty(),
                time,
                payload: payload_digest(&payload),
                payload_bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX),
                beacon: Some(key.beacon(&world.chain, Epoch::ZERO, Round::new(round))),
                attestations: List::empty(),
            };
            let event = Event::sign(header, key.as_ref())?;
            parcels.push(Parcel {
                signed: event.signed().clone(),
                payload: Bytes::new(payload)?,
            });
        }
        self.next += 1;
        self.roots.retain(|kept, _| kept + 1 >= round);
        for parcel in &parcels {
            self.note(parcel.signed.reference());
        }
        Ok(parcels)
    }
}

/// A payload of one transaction that no other has.
fn transaction(round: u64, place: usize) -> Result<Vec<u8>, Error> {
    let nonce = round * TRANSACTIONS as u64 + place as u64;
    let transaction = Transaction::unsigned(Body::data(nonce, vec![7; 64])?);
    Ok(Payload::bytes(vec![codec::encode(&transaction)?])?)
}
