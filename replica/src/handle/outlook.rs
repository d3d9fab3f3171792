//! Looks ahead: tentative head, partition, fork alarm, and what came of earlier looks (C25 to C28).

use alloc::vec::Vec;

use consensus::{Settled, finality};
use ledger::tx::Taken;
use primitives::Digest;
use primitives::quorum::Threshold;
use primitives::store::Store;
use primitives::units::Stake;

use crate::outlook::{ForkAlarm, Outlook, Partition};
use crate::replica::Replica;
use crate::turn::Turn;

/// After which silence a peer is not heard any more, in milliseconds: three frontiers.
const SILENCE_MS: u64 = 3_000;
/// How long a round may lack a quorum while something waits, in milliseconds.
const STALL_MS: u64 = 5_000;
/// The least time between two looks at what is contested, in milliseconds.
const SWEEP_MS: u64 = 20;
/// Conflicts weighed in one look.
const SWEPT_MAX: usize = 64;

impl Replica {
    /// What this peer makes of what is not final.
    #[must_use]
    pub const fn outlook(&self) -> &Outlook {
        &self.outlook
    }

    /// Once a second: who will lead, and whether a quorum is heard.
    pub(crate) fn look_ahead(&mut self, now_ms: u64) {
        self.outlook.head = self.engine.tentative_head(&self.dag);
        if let Some(head) = self.outlook.head
            && self.outlook.told.is_none()
        {
            self.outlook.told = Some(head);
        }
        let unsettled = &self.unsettled;
        let is_open = |id: &Digest| !unsettled.carriers(id).is_empty();
        self.outlook.officials.retain(is_open);
        let partition = self.cut_off(now_ms);
        self.outlook.partition = match (partition, self.outlook.partition) {
            (Some(stake_heard), before) => {
                if before.is_none() {
                    self.stats.partitions = self.stats.partitions.saturating_add(1);
                }
                let since_ms = before.map_or(now_ms, |before| before.since_ms);
                Some(Partition {
                    stake_heard,
                    since_ms,
                })
            }
            (None, _) => None,
        };
    }

    /// The stake that is heard, if it is no quorum: of those who have said anything lately, or else of
    /// those whose roots of the highest round have come, where something waits and nothing moves.
    // C28.
    fn cut_off(&mut self, now_ms: u64) -> Option<Stake> {
        let heard = self
            .peers
            .iter()
            .filter(|(_, peer)| now_ms.saturating_sub(peer.heard_ms) <= SILENCE_MS);
        let heard = self.members_of(heard.map(|(key, _)| key)).chain(self.own());
        let heard = self.stake_of(heard);
        if !self.committee.meets(Threshold::Quorum, heard) {
            return Some(heard);
        }
        let highest = self.dag.highest_round()?;
        let since_ms = match self.outlook.highest {
            Some((round, since_ms)) if round == highest => since_ms,
            Some(_) | None => now_ms,
        };
        self.outlook.highest = Some((highest, since_ms));
        let stalls = self.is_unsettled() && now_ms.saturating_sub(since_ms) >= STALL_MS;
        let heard = self.dag.heard(highest);
        (stalls && !self.committee.meets(Threshold::Quorum, heard)).then_some(heard)
    }

    /// Notes a settled block: whether its leader was the one that was told.
    pub(crate) fn compare_head(&mut self, settled: &Settled) {
        let told = self.outlook.told.take();
        if let Some(told) = told.filter(|told| told.round == settled.round) {
            self.stats.heads_told = self.stats.heads_told.saturating_add(1);
            if told.leader == settled.leader {
                self.stats.heads_confirmed = self.stats.heads_confirmed.saturating_add(1);
            }
        }
    }

    /// Notes what became of a transaction that was official to this peer, alone or not (C25).
    pub(crate) fn compare_official(&mut self, id: &Digest, is_applied: bool) {
        let is_told = self.watches.grade(id) == Some(finality::Grade::Official);
        if self.outlook.officials.remove(id) || is_told {
            let counter = match is_applied {
                true => &mut self.stats.officials_confirmed,
                false => &mut self.stats.officials_reversed,
            };
            *counter = counter.saturating_add(1);
        }
    }

    /// Weighs transactions that exclude each other, some conflicts at a time, all in turn.
    pub(crate) fn weigh_conflicts<S: Store>(&mut self, turn: &mut Turn<'_, S>) {
        let now = turn.now.mono_ms;
        if !self.unsettled.is_contested() {
            self.outlook.alarmed.clear();
            self.outlook.doubled.clear();
            self.outlook.alarm = None;
            return;
        }
        if now < self.outlook.sweep_due_ms {
            turn.wake_at(self.outlook.sweep_due_ms);
            return;
        }
        self.outlook.sweep_due_ms = now.saturating_add(SWEEP_MS);
        let unsettled = &self.unsettled;
        let alarm = self.outlook.alarm;
        let is_open = |alarm: &ForkAlarm| unsettled.takers(&alarm.taken).nth(1).is_some();
        self.outlook.alarm = alarm.filter(is_open);
        let contested: Vec<Taken> = unsettled
            .contested_after(self.outlook.swept)
            .take(SWEPT_MAX)
            .collect();
        self.outlook.swept = contested
            .last()
            .copied()
            .filter(|_| contested.len() == SWEPT_MAX);
        for taken in contested {
            self.weigh(taken);
        }
    }

    fn weigh(&mut self, taken: Taken) {
        let mut backed: Vec<(Stake, Digest)> = Vec::new();
        for id in self.unsettled.takers(&taken) {
            let Some(rivals) = self.unsettled.rivals(id) else {
                // Too many to weigh: nobody can tell whom they fool.
                return;
            };
            let carried = |transaction| self.unsettled.carried(transaction);
            let rivals: Vec<_> = rivals.iter().map(carried).collect();
            backed.push((finality::backing(&self.dag, carried(id), &rivals), *id));
        }
        backed.sort_unstable_by_key(|(stake, id)| (core::cmp::Reverse(*stake), *id));
        let meets = |threshold, stake: Stake| self.committee.meets(threshold, stake);
        let officials = backed
            .iter()
            .filter(|(stake, _)| meets(Threshold::Half, *stake));
        self.outlook.officials.extend(officials.map(|(_, id)| *id));
        let [first, second, ..] = backed.as_slice() else {
            return;
        };
        // C25: only someone who signs two histories can make both official.
        if meets(Threshold::Half, second.0) && self.outlook.doubled.insert(taken) {
            self.stats.officials_conflicting = self.stats.officials_conflicting.saturating_add(1);
        }
        if meets(Threshold::Third, second.0) {
            if self.outlook.alarmed.insert(taken) {
                self.stats.fork_alarms = self.stats.fork_alarms.saturating_add(1);
            }
            self.outlook.alarm = Some(ForkAlarm {
                taken,
                first: (first.1, first.0),
                second: (second.1, second.0),
            });
        }
    }
}
