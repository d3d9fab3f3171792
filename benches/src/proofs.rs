//! Bytes of a proof and microseconds of its check, under a state root of 10,000 and 1,000,000 outputs
//! and as many keys.

use std::hint::black_box;

use anyhow::{Context, Result, ensure};
use merkle::dense::DenseTree;
use merkle::leaf::{Record, output_leaf};
use merkle::map::MapTree;
use merkle::proof::output::OutputProof;
use merkle::proof::record::{MapPosition, RecordProof};
use merkle::top::{SizedRoot, State, StateRoots};
use merkle::workers::Sequential;
use merkle::{Map, TreeKeys};
use primitives::codec::{self, Canonical};
use primitives::digest::{Digest, derive};
use primitives::domain::Domain;
use primitives::units::Height;

use crate::timed;

/// Proofs of one measurement, spread over the tree.
const PROOFS: u32 = 1_000;

pub(crate) fn run() -> Result<()> {
    for size in [10_000, 1_000_000] {
        measure(size)?;
    }
    Ok(())
}

fn measure(size: u32) -> Result<()> {
    let keys = TreeKeys::new(&Digest([7; 32]));
    let leaf_of = |index: u32| derive(Domain::OutputCommitment, &[&index.to_le_bytes()]);
    let mut outputs = DenseTree::new(*keys.outputs());
    let leaves: Vec<_> = (0..size)
        .map(|index| output_leaf(&keys, &leaf_of(index), None))
        .collect();
    outputs.append(&leaves, Height::new(9), &Sequential);
    let record = Record {
        log_root: Digest([1; 32]),
        count: 3,
        last_block: Height::new(9),
    };
    let at = |index: u32| MapPosition {
        map: Map::Key,
        position: derive(Domain::KeyPosition, &[&index.to_le_bytes()]),
    };
    let mut map = MapTree::new(Map::Key, &keys);
    let hash = record.hash(&keys, Map::Key);
    map.update(
        &(0..size)
            .map(|index| (at(index).position, hash))
            .collect::<Vec<_>>(),
        Height::new(9),
        &Sequential,
    )?;
    let empty = SizedRoot {
        root: Digest::ZERO,
        size: 0,
    };
    let roots = StateRoots {
        block: empty,
        key: map.sized_root(),
        name: empty,
        outputs: outputs.sized_root()?,
    };
    let state = State {
        height: Height::new(9),
        root: roots.state_root(&keys),
    };
    let picked = || (0..PROOFS).map(|step| step.wrapping_mul(7_919) % size);

    let prove = |index: u32| OutputProof::prove(&keys, &roots, &outputs, index.into(), None);
    let (seconds, proofs) = timed(|| picked().map(prove).collect::<Result<Vec<_>, _>>());
    let proofs = proofs?;
    let (check, held) = timed(|| {
        let verify = |(proof, index): (&OutputProof, u32)| {
            black_box(proof)
                .verify(&keys, &leaf_of(index), &state)
                .is_ok()
        };
        proofs.iter().zip(picked()).all(verify)
    });
    ensure!(held, "an output's proof does not hold");
    report("output", size, &proofs, seconds, check)?;

    let prove = |index: u32| RecordProof::prove(&keys, &roots, &map, &at(index), Some(record));
    let (seconds, proofs) = timed(|| picked().map(prove).collect::<Result<Vec<_>, _>>());
    let proofs = proofs?;
    let (check, held) = timed(|| {
        let verify = |(proof, index): (&RecordProof, u32)| {
            black_box(proof).verify(&keys, &at(index), &state).is_ok()
        };
        proofs.iter().zip(picked()).all(verify)
    });
    ensure!(held, "a key's proof does not hold");
    report("key", size, &proofs, seconds, check)?;

    let prove = |index: u32| RecordProof::prove(&keys, &roots, &map, &at(size + index), None);
    let (seconds, proofs) = timed(|| picked().map(prove).collect::<Result<Vec<_>, _>>());
    let proofs = proofs?;
    let (check, held) = timed(|| {
        let verify = |(proof, index): (&RecordProof, u32)| {
            black_box(proof)
                .verify(&keys, &at(size + index), &state)
                .is_ok()
        };
        proofs.iter().zip(picked()).all(verify)
    });
    ensure!(held, "an absent key's proof does not hold");
    report("absent_key", size, &proofs, seconds, check)
}

fn report<T: Canonical>(
    kind: &str,
    size: u32,
    proofs: &[T],
    prove_seconds: f64,
    check_seconds: f64,
) -> Result<()> {
    let mut bytes = 0;
    for proof in proofs {
        bytes += codec::encode(proof).context("proof")?.len();
    }
    let count = f64::from(PROOFS);
    println!(
        "proofs::{kind}/leaves={size}  {:.0} bytes, made in {:.2} us, checked in {:.2} us",
        f64::from(u32::try_from(bytes)?) / count,
        prove_seconds * 1e6 / count,
        check_seconds * 1e6 / count,
    );
    Ok(())
}
