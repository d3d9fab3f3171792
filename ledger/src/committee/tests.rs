use super::*;
use crate::test_chain::check_golden;

fn member(key: u16, stake: u64) -> Member {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&key.to_be_bytes());
    Member {
        peer_key: PublicKey(bytes),
        event_key: PublicKey([7; 32]),
        stake: Stake::new(stake),
    }
}

#[test]
fn the_999_with_most_stake_are_chosen_and_listed_by_key() {
    let candidates: Vec<_> = (0..1_200)
        .map(|key| member(key, u64::from(key / 2)))
        .collect();
    let chosen = choose(candidates.into_iter().rev().collect());
    assert_eq!(chosen.len(), 999);
    // Keys 201 and 200 have stake 100 both: the lower key is taken for the last seat.
    assert_eq!(chosen[0], member(200, 100));
    assert_eq!(chosen[1], member(202, 101));
    assert!(chosen.is_sorted_by_key(|member| member.peer_key));
    assert!(choose(vec![member(1, 0)]).is_empty());
}

#[test]
fn the_digest_binds_every_field_and_the_order() {
    let (a, b) = (member(1, 5), member(2, 6));
    let other_key = Member {
        event_key: PublicKey([8; 32]),
        ..b
    };
    let lists = [
        vec![a, b],
        vec![b, a],
        vec![a],
        vec![],
        vec![a, member(2, 7)],
        vec![a, other_key],
    ];
    let digests = lists.iter().map(|list| committee_digest(list).unwrap());
    let digests: alloc::collections::BTreeSet<_> = digests.collect();
    assert_eq!(digests.len(), lists.len());
    let many = vec![a; limits::PEERS_MAX + 1];
    assert!(committee_digest(&many).is_err());
}

#[test]
fn the_encoding_is_golden() {
    let members = Members {
        version: 1,
        members: List::new(vec![member(1, 5), member(2, 6)]).unwrap(),
    };
    check_golden(&members, "149 bytes 77010115");
}

#[test]
fn a_small_or_narrow_committee_is_worth_a_warning() {
    let coverage = |members, stake, eligible| Coverage {
        members,
        stake: Stake::new(stake),
        eligible: Stake::new(eligible),
    };
    assert!(coverage(12, 10, 10).is_small());
    assert!(!coverage(13, 10, 10).is_small());
    assert!(coverage(999, 899, 1_000).is_narrow());
    assert!(!coverage(999, 900, 1_000).is_narrow());
    assert!(!coverage(4, 10, 0).is_narrow(), "a committee that went on");
}
