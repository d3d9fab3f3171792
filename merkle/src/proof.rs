//! Proofs for light clients, one file a kind, each with `prove` and `verify`.
//!
//! | kind | says | under |
//! |---|---|---|
//! | [`block::BlockInclusion`] | this header is an ancestor | state root |
//! | [`block::BlockConsistency`] | all headers of the older state are headers of the newer | two state roots |
//! | [`record::RecordProof`] | a key or name has this record, or none | state root |
//! | [`complete::AllEntries`] | these are all entries of its log | state root |
//! | [`complete::RecentEntries`] | these are its newest entries | state root |
//! | [`complete::NewEntries`] | these come next after those already known | state root |
//! | [`range::EntryRange`] | these are its entries from some index on | state root |
//! | [`span::EntrySpan`] | these are its entries in a block, or its newest up to it | state root |
//! | [`range::BlockRange`] | these headers are ancestors, one after the other | state root |
//! | [`batch::RecordBatch`] | several keys or names have these records, or none | state root |
//! | [`refresh::RecordRefresh`] | as a record proof, for who holds an older one | state root |
//! | [`output::OutputProof`] | an output is unspent, or by what it was spent | state root |
//! | [`batch::OutputBatch`] | the same of several outputs | state root |
//! | [`refresh::OutputRefresh`] | as an output proof, for who holds an older one | state root |
//! | [`transaction::TransactionInclusion`] | a block contains these transactions | header |
//!
//! Verifying returns what was proven. What the verifier knows is never sent.

pub mod batch;
pub mod block;
pub mod complete;
pub mod output;
pub mod range;
pub mod record;
pub mod refresh;
pub mod span;
pub mod transaction;

#[cfg(test)]
mod world;
