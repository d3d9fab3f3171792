//! Each rule on the smallest graph that shows it, and the exact numbers.

use super::drawing::Drawing;
use super::*;
use crate::reference::race::{Race, log2_q32, weight};
use primitives::digest::derive;
use primitives::domain::Domain;

const A: u16 = 0;
const C: u16 = 2;
const D: u16 = 3;

/// Full rounds of four peers from `from` to `to`.
fn full(from: u64, to: u64) -> String {
    let mut text = String::new();
    for round in from..=to {
        for peer in ["a", "b", "c", "d"] {
            let votes = ["a", "b", "c", "d"].map(|voted| match round.checked_sub(1) {
                Some(before) => format!("{voted}{before} "),
                None => String::new(),
            });
            text += &format!("{peer}{round} < {}\n", votes.concat());
        }
    }
    text
}

fn check(text: &str, (round, peer): (u64, u16), expected: &str) {
    let drawing = Drawing::new(&[1; 4], text);
    valid::assert_valid(&drawing.graph, expected);
    let view = View::new(&drawing.graph, None).unwrap();
    let got = match view.decisions(&drawing.graph.seed, 0)[&(round, peer)] {
        Decision::Committed(event, how) => {
            format!("{how:?} {}", drawing.name(&view.vertex(event).id))
        }
        Decision::Skipped(how) => format!("{how:?} skip"),
        Decision::Undecided => "undecided".to_owned(),
        Decision::Contradiction => "contradiction".to_owned(),
    };
    assert_eq!(got, expected, "slot {peer} of round {round} in\n{text}");
}

#[test]
fn a_candidate_certified_by_a_quorum_commits_directly() {
    let text = full(0, 2);
    for peer in 0..4 {
        let name = ["a0", "b0", "c0", "d0"][usize::from(peer)];
        check(&text, (0, peer), &format!("Direct {name}"));
        check(&text, (1, peer), "undecided");
    }
    let three_of_round_two = &text[..text.find("d2").unwrap()];
    check(three_of_round_two, (0, D), "Direct d0");
    let two_of_round_two = &text[..text.find("c2").unwrap()];
    check(two_of_round_two, (0, D), "undecided");
}

#[test]
fn a_slot_without_votes_is_skipped_directly() {
    let without_root = "a0\n b0\n c0\n a1 < a0 b0 c0\n b1 < a0 b0 c0\n c1 < a0 b0 c0";
    check(without_root, (0, D), "Direct skip");
    check(&format!("d0\n{without_root}"), (0, D), "Direct skip");
    // A fourth root may vote for it; the quorum of others stands.
    let with_vote = format!("d0\n{without_root}\n d1 < a0 b0 c0 d0");
    check(&with_vote, (0, D), "Direct skip");
    let two_of_round_one = "a0\n b0\n c0\n a1 < a0 b0 c0\n b1 < a0 b0 c0";
    check(two_of_round_one, (0, D), "undecided");
}

/// Of round 2 only a2 certifies d0.
const CERTIFIED_ONCE: &str = "
    a0
    b0
    c0
    d0
    a1 < a0 b0 c0 d0
    b1 < a0 b0 c0 d0
    c1 < a0 b0 c0
    d1 < a0 b0 c0 d0
    a2 < a1 b1 d1
    b2 < b1 c1 d1
    c2 < b1 c1 d1
    d2 < b1 c1 d1
";

#[test]
fn a_certificate_that_the_anchor_reaches_commits_indirectly() {
    check(CERTIFIED_ONCE, (0, D), "undecided");
    check(
        &format!("{CERTIFIED_ONCE}{}", full(3, 4)),
        (0, D),
        "undecided",
    );
    check(
        &format!("{CERTIFIED_ONCE}{}", full(3, 5)),
        (0, D),
        "Indirect d0",
    );
}

#[test]
fn a_certificate_that_the_anchor_does_not_reach_counts_for_nothing() {
    // Round 3 stands on b2, c2, d2 alone, and a is gone.
    let text = format!(
        "{CERTIFIED_ONCE}
        b3 < b2 c2 d2\n c3 < b2 c2 d2\n d3 < b2 c2 d2
        b4 < b3 c3 d3\n c4 < b3 c3 d3\n d4 < b3 c3 d3
        b5 < b4 c4 d4\n c5 < b4 c4 d4\n d5 < b4 c4 d4"
    );
    check(&text, (3, A), "Direct skip");
    check(&text, (0, D), "Indirect skip");
}

#[test]
fn a_slot_with_half_of_the_votes_is_skipped_by_the_anchor() {
    let start = "a0\n b0\n c0\n d0\n a1 < a0 b0 c0 d0\n b1 < a0 b0 c0\n c1 < a0 b0 c0
        d1 < a0 b0 c0 d0\n";
    check(&format!("{start}{}", full(2, 4)), (0, D), "undecided");
    check(&format!("{start}{}", full(2, 5)), (0, D), "Indirect skip");
}

#[test]
fn of_two_roots_of_a_forker_the_certified_one_commits() {
    let start = "a0\n b0\n c0\n d0\n d0'\n a1 < a0 b0 c0 d0\n b1 < a0 b0 c0 d0
        c1 < a0 b0 c0 d0'\n d1 < a0 b0 c0 d0\n d1' < a0 b0 c0 d0'\n";
    let text = format!("{start} a2 < a1 b1 d1\n b2 < a1 b1 d1\n");
    check(&text, (0, D), "undecided");
    check(&format!("{text} c2 < a1 b1 c1 d1\n"), (0, D), "Direct d0");
    // A quorum that votes for neither skips both, though some vote for each.
    let neither = "a0\n b0\n c0\n d0\n d0'\n a1 < a0 b0 c0 d0\n b1 < a0 b0 c0
        c1 < a0 b0 c0 d0'\n d1 < a0 b0 c0 d0\n d1' < a0 b0 c0 d0'\n";
    check(neither, (0, D), "Direct skip");
}

#[test]
fn two_roots_of_a_forker_count_once() {
    // Without c0: a1, d1 and d1', which are two creators of four.
    let text = "a0\n b0\n c0\n d0\n a1 < a0 b0 d0\n d1 < a0 b0 d0\n d1' < a0 b0 d0";
    check(text, (0, C), "undecided");
    let drawing = Drawing::new(&[1; 4], text);
    let mutant = View::new(&drawing.graph, Some(Mutant::PerRoot)).unwrap();
    assert_eq!(mutant.direct(0, C), Some(Decision::Skipped(How::Direct)));
}

#[test]
fn two_certified_candidates_stop_settling() {
    let text = "a0\n b0\n c0\n d0\n d0'
        a1 < a0 b0 c0 d0\n b1 < a0 b0 c0 d0'\n c1 < a0 b0 c0 d0\n c1' < a0 b0 c0 d0'
        d1 < a0 b0 c0 d0\n d1' < a0 b0 c0 d0'\n a2 < a1 c1 d1\n b2 < b1 c1' d1'";
    check(text, (0, D), "contradiction");
    let mut drawing = Drawing::new(&[1; 4], text);
    // The slot counts only when the race puts it first.
    let seeds = (0_u8..100).map(|n| Digest([n; 32]));
    let (mut stopped, mut waiting) = (0, 0);
    for seed in seeds {
        drawing.graph.seed = seed;
        let first = race::ranking(Race::Leader, &seed, 0, &drawing.graph.committee)[0];
        let settled = settle(&drawing.graph, None).unwrap();
        assert_eq!(
            (settled.round, settled.seed, settled.blocks),
            (0, seed, vec![])
        );
        assert_eq!(settled.contradiction, (first == D).then_some((0, D)));
        let error = Err(Error::Contradiction { round: 0, peer: D });
        let expected = if first == D { error } else { Ok(vec![]) };
        assert_eq!(blocks(&drawing.graph), expected);
        stopped += u32::from(first == D);
        waiting += u32::from(first != D);
    }
    assert!(stopped > 10 && waiting > 40, "{stopped} {waiting}");
}

#[test]
fn a_bad_proof_is_passed_over_and_without_any_leader_the_seed_stays() {
    let mut drawing = Drawing::new(&[1; 4], &full(0, 3));
    let seed = drawing.graph.seed;
    let ranking = race::ranking(Race::Leader, &seed, 0, &drawing.graph.committee);
    for (passed, peer) in ranking.iter().enumerate() {
        let leader = drawing.graph.events[usize::from(*peer)].clone();
        let settled = settle(&drawing.graph, None).unwrap();
        assert_eq!(settled.blocks[0].leader, leader.id, "{passed} passed over");
        assert_eq!((settled.blocks[0].round, settled.blocks[0].height), (0, 1));
        drawing.graph.events[usize::from(*peer)].vrf = None;
    }
    let settled = settle(&drawing.graph, None).unwrap();
    let [block] = &settled.blocks[..] else {
        panic!("{settled:?}");
    };
    assert_eq!((block.height, block.round, settled.round), (1, 1, 2));
    let second = race::ranking(Race::Leader, &seed, 1, &drawing.graph.committee)[0];
    let leader = &drawing.graph.events[4 + usize::from(second)];
    assert_eq!(block.leader, leader.id);
    assert_eq!(
        settled.seed,
        race::next_seed(&seed, 1, &leader.vrf.unwrap())
    );
    assert_eq!(block.order.len(), 5);
}

#[test]
fn what_the_majority_knew_first_comes_first_whatever_its_creator_claims() {
    let text = format!(
        "a0\n b0\n c0\n d0
        a0.x @100\n b0.x @110 < a0.x\n c0.x @120 < a0.x
        d0.y @5\n b0.y @130 < d0.y\n c0.y @140 < d0.y
        a1 @150 < a0 b0 c0 d0 b0.y c0.y\n b1 @150 < a0 b0 c0 d0 a0.x c0.y
        c1 @150 < a0 b0 c0 d0 a0.x b0.y\n d1 @150 < a0 b0 c0 d0 a0.x b0.y c0.y\n{}",
        full(2, 3)
    );
    let drawing = Drawing::new(&[1; 4], &text);
    let blocks = blocks(&drawing.graph).unwrap();
    let [first, second] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    assert_eq!(first.order, [first.leader]);
    assert_eq!(second.order.len(), 3 + 6 + 1);
    let place = |name: &str| drawing.place(&second.order, name);
    // Known to a half (three of four) at 120 and 140; b0.x at 120 too, but after its parent.
    assert!(place("a0.x") < place("d0.y"), "{second:?}");
    assert!(place("a0.x") < place("b0.x") && place("d0.y") < place("b0.y"));
    assert_eq!(second.order.last(), Some(&second.leader));
}

#[test]
fn an_event_64_rounds_below_its_leader_is_ordered_and_one_lower_never() {
    let mut text = "a0\n b0\n c0\n d0\n".to_owned();
    for round in 1..=68_u64 {
        let before = round - 1;
        for peer in ["a", "b", "c"] {
            // a64 brings d0, which the others have not seen.
            let late = if (peer, round) == ("a", 64) { "d0" } else { "" };
            text += &format!("{peer}{round} < a{before} b{before} c{before} {late}\n");
        }
    }
    let mut drawing = Drawing::new(&[1; 4], &text);
    valid::assert_valid(&drawing.graph, "late event");
    let (mut in_time, mut stale) = (0, 0);
    for n in 0..20 {
        drawing.graph.seed = Digest([n; 32]);
        let blocks = blocks(&drawing.graph).unwrap();
        assert_eq!(blocks.len(), 67);
        let orders = blocks
            .iter()
            .filter(|block| block.order.contains(&drawing.id("d0")));
        let rounds: Vec<u64> = orders.map(|block| block.round).collect();
        if blocks[64].leader == drawing.id("a64") {
            assert_eq!(rounds, [64]);
            in_time += 1;
        } else {
            assert_eq!(rounds, [0_u64; 0]);
            stale += 1;
        }
    }
    assert!(in_time > 2 && stale > 2, "{in_time} {stale}");
}

#[test]
fn graphs_that_nobody_can_hold_are_refused() {
    let drawing = Drawing::new(&[1; 4], &full(0, 1));
    let check = |change: &dyn Fn(&mut Graph), message: &str| {
        let mut graph = drawing.graph.clone();
        change(&mut graph);
        let error = blocks(&graph).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    };
    check(&|graph| graph.committee.clear(), "committee of 0");
    check(&|graph| graph.committee[1].stake = 0, "committee of 4");
    check(
        &|graph| graph.committee[1].stake = u64::MAX,
        "committee of 4",
    );
    check(
        &|graph| graph.events[5].creator = 4,
        "of creator 4 in a committee of 4",
    );
    check(&|graph| graph.events[5].round = 8, "of round 8 among 8");
    check(&|graph| graph.events.swap(0, 5), "before its parent");
    check(&|graph| graph.events.push(graph.events[1].clone()), "twice");
    check(&|graph| graph.events[5].round = 2, "votes for");
    check(&|graph| graph.events[1].root = false, "votes for");
}

#[test]
fn the_logarithm_is_exact_to_the_bit() {
    for n in 0_u32..64 {
        assert_eq!(log2_q32(1 << n), u64::from(n) << 32, "2^{n}");
    }
    let vectors = [
        (u64::MAX, (64 << 32) - 1),
        (3, 6_807_362_105),
        (5, 9_972_605_231),
        (6, 11_102_329_401),
        (7, 12_057_497_578),
        (10, 14_267_572_527),
        (1000, 42_802_717_581),
        (12_345_678_901_234_567, 229_586_857_009),
        ((1 << 63) - 1, 270_582_939_647),
        ((1 << 63) + 1, 270_582_939_648),
        (0xdead_beef_cafe_babe, 274_013_844_226),
        (u64::MAX - (1 << 20) + 1, 274_877_906_943),
    ];
    for (u, expected) in vectors {
        assert_eq!(log2_q32(u), expected, "{u}");
    }
}

#[test]
fn weights_are_the_exact_quotient_and_never_divide_by_zero() {
    let vectors = [
        (1, u64::MAX, 1 << 64),
        (u64::MAX, u64::MAX, u128::from(u64::MAX) << 64),
        (1, 1, 1 << 26),
        (u64::MAX, 1, u128::from(u64::MAX) << 26),
        (100, 3, 6_881_302_115),
        (7, 10, 495_480_000),
        (12_345, 0xdead_beef_cafe_babe, 263_551_534_912_937),
        (u64::MAX, 1 << 63, u128::from(u64::MAX) << 32),
    ];
    for (stake, u, expected) in vectors {
        assert_eq!(weight(stake, u), expected, "{stake} {u}");
    }
}

#[test]
fn seeds_ties_draws_and_ranks_have_their_golden_values() {
    let chain_id = Digest([7; 32]);
    let seed = race::genesis_seed(&chain_id);
    let check = |got: Digest, expected: &str| assert_eq!(got.to_string(), expected);
    check(
        seed,
        "70faa2d3fe55efbc2cdc3656a1ba2d9a2bd9ad996a79bfd409fd5253cf2ae34f",
    );
    check(
        race::next_seed(&seed, 258, &[9; 32]),
        "2dc13af2e2bfdaf7fdcaf42894ed52a853c8c48d6c882cf2de142da5742447dd",
    );
    check(
        race::epoch_seed(&seed, 3),
        "af84747900ca1d3dec1c7827bad2ed8c1e04acc0ea4d0f86224d15fc74c3d813",
    );
    check(
        race::tie(&seed, &Digest([1; 32])),
        "dbf85feba173d8b838d1ba04fcddf615fee2f53e935796c278567f206054dcbc",
    );
    let key = PublicKey([5; 32]);
    assert_eq!(
        race::draw(Race::Leader, &seed, 258, &key),
        11_739_476_452_957_009_615
    );
    assert_eq!(
        race::draw(Race::Anchor, &seed, 258, &key),
        15_640_621_700_539_094_565
    );
    let members = [(1, 100), (2, 1), (3, 50), (4, 200), (5, 100)];
    let committee = members.map(|(n, stake)| Member {
        key: PublicKey([n; 32]),
        stake,
    });
    let weights = race::weights(Race::Leader, &seed, 4, &committee);
    let expected = [
        1_062_031_685_319,
        38_857_595_844,
        44_030_310_442,
        633_245_869_734,
        526_127_274_918,
    ];
    assert_eq!(weights, expected);
    assert_eq!(
        race::ranking(Race::Leader, &seed, 4, &committee),
        [0, 3, 4, 2, 1]
    );
    assert_eq!(
        race::ranking(Race::Anchor, &seed, 4, &committee),
        [3, 4, 0, 2, 1]
    );
    // One key twice draws the same; the lower index comes first.
    let twins = [committee[0], committee[0], committee[0]];
    assert_eq!(race::ranking(Race::Leader, &seed, 4, &twins), [0, 1, 2]);
}

/// How often each member of `committee` leads in `rounds` rounds.
fn led(committee: &[Member], rounds: u64) -> Vec<u64> {
    let mut led = vec![0; committee.len()];
    let mut seed = race::genesis_seed(&Digest([3; 32]));
    for round in 0..rounds {
        let first = race::ranking(Race::Leader, &seed, round, committee)[0];
        led[usize::from(first)] += 1;
        seed = race::next_seed(&seed, round, &committee[usize::from(first)].key.0);
    }
    led
}

fn member(number: u64, stake: u64) -> Member {
    let key = derive(Domain::TestKey, &[&number.to_le_bytes()]);
    Member {
        key: PublicKey(key.0),
        stake,
    }
}

#[test]
fn peers_lead_as_often_as_their_stake_says() {
    let stakes = [1000, 500, 250, 120, 60, 30, 20, 10, 5, 3, 2];
    let committee: Vec<Member> = stakes.iter().zip(0..).map(|(s, n)| member(n, *s)).collect();
    let (rounds, whole) = (10_000, 2000);
    for (led, stake) in led(&committee, rounds).into_iter().zip(stakes) {
        // Three standard deviations, squared: 9 n p (1 - p) with p = stake / whole.
        let off = (led * whole).abs_diff(rounds * stake);
        assert!(
            off * off <= 9 * rounds * stake * (whole - stake),
            "{led} times with {stake}"
        );
    }
}

#[test]
fn stake_leads_as_often_in_a_hundred_keys_as_in_one() {
    let rounds = 40_000;
    let shares = [1, 2, 10, 100].map(|keys: u64| {
        let honest = (0..3).map(|n| member(n, 2_000));
        let split = (0..keys).map(|n| member(1000 * keys + n, 3_000 / keys));
        let committee: Vec<Member> = honest.chain(split).collect();
        led(&committee, rounds)[3..].iter().sum::<u64>()
    });
    println!("a third of stake in 1, 2, 10, 100 keys leads {shares:?} of {rounds} rounds");
    for share in shares {
        assert!(share.abs_diff(rounds / 3) * 100 < rounds, "{shares:?}");
        assert!(share.abs_diff(shares[0]) * 100 < rounds, "{shares:?}");
    }
}
