//! What can go wrong while running a test network.

use thiserror::Error as ThisError;

/// Every error of this crate.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The replayed file is not a raw Bitcoin block.
    #[error("not a raw bitcoin block: {error}")]
    NotABlock {
        /// What the decoder found.
        error: bitcoin::consensus::encode::Error,
    },
    /// Amounts overflow.
    #[error(transparent)]
    Unit(#[from] primitives::Error),
}
