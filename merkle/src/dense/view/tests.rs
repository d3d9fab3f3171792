use super::*;
use crate::fixture::{Threads, digest, keys, slow_root};
use crate::log::{root_by_inclusion, root_by_multi};
use primitives::units::Height;
use proptest::prelude::*;

fn check(view: &DenseView, leaves: &[Digest]) {
    let hasher = *keys().outputs();
    let (root, size) = (slow_root(&hasher, leaves), leaves.len() as u64);
    assert_eq!(view.sized_root(), Ok(SizedRoot { root, size }));
    for (at, leaf) in (0..).zip(leaves) {
        let path = view.prove(at).unwrap();
        let found = root_by_inclusion(&hasher, at, size, *leaf, &path);
        assert_eq!(found, Ok(root), "{at} of {size}");
    }
    assert!(view.prove(size).is_err());
    let some: Vec<_> = (0..).zip(leaves.iter().copied()).step_by(5).collect();
    if !some.is_empty() {
        let indices: Vec<_> = some.iter().map(|(at, _)| *at).collect();
        let siblings = view.prove_multi(&indices).unwrap();
        assert_eq!(root_by_multi(&hasher, size, &some, &siblings), Ok(root));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_version_is_proven_from_the_newest_tree_and_what_was_undone(
        blocks in proptest::collection::vec(
            (0_u64..30, proptest::collection::vec(any::<prop::sample::Index>(), 0..9)), 1..7,
        )
    ) {
        let mut tree = DenseTree::new(*keys().outputs());
        let mut versions: Vec<Vec<Digest>> = vec![Vec::new()];
        for (height, (appends, spends)) in (1..).zip(blocks) {
            let mut leaves = versions.last().unwrap().clone();
            let size = leaves.len();
            let spends: BTreeMap<_, _> = spends
                .iter()
                .filter(|_| size > 0)
                .map(|at| (at.index(size), digest(height << 32)))
                .collect();
            let batch: Vec<_> = spends.iter().map(|(at, leaf)| (*at as u64, *leaf)).collect();
            tree.update(&batch, Height::new(height), &Threads).unwrap();
            spends.into_iter().for_each(|(at, leaf)| leaves[at] = leaf);
            let added: Vec<_> = (0..appends).map(|at| digest(size as u64 + at)).collect();
            tree.append(&added, Height::new(height), &Threads);
            leaves.extend(added);
            versions.push(leaves);
        }
        let newest = versions.last().unwrap().clone();
        for leaves in &versions {
            let older = (0..).zip(leaves.iter().zip(&newest)).filter(|(_, (one, now))| one != now);
            let older: Vec<_> = older.map(|(at, (leaf, _))| (at, *leaf)).collect();
            check(&tree.view(leaves.len() as u64, &older).unwrap(), leaves);
        }
    }
}

#[test]
fn a_view_beyond_the_tree_or_of_a_position_beyond_the_view_is_refused() {
    let mut tree = DenseTree::new(*keys().outputs());
    tree.append(&[digest(0), digest(1)], Height::ZERO, &Threads);
    let part = crate::Part::Outputs;
    let (found, limit) = (3, 2);
    assert_eq!(
        tree.view(3, &[]).err(),
        Some(Error::Size { part, found, limit })
    );
    let (index, size) = (1, 1);
    let error = Error::Index { part, index, size };
    assert_eq!(tree.view(1, &[(1, digest(5))]).err(), Some(error));
    let error = Error::RepeatedIndex { part, index: 0 };
    let twice = [(0, digest(5)), (0, digest(6))];
    assert_eq!(tree.view(2, &twice).err(), Some(error));
}
