//! The seam for peers that do not follow the rules.
//!
//! A [`Behaviour`] owns its peer's place in the network: it hears all that the peer would hear, has
//! the peer's key and a random stream of its own, and says what is sent to whom. It may keep an
//! [`Inner`] replica that follows the rules and change what that one says.

use std::collections::BTreeSet;

use dag::gossip::Message;
use ledger::tx::Checked;
use primitives::keys::Signer;
use replica::{Effect, Input, Now, Recipient, Replica, Setup, Ticket};
use wallet_proto::request::Report;

use self::keep::{Eyes, Keep};
use super::clock::Moment;
use super::disk::Disk;
use super::plan::{Lie, Peers};
use super::random::Stream;
use super::wire::Wire;
use super::world::World;
use crate::error::Error;

mod bomb;
mod equivocate;
mod keep;
mod misattest;
mod misshape;
mod mute;
mod puppet;

/// What happens to a liar.
#[derive(Debug, Clone)]
pub enum Heard {
    /// It starts.
    Begin,
    /// A message came.
    Message {
        /// The peer that sent it.
        from: usize,
        /// What it sent.
        wire: Wire,
    },
    /// A peer is connected.
    Up(usize),
    /// A peer is not connected any more.
    Down(usize),
    /// The time it asked for has come.
    Tick,
    /// A wallet hands in transactions.
    Submitted(Ticket, Vec<Checked>),
}

impl Heard {
    /// The same for a replica.
    #[must_use]
    pub fn input(&self, world: &World) -> Input {
        match self {
            Self::Begin | Self::Tick => Input::Tick,
            Self::Up(peer) => Input::PeerUp(world.key(*peer)),
            Self::Down(peer) => Input::PeerDown(world.key(*peer)),
            Self::Message { from, wire } => {
                let from = world.key(*from);
                match wire.gossip(world) {
                    Some(gossip) => Input::Gossip { from, gossip },
                    None => Input::Refused { from },
                }
            }
            Self::Submitted(ticket, transactions) => Input::Submit {
                ticket: *ticket,
                transactions: transactions.clone(),
                report: Report::All,
            },
        }
    }

    /// What stands for it in the audit.
    pub(super) fn audited(&self) -> Vec<&[u8]> {
        match self {
            Self::Begin => vec![b"begin"],
            Self::Tick => vec![b"tick"],
            Self::Up(_) => vec![b"up"],
            Self::Down(_) => vec![b"down"],
            Self::Message { wire, .. } => vec![b"message", &wire.digest().0],
            Self::Submitted(_, transactions) => {
                let ids = transactions.iter().map(|one| one.id().0.as_slice());
                std::iter::once(b"submitted".as_slice())
                    .chain(ids)
                    .collect()
            }
        }
    }
}

/// A peer that does what it likes.
pub trait Behaviour {
    /// Takes what happened and says through `place` what it does.
    ///
    /// # Errors
    /// Only what an [`Inner`] replica fails with; the run ends with it.
    fn hear(&mut self, heard: &Heard, place: &mut Place<'_>) -> Result<(), Error>;
}

/// Where a liar stands while it acts.
pub struct Place<'a> {
    /// The common ground.
    pub world: &'a World,
    /// Its number.
    pub peer: usize,
    /// Virtual time.
    pub at: Moment,
    /// Its clocks.
    pub now: Now,
    /// Its event key.
    pub key: &'a dyn Signer,
    /// Its random numbers.
    pub stream: &'a mut Stream,
    /// The peers it is connected to.
    pub connected: &'a BTreeSet<usize>,
    pub(super) acts: Vec<Act>,
    /// How often it has not followed the rules.
    pub(super) lies: &'a mut u64,
}

impl std::fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Place(of peer {} at {:?})", self.peer, self.at)
    }
}

/// What a liar does.
#[derive(Debug)]
pub(super) enum Act {
    Send { to: usize, wire: Wire },
    WakeAt(u64),
}

impl Place<'_> {
    /// Notes that the rules are not followed here: a lie that is never told tests nothing.
    pub const fn lie(&mut self) {
        *self.lies += 1;
    }

    /// Sends a message to a peer; a message beyond the limits is not sent.
    pub fn send(&mut self, to: usize, message: &Message) {
        if let Some(wire) = Wire::of(message) {
            self.send_wire(to, &wire);
        }
    }

    /// Sends a message to every connected peer.
    pub fn broadcast(&mut self, message: &Message) {
        if let Some(wire) = Wire::of(message) {
            for to in self.connected {
                self.send_wire(*to, &wire);
            }
        }
    }

    /// Sends bytes that may be anything.
    pub fn send_bytes(&mut self, to: usize, bytes: Vec<u8>) {
        self.send_wire(to, &Wire::new(bytes));
    }

    /// Sends again what came.
    pub fn send_wire(&mut self, to: usize, wire: &Wire) {
        let wire = wire.clone();
        self.acts.push(Act::Send { to, wire });
    }

    /// Asks for a tick at this time of the monotonic clock.
    pub fn wake_at(&mut self, mono_ms: u64) {
        self.acts.push(Act::WakeAt(mono_ms));
    }
}

/// A replica within a liar, with a disk of its own.
#[derive(Debug)]
pub struct Inner {
    /// The replica.
    pub replica: Replica,
    /// Its disk.
    pub disk: Disk,
}

impl Inner {
    /// Starts a replica on `disk`.
    ///
    /// # Errors
    /// A disk that does not hold what it must.
    pub fn new(setup: Setup, mut disk: Disk) -> Result<Self, Error> {
        let (replica, batch) = Replica::start(setup, &disk)?;
        disk.apply(batch);
        disk.sync();
        Ok(Self { replica, disk })
    }

    /// Hands the replica what was heard. Its writes are carried out; what else it wants done is
    /// returned, for [`Inner::carry_out`] or for something else.
    ///
    /// # Errors
    /// As [`Replica::handle`].
    pub fn hear(&mut self, heard: &Heard, place: &Place<'_>) -> Result<Vec<Effect>, Error> {
        let mut rest = Vec::new();
        for effect in self
            .replica
            .handle(place.now, heard.input(place.world), &self.disk)?
        {
            match effect {
                Effect::Persist { batch, .. } => self.disk.apply(batch),
                Effect::Guard(_) => {}
                other @ (Effect::Send { .. }
                | Effect::Reply { .. }
                | Effect::WakeAt(_)
                | Effect::Accuse(_)) => rest.push(other),
            }
        }
        self.disk.sync();
        Ok(rest)
    }

    /// Does what the replica wants, as an honest peer would.
    pub fn carry_out(&self, effect: &Effect, place: &mut Place<'_>) {
        match effect {
            Effect::Send { to, message, .. } => match to {
                Recipient::Peer(to) => {
                    if let Some(to) = place.world.number(to) {
                        place.send(to, message);
                    }
                }
                Recipient::Everyone => place.broadcast(message),
            },
            Effect::WakeAt(at) => place.wake_at(*at),
            Effect::Persist { .. }
            | Effect::Guard(_)
            | Effect::Reply { .. }
            | Effect::Accuse(_) => {}
        }
    }
}

/// The behaviour of a lie. This is where a new one is added.
///
/// # Errors
/// As [`Inner::new`].
pub fn behaviour(lie: &Lie, world: &World, peer: usize) -> Result<Box<dyn Behaviour>, Error> {
    Ok(match lie {
        Lie::Mute => Box::new(mute::Mute),
        Lie::Equivocate {
            side,
            from_ms,
            at_root,
        } => Box::new(equivocate::Equivocate::new(
            world, peer, side, *from_ms, *at_root,
        )?),
        Lie::Bomb { twins } => Box::new(bomb::Bomb::new(world, peer, *twins)?),
        Lie::Withhold { hold_ms } => {
            Box::new(Keep::new(world, peer, Eyes::Of(Peers::All), *hold_ms)?)
        }
        Lie::Select { to } => Box::new(Keep::new(world, peer, Eyes::Of(to.clone()), 0)?),
        Lie::Alternate => Box::new(Keep::new(world, peer, Eyes::Alternate, 0)?),
        Lie::Misshape => Box::new(misshape::Misshape::new(world, peer)?),
        Lie::Misattest => Box::new(misattest::Misattest::new(world, peer)?),
    })
}

#[cfg(test)]
mod tests;
