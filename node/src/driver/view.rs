//! The replica as the operator's pages show it.

use ledger::prune::KeptFrom;
use primitives::quorum::Threshold;
use primitives::units::{Height, Round, Stake};
use replica::Replica;
use replica::replica::Standing;

use super::Origin;
use crate::status::{AlarmView, Counters, HeadView, Status};

pub(super) fn status(replica: &Replica, origin: &Origin, kept: KeptFrom) -> Status {
    let committee = replica.committee();
    let outlook = replica.outlook();
    let heard = height_heard(replica);
    let connected = u64::try_from(replica.peers().count()).unwrap_or(u64::MAX);
    let size = u64::try_from(committee.size()).unwrap_or(u64::MAX);
    Status {
        name: origin.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        peer: origin.peer.peer_key,
        chain: origin.chain,
        epoch: committee.epoch().get(),
        height: replica.ledger().height().get(),
        certified_height: replica
            .certified()
            .map_or(0, |certified| certified.height.get()),
        first_epoch: kept.epoch.get(),
        first_block: kept.height.get(),
        height_heard: heard.max(replica.ledger().height()).get(),
        root: *replica.ledger().root(),
        round: replica.dag().highest_round().unwrap_or(Round::ZERO).get(),
        settled_round: replica
            .engine()
            .settled_round()
            .unwrap_or(Round::ZERO)
            .get(),
        peers_total: size.saturating_sub(1),
        peers_connected: connected,
        wait_ms: replica.wait_ms(),
        own_stake: replica
            .own()
            .map_or(Stake::ZERO, |own| committee.stake(own)),
        stake_heard: replica.stake_connected(),
        total_stake: committee.total(),
        supply: replica.ledger().supply(),
        pool_transactions: u64::try_from(replica.pooled()).unwrap_or(u64::MAX),
        events_suspended: u64::try_from(replica.suspended()).unwrap_or(u64::MAX),
        quarantined: *replica.standing() == Standing::Quarantined,
        contradiction: replica.engine().contradiction().map(ToString::to_string),
        head: outlook.head().map(|head| HeadView {
            round: head.round.get(),
            leader: head.leader,
            support: head.support,
        }),
        partition: outlook.partition().map(|partition| partition.stake_heard),
        fork_alarm: outlook.alarm().map(|alarm| AlarmView {
            first: alarm.first.0,
            first_backing: alarm.first.1,
            second: alarm.second.0,
            second_backing: alarm.second.1,
        }),
        counters: counters(replica.stats()),
    }
}

/// The greatest height that peers with a third of the stake have reached by their own word: one of
/// them is honest, and a single liar cannot make this node look behind.
fn height_heard(replica: &Replica) -> Height {
    let committee = replica.committee();
    let mut told: Vec<_> = replica
        .peers()
        .filter_map(|(peer, height)| Some((height, committee.stake(committee.index_of(&peer)?))))
        .collect();
    told.sort_unstable();
    let mut stake = Stake::ZERO;
    for (height, own) in told.into_iter().rev() {
        stake = stake.later(own.get());
        if committee.meets(Threshold::Third, stake) {
            return height;
        }
    }
    Height::ZERO
}

fn counters(stats: &replica::Stats) -> Counters {
    Counters {
        events_accepted: stats.events_admitted.saturating_sub(stats.events_created),
        events_repeated: stats.events_repeated,
        events_refused: stats.events_refused,
        events_created: stats.events_created,
        equivocations: stats.equivocations,
        partitions: stats.partitions,
        fork_alarms: stats.fork_alarms,
        heads_told: stats.heads_told,
        heads_confirmed: stats.heads_confirmed,
        officials_confirmed: stats.officials_confirmed,
        officials_reversed: stats.officials_reversed,
        officials_conflicting: stats.officials_conflicting,
        transactions_applied: stats.transactions_applied,
        transactions_rejected: stats.transactions_rejected,
        wallet_requests_answered: stats.wallet_requests,
        wallet_requests_refused: stats.wallet_requests_refused,
    }
}
