use super::super::LogTree;
use super::super::tests::{changes, tree_of};
use super::*;
use crate::fixture::{digest, digests, keys, slow_root, slow_split};
use crate::nodes::Nodes;
use proptest::prelude::*;

/// SUBTREE_SUBPROOF of draft-ietf-plants-merkle-tree-certs, 4.4.1.
fn slow_subtree<H: TreeHasher>(
    hasher: &H,
    (start, end): (usize, usize),
    leaves: &[Digest],
    known: bool,
) -> Vec<Digest> {
    if (start, end) == (0, leaves.len()) {
        let root = slow_root(hasher, leaves);
        return if known { vec![] } else { vec![root] };
    }
    let middle = slow_split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut path, sibling) = if end <= middle {
        (slow_subtree(hasher, (start, end), left, known), right)
    } else if middle <= start {
        (
            slow_subtree(hasher, (start - middle, end - middle), right, known),
            left,
        )
    } else {
        assert_eq!(start, 0);
        (slow_subtree(hasher, (0, end - middle), right, false), left)
    };
    path.push(slow_root(hasher, sibling));
    path
}

#[test]
fn every_subtree_of_every_size_is_proven_as_defined_and_nothing_else_passes() {
    let (hasher, leaves) = (*keys().block(), digests(33));
    let tree = tree_of(hasher, &leaves);
    for size in 0..=33 {
        let root = tree.root_at(size).unwrap();
        let whole = SizedRoot { root, size };
        for (start, end) in (0..=34_u64).flat_map(|start| (0..=34_u64).map(move |end| (start, end)))
        {
            let width = end.saturating_sub(start).next_power_of_two();
            let is_subtree = start < end && start.is_multiple_of(width);
            let proven = tree.prove_subtree(start..end, size);
            if !is_subtree || end > size {
                assert!(proven.is_err(), "{start}..{end} of {size}");
                let checked = verify_subtree(&hasher, &(start..end), root, &whole, &[]);
                assert!(checked.is_err(), "{start}..{end} of {size}");
                continue;
            }
            let (at, to, path) = (start as usize, end as usize, proven.unwrap().to_vec());
            let want = slow_subtree(&hasher, (at, to), &leaves[..size as usize], true);
            assert_eq!(path, want, "{start}..{end} of {size}");
            let own = tree.subtree_root(&(start..end)).unwrap();
            assert_eq!(own, slow_root(&hasher, &leaves[at..to]));
            let passes = |range, own, path: &[Digest]| {
                verify_subtree(&hasher, &range, own, &whole, path).is_ok()
            };
            assert!(passes(start..end, own, &path), "{start}..{end} of {size}");
            assert!(!passes(start..end, digest(99), &path));
            assert!(!passes(start + width..end + width, own, &path));
            // A longer or shorter range of the same width has another root.
            assert!(!passes(start..end + 1, own, &path) && !passes(start..end - 1, own, &path));
            for changed in changes(&path).iter().step_by(7) {
                assert!(
                    !passes(start..end, own, changed),
                    "{start}..{end} of {size}"
                );
            }
        }
    }
}

#[test]
fn every_range_of_every_size_is_proven_and_nothing_else_passes() {
    let (hasher, leaves) = (*keys().block(), digests(20));
    let tree = tree_of(hasher, &leaves);
    for size in 1..=20 {
        let root = Ok(tree.root_at(size).unwrap());
        for (first, end) in (0..=size).flat_map(|first| (0..=21).map(move |end| (first, end))) {
            let proven = tree.prove_range(first..end, size);
            if first >= end || end > size {
                assert!(proven.is_err(), "{first}..{end} of {size}");
                continue;
            }
            let (siblings, own) = (proven.unwrap(), &leaves[first as usize..end as usize]);
            // A walk from left to right: the peaks before, then the subtrees after.
            assert!(siblings.starts_with(&tree.levels.peaks(first).unwrap()));
            let passes = |first, own: &[Digest], siblings: &[Digest]| {
                root_by_range(&hasher, first, size, own, siblings) == root
            };
            assert!(passes(first, own, &siblings), "{first}..{end} of {size}");
            for other in (0..size + 2).filter(|other| *other != first) {
                assert!(
                    !passes(other, own, &siblings),
                    "{other} for {first}..{end} of {size}"
                );
            }
            // First, middle and newest withheld, one doubled, two swapped.
            for at in 0..own.len() {
                let mut changed = own.to_vec();
                changed.remove(at);
                assert!(!passes(first, &changed, &siblings));
                changed = own.to_vec();
                changed.insert(at, own[at]);
                assert!(!passes(first, &changed, &siblings));
                changed = own.to_vec();
                changed.swap(at, 0);
                assert_eq!(passes(first, &changed, &siblings), at == 0);
            }
            for changed in changes(&siblings).iter().step_by(11) {
                assert!(!passes(first, own, changed), "{first}..{end} of {size}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_leaves_are_proven_at_once_and_no_other_leaf_passes(
        size in 1_u64..400, picked in proptest::collection::vec(any::<prop::sample::Index>(), 1..30)
    ) {
        let (hasher, leaves) = (*keys().outputs(), digests(size));
        let tree = tree_of(hasher, &leaves);
        let mut indices: Vec<u64> = picked.iter().map(|at| at.index(size as usize) as u64).collect();
        indices.sort_unstable();
        indices.dedup();
        let siblings = tree.levels.multi(&hasher, &indices, size).unwrap();
        let pairs: Vec<_> = indices.iter().map(|at| (*at, digest(*at))).collect();
        let root = Ok(tree.root().unwrap());
        prop_assert_eq!(&root_by_multi(&hasher, size, &pairs, &siblings), &root);
        for at in 0..pairs.len() {
            let mut changed = pairs.clone();
            changed[at].1 = digest(1 << 40);
            prop_assert_ne!(root_by_multi(&hasher, size, &changed, &siblings), root.clone());
            changed.remove(at);
            prop_assert_ne!(root_by_multi(&hasher, size, &changed, &siblings), root.clone());
        }
        for changed in changes(&siblings).iter().step_by(13) {
            prop_assert_ne!(root_by_multi(&hasher, size, &pairs, changed), root.clone());
        }
    }

    #[test]
    fn leaves_added_at_once_give_the_nodes_of_leaves_added_one_by_one(
        cuts in proptest::collection::vec(0_u64..1300, 0..5)
    ) {
        let hasher = *keys().outputs();
        let (mut one_by_one, mut at_once) = (LogTree::new(hasher), LogTree::new(hasher));
        for count in cuts {
            let added: Vec<_> = (0..count).map(|at| digest(one_by_one.size() + at)).collect();
            added.iter().for_each(|leaf| one_by_one.append(*leaf));
            at_once.levels.extend(&hasher, &added, &crate::fixture::Threads);
            prop_assert_eq!(&one_by_one.levels.nodes, &at_once.levels.nodes);
        }
    }
}
