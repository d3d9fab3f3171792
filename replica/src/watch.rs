//! Wallets that wait to hear how far their transactions have come (C25).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use consensus::finality::Grade;
use primitives::codec::List;
use primitives::units::Height;
use primitives::{Digest, limits};
use wallet_proto::reply::{Reply, Stage, Step};
use wallet_proto::request::Report;

use crate::input::Ticket;

/// Transactions watched at once, over all wallets: a bound on memory.
const WATCHED_MAX: usize = limits::POOL_TRANSACTIONS_MAX;

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
}

impl Watches {
    /// Begins to watch `id` for position `position` of a request. False if too many are watched.
    pub fn add(&mut self, id: Digest, ticket: Ticket, position: u16, report: Report) -> bool {
        if self.transactions.len() >= WATCHED_MAX && !self.transactions.contains_key(&id) {
            return false;
        }
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
        let open = self
            .tickets
            .entry(ticket)
            .or_insert(Open { report, left: 0 });
        open.left = open.left.saturating_add(1);
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
        let mut waiting = Vec::new();
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
                close(&mut self.tickets, ticket);
            }
        }
        if waiting.is_empty() {
            self.transactions.remove(id);
        } else {
            watched.waiting = waiting;
            self.unproven.entry(height).or_default().insert(*id);
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

    /// Forgets a wallet that left.
    pub fn forget(&mut self, session: u64) {
        let gone = |ticket: &Ticket| ticket.session == session;
        self.tickets.retain(|ticket, _| !gone(ticket));
        self.queued.retain(|ticket, _| !gone(ticket));
        self.transactions.retain(|_, watched| {
            watched.waiting.retain(|(ticket, _)| !gone(ticket));
            !watched.waiting.is_empty()
        });
        let transactions = &self.transactions;
        self.rising.retain(|id| transactions.contains_key(id));
    }

    /// Transactions below official whose every grade somebody wants, with the grade last told.
    pub fn rising(&self) -> impl Iterator<Item = (&Digest, Grade)> {
        self.rising
            .iter()
            .filter_map(|id| Some((id, self.grade(id)?)))
    }

    fn close(&mut self, ticket: Ticket) {
        close(&mut self.tickets, ticket);
    }
}

fn close(tickets: &mut BTreeMap<Ticket, Open>, ticket: Ticket) {
    if let Some(open) = tickets.get_mut(&ticket) {
        open.left = open.left.saturating_sub(1);
    }
}
