//! How leaves and nodes are hashed: a key of its own for every chain, tree, kind and branch bit.
//!
//! `K[tree][kind][bit] = derive("primus v1 <tree> <kind>", chain id + bit u16 LE)`, and a node is
//! BLAKE3 keyed with it over exactly 64 bytes: one compression, where a prefix byte would cost two.
//! Source: docs/spec/state.md section 2.

use alloc::vec::Vec;
use core::fmt;

use primitives::Digest;
use primitives::digest::{derive, keyed, keyed_pair, keyed_pairs};
use primitives::domain::{Domain, Kind, Tree};
use sha2::{Digest as _, Sha256};

use crate::error::Part;
use crate::transactions::NODE_KEY;

/// The hash functions of one tree of RFC 9162 shape.
pub trait TreeHasher {
    /// The tree that errors name.
    fn part(&self) -> Part;
    /// The root of the tree without leaves.
    fn empty(&self) -> Digest;
    /// The digest of a leaf with this content.
    fn leaf(&self, bytes: &[u8]) -> Digest;
    /// The digest of the node above these two.
    fn node(&self, left: &Digest, right: &Digest) -> Digest;
    /// The digests of the nodes above each two.
    fn nodes(&self, pairs: &[[Digest; 2]]) -> Vec<Digest> {
        let pairs = pairs.iter();
        pairs.map(|[left, right]| self.node(left, right)).collect()
    }
}

/// SHA-256 with the prefix bytes of RFC 6962, section 2.1; for vectors and for other systems only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rfc6962;

impl TreeHasher for Rfc6962 {
    fn part(&self) -> Part {
        Part::Rfc6962
    }

    fn empty(&self) -> Digest {
        Digest(Sha256::digest([]).into())
    }

    fn leaf(&self, bytes: &[u8]) -> Digest {
        let hasher = Sha256::new().chain_update([0]);
        Digest(hasher.chain_update(bytes).finalize().into())
    }

    fn node(&self, left: &Digest, right: &Digest) -> Digest {
        let hasher = Sha256::new().chain_update([1]).chain_update(left.0);
        Digest(hasher.chain_update(right.0).finalize().into())
    }
}

/// Keyed BLAKE3 for one tree of RFC 9162 shape.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct B3 {
    part: Part,
    leaf: Digest,
    node: Digest,
    empty: Digest,
}

impl B3 {
    fn new(chain_id: &Digest, tree: Tree, part: Part) -> Self {
        Self {
            part,
            leaf: tree_key(chain_id, tree, Kind::Leaf, 0),
            node: tree_key(chain_id, tree, Kind::Node, 0),
            empty: empty_root(chain_id, tree),
        }
    }

    pub(crate) const fn leaf_key(&self) -> &Digest {
        &self.leaf
    }
}

impl TreeHasher for B3 {
    fn part(&self) -> Part {
        self.part
    }

    fn empty(&self) -> Digest {
        self.empty
    }

    fn leaf(&self, bytes: &[u8]) -> Digest {
        keyed(&self.leaf, &[bytes])
    }

    fn node(&self, left: &Digest, right: &Digest) -> Digest {
        keyed_pair(&self.node, left, right)
    }

    fn nodes(&self, pairs: &[[Digest; 2]]) -> Vec<Digest> {
        keyed_pairs(&self.node, pairs)
    }
}

impl fmt::Debug for B3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "B3({})", self.part)
    }
}

/// The two maps and their logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Map {
    /// By public key.
    Key,
    /// By name.
    Name,
}

impl Map {
    /// The map as errors name it.
    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::Key => Part::KeyMap,
            Self::Name => Part::NameMap,
        }
    }

    const fn tree(self) -> Tree {
        match self {
            Self::Key => Tree::KeyMap,
            Self::Name => Tree::NameMap,
        }
    }
}

/// Keyed BLAKE3 for one map: the branch bit chooses the key of a node.
#[derive(Clone, PartialEq, Eq)]
pub struct MapHasher {
    part: Part,
    leaf: Digest,
    record: Digest,
    empty: Digest,
    nodes: [Digest; 256],
}

impl MapHasher {
    fn new(chain_id: &Digest, map: Map) -> Self {
        let tree = map.tree();
        let mut bit = 0;
        Self {
            part: map.part(),
            leaf: tree_key(chain_id, tree, Kind::Leaf, 0),
            record: tree_key(chain_id, tree, Kind::Record, 0),
            empty: empty_root(chain_id, tree),
            nodes: [(); 256].map(|()| {
                let key = tree_key(chain_id, tree, Kind::Node, bit);
                bit = bit.saturating_add(1);
                key
            }),
        }
    }

    /// The map that errors name.
    #[must_use]
    pub const fn part(&self) -> Part {
        self.part
    }

    /// The root of the map without records.
    #[must_use]
    pub const fn empty(&self) -> Digest {
        self.empty
    }

    /// The digest of the leaf of `position` with this record hash.
    #[must_use]
    pub fn leaf(&self, position: &Digest, record_hash: &Digest) -> Digest {
        keyed_pair(&self.leaf, position, record_hash)
    }

    /// The digest of the node that branches at `bit` (0 is the highest bit of the first byte).
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "a u8 lies within 256 elements")]
    pub fn node(&self, bit: u8, left: &Digest, right: &Digest) -> Digest {
        keyed_pair(&self.nodes[usize::from(bit)], left, right)
    }

    /// [`MapHasher::leaf`] for each pair of a position and a record hash.
    pub(crate) fn leaves(&self, pairs: &[[Digest; 2]]) -> Vec<Digest> {
        keyed_pairs(&self.leaf, pairs)
    }

    /// [`MapHasher::node`] for each pair under branches at one bit.
    #[expect(clippy::indexing_slicing, reason = "a u8 lies within 256 elements")]
    pub(crate) fn nodes(&self, bit: u8, pairs: &[[Digest; 2]]) -> Vec<Digest> {
        keyed_pairs(&self.nodes[usize::from(bit)], pairs)
    }

    pub(crate) const fn record_key(&self) -> &Digest {
        &self.record
    }
}

impl fmt::Debug for MapHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MapHasher({})", self.part)
    }
}

/// Every hash key of one chain, about 17 KiB; made once and shared.
#[derive(Clone, PartialEq, Eq)]
pub struct TreeKeys {
    block: B3,
    transactions: B3,
    key_log: B3,
    name_log: B3,
    outputs: B3,
    key_map: MapHasher,
    name_map: MapHasher,
    pub(crate) spent: Digest,
    pub(crate) top: Digest,
    pub(crate) block_size: Digest,
    pub(crate) key_size: Digest,
    pub(crate) name_size: Digest,
    pub(crate) outputs_size: Digest,
}

impl TreeKeys {
    /// The keys of the chain `chain_id`. Cost: about 540 key derivations, a tenth of a millisecond.
    #[must_use]
    pub fn new(chain_id: &Digest) -> Self {
        let size = |tree| tree_key(chain_id, tree, Kind::Size, 0);
        Self {
            block: B3::new(chain_id, Tree::Block, Part::BlockTree),
            transactions: B3 {
                node: NODE_KEY,
                ..B3::new(chain_id, Tree::Tx, Part::Transactions)
            },
            key_log: B3::new(chain_id, Tree::KeyLog, Part::KeyLog),
            name_log: B3::new(chain_id, Tree::NameLog, Part::NameLog),
            outputs: B3::new(chain_id, Tree::Outputs, Part::Outputs),
            key_map: MapHasher::new(chain_id, Map::Key),
            name_map: MapHasher::new(chain_id, Map::Name),
            spent: tree_key(chain_id, Tree::Outputs, Kind::Spent, 0),
            top: tree_key(chain_id, Tree::Top, Kind::Node, 0),
            block_size: size(Tree::Block),
            key_size: size(Tree::KeyMap),
            name_size: size(Tree::NameMap),
            outputs_size: size(Tree::Outputs),
        }
    }

    /// The tree over all headers.
    #[must_use]
    pub const fn block(&self) -> &B3 {
        &self.block
    }

    /// The tree over the transactions of one block; its node key is the same on every chain.
    #[must_use]
    pub const fn transactions(&self) -> &B3 {
        &self.transactions
    }

    /// The log of one key or name.
    #[must_use]
    pub const fn log(&self, map: Map) -> &B3 {
        match map {
            Map::Key => &self.key_log,
            Map::Name => &self.name_log,
        }
    }

    /// The tree of outputs.
    #[must_use]
    pub const fn outputs(&self) -> &B3 {
        &self.outputs
    }

    /// The map by key or by name.
    #[must_use]
    pub const fn map(&self, map: Map) -> &MapHasher {
        match map {
            Map::Key => &self.key_map,
            Map::Name => &self.name_map,
        }
    }
}

impl fmt::Debug for TreeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeKeys({:?})", self.top)
    }
}

fn tree_key(chain_id: &Digest, tree: Tree, kind: Kind, bit: u16) -> Digest {
    derive(Domain::Tree(tree, kind), &[&chain_id.0, &bit.to_le_bytes()])
}

fn empty_root(chain_id: &Digest, tree: Tree) -> Digest {
    keyed(&tree_key(chain_id, tree, Kind::Empty, 0), &[&[0; 64]])
}

#[cfg(test)]
mod tests;
