//! A block's payments as transactions of our own: genesis outputs that fund them, and each one
//! signed.
//!
//! The plan is a function of the block, and its transactions of the block and the chain: every
//! Bitcoin output has a test key that is derived from its outpoint, so whoever has the block can
//! sign all of it.

use ledger::Genesis;
use ledger::tx::draft::{Coin, TransferDraft, sign};
use ledger::tx::{Outpoint, Output, Transaction, genesis_transaction};
use primitives::Digest;
use primitives::keys::{PublicKey, Signer};

use super::shape::{Origin, Payment, Shape, Source, amount, parents, shape};
use crate::error::Error;
use crate::keys::{TestKey, test_key};

/// The payments of a block with the coin that funds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    shape: Shape,
    funding: Vec<Output>,
}

/// One payment as it is submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its id on the chain it was signed for.
    pub id: Digest,
    /// The transaction with its witnesses.
    pub transaction: Transaction,
    /// The payments, by position, whose outputs it spends; each once, ascending.
    pub parents: Vec<usize>,
}

impl Plan {
    /// Plans the payments of a raw block. Cost: about 20 us an outside input.
    ///
    /// # Errors
    /// As [`shape`].
    pub fn new(block: &[u8]) -> Result<Self, Error> {
        let shape = shape(block)?;
        let funding = shape
            .payments
            .iter()
            .flat_map(|payment| &payment.inputs)
            .filter_map(|input| match input {
                Source::Outside { origin, amount } => Some(Output::new(owner(*origin), *amount)),
                Source::Inside { .. } => None,
            })
            .collect();
        Ok(Self { shape, funding })
    }

    /// The payments and what they add up to.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The outputs that a genesis must hold, in this order and without others between them.
    #[must_use]
    pub fn funding(&self) -> &[Output] {
        &self.funding
    }

    /// Signs every payment for the chain of `genesis`, in the block's order.
    ///
    /// Cost: about 60 us an input.
    ///
    /// # Errors
    /// [`Error::NotFunded`] when the genesis does not hold [`Plan::funding`]; an error of the ledger
    /// for a payment above its limits.
    pub fn sign(&self, genesis: &Genesis) -> Result<Vec<Planned>, Error> {
        let chain = genesis.chain_id()?;
        let mut signing = Signing {
            chain,
            payments: &self.shape.payments,
            funded_by: genesis_transaction(&chain),
            funding_next: self.position(genesis).ok_or(Error::NotFunded { chain })?,
            signed: Vec::with_capacity(self.shape.payments.len()),
        };
        for payment in &self.shape.payments {
            signing.sign(payment)?;
        }
        Ok(signing.signed)
    }

    /// Where the funding begins among the outputs of `genesis`.
    fn position(&self, genesis: &Genesis) -> Option<usize> {
        let Some(first) = self.funding.first() else {
            return Some(0);
        };
        let candidates = genesis.outputs.iter().enumerate();
        candidates
            .filter(|(_, output)| *output == first)
            .map(|(position, _)| position)
            .find(|position| genesis.outputs[*position..].starts_with(&self.funding))
    }
}

/// The owner of a Bitcoin output in the replay.
fn owner(origin: Origin) -> PublicKey {
    key(origin).public()
}

fn key(origin: Origin) -> TestKey {
    test_key(&[&origin.transaction, &origin.index.to_le_bytes()])
}

struct Signing<'a> {
    chain: Digest,
    payments: &'a [Payment],
    funded_by: Digest,
    funding_next: usize,
    signed: Vec<Planned>,
}

impl Signing<'_> {
    fn sign(&mut self, payment: &Payment) -> Result<(), Error> {
        let mut draft = TransferDraft::default();
        // Every input spends another outpoint, so owners appear once each, in the inputs' order.
        let mut keys = Vec::with_capacity(payment.inputs.len());
        for input in &payment.inputs {
            let (outpoint, key) = self.spend(input)?;
            let output = Output::new(key.public(), amount(input, self.payments));
            draft.inputs.push(Coin { outpoint, output });
            keys.push(key);
        }
        let outputs = payment.outputs.iter().enumerate();
        draft.outputs = outputs
            .map(|(index, amount)| Output::new(owner(payment.origin(index)), *amount))
            .collect();
        let signers: Vec<&dyn Signer> = keys.iter().map(|key| -> &dyn Signer { key }).collect();
        let transaction = sign(draft.body()?, &signers, &self.chain)?;
        let mut parents: Vec<usize> = parents(payment).collect();
        parents.sort_unstable();
        parents.dedup();
        self.signed.push(Planned {
            id: transaction.id(&self.chain)?,
            transaction,
            parents,
        });
        Ok(())
    }

    fn spend(&mut self, input: &Source) -> Result<(Outpoint, TestKey), Error> {
        let (transaction, index, origin) = match input {
            Source::Outside { origin, .. } => {
                let index = self.funding_next;
                self.funding_next += 1;
                (self.funded_by, index, *origin)
            }
            Source::Inside { payment, output } => {
                let origin = self.payments[*payment].origin(*output);
                (self.signed[*payment].id, *output, origin)
            }
        };
        let index = u32::try_from(index).map_err(|_| primitives::Error::Overflow {
            unit: "output index",
        })?;
        Ok((Outpoint { transaction, index }, key(origin)))
    }
}

#[cfg(test)]
mod tests;
