//! Committees as the DAG needs them, and this peer's own place in one.

use alloc::vec::Vec;

use consensus::Creation;
use consensus::creation::Parameters;
use dag::Committee;
use dag::committee::Member;
use ledger::Ledger;
use primitives::Digest;
use primitives::keys::Signer;
use primitives::store::Store;
use primitives::units::{Epoch, PeerIndex};

use crate::error::Error;

/// This peer's place in the committee in force.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) index: PeerIndex,
    pub(crate) creation: Creation,
}

impl Seat {
    /// The seat of whom `signer` signs for; none outside the committee.
    pub(crate) fn find(
        committee: &Committee,
        signer: &dyn Signer,
        creation: Parameters,
    ) -> Option<Self> {
        let index = index_of(committee, signer)?;
        Some(Self {
            index,
            creation: Creation::new(index, creation),
        })
    }
}

/// The index of whom `signer` signs for; none outside the committee.
pub(crate) fn index_of(committee: &Committee, signer: &dyn Signer) -> Option<PeerIndex> {
    let key = signer.public();
    let mut members = committee.iter();
    let own = members.find(|(_, member)| member.event_key.to_public() == key);
    own.map(|(index, _)| index)
}

/// The committee of an epoch that has begun. Cost: a point decompressed for each member.
///
/// # Errors
/// A store that lacks it, or a member whose key is none.
pub fn committee_of<S: Store>(
    ledger: &Ledger,
    epoch: Epoch,
    store: &S,
) -> Result<Committee, Error> {
    let members = if epoch == ledger.epoch() {
        ledger.committee().to_vec()
    } else {
        ledger.committee_of(epoch, store)?
    };
    committee(*ledger.chain(), epoch, members)
}

/// The committee of these members.
///
/// # Errors
/// A key that is none, or no members at all.
pub fn committee(
    chain: Digest,
    epoch: Epoch,
    members: Vec<ledger::committee::Member>,
) -> Result<Committee, Error> {
    let member = |member: ledger::committee::Member| {
        Ok::<_, Error>(Member {
            key: member.peer_key,
            event_key: member.event_key.to_verifying()?,
            stake: member.stake,
        })
    };
    let members = members.into_iter().map(member).collect::<Result<_, _>>()?;
    Ok(Committee::new(chain, epoch, members)?)
}
