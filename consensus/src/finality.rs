//! How firm an event or transaction is before and after its block (C24, C25).

use alloc::vec::Vec;

use dag::Dag;
use dag::graph::Handle;
use primitives::Digest;
use primitives::codec::{Canonical, Decode, Encode};
use primitives::planted::{self, Bug};
use primitives::quorum::Threshold;
use primitives::units::{PeerIndex, Seq, Stake};

/// The grades of C25, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub enum Grade {
    /// Held.
    Seen,
    /// Support is a third: an honest peer keeps it.
    Endorsed,
    /// Backing is a half.
    Official,
    /// In a settled block.
    Final,
    /// Attested by a quorum, so that a wallet can check it alone.
    Proven,
}

impl Canonical for Grade {
    const BYTES_MAX: usize = 4;
}

/// A transaction with the held events that carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried<'a> {
    /// The transaction's id.
    pub transaction: &'a Digest,
    /// The events that carry it.
    pub events: &'a [Digest],
}

/// The stake of creators not known to fork whose latest event is `event` or has it in its past; zero
/// if it is not held. Rule C24. Cost: O(creators).
#[must_use]
pub fn support(dag: &Dag, event: &Digest) -> Stake {
    let Some(event) = dag.handle(event) else {
        return Stake::ZERO;
    };
    sum(dag, |creator| {
        dag.tips(creator).any(|tip| dag.is_past(event, tip))
    })
}

/// The stake of creators not known to fork that back `own`: it entered their self-chain before each
/// of `rivals`, or in one event with the smaller transaction id. Rule C24. Cost: O(creators *
/// carriers * log events).
#[must_use]
pub fn backing(dag: &Dag, own: Carried<'_>, rivals: &[Carried<'_>]) -> Stake {
    let own_events = handles(dag, own);
    let rival_events: Vec<(&Digest, Vec<Handle>)> = rivals
        .iter()
        .map(|rival| (rival.transaction, handles(dag, *rival)))
        .collect();
    sum(dag, |creator| {
        let Some(entered) = entry(dag, creator, &own_events) else {
            return false;
        };
        rival_events.iter().all(|(transaction, events)| {
            entry(dag, creator, events)
                .is_none_or(|rival| (entered, own.transaction) < (rival, *transaction))
        })
    })
}

/// Seen, endorsed or official, of an unsettled transaction (C25); the greatest support of any of
/// its carriers counts for endorsed.
#[must_use]
pub fn grade(dag: &Dag, own: Carried<'_>, rivals: &[Carried<'_>]) -> Grade {
    let committee = dag.committee();
    let is_endorsed = || {
        own.events
            .iter()
            .any(|event| committee.meets(Threshold::Third, support(dag, event)))
    };
    let half = match planted::has(Bug::OfficialByThird) {
        true => Threshold::Third,
        false => Threshold::Half,
    };
    if committee.meets(half, backing(dag, own, rivals)) {
        Grade::Official
    } else if is_endorsed() {
        Grade::Endorsed
    } else {
        Grade::Seen
    }
}

fn handles(dag: &Dag, carried: Carried<'_>) -> Vec<Handle> {
    carried
        .events
        .iter()
        .filter_map(|event| dag.handle(event))
        .collect()
}

/// The seq at which the first of `events` entered a creator's self-chain.
fn entry(dag: &Dag, creator: PeerIndex, events: &[Handle]) -> Option<Seq> {
    events
        .iter()
        .filter_map(|event| dag.first_knowing(creator, *event))
        .min()
}

/// The stake of creators not known to fork of whom `counts` holds.
fn sum(dag: &Dag, counts: impl Fn(PeerIndex) -> bool) -> Stake {
    dag.committee()
        .iter()
        .filter(|(creator, _)| !dag.is_forker(*creator) && counts(*creator))
        .fold(Stake::ZERO, |sum, (_, member)| {
            sum.later(member.stake.get())
        })
}

#[cfg(test)]
mod tests;
