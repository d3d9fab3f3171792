//! Signatures that hold, remembered, so that a simulator in which every peer makes the same check pays
//! for it once.
//!
//! They are there only with feature `remembering`, which `primus-testnet` alone can turn on and no node
//! is built with; without it nothing is remembered and nothing of this is left. With it a thread
//! remembers only inside `within`: what it has checked with success, and what it has signed.

use crate::digest::Digest;
use crate::keys::{PublicKey, Role};
use crate::units::{Epoch, Round};

/// What was signed and by whom: equal checks have equal verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Check {
    /// The signature, or the proof of a beacon value.
    pub(crate) proof: [u8; 64],
    /// Whose it is.
    pub(crate) key: PublicKey,
    /// The chain.
    pub(crate) chain: Digest,
    /// What it is about.
    pub(crate) about: About,
}

/// What a signature or proof is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    /// A digest signed in the context of a role.
    Digest(&'static str, Digest),
    /// The beacon value of a round, by its pre-output.
    Beacon([u8; 32], Epoch, Round),
}

impl Check {
    pub(crate) const fn of_digest(
        (role, chain): (Role, &Digest),
        key: PublicKey,
        digest: &Digest,
        proof: [u8; 64],
    ) -> Self {
        let about = About::Digest(role.context(), *digest);
        let chain = *chain;
        Self {
            proof,
            key,
            chain,
            about,
        }
    }
}

#[cfg(not(feature = "remembering"))]
mod memory {
    use super::Check;

    /// Nothing is remembered.
    #[inline(always)]
    pub(crate) fn holds(_: impl FnOnce() -> Check) -> bool {
        false
    }

    /// Nothing is remembered.
    #[inline(always)]
    pub(crate) fn note(_: impl FnOnce() -> Check) {}
}

#[cfg(feature = "remembering")]
mod memory {
    extern crate std;

    use alloc::collections::BTreeSet;
    use core::cell::RefCell;

    use super::Check;

    std::thread_local! {
        /// None outside of `within`.
        static KNOWN: RefCell<Option<BTreeSet<Check>>> = const { RefCell::new(None) };
    }

    /// Lets this thread remember while `run` runs, and forget all of it afterwards.
    pub fn within<T>(run: impl FnOnce() -> T) -> T {
        /// Forgets also where `run` panics.
        struct Forget;
        impl Drop for Forget {
            fn drop(&mut self) {
                KNOWN.set(None);
            }
        }
        let _forget = Forget;
        KNOWN.set(Some(BTreeSet::new()));
        run()
    }

    /// Whether it is known to hold.
    pub(crate) fn holds(check: impl FnOnce() -> Check) -> bool {
        KNOWN.with_borrow(|known| known.as_ref().is_some_and(|known| known.contains(&check())))
    }

    /// Remembers that it holds.
    pub(crate) fn note(check: impl FnOnce() -> Check) {
        KNOWN.with_borrow_mut(|known| known.as_mut().map(|known| known.insert(check())));
    }
}

#[cfg(feature = "remembering")]
pub use memory::within;
pub(crate) use memory::{holds, note};
