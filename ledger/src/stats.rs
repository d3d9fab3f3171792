//! What the ledger counts for the metrics of its peer.

/// Counted since the start of the peer; not part of any root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Blocks executed.
    pub blocks: u64,
    /// Transfers applied.
    pub transfers_applied: u64,
    /// Data transactions applied.
    pub data_applied: u64,
    /// Peers convicted.
    pub evidence_applied: u64,
    /// Commits applied.
    pub commits_applied: u64,
    /// Names registered or handed over.
    pub names_applied: u64,
    /// Transactions rejected.
    pub rejected: u64,
    /// Rejected because an input was spent by another.
    pub conflicts: u64,
    /// Copies of transactions that had been applied.
    pub duplicates: u64,
    /// Bytes of all transactions.
    pub transaction_bytes: u64,
    /// Outputs created.
    pub outputs_created: u64,
    /// Outputs spent.
    pub outputs_spent: u64,
}
