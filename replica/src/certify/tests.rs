use dag::committee::Member;
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::{SecretKey, Signer};
use primitives::units::Epoch;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

use super::*;

const ROOT: Digest = Digest([5; 32]);

fn secret(number: u8) -> SecretKey<ChaCha20Rng> {
    let seed = derive(Domain::TestKey, &[&[number]]).0;
    SecretKey::from_seed(&Zeroizing::new(seed), ChaCha20Rng::from_seed(seed))
}

fn committee() -> Committee {
    let mut members: Vec<Member> = (0..4)
        .map(|number| Member {
            key: secret(number).public(),
            event_key: secret(number).public().to_verifying().unwrap(),
            stake: Stake::new(1),
        })
        .collect();
    members.sort_by_key(|member| member.key);
    Committee::new(Digest([1; 32]), Epoch::ZERO, members).unwrap()
}

fn attestation(committee: &Committee, creator: PeerIndex, height: u64) -> Attestation {
    let height = Height::new(height);
    let key = committee.member(creator).unwrap().key;
    let signer = (0..4).map(secret).find(|one| one.public() == key).unwrap();
    let digest = attestation_digest(Epoch::ZERO, height, &ROOT);
    let signature = signer.sign(Role::Attestation, committee.chain(), &digest);
    Attestation {
        height,
        root: ROOT,
        signature,
    }
}

#[test]
fn attestations_of_far_off_heights_leave_room_for_the_next_block() {
    let committee = committee();
    let mut certifier = Certifier::new(committee.clone(), Height::ZERO);
    let executed = Height::new(1);
    let mut lie = attestation(&committee, PeerIndex(3), 2);
    for height in 2..20_000 {
        lie.height = Height::new(height);
        certifier.gather(PeerIndex(3), &[lie], executed);
    }
    assert!(certifier.heights.len() <= 2 * HEIGHTS_MAX);
    for creator in (0..3).map(PeerIndex) {
        let own = attestation(&committee, creator, 1);
        certifier.gather(creator, &[own], executed);
    }
    let wanted = BTreeSet::new();
    certifier.note_root(executed, ROOT);
    let Verdict::Certified(certified) = certifier.advance(executed, &wanted) else {
        panic!("a liar is no quorum")
    };
    assert_eq!(certified.len(), 1);
    assert_eq!(certified[0].height, executed);
    // Nothing new: nothing is looked at.
    let again = certifier.advance(executed, &wanted);
    assert_eq!(again, Verdict::Certified(Vec::new()));
}

#[test]
fn a_peer_far_behind_its_newest_certificate_certifies_what_it_executes() {
    let committee = committee();
    let mut certifier = Certifier::new(committee.clone(), Height::ZERO);
    let executed = Height::new(50_000);
    for creator in (0..3).map(PeerIndex) {
        let own = attestation(&committee, creator, 50_000);
        certifier.gather(creator, &[own], executed);
    }
    let ours = Digest([6; 32]);
    certifier.note_root(executed, ours);
    let verdict = certifier.advance(executed, &BTreeSet::new());
    let diverged = Verdict::Diverged {
        height: executed,
        theirs: ROOT,
        ours,
    };
    assert_eq!(verdict, diverged);
}

#[test]
fn only_signatures_of_members_that_hold_are_kept() {
    let committee = committee();
    let signed = |index, height| {
        let attestation = attestation(&committee, PeerIndex(index), height);
        (PeerIndex(index), attestation.signature)
    };
    let stranger = (PeerIndex(4), signed(0, 7).1);
    let signatures = [signed(0, 7), signed(1, 8), signed(2, 7), stranger];
    let holds = holding(&committee, Height::new(7), &ROOT, &signatures);
    assert_eq!(holds, [signatures[0], signatures[2]]);
}
