//! Certificates: a quorum's attestations of one block, in half the bytes of its signatures (C29).

use alloc::vec::Vec;

use primitives::codec::{Bytes, Decode, Encode};
use primitives::keys::{Aggregate, Role, Signature, VerifyingKey};
use primitives::units::{Epoch, Height, PeerIndex};
use primitives::{Digest, limits};

use crate::error::Error;

/// Bytes of the largest bitmap over a committee.
pub const BITMAP_BYTES_MAX: usize = limits::PEERS_MAX.div_ceil(8);

/// Attestations of one block by members of its committee.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
pub struct Certificate {
    /// The epoch whose committee signs.
    pub epoch: Epoch,
    /// One bit a member, by ascending index from the lowest bit of the first byte; the bits above
    /// the last member are zero. No byte in the certificate of the genesis block.
    pub signers: Bytes<BITMAP_BYTES_MAX>,
    /// Their signatures by ascending index; every one must hold, so that no byte is idle.
    pub aggregate: Aggregate,
}

impl Certificate {
    /// What stands in for a certificate at the genesis block, and until there is one.
    #[must_use]
    pub fn empty(epoch: Epoch) -> Self {
        Self {
            epoch,
            signers: Bytes::default(),
            aggregate: Aggregate::default(),
        }
    }

    /// The certificate of these signatures on `digest`, which hold, by ascending index below `size`.
    ///
    /// # Errors
    /// [`Error::UnknownSigner`] beyond `size`; [`Error::Encoding`] for more than a committee has.
    pub fn new(
        epoch: Epoch,
        size: usize,
        chain: &Digest,
        digest: &Digest,
        signatures: &[(PeerIndex, VerifyingKey, Signature)],
    ) -> Result<Self, Error> {
        let mut signers = alloc::vec![0_u8; size.div_ceil(8)];
        for (index, ..) in signatures {
            let (byte, bit) = place(index.position());
            let unknown = Error::UnknownSigner {
                index: *index,
                size,
            };
            *signers.get_mut(byte).ok_or(unknown)? |= bit;
        }
        let signed: Vec<_> = signatures
            .iter()
            .map(|(_, key, signature)| (*key, *signature))
            .collect();
        Ok(Self {
            epoch,
            signers: Bytes::new(signers)?,
            aggregate: Aggregate::new(Role::Attestation, chain, digest, &signed)?,
        })
    }

    /// The indices of the signers in a committee of `size`, ascending.
    ///
    /// # Errors
    /// [`Error::Bitmap`] unless there is one bit a member and no other.
    pub fn signers(&self, size: usize) -> Result<Vec<PeerIndex>, Error> {
        let bits = self.signers.len().saturating_mul(8);
        let holds = |position: &usize| {
            let (byte, bit) = place(*position);
            self.signers.get(byte).is_some_and(|byte| byte & bit != 0)
        };
        let wrong = Error::Bitmap {
            found: self.signers.len(),
            size,
        };
        if self.signers.len() != size.div_ceil(8) || (size..bits).any(|bit| holds(&bit)) {
            return Err(wrong);
        }
        let index = |position| u16::try_from(position).map(PeerIndex);
        let signers = (0..size).filter(holds).map(index);
        signers.collect::<Result<_, _>>().map_err(|_| wrong)
    }
}

/// What an attestation signs: (epoch, height, consensus root), C29.
#[must_use]
pub fn attestation_digest(epoch: Epoch, height: Height, root: &Digest) -> Digest {
    let (epoch, height) = (epoch.get().to_le_bytes(), height.get().to_le_bytes());
    let domain = primitives::domain::Domain::Attestation;
    primitives::digest::derive(domain, &[&epoch, &height, &root.0])
}

/// The byte and the bit within it that stand for a member.
fn place(position: usize) -> (usize, u8) {
    let bit = u32::try_from(position.rem_euclid(8)).unwrap_or(0);
    (position.div_euclid(8), 1_u8.unbounded_shl(bit))
}

#[cfg(test)]
mod tests;
