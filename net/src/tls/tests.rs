use rustls::pki_types::CertificateDer;

use super::*;
use crate::harness::{chain, secret};

#[test]
fn a_wrapped_key_is_a_der_structure_of_61_bytes_that_ends_in_the_key() {
    let key = PublicKey([0xab; 32]);
    let wrapped = wrap(&key);
    assert_eq!(wrapped.len(), 61);
    // A sequence of all that follows; in it a sequence with an object identifier.
    assert_eq!(wrapped[..6], [0x30, 59, 0x30, 22, 0x06, 20]);
    // Then a bit string of 33 bytes: no unused bits, and the key.
    assert_eq!(wrapped[26..29], [0x03, 33, 0]);
    assert_eq!(wrapped[29..], key.0);
    assert_eq!(unwrap(&CertificateDer::from(wrapped)), Some(key));
}

#[test]
fn nothing_but_a_wrapped_key_is_one() {
    let wrapped = wrap(&PublicKey([0xab; 32]));
    for index in 0..KEY_PREFIX.len() {
        let mut changed = wrapped.clone();
        changed[index] ^= 1;
        assert_eq!(unwrap(&CertificateDer::from(changed)), None, "byte {index}");
    }
    for length in 0..wrapped.len() {
        assert_eq!(unwrap(&CertificateDer::from(&wrapped[..length])), None);
    }
    let longer = [wrapped.as_slice(), &[0]].concat();
    assert_eq!(unwrap(&CertificateDer::from(longer)), None);
}

#[test]
fn the_lasting_secret_outlives_a_restart_and_differs_by_key_and_chain() {
    let secret_of = |seed, chain| Identity::new(Box::new(secret(seed)), chain).lasting_secret();
    assert_eq!(secret_of(1, chain(1)), secret_of(1, chain(1)));
    assert_ne!(secret_of(1, chain(1)), secret_of(2, chain(1)));
    assert_ne!(secret_of(1, chain(1)), secret_of(1, chain(2)));
}

#[test]
fn an_identity_signs_under_our_scheme_alone() {
    let identity = Identity::new(Box::new(secret(1)), chain(1));
    assert!(
        identity
            .choose_scheme(&[SignatureScheme::ED25519])
            .is_none()
    );
    let offered = [SignatureScheme::ED25519, SCHEME];
    let signer = identity.choose_scheme(&offered).expect("our scheme");
    assert_eq!(signer.scheme(), SCHEME);
    assert_eq!(signer.sign(b"message").expect("a signature").len(), 64);
}
