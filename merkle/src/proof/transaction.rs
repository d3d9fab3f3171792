//! Transactions of one block.

use alloc::vec::Vec;

use primitives::Digest;
use primitives::codec::{Canonical, Decode, Encode, List};
use primitives::limits::{RECEIPT_SIBLINGS_MAX, RECEIPT_TRANSACTIONS_MAX};

use crate::error::{Error, Part};
use crate::log::check_root;
use crate::transactions::{TransactionTree, root_by_transactions};

/// Shows that a block contains one or several transactions.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct TransactionInclusion {
    /// Their indices in the block, strictly increasing.
    pub indices: List<u32, RECEIPT_TRANSACTIONS_MAX>,
    /// Level by level from the leaves, left to right.
    pub siblings: List<Digest, RECEIPT_SIBLINGS_MAX>,
}

impl Canonical for TransactionInclusion {
    const BYTES_MAX: usize = 8 + 4 * RECEIPT_TRANSACTIONS_MAX + 32 * RECEIPT_SIBLINGS_MAX;
}

/// What a header says of its transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockTransactions {
    /// The root of their tree.
    pub root: Digest,
    /// Their number.
    pub count: u32,
}

/// A transaction that a block contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncludedTransaction {
    /// Its index in the block.
    pub index: u32,
    /// Its leaf, which binds transaction, witnesses and outcome.
    pub leaf: Digest,
}

impl TransactionInclusion {
    /// Shows that the block of `tree` contains the transactions at these indices.
    ///
    /// # Errors
    /// [`Error::IndexOrder`] unless the indices increase strictly from at least one;
    /// [`Error::Index`] for one at or above the count; [`Error::Encoding`] above
    /// [`RECEIPT_TRANSACTIONS_MAX`] of them.
    pub fn prove(tree: &TransactionTree, indices: Vec<u32>) -> Result<Self, Error> {
        let siblings = List::new(tree.prove(&indices)?)?;
        let indices = List::new(indices)?;
        Ok(Self { indices, siblings })
    }

    /// Checks that a block contains the transactions with these leaves, one for each index and in
    /// their order. Cost: at most one compression for each leaf and each sibling.
    ///
    /// # Errors
    /// [`Error::EntryCount`] unless there is one leaf for each index; [`Error::IndexOrder`],
    /// [`Error::Index`], [`Error::SiblingCount`], [`Error::Root`]. The sender of the proof is to
    /// blame.
    pub fn verify(
        &self,
        block: &BlockTransactions,
        leaves: &[Digest],
    ) -> Result<Vec<IncludedTransaction>, Error> {
        let pairs: Vec<_> = self
            .indices
            .iter()
            .copied()
            .zip(leaves.iter().copied())
            .collect();
        if self.indices.len() != leaves.len() {
            return Err(Error::EntryCount {
                part: Part::Transactions,
                found: u64::try_from(self.indices.len()).unwrap_or(u64::MAX),
                wanted: u64::try_from(leaves.len()).unwrap_or(u64::MAX),
            });
        }
        let found = root_by_transactions(block.count, &pairs, &self.siblings)?;
        check_root(Part::Transactions, found, block.root)?;
        let included = |(index, leaf)| IncludedTransaction { index, leaf };
        Ok(pairs.into_iter().map(included).collect())
    }
}

#[cfg(test)]
mod tests;
