//! A message on its way: encoded once for all its receivers, decoded and verified once for all.

use std::cell::OnceCell;
use std::rc::Rc;

use dag::gossip::Message;
use primitives::Digest;
use primitives::codec;
use primitives::digest::derive;
use primitives::domain::Domain;
use replica::Gossip;
use replica::input::verify;

use super::world::World;

/// A message's bytes and, once somebody asked, what they mean.
#[derive(Debug, Clone)]
pub struct Wire(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    bytes: Vec<u8>,
    digest: Digest,
    gossip: OnceCell<Option<Gossip>>,
}

impl Wire {
    /// Bytes that somebody sends, whatever they are.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Rc::new(Inner {
            digest: derive(Domain::Audit, &[&bytes]),
            bytes,
            gossip: OnceCell::new(),
        }))
    }

    /// A message that somebody sends; none if it does not fit a frame.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        codec::encode(message).ok().map(Self::new)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// A digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.0.digest
    }

    /// The message as it was sent; none if the bytes are not one.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        codec::decode(&self.0.bytes).ok()
    }

    /// What a peer may hand to its replica; none if it must refuse the bytes.
    #[must_use]
    pub fn gossip(&self, world: &World) -> Option<Gossip> {
        let verified = || verify(&self.0.bytes, world.committees()).ok();
        self.0.gossip.get_or_init(verified).clone()
    }

    /// The same with one bit flipped.
    #[must_use]
    pub fn corrupted(&self, bit: u64) -> Self {
        let mut bytes = self.0.bytes.clone();
        let bits = 8 * bytes.len() as u64;
        let place = usize::try_from(bit.checked_rem(bits).unwrap_or(0) / 8).unwrap_or(0);
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1 << (bit % 8);
        }
        Self::new(bytes)
    }
}
