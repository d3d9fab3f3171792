//! The tree over the transactions of one block: built once, with proofs for one or several of them.
//!
//! The tree is that of `rs_merkle`, of the same shape as [`crate::log`]: an odd node is promoted. Its
//! verification alone is unsound (it accepts repeated indices and wrong counts), so it stands behind
//! a guard: indices strictly increasing and below a count that the header gives, and exactly the
//! siblings that they ask for. Its hasher cannot carry a key, so the node key is the same on every
//! chain, `derive("primus v1 tx node", "")`, and the chain is bound by the leaves and the empty root,
//! whose keys contain the chain id. Source: docs/spec/state.md section 10.

use alloc::vec::Vec;
use core::fmt;

use primitives::Digest;
use primitives::digest::{keyed, keyed_pair};
use rs_merkle::{Hasher, MerkleProof, MerkleTree};

use crate::error::{Error, Part};
use crate::hash::{B3, TreeHasher};

/// `derive("primus v1 tx node", "")`, written out because the hasher below has no state.
pub(crate) const NODE_KEY: Digest = Digest([0; 32]);

/// The tree over the transactions of one block.
pub struct TransactionTree {
    tree: MerkleTree<NodeHasher>,
    root: Digest,
    count: u32,
}

impl TransactionTree {
    /// The tree over these leaves, in the order of the block; `hasher` is that of
    /// [`crate::TreeKeys::transactions`]. Cost: one compression a leaf.
    ///
    /// # Errors
    /// [`Error::Full`] above 2^32 - 1 leaves.
    pub fn new(hasher: &B3, leaves: &[Digest]) -> Result<Self, Error> {
        let count = u32::try_from(leaves.len()).map_err(|_| Error::Full {
            part: Part::Transactions,
            limit: u64::from(u32::MAX),
        })?;
        let leaves: Vec<_> = leaves.iter().map(|leaf| leaf.0).collect();
        let tree = MerkleTree::from_leaves(&leaves);
        let root = tree.root().map_or_else(|| hasher.empty(), Digest);
        Ok(Self { tree, root, count })
    }

    /// The root for the header.
    #[must_use]
    pub const fn root(&self) -> Digest {
        self.root
    }

    /// The number of transactions for the header.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The siblings that lead from the transactions at `indices` to the root, level by level from
    /// the leaves, left to right.
    ///
    /// # Errors
    /// [`Error::IndexOrder`] unless the indices increase strictly from at least one;
    /// [`Error::Index`] for one at or above the count.
    pub fn prove(&self, indices: &[u32]) -> Result<Vec<Digest>, Error> {
        let indices = check_indices(indices, self.count)?;
        let proof = self.tree.proof(&indices);
        Ok(proof.proof_hashes().iter().copied().map(Digest).collect())
    }
}

impl fmt::Debug for TransactionTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionTree({:?}, {})", self.root, self.count)
    }
}

/// The root that these (index, leaf) pairs among `count` transactions lead to. Cost: at most one
/// compression for each leaf and each sibling.
///
/// # Errors
/// [`Error::IndexOrder`], [`Error::Index`] as in [`TransactionTree::prove`];
/// [`Error::SiblingCount`] for any other number of siblings than the only possible one. The sender
/// of the proof is to blame.
pub fn root_by_transactions(
    count: u32,
    leaves: &[(u32, Digest)],
    siblings: &[Digest],
) -> Result<Digest, Error> {
    todo!()
}

/// Nodes under [`NODE_KEY`]; leaves are digests already.
#[derive(Debug, Clone)]
struct NodeHasher;

impl Hasher for NodeHasher {
    type Hash = [u8; 32];

    fn hash(bytes: &[u8]) -> [u8; 32] {
        keyed(&NODE_KEY, &[bytes]).0
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        right.map_or(*left, |right| {
            keyed_pair(&NODE_KEY, &Digest(*left), &Digest(*right)).0
        })
    }
}

fn check_indices(indices: &[u32], count: u32) -> Result<Vec<usize>, Error> {
    todo!()
}
