//! The second phase: a transaction against the state and what came before it in the block.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::planted::{self, Bug};
use primitives::store::{Store, Table};
use primitives::units::Amount;

use super::Ledger;
use super::changes::Changes;
use crate::error::Error;
use crate::genesis::Peer;
use crate::outcome::{Outcome, Reason};
use crate::query::{holder_of, taker_of_name};
use crate::rows::{OutputRow, Place, PositionRow, outpoint_key, read};
use crate::tx::draft::in_order_of_appearance;
use crate::tx::{Body, Holder, Kind, Name, Outpoint, Transaction, data, transfer};

/// An input that can be spent.
pub(super) struct Input {
    pub(super) position: u64,
    pub(super) row: OutputRow,
}

/// Why a transaction cannot be applied, or that its check could not be completed.
pub(super) enum Stop {
    Rejected(Outcome),
    Failed(Error),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Rejected(Outcome::rejected(reason))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Changes {
    /// The second phase: against the state and what came before in the block.
    pub(super) fn check_against<S: Store>(
        &self,
        ledger: &Ledger,
        id: &Digest,
        transaction: &Transaction,
        store: &S,
    ) -> Result<(Vec<Input>, Amount), Stop> {
        // C23: only applied transactions count for deduplication.
        if self.is_applied(id, store)? && !planted::has(Bug::CopyApplied) {
            return Err(lost(Reason::Duplicate, *id));
        }
        let body = &transaction.body;
        if let Some(valid_until) = body.valid_until.filter(|until| *until < self.height) {
            return Err(Reason::Expired { valid_until }.into());
        }
        let mut inputs = Vec::with_capacity(body.inputs.len());
        for (input, outpoint) in (0..).zip(body.inputs.iter()) {
            inputs.push(self.find_input(input, outpoint, store)?);
        }
        check_owners(transaction, &inputs)?;
        let fee = check_balance(ledger, body, &inputs)?;
        match &body.kind {
            Kind::Transfer | Kind::Data { .. } => {}
            Kind::Evidence(evidence) => self.check_evidence(ledger, evidence, store)?,
            Kind::Commit { key, .. } => self.check_commit(key)?,
            Kind::Name { name, to, from } => {
                self.check_name(name, from.as_ref(), store)?;
                check_reserved(&ledger.peers, name, to, from.as_ref())?;
            }
        }
        Ok((inputs, fee))
    }

    /// The next transaction of a name is by whoever holds it; of two with one number the later learns
    /// which was first.
    fn check_name<S: Store>(
        &self,
        name: &Name,
        from: Option<&Holder>,
        store: &S,
    ) -> Result<(), Stop> {
        let number = Holder::next_number(from);
        let holder = match self.names.get(name) {
            Some((holder, _)) => Some(*holder),
            None => holder_of(name, store)?,
        };
        if number < Holder::next_number(holder.as_ref()) {
            let (position, table) = (name.position(), Table::NameLog);
            let winner = match self.named.get(&(position, number)) {
                Some(id) => *id,
                None => {
                    taker_of_name(&position, number, store)?.ok_or(Error::MissingRow { table })?
                }
            };
            return Err(lost(Reason::NameTaken, winner));
        }
        if from != holder.as_ref() {
            return Err(Reason::NameNotHeld.into());
        }
        Ok(())
    }

    /// A key commits once in a block; later ones learn which was first.
    fn check_commit(&self, key: &PublicKey) -> Result<(), Stop> {
        match self.commits.get(key) {
            Some(first) => Err(lost(Reason::SecondCommit, *first)),
            None => Ok(()),
        }
    }

    fn is_applied<S: Store>(&self, id: &Digest, store: &S) -> Result<bool, Error> {
        if self.applied.contains_key(id) {
            return Ok(true);
        }
        let place: Option<Place> = read(store, Table::TransactionIndex, &id.0)?;
        Ok(place.is_some())
    }

    fn find_input<S: Store>(
        &self,
        input: u32,
        outpoint: &Outpoint,
        store: &S,
    ) -> Result<Input, Stop> {
        let position = match self.outpoints.get(outpoint) {
            Some(position) => *position,
            None => {
                let row: Option<PositionRow> =
                    read(store, Table::Outpoint, &outpoint_key(outpoint))?;
                row.ok_or(Reason::MissingInput { input })?.position
            }
        };
        let row = match self.outputs.get(&position) {
            Some(row) => *row,
            None => OutputRow::of(outpoint, position, store)?,
        };
        // C23: the first of two conflicting ones wins, the other learns which.
        if let Some(spent) = row.spent.filter(|_| !planted::has(Bug::SpentTwice)) {
            return Err(lost(Reason::SpentInput { input }, spent.txid));
        }
        Ok(Input { position, row })
    }
}

/// The witnesses are those of the owners, once each, in order of first appearance, then those of the
/// others whom the kind asks to sign.
fn check_owners(transaction: &Transaction, inputs: &[Input]) -> Result<(), Reason> {
    let owners = inputs.iter().map(|input| input.row.created.output.owner);
    let signers = owners.chain(transaction.body.kind.signers());
    let due = in_order_of_appearance(signers);
    let signers = transaction.witnesses.iter().map(|witness| witness.owner);
    if !signers.eq(due) {
        return Err(Reason::NotOwner);
    }
    Ok(())
}

/// Nothing comes out that did not go in, and what is left suffices as a fee.
fn check_balance(ledger: &Ledger, body: &Body, inputs: &[Input]) -> Result<Amount, Stop> {
    let amounts = inputs.iter().map(|input| input.row.created.output.amount);
    let inputs = Amount::sum(amounts).map_err(Error::from)?;
    let outputs = Amount::sum(body.outputs.iter().map(|output| output.amount))
        .map_err(|_| Reason::SumOverflow)?;
    let fee = inputs
        .minus(outputs)
        .map_err(|_| Reason::NotConserved { inputs, outputs })?;
    match &body.kind {
        Kind::Transfer | Kind::Name { .. } => transfer::check_against(&ledger.parameters, fee)?,
        Kind::Data { .. } | Kind::Commit { .. } => {
            data::check_against(&ledger.parameters, body, fee)?;
        }
        // Whoever tells on a liar need not pay for it.
        Kind::Evidence(_) => {}
    }
    Ok(fee)
}

/// A peer's name, in whatever case the genesis has it, is registered for its payout key alone.
fn check_reserved(
    peers: &[Peer],
    name: &Name,
    to: &PublicKey,
    from: Option<&Holder>,
) -> Result<(), Reason> {
    let is_named = |peer: &&Peer| peer.name.eq_ignore_ascii_case(name.as_str().as_bytes());
    let peer = peers.iter().find(is_named);
    if from.is_none() && peer.is_some_and(|peer| peer.payout_key != *to) {
        return Err(Reason::NameReserved);
    }
    Ok(())
}

pub(super) const fn lost(reason: Reason, winner: Digest) -> Stop {
    Stop::Rejected(Outcome::Rejected {
        reason,
        winner: Some(winner),
    })
}
