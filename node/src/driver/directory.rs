//! Which transport key belongs to which peer of the committee.

use std::collections::BTreeMap;

use dag::Committee;
use ledger::Genesis;
use primitives::keys::PublicKey;
use primitives::units::PeerIndex;

/// Transport keys and committee positions, both ways.
#[derive(Debug)]
pub(super) struct Directory {
    keys: BTreeMap<PeerIndex, PublicKey>,
    indices: BTreeMap<PublicKey, PeerIndex>,
}

impl Directory {
    pub(super) fn new(genesis: &Genesis, committee: &Committee) -> Self {
        let index = |peer: &ledger::genesis::Peer| committee.index_of(&peer.peer_key);
        let pairs = || {
            genesis
                .peers
                .iter()
                .filter_map(|peer| Some((index(peer)?, peer)))
        };
        Self {
            keys: pairs()
                .map(|(index, peer)| (index, peer.transport_key))
                .collect(),
            indices: pairs()
                .map(|(index, peer)| (peer.transport_key, index))
                .collect(),
        }
    }

    pub(super) fn transport_key(&self, peer: PeerIndex) -> Option<&PublicKey> {
        self.keys.get(&peer)
    }

    pub(super) fn index(&self, key: &PublicKey) -> Option<PeerIndex> {
        self.indices.get(key).copied()
    }
}
