//! Who is to blame when two blocks of one height are certified (C25, C29).

use alloc::vec::Vec;

use ledger::committee::Member;

use super::Trust;
use crate::error::Error;
use crate::reply::Snapshot;

impl Trust {
    /// The members that signed both of two blocks of one height: a third of the stake at least, for
    /// two quorums have so much in common, and nobody who follows the rules, for such a peer signs
    /// one root a height (C29). Two histories that conflict at any height do so at every later one of
    /// the epoch, and at its sealing block.
    ///
    /// # Errors
    /// As [`Trust::certify`] for a block that is not certified; [`Error::NoConflict`] for two of
    /// different heights or one block twice.
    pub fn culprits(&self, one: &Snapshot, other: &Snapshot) -> Result<Vec<Member>, Error> {
        let (a, b) = (self.certify(one)?, self.certify(other)?);
        // The genesis block is signed by nobody, and there is one.
        if a.height() != b.height() || a.root() == b.root() {
            let (one, other) = (a.height(), b.height());
            return Err(Error::NoConflict { one, other });
        }
        let members: Vec<_> = self.committee(a.header.epoch)?.members().copied().collect();
        let signers = one.certificate.signers(members.len())?;
        let both = other.certificate.signers(members.len())?;
        let both = both.iter().filter(|index| signers.contains(index));
        let culprits = both.filter_map(|index| members.get(index.position()));
        Ok(culprits.copied().collect())
    }
}

#[cfg(test)]
mod tests;
