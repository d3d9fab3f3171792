//! What a node says of itself: written by the driver, read by the pages for the operator.

use std::fmt::Display;
use std::str::FromStr;

use primitives::Digest;
use primitives::keys::PublicKey;
use primitives::quorum::Threshold;
use primitives::units::{Amount, Stake, Time};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A node as of one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The name to show.
    pub name: String,
    /// The version of the program.
    pub version: String,
    /// The peer key.
    #[serde(with = "text")]
    pub peer: PublicKey,
    /// The chain.
    #[serde(with = "text")]
    pub chain: Digest,
    /// The epoch in force.
    pub epoch: u64,
    /// The newest block executed here.
    pub height: u64,
    /// The newest block with a certificate of a quorum, known here.
    pub certified_height: u64,
    /// The first epoch whose events are kept; 0 in an archive.
    pub first_epoch: u64,
    /// The first block whose transactions are kept; 0 in an archive.
    pub first_block: u64,
    /// The newest height that anyone was heard to attest.
    pub height_heard: u64,
    /// The consensus root of the newest block executed here.
    #[serde(with = "text")]
    pub root: Digest,
    /// The round of this node's newest root.
    pub round: u64,
    /// The newest settled round.
    pub settled_round: u64,
    /// Peers of the committee, without this node.
    pub peers_total: u64,
    /// Peers of the committee that are connected.
    pub peers_connected: u64,
    /// How long this node's next root waits for the roots that are late (C34), in milliseconds; none
    /// outside the committee.
    pub wait_ms: Option<u64>,
    /// The stake of this node.
    #[serde(with = "text")]
    pub own_stake: Stake,
    /// The stake heard in the newest round that waits for a quorum, this node's own included.
    #[serde(with = "text")]
    pub stake_heard: Stake,
    /// The stake of the whole committee.
    #[serde(with = "text")]
    pub total_stake: Stake,
    /// All coin there is: the sum of unspent outputs, checked at every block.
    #[serde(with = "text")]
    pub supply: Amount,
    /// Transactions that wait for this node's next events.
    pub pool_transactions: u64,
    /// Events held back for missing parents.
    pub events_suspended: u64,
    /// Whether this node signs nothing, because its key was seen to be ahead of its store.
    pub quarantined: bool,
    /// What keeps the node from settling for good, if anything does: more than a third of stake has
    /// signed against the rules (C15).
    pub contradiction: Option<String>,
    /// The candidate that will probably lead the next block (C27): shown, never promised.
    pub head: Option<HeadView>,
    /// The stake heard, where it is no quorum and so nothing settles (C28).
    #[serde(with = "optional_text")]
    pub partition: Option<Stake>,
    /// A conflict of which each side has the backing of more than a third of stake (C28).
    pub fork_alarm: Option<AlarmView>,
    /// What was counted since the start.
    pub counters: Counters,
}

/// A tentative head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadView {
    /// The round.
    pub round: u64,
    /// The candidate.
    #[serde(with = "text")]
    pub leader: Digest,
    /// The stake that supports it (C24).
    #[serde(with = "text")]
    pub support: Stake,
}

/// Two transactions that exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmView {
    /// The better backed one.
    #[serde(with = "text")]
    pub first: Digest,
    /// Its backing (C24).
    #[serde(with = "text")]
    pub first_backing: Stake,
    /// The other.
    #[serde(with = "text")]
    pub second: Digest,
    /// Its backing.
    #[serde(with = "text")]
    pub second_backing: Stake,
}

/// What the driver has counted since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Events of others admitted to the DAG.
    pub events_accepted: u64,
    /// Events of others that were held already.
    pub events_repeated: u64,
    /// Events of others that break a rule.
    pub events_refused: u64,
    /// Own events.
    pub events_created: u64,
    /// Creators shown to have signed two events in one place.
    pub equivocations: u64,
    /// Times that no quorum was heard, the time after the start among them (C28).
    pub partitions: u64,
    /// Conflicts that split the stake (C28).
    pub fork_alarms: u64,
    /// Tentative heads of rounds that have a block, and how many of them lead it (C27).
    pub heads_told: u64,
    /// See `heads_told`.
    pub heads_confirmed: u64,
    /// Transactions seen official that were applied, and those that lost to a rival (C25).
    pub officials_confirmed: u64,
    /// See `officials_confirmed`.
    pub officials_reversed: u64,
    /// Outpoints with two official spenders at once: somebody signed two histories (C25).
    pub officials_conflicting: u64,
    /// Transactions applied.
    pub transactions_applied: u64,
    /// Transactions ordered and rejected.
    pub transactions_rejected: u64,
    /// Requests of wallets answered.
    pub wallet_requests_answered: u64,
    /// Requests of wallets refused.
    pub wallet_requests_refused: u64,
}

/// One condition of readiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The driver runs.
    Started,
    /// A quorum of stake is heard.
    Quorum,
    /// No newer block is attested elsewhere than has been executed here, but for a few.
    Synced,
    /// The node may sign, and what it signs can settle.
    Signing,
}

/// Blocks that a ready node may be behind: what is under way at any moment.
const BEHIND_MAX: u64 = 8;

impl Check {
    /// Every condition.
    pub const ALL: [Self; 4] = [Self::Started, Self::Quorum, Self::Synced, Self::Signing];

    /// The name in answers and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Quorum => "quorum",
            Self::Synced => "synced",
            Self::Signing => "signing",
        }
    }

    /// Why this condition does not hold of `status`; none if it does.
    #[must_use]
    pub fn unmet(self, status: Option<&Status>) -> Option<String> {
        let Some(status) = status else {
            return Some("the store is being opened".to_owned());
        };
        let (met, reason) = match self {
            Self::Started => (true, String::new()),
            Self::Quorum => {
                let heard = status.partition.unwrap_or(status.stake_heard);
                (
                    status.partition.is_none()
                        && Threshold::Quorum.is_met(heard, status.total_stake),
                    format!(
                        "stake {heard} of {} is heard, which is no quorum",
                        status.total_stake
                    ),
                )
            }
            Self::Synced => (
                status.height.saturating_add(BEHIND_MAX) >= status.height_heard,
                format!(
                    "at height {} where {} is attested",
                    status.height, status.height_heard
                ),
            ),
            Self::Signing => match &status.contradiction {
                Some(contradiction) => (false, format!("nothing settles: {contradiction}")),
                None => (
                    !status.quarantined,
                    "the key was seen to be ahead of this store; nothing is signed".to_owned(),
                ),
            },
        };
        (!met).then_some(reason)
    }
}

/// How sure a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// A third of stake has seen its leader.
    Endorsed,
    /// Half of stake has seen its leader.
    Official,
    /// Settled: never taken back.
    Final,
}

impl Grade {
    /// The name in answers and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Endorsed => "endorsed",
            Self::Official => "official",
            Self::Final => "final",
        }
    }
}

/// A block as the pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockView {
    /// The height.
    pub height: u64,
    /// How sure it is.
    pub grade: Grade,
    /// Its consensus root.
    #[serde(with = "text")]
    pub root: Digest,
    /// The consensus root of the block before.
    #[serde(with = "text")]
    pub previous: Digest,
    /// The epoch.
    pub epoch: u64,
    /// The round that its leader led.
    pub round: u64,
    /// The leader's event.
    #[serde(with = "text")]
    pub leader: Digest,
    /// The block time in milliseconds since 1970.
    pub time_ms: u64,
    /// The state root after it.
    #[serde(with = "text")]
    pub state: Digest,
    /// Transactions in it, applied and rejected.
    pub transactions: u32,
}

impl BlockView {
    /// The view of a block with this header and consensus root.
    #[must_use]
    pub fn new(header: &ledger::Header, root: Digest, grade: Grade) -> Self {
        Self {
            height: header.height.get(),
            grade,
            root,
            previous: header.previous,
            epoch: header.epoch.get(),
            round: header.round.get(),
            leader: header.leader,
            time_ms: Time::get(header.time),
            state: header.state,
            transactions: header.transaction_count,
        }
    }
}

/// Values that are text in JSON: keys and digests in hexadecimal, stake and coin in decimal, because a
/// 64-bit number is more than a page's number holds.
mod text {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The same for a value that may be absent.
mod optional_text {
    use super::{Deserialize, Deserializer, Serializer, Stake, de};

    pub(super) fn serialize<S: Serializer>(
        value: &Option<Stake>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(stake) => serializer.collect_str(stake),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Stake>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let stake = text.map(|text| text.parse().map_err(de::Error::custom));
        stake.transpose()
    }
}

#[cfg(test)]
pub(crate) mod tests;
