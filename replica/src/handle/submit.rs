//! Transactions from wallets: refused at the door where they can never apply, else pooled.

use alloc::vec::Vec;

use ledger::Outcome;
use ledger::rows::Place;
use ledger::tx::Checked;
use primitives::store::Store;
use wallet_proto::reply::{Code, Refusal, Stage};
use wallet_proto::request::Report;

use crate::error::Error;
use crate::input::Ticket;
use crate::pool::Pooled;
use crate::replica::{Replica, Standing};
use crate::turn::Turn;

/// What became of a transaction that was not refused.
enum Taken {
    /// A block had applied it before.
    Applied,
    /// It is on its way.
    Pending,
}

impl Replica {
    pub(crate) fn handle_submission<S: Store>(
        &mut self,
        ticket: Ticket,
        transactions: Vec<Checked>,
        report: Report,
        turn: &mut Turn<'_, S>,
    ) -> Result<(), Error> {
        for (position, transaction) in (0..).zip(transactions) {
            let id = *transaction.id();
            match self.take(transaction, ticket, position, report, &turn.store)? {
                Ok(Taken::Applied) => {}
                Ok(Taken::Pending) if report == Report::Final => {}
                Ok(Taken::Pending) => self.watches.tell(ticket, position, Stage::Seen),
                Err(refusal) => {
                    self.stats.transactions_refused =
                        self.stats.transactions_refused.saturating_add(1);
                    self.watches
                        .refuse(&id, ticket, position, Stage::Refused { refusal });
                }
            }
        }
        self.prove_watched();
        Ok(())
    }

    fn take<S: Store>(
        &mut self,
        transaction: Checked,
        ticket: Ticket,
        position: u16,
        report: Report,
        store: &S,
    ) -> Result<Result<Taken, Refusal>, Error> {
        if self.standing == Standing::Quarantined || self.diverged.is_some() {
            return Ok(Err(Refusal::new(
                Code::Quarantined,
                "this peer creates no events; ask another",
            )));
        }
        if let Some(fault) = transaction.fault() {
            let refusal = Refusal::new(Code::Malformed, &alloc::format!("{fault}"));
            return Ok(Err(refusal));
        }
        let id = *transaction.id();
        if report != Report::None && !self.watches.add(id, ticket, position, report) {
            return Ok(Err(Refusal::new(
                Code::Busy,
                "too many transactions are watched",
            )));
        }
        // What a block has applied is told and not ordered again.
        if let Some(Place { height, index }) = self.ledger.applied(&id, store)? {
            let outcome = Outcome::Applied;
            let stage = Stage::Final {
                height,
                index,
                outcome,
            };
            self.watches.settle(&id, height, &stage);
            return Ok(Ok(Taken::Applied));
        }
        // A transaction on its way already is only watched.
        if !self.unsettled.carriers(&id).is_empty() {
            return Ok(Ok(Taken::Pending));
        }
        Ok(match self.pool.add(transaction) {
            Pooled::Taken | Pooled::Known => {
                self.stats.transactions_pooled = self.stats.transactions_pooled.saturating_add(1);
                Ok(Taken::Pending)
            }
            Pooled::Full => Err(Refusal::new(Code::Busy, "the pool is full")),
        })
    }
}
