use super::*;
use crate::fixture::{digests, keys};
use crate::log::tests::tree_of;

#[test]
fn a_kept_path_grows_into_the_path_that_would_be_asked_for() {
    let hasher = *keys().block();
    let leaves = digests(70);
    let tree = tree_of(hasher, &leaves);
    for size in 2..=70 {
        for grown in 1..size {
            let path = tree.prove_inclusion(grown, size).unwrap();
            let new = Placed {
                index: grown,
                size,
                path: &path,
            };
            for index in 0..grown {
                let path = tree.prove_inclusion(index, grown).unwrap();
                let old = Placed {
                    index,
                    size: grown,
                    path: &path,
                };
                let leaf = leaves[usize::try_from(grown).unwrap()];
                let extended = extend_path(&hasher, &old, &new, leaf).unwrap();
                let asked = tree.prove_inclusion(index, size).unwrap();
                assert_eq!(extended, asked, "{index} in {grown} in {size}");
            }
        }
    }
}

#[test]
fn leaves_out_of_place_and_short_paths_are_refused() {
    let (hasher, leaf) = (*keys().block(), digests(1)[0]);
    let placed = |index, size| Placed {
        index,
        size,
        path: &[],
    };
    for (old, new) in [
        (placed(3, 3), placed(3, 4)),
        (placed(1, 3), placed(4, 6)),
        (placed(1, 3), placed(2, 6)),
        (placed(1, 3), placed(3, 3)),
        (placed(u64::MAX, u64::MAX), placed(u64::MAX, u64::MAX)),
    ] {
        let refused = extend_path(&hasher, &old, &new, leaf);
        assert!(matches!(refused, Err(Error::Index { .. })), "{refused:?}");
    }
    let refused = extend_path(&hasher, &placed(1, 3), &placed(3, 4), leaf);
    assert!(matches!(refused, Err(Error::SiblingCount { .. })));
}
