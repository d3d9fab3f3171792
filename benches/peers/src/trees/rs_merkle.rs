//! rs_merkle: a list under a root, built once; no update in place, no absence.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rs_merkle::algorithms::Sha256;
use rs_merkle::{MerkleProof, MerkleTree};

use crate::figures::{Figures, Proof};
use crate::workload::{Draw, PROOFS, Workload};

/// Appends and commits each batch of inserts, then proves leaves by their index.
pub fn run(workload: &Workload) -> Result<Figures> {
    let keys = workload.keys();
    eprintln!("{keys} keys: rs_merkle ...");
    let mut tree = MerkleTree::<Sha256>::new();
    let mut leaves = Vec::new();
    let begun = Instant::now();
    for batch in &workload.inserts {
        let mut batch: Vec<_> = batch.iter().map(|entry| entry.value).collect();
        leaves.extend_from_slice(&batch);
        tree.append(&mut batch).commit();
    }
    let insert = begun.elapsed();
    let mut draw = Draw(9);
    let indices: Vec<_> = (0..PROOFS).map(|_| draw.below(keys)).collect();
    let begun = Instant::now();
    let proofs: Vec<_> = indices.iter().map(|index| tree.proof(&[*index])).collect();
    let made = begun.elapsed();
    let sizes: usize = proofs.iter().map(|proof| proof.to_bytes().len()).sum();
    let root = tree.root().context("no root")?;
    let begun = Instant::now();
    let holds = |proof: &MerkleProof<Sha256>, index: usize| {
        proof.verify(root, &[index], &[leaves[index]], keys)
    };
    let held = proofs
        .iter()
        .zip(&indices)
        .all(|(proof, index)| holds(proof, *index));
    let checked = begun.elapsed();
    ensure!(held, "rs_merkle: a proof does not hold");
    let count = PROOFS as f64;
    Ok(Figures {
        name: "rs_merkle 1.5, append only, in memory",
        keys,
        inserts_per_s: Some(keys as f64 / insert.as_secs_f64()),
        updates_per_s: None,
        root_ms: None,
        disk: None,
        present: Proof {
            bytes: sizes as f64 / count,
            made_us: made.as_secs_f64() * 1e6 / count,
            checked_us: checked.as_secs_f64() * 1e6 / count,
        },
        absent: None,
    })
}
