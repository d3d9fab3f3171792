//! The shape of a Bitcoin block's payments: who spends what of whom, and how much.
//!
//! A block says how much each output holds, but not how much the outputs of older blocks hold that
//! it spends. Those *outside* inputs share what a payment's outputs need beyond its *inside* inputs
//! (outputs of the same block) plus a fee of [`FEE`]: equal parts, at least 1 each, the remainder to
//! the first. Whatever the inside inputs bring beyond that is a higher fee. So every payment keeps
//! its outputs to the satoshi, and value is conserved: `funded = unspent + fees`.

use std::collections::BTreeMap;

use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::Hash;
use bitcoin::{Block, Transaction};
use primitives::units::Amount;

use crate::error::Error;

/// What a payment with outside inputs leaves to the peers, in satoshi.
pub const FEE: Amount = Amount::new(1_000);

/// The least fee of the replay's chain.
pub const FEE_MIN: Amount = Amount::new(1);

/// An output of the Bitcoin chain: the transaction's id and the output's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The id of the transaction, in its internal byte order.
    pub transaction: [u8; 32],
    /// The index of the output, from 0.
    pub index: u32,
}

/// Where an input's coin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An output of an older block; the amount is this shape's choice.
    Outside {
        /// The older output.
        origin: Origin,
        /// Its share.
        amount: Amount,
    },
    /// An output of an earlier payment of the same block.
    Inside {
        /// The payment's position, from 0.
        payment: usize,
        /// The output's position, from 0.
        output: usize,
    },
}

/// One payment: the transaction's inputs and outputs in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The id of the Bitcoin transaction, in its internal byte order.
    pub id: [u8; 32],
    /// The inputs.
    pub inputs: Vec<Source>,
    /// The outputs' amounts, in satoshi.
    pub outputs: Vec<Amount>,
}

impl Payment {
    /// The Bitcoin output at `index`.
    #[must_use]
    pub fn origin(&self, index: usize) -> Origin {
        Origin {
            transaction: self.id,
            // A block of 4 MB holds far fewer outputs than 2^32.
            index: u32::try_from(index).unwrap_or(u32::MAX),
        }
    }
}

/// Every payment of a block but the coinbase, parents before children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The payments.
    pub payments: Vec<Payment>,
    /// What they add up to.
    pub totals: Totals,
}

/// What the payments of a block add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Totals {
    /// Payments, without the coinbase.
    pub payments: usize,
    /// Inputs of all payments.
    pub inputs: usize,
    /// Inputs that spend an output of the same block.
    pub inputs_inside: usize,
    /// Inputs of the payment that has most.
    pub inputs_max: usize,
    /// Outputs of all payments.
    pub outputs: usize,
    /// Outputs that hold nothing.
    pub outputs_empty: usize,
    /// Payments of the longest chain in which each spends the one before.
    pub depth: usize,
    /// Coin that the outside inputs bring, in satoshi.
    pub funded: u64,
    /// Coin in outputs that the block leaves unspent, in satoshi.
    pub unspent: u64,
    /// Coin left to the peers, in satoshi.
    pub fees: u64,
}

/// The bundled block: mainnet 702,861 with 2,500 transactions.
#[must_use]
pub fn bundled_block() -> &'static [u8] {
    bitcoin_test_data::blocks::mainnet_702861()
}

/// Reads the shape of a raw block, as `bitcoin-cli getblock HASH 0` gives it in binary. Cost: linear.
///
/// # Errors
/// [`Error::NotABlock`] for bytes that are not exactly one block; [`Error::Unit`] when amounts
/// overflow.
pub fn shape(block: &[u8]) -> Result<Shape, Error> {
    let block: Block = deserialize(block).map_err(|error| Error::NotABlock { error })?;
    let mut shape = Shape {
        payments: Vec::new(),
        totals: Totals::default(),
    };
    let mut positions = BTreeMap::new();
    let mut depths = Vec::new();
    for transaction in block.txdata.iter().filter(|one| !one.is_coinbase()) {
        let payment = payment(transaction, &positions, &shape.payments)?;
        let depth = 1 + parents(&payment)
            .map(|parent| depths[parent])
            .max()
            .unwrap_or(0);
        shape.totals.depth = shape.totals.depth.max(depth);
        depths.push(depth);
        positions.insert(payment.id, shape.payments.len());
        shape.payments.push(payment);
    }
    sum(&mut shape)?;
    Ok(shape)
}

/// The amount that `source` brings, in a block whose earlier payments are `earlier`.
#[must_use]
pub fn amount(source: &Source, earlier: &[Payment]) -> Amount {
    match source {
        Source::Outside { amount, .. } => *amount,
        Source::Inside { payment, output } => earlier[*payment].outputs[*output],
    }
}

/// The positions of the payments that `payment` spends, with repetitions.
pub fn parents(payment: &Payment) -> impl Iterator<Item = usize> {
    payment.inputs.iter().filter_map(|input| match input {
        Source::Inside { payment, .. } => Some(*payment),
        Source::Outside { .. } => None,
    })
}

fn payment(
    transaction: &Transaction,
    positions: &BTreeMap<[u8; 32], usize>,
    earlier: &[Payment],
) -> Result<Payment, Error> {
    let mut inputs: Vec<Source> = transaction
        .input
        .iter()
        .map(|input| source(input.previous_output, positions, earlier))
        .collect();
    let outputs: Vec<Amount> = transaction
        .output
        .iter()
        .map(|output| Amount::new(output.value.to_sat()))
        .collect();
    let id = transaction.compute_txid().to_byte_array();
    let paid = Amount::sum(outputs.iter().copied())?;
    let inside = Amount::sum(inputs.iter().map(|input| amount(input, earlier)))?;
    let all_inside = inputs
        .iter()
        .all(|input| matches!(input, Source::Inside { .. }));
    if all_inside && inside.since(paid) < FEE_MIN.get() {
        // Bitcoin lets a child pay for it; here every payment pays its own fee.
        inputs.push(outside(Origin {
            transaction: id,
            index: u32::MAX,
        }));
    }
    share(paid.plus(FEE)?.since(inside), &mut inputs);
    Ok(Payment {
        id,
        inputs,
        outputs,
    })
}

fn source(
    spent: bitcoin::OutPoint,
    positions: &BTreeMap<[u8; 32], usize>,
    earlier: &[Payment],
) -> Source {
    let origin = Origin {
        transaction: spent.txid.to_byte_array(),
        index: spent.vout,
    };
    let output = usize::try_from(spent.vout).unwrap_or(usize::MAX);
    positions
        .get(&origin.transaction)
        .filter(|payment| output < earlier[**payment].outputs.len())
        .map_or_else(
            || outside(origin),
            |payment| Source::Inside {
                payment: *payment,
                output,
            },
        )
}

const fn outside(origin: Origin) -> Source {
    Source::Outside {
        origin,
        amount: Amount::ZERO,
    }
}

/// Shares `missing` among the outside inputs: at least 1 each, the remainder to the first.
fn share(missing: u64, inputs: &mut [Source]) {
    let mut amounts: Vec<&mut Amount> = inputs
        .iter_mut()
        .filter_map(|input| match input {
            Source::Outside { amount, .. } => Some(amount),
            Source::Inside { .. } => None,
        })
        .collect();
    let count = amounts.len() as u64;
    if count == 0 {
        return;
    }
    let missing = missing.max(count);
    for amount in &mut amounts {
        **amount = Amount::new(missing / count);
    }
    *amounts[0] = Amount::new(missing / count + missing % count);
}

fn sum(shape: &mut Shape) -> Result<(), Error> {
    let mut funded = Amount::ZERO;
    let mut created = Amount::ZERO;
    let mut spent_inside = Amount::ZERO;
    let totals = &mut shape.totals;
    totals.payments = shape.payments.len();
    for payment in &shape.payments {
        totals.inputs += payment.inputs.len();
        totals.inputs_max = totals.inputs_max.max(payment.inputs.len());
        totals.outputs += payment.outputs.len();
        for output in &payment.outputs {
            created = created.plus(*output)?;
            totals.outputs_empty += usize::from(*output == Amount::ZERO);
        }
        for input in &payment.inputs {
            let amount = amount(input, &shape.payments);
            match input {
                Source::Outside { .. } => funded = funded.plus(amount)?,
                Source::Inside { .. } => {
                    totals.inputs_inside += 1;
                    spent_inside = spent_inside.plus(amount)?;
                }
            }
        }
    }
    totals.funded = funded.get();
    totals.unspent = created.minus(spent_inside)?.get();
    totals.fees = funded.plus(spent_inside)?.minus(created)?.get();
    Ok(())
}

#[cfg(test)]
mod tests;
