//! The wallet's key in memory.

use primitives::keys::SecretKey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::home::Seed;

/// A new seed from the system's randomness.
///
/// # Errors
/// [`Error::NoRandomness`].
pub fn new_seed() -> Result<Seed, Error> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::getrandom(seed.as_mut_slice()).map_err(|_| Error::NoRandomness)?;
    Ok(seed)
}

/// The key of `seed`, whose nonces mix in the system's randomness.
///
/// # Errors
/// [`Error::NoRandomness`].
pub fn secret_key(seed: &Seed) -> Result<SecretKey<ChaCha20Rng>, Error> {
    let randomness = ChaCha20Rng::from_seed(*new_seed()?);
    Ok(SecretKey::from_seed(seed, randomness))
}
