//! Who is connected to whom, as each end knows: a change takes a while to be noticed, and one that
//! is over before that never was.

use super::{Cluster, Happening};
use crate::error::Error;
use crate::sim::liar::Heard;

impl Cluster {
    /// A process is up again: whoever still thinks it connected loses that connection at once.
    pub(super) fn join(&mut self, process: usize) -> Result<(), Error> {
        for other in 0..self.processes.len() {
            if self.processes[other].connected.contains(&process) {
                self.disconnect(other, process)?;
            }
        }
        self.reconsider(process);
        Ok(())
    }

    /// What may be up or down with one process must be noticed, at both ends.
    pub(super) fn reconsider(&mut self, process: usize) {
        for other in 0..self.processes.len() {
            self.consider(process, other);
            self.consider(other, process);
        }
    }

    /// The same with all.
    pub(super) fn reconsider_all(&mut self) {
        for process in 0..self.processes.len() {
            for other in 0..self.processes.len() {
                self.consider(process, other);
            }
        }
    }

    pub(super) fn notice(&mut self, of: usize, about: usize, number: u64) -> Result<(), Error> {
        if self.processes[of].unnoticed.get(&about) != Some(&number) {
            return Ok(());
        }
        self.processes[of].unnoticed.remove(&about);
        let is_up = self.can_reach(of, about);
        if is_up == self.processes[of].connected.contains(&about) {
            return Ok(());
        }
        if is_up {
            self.processes[of].connected.insert(about);
            let peer = self.processes[about].peer;
            self.give(of, Heard::Up(peer))
        } else {
            self.disconnect(of, about)
        }
    }

    fn consider(&mut self, of: usize, about: usize) {
        let place = &self.processes[of];
        let is_up = self.can_reach(of, about);
        if !place.runs() || is_up == place.connected.contains(&about) {
            self.processes[of].unnoticed.remove(&about);
            return;
        }
        if place.unnoticed.contains_key(&about) {
            return;
        }
        let at = self.now + self.network.notice_us(of, about, is_up);
        let number = self.queued;
        self.processes[of].unnoticed.insert(about, number);
        self.enqueue(at, Happening::Notice { of, about, number });
    }

    fn can_reach(&self, of: usize, about: usize) -> bool {
        let (one, other) = (&self.processes[of], &self.processes[about]);
        one.peer != other.peer
            && one.runs()
            && other.runs()
            && !self.network.is_cut(of, about)
            && !self.network.is_cut(about, of)
    }

    fn disconnect(&mut self, of: usize, about: usize) -> Result<(), Error> {
        let place = &mut self.processes[of];
        place.connected.remove(&about);
        let peer = self.processes[about].peer;
        let has_other = |other: &usize| self.processes[*other].peer == peer;
        if self.processes[of].connected.iter().any(has_other) {
            return Ok(());
        }
        self.give(of, Heard::Down(peer))
    }
}
