//! One process: a peer's program on a machine with a disk and clocks, running or not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use primitives::keys::Signer;
use replica::{Effect, Replica, Watermark};

use super::clock::{Clock, Moment};
use super::disk::Disk;
use super::liar::{Behaviour, Heard};
use super::random::Stream;

/// What runs.
pub(super) enum Program {
    /// Nothing.
    Down,
    /// A peer that follows the rules.
    Honest(Box<Replica>),
    /// One that does not.
    Liar(Box<dyn Behaviour>),
}

/// See the module.
pub(super) struct Process {
    /// The peer it is of.
    pub(super) peer: usize,
    pub(super) program: Program,
    pub(super) disk: Disk,
    /// The newest own event that may have left, remembered beside the disk.
    pub(super) guard: Option<Watermark>,
    pub(super) clock: Clock,
    /// Starts so far; what was sent to an earlier life is void.
    pub(super) life: u32,
    /// What waits to be handled.
    pub(super) inbox: VecDeque<Heard>,
    /// What waits for the disk.
    pub(super) outbox: Vec<Effect>,
    /// Whether the outbox depends on a sync.
    pub(super) unsynced: bool,
    /// Whether the disk is at work, for how long it is.
    pub(super) syncing: bool,
    pub(super) sync_us: u64,
    pub(super) is_paused: bool,
    pub(super) wake: Option<Moment>,
    /// How many effects it carries out before it is killed, where that is to be.
    pub(super) fuse: Option<u32>,
    /// The processes it is connected to, as it knows.
    pub(super) connected: BTreeSet<usize>,
    /// Changes that it has not noticed yet: the process, and the number of the notice.
    pub(super) unnoticed: BTreeMap<usize, u64>,
    /// How the disk dies.
    pub(super) crashes: Stream,
    /// A liar's key and randomness.
    pub(super) key: Box<dyn Signer + Send>,
    pub(super) whims: Stream,
    /// How often it did not follow the rules.
    pub(super) lies: u64,
}

impl Process {
    pub(super) fn new(seed: u64, process: usize, peer: usize, key: Box<dyn Signer + Send>) -> Self {
        Self {
            peer,
            program: Program::Down,
            disk: Disk::default(),
            guard: None,
            clock: Clock::default(),
            life: 0,
            inbox: VecDeque::new(),
            outbox: Vec::new(),
            unsynced: false,
            syncing: false,
            sync_us: 0,
            is_paused: false,
            wake: None,
            fuse: None,
            connected: BTreeSet::new(),
            unnoticed: BTreeMap::new(),
            crashes: Stream::of_process(seed, process, "crash"),
            key,
            whims: Stream::of_process(seed, process, "liar"),
            lies: 0,
        }
    }

    pub(super) const fn runs(&self) -> bool {
        !matches!(self.program, Program::Down)
    }

    pub(super) fn replica(&self) -> Option<&Replica> {
        match &self.program {
            Program::Honest(replica) => Some(replica),
            Program::Down | Program::Liar(_) => None,
        }
    }

    /// Forgets everything but disk, guard, clock and number.
    pub(super) fn stop(&mut self) {
        self.program = Program::Down;
        self.life += 1;
        self.inbox.clear();
        self.outbox.clear();
        (self.unsynced, self.syncing, self.is_paused) = (false, false, false);
        (self.wake, self.fuse) = (None, None);
        self.connected.clear();
        self.unnoticed.clear();
    }

    /// Whether the next of several steps may be taken; false if the process dies before it.
    pub(super) const fn survives_step(&mut self) -> bool {
        match self.fuse {
            Some(0) => false,
            Some(steps) => {
                self.fuse = Some(steps - 1);
                true
            }
            None => true,
        }
    }
}
