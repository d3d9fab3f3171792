//! Transactions from wallets: refused at the door where they can never apply, else pooled.

use alloc::vec::Vec;

use ledger::tx::Checked;
use wallet_proto::reply::{Code, Refusal, Stage};
use wallet_proto::request::Report;

use crate::input::Ticket;
use crate::pool::Pooled;
use crate::replica::{Replica, Standing};

impl Replica {
    pub(crate) fn handle_submission(
        &mut self,
        ticket: Ticket,
        transactions: Vec<Checked>,
        report: Report,
    ) {
        for (position, transaction) in (0..).zip(transactions) {
            let id = *transaction.id();
            match self.take(transaction, ticket, position, report) {
                Ok(()) if report == Report::Final => {}
                Ok(()) => self.watches.tell(ticket, position, Stage::Seen),
                Err(refusal) => {
                    self.stats.transactions_refused =
                        self.stats.transactions_refused.saturating_add(1);
                    self.watches
                        .refuse(&id, ticket, position, Stage::Refused { refusal });
                }
            }
        }
    }

    fn take(
        &mut self,
        transaction: Checked,
        ticket: Ticket,
        position: u16,
        report: Report,
    ) -> Result<(), Refusal> {
        if self.standing == Standing::Quarantined || self.diverged.is_some() {
            return Err(Refusal::new(
                Code::Quarantined,
                "this peer creates no events; ask another",
            ));
        }
        if let Some(fault) = transaction.fault() {
            return Err(Refusal::new(Code::Malformed, &alloc::format!("{fault}")));
        }
        let id = *transaction.id();
        if report != Report::None && !self.watches.add(id, ticket, position, report) {
            return Err(Refusal::new(
                Code::Busy,
                "too many transactions are watched",
            ));
        }
        // A transaction on its way already is only watched.
        if !self.unsettled.carriers(&id).is_empty() {
            return Ok(());
        }
        match self.pool.add(transaction) {
            Pooled::Taken | Pooled::Known => {
                self.stats.transactions_pooled = self.stats.transactions_pooled.saturating_add(1);
                Ok(())
            }
            Pooled::Full => Err(Refusal::new(Code::Busy, "the pool is full")),
        }
    }
}
