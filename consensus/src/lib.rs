//! The commit rule: from events to one total order.
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

#[cfg(any(test, feature = "reference"))]
pub mod reference;
