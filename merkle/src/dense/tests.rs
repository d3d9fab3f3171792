use super::*;
use crate::error::Part;
use crate::fixture::{digest, digests, keys, slow_root};
use crate::log::root_by_inclusion;
use crate::workers::Sequential;
use proptest::prelude::*;

fn check(tree: &DenseTree, leaves: &[Digest]) {
    let hasher = *keys().outputs();
    let sized = tree.sized_root().unwrap();
    assert_eq!(sized.size, leaves.len() as u64);
    assert_eq!(
        sized.root,
        slow_root(&hasher, leaves),
        "size {}",
        sized.size
    );
    for (index, leaf) in (0..).zip(leaves) {
        let path = tree.prove(index).unwrap();
        let found = root_by_inclusion(&hasher, index, sized.size, *leaf, &path);
        assert_eq!(found, Ok(sized.root), "{index} of {}", sized.size);
    }
}

#[test]
fn replacing_any_one_leaf_of_any_size_equals_building_anew() {
    for size in 1..=33 {
        let mut leaves = digests(size);
        let mut tree = DenseTree::new(*keys().outputs());
        tree.append(&leaves, Height::ZERO, &Sequential);
        check(&tree, &leaves);
        for index in 0..size {
            leaves[index as usize] = digest(1000 + index);
            tree.update(&[(index, digest(1000 + index))], Height::ZERO, &Sequential)
                .unwrap();
            check(&tree, &leaves);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_mix_of_appends_and_batches_equals_building_anew(
        steps in proptest::collection::vec(
            (0_u64..40, proptest::collection::vec((any::<prop::sample::Index>(), any::<u64>()), 0..30)),
            0..8,
        )
    ) {
        let mut tree = DenseTree::new(*keys().outputs());
        let mut leaves = Vec::new();
        for (appends, spends) in steps {
            for _ in 0..appends {
                let leaf = digest(leaves.len() as u64);
                tree.append(&[leaf], Height::ZERO, &Sequential);
                leaves.push(leaf);
            }
            if leaves.is_empty() {
                continue;
            }
            let spends: std::collections::BTreeMap<_, _> = spends
                .into_iter()
                .map(|(at, seed)| (at.index(leaves.len()), digest(seed)))
                .collect();
            let mut batch: Vec<_> =
                spends.iter().map(|(index, leaf)| (*index as u64, *leaf)).collect();
            batch.reverse();
            tree.update(&batch, Height::ZERO, &Sequential).unwrap();
            for (index, leaf) in spends {
                leaves[index] = leaf;
            }
        }
        check(&tree, &leaves);
    }
}

#[test]
fn a_batch_with_a_repeated_or_missing_position_changes_nothing() {
    let mut tree = DenseTree::new(*keys().outputs());
    tree.append(&digests(5), Height::ZERO, &Sequential);
    let part = Part::Outputs;
    let cases = [
        (
            [(1, digest(9)), (5, digest(9))],
            Error::Index {
                part,
                index: 5,
                size: 5,
            },
        ),
        (
            [(1, digest(9)), (1, digest(8))],
            Error::RepeatedIndex { part, index: 1 },
        ),
    ];
    for (batch, error) in cases {
        assert_eq!(tree.update(&batch, Height::ZERO, &Sequential), Err(error));
        check(&tree, &digests(5));
    }
    let size = 5;
    assert_eq!(
        tree.prove(5),
        Err(Error::Index {
            part,
            index: 5,
            size
        })
    );
}
