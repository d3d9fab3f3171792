use super::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn key(seed: u8) -> SecretKey<ChaCha20Rng> {
    SecretKey::from_seed(
        &Zeroizing::new([seed; 32]),
        ChaCha20Rng::from_seed([seed; 32]),
    )
}

const CHAIN: Digest = Digest([1; 32]);

#[test]
fn a_signature_holds_for_its_role_chain_digest_and_key_alone() {
    let (mine, other) = (key(1), key(2));
    let digest = Digest([9; 32]);
    let signature = mine.sign(Role::Event, &CHAIN, &digest);
    let verify = |key: &SecretKey<_>, role, chain: &Digest, digest: &Digest| {
        key.public()
            .to_verifying()
            .unwrap()
            .verify(role, chain, digest, &signature)
    };
    assert_eq!(verify(&mine, Role::Event, &CHAIN, &digest), Ok(()));
    assert!(verify(&other, Role::Event, &CHAIN, &digest).is_err());
    assert!(verify(&mine, Role::Attestation, &CHAIN, &digest).is_err());
    assert!(verify(&mine, Role::Event, &Digest([2; 32]), &digest).is_err());
    assert!(verify(&mine, Role::Event, &CHAIN, &Digest([8; 32])).is_err());
}

#[test]
fn a_batch_names_exactly_the_false_claims() {
    let mut claims: Vec<Claim> = (0..9)
        .map(|index| {
            let (key, digest) = (key(index), Digest([index; 32]));
            let signature = key.sign(Role::Transaction, &CHAIN, &digest);
            Claim {
                key: key.public().to_verifying().unwrap(),
                digest,
                signature,
            }
        })
        .collect();
    assert_eq!(
        verify_batch(Role::Transaction, &CHAIN, &claims),
        vec![true; 9]
    );
    claims[3].digest = Digest([77; 32]);
    claims[8].signature.0[63] ^= 0x80;
    let verdicts = verify_batch(Role::Transaction, &CHAIN, &claims);
    let false_ones: Vec<_> = (0..9).filter(|index| !verdicts[*index]).collect();
    assert_eq!(false_ones, [3, 8]);
    assert!(verify_batch(Role::Transaction, &CHAIN, &[]).is_empty());
}

#[test]
fn a_beacon_is_unique_for_key_chain_epoch_and_round() {
    let mine = key(1);
    let public = mine.public().to_verifying().unwrap();
    let (epoch, round) = (Epoch::new(2), Round::new(3));
    let beacon = mine.beacon(&CHAIN, epoch, round);
    let again = mine.beacon(&CHAIN, epoch, round);
    assert_eq!(beacon.pre_output, again.pre_output);
    assert!(public.verify_beacon(&CHAIN, epoch, round, &beacon));
    assert!(!public.verify_beacon(&CHAIN, epoch, Round::new(4), &beacon));
    assert!(!public.verify_beacon(&Digest::ZERO, epoch, round, &beacon));
    assert!(
        !key(2)
            .public()
            .to_verifying()
            .unwrap()
            .verify_beacon(&CHAIN, epoch, round, &beacon)
    );
    let forged = Beacon {
        pre_output: key(2).beacon(&CHAIN, epoch, round).pre_output,
        ..beacon
    };
    assert!(!public.verify_beacon(&CHAIN, epoch, round, &forged));
}

#[test]
fn the_identity_and_non_points_are_no_keys() {
    for bytes in [[0; 32], [0xff; 32]] {
        assert!(matches!(
            PublicKey(bytes).to_verifying(),
            Err(Error::InvalidKey { .. })
        ));
    }
}

#[test]
fn the_public_key_of_a_seed_is_golden() {
    let public = key(1).public();
    assert_eq!(public, key(1).public());
    assert_ne!(public, key(2).public());
}
