use primitives::codec::List;
use primitives::units::PeerIndex;

use super::*;
use crate::test_chain::{TestChain, genesis};

fn chain() -> (TestChain, Trust) {
    let mut chain = TestChain::new(genesis(50, &[100]));
    chain.settle(&[]);
    let trust = Trust::new(&chain.genesis).unwrap();
    (chain, trust)
}

#[test]
fn a_certificate_needs_strictly_more_than_two_thirds_of_the_stake() {
    let (chain, trust) = chain();
    let header = *chain.ledger.header();
    let stakes: Vec<_> = chain
        .committee(Epoch::ZERO)
        .iter()
        .map(|member| member.stake.get())
        .collect();
    assert_eq!(stakes.iter().sum::<u64>(), 13);
    for signers in [
        &[][..],
        &[0],
        &[0, 1],
        &[2, 3],
        &[0, 1, 2],
        &[1, 2, 3],
        &[0, 1, 2, 3],
    ] {
        let stake: u64 = signers.iter().map(|signer: &usize| stakes[*signer]).sum();
        let verdict = trust.certify(&chain.certify(header, signers));
        assert_eq!(
            verdict.is_ok(),
            3 * stake > 2 * 13,
            "{signers:?} with {stake}"
        );
        if let Ok(certified) = verdict {
            assert_eq!(certified.percent(), stake * 100 / 13);
        }
    }
}

#[test]
fn signers_stand_in_order_each_once_and_belong_to_the_committee() {
    let (chain, trust) = chain();
    let honest = chain.snapshots[1].clone();
    let refuse = |signatures: Vec<_>| {
        let mut snapshot = honest.clone();
        snapshot.certificate.signatures = List::new(signatures).unwrap();
        trust.certify(&snapshot).unwrap_err()
    };
    let signatures = honest.certificate.signatures.to_vec();
    let mut turned = signatures.clone();
    turned.swap(0, 1);
    assert!(matches!(refuse(turned), Error::SignerOrder { .. }));
    let mut twice = signatures.clone();
    twice.insert(0, signatures[0]);
    assert!(matches!(refuse(twice), Error::SignerOrder { .. }));
    let mut stranger = signatures;
    stranger[3].0 = PeerIndex(4);
    assert!(matches!(
        refuse(stranger),
        Error::UnknownSigner { size: 4, .. }
    ));
}

#[test]
fn one_false_signature_among_more_than_a_quorum_is_named() {
    let (chain, trust) = chain();
    let mut snapshot = chain.snapshots[1].clone();
    let mut signatures = snapshot.certificate.signatures.to_vec();
    signatures[1].1 = signatures[0].1;
    snapshot.certificate.signatures = List::new(signatures).unwrap();
    let key = chain.committee(Epoch::ZERO)[1].peer_key;
    let refused = trust.certify(&snapshot).unwrap_err();
    assert_eq!(refused, Error::Signature { position: 1, key });
    assert_eq!(refused.culprit(), Some(&key));
}

#[test]
fn the_genesis_block_takes_no_signatures_and_another_committee_is_named() {
    let (chain, trust) = chain();
    let mut first = chain.snapshots[0].clone();
    first.certificate.signatures = chain.snapshots[1].certificate.signatures.clone();
    assert!(matches!(
        trust.certify(&first),
        Err(Error::UnknownSigner { .. })
    ));
    let mut header = *chain.ledger.header();
    header.committee = Digest::ZERO;
    let refused = trust
        .certify(&chain.certify(header, &[0, 1, 2, 3]))
        .unwrap_err();
    assert!(refused.to_string().starts_with("committee: "), "{refused}");
    let mut epoch = chain.snapshots[1].clone();
    epoch.certificate.epoch = Epoch::new(1);
    assert!(matches!(
        trust.certify(&epoch),
        Err(Error::OtherEpoch { .. })
    ));
}

#[test]
fn a_block_that_seals_nothing_hands_over_to_nobody() {
    let (chain, mut trust) = chain();
    let handover = Handover {
        sealing: chain.snapshots[1].clone(),
        members: Members {
            version: 1,
            members: List::new(chain.committee(Epoch::ZERO)).unwrap(),
        },
    };
    assert!(matches!(
        trust.follow(&handover),
        Err(Error::NotSealing { .. })
    ));
    assert_eq!(trust.epoch(), Epoch::ZERO);
}
