//! A test wallet that knows its coins: those of the genesis, and the change of its own payments.

use std::collections::VecDeque;

use ledger::Genesis;
use ledger::tx::draft::{Coin, TransferDraft};
use ledger::tx::{Outpoint, Output, Transaction, genesis_transaction};
use primitives::Digest;
use primitives::keys::{PublicKey, Signer};
use primitives::units::Amount;

use crate::error::Error;
use crate::keys::{TestKey, test_key};

/// A test wallet and its coins, oldest first.
#[derive(Debug)]
pub struct Purse {
    name: String,
    key: TestKey,
    chain: Digest,
    fee: Amount,
    coins: VecDeque<Coin>,
}

/// A payment, ready to be submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Its id.
    pub id: Digest,
    /// The transaction.
    pub transaction: Transaction,
    /// What comes back to the purse once the payment is applied.
    pub change: Coin,
}

/// The key of the test wallet `name`.
#[must_use]
pub fn wallet_key(name: &str) -> TestKey {
    test_key(&[b"wallet", name.as_bytes()])
}

impl Purse {
    /// The purse of test wallet `name` with what `genesis` gives it.
    ///
    /// # Errors
    /// A genesis that is too long to be one.
    pub fn of_genesis(name: &str, genesis: &Genesis) -> Result<Self, Error> {
        let key = wallet_key(name);
        let chain = genesis.chain_id()?;
        let transaction = genesis_transaction(&chain);
        let owner = key.public();
        let outputs = (0..).zip(genesis.outputs.iter());
        let coins = outputs
            .filter(|(_, output)| output.owner == owner && output.host.is_none())
            .map(|(index, output)| Coin {
                outpoint: Outpoint { transaction, index },
                output: *output,
            })
            .collect();
        Ok(Self {
            name: name.to_owned(),
            key,
            chain,
            fee: genesis.parameters.fee_min,
            coins,
        })
    }

    /// The wallet's key.
    #[must_use]
    pub fn owner(&self) -> PublicKey {
        self.key.public()
    }

    /// How many coins it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.coins.len()
    }

    /// Puts a coin behind the others.
    pub fn put(&mut self, coin: Coin) {
        self.coins.push_back(coin);
    }

    /// Takes the oldest coin out.
    ///
    /// # Errors
    /// [`Error::PurseEmpty`] without any.
    pub fn take(&mut self) -> Result<Coin, Error> {
        self.coins.pop_front().ok_or_else(|| Error::PurseEmpty {
            name: self.name.clone(),
        })
    }

    /// Pays `amount` to `to` with the oldest coin, which is gone from the purse whatever becomes of
    /// the payment. Cost: one signature, about 25 us.
    ///
    /// # Errors
    /// [`Error::PurseEmpty`]; an overflow when the coin is worth less than amount and fee.
    pub fn pay(&mut self, to: PublicKey, amount: Amount) -> Result<Signed, Error> {
        let coin = self.take()?;
        self.spend(coin, to, amount)
    }

    /// Pays `amount` to `to` with `coin`. Spending one coin twice is what double-spend tests are for.
    ///
    /// # Errors
    /// An overflow when the coin is worth less than amount and fee.
    pub fn spend(&self, coin: Coin, to: PublicKey, amount: Amount) -> Result<Signed, Error> {
        let rest = coin.output.amount.minus(amount)?.minus(self.fee)?;
        let back = Output::new(self.owner(), rest);
        let draft = TransferDraft {
            inputs: vec![coin],
            outputs: vec![Output::new(to, amount), back],
            ..TransferDraft::default()
        };
        self.finish(&draft, 1, back)
    }

    /// Moves `coin` to the purse's own key, less the fee.
    ///
    /// # Errors
    /// An overflow when the coin is worth less than the fee.
    pub fn turn(&self, coin: Coin) -> Result<Signed, Error> {
        let back = Output::new(self.owner(), coin.output.amount.minus(self.fee)?);
        let draft = TransferDraft {
            inputs: vec![coin],
            outputs: vec![back],
            ..TransferDraft::default()
        };
        self.finish(&draft, 0, back)
    }

    fn finish(&self, draft: &TransferDraft, index: u32, output: Output) -> Result<Signed, Error> {
        let transaction = draft.sign(&[&self.key], &self.chain)?;
        let id = transaction.id(&self.chain)?;
        let outpoint = Outpoint {
            transaction: id,
            index,
        };
        Ok(Signed {
            id,
            transaction,
            change: Coin { outpoint, output },
        })
    }
}

#[cfg(test)]
mod tests;
