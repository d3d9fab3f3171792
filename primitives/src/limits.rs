//! Every limit in one place, with the reason for each. Bytes are of canonical encodings.

/// Peers of one committee (C1).
pub const PEERS_MAX: usize = 999;
/// References of one event to votes: one root per creator (C6).
pub const VOTES_MAX: usize = PEERS_MAX;
/// Other parents of one event: at most twice the committee (C8).
pub const PARENTS_MAX: usize = 2 * PEERS_MAX;
/// Data events of one round on one self-chain (C7).
pub const DATA_EVENTS_PER_ROUND_MAX: u64 = 1_024;
/// How many rounds below an event its other parents may lie (C8).
pub const PARENT_ROUNDS_MAX: u64 = 64;
/// How many rounds below its leader a block still orders events (C21).
pub const STALE_ROUNDS: u64 = 64;
/// How many rounds below the settled round the DAG is kept in memory (C9a).
pub const FLOOR_ROUNDS: u64 = 96;
/// Attestations carried by one event (C4).
pub const ATTESTATIONS_MAX: usize = 16;
/// One event's header without payload: votes and parents at 50 bytes each, attestations, fixed part.
pub const EVENT_HEADER_BYTES_MAX: usize = 256 * 1024;
/// The longest canonical header there is: all its lists full.
pub const EVENT_HEADER_CANONICAL_BYTES_MAX: usize =
    512 + (VOTES_MAX + PARENTS_MAX) * 50 + ATTESTATIONS_MAX * 104;
/// One event's payload.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// Transactions of one payload.
pub const PAYLOAD_TRANSACTIONS_MAX: usize = 8_192;
/// One transaction with its witnesses: evidence holds two whole headers.
pub const TRANSACTION_BYTES_MAX: usize = 320 * 1024;
/// Inputs of one transaction, 36 bytes each.
pub const INPUTS_MAX: usize = 4_096;
/// Outputs of one transaction.
pub const OUTPUTS_MAX: usize = 4_096;
/// Distinct owners that sign one transaction: one witness each.
pub const WITNESSES_MAX: usize = 4_096;
/// Bytes of an opaque `Data` transaction.
pub const DATA_BYTES_MAX: usize = 4 * 1024;
/// Outputs that a genesis may create.
pub const GENESIS_OUTPUTS_MAX: usize = 1_048_576;
/// The genesis file.
pub const GENESIS_BYTES_MAX: usize = 128 * 1024 * 1024;
/// One gossip message: an event with header and payload, and a little.
pub const GOSSIP_MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Events of one answer to a request for missing events.
pub const EVENTS_PER_ANSWER_MAX: usize = 1_024;
/// Bytes after which an answer to a request for missing events is closed.
pub const ANSWER_BYTES_TARGET: usize = 512 * 1024;
/// Ids or ranges of one request for missing events.
pub const REQUEST_ITEMS_MAX: usize = 1_024;
/// Events held back for missing parents, over all creators.
pub const PENDING_EVENTS_MAX: usize = 16 * 1024;
/// Bytes of their payloads, over all creators.
pub const PENDING_BYTES_MAX: usize = 256 * 1024 * 1024;
/// One request of a wallet: a transaction and a little.
pub const WALLET_REQUEST_BYTES_MAX: usize = TRANSACTION_BYTES_MAX + 1024;
/// One reply to a wallet.
pub const WALLET_REPLY_BYTES_MAX: usize = 1024 * 1024;
/// Log entries or outputs of one page given to a wallet.
pub const PAGE_ENTRIES_MAX: usize = 1_024;
/// Siblings of one map proof: the depth of a 256-bit position.
pub const MAP_DEPTH_MAX: usize = 255;
/// Digests of one proof in an append-only or dense tree.
pub const LOG_DEPTH_MAX: usize = 64;
/// Positions of one proof about several: what a wallet asks about at once.
pub const MULTI_POSITIONS_MAX: usize = 256;
/// Digests of one proof about several positions: one for each branch above each of them.
pub const MULTI_SIBLINGS_MAX: usize = MAP_DEPTH_MAX * MULTI_POSITIONS_MAX;
/// Branches and leaves of one proof about several positions of a map.
pub const MULTI_STEPS_MAX: usize = (MAP_DEPTH_MAX + 1) * MULTI_POSITIONS_MAX;
/// Digests of a proof about a range of a log: on each level at most one on either side.
pub const RANGE_SIBLINGS_MAX: usize = 2 * LOG_DEPTH_MAX;
/// Transactions of one receipt.
pub const RECEIPT_TRANSACTIONS_MAX: usize = 256;
/// Digests of one receipt: at most one on each of 32 levels for each transaction.
pub const RECEIPT_SIBLINGS_MAX: usize = 32 * RECEIPT_TRANSACTIONS_MAX;
/// Fields of one deed: what one receipt can show.
pub const DEED_FIELDS_MAX: usize = 256;
/// Bytes of the name of a field.
pub const FIELD_NAME_BYTES_MAX: usize = 64;
/// Bytes of the value of a field; longer ones belong into a document.
pub const FIELD_VALUE_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a peer's name.
pub const NAME_BYTES_MAX: usize = 64;
/// Transactions that a peer holds for its own next events.
pub const POOL_TRANSACTIONS_MAX: usize = 262_144;
/// Bytes of transactions that a peer holds for its own next events.
pub const POOL_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Wallet sessions of one peer.
pub const WALLET_SESSIONS_MAX: usize = 4_096;

const _: () = assert!(PAYLOAD_BYTES_MAX + EVENT_HEADER_BYTES_MAX < GOSSIP_MESSAGE_BYTES_MAX);
const _: () = assert!(TRANSACTION_BYTES_MAX <= PAYLOAD_BYTES_MAX);
const _: () = assert!(
    ANSWER_BYTES_TARGET + PAYLOAD_BYTES_MAX + EVENT_HEADER_BYTES_MAX < GOSSIP_MESSAGE_BYTES_MAX
);
const _: () = assert!(EVENT_HEADER_CANONICAL_BYTES_MAX <= EVENT_HEADER_BYTES_MAX);
const _: () = assert!(2 * EVENT_HEADER_CANONICAL_BYTES_MAX + 1024 <= TRANSACTION_BYTES_MAX);
const _: () = assert!(FLOOR_ROUNDS > STALE_ROUNDS);
