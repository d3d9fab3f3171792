use primitives::units::Height;

use super::*;
use crate::request::Request;
use crate::test_chain::{TestChain, genesis, public};

const OWNER: u8 = 50;

/// A chain of two epochs, a claim about it, and its proof file.
fn file(claim: Claim, chain: &TestChain) -> ProofFile {
    let request = match claim {
        Claim::Transaction { id } => Request::Transaction { id },
        Claim::Output { outpoint } => Request::Output { outpoint },
        Claim::History { key } => Request::History {
            key,
            page: Page::All,
        },
    };
    let mut trust = Trust::new(&chain.genesis).unwrap();
    let answer = chain.answer(&request).unwrap();
    let mut handovers = Vec::new();
    while trust.epoch() < answer.snapshot.header.epoch {
        let epoch = trust.epoch().later(1);
        let committee = chain.answer(&Request::Committee { epoch }).unwrap();
        handovers.push(check::committee(committee, &mut trust).unwrap());
    }
    ProofFile::new(*trust.chain(), claim, handovers, answer).unwrap()
}

fn chain(height: u64) -> (TestChain, Vec<Claim>) {
    let mut chain = TestChain::new(genesis(OWNER, &[100, 50]));
    let coins = chain.coins(OWNER);
    let payment = chain.payment(OWNER, &coins[..1], public(51), 30);
    chain.settle(std::slice::from_ref(&payment));
    while chain.ledger.height() < Height::new(height) {
        chain.settle(&[]);
    }
    let id = chain.id(&payment);
    let claims = vec![
        Claim::Transaction { id },
        Claim::Output {
            outpoint: coins[0].outpoint,
        },
        Claim::Output {
            outpoint: coins[1].outpoint,
        },
        Claim::History { key: public(OWNER) },
        Claim::History { key: public(99) },
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
        "these are all 2 transactions",
        "these are all 0 transactions",
    ];
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
fn a_file_of_another_chain_is_refused_by_its_chain() {
    let (chain, claims) = chain(2);
    let bytes = to_bytes(&file(claims[0], &chain)).unwrap();
    let other = Trust::new(&genesis(OWNER, &[1])).unwrap();
    let refused = verify(&bytes, &other).unwrap_err().to_string();
    assert!(refused.starts_with("chain: "), "{refused}");
}
