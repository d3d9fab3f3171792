//! schnorrkel keys, signatures by role, several of them as one, and the beacon (VRF).
//!
//! A signature is made over `chain id + 32-byte digest` under the context of its [`Role`], so that
//! it is never valid in another role or on another chain.

use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::str::FromStr;

use rand_core::{CryptoRng, RngCore};
use schnorrkel::context::attach_rng;
use schnorrkel::vrf::{VRFPreOut, VRFProof};
use schnorrkel::{ExpansionMode, Keypair, MiniSecretKey, signing_context};
use zeroize::Zeroizing;

use crate::codec::{Decode, Encode};
use crate::digest::{Digest, from_hex, to_hex};
use crate::error::Error;
use crate::remembered::{self, About, Check};
use crate::units::{Epoch, Round};

mod aggregate;

pub use aggregate::Aggregate;

/// What a signature is for; each has a signing context of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An event's id (C4).
    Event,
    /// A transaction's id, by an owner of its inputs.
    Transaction,
    /// A block's consensus root (C29).
    Attestation,
    /// A peer's addresses and transport keys.
    PeerRecord,
    /// A wallet's login at its host.
    Login,
    /// A receipt for a third party.
    Receipt,
    /// A vote of stakeholders.
    Vote,
    /// A TLS handshake.
    Tls,
}

impl Role {
    /// The signing context.
    #[must_use]
    pub const fn context(self) -> &'static str {
        match self {
            Self::Event => "primus v1 event",
            Self::Transaction => "primus v1 transaction",
            Self::Attestation => "primus v1 attestation",
            Self::PeerRecord => "primus v1 peer record",
            Self::Login => "primus v1 login",
            Self::Receipt => "primus v1 receipt",
            Self::Vote => "primus v1 vote",
            Self::Tls => "primus v1 tls",
        }
    }
}

/// The bytes of a public key as they travel: 32 bytes, not yet known to be a point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// The key ready for verifying. Cost: one decompression, about 5 us.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] unless the bytes are a canonical point other than the identity.
    pub fn to_verifying(&self) -> Result<VerifyingKey, Error> {
        schnorrkel::PublicKey::from_bytes(&self.0)
            .ok()
            .filter(|_| self.0 != [0; 32])
            .map(VerifyingKey)
            .ok_or(Error::InvalidKey {
                key: Digest(self.0),
            })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Digest(self.0).fmt(f)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Digest(self.0), f)
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        from_hex(text).map(Self)
    }
}

/// A 64-byte schnorrkel signature, not yet verified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

/// A decompressed public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(schnorrkel::PublicKey);

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_public(), f)
    }
}

impl VerifyingKey {
    /// The key as it travels.
    #[must_use]
    pub fn to_public(&self) -> PublicKey {
        PublicKey(self.0.to_bytes())
    }

    /// Checks one signature. Cost: about 47 us.
    ///
    /// # Errors
    /// [`Error::InvalidSignature`] naming this key.
    pub fn verify(
        &self,
        role: Role,
        chain: &Digest,
        digest: &Digest,
        signature: &Signature,
    ) -> Result<(), Error> {
        let key = self.to_public();
        let check = || Check::of_digest((role, chain), key, digest, signature.0);
        if !remembered::holds(check) {
            schnorrkel::Signature::from_bytes(&signature.0)
                .and_then(|signature| self.0.verify(transcript(role, chain, digest), &signature))
                .map_err(|_| Error::InvalidSignature { key })?;
            remembered::note(check);
        }
        Ok(())
    }

    /// Checks the beacon value of (chain, epoch, round). Rule C17. Cost: about 100 us.
    #[must_use]
    pub fn verify_beacon(
        &self,
        chain: &Digest,
        epoch: Epoch,
        round: Round,
        beacon: &Beacon,
    ) -> bool {
        let check = || beacon.check(self.to_public(), chain, epoch, round);
        if remembered::holds(check) {
            return true;
        }
        let checked = VRFPreOut::from_bytes(&beacon.pre_output).and_then(|pre_output| {
            let proof = VRFProof::from_bytes(&beacon.proof)?;
            self.0
                .vrf_verify(beacon_transcript(chain, epoch, round), &pre_output, &proof)
        });
        if checked.is_ok() {
            remembered::note(check);
        }
        checked.is_ok()
    }
}

/// One signature to be checked among others.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// Whose signature it is.
    pub key: VerifyingKey,
    /// The digest that was signed.
    pub digest: Digest,
    /// The signature.
    pub signature: Signature,
}

/// Whether each of `claims` holds, with the same answer as [`VerifyingKey::verify`] on each.
///
/// Cost: about 20 us each when all hold; a false one costs a bisection.
#[must_use]
pub fn verify_batch(role: Role, chain: &Digest, claims: &[Claim]) -> Vec<bool> {
    let mut verdicts = Vec::with_capacity(claims.len());
    // A stack of ranges still to check instead of recursion; the top is the leftmost.
    let mut ranges = alloc::vec![claims];
    while let Some(range) = ranges.pop() {
        match range {
            [] => {}
            [claim] => {
                let checked = claim
                    .key
                    .verify(role, chain, &claim.digest, &claim.signature);
                verdicts.push(checked.is_ok());
            }
            _ if all_hold(role, chain, range) => verdicts.extend(range.iter().map(|_| true)),
            _ => {
                let (left, right) = range.split_at(range.len().div_euclid(2));
                ranges.push(right);
                ranges.push(left);
            }
        }
    }
    verdicts
}

fn all_hold(role: Role, chain: &Digest, claims: &[Claim]) -> bool {
    let check = |claim: &Claim| {
        let key = claim.key.to_public();
        Check::of_digest((role, chain), key, &claim.digest, claim.signature.0)
    };
    if claims
        .iter()
        .all(|claim| remembered::holds(|| check(claim)))
    {
        return true;
    }
    let signatures: Result<Vec<_>, _> = claims
        .iter()
        .map(|claim| schnorrkel::Signature::from_bytes(&claim.signature.0))
        .collect();
    let Ok(signatures) = signatures else {
        return false;
    };
    let keys: Vec<_> = claims.iter().map(|claim| claim.key.0).collect();
    let transcripts = claims
        .iter()
        .map(|claim| transcript(role, chain, &claim.digest));
    let all = schnorrkel::verify_batch_deterministic(transcripts, &signatures, &keys, false);
    if all.is_ok() {
        for claim in claims {
            remembered::note(|| check(claim));
        }
    }
    all.is_ok()
}

/// A root's VRF output and proof over (chain, epoch, round), C17.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub struct Beacon {
    /// The pre-output, unique for the key and the message.
    pub pre_output: [u8; 32],
    /// The proof that the pre-output is the key's.
    pub proof: [u8; 64],
}

impl Beacon {
    const fn check(&self, key: PublicKey, chain: &Digest, epoch: Epoch, round: Round) -> Check {
        Check {
            proof: self.proof,
            key,
            chain: *chain,
            about: About::Beacon(self.pre_output, epoch, round),
        }
    }
}

impl fmt::Debug for Beacon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Beacon({:?})", Digest(self.pre_output))
    }
}

/// Whoever holds a secret key: the node's own, a simulator's seeded one, later a process apart.
pub trait Signer {
    /// The public half.
    fn public(&self) -> PublicKey;
    /// Signs `digest` in `role` on `chain`.
    fn sign(&self, role: Role, chain: &Digest, digest: &Digest) -> Signature;
    /// The beacon value of (chain, epoch, round), C17.
    fn beacon(&self, chain: &Digest, epoch: Epoch, round: Round) -> Beacon;
}

/// A secret key in this process, with the randomness that its nonces are drawn from.
///
/// The secret is wiped from memory when dropped and never shown.
pub struct SecretKey<R> {
    pair: Keypair,
    // schnorrkel takes the generator by value behind a shared reference; one thread signs.
    randomness: RefCell<R>,
}

impl<R: RngCore + CryptoRng> SecretKey<R> {
    /// The key of a 32-byte seed; nonces mix in `randomness`.
    #[must_use]
    pub fn from_seed(seed: &Zeroizing<[u8; 32]>, randomness: R) -> Self {
        // 32 bytes are the only length there is, so the fallback never happens.
        let mini = MiniSecretKey::from_bytes(seed.as_slice())
            .unwrap_or_else(|_| MiniSecretKey::generate_with(ZeroRng));
        Self {
            pair: mini.expand_to_keypair(ExpansionMode::Uniform),
            randomness: RefCell::new(randomness),
        }
    }
}

impl<R> fmt::Debug for SecretKey<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SecretKey(of {:?})",
            PublicKey(self.pair.public.to_bytes())
        )
    }
}

impl<R: RngCore + CryptoRng> Signer for SecretKey<R> {
    fn public(&self) -> PublicKey {
        PublicKey(self.pair.public.to_bytes())
    }

    fn sign(&self, role: Role, chain: &Digest, digest: &Digest) -> Signature {
        let mut randomness = self.randomness.borrow_mut();
        let transcript = attach_rng(transcript(role, chain, digest), &mut *randomness);
        let signature = self.pair.sign(transcript).to_bytes();
        remembered::note(|| Check::of_digest((role, chain), self.public(), digest, signature));
        Signature(signature)
    }

    fn beacon(&self, chain: &Digest, epoch: Epoch, round: Round) -> Beacon {
        let mut randomness = self.randomness.borrow_mut();
        let extra = attach_rng(merlin::Transcript::new(b"VRF"), &mut *randomness);
        let (output, proof, _) = self
            .pair
            .vrf_sign_extra(beacon_transcript(chain, epoch, round), extra);
        let beacon = Beacon {
            pre_output: output.to_preout().to_bytes(),
            proof: proof.to_bytes(),
        };
        remembered::note(|| beacon.check(self.public(), chain, epoch, round));
        beacon
    }
}

/// Zeros for schnorrkel's impossible branch alone.
struct ZeroRng;

impl RngCore for ZeroRng {
    fn next_u32(&mut self) -> u32 {
        0
    }

    fn next_u64(&mut self) -> u64 {
        0
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for ZeroRng {}

fn transcript(role: Role, chain: &Digest, digest: &Digest) -> merlin::Transcript {
    let mut message = [0; 64];
    let (first, second) = message.split_at_mut(32);
    first.copy_from_slice(&chain.0);
    second.copy_from_slice(&digest.0);
    signing_context(role.context().as_bytes()).bytes(&message)
}

fn beacon_transcript(chain: &Digest, epoch: Epoch, round: Round) -> merlin::Transcript {
    let mut message = [0; 48];
    let (first, rest) = message.split_at_mut(32);
    let (second, third) = rest.split_at_mut(8);
    first.copy_from_slice(&chain.0);
    second.copy_from_slice(&epoch.get().to_le_bytes());
    third.copy_from_slice(&round.get().to_le_bytes());
    signing_context(b"primus v1 beacon").bytes(&message)
}

#[cfg(test)]
mod tests;
