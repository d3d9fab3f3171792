use ledger::committee::committee_digest;
use ledger::subject::Subject;
use primitives::codec::{Bytes, List};
use primitives::keys::{PublicKey, Role, Signer};
use primitives::units::PeerIndex;

use super::*;
use crate::check;
use crate::reply::Body;
use crate::request::{Page, Request};
use crate::test_chain::{TestChain, genesis, genesis_of_eight, public, secret};

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
fn a_signer_more_or_another_one_than_signed_is_refused() {
    let (chain, trust) = chain();
    let header = *chain.ledger.header();
    let three = chain.certify(header, &[0, 1, 2]);
    let refuse = |bits: &[u8]| {
        let mut snapshot = three.clone();
        snapshot.certificate.signers = Bytes::new(bits.to_vec()).unwrap();
        trust.certify(&snapshot).unwrap_err()
    };
    assert!(trust.certify(&three).is_ok());
    assert_eq!(refuse(&[0b1111]), Error::Signatures { signers: 4 });
    assert_eq!(refuse(&[0b1101]), Error::Signatures { signers: 3 });
    for bits in [&[][..], &[0b1_0111], &[0b1000_0111], &[0b0111, 0]] {
        let (found, size) = (bits.len(), 4);
        assert_eq!(refuse(bits), Error::Bitmap { found, size }, "{bits:?}");
    }
}

#[test]
fn one_false_signature_among_more_than_a_quorum_is_refused() {
    let (chain, trust) = chain();
    let header = *chain.ledger.header();
    let digest = attestation_digest(header.epoch, header.height, &header.root().unwrap());
    let members = chain.committee(Epoch::ZERO);
    for liar in 0..4 {
        let sign = |index: usize| {
            let secret = (11..=14).map(secret).find(|secret| {
                let wanted = if index == liar {
                    (index + 1) % 4
                } else {
                    index
                };
                secret.public() == members[wanted].event_key
            });
            let signature = secret
                .unwrap()
                .sign(Role::Attestation, trust.chain(), &digest);
            let key = members[index].event_key.to_verifying().unwrap();
            (PeerIndex(u16::try_from(index).unwrap()), key, signature)
        };
        let signed: Vec<_> = (0..4).map(sign).collect();
        let certificate = Certificate::new(header.epoch, 4, trust.chain(), &digest, &signed);
        let snapshot = Snapshot {
            header,
            certificate: certificate.unwrap(),
        };
        let refused = trust.certify(&snapshot);
        assert_eq!(refused, Err(Error::Signatures { signers: 4 }), "{liar}");
    }
}

#[test]
fn the_genesis_block_takes_no_signatures_and_another_committee_is_named() {
    let (chain, trust) = chain();
    let mut first = chain.snapshots[0].clone();
    first.certificate = chain.snapshots[1].certificate.clone();
    assert_eq!(trust.certify(&first), Err(Error::SignedGenesis));
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

const OWNER: u8 = 50;

/// A chain over five changes of epoch, in each of which two of four members leave, and a payment of
/// the owner in the first block.
fn long_chain() -> (TestChain, Digest) {
    let mut chain = TestChain::new(genesis_of_eight(OWNER, &[100, 50]));
    let coins = chain.coins(OWNER);
    let payment = chain.payment(OWNER, &coins[..1], public(51), 30);
    chain.settle(std::slice::from_ref(&payment));
    let id = chain.id(&payment);
    chain.settle(&[]);
    chain.settle(&[]);
    chain.turn_over(Epoch::new(5));
    (chain, id)
}

fn peers(members: &[Member]) -> Vec<PublicKey> {
    members.iter().map(|member| member.peer_key).collect()
}

#[test]
fn a_wallet_with_an_old_root_moves_over_five_epochs_and_proves_its_outputs_there() {
    let (chain, payment) = long_chain();
    // All the wallet has kept: the genesis and the certified root of block 2.
    let mut trust = Trust::new(&chain.genesis).unwrap();
    let old = trust.certify(&chain.snapshots[2]).unwrap();
    let answer = chain.answer(&Request::Consistency { old: old.height() });
    let answer = answer.unwrap();
    assert!(check::consistency(old.height(), old.root(), &answer, &trust).is_err());
    trust
        .follow_all(&chain.handovers(Epoch::ZERO, Epoch::new(5)))
        .unwrap();
    let moved = check::consistency(old.height(), old.root(), &answer, &trust).unwrap();
    assert_eq!(moved.header().epoch, Epoch::new(5));
    let (first, last) = (chain.committee(Epoch::ZERO), trust.members());
    assert_eq!(first.len(), 4);
    let first = peers(&first);
    assert!(
        peers(&chain.committee(Epoch::new(3)))
            .iter()
            .all(|peer| !first.contains(peer))
    );
    assert_eq!(last, chain.committee(Epoch::new(5)));

    for (index, amount) in [(0, 30), (1, 69)] {
        let outpoint = ledger::tx::Outpoint {
            transaction: payment,
            index,
        };
        let answer = chain.answer(&Request::Output { outpoint }).unwrap();
        let output = check::output(&outpoint, &answer, &trust).unwrap();
        assert_eq!(output.created.output.amount.get(), amount);
        assert_eq!(output.as_of, moved);
    }
    let (key, page) = (public(OWNER), Page::All);
    let answer = chain
        .answer(&Request::History {
            of: Subject::Key(key),
            page,
        })
        .unwrap();
    let history = check::history(&Subject::Key(key), page, &answer, &trust).unwrap();
    assert_eq!(history.entries.len(), 2);
}

#[test]
fn a_committee_that_left_two_epochs_ago_certifies_nothing_any_more() {
    let (chain, _) = long_chain();
    let mut trust = Trust::new(&chain.genesis).unwrap();
    let handovers = chain.handovers(Epoch::ZERO, Epoch::new(5));
    trust.follow_all(&handovers[..3]).unwrap();

    // The members of epoch 1 sign a block of epoch 3 in their own name, and in the committee's.
    let left = chain.committee(Epoch::new(1));
    let honest = chain.snapshots[12].header;
    assert_eq!(honest.epoch, Epoch::new(3));
    let mut header = honest;
    header.state = Digest([66; 32]);
    header.committee = committee_digest(&left).unwrap();
    let forged = chain.certify_by(header, &left);
    let refused = trust.certify(&forged).unwrap_err();
    assert!(refused.to_string().starts_with("committee: "), "{refused}");
    header.committee = honest.committee;
    let refused = trust.certify(&chain.certify_by(header, &left)).unwrap_err();
    assert_eq!(refused, Error::Signatures { signers: 4 });

    // They seal epoch 1 again, for a committee of their own: it is not the newest known.
    let mut sealing = handovers[1].sealing.header;
    sealing.next_committee = Some(committee_digest(&left).unwrap());
    let mut again = handovers[1].clone();
    again.members.members = List::new(left.clone()).unwrap();
    again.sealing = chain.certify_by(sealing, &left);
    let refused = trust.follow(&again).unwrap_err();
    let (found, wanted) = (Epoch::new(1), Epoch::new(3));
    assert_eq!(refused, Error::OtherEpoch { found, wanted });

    // A wallet that saw block 8 of epoch 2 refuses any past without it, whoever signs.
    let seen = chain.snapshots[8].header;
    let answer = chain.answer(&Request::Consistency { old: seen.height });
    let mut answer = answer.unwrap();
    trust.follow_all(&handovers[3..]).unwrap();
    assert!(check::consistency(seen.height, &Digest([66; 32]), &answer, &trust).is_err());
    let Body::Consistency(crate::reply::BlockProof::Ancestor { header, .. }) = &mut answer.body
    else {
        panic!("{:?}", answer.body)
    };
    header.state = Digest([66; 32]);
    assert!(check::consistency(seen.height, &seen.root().unwrap(), &answer, &trust).is_err());
}

#[test]
fn only_the_age_of_a_head_tells_a_chain_forged_by_keys_that_left() {
    // A quorum of epoch 1 forges another epoch 1 for a wallet that knows no later one: every
    // signature holds, so what protects is not to follow a stale head through one host.
    let (chain, _) = long_chain();
    let mut trust = Trust::new(&chain.genesis).unwrap();
    trust
        .follow_all(&chain.handovers(Epoch::ZERO, Epoch::new(1)))
        .unwrap();
    let left = chain.committee(Epoch::new(1));
    let mut header = chain.snapshots[6].header;
    header.state = Digest([66; 32]);
    assert!(trust.certify(&chain.certify_by(header, &left)).is_ok());

    let seen = chain.snapshots[5].header.time;
    let at = |ms| Time::new(seen.get() + ms);
    assert!(!is_stale(seen, at(TRUST_PERIOD_MS), TRUST_PERIOD_MS));
    assert!(is_stale(seen, at(TRUST_PERIOD_MS + 1), TRUST_PERIOD_MS));
    assert!(!is_stale(at(1), seen, 0), "a clock that lags");
}

#[test]
fn a_checkpoint_with_its_committee_is_as_good_as_the_genesis() {
    let (chain, _) = long_chain();
    let at = chain.snapshots[9].header;
    let start = Start {
        height: at.height,
        root: at.root().unwrap(),
        epoch: at.epoch,
    };
    let members = chain.committee(at.epoch);
    let checkpoint = || Trust::from_checkpoint(chain.ledger.chain(), start, &members).unwrap();
    let mut trust = checkpoint();
    trust
        .follow_all(&chain.handovers(Epoch::ZERO, Epoch::new(5)))
        .unwrap();
    assert_eq!(trust.epoch(), Epoch::new(5));
    let newest = chain.snapshots.last().unwrap();
    assert!(trust.certify(newest).is_ok());
    assert!(trust.certify(&chain.snapshots[9]).is_ok());
    let (found, start) = (Height::new(8), at.height);
    let refused = trust.certify(&chain.snapshots[8]);
    assert_eq!(refused, Err(Error::BeforeStart { found, start }));

    // Another block at its height, though its committee signed it, is not the checkpoint.
    let mut other = at;
    other.state = Digest::ZERO;
    let refused = checkpoint().certify(&chain.certify_by(other, &members));
    assert!(matches!(refused, Err(Error::Other { .. })), "{refused:?}");
}

#[test]
fn a_policy_may_ask_for_more_than_a_quorum() {
    let (chain, trust) = chain();
    let header = *chain.ledger.header();
    // Three of the four have 9 or 10 of 13.
    let three = chain.certify(header, &[1, 2, 3]);
    let found = trust.certify(&three).unwrap().percent();
    let strict = |percent| trust.clone().with_percent_min(percent).certify(&three);
    assert!(strict(found).is_ok());
    let wanted = found + 1;
    assert_eq!(strict(wanted), Err(Error::BelowPolicy { found, wanted }));
    let all = trust.with_percent_min(100);
    assert!(all.certify(&chain.certify(header, &[0, 1, 2, 3])).is_ok());
    assert!(all.certify(&chain.snapshots[0]).is_ok(), "the genesis");
}
