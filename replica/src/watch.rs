//! Wallets that wait to hear how far their transactions have come (C25).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use consensus::finality::Grade;
use primitives::codec::List;
use primitives::units::Height;
use primitives::{Digest, limits};
use wallet_proto::reply::{Reply, Stage, Step};
use wallet_proto::request::{Report, TRANSACTIONS_MAX};

use crate::input::Ticket;

/// Positions of requests watched at once, over all wallets: a bound on memory.
const WATCHED_MAX: usize = limits::POOL_TRANSACTIONS_MAX;
/// Positions watched for one session, so that one wallet leaves room for others.
const WATCHED_SESSION_MAX: usize = 16 * TRANSACTIONS_MAX;

/// Who waits for which transaction.
#[derive(Debug, Default)]
pub struct Watches {
    transactions: BTreeMap<Digest, Watched>,
    tickets: BTreeMap<Ticket, Open>,
    /// Final transactions that wait for their block's certificate.
    unproven: BTreeMap<Height, BTreeSet<Digest>>,
    queued: BTreeMap<Ticket, Vec<Step>>,
    /// Transactions below official with somebody who wants every grade.
    rising: BTreeSet<Digest>,
    /// Where the next sweep over `rising` begins.
    swept: Digest,
    /// Positions watched, over all sessions and of each.
    watched: usize,
    sessions: BTreeMap<u64, usize>,
}

#[derive(Debug)]
struct Watched {
    grade: Grade,
    /// Position in the request, and the request.
    waiting: Vec<(Ticket, u16)>,
}

/// A request with transactions still on their way.
#[derive(Debug)]
struct Open {
    report: Report,
    left: usize,
    /// What it waits or waited for.
    ids: BTreeSet<Digest>,
}

impl Watches {
    /// Begins to watch `id` for position `position` of a request. False if too many are watched.
    pub fn add(&mut self, id: Digest, ticket: Ticket, position: u16, report: Report) -> bool {
        let own = self.sessions.entry(ticket.session).or_default();
        if self.watched >= WATCHED_MAX || *own >= WATCHED_SESSION_MAX {
            return false;
        }
        *own = own.saturating_add(1);
        self.watched = self.watched.saturating_add(1);
        let watched = Watched {
            grade: Grade::Seen,
            waiting: Vec::new(),
        };
        self.transactions
            .entry(id)
            .or_insert(watched)
            .waiting
            .push((ticket, position));
        if report == Report::All {
            self.rising.insert(id);
        }
        let open = self.tickets.entry(ticket).or_insert(Open {
            report,
            left: 0,
            ids: BTreeSet::new(),
        });
        open.left = open.left.saturating_add(1);
        open.ids.insert(id);
        true
    }

    /// The grade last reported of a watched transaction.
    #[must_use]
    pub fn grade(&self, id: &Digest) -> Option<Grade> {
        self.transactions.get(id).map(|watched| watched.grade)
    }

    /// Notes a grade below final and queues it for those who asked for all.
    pub fn rise(&mut self, id: &Digest, grade: Grade) {
        let stage = match grade {
            Grade::Seen => Stage::Seen,
            Grade::Endorsed => Stage::Endorsed,
            Grade::Official => Stage::Official,
            Grade::Final | Grade::Proven => return,
        };
        let Some(watched) = self.transactions.get_mut(id) else {
            return;
        };
        watched.grade = grade;
        if grade == Grade::Official {
            self.rising.remove(id);
        }
        for (ticket, position) in &watched.waiting {
            if self
                .tickets
                .get(ticket)
                .is_some_and(|open| open.report == Report::All)
            {
                let step = Step {
                    position: *position,
                    stage: stage.clone(),
                };
                self.queued.entry(*ticket).or_default().push(step);
            }
        }
    }

    /// Notes that a transaction is final in `height`; who asked for all waits on for the proof.
    pub fn settle(&mut self, id: &Digest, height: Height, stage: &Stage) {
        let Some(watched) = self.transactions.get_mut(id) else {
            return;
        };
        self.rising.remove(id);
        watched.grade = Grade::Final;
        let (mut waiting, mut closed) = (Vec::new(), Vec::new());
        for (ticket, position) in core::mem::take(&mut watched.waiting) {
            let step = Step {
                position,
                stage: stage.clone(),
            };
            self.queued.entry(ticket).or_default().push(step);
            if self
                .tickets
                .get(&ticket)
                .is_some_and(|open| open.report == Report::All)
            {
                waiting.push((ticket, position));
            } else {
                closed.push(ticket);
            }
        }
        if waiting.is_empty() {
            self.transactions.remove(id);
        } else {
            watched.waiting = waiting;
            self.unproven.entry(height).or_default().insert(*id);
        }
        for ticket in closed {
            self.close(ticket);
        }
    }

    /// Notes that every block up to `certified` can be proven.
    pub fn prove(&mut self, certified: Height) {
        let later = self.unproven.split_off(&certified.later(1));
        for (height, ids) in core::mem::replace(&mut self.unproven, later) {
            for id in ids {
                let Some(watched) = self.transactions.remove(&id) else {
                    continue;
                };
                for (ticket, position) in watched.waiting {
                    let step = Step {
                        position,
                        stage: Stage::Proven { height },
                    };
                    self.queued.entry(ticket).or_default().push(step);
                    self.close(ticket);
                }
            }
        }
    }

    /// The reports queued since the last call, and whether each ends its request.
    pub fn take(&mut self) -> Vec<(Ticket, Reply, bool)> {
        let mut replies = Vec::new();
        for (ticket, steps) in core::mem::take(&mut self.queued) {
            let ends = self.tickets.get(&ticket).is_none_or(|open| open.left == 0);
            if ends {
                self.tickets.remove(&ticket);
            }
            // A request holds 1,024 transactions with at most five stages each; lists hold four
            // times as many, so the surplus goes into a second reply.
            let mut rest = steps;
            while !rest.is_empty() {
                let later = rest.split_off(rest.len().min(2_048));
                let last = ends && later.is_empty();
                replies.push((
                    ticket,
                    Reply::Progress(List::new(rest).unwrap_or_default()),
                    last,
                ));
                rest = later;
            }
        }
        replies
    }

    /// Queues a stage outside the watched ones.
    pub fn tell(&mut self, ticket: Ticket, position: u16, stage: Stage) {
        self.queued
            .entry(ticket)
            .or_default()
            .push(Step { position, stage });
    }

    /// Queues a refusal, which ends the wait for `id` at this position.
    pub fn refuse(&mut self, id: &Digest, ticket: Ticket, position: u16, stage: Stage) {
        self.tell(ticket, position, stage);
        let Some(watched) = self.transactions.get_mut(id) else {
            return;
        };
        let before = watched.waiting.len();
        watched
            .waiting
            .retain(|waiting| *waiting != (ticket, position));
        let removed = watched.waiting.len() < before;
        if watched.waiting.is_empty() {
            self.transactions.remove(id);
            self.rising.remove(id);
        }
        if removed {
            self.close(ticket);
        }
    }

    /// Forgets a wallet that left. Cost: what it watched.
    pub fn forget(&mut self, session: u64) {
        let requests = |request| Ticket { session, request };
        let all = requests(0)..=requests(u64::MAX);
        let tickets: Vec<Ticket> = self.tickets.range(all.clone()).map(|(it, _)| *it).collect();
        for ticket in tickets {
            let open = self.tickets.remove(&ticket);
            for id in open.map(|open| open.ids).unwrap_or_default() {
                let Some(watched) = self.transactions.get_mut(&id) else {
                    continue;
                };
                watched.waiting.retain(|(waiting, _)| *waiting != ticket);
                if watched.waiting.is_empty() {
                    self.transactions.remove(&id);
                    self.rising.remove(&id);
                }
            }
        }
        let queued: Vec<Ticket> = self.queued.range(all).map(|(it, _)| *it).collect();
        for ticket in queued {
            self.queued.remove(&ticket);
        }
        let own = self.sessions.remove(&session).unwrap_or(0);
        self.watched = self.watched.saturating_sub(own);
    }

    /// Whether nobody wants to hear of grades.
    #[must_use]
    pub fn is_still(&self) -> bool {
        self.rising.is_empty()
    }

    /// The next transactions below official whose every grade somebody wants, with the grade last
    /// told; at most `count`, all of them in turn.
    pub fn next_rising(&mut self, count: usize) -> Vec<(Digest, Grade)> {
        let rising = self.rising.range(self.swept..).take(count);
        let next: Vec<_> = rising
            .filter_map(|id| Some((*id, self.grade(id)?)))
            .collect();
        self.swept = match next.last().filter(|_| next.len() >= count) {
            Some((last, _)) => *last,
            None => Digest::ZERO,
        };
        next
    }

    fn close(&mut self, ticket: Ticket) {
        if let Some(open) = self.tickets.get_mut(&ticket) {
            open.left = open.left.saturating_sub(1);
        }
        let session = ticket.session;
        self.watched = self.watched.saturating_sub(1);
        if let Some(own) = self.sessions.get_mut(&session) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                self.sessions.remove(&session);
            }
        }
    }
}

#[cfg(test)]
mod tests;
