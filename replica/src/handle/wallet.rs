//! Wallets' questions: proven at the newest executed block, answered when a quorum attests it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ledger::header::Header;
use primitives::codec::Bytes;
use primitives::store::Store;
use primitives::units::Height;
use primitives::{Digest, limits};
use wallet_proto::reply::{
    Answer, BlockProof, Body, Certificate, Code, History, OutputAnswer, Refusal, Reply, Snapshot,
    Stage, TransactionAnswer,
};
use wallet_proto::request::{Page, Report, Request};

use crate::error::Error;
use crate::input::Ticket;
use crate::replica::{Held, Replica};
use crate::turn::Turn;

/// How long an answer may wait for its certificate, in milliseconds.
const HOLD_MS: u64 = 5_000;

/// Why a request is not answered, or an error that stops the peer.
enum Stop {
    Refuse(Refusal),
    Fail(Error),
}

impl From<ledger::Error> for Stop {
    fn from(error: ledger::Error) -> Self {
        Self::Fail(error.into())
    }
}

impl From<primitives::Error> for Stop {
    fn from(error: primitives::Error) -> Self {
        Self::Fail(error.into())
    }
}

impl Replica {
    pub(crate) fn handle_wallet<S: Store>(
        &mut self,
        ticket: Ticket,
        request: Request,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        self.stats.wallet_requests = self.stats.wallet_requests.saturating_add(1);
        let answer = match request {
            Request::Track { ids, report } => return self.track(ticket, &ids, report, turn),
            Request::Head => self.newest_certified(turn),
            other => self.body(&other, turn).map(|body| self.uncertified(body)),
        };
        match answer {
            Ok(answer) => self.answer_or_hold(ticket, answer, turn),
            Err(Stop::Refuse(refusal)) => {
                turn.end(ticket, Reply::Error(refusal));
                Ok(())
            }
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    /// Refuses held answers whose certificate did not come in time.
    pub(crate) fn expire_held<S: Store>(&mut self, turn: &mut Turn<'_, S>) -> Result<(), Error> {
        let now = turn.now.mono_ms;
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
        match self.certifier.certified() {
            // The genesis gives its own root.
            _ if height == Height::ZERO => turn.end(ticket, Reply::Answer(answer)),
            Some(certified) if certified.height == height => {
                answer.snapshot.certificate = self.certificate(certified)?;
                turn.end(ticket, Reply::Answer(answer));
            }
            _ if self.held.len() >= limits::WALLET_SESSIONS_MAX => {
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

    fn newest_certified<S: Store>(&self, turn: &Turn<'_, S>) -> Result<Box<Answer>, Stop> {
        let height = self
            .certifier
            .certified()
            .map_or(Height::ZERO, |certified| certified.height);
        let header = self.ledger.header_at(height, &turn.store)?;
        header
            .map(|header| snapshot_of(header, Body::Head))
            .ok_or_else(|| refuse(Code::TooEarly, "no block is certified yet"))
    }

    fn uncertified(&self, body: Body) -> Box<Answer> {
        snapshot_of(*self.ledger.header(), body)
    }

    fn body<S: Store>(&self, request: &Request, turn: &Turn<'_, S>) -> Result<Body, Stop> {
        let (ledger, store) = (&self.ledger, &turn.store);
        match request {
            Request::History { key, page } => {
                let page_max = u64::try_from(limits::PAGE_ENTRIES_MAX).unwrap_or(u64::MAX);
                let wanted = |count: u32| u64::from(count).min(page_max);
                let count = ledger
                    .key_record(key, store)?
                    .record
                    .map_or(0, |record| record.count);
                Ok(Body::History(match *page {
                    Page::All if count <= page_max => History::All(ledger.key_history(key, store)?),
                    Page::All => History::Newest(ledger.key_history_recent(key, page_max, store)?),
                    Page::Newest { count } => {
                        History::Newest(ledger.key_history_recent(key, wanted(count), store)?)
                    }
                    Page::From { index, .. } if index > count => {
                        return Err(refuse(Code::NotFound, "the key's log is shorter"));
                    }
                    Page::From { index, count: _ } => {
                        History::From(ledger.key_history_from(key, index, store)?)
                    }
                }))
            }
            Request::Output { outpoint } => {
                let found = ledger.output(outpoint, store)?;
                let found = found.ok_or_else(|| refuse(Code::NotFound, "no such output"))?;
                Ok(Body::Output(OutputAnswer {
                    created: found.created,
                    proof: found.proof,
                }))
            }
            Request::Transaction { id } => self.transaction_body(id, turn),
            Request::Block { height } => Ok(Body::Block(self.block_proof(*height, turn)?)),
            Request::Consistency { old } => Ok(Body::Consistency(self.block_proof(*old, turn)?)),
            Request::Committee { .. } => {
                Err(refuse(Code::TooEarly, "the chain is in its first epoch"))
            }
            Request::Head | Request::Submit { .. } | Request::Track { .. } => {
                Err(refuse(Code::Malformed, "this request has no single answer"))
            }
        }
    }

    fn transaction_body<S: Store>(&self, id: &Digest, turn: &Turn<'_, S>) -> Result<Body, Stop> {
        let found = self.ledger.transaction(id, &turn.store)?;
        let found = found.ok_or_else(|| refuse(Code::NotFound, "no such transaction is final"))?;
        Ok(Body::Transaction(TransactionAnswer {
            bytes: Bytes::new(found.row.bytes.into_vec())?,
            outcome: found.row.outcome,
            inclusion: found.inclusion,
            block: self.block_proof(found.header.height, turn)?,
        }))
    }

    fn block_proof<S: Store>(
        &self,
        height: Height,
        turn: &Turn<'_, S>,
    ) -> Result<BlockProof, Stop> {
        let newest = self.ledger.height();
        if height == newest {
            return Ok(BlockProof::Snapshot);
        }
        if height > newest {
            return Err(refuse(Code::TooEarly, "the block is not there yet"));
        }
        let (header, inclusion) = self.ledger.block_inclusion(height, &turn.store)?;
        Ok(BlockProof::Ancestor { header, inclusion })
    }

    fn track<S: Store>(
        &mut self,
        ticket: Ticket,
        ids: &[Digest],
        report: Report,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        for (position, id) in (0..).zip(ids) {
            if !self.watches.add(*id, ticket, position, report) {
                let refusal = Refusal::new(Code::Busy, "too many transactions are watched");
                self.watches
                    .refuse(id, ticket, position, Stage::Refused { refusal });
                continue;
            }
            let Some((place, row)) = self.ledger.settled(id, &turn.store)? else {
                continue;
            };
            let (height, index, outcome) = (place.height, place.index, row.outcome);
            let stage = Stage::Final {
                height,
                index,
                outcome,
            };
            self.watches.settle(id, height, &stage);
        }
        let certified = self.certifier.certified().map(|certified| certified.height);
        if let Some(certified) = certified {
            self.watches.prove(certified);
        }
        Ok(())
    }
}

fn snapshot_of(header: Header, body: Body) -> Box<Answer> {
    let certificate = Certificate {
        epoch: header.epoch,
        signatures: Default::default(),
    };
    Box::new(Answer {
        snapshot: Snapshot {
            header,
            certificate,
        },
        body,
    })
}

fn refuse(code: Code, text: &str) -> Stop {
    Stop::Refuse(Refusal::new(code, text))
}
