//! Every name of a metric, without the prefix `primus_`: base units last, labels few and fixed.

/// A metric's name and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    /// The name after the prefix.
    pub text: &'static str,
    /// One sentence for whoever reads it.
    pub help: &'static str,
}

/// The names of labels; their values are fixed words, never keys or addresses.
#[expect(missing_docs, reason = "the text itself says what each is")]
pub mod label {
    pub const VERSION: &str = "version";
    pub const CHECK: &str = "check";
    pub const RESULT: &str = "result";
    pub const WHICH: &str = "which";
    pub const GRADE: &str = "grade";
    pub const STATE: &str = "state";
    pub const DIRECTION: &str = "direction";
    pub const STREAM: &str = "stream";
    pub const QUEUE: &str = "queue";
    pub const LEVEL: &str = "level";
}

macro_rules! names {
    ($($constant:ident $text:literal $help:literal)*) => {
        $(#[doc = $help] pub const $constant: Name = Name { text: $text, help: $help };)*
        /// Every name there is.
        pub const ALL: &[Name] = &[$($constant),*];
    };
}

names! {
    BUILD_INFO "build_info" "One, with the version of the program."
    READY "ready" "Whether a condition of readiness holds."
    EVENTS_RECEIVED "dag_events_received_total" "Events that came from other peers."
    EVENTS_CREATED "dag_events_created_total" "Events that this node signed."
    EVENTS_SUSPENDED "dag_events_suspended" "Events held back for missing parents."
    ROUND "dag_round" "The round of the newest own root, and the newest settled round."
    EPOCH "consensus_epoch" "The epoch in force."
    BLOCK_HEIGHT "consensus_block_height" "The newest block executed, certified, and heard of."
    GRADE_LATENCY "consensus_grade_latency_seconds" "From an own event to a grade of its block."
    UNDECIDED_ROUNDS "consensus_undecided_rounds" "Rounds from the settled one to the newest."
    STAKE_SEEN "consensus_stake_seen_ratio" "The share of stake heard in the newest round."
    EQUIVOCATIONS "consensus_equivocations_total" "Creators shown to have signed two histories."
    PARTITIONED "consensus_partitioned" "Whether no quorum is heard."
    PARTITIONS "consensus_partitions_total" "Times that no quorum was heard, the start among them."
    FORK_ALARM "consensus_fork_alarm" "Whether a conflict splits the stake."
    FORK_ALARMS "consensus_fork_alarms_total" "Conflicts with a third of stake behind each side."
    HEADS "consensus_tentative_heads_total" "Tentative heads of rounds with a block, by what led it."
    OFFICIALS "consensus_officials_total" "Official transactions, by what became of them."
    TRANSACTIONS "ledger_transactions_total" "Transactions ordered."
    POOL "ledger_pool_transactions" "Transactions that wait for this node's next events."
    BLOCK_APPLY "ledger_block_apply_seconds" "Executing one block."
    NET_PEERS "net_peers" "Peers of the committee."
    NET_BYTES "net_bytes_total" "Bytes of frames."
    NET_DROPPED "net_queue_dropped_total" "Frames not queued because the other side reads slowly."
    WALLET_SESSIONS "wallet_sessions" "Wallets connected."
    WALLET_REQUESTS "wallet_requests_total" "Requests of wallets."
    STORE_WRITE "store_write_seconds" "Making one batch of writes durable."
    LOG_EVENTS "log_events_total" "Log lines that a person should know of."
}
