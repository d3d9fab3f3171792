//! Plain counters of one replica; the node gives them names.

/// Counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is its own explanation")]
pub struct Stats {
    pub events_admitted: u64,
    pub events_created: u64,
    pub events_refused: u64,
    pub events_repeated: u64,
    pub events_ordered: u64,
    pub transactions_applied: u64,
    pub transactions_rejected: u64,
    pub transactions_pooled: u64,
    pub transactions_refused: u64,
    pub blocks: u64,
    pub certificates: u64,
    pub epochs: u64,
    pub equivocations: u64,
    pub partitions: u64,
    pub fork_alarms: u64,
    pub heads_told: u64,
    pub heads_confirmed: u64,
    pub officials_confirmed: u64,
    pub officials_reversed: u64,
    pub officials_conflicting: u64,
    pub wallet_requests: u64,
    pub wallet_requests_refused: u64,
}
