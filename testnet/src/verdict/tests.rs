use super::*;

#[test]
fn peers_agree_only_with_equal_roots_and_the_coin_of_the_genesis() {
    let supply = Amount::new(7);
    let same = testimony("a", 1, Some(7));
    let table = [
        (vec![], Verdict::Agree),
        (vec![same.clone()], Verdict::Agree),
        (
            vec![same.clone(), testimony("b", 1, Some(7))],
            Verdict::Agree,
        ),
        (vec![same.clone(), testimony("b", 1, None)], Verdict::Agree),
        (
            vec![same.clone(), testimony("b", 2, Some(7))],
            Verdict::Diverged,
        ),
        (vec![same, testimony("b", 1, Some(8))], Verdict::Diverged),
        (vec![testimony("b", 1, Some(6))], Verdict::Diverged),
    ];
    for (peers, wanted) in table {
        let found = judgement(peers).compared(supply);
        assert_eq!(found.verdict, wanted, "{found:?}");
        assert_eq!(found.reason.is_some(), wanted != Verdict::Agree);
    }
}

#[test]
fn silence_is_a_stall_and_a_false_proof_is_not() {
    let silent = Error::Silent { peer: "a".into() };
    assert_eq!(
        judgement(vec![]).ended_by(&silent).verdict,
        Verdict::Stalled
    );
    let lie = Error::Wallet(wallet_proto::Error::OtherKind);
    assert_eq!(judgement(vec![]).ended_by(&lie).verdict, Verdict::Diverged);
}

#[test]
fn each_verdict_has_its_exit_code() {
    let all = [Verdict::Agree, Verdict::Stalled, Verdict::Diverged];
    assert_eq!(all.map(Verdict::exit), [0, 3, 10]);
}

#[test]
fn the_newest_block_is_always_compared() {
    for newest in 1..50 {
        let heights = samples(Height::new(newest));
        assert_eq!(heights.first(), Some(&Height::new(1)));
        assert_eq!(heights.last(), Some(&Height::new(newest)));
        assert!(heights.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

fn judgement(peers: Vec<Testimony>) -> Judgement {
    Judgement {
        verdict: Verdict::Agree,
        height: 1,
        reason: None,
        peers,
    }
}

fn testimony(peer: &str, root: u8, supply: Option<u64>) -> Testimony {
    let root = Digest([root; 32]);
    Testimony {
        peer: peer.to_owned(),
        roots: vec![Root { height: 1, root }],
        supply: supply.map(Amount::new),
    }
}
