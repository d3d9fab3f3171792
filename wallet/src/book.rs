//! What a wallet knows of its own key: proven log entries, and the coins that follow from them.

use std::collections::{BTreeMap, BTreeSet};

use ledger::rows::role;
use ledger::tx::draft::Coin;
use ledger::tx::{Outpoint, Output, genesis_transaction};
use ledger::{Genesis, Transaction};
use merkle::LogEntry;
use merkle::log::Frontier;
use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::units::Amount;
use wallet_proto::Certified;

use crate::error::Error;

/// One proven transaction as it concerns the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The log entry.
    pub entry: LogEntry,
    /// What the key got by it.
    pub received: Amount,
    /// What was taken from the key's coins by it.
    pub spent: Amount,
}

/// What one log entry did: outputs for the key, and the outpoints it spent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) outputs: Vec<Coin>,
    pub(crate) inputs: Vec<Outpoint>,
}

/// A coin of the key and, once it is spent, by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    output: Output,
    spender: Option<Digest>,
}

/// The log of one key, complete to one certified block.
#[derive(Debug, Clone, Default)]
pub struct Book {
    as_of: Option<Certified>,
    frontier: Frontier,
    lines: Vec<Line>,
    ids: BTreeSet<Digest>,
    coins: BTreeMap<Outpoint, Known>,
}

impl Book {
    /// The certified block the book is complete to, once it has been read.
    #[must_use]
    pub const fn as_of(&self) -> Option<&Certified> {
        self.as_of.as_ref()
    }

    /// Every transaction of the key, oldest first.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The unspent coins, by outpoint.
    pub fn unspent(&self) -> impl Iterator<Item = Coin> {
        let unspent = self
            .coins
            .iter()
            .filter(|(_, known)| known.spender.is_none());
        unspent.map(|(outpoint, known)| Coin {
            outpoint: *outpoint,
            output: known.output,
        })
    }

    /// What is known of the coin at `outpoint`.
    #[must_use]
    pub fn coin(&self, outpoint: &Outpoint) -> Option<Output> {
        self.coins.get(outpoint).map(|known| known.output)
    }

    /// By what the coin at `outpoint` was spent, if it was.
    #[must_use]
    pub fn spender(&self, outpoint: &Outpoint) -> Option<Digest> {
        self.coins.get(outpoint).and_then(|known| known.spender)
    }

    /// Whether the transaction is among the lines: applied, and of this key.
    #[must_use]
    pub fn contains(&self, id: &Digest) -> bool {
        self.ids.contains(id)
    }

    /// The log up to the last line.
    pub(crate) const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Adds the entry and what it did.
    pub(crate) fn add(&mut self, entry: LogEntry, effect: &Effect) -> Result<(), Error> {
        let mut spent = Amount::ZERO;
        for outpoint in &effect.inputs {
            let Some(known) = self.coins.get_mut(outpoint) else {
                continue;
            };
            known.spender = Some(entry.txid);
            spent = spent.plus(known.output.amount)?;
        }
        for coin in &effect.outputs {
            let known = Known {
                output: coin.output,
                spender: None,
            };
            self.coins.insert(coin.outpoint, known);
        }
        self.ids.insert(entry.txid);
        self.lines.push(Line {
            entry,
            received: Amount::sum(effect.outputs.iter().map(|coin| coin.output.amount))?,
            spent,
        });
        Ok(())
    }

    /// Notes the log up to the last line.
    pub(crate) fn set_frontier(&mut self, frontier: Frontier) {
        self.frontier = frontier;
    }

    /// Notes that the lines are complete to this block.
    pub(crate) const fn complete(&mut self, as_of: Certified) {
        self.as_of = Some(as_of);
    }
}

impl Effect {
    /// The effect of an applied transaction on `key`.
    pub(crate) fn of_transaction(id: Digest, transaction: &Transaction, key: &PublicKey) -> Self {
        Self {
            outputs: own_coins(id, &transaction.body.outputs, key),
            inputs: transaction.body.inputs.to_vec(),
        }
    }

    /// The effect of the genesis on `key`.
    pub(crate) fn of_genesis(chain: &Digest, genesis: &Genesis, key: &PublicKey) -> Self {
        Self {
            outputs: own_coins(genesis_transaction(chain), &genesis.outputs, key),
            inputs: Vec::new(),
        }
    }

    /// The effect of the fees of a block.
    pub(crate) fn of_fee(coin: Coin) -> Self {
        Self {
            outputs: vec![coin],
            inputs: Vec::new(),
        }
    }
}

/// What an entry asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The outputs in the genesis.
    Genesis,
    /// Output 0 of a pseudo transaction.
    Fee,
    /// A transaction that owners signed.
    Transaction,
}

impl Origin {
    pub(crate) const fn of(entry: &LogEntry) -> Self {
        if entry.role & role::GENESIS != 0 {
            Self::Genesis
        } else if entry.role & role::FEE != 0 {
            Self::Fee
        } else {
            Self::Transaction
        }
    }
}

fn own_coins(id: Digest, outputs: &[Output], key: &PublicKey) -> Vec<Coin> {
    let outpoint = |index| Outpoint {
        transaction: id,
        index,
    };
    let all = (0..).zip(outputs);
    let own = all.filter(|(_, output)| output.owner == *key);
    own.map(|(index, output)| Coin {
        outpoint: outpoint(index),
        output: *output,
    })
    .collect()
}

#[cfg(test)]
mod tests;
