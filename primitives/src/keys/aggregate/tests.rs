use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

use super::*;
use crate::keys::{SecretKey, Signer};

const CHAIN: Digest = Digest([1; 32]);
const ROLE: Role = Role::Attestation;
const DIGEST: Digest = Digest([9; 32]);

/// The signatures of the keys of these seeds on [`DIGEST`].
fn signed(seeds: impl IntoIterator<Item = u8>) -> Vec<(VerifyingKey, Signature)> {
    let sign = |seed| {
        let randomness = ChaCha20Rng::from_seed([seed; 32]);
        let key = SecretKey::from_seed(&Zeroizing::new([seed; 32]), randomness);
        let public = key.public().to_verifying().unwrap();
        (public, key.sign(ROLE, &CHAIN, &DIGEST))
    };
    seeds.into_iter().map(sign).collect()
}

fn keys(signed: &[(VerifyingKey, Signature)]) -> Vec<VerifyingKey> {
    signed.iter().map(|(key, _)| *key).collect()
}

fn aggregate(signed: &[(VerifyingKey, Signature)]) -> Aggregate {
    Aggregate::new(ROLE, &CHAIN, &DIGEST, signed).unwrap()
}

#[test]
fn true_signatures_of_any_number_of_keys_hold_together() {
    for count in 0..=20 {
        let signed = signed(0..count);
        let whole = aggregate(&signed);
        assert_eq!(whole.nonces.len(), signed.len());
        whole
            .verify(ROLE, &CHAIN, &DIGEST, &keys(&signed))
            .unwrap_or_else(|error| panic!("{count}: {error}"));
    }
}

#[test]
fn an_aggregate_holds_for_its_keys_in_order_role_chain_and_digest_alone() {
    let signed = signed(0..5);
    let (whole, mut keys) = (aggregate(&signed), keys(&signed));
    let refused = |role, chain, digest, keys: &[VerifyingKey]| {
        whole.verify(role, &chain, &digest, keys).is_err()
    };
    assert!(refused(Role::Event, CHAIN, DIGEST, &keys));
    assert!(refused(ROLE, Digest([2; 32]), DIGEST, &keys));
    assert!(refused(ROLE, CHAIN, Digest([8; 32]), &keys));
    assert!(refused(ROLE, CHAIN, DIGEST, &keys[..4]));
    keys.swap(1, 2);
    assert!(refused(ROLE, CHAIN, DIGEST, &keys));
}

#[test]
fn no_byte_of_an_aggregate_is_idle() {
    let signed = signed(0..3);
    let (whole, keys) = (aggregate(&signed), keys(&signed));
    let check = |changed: &Aggregate| changed.verify(ROLE, &CHAIN, &DIGEST, &keys).is_err();
    for position in 0..32 {
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed.sum.0[position] ^= 1 << bit;
            assert!(check(&changed), "sum, byte {position}, bit {bit}");
            let mut nonces = whole.nonces.to_vec();
            nonces[1].0[position] ^= 1 << bit;
            let nonces = List::new(nonces).unwrap();
            let changed = Aggregate {
                nonces,
                sum: whole.sum,
            };
            assert!(check(&changed), "nonce, byte {position}, bit {bit}");
        }
    }
}

#[test]
fn errors_that_cancel_in_a_plain_sum_are_refused() {
    // s_0 + d and s_1 - d: the unweighted sum of both is right.
    let mut signed = signed(0..4);
    let shift = |signature: &Signature, by: Scalar| {
        let (nonce, scalar) = split(signature).unwrap();
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&nonce.0);
        bytes[32..].copy_from_slice(&(scalar + by).to_bytes());
        bytes[63] |= 0x80;
        Signature(bytes)
    };
    signed[0].1 = shift(&signed[0].1, Scalar::from(7_u8));
    signed[1].1 = shift(&signed[1].1, -Scalar::from(7_u8));
    let verdict = aggregate(&signed).verify(ROLE, &CHAIN, &DIGEST, &keys(&signed));
    assert_eq!(verdict, Err(Error::InvalidAggregate { keys: 4 }));
}

#[test]
fn what_is_no_signature_cannot_be_aggregated() {
    let mut signed = signed(0..2);
    signed[1].1.0[63] &= 0x7f;
    let key = signed[1].0.to_public();
    let refused = Aggregate::new(ROLE, &CHAIN, &DIGEST, &signed);
    assert_eq!(refused, Err(Error::InvalidSignature { key }));
}

#[test]
fn an_aggregate_keeps_its_bytes() {
    let whole = aggregate(&signed(0..3));
    let bytes: Vec<_> = whole.nonces.iter().flat_map(|nonce| nonce.0).collect();
    let digest = derive(Domain::Audit, &[&bytes, &whole.sum.0]);
    let golden = "8ba2d7fba648ec9370adc78c44bba4d9c6e4a5bafa1131649c54837994d53edc";
    assert_eq!(digest.to_string(), golden);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against single verification: the whole holds exactly if every member does.
    #[test]
    fn the_whole_holds_exactly_if_each_member_does(
        count in 1_u8..12,
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..5_u8), 0..3),
    ) {
        let mut signed = signed(0..count);
        for (which, kind) in damage {
            let at = which.index(signed.len());
            let other = (at + 1) % signed.len();
            match kind {
                0 => {}
                1 => signed[at].1 = signed[other].1,
                2 => signed[at].0 = signed[other].0,
                3 => signed[at].1.0[40] ^= 1,
                _ => signed[at].1.0[5] ^= 1,
            }
        }
        let single = signed
            .iter()
            .all(|(key, signature)| key.verify(ROLE, &CHAIN, &DIGEST, signature).is_ok());
        let whole = Aggregate::new(ROLE, &CHAIN, &DIGEST, &signed)
            .and_then(|whole| whole.verify(ROLE, &CHAIN, &DIGEST, &keys(&signed)));
        prop_assert_eq!(whole.is_ok(), single);
    }
}
