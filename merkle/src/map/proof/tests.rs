use super::super::MapTree;
use super::*;
use crate::fixture::{check_tampering, digest, keys};
use crate::hash::Map;
use crate::workers::Sequential;
use primitives::codec::{decode, encode};
use primitives::units::Height;
use proptest::prelude::*;

fn path_of(bits: &[u8]) -> MapPath {
    let branches = bits.iter().map(|bit| (*bit, Digest([*bit; 32]))).collect();
    MapPath { branches }
}

#[test]
fn a_path_is_counts_then_gaps_then_siblings() {
    let cases: [(&[u8], &[u8]); 7] = [
        (&[], &[0, 0]),
        (&[0, 1, 2], &[3, 3]),
        (&[1], &[1, 0, 1]),
        (&[0, 1, 4, 5, 9], &[5, 2, 2, 0, 3]),
        (&[255], &[1, 0, 255]),
        (&[0, 255], &[2, 1, 254]),
        (&[7, 254, 255], &[3, 0, 7, 246, 0]),
    ];
    for (bits, head) in cases {
        let path = path_of(bits);
        let siblings = bits.iter().flat_map(|bit| [*bit; 32]);
        let golden: Vec<u8> = [0]
            .into_iter()
            .chain(head.to_vec())
            .chain(siblings)
            .collect();
        let proof = MapProof::Present { path };
        assert_eq!(encode(&proof).unwrap(), golden, "{bits:?}");
        assert_eq!(decode(&golden), Ok(proof), "{bits:?}");
    }
}

#[test]
fn an_absence_adds_the_other_leaf_and_an_empty_map_one_byte() {
    let absent = MapProof::Absent {
        path: path_of(&[1]),
        position: Digest([8; 32]),
        record_hash: Digest([9; 32]),
    };
    let golden = [&[1, 1, 0, 1][..], &[1; 32], &[8; 32], &[9; 32]].concat();
    assert_eq!(encode(&absent).unwrap(), golden);
    assert_eq!(decode(&golden), Ok(absent));
    assert_eq!(encode(&MapProof::Empty).unwrap(), [2]);
    assert_eq!(decode(&[2]), Ok(MapProof::Empty));
}

#[test]
fn heads_that_are_out_of_order_or_not_the_shortest_are_refused() {
    let cases: [(&[u8], usize); 6] = [
        (&[0, 1, 0, 0], 1),       // a first gap of zero: the level is dense
        (&[0, 1, 2], 1),          // more dense levels than siblings
        (&[0, 2, 0, 255, 0], 2),  // a branch below bit 255
        (&[0, 2, 0, 200, 55], 2), // the same by one
        (&[0, 255, 254, 2], 255), // the same at full depth
        (&[3], 0),                // no such kind
    ];
    for (head, siblings) in cases {
        let mut bytes = head.to_vec();
        bytes.resize(head.len() + 32 * siblings, 0);
        assert!(decode::<MapProof>(&bytes).is_err(), "{head:?}");
    }
}

#[test]
fn the_longest_proof_reads_back() {
    let bits: Vec<u8> = (1..=255).collect();
    let proof = MapProof::Absent {
        path: path_of(&bits),
        position: digest(1),
        record_hash: digest(2),
    };
    let bytes = encode(&proof).unwrap();
    assert_eq!(bytes.len(), MapProof::BYTES_MAX);
    assert_eq!(decode(&bytes), Ok(proof));
}

#[test]
fn no_changed_proof_of_a_small_map_leads_to_its_root() {
    let keys = keys();
    let hasher = keys.map(Map::Name);
    for size in 0..=9 {
        let mut tree = MapTree::new(Map::Name, &keys);
        let records: Vec<_> = (0..size).map(|at| (digest(at), digest(at + 100))).collect();
        tree.update(&records, Height::ZERO, &Sequential).unwrap();
        let root = Ok(tree.sized_root().root);
        for (position, record_hash) in &records {
            let proof = tree.prove(position).unwrap();
            check_tampering(&proof, |proof| {
                proof.root_if_present(hasher, position, record_hash) == root
            });
        }
        for position in [digest(50), digest(51)] {
            let proof = tree.prove(&position).unwrap();
            check_tampering(&proof, |proof| {
                proof.root_if_absent(hasher, &position) == root
            });
        }
    }
}

#[test]
fn a_present_position_is_never_shown_absent_by_the_leaf_and_path_of_another() {
    let keys = keys();
    let hasher = keys.map(Map::Key);
    let mut tree = MapTree::new(Map::Key, &keys);
    let records: Vec<_> = (0..300).map(|at| (digest(at), digest(at + 1000))).collect();
    tree.update(&records, Height::ZERO, &Sequential).unwrap();
    let root = tree.sized_root().root;
    for (position, record_hash) in &records {
        let MapProof::Present { path } = tree.prove(position).unwrap() else {
            panic!("{position} is absent");
        };
        let forged = MapProof::Absent {
            path,
            position: *position,
            record_hash: *record_hash,
        };
        for (victim, _) in records.iter().filter(|(victim, _)| victim != position) {
            assert_ne!(forged.root_if_absent(hasher, victim), Ok(root), "{victim}");
        }
        let itself = forged.root_if_absent(hasher, position);
        let (part, position) = (Part::KeyMap, *position);
        assert_eq!(itself, Err(Error::NotAbsent { part, position }));
    }
}

proptest! {
    #[test]
    fn bytes_that_decode_are_the_encoding_of_what_they_decode_to(
        kind in 0_u8..3, count in 0_u8..5, dense in 0_u8..5, rest in proptest::collection::vec(any::<u8>(), 0..240)
    ) {
        let bytes = [&[kind, count, dense], rest.as_slice()].concat();
        for length in 0..=bytes.len() {
            if let Ok(proof) = decode::<MapProof>(&bytes[..length]) {
                prop_assert_eq!(&encode(&proof).unwrap(), &bytes[..length]);
            }
        }
    }
}
