use super::*;
use crate::request::Request;
use crate::test_chain::{TestChain, genesis, public};
use crate::trust::Start;
use ledger::Genesis;

pub(super) const OWNER: u8 = 50;

/// A chain of two epochs, a claim about it, and its proof file.
pub(crate) fn file(claim: Claim, chain: &TestChain) -> ProofFile {
    let mut trust = Trust::new(&chain.genesis).unwrap();
    let answer = chain.answer(&claim.request()).unwrap();
    let mut handovers = Vec::new();
    while trust.epoch() < answer.snapshot.header.epoch {
        let epoch = trust.epoch().later(1);
        let committee = chain.answer(&Request::Committee { epoch }).unwrap();
        handovers.push(check::committee(committee, &mut trust).unwrap());
    }
    ProofFile::new(*trust.chain(), claim, handovers, answer).unwrap()
}

/// The chain up to `height` and claims about it.
fn chain(height: u64) -> (TestChain, Vec<Claim>) {
    chain_of(genesis(OWNER, &[100, 50]), height)
}

/// The same from another genesis.
pub(super) fn chain_of(genesis: Genesis, height: u64) -> (TestChain, Vec<Claim>) {
    let mut chain = TestChain::new(genesis);
    let coins = chain.coins(OWNER);
    let payment = chain.payment(OWNER, &coins[..1], public(51), 30);
    let commit = chain.commit(OWNER, Digest([9; 32]));
    // It waits for the payment, whose change it spends.
    let change = chain.coin_of(&payment, 1);
    let name = chain.name(&change, "anna", None, OWNER);
    chain.settle(&[payment.clone(), commit, name]);
    while chain.ledger.height() < Height::new(height) {
        chain.settle(&[]);
    }
    let id = chain.id(&payment);
    let anna = "anna".parse().unwrap();
    let claims = vec![
        Claim::Transaction { id },
        Claim::Output {
            outpoint: coins[0].outpoint,
        },
        Claim::Output {
            outpoint: coins[1].outpoint,
        },
        Claim::History {
            of: Subject::Key(public(OWNER)),
        },
        Claim::History {
            of: Subject::Key(public(99)),
        },
        Claim::Block {
            height: Height::new(1),
        },
        Claim::Consistency {
            height: Height::new(1),
            root: chain.snapshots[1].header.root().unwrap(),
        },
        Claim::Record {
            of: Subject::Key(public(OWNER)),
        },
        Claim::Record {
            of: Subject::Key(public(99)),
        },
        Claim::Newest {
            of: Subject::Key(public(OWNER)),
            count: 1,
        },
        Claim::OutputAt {
            outpoint: coins[0].outpoint,
            height: Height::ZERO,
        },
        Claim::OutputAt {
            outpoint: coins[0].outpoint,
            height: Height::new(1),
        },
        Claim::HistoryAt {
            of: Subject::Key(public(OWNER)),
            height: Height::ZERO,
        },
        Claim::Commit {
            key: public(OWNER),
            height: Height::new(1),
        },
        Claim::Commit {
            key: public(OWNER),
            height: Height::new(2),
        },
        Claim::Commit {
            key: public(99),
            height: Height::new(1),
        },
        Claim::Name {
            name: anna,
            height: None,
        },
        Claim::Name {
            name: anna,
            height: Some(Height::ZERO),
        },
        Claim::Name {
            name: "bert".parse().unwrap(),
            height: None,
        },
        Claim::History {
            of: Subject::Name(anna),
        },
        Claim::Record {
            of: Subject::Name(anna),
        },
    ];
    (chain, claims)
}

#[test]
fn every_claim_is_verified_from_the_genesis_alone() {
    let (chain, claims) = chain(6);
    let trust = Trust::new(&chain.genesis).unwrap();
    let words = [
        "was applied, in block 1 at place 0",
        "was spent in block 1 by transaction",
        "is unspent as of block 6",
        "these are all 4 transactions",
        "these are all 0 transactions",
        "block 1 has the root",
        "block 6 continues block 1, whose root is",
        "has 4 transactions, the newest in block 1",
        "no transaction up to block 6 touched key",
        "these are the newest 1 transactions",
        "was unspent as of block 0",
        "was spent as of block 1: in block 1 by transaction",
        "complete to block 0: these are all 1 transactions",
        "committed to 0909090909090909090909090909090909090909090909090909090909090909, by",
        "committed to nothing in block 2",
        "committed to nothing in block 1",
        "holds name anna, since block 1 by transaction",
        "as of block 0 nobody holds name anna",
        "as of block 6 nobody holds name bert",
        "these are all 1 transactions of name anna, no more exist",
        "up to block 6 name anna has 1 transactions, the newest in block 1",
    ];
    assert_eq!(claims.len(), words.len());
    for (claim, words) in claims.into_iter().zip(words) {
        let bytes = to_bytes(&file(claim, &chain)).unwrap();
        let statement = verify(&bytes, &trust).unwrap().to_string();
        assert!(statement.contains(words), "{statement}");
        let part = "of block 6 is signed by 100 % of the stake";
        assert!(statement.ends_with(part), "{statement}");
    }
}

#[test]
fn a_file_with_any_byte_changed_is_refused() {
    let (chain, claims) = chain(2);
    let trust = Trust::new(&chain.genesis).unwrap();
    for claim in claims {
        let bytes = to_bytes(&file(claim, &chain)).unwrap();
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 1 << (position % 8);
            let verdict = verify(&changed, &trust);
            assert!(verdict.is_err(), "{claim:?}, byte {position}");
        }
    }
}

#[test]
fn a_file_with_any_byte_of_a_handover_changed_is_refused() {
    let (chain, claims) = chain(6);
    let trust = Trust::new(&chain.genesis).unwrap();
    let bytes = to_bytes(&file(claims[0], &chain)).unwrap();
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 1 << (position % 8);
        assert!(verify(&changed, &trust).is_err(), "byte {position}");
    }
}

#[test]
fn a_file_that_ends_early_goes_on_or_misses_a_handover_is_refused() {
    let (chain, claims) = chain(6);
    let trust = Trust::new(&chain.genesis).unwrap();
    let mut file = file(claims[0], &chain);
    let bytes = to_bytes(&file).unwrap();
    for length in 0..bytes.len() {
        assert!(verify(&bytes[..length], &trust).is_err(), "{length} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(verify(&longer, &trust).is_err());
    file.handovers = List::empty();
    let refused = verify(&to_bytes(&file).unwrap(), &trust).unwrap_err();
    assert!(matches!(refused, Error::OtherEpoch { .. }), "{refused}");
}

#[test]
fn a_committee_is_proven_by_the_block_that_hands_over_to_it() {
    let (chain, _) = chain(9);
    let epoch = Epoch::new(2);
    let claim = Claim::Committee { epoch };
    let answer = chain.answer(&claim.request()).unwrap();
    let handovers = chain.handovers(Epoch::ZERO, Epoch::new(1));
    let file = ProofFile::new(*chain.ledger.chain(), claim, handovers, answer).unwrap();
    let trust = Trust::new(&chain.genesis).unwrap();
    let bytes = to_bytes(&file).unwrap();
    let statement = verify(&bytes, &trust).unwrap().to_string();
    let words = "the committee of epoch 2 has 4 members with stake 13";
    assert!(statement.starts_with(words), "{statement}");
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 1 << (position % 8);
        assert!(verify(&changed, &trust).is_err(), "byte {position}");
    }
}

#[test]
fn nothing_is_claimed_as_of_a_block_above_the_certified_one() {
    let (chain, _) = chain(2);
    let trust = Trust::new(&chain.genesis).unwrap();
    let height = Height::new(3);
    let (key, outpoint) = (public(OWNER), chain.coins(OWNER)[0].outpoint);
    for late in [
        Claim::OutputAt { outpoint, height },
        Claim::HistoryAt {
            of: Subject::Key(key),
            height,
        },
    ] {
        let refused = verify(&to_bytes(&file(late, &chain)).unwrap(), &trust);
        let last = Height::new(2);
        let found = height;
        assert_eq!(refused, Err(Error::AfterSnapshot { found, last }));
    }
}

#[test]
fn a_file_made_from_the_genesis_holds_from_a_checkpoint_too() {
    let (chain, claims) = chain(9);
    let at = chain.snapshots[6].header;
    let start = Start {
        height: at.height,
        root: at.root().unwrap(),
        epoch: at.epoch,
    };
    let members = chain.committee(at.epoch);
    let trust = Trust::from_checkpoint(chain.ledger.chain(), start, &members).unwrap();
    let bytes = to_bytes(&file(claims[0], &chain)).unwrap();
    verify(&bytes, &trust).unwrap();
    let early = to_bytes(&file(claims[0], &self::chain(5).0)).unwrap();
    assert!(verify(&early, &trust).is_err(), "as of a block before it");
}

#[test]
fn a_file_of_another_chain_is_refused_by_its_chain() {
    let (chain, claims) = chain(2);
    let bytes = to_bytes(&file(claims[0], &chain)).unwrap();
    let other = Trust::new(&genesis(OWNER, &[1])).unwrap();
    let refused = verify(&bytes, &other).unwrap_err().to_string();
    assert!(refused.starts_with("chain: "), "{refused}");
}
