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
pub(crate) const NODE_KEY: Digest = Digest([
    0xb4, 0x31, 0xca, 0x71, 0xec, 0xbe, 0x9a, 0x11, 0x06, 0x9a, 0x5f, 0x55, 0xaf, 0x83, 0x45, 0x9a,
    0x30, 0xf4, 0x1f, 0x29, 0x7c, 0x88, 0x20, 0x3b, 0xde, 0xa4, 0x72, 0x9a, 0xd5, 0x8c, 0xae, 0xd4,
]);

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
    let (indices, leaves): (Vec<_>, Vec<_>) =
        leaves.iter().map(|(index, leaf)| (*index, leaf.0)).unzip();
    let positions = check_indices(&indices, count)?;
    let (found, wanted) = (siblings.len(), siblings_due(indices, count));
    let wrong_count = Error::SiblingCount {
        part: Part::Transactions,
        found,
        wanted,
    };
    let total = usize::try_from(count).ok().filter(|_| found == wanted);
    let Some(total) = total else {
        return Err(wrong_count);
    };
    let siblings = siblings.iter().map(|sibling| sibling.0).collect();
    MerkleProof::<NodeHasher>::new(siblings)
        .root(&positions, &leaves, total)
        .map(Digest)
        .map_err(|_| wrong_count)
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
    let part = Part::Transactions;
    let mut pairs = indices.iter().zip(indices.iter().skip(1));
    let last = indices.last().ok_or(Error::IndexOrder { part })?;
    if pairs.any(|(one, next)| one >= next) {
        return Err(Error::IndexOrder { part });
    }
    if *last >= count {
        return Err(Error::Index {
            part,
            index: u64::from(*last),
            size: u64::from(count),
        });
    }
    let positions = indices.iter().map(|index| usize::try_from(*index));
    positions
        .collect::<Result<_, _>>()
        .map_err(|_| Error::IndexOrder { part })
}

/// How many siblings a proof of these strictly increasing indices among `count` has: on each level
/// one for each node whose neighbour exists and is not itself computed.
fn siblings_due(mut nodes: Vec<u32>, count: u32) -> usize {
    let (mut width, mut due) = (count, 0_usize);
    while width > 1 {
        let neighbours = nodes.iter().map(|node| node ^ 1);
        let missing = neighbours.filter(|node| *node < width && nodes.binary_search(node).is_err());
        due = due.saturating_add(missing.count());
        nodes = nodes.iter().map(|node| node.unbounded_shr(1)).collect();
        nodes.dedup();
        width = width.div_ceil(2);
    }
    due
}

#[cfg(test)]
mod tests;
