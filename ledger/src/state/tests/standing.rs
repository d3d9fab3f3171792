//! Evidence costs a peer its standing (C10).

use super::*;
use crate::committee::Member;
use crate::rows::{ConvictionRow, Place};
use crate::test_chain::accusation;
use crate::tx::Evidence;

/// The index of the liar in the genesis.
const LIAR: usize = 1;

fn is_member(members: &[Member], peer: &PublicKey) -> bool {
    members.iter().any(|member| member.peer_key == *peer)
}

#[test]
fn evidence_costs_the_liar_its_standing_from_the_next_epoch_for_good() {
    let mut chain = TestChain::new();
    let liar = chain.genesis.peers[LIAR].peer_key;
    let proof = accusation(chain.evidence(LIAR, 0, 7));
    assert_eq!(chain.ledger.conviction(&liar, &chain.rows), Ok(None));
    assert_eq!(outcomes(&chain.run(&[&proof])), [Outcome::Applied]);
    let row = ConvictionRow {
        transaction: proof.id(&chain.chain()).unwrap(),
        place: Place {
            height: height(1),
            index: 0,
        },
    };
    assert_eq!(chain.ledger.conviction(&liar, &chain.rows), Ok(Some(row)));
    // It keeps its seat in the epoch that runs.
    assert!(is_member(chain.ledger.committee(), &liar));
    let mut handovers = 0;
    while handovers < 4 {
        if let Some(members) = chain.run(&[]).next_committee {
            handovers += 1;
            assert_eq!(members.len(), 3);
            assert!(!is_member(&members, &liar));
            // Its stake is there as ever.
            assert_eq!(chain.ledger.stakes()[&liar], Stake::new(2_000));
            assert_eq!(chain.ledger.coverage().eligible, Stake::new(4_000));
        }
    }
    let restored = Ledger::restore(&chain.genesis, &chain.rows).unwrap();
    assert_eq!(restored.unwrap().committee(), chain.ledger.committee());
    assert_eq!(chain.ledger.stats().evidence_applied, 1);
}

#[test]
fn evidence_in_the_sealing_block_counts_for_the_epoch_that_it_opens() {
    let mut chain = TestChain::new();
    let liar = chain.genesis.peers[LIAR].peer_key;
    for _ in 0..3 {
        chain.run(&[]);
    }
    let sealing = chain.run(&[&accusation(chain.evidence(LIAR, 0, 7))]);
    assert_eq!(sealing.header.height, height(4));
    assert!(!is_member(&sealing.next_committee.unwrap(), &liar));
}

#[test]
fn a_peer_is_convicted_once_and_later_evidence_names_what_did() {
    let mut chain = TestChain::new();
    let first = accusation(chain.evidence(LIAR, 0, 7));
    let other = accusation(chain.evidence(LIAR, 0, 8));
    let executed = chain.run(&[&first, &other, &first]);
    let known = rejected_by(Reason::Convicted, &first, &chain);
    let copied = rejected_by(Reason::Duplicate, &first, &chain);
    assert_eq!(outcomes(&executed), [Outcome::Applied, known, copied]);
    assert_eq!(outcomes(&chain.run(&[&other, &first])), [known, copied]);
    assert_eq!(chain.ledger.stats().evidence_applied, 1);
}

#[test]
fn evidence_of_an_epoch_that_is_over_counts_and_of_one_to_come_does_not() {
    let mut chain = TestChain::new();
    let liar = chain.genesis.peers[LIAR].peer_key;
    let early = accusation(chain.evidence(LIAR, 1, 7));
    let unknown = Outcome::rejected(Reason::UnknownCulprit);
    assert_eq!(outcomes(&chain.run(&[&early])), [unknown]);
    while chain.ledger.epoch() < Epoch::new(2) {
        chain.run(&[]);
    }
    let late = accusation(chain.evidence(LIAR, 0, 7));
    assert_eq!(outcomes(&chain.run(&[&late])), [Outcome::Applied]);
    assert!(is_member(chain.ledger.committee(), &liar));
    while chain.ledger.epoch() < Epoch::new(3) {
        chain.run(&[]);
    }
    assert!(!is_member(chain.ledger.committee(), &liar));
}

#[test]
fn nobody_but_the_member_whose_key_signed_is_convicted() {
    let mut chain = TestChain::new();
    let good = chain.evidence(LIAR, 0, 7);
    let honest = chain.genesis.peers[LIAR + 1].peer_key;
    // The honest peer's name on the liar's events.
    let renamed = Evidence {
        peer: honest,
        ..good.clone()
    };
    // The honest peer's place in events that the liar signed.
    let signer = chain.event_signer(LIAR);
    let place = (0, u16::try_from(LIAR + 1).unwrap(), 7);
    let [one, two] = [1, 2].map(|rest| chain.header(place, rest, &signer));
    let misplaced = Evidence::new(honest, good.event_key, one.clone(), two.clone());
    let own_name = Evidence::new(good.peer, good.event_key, one, two);
    // A place that no member has, and a key that no peer has.
    let [one, two] = [1, 2].map(|rest| chain.header((0, 4, 7), rest, &signer));
    let beyond = Evidence::new(good.peer, good.event_key, one, two);
    let nobody = signer_of_nobody(&chain);
    for evidence in [renamed, misplaced, own_name, beyond, nobody] {
        let executed = chain.run(&[&accusation(evidence)]);
        let unknown = Outcome::rejected(Reason::UnknownCulprit);
        assert_eq!(outcomes(&executed), [unknown]);
    }
    for peer in chain.genesis.peers.iter() {
        let found = chain.ledger.conviction(&peer.peer_key, &chain.rows);
        assert_eq!(found, Ok(None));
    }
    assert_eq!(
        outcomes(&chain.run(&[&accusation(good)])),
        [Outcome::Applied]
    );
}

fn signer_of_nobody(chain: &TestChain) -> Evidence {
    let nobody = signer(77);
    let [one, two] = [1, 2].map(|rest| chain.header((0, 1, 7), rest, &nobody));
    Evidence::new(public(78), public(77), one, two)
}

#[test]
fn a_conviction_is_an_entry_in_the_log_of_the_peer_key() {
    let mut chain = TestChain::new();
    let liar = chain.genesis.peers[LIAR].peer_key;
    let proof = accusation(chain.evidence(LIAR, 0, 7));
    chain.run(&[&proof]);
    let key = log_key(&key_position(&liar), 0);
    let row: EntryRow = codec::decode(&chain.rows.0[&(Table::KeyLog, key)]).unwrap();
    assert_eq!(row.entry.role, role::CONVICTED);
    assert_eq!(row.entry.txid, proof.id(&chain.chain()).unwrap());
}

#[test]
fn evidence_needs_no_fee_where_data_does_and_may_pay_one() {
    let mut genesis = genesis();
    genesis.parameters.data_free = false;
    let mut chain = TestChain::of(genesis);
    let free = accusation(chain.evidence(LIAR, 0, 7));
    let mut paid = accusation(chain.evidence(LIAR + 1, 0, 7)).body;
    paid.inputs = codec::List::new(vec![chain.coin(0).outpoint]).unwrap();
    let unsigned = Transaction::unsigned(paid.clone());
    let paid = sign(paid, &[&signer(1)], &chain.chain()).unwrap();
    let executed = chain.run(&[&free, &unsigned, &paid]);
    let unsigned = Outcome::rejected(Reason::NotOwner);
    let applied = Outcome::Applied;
    assert_eq!(outcomes(&executed), [applied, unsigned, applied]);
}

#[test]
fn a_committee_of_liars_goes_on_where_nobody_else_has_stake() {
    let mut chain = TestChain::new();
    let before = chain.ledger.committee().to_vec();
    let all: Vec<_> = (0..4)
        .map(|peer| accusation(chain.evidence(peer, 0, 7)))
        .collect();
    chain.run(&all.iter().collect::<Vec<_>>());
    let mut sealed = None;
    while sealed.is_none() {
        sealed = chain.run(&[]).next_committee;
    }
    assert_eq!(sealed, Some(before));
    assert_eq!(chain.ledger.coverage().eligible, Stake::ZERO);
}
