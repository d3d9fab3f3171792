//! Applies ordered transactions to coins and stake, and yields the new roots.
//!
//! ```text
//!   payload bytes --tx::check_payload--> Checked (with its fault, if it has one)
//!   Block { ordered events of Checked } --Ledger::execute--> header, outcomes, one batch of writes
//!                                            |
//!                                            +-- block tree, key map, name map, outputs tree
//!   question of a wallet --query--> rows and a proof under the newest state root
//! ```
//!
//! Invariants:
//! - an ordered list is all it gets: it knows neither events nor consensus;
//! - an invalid transaction stays in its block as rejected with a reason, it never stops one;
//! - coin is neither made nor lost: the unspent outputs sum up to the genesis outputs after every
//!   block, else the peer stops;
//! - every write of a block leaves in one batch, and the trees can be rebuilt from the rows alone.
//!
//! Begin reading at [`tx`], then [`state`].
#![cfg_attr(not(test), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::float_arithmetic,
        clippy::indexing_slicing
    )
)]

extern crate alloc;

pub mod committee;
pub mod error;
pub mod genesis;
pub mod header;
pub mod outcome;
pub mod prune;
pub mod query;
pub mod rows;
pub mod state;
pub mod stats;
pub mod subject;
#[cfg(test)]
mod test_chain;
pub mod tx;

pub use error::Error;
pub use genesis::Genesis;
pub use header::Header;
pub use outcome::{Outcome, Reason};
pub use state::{Block, Executed, Ledger, OrderedEvent};
pub use tx::{Checked, Transaction};
