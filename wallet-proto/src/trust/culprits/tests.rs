use primitives::Digest;
use primitives::quorum::Threshold;
use primitives::units::{Epoch, Stake};

use super::*;
use crate::test_chain::{TestChain, genesis};

/// Every set of members, by index.
fn sets() -> impl Iterator<Item = Vec<usize>> {
    let holds = |set: usize| move |index: &usize| set & (1 << index) != 0;
    (0..16).map(move |set| (0..4).filter(holds(set)).collect())
}

#[test]
fn two_certified_blocks_of_one_height_name_a_third_of_the_stake_and_nobody_else() {
    let mut chain = TestChain::new(genesis(50, &[100]));
    chain.settle(&[]);
    let trust = Trust::new(&chain.genesis).unwrap();
    let header = *chain.ledger.header();
    let mut forged = header;
    forged.seed = Digest([9; 32]);
    let members = chain.committee(Epoch::ZERO);
    let total = Stake::sum(members.iter().map(|member| member.stake)).unwrap();
    let mut conflicts = 0;
    for one in sets() {
        for other in sets() {
            let (a, b) = (chain.certify(header, &one), chain.certify(forged, &other));
            let Ok(culprits) = trust.culprits(&a, &b) else {
                assert!(trust.certify(&a).is_err() || trust.certify(&b).is_err());
                continue;
            };
            conflicts += 1;
            let both = (0..4).filter(|index| one.contains(index) && other.contains(index));
            let liars: Vec<_> = both.map(|index| members[index]).collect();
            assert_eq!(culprits, liars, "{one:?} {other:?}");
            let stake = Stake::sum(culprits.iter().map(|member| member.stake)).unwrap();
            assert!(Threshold::Third.is_met(stake, total), "{one:?} {other:?}");
        }
    }
    assert!(conflicts > 1, "{conflicts}");
}

#[test]
fn one_block_twice_or_two_heights_accuse_nobody() {
    let mut chain = TestChain::new(genesis(50, &[100]));
    chain.settle(&[]);
    let first = *chain.ledger.header();
    chain.settle(&[]);
    let trust = Trust::new(&chain.genesis).unwrap();
    let second = chain.certify(*chain.ledger.header(), &[0, 1, 2, 3]);
    let first = [&[0, 1, 2][..], &[0, 1, 2, 3]].map(|signers| chain.certify(first, signers));
    for (one, other) in [(&first[0], &first[1]), (&first[0], &second)] {
        let refused = trust.culprits(one, other);
        assert!(
            matches!(refused, Err(Error::NoConflict { .. })),
            "{refused:?}"
        );
    }
}
