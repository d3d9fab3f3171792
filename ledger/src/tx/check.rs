//! The first phase: what a transaction shows by itself. It never fails; it finds a fault or none.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::ops::Range;

use primitives::codec;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{Claim, Role, verify_batch};
use primitives::units::Amount;
use primitives::{Digest, Error, limits};

use crate::outcome::Reason;
use crate::tx::{Kind, Payload, Transaction, Witness, body_digest, data, evidence, transfer};

/// A transaction that has been looked at alone; only this module builds one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    bytes: Vec<u8>,
    transaction: Option<Transaction>,
    id: Digest,
    witness_digest: Digest,
    fault: Option<Reason>,
}

impl Checked {
    /// The bytes as they were ordered; none if they are too many for any order to hold them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes as they were ordered.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The transaction; none if the bytes are not one.
    #[must_use]
    pub const fn transaction(&self) -> Option<&Transaction> {
        self.transaction.as_ref()
    }

    /// The transaction id; for bytes that are no transaction a digest of them.
    #[must_use]
    pub const fn id(&self) -> &Digest {
        &self.id
    }

    /// The digest of the witnesses: `derive("primus v1 witness", chain id + canonical list)`; for
    /// bytes that are no transaction the same digest of all of them.
    #[must_use]
    pub const fn witness_digest(&self) -> &Digest {
        &self.witness_digest
    }

    /// What is wrong with it, whatever the state is.
    #[must_use]
    pub const fn fault(&self) -> Option<&Reason> {
        self.fault.as_ref()
    }
}

/// Checks one transaction. Cost: about 50 us a witness.
#[must_use]
pub fn check_alone(bytes: Vec<u8>, chain: &Digest) -> Checked {
    let (mut checked, claims) = check_shape(bytes, chain);
    let verdicts = claims.iter().map(|claim| {
        let checked = claim
            .key
            .verify(Role::Transaction, chain, &claim.digest, &claim.signature);
        checked.is_ok()
    });
    note_signatures(&mut checked, verdicts);
    checked
}

/// Checks many transactions with the same verdicts as [`check_alone`] on each. Cost: about 20 us a
/// witness.
#[must_use]
pub fn check_batch(transactions: Vec<Vec<u8>>, chain: &Digest) -> Vec<Checked> {
    let mut batch = Vec::with_capacity(transactions.len());
    let mut claims = Vec::new();
    for bytes in transactions {
        let (checked, own) = check_shape(bytes, chain);
        let begin = claims.len();
        claims.extend(own);
        let own: Range<usize> = begin..claims.len();
        batch.push((checked, own));
    }
    let verdicts = verify_batch(Role::Transaction, chain, &claims);
    let judge = |(mut checked, own): (Checked, Range<usize>)| {
        note_signatures(
            &mut checked,
            verdicts.get(own).unwrap_or_default().iter().copied(),
        );
        checked
    };
    batch.into_iter().map(judge).collect()
}

/// Checks the transactions of one event's payload in their order. Bytes that are not a payload hold
/// no transaction: nobody could name one in them.
#[must_use]
pub fn check_payload(payload: &[u8], chain: &Digest) -> Vec<Checked> {
    let transactions = match codec::decode::<Payload>(payload) {
        Ok(payload) if payload.version == 1 => payload.transactions.into_vec(),
        Ok(_) | Err(_) => Vec::new(),
    };
    let bytes = transactions.into_iter().map(codec::Bytes::into_vec);
    check_batch(bytes.collect(), chain)
}

/// Everything but the signatures, and the claims that are left to check.
fn check_shape(bytes: Vec<u8>, chain: &Digest) -> (Checked, Vec<Claim>) {
    let transaction = match codec::decode::<Transaction>(&bytes) {
        Ok(transaction) => transaction,
        Err(error) => return (undecodable(bytes, chain, &error), Vec::new()),
    };
    let (body, witnesses) = split(&bytes, transaction.witnesses.len());
    let (id, witness_digest) = (body_digest(chain, body), witness_digest(chain, witnesses));
    let mut claims = Vec::new();
    let fault = check_body(&transaction, chain)
        .and_then(|()| check_witnesses(&transaction))
        .and_then(|()| {
            claims = collect_claims(&transaction, &id)?;
            Ok(())
        })
        .err();
    let checked = Checked {
        bytes,
        transaction: Some(transaction),
        id,
        witness_digest,
        fault,
    };
    (checked, claims)
}

fn undecodable(bytes: Vec<u8>, chain: &Digest, error: &Error) -> Checked {
    // Not under the tag of transactions: these bytes could be the body of a valid one.
    let id = witness_digest(chain, &bytes);
    let (bytes, fault) = if matches!(error, Error::TooLong { .. }) {
        (Vec::new(), Reason::TooLarge)
    } else {
        (bytes, Reason::Undecodable)
    };
    Checked {
        bytes,
        transaction: None,
        id,
        witness_digest: id,
        fault: Some(fault),
    }
}

fn check_body(transaction: &Transaction, chain: &Digest) -> Result<(), Reason> {
    let body = &transaction.body;
    if body.version != 1 {
        return Err(Reason::Version {
            found: body.version,
        });
    }
    match &body.kind {
        Kind::Transfer | Kind::Name { .. } => transfer::check_alone(body)?,
        Kind::Data { .. } | Kind::Evidence(_) | Kind::Commit { .. } => data::check_alone(body)?,
    }
    if let Some(input) = first_repeated(body.inputs.iter()) {
        return Err(Reason::RepeatedInput { input });
    }
    Amount::sum(body.outputs.iter().map(|output| output.amount))
        .map_err(|_| Reason::SumOverflow)?;
    match &body.kind {
        Kind::Transfer | Kind::Data { .. } | Kind::Commit { .. } | Kind::Name { .. } => Ok(()),
        Kind::Evidence(evidence) => evidence::check_alone(evidence, chain),
    }
}

fn check_witnesses(transaction: &Transaction) -> Result<(), Reason> {
    let Transaction { body, witnesses } = transaction;
    let signers = body.inputs.len().saturating_add(body.kind.signers().len());
    if let Some(witness) = first_repeated(witnesses.iter().map(|witness| witness.owner)) {
        return Err(Reason::ExtraWitness { witness });
    }
    if witnesses.len() > signers {
        let witness = u32::try_from(signers).unwrap_or(u32::MAX);
        return Err(Reason::ExtraWitness { witness });
    }
    Ok(())
}

fn collect_claims(transaction: &Transaction, id: &Digest) -> Result<Vec<Claim>, Reason> {
    let claim = |(witness, given): (u32, &Witness)| {
        let key = given.owner.to_verifying();
        key.map_err(|_| Reason::BadSignature { witness })
            .map(|key| Claim {
                key,
                digest: *id,
                signature: given.signature,
            })
    };
    (0..).zip(transaction.witnesses.iter()).map(claim).collect()
}

fn note_signatures(checked: &mut Checked, verdicts: impl Iterator<Item = bool>) {
    let bad = (0..).zip(verdicts).find(|(_, holds)| !holds);
    if let Some((witness, _)) = bad {
        checked.fault = Some(Reason::BadSignature { witness });
    }
}

fn first_repeated<T: Ord>(elements: impl ExactSizeIterator<Item = T>) -> Option<u32> {
    if elements.len() < 2 {
        return None;
    }
    let mut seen = BTreeSet::new();
    (0..)
        .zip(elements)
        .find_map(|(index, element)| (!seen.insert(element)).then_some(index))
}

/// The bytes of the body and of the witness list, which ends every transaction.
fn split(bytes: &[u8], witnesses: usize) -> (&[u8], &[u8]) {
    let tail = witnesses.saturating_mul(Witness::BYTES).saturating_add(4);
    bytes.split_at(bytes.len().saturating_sub(tail))
}

fn witness_digest(chain: &Digest, witnesses: &[u8]) -> Digest {
    derive(Domain::Witness, &[&chain.0, witnesses])
}

const _: () = assert!(limits::WITNESSES_MAX <= limits::INPUTS_MAX);

#[cfg(test)]
mod tests;
