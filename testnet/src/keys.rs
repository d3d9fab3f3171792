//! Keys that everyone can derive: for test networks alone, whose coin is worth nothing.

use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::SecretKey;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

/// A test key; what it signs depends on the key and the message alone.
pub type TestKey = SecretKey<ChaCha20Rng>;

/// The seed of the test key that `parts` name.
#[must_use]
pub fn test_seed(parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(derive(Domain::TestKey, parts).0)
}

/// The test key that `parts` name. Cost: about 20 us.
#[must_use]
pub fn test_key(parts: &[&[u8]]) -> TestKey {
    let seed = test_seed(parts);
    // The nonce is drawn from the secret and the message too, so a fixed generator repeats none.
    let randomness = ChaCha20Rng::from_seed(*seed);
    SecretKey::from_seed(&seed, randomness)
}
