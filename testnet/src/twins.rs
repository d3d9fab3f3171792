//! Two unmodified copies of one key among whole peers, parted in every way.
//!
//! ```text
//!   processes   copy, copy of it | three peers with a key each
//!   a case      everyone joined -> parting -> parting -> parting -> everyone joined
//! ```
//!
//! A message between two groups waits until both ends are in one again. The copies get transactions
//! that exclude each other, so that they sign different events from the first on.

use std::collections::BTreeMap;
use std::path::Path;

use ledger::tx::{Body, Transaction, check_alone};
use primitives::codec;
use primitives::units::{Height, Time};
use replica::{Effect, Now, Recipient, Replica, Ticket};
use serde::Serialize;
use wallet_proto::reply::{Reply, Stage};

use crate::cases::each;
#[cfg(feature = "planted")]
use crate::cases::first_at_fault;
use crate::error::Error;
use crate::sim::clock::{Moment, WALL_START_MS};
use crate::sim::disk::Disk;
use crate::sim::judge::{Agreement, Judge, Seen, Sight};
use crate::sim::liar::Heard;
use crate::sim::plan::{Plan, Workload};
use crate::sim::swarm::{append, commit, remembering};
use crate::sim::wallets::payment;
use crate::sim::wire::Wire;
use crate::sim::world::World;
use crate::voice::Voice;

mod schedule;

use schedule::{PROCESSES, Parting, Schedule, schedules};

/// The delay of every message, in milliseconds; a round takes as long.
const DELAY_MS: u64 = 10;
/// How long everyone is joined at first: until each knows that nobody knows more of its own events.
const BEGIN_MS: u64 = 2 * DELAY_MS;
/// How long everyone is joined at last, at most.
const END_MS: u64 = 3_000;
/// How many blocks every peer must settle once all are joined.
const BLOCKS: u64 = 3;
/// Wallets in the genesis; the coin of the first is spent twice.
const WALLETS: usize = 1;
/// The first wait for roots of others, in milliseconds (C34).
const WAIT_MS: u64 = 20;

/// How many rounds a parting lasts, as the variant of a case has it.
const ROUNDS: [u64; 3] = [1, 2, 4];

/// How far one case's schedule is from that of the next, so that few cases are of many kinds: without a
/// common factor with the number of schedules, so that each has its turn.
const STRIDE: u64 = 7_919;

/// All cases: one line of the log.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Found {
    /// The commit of the program's sources, where that is known.
    pub commit: String,
    /// The first case.
    pub from: u64,
    /// How many cases.
    pub cases: u64,
    /// How many ways of parting there are, up to symmetry. Cases beyond them part alike in other rounds
    /// of another chain.
    pub schedules: usize,
    /// Cases in which a peer came to hold events of both copies.
    pub forked: u64,
    /// Cases in which a block was settled while not all were joined.
    pub settled_apart: u64,
    /// Cases in which two payments of one coin were both called official (C25), each by a copy.
    pub rival_officials: u64,
    /// Time that passed, in milliseconds.
    pub wall_ms: u64,
    /// The cases in which something was not as promised.
    pub violations: Vec<u64>,
}

/// Carries cases out and adds a line to the log.
///
/// # Errors
/// [`Error::File`] for a log that cannot be written.
pub fn run(from: u64, cases: u64, log: &Path, voice: Voice) -> Result<Found, Error> {
    let schedules = schedules();
    let mut found = Found {
        commit: commit(),
        from,
        cases,
        schedules: schedules.len(),
        ..Found::default()
    };
    let numbers = from..from.saturating_add(cases);
    let done = each(numbers, voice, |case| {
        run_case(&schedules, case, &mut found)
    });
    (found.wall_ms, found.violations) = (done.wall_ms, done.at_fault);
    append(log, &found)?;
    Ok(found)
}

/// Carries out the case with this number.
fn run_case(schedules: &[Schedule], case: u64, found: &mut Found) -> Result<(), String> {
    let ways = schedules.len() as u64;
    let place = case % ways * STRIDE % ways;
    let schedule = schedules[usize::try_from(place).unwrap_or(0)];
    remembering(|| carry_out(schedule, case / ways, found))
}

/// The first of so many cases in which something is not as promised, or panics.
#[cfg(feature = "planted")]
pub(crate) fn first_violation(cases: u64) -> Option<u64> {
    let (schedules, mut found) = (schedules(), Found::default());
    first_at_fault(cases, |case| run_case(&schedules, case, &mut found))
}

/// Carries one case out.
fn carry_out(schedule: Schedule, variant: u64, found: &mut Found) -> Result<(), String> {
    let mut run = Run::new(variant).map_err(|error| error.to_string())?;
    let apart = run
        .carry_out(schedule, variant)
        .map_err(|error| error.to_string())?;
    run.judge(apart)?;
    let honest = run.processes.iter().skip(2);
    let mut forkers = honest.map(|process| process.replica.dag().forkers().next());
    let is_forked = forkers.any(|forker| forker.is_some());
    let are_rivals = run.officials == [true; 2];
    if are_rivals && !is_forked {
        return Err(
            "two payments of one coin are official, and nobody is known to have forked".into(),
        );
    }
    found.forked += u64::from(is_forked);
    found.rival_officials += u64::from(are_rivals);
    found.settled_apart += u64::from(apart > Height::ZERO);
    Ok(())
}

/// One copy or peer.
struct Process {
    peer: usize,
    replica: Replica,
    disk: Disk,
    wake_ms: Option<u64>,
}

enum Happening {
    Message {
        from: usize,
        to: usize,
        wire: Wire,
    },
    Wake {
        process: usize,
    },
    /// A transaction for each process.
    Wallets,
}

struct Run {
    world: World,
    processes: Vec<Process>,
    queue: BTreeMap<(u64, u64), Happening>,
    queued: u64,
    parting: Parting,
    /// What waits for the groups to meet.
    held: Vec<(usize, usize, Wire)>,
    now_ms: u64,
    submitted: u64,
    /// Which of the two payments of one coin were called official.
    officials: [bool; 2],
}

impl Run {
    /// Everyone joined and at rest. Each variant is another chain, so that other peers lead; in every second
    /// one a copy and one other peer have more than half of the stake, and that on both sides of a parting.
    fn new(variant: u64) -> Result<Self, Error> {
        let mut stakes = vec![1_000 + variant; PROCESSES - 1];
        // Still below a third.
        stakes[0] += 340 * (variant % 2);
        let plan = Plan {
            workload: Workload {
                wallets: WALLETS,
                ..Workload::default()
            },
            ..Plan::quiet(variant, stakes, 0)
        };
        let world = World::new(plan)?;
        let mut processes = Vec::new();
        for process in 0..PROCESSES {
            // The copies are both of peer 0.
            let peer = process.saturating_sub(1);
            let mut setup = world.setup(peer);
            (setup.creation.wait_ms_min, setup.creation.wait_ms_max) = (WAIT_MS, WAIT_MS);
            let mut disk = Disk::default();
            let (replica, batch) = Replica::start(setup, &disk)?;
            disk.apply(batch);
            processes.push(Process {
                peer,
                replica,
                disk,
                wake_ms: None,
            });
        }
        Ok(Self {
            world,
            processes,
            queue: BTreeMap::new(),
            queued: 0,
            parting: [0; PROCESSES],
            held: Vec::new(),
            now_ms: 0,
            submitted: 0,
            officials: [false; 2],
        })
    }

    /// Returns the height that somebody reached before all were joined again.
    fn carry_out(&mut self, schedule: Schedule, variant: u64) -> Result<Height, Error> {
        for process in 0..PROCESSES {
            for other in 0..PROCESSES - 1 {
                if other != self.processes[process].peer {
                    self.hand(process, &Heard::Up(other))?;
                }
            }
            self.hand(process, &Heard::Tick)?;
        }
        self.pass(BEGIN_MS)?;
        self.at(0, Happening::Wallets);
        let mut lengths = variant;
        for parting in schedule {
            self.part(parting);
            self.pass(DELAY_MS * ROUNDS[usize::try_from(lengths % 3).unwrap_or(0)])?;
            lengths /= 3;
        }
        let apart = self.heights().max().unwrap_or(Height::ZERO);
        self.part([0; PROCESSES]);
        let until_ms = self.now_ms + END_MS;
        while self.now_ms < until_ms && self.lowest_honest() < apart.later(BLOCKS) {
            self.pass(DELAY_MS)?;
        }
        Ok(apart)
    }

    /// Whether all have one order, and the peers that are no copies go on.
    fn judge(&self, apart: Height) -> Result<(), String> {
        if self.lowest_honest() < apart.later(BLOCKS) {
            return Err(format!(
                "heights are {:?} {END_MS} ms after height {apart} was there and all were joined",
                self.heights().collect::<Vec<_>>()
            ));
        }
        let mut agreement = Agreement::default();
        for (number, process) in self.processes.iter().enumerate() {
            if let Some(contradiction) = process.replica.engine().contradiction() {
                return Err(format!("process {number}: {contradiction}"));
            }
            let seen = Seen {
                world: &self.world,
                at: Moment::at_ms(self.now_ms),
                process: number,
                peer: process.peer,
                disk: &process.disk,
                sight: Sight::Handled {
                    replica: &process.replica,
                    effects: &[],
                },
            };
            if let Some(difference) = agreement.see(&seen) {
                return Err(difference);
            }
        }
        Ok(())
    }

    fn heights(&self) -> impl Iterator<Item = Height> {
        let processes = self.processes.iter();
        processes.map(|process| process.replica.header().height)
    }

    fn lowest_honest(&self) -> Height {
        self.heights().skip(2).min().unwrap_or(Height::ZERO)
    }

    /// From now on each is joined with those of its own group alone.
    fn part(&mut self, parting: Parting) {
        self.parting = parting;
        for (from, to, wire) in std::mem::take(&mut self.held) {
            self.at(DELAY_MS, Happening::Message { from, to, wire });
        }
    }

    /// Lets what is due happen for so long.
    fn pass(&mut self, ms: u64) -> Result<(), Error> {
        let until_ms = self.now_ms + ms;
        while let Some(entry) = self.queue.first_entry()
            && entry.key().0 < until_ms
        {
            self.now_ms = entry.key().0;
            match entry.remove() {
                Happening::Message { from, to, wire } => {
                    if self.parting[from] != self.parting[to] {
                        self.held.push((from, to, wire));
                        continue;
                    }
                    let from = self.processes[from].peer;
                    self.hand(to, &Heard::Message { from, wire })?;
                }
                Happening::Wake { process } => {
                    let now_ms = self.now_ms;
                    let wake = &mut self.processes[process].wake_ms;
                    if wake.take_if(|wake| *wake == now_ms).is_some() {
                        self.hand(process, &Heard::Tick)?;
                    }
                }
                Happening::Wallets => self.submit()?,
            }
        }
        self.now_ms = until_ms;
        Ok(())
    }

    /// Each process gets a transaction of its own, the copies at first two payments of one coin.
    fn submit(&mut self) -> Result<(), Error> {
        for process in 0..PROCESSES {
            let transaction = match self.submitted {
                version @ (0 | 1) => payment(&self.world, 0, usize::from(version > 0), None)?,
                nonce => Transaction::unsigned(Body::data(nonce, vec![7; 8])?),
            };
            let bytes = codec::encode(&transaction)?;
            let ticket = Ticket {
                session: self.submitted,
                request: 0,
            };
            let transactions = vec![check_alone(bytes, &self.world.chain)];
            self.hand(process, &Heard::Submitted(ticket, transactions))?;
            self.submitted += 1;
        }
        self.at(DELAY_MS, Happening::Wallets);
        Ok(())
    }

    /// Hands a process an input and carries out what it wants.
    fn hand(&mut self, process: usize, heard: &Heard) -> Result<(), Error> {
        let now = Now {
            mono_ms: self.now_ms,
            wall: Time::new(WALL_START_MS + self.now_ms),
        };
        let place = &mut self.processes[process];
        let input = heard.input(&self.world);
        for effect in place.replica.handle(now, input, &place.disk)? {
            self.carry_out_effect(process, effect);
        }
        Ok(())
    }

    fn carry_out_effect(&mut self, from: usize, effect: Effect) {
        match effect {
            Effect::Persist { batch, .. } => self.processes[from].disk.apply(batch),
            Effect::Send { to, message, .. } => {
                let Some(wire) = Wire::of(&message) else {
                    return;
                };
                for process in 0..PROCESSES {
                    if self.reaches(from, process, to) {
                        let (to, wire) = (process, wire.clone());
                        self.at(DELAY_MS, Happening::Message { from, to, wire });
                    }
                }
            }
            Effect::WakeAt(at_ms) => {
                let at_ms = at_ms.max(self.now_ms);
                let wake = &mut self.processes[from].wake_ms;
                if wake.is_none_or(|wake| at_ms < wake) {
                    *wake = Some(at_ms);
                    self.at(at_ms - self.now_ms, Happening::Wake { process: from });
                }
            }
            Effect::Reply { ticket, reply, .. } => {
                let place = usize::try_from(ticket.session).ok();
                let payment = place.and_then(|place| self.officials.get_mut(place));
                if let (Some(payment), Reply::Progress(steps)) = (payment, &reply) {
                    *payment |= steps.iter().any(|step| step.stage == Stage::Official);
                }
            }
            Effect::Guard(_) | Effect::Accuse(_) => {}
        }
    }

    /// Whether what a process sends to `meant` goes to a process: both copies of a key get it.
    fn reaches(&self, from: usize, to: usize, meant: Recipient) -> bool {
        let peer = self.processes[to].peer;
        let is_meant = match meant {
            Recipient::Everyone => true,
            Recipient::Peer(key) => self.world.number(&key) == Some(peer),
        };
        is_meant && peer != self.processes[from].peer
    }

    fn at(&mut self, delay_ms: u64, happening: Happening) {
        self.queued += 1;
        let due = (self.now_ms + delay_ms, self.queued);
        self.queue.insert(due, happening);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::Form;

    #[test]
    fn copies_of_a_key_that_are_parted_from_one_another_change_nothing_and_stop_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.jsonl");
        let voice = Voice::new(Form::Words);
        // Of the later variants, so that partings are long enough to settle something.
        let found = run(25 * 14_894, 60, &log, voice).unwrap();
        assert_eq!((found.cases, &found.violations), (60, &vec![]));
        assert!(found.forked > 50 && found.settled_apart > 0, "{found:?}");
        assert!(found.rival_officials > 0, "{found:?}");
        let line = std::fs::read_to_string(&log).unwrap();
        assert!(line.contains("\"schedules\":14894"), "{line}");
    }
}
