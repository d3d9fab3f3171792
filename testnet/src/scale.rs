//! A few whole peers in a committee of up to 999, in virtual time. The others are light drivers: they
//! only create valid events, one root a round, and never hold a DAG.
//!
//! ```text
//!   lights --roots of round r--> whole peers --their roots--> lights: roots of round r + 1
//! ```
//!
//! Each event is signed, encoded, decoded and verified once, and shared by all that hold it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use dag::Event;
use dag::event::{Kind, Reference};
use dag::gossip::{Message, Parcel};
use primitives::codec::{self, Bytes, List};
use primitives::keys::PublicKey;
use primitives::units::{Epoch, Height, Round, Time};
use primitives::{Digest, limits};
use replica::input::verify;
use replica::{Effect, Gossip, Input, Now, Recipient, Replica};
use serde::Serialize;

use crate::error::Error;
use crate::sim::clock::WALL_START_MS;
use crate::sim::disk::Disk;
use crate::sim::plan::Plan;
use crate::sim::random::Stream;
use crate::sim::world::World;
use crate::voice::Voice;

mod lights;

use lights::Lights;

/// The delay of every message and what is drawn on top, in milliseconds.
const DELAY_MS: u64 = 20;
/// See [`DELAY_MS`].
const JITTER_MS: u64 = 5;
/// How long lights wait for the roots of whole peers, in milliseconds.
const PATIENCE_MS: u64 = 500;
/// A frame's length goes before it.
const FRAME_BYTES: usize = 4;
/// How long the run goes on after the last root of a light, in milliseconds.
const REST_MS: u64 = 2_000;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// Members of the committee, each with the same stake.
    pub committee: usize,
    /// How many of them are whole peers.
    pub replicas: usize,
    /// How many rounds the lights make.
    pub rounds: u64,
}

/// What a run showed.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// As in [`Task`].
    pub committee: usize,
    /// As in [`Task`].
    pub replicas: usize,
    /// As in [`Task`].
    pub rounds: u64,
    /// Events that each whole peer holds, at least.
    pub events: usize,
    /// Blocks that each whole peer settled, at least and at most.
    pub blocks: u64,
    /// See `blocks`.
    pub blocks_max: u64,
    /// Transactions that each whole peer applied, at least.
    pub applied: u64,
    /// Whether all whole peers have the same blocks, as far as each has settled.
    pub agree: bool,
    /// What their roots weigh.
    pub sizes: Sizes,
    /// Virtual time, in milliseconds.
    pub virtual_ms: u64,
    /// Time that passed, in milliseconds.
    pub wall_ms: u64,
    /// The most memory that the process ever had, in MiB.
    pub memory_mib: u64,
}

/// Runs the lights for the rounds asked for, and the whole peers until they rest.
///
/// # Errors
/// Numbers that no chain can be made of, or a replica that fails.
pub fn run(task: Task, voice: Voice) -> Result<Report, Error> {
    let begun = Instant::now();
    let mut scale = Scale::new(task)?;
    let mut told = 0;
    while let Some(((at_ms, _, _), happening)) = scale.queue.pop_first() {
        if at_ms > scale.end_ms {
            break;
        }
        scale.now_ms = at_ms;
        scale.happen(happening)?;
        if scale.lights.next_round() > told {
            told = scale.lights.next_round();
            voice.progress(&format!(
                "round {told}: {} blocks, {} MiB, {} s",
                scale.heights().min().unwrap_or(Height::ZERO),
                memory_mib(),
                begun.elapsed().as_secs(),
            ));
        }
    }
    let agree = scale.agree()?;
    let held = scale.whole.values().map(|whole| whole.replica.dag().size());
    let applied = scale
        .whole
        .values()
        .map(|whole| whole.replica.stats().transactions_applied);
    Ok(Report {
        committee: task.committee,
        replicas: task.replicas,
        rounds: task.rounds,
        events: held.min().unwrap_or(0),
        blocks: scale.heights().min().unwrap_or(Height::ZERO).get(),
        blocks_max: scale.heights().max().unwrap_or(Height::ZERO).get(),
        applied: applied.min().unwrap_or(0),
        agree,
        sizes: scale.sizes,
        virtual_ms: scale.now_ms,
        wall_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        memory_mib: memory_mib(),
    })
}

/// Bytes of the roots of whole peers, without payload.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Sizes {
    /// How many roots.
    pub roots: u64,
    /// One on the wire as a brief (C37), with its frame, on average.
    pub brief: u64,
    /// The longest brief.
    pub brief_max: u64,
    /// One with the ids of all its parents, on average.
    pub whole: u64,
}

impl Sizes {
    fn add(&mut self, message: &Message, event: &Event) -> Result<(), Error> {
        let bytes = codec::encode(message)?.len() + FRAME_BYTES;
        let payload = u64::from(event.header().payload_bytes);
        let brief = (bytes as u64).saturating_sub(payload);
        let whole = event.signed().bytes().len() as u64;
        let mean = |mean: u64, new: u64| (mean * self.roots + new) / (self.roots + 1);
        (self.brief, self.whole) = (mean(self.brief, brief), mean(self.whole, whole));
        self.brief_max = self.brief_max.max(brief);
        self.roots += 1;
        Ok(())
    }
}

/// A peer that does everything.
struct Whole {
    replica: Replica,
    disk: Disk,
    wake_ms: Option<u64>,
}

enum Happening {
    /// A whole peer gets a message.
    Message {
        to: usize,
        from: PublicKey,
        gossip: Rc<Gossip>,
    },
    /// A whole peer asked to be woken.
    Wake { peer: usize },
    /// Lights get a root of a whole peer.
    Root(Reference),
    /// Lights make the roots of a round, whoever is missing.
    Lights { round: u64 },
}

struct Scale {
    task: Task,
    world: World,
    whole: BTreeMap<usize, Whole>,
    lights: Lights,
    /// Every event, for whole peers that miss one.
    archive: BTreeMap<Digest, Rc<Gossip>>,
    /// By time, then by peer: what one peer does at once finds its memory warm.
    queue: BTreeMap<(u64, usize, u64), Happening>,
    queued: u64,
    now_ms: u64,
    end_ms: u64,
    delays: Stream,
    sizes: Sizes,
}

impl Scale {
    fn new(task: Task) -> Result<Self, Error> {
        let world = World::new(Plan::quiet(1, vec![1_000; task.committee], 0))?;
        let mut whole = BTreeMap::new();
        for number in 0..task.replicas.min(task.committee) {
            let peer = number * task.committee / task.replicas;
            let mut disk = Disk::default();
            let (replica, batch) = Replica::start(world.setup(peer), &disk)?;
            disk.apply(batch);
            disk.sync();
            whole.insert(
                peer,
                Whole {
                    replica,
                    disk,
                    wake_ms: None,
                },
            );
        }
        let light = (0..task.committee).filter(|peer| !whole.contains_key(peer));
        let lights = Lights::new(&world, light);
        let mut scale = Self {
            task,
            world,
            whole,
            lights,
            archive: BTreeMap::new(),
            queue: BTreeMap::new(),
            queued: 0,
            now_ms: 0,
            end_ms: u64::MAX,
            delays: Stream::new(1, &[b"scale"]),
            sizes: Sizes::default(),
        };
        scale.connect()?;
        scale.at(DELAY_MS, Happening::Lights { round: 0 });
        Ok(scale)
    }

    /// Everyone is connected, and lights say that they know nothing yet.
    fn connect(&mut self) -> Result<(), Error> {
        let frontier = gossip(
            &self.world,
            &Message::Frontier {
                epoch: Epoch::ZERO,
                height: Height::ZERO,
                floor: Round::ZERO,
                heads: List::empty(),
            },
        )?;
        for to in self.whole.keys().copied().collect::<Vec<_>>() {
            for peer in (0..self.task.committee).filter(|peer| *peer != to) {
                let from = self.world.key(peer);
                self.hand(to, Input::PeerUp(from))?;
                if !self.whole.contains_key(&peer) {
                    self.message(to, from, &frontier);
                }
            }
        }
        Ok(())
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Error> {
        match happening {
            Happening::Message { to, from, gossip } => {
                let gossip = Gossip::clone(&gossip);
                self.hand(to, Input::Gossip { from, gossip })
            }
            Happening::Wake { peer } => {
                let now_ms = self.now_ms;
                let due = self
                    .whole
                    .get_mut(&peer)
                    .and_then(|whole| whole.wake_ms.take_if(|wake| *wake == now_ms));
                match due {
                    Some(_) => self.hand(peer, Input::Tick),
                    None => Ok(()),
                }
            }
            Happening::Root(root) => {
                self.lights.note(root);
                let round = root.round.get();
                if self.lights.known(round) == self.task.committee {
                    return self.shine(round + 1);
                }
                Ok(())
            }
            Happening::Lights { round } => self.shine(round),
        }
    }

    /// Lights make the roots of this round, if it is their next one.
    fn shine(&mut self, round: u64) -> Result<(), Error> {
        if self.lights.next_round() != round || round >= self.task.rounds {
            return Ok(());
        }
        let time = Time::new(WALL_START_MS + self.now_ms);
        for Parcel { signed, payload } in self.lights.make(&self.world, time)? {
            let event = Event::trust(signed);
            let from = self.world.key(event.header().creator.position());
            let gossip = self.keep(event, payload)?;
            for to in self.whole.keys().copied().collect::<Vec<_>>() {
                self.message(to, from, &gossip);
            }
        }
        self.end_ms = match round + 1 == self.task.rounds {
            true => self.now_ms + REST_MS,
            false => u64::MAX,
        };
        self.at(PATIENCE_MS, Happening::Lights { round: round + 1 });
        Ok(())
    }

    /// Hands a whole peer an input and carries out what it wants.
    fn hand(&mut self, peer: usize, input: Input) -> Result<(), Error> {
        let now = Now {
            mono_ms: self.now_ms,
            wall: Time::new(WALL_START_MS + self.now_ms),
        };
        let Some(whole) = self.whole.get_mut(&peer) else {
            return Ok(());
        };
        for effect in whole.replica.handle(now, input, &whole.disk)? {
            self.carry_out(peer, effect)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, peer: usize, effect: Effect) -> Result<(), Error> {
        match effect {
            Effect::Persist { batch, .. } => {
                if let Some(whole) = self.whole.get_mut(&peer) {
                    whole.disk.apply(batch);
                    whole.disk.sync();
                }
            }
            Effect::Send { to, message, .. } => match to {
                Recipient::Everyone => self.tell_all(peer, message)?,
                Recipient::Peer(to) => self.tell(peer, to, message)?,
            },
            Effect::WakeAt(at_ms) => {
                let at_ms = at_ms.max(self.now_ms);
                if let Some(whole) = self.whole.get_mut(&peer)
                    && whole.wake_ms.is_none_or(|wake| at_ms < wake)
                {
                    whole.wake_ms = Some(at_ms);
                    self.at(at_ms - self.now_ms, Happening::Wake { peer });
                }
            }
            Effect::Guard(_) | Effect::Reply { .. } | Effect::Accuse(_) => {}
        }
        Ok(())
    }

    fn tell_all(&mut self, from: usize, message: Message) -> Result<(), Error> {
        let gossip = match &message {
            Message::Brief { brief, payload } => {
                let made = self.whole.get(&from);
                let made = made.and_then(|whole| whole.replica.dag().event(&brief.id));
                let Some(event) = made.cloned() else {
                    return Ok(());
                };
                if brief.kind == Kind::Root {
                    self.sizes.add(&message, &event)?;
                    self.at(DELAY_MS, Happening::Root(event.reference()));
                }
                self.keep(event, payload.clone())?
            }
            Message::Events(_)
            | Message::Want(_)
            | Message::Frontier { .. }
            | Message::Follow { .. }
            | Message::Followed { .. }
            | Message::Attested { .. }
            | Message::WantSeal { .. }
            | Message::Passed(_) => gossip(&self.world, &message)?,
        };
        for to in self.whole.keys().copied().collect::<Vec<_>>() {
            if to != from {
                self.message(to, self.world.key(from), &gossip);
            }
        }
        Ok(())
    }

    /// The whole event, kept for peers that miss it: briefs of one event would become copies of its
    /// header, of 100 KB in a committee of 999, in every peer.
    fn keep(
        &mut self,
        event: Event,
        payload: Bytes<{ limits::PAYLOAD_BYTES_MAX }>,
    ) -> Result<Rc<Gossip>, Error> {
        let id = *event.id();
        let signed = event.signed().clone();
        let parcels = List::new(vec![Parcel { signed, payload }])?;
        let gossip = gossip(&self.world, &Message::Events(parcels))?;
        self.archive.insert(id, Rc::clone(&gossip));
        Ok(gossip)
    }

    /// One peer tells another something; a light has every event and answers nothing else.
    fn tell(&mut self, from: usize, to: PublicKey, message: Message) -> Result<(), Error> {
        let Some(to_peer) = self.world.number(&to) else {
            return Ok(());
        };
        if self.whole.contains_key(&to_peer) {
            let gossip = gossip(&self.world, &message)?;
            self.message(to_peer, self.world.key(from), &gossip);
        } else if let Message::Want(ids) = message {
            for id in ids.iter() {
                if let Some(gossip) = self.archive.get(id).cloned() {
                    self.message(from, to, &gossip);
                }
            }
        }
        Ok(())
    }

    fn message(&mut self, to: usize, from: PublicKey, gossip: &Rc<Gossip>) {
        let delay = DELAY_MS + self.delays.below(JITTER_MS + 1);
        let gossip = Rc::clone(gossip);
        self.at(delay, Happening::Message { to, from, gossip });
    }

    fn at(&mut self, delay_ms: u64, happening: Happening) {
        self.queued += 1;
        let peer = match &happening {
            Happening::Message { to, .. } => *to,
            Happening::Wake { peer } => *peer,
            Happening::Root(_) | Happening::Lights { .. } => 0,
        };
        let due = (self.now_ms + delay_ms, peer, self.queued);
        self.queue.insert(due, happening);
    }

    fn heights(&self) -> impl Iterator<Item = Height> {
        self.whole
            .values()
            .map(|whole| whole.replica.engine().height())
    }

    fn agree(&self) -> Result<bool, Error> {
        let height = self.heights().min().unwrap_or(Height::ZERO);
        let mut roots = Vec::new();
        for Whole { replica, disk, .. } in self.whole.values() {
            let header = replica.ledger().header_at(height, disk)?;
            roots.push(header.map(|header| header.root()).transpose()?);
        }
        roots.dedup();
        Ok(roots.len() == 1)
    }
}

/// What a message means to a replica: encoded, decoded and verified as by a node.
fn gossip(world: &World, message: &Message) -> Result<Rc<Gossip>, Error> {
    let bytes = codec::encode(message)?;
    Ok(Rc::new(verify(&bytes, world.committees())?))
}

/// The most memory that this process ever had, in MiB; 0 where the system does not tell.
fn memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::Form;

    #[test]
    fn a_few_whole_peers_among_many_lights_settle_the_same_blocks() {
        let task = Task {
            committee: 40,
            replicas: 3,
            rounds: 10,
        };
        let report = run(task, Voice::new(Form::Words)).unwrap();
        assert!(report.agree && report.blocks >= 5, "{report:?}");
        assert!(report.applied > 0 && report.events > 390, "{report:?}");
        let sizes = report.sizes;
        assert!(sizes.roots >= 30, "{report:?}");
        assert!(sizes.brief_max < 500 && sizes.whole > 1_500, "{report:?}");
    }
}
