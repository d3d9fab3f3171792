//! Whole proof files whose parts are exchanged and whose bytes are changed at random, sealed anew:
//! whatever is still accepted says what an honest file for that claim says.
//! `PRIMUS_MUTATIONS=1000000 cargo test -p primus-wallet-proto mutations` tries so many,
//! `PRIMUS_SEED` chooses others.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::tests::{OWNER, chain_of, file};
use super::*;
use crate::test_chain::{TestChain, genesis};

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

struct Draw(ChaCha8Rng);

impl Draw {
    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(length).unwrap()).unwrap()
    }

    fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.index(all.len())]
    }

    /// A file with some of its parts from others.
    fn mixed(&mut self, files: &[ProofFile]) -> ProofFile {
        let mut mixed = self.one(files).clone();
        for _ in 0..self.index(3) {
            let other = self.one(files).clone();
            match self.index(6) {
                0 => mixed.claim = other.claim,
                1 => mixed.handovers = other.handovers,
                2 => mixed.answer = other.answer,
                3 => mixed.answer.snapshot = other.answer.snapshot,
                4 => mixed.answer.snapshot.certificate = other.answer.snapshot.certificate,
                _ => mixed.answer.body = other.answer.body,
            }
        }
        mixed
    }

    /// The bytes with up to two things done to them.
    fn changed(&mut self, mut bytes: Vec<u8>, others: &[ProofFile]) -> Vec<u8> {
        for _ in 0..self.index(3) {
            // Behind version and chain stands the claim, a small part of the file.
            let in_claim = self.index(4) == 0;
            let at = if in_claim {
                33 + self.index(40)
            } else {
                self.index(bytes.len())
            };
            match self.index(4) {
                0 => bytes[at] ^= 1 << self.index(8),
                1 => bytes[at] = u8::try_from(self.index(256)).unwrap(),
                kind => {
                    let own = bytes.clone();
                    let other = to_bytes(self.one(others)).unwrap();
                    let from = if kind == 2 { &own } else { &other };
                    let start = self.index(from.len());
                    let length = 32.min(bytes.len() - at).min(from.len() - start);
                    bytes[at..at + length].copy_from_slice(&from[start..start + length]);
                }
            }
        }
        bytes
    }
}

/// What an honest peer of the chain proves for the claim.
fn truth(claim: Claim, chain: &TestChain) -> Statement {
    let trust = Trust::new(&chain.genesis).unwrap();
    verify(&to_bytes(&file(claim, chain)).unwrap(), &trust).unwrap()
}

#[test]
fn a_file_with_exchanged_and_changed_parts_says_nothing_false() {
    let count = from_environment("PRIMUS_MUTATIONS", 4_000);
    let seed = from_environment("PRIMUS_SEED", 1);
    let mut draw = Draw(ChaCha8Rng::seed_from_u64(seed));
    let chains = [2, 6].map(|height| chain_of(genesis(OWNER, &[100, 50]), height));
    let foreign = chain_of(genesis(OWNER, &[100, 51]), 6);
    let files = |(chain, claims): &(TestChain, Vec<Claim>)| {
        let files = claims.iter().map(|claim| file(*claim, chain));
        files.collect::<Vec<_>>()
    };
    let own: Vec<_> = chains.iter().flat_map(files).collect();
    let foreign = files(&foreign);
    let trust = Trust::new(&chains[0].0.genesis).unwrap();
    let (mut decoded, mut accepted) = (0, 0);
    for tried in 0..count {
        let of_another_chain = draw.index(8) == 0;
        let mixed = draw.mixed(if of_another_chain { &foreign } else { &own });
        let bytes = draw.changed(to_bytes(&mixed).unwrap(), &foreign);
        let Ok(mut changed) = wire::from_bytes::<ProofFile>(&bytes) else {
            continue;
        };
        decoded += 1;
        changed.chain = *trust.chain();
        changed.seal = seal(&changed.chain, &changed.claim).unwrap();
        let Ok(says) = verify(&to_bytes(&changed).unwrap(), &trust) else {
            continue;
        };
        accepted += 1;
        let height = changed.answer.snapshot.header.height;
        let (chain, _) = chains
            .iter()
            .find(|(chain, _)| chain.ledger.height() == height)
            .unwrap();
        assert_eq!(
            says,
            truth(changed.claim, chain),
            "{tried} of seed {seed}: {bytes:?}"
        );
    }
    println!("{count} files, {decoded} decode, {accepted} accepted and true (seed {seed})");
}
