//! Which transport key belongs to which peer: links are made by the one, the replica knows the other.

use std::collections::BTreeMap;

use ledger::Genesis;
use primitives::keys::PublicKey;

/// Transport keys and peer keys, both ways.
#[derive(Debug)]
pub(super) struct Directory {
    transport_keys: BTreeMap<PublicKey, PublicKey>,
    peer_keys: BTreeMap<PublicKey, PublicKey>,
}

impl Directory {
    pub(super) fn new(genesis: &Genesis) -> Self {
        let pairs = || {
            let peers = genesis.peers.iter();
            peers.map(|peer| (peer.peer_key, peer.transport_key))
        };
        Self {
            transport_keys: pairs().collect(),
            peer_keys: pairs().map(|(peer, transport)| (transport, peer)).collect(),
        }
    }

    pub(super) fn transport_key(&self, peer: &PublicKey) -> Option<&PublicKey> {
        self.transport_keys.get(peer)
    }

    pub(super) fn peer_key(&self, transport: &PublicKey) -> Option<PublicKey> {
        self.peer_keys.get(transport).copied()
    }
}
