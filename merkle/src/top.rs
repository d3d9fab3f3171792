//! The state root: four trees with their sizes under one digest.
//!
//! `S_n = N(N(block', key'), N(name', outs'))` and `x' = keyed(K[x][size], root + size u64 LE + 24
//! zero bytes)`, so that nobody can lie about a size. Source: docs/spec/state.md section 1.

use primitives::Digest;
use primitives::codec::{Decode, Encode};
use primitives::digest::{keyed, keyed_pair};
use primitives::units::Height;

use crate::error::{Error, Part};
use crate::hash::{Map, TreeKeys};

/// A state root that the verifier trusts, as it stands in the header of `height`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The block whose header holds the root; its block tree has this many headers.
    pub height: Height,
    /// The state root S_n.
    pub root: Digest,
}

/// The four trees under a state root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateTree {
    /// All earlier headers.
    Block,
    /// The map by key.
    Key,
    /// The map by name.
    Name,
    /// The outputs.
    Outputs,
}

impl From<Map> for StateTree {
    fn from(map: Map) -> Self {
        match map {
            Map::Key => Self::Key,
            Map::Name => Self::Name,
        }
    }
}

/// The root of one tree and its size: headers, records or outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizedRoot {
    /// The root.
    pub root: Digest,
    /// The number of leaves.
    pub size: u64,
}

impl SizedRoot {
    fn digest(&self, keys: &TreeKeys, tree: StateTree) -> Digest {
        let key = match tree {
            StateTree::Block => &keys.block_size,
            StateTree::Key => &keys.key_size,
            StateTree::Name => &keys.name_size,
            StateTree::Outputs => &keys.outputs_size,
        };
        keyed(key, &[&self.root.0, &self.size.to_le_bytes(), &[0; 24]])
    }
}

/// The four roots of one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateRoots {
    /// Of all earlier headers.
    pub block: SizedRoot,
    /// Of the map by key.
    pub key: SizedRoot,
    /// Of the map by name.
    pub name: SizedRoot,
    /// Of the outputs.
    pub outputs: SizedRoot,
}

impl StateRoots {
    /// The state root S_n. Cost: seven compressions.
    #[must_use]
    pub fn state_root(&self, keys: &TreeKeys) -> Digest {
        let block = self.block.digest(keys, StateTree::Block);
        self.prove(keys, StateTree::Block)
            .join(keys, StateTree::Block, &block)
    }

    /// What leads from `tree` to the state root. Cost: at most five compressions.
    #[must_use]
    pub fn prove(&self, keys: &TreeKeys, tree: StateTree) -> TopProof {
        let block = || self.block.digest(keys, StateTree::Block);
        let key = || self.key.digest(keys, StateTree::Key);
        let name = || self.name.digest(keys, StateTree::Name);
        let outputs = || self.outputs.digest(keys, StateTree::Outputs);
        let left = || keyed_pair(&keys.top, &block(), &key());
        let right = || keyed_pair(&keys.top, &name(), &outputs());
        let (near, far) = match tree {
            StateTree::Block => (key(), right()),
            StateTree::Key => (block(), right()),
            StateTree::Name => (outputs(), left()),
            StateTree::Outputs => (name(), left()),
        };
        TopProof { near, far }
    }
}

/// The two siblings between one tree and the state root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct TopProof {
    /// The tree beside this one.
    pub near: Digest,
    /// The node above the other two trees.
    pub far: Digest,
}

impl TopProof {
    /// Encoded bytes.
    pub const BYTES: usize = 64;

    /// Checks that `tree` with `sized` root stands under the trusted state root. Cost: three
    /// compressions.
    ///
    /// # Errors
    /// [`Error::Root`] otherwise; the sender of the proof is to blame.
    pub fn verify(
        &self,
        keys: &TreeKeys,
        tree: StateTree,
        sized: &SizedRoot,
        state: &State,
    ) -> Result<(), Error> {
        let found = self.join(keys, tree, &sized.digest(keys, tree));
        if found != state.root {
            return Err(Error::Root {
                part: Part::State,
                found,
                wanted: state.root,
            });
        }
        Ok(())
    }

    fn join(&self, keys: &TreeKeys, tree: StateTree, digest: &Digest) -> Digest {
        let node = |left, right| keyed_pair(&keys.top, left, right);
        match tree {
            StateTree::Block => node(&node(digest, &self.near), &self.far),
            StateTree::Key => node(&node(&self.near, digest), &self.far),
            StateTree::Name => node(&self.far, &node(digest, &self.near)),
            StateTree::Outputs => node(&self.far, &node(&self.near, digest)),
        }
    }
}

#[cfg(test)]
mod tests;
