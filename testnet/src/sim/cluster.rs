//! Discrete events over whole peers: one ordered queue, one thing at a time, no real clock.
//!
//! ```text
//!   queue --(time, number)--> message | wake | sync done | link noticed | fault | wallet
//!                                 |
//!             process: inbox -> replica.handle -> batch -> sync -> outbox -> network -> queue
//! ```
//!
//! A process works as the node's driver does: inputs one by one, their batches at once, one sync for
//! a group, and nothing leaves before it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use primitives::Digest;
use replica::{Effect, Lane, Recipient, Replica, Watermark};

use super::audit::Audit;
use super::clock::Moment;
use super::disk::Disk;
use super::judge::{Judge, Seen, Sight, Violation, are_level};
use super::liar::{self, Act, Heard, Place};
use super::network::Network;
use super::plan::Plan;
use super::process::{Process, Program};
use super::random::Stream;
use super::wallets::Wallets;
use super::wire::Wire;
use super::world::World;
use crate::error::Error;

mod faults;
mod links;

/// Inputs that wait for a process; more messages are lost, as with peers that do not wait for a slow
/// reader.
const INBOX_MAX: usize = 1_024;
/// Inputs whose effects share one sync.
const GROUP_MAX: usize = 64;
/// Violations after which a run ends.
const VIOLATIONS_MAX: usize = 16;

/// Something that is due.
#[derive(Debug)]
enum Happening {
    Message {
        from: usize,
        to: usize,
        life: u32,
        wire: Wire,
    },
    Wake {
        process: usize,
        life: u32,
    },
    Synced {
        process: usize,
        life: u32,
    },
    /// `of` may notice how things stand with `about`.
    Notice {
        of: usize,
        about: usize,
        number: u64,
    },
    /// A fault begins, ends, or goes on to its next state.
    Fault {
        fault: usize,
        step: u64,
    },
    Start {
        process: usize,
    },
    Wallets,
}

#[derive(Debug)]
struct Entry {
    due: (Moment, u64),
    happening: Happening,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

/// A running network.
pub struct Cluster {
    world: World,
    now: Moment,
    queue: BinaryHeap<Reverse<Entry>>,
    queued: u64,
    processes: Vec<Process>,
    network: Network,
    wallets: Wallets,
    judges: Vec<Box<dyn Judge>>,
    violations: Vec<Violation>,
    audit: Audit,
    /// Disks put aside, by the fault that will bring them back.
    backups: BTreeMap<usize, (Disk, Option<Watermark>)>,
    /// The faults that are under way.
    active: BTreeSet<usize>,
    is_healed: bool,
    inputs: u64,
    arrivals: Vec<(Moment, Wire)>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cluster(of {} at {:?})", self.processes.len(), self.now)
    }
}

impl Cluster {
    /// Puts the peers of a plan up; nothing happens before [`Cluster::run`].
    ///
    /// # Errors
    /// A plan that no chain can be made of.
    pub fn new(plan: Plan, judges: Vec<Box<dyn Judge>>) -> Result<Self, Error> {
        let world = World::new(plan)?;
        let plan = &world.plan;
        let seed = plan.seed;
        let mut peers: Vec<usize> = (0..plan.peers()).collect();
        peers.extend(plan.faults.iter().filter_map(|fault| fault.trouble.twin()));
        let of_peer = |(process, peer): (usize, &usize)| {
            Process::new(seed, process, *peer, world.signer(*peer))
        };
        let processes = peers.iter().enumerate().map(of_peer).collect();
        let mut cluster = Self {
            network: Network::new(seed, peers, plan.lane),
            wallets: Wallets::new(&world),
            backups: BTreeMap::new(),
            active: BTreeSet::new(),
            now: Moment::ZERO,
            queue: BinaryHeap::new(),
            queued: 0,
            processes,
            judges,
            violations: Vec::new(),
            audit: Audit::default(),
            is_healed: false,
            inputs: 0,
            arrivals: Vec::new(),
            world,
        };
        let mut starts = Stream::new(seed, &[b"starts"]);
        for process in 0..cluster.world.peers() {
            let at = Moment(starts.below(100_000));
            cluster.enqueue(at, Happening::Start { process });
        }
        for (fault, entry) in cluster.world.plan.faults.clone().iter().enumerate() {
            let at = Moment::at_ms(entry.from_ms);
            cluster.enqueue(at, Happening::Fault { fault, step: 0 });
        }
        cluster.enqueue(Moment::at_ms(500), Happening::Wallets);
        Ok(cluster)
    }

    /// Lets everything happen that is due until then. Stops early after many violations.
    ///
    /// # Errors
    /// Only a liar's own.
    pub fn run(&mut self, until: Moment) -> Result<(), Error> {
        while let Some(Reverse(entry)) = self.queue.peek() {
            if entry.due.0 > until || self.violations.len() >= VIOLATIONS_MAX {
                break;
            }
            if let Some(Reverse(entry)) = self.queue.pop() {
                self.now = entry.due.0;
                self.happen(entry.happening)?;
            }
        }
        self.now = self.now.max(until);
        Ok(())
    }

    /// Asks every judge about the end.
    pub fn end(&mut self) {
        let mut judges = std::mem::take(&mut self.judges);
        for judge in &mut judges {
            for what in judge.end(self) {
                self.violations.push(Violation {
                    at_ms: self.now.ms(),
                    judge: judge.name(),
                    what,
                });
            }
        }
        self.judges = judges;
    }

    /// Whether everything that wallets handed in is final, and every honest process has the same
    /// height and nothing in hand. Submits nothing new once everything has healed.
    pub fn is_at_rest(&mut self) -> bool {
        self.wallets.close();
        let heights = self.honest().map(|(_, _, replica, _)| replica.header());
        let heights: Vec<u64> = heights.map(|header| header.height.get()).collect();
        self.wallets.open().is_empty() && are_level(heights.iter().copied(), &self.world.plan)
    }

    /// The common ground.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// Virtual time.
    #[must_use]
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// The digest of everything that happened.
    #[must_use]
    pub const fn audit(&self) -> Digest {
        self.audit.digest()
    }

    /// How many inputs were handled.
    #[must_use]
    pub const fn inputs(&self) -> u64 {
        self.inputs
    }

    /// What was found wrong.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// What wallets have done and heard.
    #[must_use]
    pub const fn wallets(&self) -> &Wallets {
        &self.wallets
    }

    /// The replicas that follow the rules and run, with their process, peer and disk.
    pub fn honest(&self) -> impl Iterator<Item = (usize, usize, &Replica, &Disk)> {
        let processes = self.processes.iter().enumerate();
        processes.filter_map(|(number, process)| {
            Some((number, process.peer, process.replica()?, &process.disk))
        })
    }

    /// Every disk, with its process and peer.
    pub fn disks(&self) -> impl Iterator<Item = (usize, usize, &Disk)> {
        let processes = self.processes.iter().enumerate();
        processes.map(|(number, process)| (number, process.peer, &process.disk))
    }

    /// How often each kind of liar did not follow the rules.
    #[must_use]
    pub fn lies(&self) -> BTreeMap<&'static str, u64> {
        let mut lies = BTreeMap::new();
        for liar in &self.world.plan.liars {
            *lies.entry(liar.lie.name()).or_default() += self.processes[liar.peer].lies;
        }
        lies
    }

    fn enqueue(&mut self, at: Moment, happening: Happening) {
        self.queued += 1;
        let due = (at.max(self.now), self.queued);
        self.queue.push(Reverse(Entry { due, happening }));
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Error> {
        match happening {
            Happening::Message {
                from,
                to,
                life,
                wire,
            } => {
                if self.processes[to].life == life && !self.network.is_cut(from, to) {
                    let from = self.processes[from].peer;
                    self.give(to, Heard::Message { from, wire })?;
                }
            }
            Happening::Wake { process, life } => {
                let place = &mut self.processes[process];
                // A wake that an earlier one has replaced is void.
                if place.life == life && place.wake == Some(self.now) {
                    place.wake = None;
                    self.give(process, Heard::Tick)?;
                }
            }
            Happening::Synced { process, life } => {
                if self.processes[process].life == life {
                    self.processes[process].syncing = false;
                    self.synced(process);
                    self.work(process)?;
                }
            }
            Happening::Notice { of, about, number } => self.notice(of, about, number)?,
            Happening::Fault { fault, step } => self.fault(fault, step)?,
            Happening::Start { process } => self.start(process)?,
            Happening::Wallets => self.visit()?,
        }
        Ok(())
    }

    /// Starts a process from its disk. One whose disk has gone bad stays down.
    fn start(&mut self, process: usize) -> Result<(), Error> {
        if self.processes[process].runs() {
            return Ok(());
        }
        let peer = self.processes[process].peer;
        let lie = self.world.plan.liars.iter().find(|liar| liar.peer == peer);
        let program = match lie {
            Some(liar) => Program::Liar(liar::behaviour(&liar.lie, &self.world, peer)?),
            None => {
                let Process { disk, guard, .. } = &mut self.processes[process];
                let mut setup = self.world.setup(peer);
                setup.watermark = *guard;
                match Replica::start(setup, disk) {
                    Ok((replica, batch)) => {
                        disk.apply(batch);
                        disk.sync();
                        *guard = replica.watermark();
                        Program::Honest(Box::new(replica))
                    }
                    Err(error) => {
                        self.refused(process, &error);
                        return Ok(());
                    }
                }
            }
        };
        let place = &mut self.processes[process];
        place.stop();
        place.program = program;
        place.clock.restart(self.now);
        self.show(process, Cue::Started);
        self.give(process, Heard::Begin)?;
        self.join(process)
    }

    /// A process does not start from its disk, or cannot go on.
    fn refused(&mut self, process: usize, error: &replica::Error) {
        let place = &self.processes[process];
        if !place.disk.is_suspect() {
            self.violate("fatal", format!("process {process}: {error}"));
        }
    }

    /// Hands a process what happened to it.
    fn give(&mut self, process: usize, heard: Heard) -> Result<(), Error> {
        let place = &mut self.processes[process];
        let is_message = matches!(heard, Heard::Message { .. });
        if !place.runs() || (is_message && place.inbox.len() >= INBOX_MAX) {
            return Ok(());
        }
        place.inbox.push_back(heard);
        self.work(process)
    }

    /// Lets a process handle what waits, unless it stands still or its disk is at work.
    fn work(&mut self, process: usize) -> Result<(), Error> {
        loop {
            let place = &mut self.processes[process];
            if place.is_paused || place.syncing || place.inbox.is_empty() {
                return Ok(());
            }
            for _ in 0..GROUP_MAX {
                let Some(heard) = self.processes[process].inbox.pop_front() else {
                    break;
                };
                self.handle(process, &heard)?;
            }
            self.flush(process);
        }
    }

    fn handle(&mut self, process: usize, heard: &Heard) -> Result<(), Error> {
        self.inputs += 1;
        let place = &mut self.processes[process];
        let now = place.clock.now(self.now);
        match &mut place.program {
            Program::Down => {}
            Program::Honest(replica) => {
                let input = heard.input(&self.world);
                self.audit.begin(self.now, process, &heard.audited());
                let effects = match replica.handle(now, input, &place.disk) {
                    Ok(effects) => effects,
                    Err(error) => {
                        self.refused(process, &error);
                        self.kill(process);
                        return Ok(());
                    }
                };
                self.world.meet(replica.committee());
                effects.iter().for_each(|effect| self.audit.effect(effect));
                self.audit.end();
                self.show(process, Cue::Handled(&effects));
                self.carry_out(process, effects);
            }
            Program::Liar(behaviour) => {
                let peer = |other: &usize| self.network.peer(*other);
                let connected = place.connected.iter().map(peer).collect();
                let mut stand = Place {
                    world: &self.world,
                    peer: place.peer,
                    at: self.now,
                    now,
                    key: place.key.as_ref(),
                    stream: &mut place.whims,
                    connected: &connected,
                    acts: Vec::new(),
                    lies: &mut place.lies,
                };
                behaviour.hear(heard, &mut stand)?;
                for act in stand.acts {
                    match act {
                        Act::Send { to, wire } => self.send(process, to, false, &wire),
                        Act::WakeAt(at) => self.wake(process, at),
                    }
                }
            }
        }
        Ok(())
    }

    /// Carries out what needs no sync; the rest waits in the outbox.
    fn carry_out(&mut self, process: usize, effects: Vec<Effect>) {
        for effect in effects {
            if !self.processes[process].survives_step() {
                self.kill(process);
                return;
            }
            match effect {
                Effect::Persist { batch, durable } => {
                    let place = &mut self.processes[process];
                    place.disk.apply(batch);
                    place.unsynced |= durable;
                }
                Effect::WakeAt(at) => self.wake(process, at),
                Effect::Accuse(_) => {}
                later @ (Effect::Guard(_) | Effect::Send { .. } | Effect::Reply { .. }) => {
                    self.processes[process].outbox.push(later);
                }
            }
        }
    }

    /// Syncs if anything that waits depends on it, then lets it out.
    fn flush(&mut self, process: usize) {
        let place = &mut self.processes[process];
        if place.unsynced && place.sync_us > 0 {
            place.syncing = true;
            let (life, at) = (place.life, self.now + place.sync_us);
            self.enqueue(at, Happening::Synced { process, life });
            return;
        }
        self.synced(process);
    }

    fn synced(&mut self, process: usize) {
        let place = &mut self.processes[process];
        if place.unsynced {
            if !place.survives_step() {
                self.kill(process);
                return;
            }
            place.disk.sync();
            place.unsynced = false;
        }
        for effect in std::mem::take(&mut self.processes[process].outbox) {
            if !self.processes[process].survives_step() {
                self.kill(process);
                return;
            }
            self.show(process, Cue::Left(&effect));
            self.let_out(process, effect);
        }
    }

    fn let_out(&mut self, process: usize, effect: Effect) {
        match effect {
            Effect::Send { to, lane, message } => {
                let Some(wire) = Wire::of(&message) else {
                    self.violate("fatal", format!("process {process} says too much"));
                    return;
                };
                let bulk = lane == Lane::Bulk;
                match to {
                    Recipient::Peer(to) => {
                        if let Some(to) = self.world.number(&to) {
                            self.send(process, to, bulk, &wire);
                        }
                    }
                    Recipient::Everyone => {
                        let connected: Vec<usize> =
                            self.processes[process].connected.iter().copied().collect();
                        for to in connected {
                            self.transmit(process, to, bulk, &wire);
                        }
                    }
                }
            }
            Effect::Reply { ticket, reply, .. } => {
                self.wallets.hear(self.now, process, ticket, &reply);
            }
            Effect::Guard(mark) => {
                let place = &mut self.processes[process];
                if !place.disk.is_lying() {
                    place.guard = Some(mark);
                }
            }
            Effect::Persist { .. } | Effect::WakeAt(_) | Effect::Accuse(_) => {}
        }
    }

    /// Sends to every process of a peer that the sender is connected to.
    fn send(&mut self, from: usize, peer: usize, bulk: bool, wire: &Wire) {
        let is_meant = |to: &usize| self.processes[*to].peer == peer;
        let connected = self.processes[from].connected.iter().copied();
        for to in connected.filter(is_meant).collect::<Vec<_>>() {
            self.transmit(from, to, bulk, wire);
        }
    }

    fn transmit(&mut self, from: usize, to: usize, bulk: bool, wire: &Wire) {
        let mut arrivals = std::mem::take(&mut self.arrivals);
        if !self.network.is_cut(from, to) {
            self.network
                .send((from, to), bulk, wire, self.now, &mut arrivals);
        }
        let life = self.processes[to].life;
        for (at, wire) in arrivals.drain(..) {
            let message = Happening::Message {
                from,
                to,
                life,
                wire,
            };
            self.enqueue(at, message);
        }
        self.arrivals = arrivals;
    }

    fn wake(&mut self, process: usize, mono_ms: u64) {
        let place = &mut self.processes[process];
        let at = place.clock.when(mono_ms, self.now);
        if place.wake.is_none_or(|wake| at < wake) {
            place.wake = Some(at);
            let life = place.life;
            self.enqueue(at, Happening::Wake { process, life });
        }
    }

    /// Kills a process: what its disk had not made durable may be gone.
    fn kill(&mut self, process: usize) {
        let place = &mut self.processes[process];
        if !place.runs() {
            return;
        }
        let is_honest = place.replica().is_some();
        place.disk.crash(&mut place.crashes);
        place.stop();
        if is_honest {
            self.show(process, Cue::Killed);
        }
        self.reconsider(process);
    }

    /// Lets wallets do what they do, and come again.
    fn visit(&mut self) -> Result<(), Error> {
        let running: BTreeSet<(usize, u32)> = self
            .processes
            .iter()
            .enumerate()
            .filter(|(_, process)| process.replica().is_some() && !process.is_paused)
            .map(|(number, process)| (number, process.life))
            .collect();
        for (process, heard) in self.wallets.visit(&self.world, self.now, &running)? {
            self.give(process, heard)?;
        }
        if let Some(next) = self.wallets.next(self.now) {
            self.enqueue(next, Happening::Wallets);
        }
        Ok(())
    }

    /// Shows the judges what happened at a process.
    fn show(&mut self, process: usize, cue: Cue<'_>) {
        let mut judges = std::mem::take(&mut self.judges);
        let place = &self.processes[process];
        let sight = match (cue, place.replica()) {
            (Cue::Started, Some(replica)) => Some(Sight::Started(replica)),
            (Cue::Handled(effects), Some(replica)) => Some(Sight::Handled { replica, effects }),
            (Cue::Left(effect), _) => Some(Sight::Left(effect)),
            (Cue::Killed, _) => Some(Sight::Killed),
            (Cue::Started | Cue::Handled(_), None) => None,
        };
        if let Some(sight) = sight {
            let seen = Seen {
                world: &self.world,
                at: self.now,
                process,
                peer: place.peer,
                disk: &place.disk,
                sight,
            };
            for judge in &mut judges {
                self.violations
                    .extend(judge.see(&seen).map(|what| Violation {
                        at_ms: seen.at.ms(),
                        judge: judge.name(),
                        what,
                    }));
            }
        }
        self.judges = judges;
    }

    fn violate(&mut self, judge: &'static str, what: String) {
        self.violations.push(Violation {
            at_ms: self.now.ms(),
            judge,
            what,
        });
    }
}

/// What to show.
enum Cue<'a> {
    Started,
    Handled(&'a [Effect]),
    Left(&'a Effect),
    Killed,
}
