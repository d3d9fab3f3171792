//! The genesis: the rules of a chain, its first peers and its first coin. Its bytes name the chain.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use primitives::codec::{self, Bytes, Canonical, Decode, Encode, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;
use primitives::units::{Amount, Stake};
use primitives::{Digest, limits};

use crate::committee::{self, Member};
use crate::error::Error;
use crate::tx::Output;

mod parameters;

pub use parameters::{ONE_EPOCH, Parameters};

/// A peer that the chain begins with.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Peer {
    /// Its name, 1 to 64 bytes of printable ASCII without blanks.
    pub name: Bytes<{ limits::NAME_BYTES_MAX }>,
    /// Identity, race, order in the committee; coin is hosted with this key.
    pub peer_key: PublicKey,
    /// Signs events, attestations and beacons.
    pub event_key: PublicKey,
    /// Pinned in the handshake.
    pub transport_key: PublicKey,
    /// Owns the fees.
    pub payout_key: PublicKey,
}

impl Peer {
    /// The peer with the stake that `stakes` gives it.
    #[must_use]
    pub fn member(&self, stakes: &BTreeMap<PublicKey, Stake>) -> Member {
        Member {
            peer_key: self.peer_key,
            event_key: self.event_key,
            stake: stakes.get(&self.peer_key).copied().unwrap_or_default(),
        }
    }
}

/// What a chain begins with.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Genesis {
    /// The version of this encoding, 1.
    pub version: u8,
    /// The rules.
    pub parameters: Parameters,
    /// The first peers, by ascending peer key.
    pub peers: List<Peer, { limits::PEERS_MAX }>,
    /// The first outputs; all coin there ever is.
    pub outputs: List<Output, { limits::GENESIS_OUTPUTS_MAX }>,
}

impl Canonical for Genesis {
    const BYTES_MAX: usize = limits::GENESIS_BYTES_MAX;
}

impl Genesis {
    /// The chain's id: `derive("primus v1 chain", canonical bytes)`.
    ///
    /// # Errors
    /// [`primitives::Error::TooLong`] above the size of a genesis.
    pub fn chain_id(&self) -> Result<Digest, Error> {
        Ok(derive(Domain::Chain, &[&codec::encode(self)?]))
    }

    /// Checks everything that must hold of a genesis. Cost: four key decompressions a peer.
    ///
    /// # Errors
    /// A typed error naming the first thing that is wrong; whoever wrote the genesis is to blame.
    pub fn check(&self) -> Result<(), Error> {
        if self.version != 1 {
            return Err(Error::GenesisVersion {
                found: self.version,
            });
        }
        self.parameters.check()?;
        self.check_peers()?;
        self.supply()?;
        let hosts: BTreeSet<_> = self.peers.iter().map(|peer| peer.peer_key).collect();
        // A key may own many outputs, and looking at it costs more than all else here.
        let mut owners = BTreeSet::new();
        for output in self.outputs.iter() {
            if owners.insert(output.owner) {
                output.owner.to_verifying()?;
            }
            if let Some(host) = output.host.filter(|host| !hosts.contains(host)) {
                return Err(Error::UnknownHost { host });
            }
        }
        if self.stake()?.values().all(|stake| *stake == Stake::ZERO) {
            return Err(Error::NoStake);
        }
        Ok(())
    }

    /// The sum of all outputs.
    ///
    /// # Errors
    /// An overflow above 64 bits.
    pub fn supply(&self) -> Result<Amount, Error> {
        Ok(Amount::sum(
            self.outputs.iter().map(|output| output.amount),
        )?)
    }

    /// The coin hosted with each peer, by peer key; zero for a peer that hosts none.
    ///
    /// # Errors
    /// An overflow above 64 bits; an output hosted with an unknown peer.
    pub fn stake(&self) -> Result<BTreeMap<PublicKey, Stake>, Error> {
        let peers = self.peers.iter().map(|peer| (peer.peer_key, Stake::ZERO));
        let mut stakes: BTreeMap<_, _> = peers.collect();
        for output in self.outputs.iter() {
            let Some(host) = output.host else { continue };
            let stake = stakes.get_mut(&host).ok_or(Error::UnknownHost { host })?;
            *stake = stake.plus(output.amount.into())?;
        }
        Ok(stakes)
    }

    /// The peers with their stake, by ascending peer key: the candidates for a committee.
    ///
    /// # Errors
    /// As [`Genesis::stake`].
    pub fn candidates(&self) -> Result<Vec<Member>, Error> {
        let stakes = self.stake()?;
        Ok(self.peers.iter().map(|peer| peer.member(&stakes)).collect())
    }

    /// The committee of epoch 0. Rule C1.
    ///
    /// # Errors
    /// As [`Genesis::stake`].
    pub fn committee(&self) -> Result<Vec<Member>, Error> {
        Ok(committee::choose(self.candidates()?))
    }

    fn check_peers(&self) -> Result<(), Error> {
        let ascending = || self.peers.iter().zip(self.peers.iter().skip(1));
        if let Some((_, peer)) = ascending().find(|(a, b)| a.peer_key >= b.peer_key) {
            return Err(Error::PeerOrder { key: peer.peer_key });
        }
        let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for peer in self.peers.iter() {
            let printable = !peer.name.is_empty() && peer.name.iter().all(u8::is_ascii_graphic);
            if !printable || !names.insert(peer.name.to_ascii_lowercase()) {
                return Err(Error::PeerName { key: peer.peer_key });
            }
            // A payout key may serve several peers of one owner; the others stand for one peer.
            peer.payout_key.to_verifying()?;
            for key in [peer.peer_key, peer.event_key, peer.transport_key] {
                key.to_verifying()?;
            }
            let own: BTreeSet<_> = [peer.peer_key, peer.event_key, peer.transport_key].into();
            for key in own {
                if !keys.insert(key) {
                    return Err(Error::PeerKeyRepeated { key });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
