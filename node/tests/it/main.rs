//! The program from outside.

#[cfg(test)]
use dag::event::{Event, Header, Kind, payload_digest};
#[cfg(test)]
use primitives::{
    Digest,
    codec::List,
    keys::Signer,
    units::{Epoch, PeerIndex, Round, Seq, Time},
};
#[cfg(test)]
use primus_node::keyfile::Secret;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod program;

/// The root of round 0 at `time` of the member with this index, without payload, signed with `key`.
#[cfg(test)]
fn root(chain: Digest, creator: PeerIndex, time: u64, key: &Secret) -> Event {
    let signer = key.signer().unwrap();
    let (epoch, round) = (Epoch::ZERO, Round::ZERO);
    let header = Header {
        version: 1,
        chain,
        epoch,
        creator,
        round,
        seq: Seq::ZERO,
        kind: Kind::Root,
        self_parent: None,
        sealing: None,
        votes: List::empty(),
        parents: List::empty(),
        time: Time::new(time),
        payload: payload_digest(&[]),
        payload_bytes: 0,
        beacon: Some(signer.beacon(&chain, epoch, round)),
        attestations: List::empty(),
    };
    Event::sign(header, &signer).unwrap()
}
