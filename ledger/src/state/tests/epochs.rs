//! The committee in force, and the one that follows it.

use super::*;
use crate::committee::{Coverage, Member, committee_digest};
use crate::genesis::Genesis;
use crate::rows::committee_key;
use crate::tx::draft::Coin;

/// Moves a coin of owners 1 to 8 to another host, with a fee of 2.
fn rehost(chain: &TestChain, coin: Coin, host: Option<PublicKey>) -> Transaction {
    let amount = coin.output.amount.minus(Amount::new(2)).unwrap();
    let draft = TransferDraft {
        outputs: vec![Output {
            host,
            ..Output::new(coin.output.owner, amount)
        }],
        inputs: vec![coin],
        ..TransferDraft::default()
    };
    let signers: Vec<_> = (1..9).map(signer).collect();
    let signers: Vec<_> = signers.iter().map(|signer| signer as &dyn Signer).collect();
    draft.sign(&signers, &chain.chain()).unwrap()
}

fn stakes(members: &[Member]) -> Vec<u64> {
    members.iter().map(|member| member.stake.get()).collect()
}

fn with_epochs(lag: u64, period: u64) -> Genesis {
    let mut genesis = genesis();
    (genesis.parameters.lag, genesis.parameters.period) = (lag, period);
    genesis
}

#[test]
fn stake_follows_the_hosted_coin_and_counts_as_of_its_snapshot() {
    let mut chain = TestChain::new();
    let peers: Vec<_> = chain.genesis.peers.iter().map(|it| it.peer_key).collect();
    assert_eq!(
        stakes(chain.ledger.committee()),
        [2_000, 2_000, 1_000, 1_000]
    );
    // Owner 1's coin moves from peer 0 to peer 3, owner 2's to a host that is no peer.
    let moves = [
        rehost(&chain, chain.coin(0), Some(peers[3])),
        rehost(&chain, chain.coin(1), Some(public(9))),
    ];
    chain.run(&[&moves[0], &moves[1]]);
    let held: Vec<_> = chain.ledger.stakes().values().map(|it| it.get()).collect();
    assert_eq!(held, [1_000, 1_000, 1_000, 1_998]);
    chain.run(&[]);
    chain.run(&[]);
    // After the snapshot at height 3, so that epoch 1 does not see it.
    let late = rehost(&chain, chain.coin(2), None);
    let sealing = chain.run(&[&late]);
    let members = sealing.next_committee.unwrap();
    assert_eq!(stakes(&members), [1_000, 1_000, 1_000, 1_998]);
    let digest = committee_digest(&members).unwrap();
    assert_eq!(sealing.header.next_committee, Some(digest));
    assert_eq!(chain.ledger.epoch(), Epoch::new(1));
    let after = chain.run(&[]);
    assert_eq!(after.header.committee, digest);
    assert_eq!(
        (after.header.epoch, after.next_committee),
        (Epoch::new(1), None)
    );
}

#[test]
fn every_sealing_block_and_no_other_names_the_next_committee() {
    for (lag, period) in [(1, 1), (1, 3), (2, 3), (5, 2)] {
        let mut chain = TestChain::of(with_epochs(lag, period));
        let mut committees = vec![chain.ledger.committee().to_vec()];
        for height in 1..14 {
            let coin = chain.coin(height - 1);
            let host = chain.genesis.peers[usize::try_from(height % 4).unwrap()].peer_key;
            let moved = rehost(&chain, coin, Some(host));
            let executed = chain.run(&[&moved]);
            let (header, rules) = (executed.header, chain.ledger.parameters());
            assert_eq!(header.epoch, rules.epoch_of(header.height));
            let committee = committees.last().unwrap();
            assert_eq!(header.committee, committee_digest(committee).unwrap());
            let seals = rules.last_height(header.epoch) == header.height;
            assert_eq!(executed.next_committee.is_some(), seals, "{lag}/{period}");
            assert_eq!(header.next_committee.is_some(), seals);
            committees.extend(executed.next_committee);
            assert_eq!(chain.ledger.committee(), committees.last().unwrap());
            let restored = Ledger::restore(&chain.genesis, &chain.rows).unwrap();
            assert_eq!(restored.unwrap().committee(), chain.ledger.committee());
        }
        assert!(committees.len() > 2);
        let mut distinct = committees.clone();
        distinct.dedup();
        assert_eq!(distinct, committees, "every epoch has other stakes");
        for (epoch, committee) in (0..).zip(&committees) {
            let found = chain.ledger.committee_of(Epoch::new(epoch), &chain.rows);
            assert_eq!(found.as_ref(), Ok(committee));
        }
        let last = chain.ledger.epoch();
        let found = last.later(1);
        let ahead = chain.ledger.committee_of(found, &chain.rows);
        assert_eq!(ahead, Err(Error::UnknownEpoch { found, last }));
    }
}

#[test]
fn a_committee_that_nobody_can_follow_goes_on() {
    let mut chain = TestChain::of(with_epochs(1, 2));
    let before = chain.ledger.committee().to_vec();
    let freed: Vec<_> = (0..6)
        .map(|coin| rehost(&chain, chain.coin(coin), None))
        .collect();
    chain.run(&freed.iter().collect::<Vec<_>>());
    let sealing = chain.run(&[]);
    assert_eq!(sealing.next_committee.as_ref(), Some(&before));
    let wanted = Coverage {
        members: 4,
        stake: Stake::new(6_000),
        eligible: Stake::ZERO,
    };
    assert_eq!(chain.ledger.coverage(), wanted);
    // It may be left as soon as somebody has stake at a snapshot.
    let host = chain.genesis.peers[1].peer_key;
    let hosted = rehost(&chain, chain.coin(9), Some(host));
    chain.run(&[&hosted]);
    let sealing = chain.run(&[]);
    assert_eq!(stakes(&sealing.next_committee.unwrap()), [998]);
}

#[test]
fn a_committee_row_that_the_last_header_does_not_name_is_refused() {
    let mut chain = TestChain::new();
    for _ in 0..5 {
        chain.run(&[]);
    }
    let restored = Ledger::restore(&chain.genesis, &chain.rows).unwrap();
    assert_eq!(restored.unwrap().epoch(), Epoch::new(1));
    let key = (Table::Meta, committee_key(Epoch::new(1)));
    let mut changed = chain.rows.clone();
    *changed.0.get_mut(&key).unwrap().last_mut().unwrap() ^= 1;
    let refused = Ledger::restore(&chain.genesis, &changed).unwrap_err();
    assert!(matches!(refused, Error::Committee { .. }), "{refused}");
    changed.0.remove(&key);
    let table = Table::Meta;
    let refused = Ledger::restore(&chain.genesis, &changed).unwrap_err();
    assert_eq!(refused, Error::MissingRow { table });
}
