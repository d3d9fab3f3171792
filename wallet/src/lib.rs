//! A light client: keeps a key, trusts a genesis, checks every proof, pays.
//!
//! ```text
//!   Home (key, head, outbox) --open--> Wallet --ask--> Hosts (one after the other)
//!                                         |
//!                                         +-- Trust + check: nothing counts unless it is proven
//! ```
//!
//! Invariants:
//! - the trusted head is durable, moves only along a proven past, and never goes back;
//! - the balance is made of proven outputs alone; what is pending stands apart;
//! - a payment is in the outbox before any host sees it, and leaves it only when it is proven or
//!   can never be applied.
//!
//! Begin reading at [`wallet`], then [`home`].

pub mod book;
pub mod coins;
pub mod error;
pub mod home;
pub mod hosts;
pub mod keys;
pub mod policy;
pub mod wallet;

pub use error::Error;
pub use home::{Home, Settings};
pub use hosts::HostAddress;
pub use policy::Policy;
pub use wallet::{Balance, Options, Paid, Payment, Wallet};
