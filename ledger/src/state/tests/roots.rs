//! The consensus root of a block stands for every leaf, old root and count before it.

use std::collections::BTreeSet;

use merkle::hash::TreeHasher;
use merkle::workers::Sequential;

use super::model::Draw;
use super::*;
use crate::rows::RecordRow;

/// The header of an empty block that follows upon the state after `change`.
fn next(chain: &TestChain, change: impl FnOnce(&mut Ledger)) -> Header {
    let mut changed = chain.clone();
    change(&mut changed.ledger);
    changed.run(&[]).header
}

/// The leaves of the block tree: one for each header, in their order.
fn block_leaves(chain: &TestChain) -> Vec<Digest> {
    let keys = chain.ledger.tree_keys().block();
    let rows = chain
        .rows
        .0
        .iter()
        .filter(|((table, _), _)| *table == Table::Block);
    let rows = rows.map(|(_, row)| codec::decode::<BlockRow>(row).unwrap());
    rows.map(|row| keys.leaf(&row.header.root().unwrap().0))
        .collect()
}

fn log(chain: &TestChain, leaves: &[Digest]) -> LogTree {
    let mut log = LogTree::new(*chain.ledger.tree_keys().block());
    leaves.iter().for_each(|leaf| log.append(*leaf));
    log
}

/// Every header that follows upon a state with one thing changed.
fn neighbours(chain: &TestChain) -> Vec<Header> {
    let at = chain.ledger.height();
    let other = Digest([9; 32]);
    let mut all = Vec::new();
    let leaves = block_leaves(chain);
    for index in 0..leaves.len() {
        let mut leaves = leaves.clone();
        leaves[index].0[31] ^= 1;
        all.push(next(chain, |ledger| ledger.blocks = log(chain, &leaves)));
    }
    let (_, fewer) = leaves.split_last().unwrap();
    let more = [&leaves[..], &[other]].concat();
    for leaves in [fewer, more.as_slice()] {
        all.push(next(chain, |ledger| ledger.blocks = log(chain, leaves)));
    }
    for position in 0..chain.ledger.outputs.size() {
        let leaf = [(position, other)];
        all.push(next(chain, |ledger| {
            ledger.outputs.update(&leaf, at, &Sequential).unwrap();
        }));
    }
    all.push(next(chain, |ledger| {
        ledger.outputs.append(&[other], at, &Sequential)
    }));
    let keys = chain.ledger.tree_keys().clone();
    let rows = chain
        .rows
        .0
        .iter()
        .filter(|((table, _), _)| *table == Table::Key);
    for ((_, position), row) in rows {
        let record = codec::decode::<RecordRow>(row).unwrap().record;
        let position = Digest(position.as_slice().try_into().unwrap());
        for record in [
            merkle::Record {
                log_root: other,
                ..record
            },
            merkle::Record {
                count: record.count + 1,
                ..record
            },
            merkle::Record {
                last_block: record.last_block.later(1),
                ..record
            },
        ] {
            let changed = [(position, record.hash(&keys, Map::Key))];
            all.push(next(chain, |ledger| {
                ledger.key_map.update(&changed, at, &Sequential).unwrap();
            }));
        }
    }
    all.push(next(chain, |ledger| {
        ledger
            .key_map
            .update(&[(other, other)], at, &Sequential)
            .unwrap();
    }));
    all.push(next(chain, |ledger| {
        ledger
            .name_map
            .update(&[(other, other)], at, &Sequential)
            .unwrap();
    }));
    all
}

#[test]
fn one_leaf_one_old_root_or_one_count_changed_changes_the_consensus_root() {
    for seed in 0..6 {
        let mut chain = TestChain::new();
        let mut draw = Draw::new(seed, &chain);
        for _ in 0..12 {
            let block = draw.block(&chain);
            chain.execute(block);
        }
        let base = next(&chain, |_| ());
        let headers = neighbours(&chain);
        assert!(headers.len() > 50, "{} changes", headers.len());
        for header in &headers {
            // Nothing but the trees has changed.
            let (state, counts) = (base.state, base.counts);
            assert_ne!(header.state, state);
            assert_eq!(
                Header {
                    state,
                    counts,
                    ..*header
                },
                base
            );
        }
        let mut roots: BTreeSet<_> = headers
            .iter()
            .map(|header| header.root().unwrap())
            .collect();
        for count in 0..3 {
            let changed = next(&chain, |ledger| {
                let counts = &mut ledger.header.counts;
                *[
                    &mut counts.unspent,
                    &mut counts.applied,
                    &mut counts.rejected,
                ][count] += 1;
            });
            roots.insert(changed.root().unwrap());
        }
        roots.insert(base.root().unwrap());
        assert_eq!(roots.len(), headers.len() + 4, "seed {seed}");
    }
}
