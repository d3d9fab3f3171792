//! Making transactions: what a wallet or a load generator fills in and signs.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::List;
use primitives::keys::{PublicKey, Role, Signer};
use primitives::units::{Amount, Height};

use crate::error::Error;
use crate::tx::{Body, Kind, Outpoint, Output, Transaction, Witness};

/// An output that its spender knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coin {
    /// Its name.
    pub outpoint: Outpoint,
    /// What it holds, and whose it is.
    pub output: Output,
}

/// A transfer in the making.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TransferDraft {
    /// What it spends.
    pub inputs: Vec<Coin>,
    /// What it makes.
    pub outputs: Vec<Output>,
    /// The digest of something that belongs to it.
    pub memo: Option<Digest>,
    /// The last height that may apply it.
    pub valid_until: Option<Height>,
}

impl TransferDraft {
    /// What would be left for the fee.
    ///
    /// # Errors
    /// An overflow, also where more comes out than goes in.
    pub fn fee(&self) -> Result<Amount, Error> {
        let inputs = Amount::sum(self.inputs.iter().map(|coin| coin.output.amount))?;
        let outputs = Amount::sum(self.outputs.iter().map(|output| output.amount))?;
        Ok(inputs.minus(outputs)?)
    }

    /// The body to be signed.
    ///
    /// # Errors
    /// [`primitives::Error::TooMany`] above the limits of inputs or outputs.
    pub fn body(&self) -> Result<Body, Error> {
        Ok(Body {
            version: 1,
            kind: Kind::Transfer,
            inputs: List::new(self.inputs.iter().map(|coin| coin.outpoint).collect())?,
            outputs: List::new(self.outputs.clone())?,
            memo: self.memo,
            valid_until: self.valid_until,
        })
    }

    /// Signs with those of `signers` that own inputs, in the order the rules ask for.
    ///
    /// # Errors
    /// [`Error::MissingSigner`] for the first owner without a signer; as [`TransferDraft::body`].
    pub fn sign(&self, signers: &[&dyn Signer], chain: &Digest) -> Result<Transaction, Error> {
        let owners = in_order_of_appearance(self.inputs.iter().map(|coin| coin.output.owner));
        let find = |owner: &PublicKey| {
            let signer = signers.iter().find(|signer| signer.public() == *owner);
            signer
                .copied()
                .ok_or(Error::MissingSigner { owner: *owner })
        };
        let signers: Result<Vec<_>, _> = owners.iter().map(find).collect();
        sign(self.body()?, &signers?, chain)
    }
}

/// Signs `body` with `signers`: the owners of its inputs in order of first appearance, then the others
/// that its kind asks for.
///
/// # Errors
/// [`primitives::Error::TooMany`] above the limit of witnesses, or a body that is too long.
pub fn sign(body: Body, signers: &[&dyn Signer], chain: &Digest) -> Result<Transaction, Error> {
    let id = body.id(chain)?;
    let witness = |signer: &&dyn Signer| Witness {
        owner: signer.public(),
        signature: signer.sign(Role::Transaction, chain, &id),
    };
    let witnesses = List::new(signers.iter().map(witness).collect())?;
    Ok(Transaction { body, witnesses })
}

/// Each key once, where it first appears.
pub(crate) fn in_order_of_appearance(keys: impl Iterator<Item = PublicKey>) -> Vec<PublicKey> {
    let mut seen = alloc::collections::BTreeSet::new();
    keys.filter(|key| seen.insert(*key)).collect()
}
