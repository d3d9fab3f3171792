//! Wallets' questions: proven at the newest executed block, answered when a quorum attests it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ledger::header::Header;
use primitives::codec::List;
use primitives::store::Store;
use primitives::units::Height;
use primitives::{Digest, limits};
use wallet_proto::certificate::Certificate;
use wallet_proto::reply::{Answer, Body, Code, History, Refusal, Reply, Snapshot, Stage};
use wallet_proto::request::{Question, Report, Request};
use wallet_proto::serve::{self, Served, Unserved};

use crate::error::Error;
use crate::handle::seal::seal_of;
use crate::input::Ticket;
use crate::replica::{Held, Replica};
use crate::turn::Turn;

/// How long an answer may wait for its certificate, in milliseconds.
const HOLD_MS: u64 = 5_000;
/// Bytes of the answers that wait, over all wallets.
const HELD_BYTES_MAX: usize = 128 * 1024 * 1024;
/// About what a proof takes.
const PROOF_BYTES: usize = 4 * 1024;
/// About what an entry of a log takes, or an input or output.
const ENTRY_BYTES: usize = 128;

impl Replica {
    pub(crate) fn handle_wallet<S: Store>(
        &mut self,
        ticket: Ticket,
        question: Question,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        self.stats.wallet_requests = self.stats.wallet_requests.saturating_add(1);
        match &question.request {
            Request::Track { ids, report } => return self.track(ticket, ids, *report, turn),
            Request::Head => return self.answer_head(ticket, turn),
            Request::Submit { .. }
            | Request::Committee { .. }
            | Request::History { .. }
            | Request::Output { .. }
            | Request::Transaction { .. }
            | Request::Block { .. }
            | Request::Consistency { .. }
            | Request::Record { .. }
            | Request::Commit { .. }
            | Request::Name { .. }
            | Request::Manifest
            | Request::Chunk { .. } => {}
        }
        let Served { under, body } = match serve::serve(&question, &self.ledger, &turn.store) {
            Ok(served) => served,
            Err(unserved) => return refuse(ticket, unserved, turn),
        };
        let mut answer = answer(self.stored_header(under, &turn.store)?, body);
        if question.held == Some(under) {
            turn.end(ticket, Reply::Answer(answer));
            return Ok(());
        }
        // A committee is proven by the block that sealed the epoch before (C30).
        if let Request::Committee { epoch } = question.request
            && let Some(certified) = seal_of(epoch.earlier(1), &turn.store)?
        {
            answer.snapshot.certificate = self.certificate(&certified, &turn.store)?;
            turn.end(ticket, Reply::Answer(answer));
            return Ok(());
        }
        self.answer_or_hold(ticket, answer, turn)
    }

    /// Refuses held answers whose certificate did not come in time.
    pub(crate) fn expire_held<S: Store>(&mut self, turn: &mut Turn<'_, S>) -> Result<(), Error> {
        let now = turn.now.mono_ms;
        // Whoever came first expires first.
        if self.held.first().is_none_or(|held| held.until_ms > now) {
            return Ok(());
        }
        let (expired, held): (Vec<Held>, Vec<Held>) = core::mem::take(&mut self.held)
            .into_iter()
            .partition(|held| held.until_ms <= now);
        self.held = held;
        for held in expired {
            let text = "no quorum attested the newest block in time; ask again or another peer";
            turn.end(held.ticket, Reply::Error(Refusal::new(Code::Busy, text)));
        }
        Ok(())
    }

    fn answer_or_hold<S: Store>(
        &mut self,
        ticket: Ticket,
        answer: Box<Answer>,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let mut answer = answer;
        let height = answer.snapshot.header.height;
        match &self.certified {
            // The genesis gives its own root.
            _ if height == Height::ZERO => turn.end(ticket, Reply::Answer(answer)),
            Some(certified) if certified.height == height => {
                answer.snapshot.certificate = self.certificate(certified, &turn.store)?;
                turn.end(ticket, Reply::Answer(answer));
            }
            _ if self.is_holding_enough(&answer) => {
                turn.end(
                    ticket,
                    Reply::Error(Refusal::new(Code::Busy, "too many requests wait")),
                );
            }
            _ => {
                let until_ms = turn.now.mono_ms.saturating_add(HOLD_MS);
                self.held.push(Held {
                    ticket,
                    answer,
                    until_ms,
                });
            }
        }
        Ok(())
    }

    fn is_holding_enough(&self, answer: &Answer) -> bool {
        let held = self.held.iter().map(|held| weight(&held.answer.body));
        let bytes = held.fold(weight(&answer.body), usize::saturating_add);
        self.held.len() >= limits::WALLET_SESSIONS_MAX || bytes > HELD_BYTES_MAX
    }

    /// The newest block that has a certificate already.
    fn answer_head<S: Store>(
        &mut self,
        ticket: Ticket,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        let certified = self.certified.as_ref().map(|certified| certified.height);
        let height = certified.unwrap_or(Height::ZERO);
        let header = self.stored_header(height, &turn.store)?;
        self.answer_or_hold(ticket, answer(header, Body::Head), turn)
    }

    fn track<S: Store>(
        &mut self,
        ticket: Ticket,
        ids: &[Digest],
        report: Report,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        if ids.is_empty() {
            turn.end(ticket, Reply::Progress(List::empty()));
        }
        for (position, id) in (0..).zip(ids) {
            if !self.watches.add(*id, ticket, position, report) {
                let refusal = Refusal::new(Code::Busy, "too many transactions are watched");
                self.watches
                    .refuse(id, ticket, position, Stage::Refused { refusal });
                continue;
            }
            let Some((place, outcome)) = self.ledger.settled(id, &turn.store)? else {
                continue;
            };
            let (height, index) = (place.height, place.index);
            let stage = Stage::Final {
                height,
                index,
                outcome,
            };
            self.watches.settle(id, height, &stage);
        }
        self.prove_watched();
        Ok(())
    }

    /// Tells wallets which of the final transactions that they wait for can be proven by now.
    pub(crate) fn prove_watched(&mut self) {
        let certified = self.certified.as_ref().map(|certified| certified.height);
        if let Some(certified) = certified {
            self.watches.prove(certified);
        }
    }
}

fn refuse<S: Store>(
    ticket: Ticket,
    unserved: Unserved,
    turn: &mut Turn<'_, S>,
) -> Result<(), Error> {
    match unserved {
        Unserved::Refused(refusal) => {
            turn.end(ticket, Reply::Error(refusal));
            Ok(())
        }
        Unserved::Broken(error) => Err(Error::Ledger(*error)),
    }
}

/// About how many bytes a body takes.
fn weight(body: &Body) -> usize {
    let variable = match body {
        Body::Transaction(found) => found.bytes.len(),
        Body::History(History::All(all)) => all.entries.len().saturating_mul(ENTRY_BYTES),
        Body::History(History::Newest(page)) => page.entries.len().saturating_mul(ENTRY_BYTES),
        Body::History(History::From(page)) => page.entries.len().saturating_mul(ENTRY_BYTES),
        Body::Commit(found) | Body::Name(found) => {
            let body = found.body.as_ref();
            let lists = body.map_or(0, |body| {
                body.inputs.len().saturating_add(body.outputs.len())
            });
            let entries = found.span.entries().len();
            entries.saturating_add(lists).saturating_mul(ENTRY_BYTES)
        }
        Body::Head
        | Body::Output(_)
        | Body::Block(_)
        | Body::Consistency(_)
        | Body::Record(_)
        | Body::Committee(_) => 0,
    };
    variable.saturating_add(PROOF_BYTES)
}

/// An answer whose certificate is still to come.
fn answer(header: Header, body: Body) -> Box<Answer> {
    let certificate = Certificate::empty(header.epoch);
    Box::new(Answer {
        snapshot: Snapshot {
            header,
            certificate,
        },
        body,
    })
}
