//! The genesis: the rules of a chain, its first peers and its first coin. Its bytes name the chain.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use primitives::codec::{self, Bytes, Canonical, Decode, Encode, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;
use primitives::units::{Amount, Stake, Time};
use primitives::{Digest, limits};

use crate::committee::{self, Member};
use crate::error::Error;
use crate::tx::Output;

/// The parameters of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Parameters {
    /// How many blocks a snapshot of stake is older than the epoch it counts for, at least 1 (C2).
    pub lag: u64,
    /// Blocks of one epoch, at least 1 (C30).
    pub period: u64,
    /// The least fee of a transaction that spends coin.
    pub fee_min: Amount,
    /// Whether `Data` transactions without inputs are applied.
    pub data_free: bool,
    /// Whether new coin can be made; version 1 knows no way to, so it must be false.
    pub mint: bool,
    /// The time of the genesis block, below which no block time falls (C29a).
    pub time: Time,
    /// The least spacing of rounds in milliseconds (C35).
    pub round_ms_min: u64,
    /// The shortest wait for slow roots in milliseconds (C34).
    pub wait_ms_min: u64,
    /// The longest wait for slow roots while blocks settle, in milliseconds (C34).
    pub wait_ms_max: u64,
}

/// A period that no chain outlives: for chains that keep the committee of their genesis.
pub const ONE_EPOCH: u64 = 1 << 40;

impl Default for Parameters {
    /// The values of the design: snapshots 1,000 to 5,095 blocks old, epochs of 4,096, waits of 50
    /// to 250 ms, rounds at least 5 ms apart; data costs coin.
    fn default() -> Self {
        Self {
            lag: 1_000,
            period: 4_096,
            fee_min: Amount::new(1),
            data_free: false,
            mint: false,
            time: Time::ZERO,
            round_ms_min: 5,
            wait_ms_min: 50,
            wait_ms_max: 250,
        }
    }
}

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

impl Canonical for Parameters {
    const BYTES_MAX: usize = 7 * 8 + 2;
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
        for output in self.outputs.iter() {
            output.owner.to_verifying()?;
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

    /// The peers with the stake that `stakes` gives them, by ascending peer key: the candidates for
    /// a committee.
    #[must_use]
    pub fn candidates(&self, stakes: &BTreeMap<PublicKey, Stake>) -> Vec<Member> {
        self.peers.iter().map(|peer| peer.member(stakes)).collect()
    }

    /// The committee of epoch 0. Rule C1.
    ///
    /// # Errors
    /// As [`Genesis::stake`].
    pub fn committee(&self) -> Result<Vec<Member>, Error> {
        Ok(committee::choose(self.candidates(&self.stake()?)))
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

impl Parameters {
    const fn check(&self) -> Result<(), Error> {
        if self.lag == 0 || self.period == 0 {
            return Err(Error::Epochs {
                lag: self.lag,
                period: self.period,
            });
        }
        if self.mint {
            return Err(Error::Mint);
        }
        if self.wait_ms_min > self.wait_ms_max {
            return Err(Error::Waits {
                least: self.wait_ms_min,
                most: self.wait_ms_max,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
