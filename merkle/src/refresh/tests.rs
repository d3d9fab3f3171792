use super::*;
use crate::dense::DenseTree;
use crate::fixture::{check_tampering, digest, keys};
use crate::workers::Sequential;
use primitives::codec::{decode, encode};
use proptest::prelude::*;

#[test]
fn a_stamp_from_2_to_the_32_minus_1_on_is_later_than_any_block() {
    let last = u64::from(u32::MAX);
    let held = |height| Height::new(height);
    assert!(Stamp::at(held(5)).is_after(held(4)));
    assert!(!Stamp::at(held(5)).is_after(held(5)));
    assert!(!Stamp::at(held(last - 1)).is_after(held(last - 1)));
    assert!(Stamp::at(held(last)).is_after(held(last + 9)));
    assert!(Stamp::at(held(last + 1)).is_after(held(u64::MAX)));
}

#[test]
fn a_refresh_is_a_count_which_siblings_are_sent_and_these() {
    let mut digests = vec![None; 10];
    (digests[0], digests[9]) = (Some(Digest([1; 32])), Some(Digest([2; 32])));
    let refresh = PathRefresh::new(digests.into_iter().collect());
    let golden = [&[10, 1, 2][..], &[1; 32], &[2; 32]].concat();
    assert_eq!(encode(&refresh).unwrap(), golden);
    assert_eq!(decode(&golden), Ok(refresh));
    for idle in [4, 8, 128] {
        let mut bytes = golden.clone();
        bytes[2] |= idle;
        assert!(decode::<PathRefresh>(&bytes).is_err(), "bit {idle}");
    }
    assert!(decode::<PathRefresh>(&[&[65][..], &[0; 9]].concat()).is_err());
    assert!(decode::<PathRefresh>(&[&[64][..], &[0; 8]].concat()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn whoever_holds_a_path_of_any_block_gets_the_newest_and_only_what_changed(
        blocks in proptest::collection::vec(
            (0_u64..20, proptest::collection::vec(any::<prop::sample::Index>(), 0..4)), 1..7,
        )
    ) {
        let mut tree = DenseTree::new(*keys().outputs());
        let mut versions = Vec::new();
        for (height, (appends, spends)) in (1..).zip(blocks) {
            let size = tree.size();
            if size > 0 {
                let leaf = |at: &prop::sample::Index| {
                    (at.index(size as usize) as u64, digest(height << 32))
                };
                let spends: std::collections::BTreeMap<_, _> = spends.iter().map(leaf).collect();
                let spends: Vec<_> = spends.into_iter().collect();
                tree.update(&spends, Height::new(height), &Sequential).unwrap();
            }
            let added: Vec<_> = (size..size + appends).map(digest).collect();
            tree.append(&added, Height::new(height), &Sequential);
            let paths: Vec<_> = (0..tree.size()).map(|at| tree.prove(at).unwrap()).collect();
            versions.push((Height::new(height), paths));
        }
        let size = tree.size();
        for (held_at, paths) in &versions {
            let held_size = paths.len() as u64;
            for (at, held) in (0..).zip(paths) {
                let newest = tree.prove(at).unwrap();
                let refresh = tree.refresh(at, *held_at).unwrap();
                let read: PathRefresh = decode(&encode(&refresh).unwrap()).unwrap();
                let found = read.apply(Part::Outputs, at, (held_size, held), size);
                prop_assert_eq!(found.as_ref(), Ok(&newest), "{} of {}", at, held_size);
                let before: Vec<_> = levels(at, held_size).into_iter().zip(held.iter()).collect();
                let now = levels(at, size).into_iter().zip(newest.iter());
                let fresh = now.filter(|pair| !before.contains(pair)).count();
                prop_assert_eq!(read.0.count_sent(), fresh);
            }
        }
    }
}

#[test]
fn no_changed_refresh_gives_back_the_newest_path() {
    let mut tree = DenseTree::new(*keys().outputs());
    let leaves: Vec<_> = (0..13).map(digest).collect();
    tree.append(&leaves, Height::new(1), &Sequential);
    let held: Vec<_> = (0..13).map(|at| tree.prove(at).unwrap()).collect();
    tree.update(&[(3, digest(99))], Height::new(2), &Sequential)
        .unwrap();
    tree.append(&leaves, Height::new(2), &Sequential);
    for (at, held) in (0..).zip(&held) {
        let newest = Ok(tree.prove(at).unwrap());
        let refresh = tree.refresh(at, Height::new(1)).unwrap();
        let part = Part::Outputs;
        check_tampering(&refresh, |refresh| {
            refresh.apply(part, at, (13, held), 26) == newest
        });
        // An index beyond either size.
        for (held_size, size) in [(at, 26), (13, at)] {
            let found = refresh.apply(part, at, (held_size, held), size);
            let (index, size) = (at, at);
            assert_eq!(found, Err(Error::Index { part, index, size }));
        }
    }
}
