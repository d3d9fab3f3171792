use super::super::tests::{position, records};
use super::super::{MapTree, Records};
use super::*;
use crate::fixture::{digest, keys};
use crate::hash::Map;
use crate::workers::Sequential;
use primitives::codec::{decode, encode};
use proptest::prelude::*;

const PART: Part = Part::KeyMap;

fn digests_of(proof: &MapProof) -> Vec<(u32, Digest)> {
    let (path, end) = match proof {
        MapProof::Present { path } => (path.branches(), vec![]),
        MapProof::Absent {
            path,
            position,
            record_hash,
        } => (path.branches(), vec![(256, *position), (257, *record_hash)]),
        MapProof::Empty => (&[][..], vec![]),
    };
    let bits = path.iter().map(|(bit, digest)| (u32::from(*bit), *digest));
    bits.chain(end).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whoever_holds_a_proof_of_any_block_gets_the_newest_and_only_what_changed(
        blocks in proptest::collection::vec(records(50), 1..7),
        asked in proptest::collection::vec(position(), 20),
    ) {
        let mut tree = MapTree::new(Map::Key, &keys());
        let mut asked: Vec<_> = asked;
        // Those too that come to be later.
        asked.extend(blocks.iter().flat_map(|block| block.keys().take(8)));
        let prove = |tree: &MapTree| -> Vec<_> {
            asked.iter().map(|at| tree.prove(at).unwrap()).collect()
        };
        let mut versions = vec![(Height::ZERO, prove(&tree))];
        let mut all = Records::new();
        for (height, block) in (1..).zip(blocks) {
            // Records that are set to what they are do not count as changed.
            let batch: Vec<_> = block
                .into_iter()
                .filter(|(at, hash)| all.insert(*at, *hash) != Some(*hash))
                .collect();
            tree.update(&batch, Height::new(height), &Sequential).unwrap();
            versions.push((Height::new(height), prove(&tree)));
        }
        let newest = prove(&tree);
        for (held_at, held) in &versions {
            for ((position, held), newest) in asked.iter().zip(held).zip(&newest) {
                let refresh = tree.refresh(position, *held_at).unwrap();
                let bytes = encode(&refresh).unwrap();
                let read: MapRefresh = decode(&bytes).unwrap();
                let found = read.apply(PART, held);
                prop_assert_eq!(found.as_ref(), Ok(newest));
                let (before, now) = (digests_of(held), digests_of(newest));
                let path = |digests: &[(u32, Digest)]| -> Vec<(u32, Digest)> {
                    digests.iter().copied().filter(|(bit, _)| *bit < 256).collect()
                };
                let fresh = path(&now).iter().filter(|at| !before.contains(at)).count();
                let sent = refresh.sent.count_sent();
                prop_assert_eq!(sent, fresh, "held {:?}", held_at);
            }
        }
    }
}

#[test]
fn a_refresh_is_a_tag_the_bits_of_the_path_which_siblings_are_sent_and_these() {
    let sent = [Some(Digest([1; 32])), None, Some(Digest([3; 32]))];
    let refresh = |end| MapRefresh {
        end,
        bits: vec![0, 1, 5],
        sent: sent.into_iter().collect(),
    };
    let path = [&[3, 2, 3, 0b101][..], &[1; 32], &[3; 32]].concat();
    let (position, record_hash) = (Digest([8; 32]), Digest([9; 32]));
    let empty = MapRefresh {
        end: End::Empty,
        bits: vec![],
        sent: Sent::default(),
    };
    let cases = [
        (refresh(End::Present), [&[0], &path[..]].concat()),
        (
            refresh(End::Absent(position, record_hash)),
            [&[1], &path[..], &[8; 32], &[9; 32]].concat(),
        ),
        (empty, vec![2]),
        (refresh(End::AbsentAsHeld), [&[3], &path[..]].concat()),
    ];
    for (refresh, golden) in cases {
        assert_eq!(encode(&refresh).unwrap(), golden);
        assert_eq!(decode(&golden), Ok(refresh));
        let mut idle = golden.clone();
        if let Some(bits) = idle.get_mut(4) {
            *bits |= 0b1000;
            assert!(decode::<MapRefresh>(&idle).is_err(), "an idle bit is set");
        }
        for longer in [&[0][..], &[0; 32]] {
            let longer = [&golden, longer].concat();
            assert!(decode::<MapRefresh>(&longer).is_err());
        }
    }
    assert!(decode::<MapRefresh>(&[4, 0, 0]).is_err());
}

#[test]
fn what_is_kept_but_was_not_held_is_refused() {
    let kept = MapRefresh {
        end: End::Present,
        bits: vec![4],
        sent: [None].into_iter().collect(),
    };
    let path = |bit| MapPath::new(PART, vec![(bit, digest(1))]).unwrap();
    let held = MapProof::Present { path: path(4) };
    assert_eq!(kept.apply(PART, &held), Ok(held));
    for held in [MapProof::Present { path: path(3) }, MapProof::Empty] {
        let error = Error::NotHeld {
            part: PART,
            level: 4,
        };
        assert_eq!(kept.apply(PART, &held), Err(error));
    }
    let kept = MapRefresh {
        end: End::AbsentAsHeld,
        ..kept
    };
    let held = MapProof::Present { path: path(4) };
    let error = Error::NotHeld {
        part: PART,
        level: 256,
    };
    assert_eq!(kept.apply(PART, &held), Err(error));
}
