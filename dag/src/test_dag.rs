//! DAGs for tests: drawn in text, or random with forkers. Events are unsigned.
//!
//! The language of drawings is told in docs/spec/drawn-dags.md.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::missing_panics_doc,
    reason = "tests stop at the first wrong drawing"
)]

use primitives::Digest;
use primitives::codec::List;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{Beacon, PublicKey, Signature, VerifyingKey};
use primitives::units::{Epoch, PeerIndex, Round, Seq, Stake, Time};

use crate::committee::{Committee, Member};
use crate::event::{Event, Header, Kind, Signed, payload_digest};

mod drawing;
mod lanes;
mod random;
#[cfg(test)]
mod tests;
mod words;

pub use drawing::Drawing;
pub use random::{Random, Shape, random, walk};
pub use words::{Judge, Word, Wrong};

/// The chain of all drawn DAGs.
pub const CHAIN: Digest = Digest([7; 32]);

/// A committee of epoch 0 with these stakes, peer by peer.
#[must_use]
pub fn committee(stakes: &[u64]) -> Committee {
    let members = stakes
        .iter()
        .enumerate()
        .map(|(index, stake)| Member {
            key: key(index),
            event_key: event_key(index),
            stake: Stake::new(*stake),
        })
        .collect();
    Committee::new(CHAIN, Epoch::ZERO, members).expect("stakes are positive")
}

/// The peer key of the member at `index`; keys ascend with it.
#[must_use]
pub fn key(index: usize) -> PublicKey {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&u16::try_from(index + 1).expect("few members").to_be_bytes());
    PublicKey(bytes)
}

/// Some valid key whose secret nobody knows, for the member at `index`.
#[must_use]
pub fn event_key(index: usize) -> VerifyingKey {
    (0_u64..)
        .map(|nonce| {
            let index = (index as u64).to_le_bytes();
            PublicKey(derive(Domain::TestKey, &[&index, &nonce.to_le_bytes()]).0)
        })
        .find_map(|key| key.to_verifying().ok())
        .expect("one in sixteen is a point")
}

/// A header of [`CHAIN`] without links, payload and attestations; roots have a beacon of their own.
#[must_use]
pub fn header(creator: PeerIndex, round: Round, kind: Kind) -> Header {
    let number = [
        creator.0.to_le_bytes().as_slice(),
        &round.get().to_le_bytes(),
    ]
    .concat();
    Header {
        version: 1,
        chain: CHAIN,
        epoch: Epoch::ZERO,
        creator,
        round,
        seq: Seq::ZERO,
        kind,
        self_parent: None,
        sealing: None,
        votes: List::empty(),
        parents: List::empty(),
        time: Time::ZERO,
        payload: payload_digest(&[]),
        payload_bytes: 0,
        beacon: (kind == Kind::Root).then(|| Beacon {
            pre_output: derive(Domain::TestKey, &[&number]).0,
            proof: [0; 64],
        }),
        attestations: List::empty(),
    }
}

/// The unsigned event of a header.
#[must_use]
pub fn unsigned(header: Header) -> Event {
    let signed = Signed::new(header, Signature([0; 64]));
    Event::trust(signed.expect("the header is within its bounds"))
}
