//! What a plan's faults do, when they begin and when they end.

use super::{Cluster, Happening};
use crate::error::Error;
use crate::sim::clock::{Moment, Skew};
use crate::sim::disk::Disk;
use crate::sim::network::Damage;
use crate::sim::plan::{Heal, Trouble};
use crate::sim::random::Stream;

/// The step with which a fault ends.
const END: u64 = u64::MAX;
/// Within which time the core comes up when everything heals, in microseconds.
const COLD_START_US: u64 = 2_000_000;

impl Cluster {
    /// Ends every fault for good, and starts the core; other honest peers stop.
    ///
    /// # Errors
    /// As [`Cluster::run`].
    pub fn heal(&mut self, heal: &Heal) -> Result<(), Error> {
        for fault in std::mem::take(&mut self.active) {
            self.end_fault(fault)?;
        }
        self.is_healed = true;
        let mut stream = Stream::new(self.world.plan.seed, &[b"heal"]);
        for process in 0..self.processes.len() {
            let peer = self.processes[process].peer;
            let delay = stream.below(COLD_START_US);
            let is_first = process < self.world.peers();
            if is_first && (heal.core.contains(&peer) || !self.world.plan.is_honest(peer)) {
                self.enqueue(self.now + delay, Happening::Start { process });
            } else {
                self.kill(process);
            }
        }
        Ok(())
    }

    /// A fault begins, ends, or goes on.
    pub(super) fn fault(&mut self, fault: usize, step: u64) -> Result<(), Error> {
        if self.is_healed {
            return Ok(());
        }
        if step == END {
            return match self.active.remove(&fault) {
                true => self.end_fault(fault),
                false => Ok(()),
            };
        }
        if step == 0 {
            self.active.insert(fault);
            let end = Moment::at_ms(self.world.plan.faults[fault].to_ms);
            self.enqueue(end, Happening::Fault { fault, step: END });
        }
        if self.active.contains(&fault) {
            self.begin_fault(fault, step)?;
        }
        Ok(())
    }

    fn begin_fault(&mut self, fault: usize, step: u64) -> Result<(), Error> {
        match self.world.plan.faults[fault].trouble.clone() {
            Trouble::Lane { from, to, lane } => {
                self.network.damage(fault, Damage::Lane { from, to, lane });
            }
            Trouble::Cut { from, to } => {
                self.network.damage(fault, Damage::Cut { from, to });
                self.reconsider_all();
            }
            Trouble::Flap {
                side,
                down_ms,
                up_ms,
            } => {
                let next = if step.is_multiple_of(2) {
                    self.network.damage(fault, Damage::Aside(side));
                    down_ms
                } else {
                    self.network.mend(fault);
                    up_ms
                };
                self.reconsider_all();
                let at = self.now + 1_000 * next.max(1);
                let step = step + 1;
                self.enqueue(at, Happening::Fault { fault, step });
            }
            Trouble::Crash { peer, steps } => self.processes[peer].fuse = Some(steps),
            Trouble::CrashAll => {
                for process in 0..self.processes.len() {
                    self.kill(process);
                }
            }
            Trouble::Pause { peer } => self.processes[peer].is_paused = true,
            Trouble::Wipe { peer, whole } => {
                self.kill(peer);
                self.processes[peer].disk = Disk::default();
                if whole {
                    self.processes[peer].guard = None;
                }
            }
            Trouble::Rollback { peer, .. } => {
                let place = &self.processes[peer];
                let (mut copy, guard) = (place.disk.clone(), place.guard);
                copy.sync();
                self.backups.insert(fault, (copy, guard));
            }
            Trouble::Twin { .. } => {
                let process = self.twin(fault);
                self.enqueue(self.now, Happening::Start { process });
            }
            Trouble::SlowDisk { peer, sync_us } => self.processes[peer].sync_us = sync_us,
            Trouble::LyingDisk { peer } => self.processes[peer].disk.lie(true),
            Trouble::Rot { peer } => {
                self.kill(peer);
                let place = &mut self.processes[peer];
                place.disk.rot(&mut place.crashes);
            }
            Trouble::Clock { peers, skew } => {
                for process in &mut self.processes {
                    if peers.contain(process.peer) {
                        process.clock.lie(skew, self.now);
                    }
                }
            }
        }
        Ok(())
    }

    fn end_fault(&mut self, fault: usize) -> Result<(), Error> {
        match self.world.plan.faults[fault].trouble.clone() {
            Trouble::Lane { .. } => self.network.mend(fault),
            Trouble::Cut { .. } | Trouble::Flap { .. } => {
                self.network.mend(fault);
                self.reconsider_all();
            }
            Trouble::Crash { peer, .. } => {
                if self.processes[peer].fuse.is_some() {
                    self.kill(peer);
                }
                self.start(peer)?;
            }
            Trouble::CrashAll => {
                for process in 0..self.world.peers() {
                    self.start(process)?;
                }
            }
            Trouble::Pause { peer } => {
                self.processes[peer].is_paused = false;
                self.work(peer)?;
            }
            Trouble::Wipe { peer, .. } | Trouble::Rot { peer } => self.start(peer)?,
            Trouble::Rollback { peer, whole } => {
                self.kill(peer);
                if let Some((disk, guard)) = self.backups.remove(&fault) {
                    let place = &mut self.processes[peer];
                    place.disk = disk;
                    if whole {
                        place.guard = guard;
                    }
                }
                self.start(peer)?;
            }
            Trouble::Twin { .. } => {
                let process = self.twin(fault);
                self.kill(process);
            }
            Trouble::SlowDisk { peer, .. } => self.processes[peer].sync_us = 0,
            Trouble::LyingDisk { peer } => self.processes[peer].disk.lie(false),
            Trouble::Clock { peers, .. } => {
                for process in &mut self.processes {
                    if peers.contain(process.peer) {
                        process.clock.lie(Skew::default(), self.now);
                    }
                }
            }
        }
        Ok(())
    }

    /// The second process that a fault starts.
    fn twin(&self, fault: usize) -> usize {
        let before = &self.world.plan.faults[..fault];
        let twins = before.iter().filter(|one| one.trouble.twin().is_some());
        self.world.peers() + twins.count()
    }
}
