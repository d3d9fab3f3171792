//! Signatures of several keys on one digest at 32 bytes each and 32 together: half-aggregation.
//!
//! A signature of key P_i is (R_i, s_i) with `s_i G = R_i + c_i P_i`, where c_i is schnorrkel's
//! challenge over role, chain, digest, P_i and R_i. The aggregate is (R_1, .., R_n, s):
//!
//! ```text
//!   t   = derive("primus v1 aggregate", chain + digest + n u32 + P_1 + R_1 + .. + P_n + R_n + role)
//!   z_i = derive("primus v1 aggregate weight", t + i u32) mod l,   i from 0
//!   s   = z_0 s_0 + .. ,   holds if   s G = sum of z_i (R_i + c_i P_i)
//! ```
//!
//! Source: Chalkias, Garillot, Kondi, Nikolaenko, "Non-interactive half-aggregation of EdDSA and
//! variants of Schnorr signatures", 2021; why it is sound: docs/adr/010-half-aggregation.md.

use alloc::vec::Vec;

use curve25519_dalek::RistrettoPoint;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use schnorrkel::context::SigningTranscript;

use super::{Role, Signature, VerifyingKey, transcript};
use crate::codec::{Decode, Encode, List};
use crate::digest::{Digest, derive};
use crate::domain::Domain;
use crate::error::Error;
use crate::limits;

/// Signatures of several keys on one digest, each of which holds if the whole does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub struct Aggregate {
    /// One nonce point R a signature, in the order of the keys.
    pub nonces: List<Digest, { limits::PEERS_MAX }>,
    /// The weighted sum of what the signatures say about their nonces; zero if there are none.
    pub sum: Digest,
}

impl Aggregate {
    /// The aggregate of signatures that each hold. Cost: about 2 us a signature.
    ///
    /// # Errors
    /// [`Error::InvalidSignature`] for the first that is none; [`Error::TooMany`].
    pub fn new(
        role: Role,
        chain: &Digest,
        digest: &Digest,
        signatures: &[(VerifyingKey, Signature)],
    ) -> Result<Self, Error> {
        let parts = signatures.iter().map(|(key, signature)| {
            let invalid = Error::InvalidSignature {
                key: key.to_public(),
            };
            split(signature).ok_or(invalid)
        });
        let parts: Vec<(Digest, Scalar)> = parts.collect::<Result<_, _>>()?;
        let keys: Vec<_> = signatures.iter().map(|(key, _)| *key).collect();
        let nonces: Vec<_> = parts.iter().map(|(nonce, _)| *nonce).collect();
        let weights = weights(role, chain, digest, &keys, &nonces);
        let sum = weights.zip(&parts).map(|(weight, (_, s))| mul(&weight, s));
        Ok(Self {
            sum: Digest(sum.sum::<Scalar>().to_bytes()),
            nonces: List::new(nonces)?,
        })
    }

    /// Checks that each of `keys` signed `digest`. Cost: about 20 us a key.
    ///
    /// # Errors
    /// [`Error::InvalidAggregate`]: which of them did not cannot be told.
    pub fn verify(
        &self,
        role: Role,
        chain: &Digest,
        digest: &Digest,
        keys: &[VerifyingKey],
    ) -> Result<(), Error> {
        let invalid = Error::InvalidAggregate { keys: keys.len() };
        if self.holds(role, chain, digest, keys).unwrap_or(false) {
            return Ok(());
        }
        Err(invalid)
    }

    fn holds(
        &self,
        role: Role,
        chain: &Digest,
        digest: &Digest,
        keys: &[VerifyingKey],
    ) -> Option<bool> {
        let sum = Option::<Scalar>::from(Scalar::from_canonical_bytes(self.sum.0))?;
        if keys.len() != self.nonces.len() {
            return None;
        }
        let weights: Vec<_> = weights(role, chain, digest, keys, &self.nonces).collect();
        let challenged = keys.iter().zip(self.nonces.iter()).zip(&weights);
        let challenged = challenged
            .map(|((key, nonce), weight)| mul(weight, &challenge(role, chain, digest, key, nonce)));
        let minus_sum = mul(&sum, &-Scalar::ONE);
        let scalars = core::iter::once(minus_sum).chain(weights.iter().copied());
        let nonces = self.nonces.iter().map(|nonce| point(nonce).decompress());
        let points = core::iter::once(Some(RISTRETTO_BASEPOINT_POINT)).chain(nonces);
        let points = points.chain(keys.iter().map(|key| Some(*key.0.as_point())));
        let zero = RistrettoPoint::optional_multiscalar_mul(scalars.chain(challenged), points)?;
        Some(zero.is_identity())
    }
}

/// The nonce and the scalar of a signature, whose last bit marks it as schnorrkel's.
fn split(signature: &Signature) -> Option<(Digest, Scalar)> {
    // Refuses all that schnorrkel would.
    let bytes = schnorrkel::Signature::from_bytes(&signature.0)
        .ok()?
        .to_bytes();
    let (nonce, scalar) = bytes.split_first_chunk::<32>()?;
    let mut scalar = <[u8; 32]>::try_from(scalar).ok()?;
    let last = scalar.last_mut()?;
    *last &= 0x7f;
    let scalar = Option::from(Scalar::from_canonical_bytes(scalar))?;
    Some((Digest(*nonce), scalar))
}

/// A weight for each key that depends on all that is signed and by whom.
fn weights<'a>(
    role: Role,
    chain: &Digest,
    digest: &Digest,
    keys: &'a [VerifyingKey],
    nonces: &[Digest],
) -> impl Iterator<Item = Scalar> + use<'a> {
    let count = u32::try_from(keys.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut pairs = Vec::with_capacity(keys.len().saturating_mul(64));
    for (key, nonce) in keys.iter().zip(nonces) {
        pairs.extend_from_slice(&key.0.to_bytes());
        pairs.extend_from_slice(&nonce.0);
    }
    let role = role.context().as_bytes();
    let all = derive(
        Domain::Aggregate,
        &[&chain.0, &digest.0, &count, &pairs, role],
    );
    (0_u32..).zip(keys).map(move |(index, _)| {
        let weight = derive(Domain::AggregateWeight, &[&all.0, &index.to_le_bytes()]);
        // l is just above 2^252, so 256 bits are all but uniform.
        Scalar::from_bytes_mod_order(weight.0)
    })
}

/// What schnorrkel derives from a signature's context, key and nonce.
fn challenge(
    role: Role,
    chain: &Digest,
    digest: &Digest,
    key: &VerifyingKey,
    nonce: &Digest,
) -> Scalar {
    let mut transcript = transcript(role, chain, digest);
    transcript.proto_name(b"Schnorr-sig");
    transcript.commit_point(b"sign:pk", key.0.as_compressed());
    transcript.commit_point(b"sign:R", &point(nonce));
    transcript.challenge_scalar(b"sign:c")
}

const fn point(digest: &Digest) -> CompressedRistretto {
    CompressedRistretto(digest.0)
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "scalars form a field: nothing overflows"
)]
fn mul(a: &Scalar, b: &Scalar) -> Scalar {
    a * b
}

#[cfg(test)]
mod tests;
