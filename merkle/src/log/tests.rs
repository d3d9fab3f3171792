use super::*;
use crate::error::Part;
use crate::fixture::{digest, digests, keys, slow_root, slow_split};
use crate::hash::{Map, Rfc6962};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use primitives::codec::{decode, encode};
use primitives::digest::from_hex;
use proptest::prelude::*;

pub(super) fn tree_of<H: TreeHasher>(hasher: H, leaves: &[Digest]) -> LogTree<H> {
    let mut tree = LogTree::new(hasher);
    leaves.iter().for_each(|leaf| tree.append(*leaf));
    tree
}

fn block_tree(size: u64) -> LogTree {
    tree_of(*keys().block(), &digests(size))
}

/// PATH of RFC 9162, 2.1.3.1.
fn slow_inclusion<H: TreeHasher>(hasher: &H, index: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(slow_split(leaves.len()));
    let (mut path, sibling) = if index < left.len() {
        (slow_inclusion(hasher, index, left), right)
    } else {
        (slow_inclusion(hasher, index - left.len(), right), left)
    };
    path.push(slow_root(hasher, sibling));
    path
}

/// SUBPROOF of RFC 9162, 2.1.4.1.
fn slow_consistency<H: TreeHasher>(
    hasher: &H,
    old: usize,
    leaves: &[Digest],
    known: bool,
) -> Vec<Digest> {
    if old == leaves.len() {
        let root = slow_root(hasher, leaves);
        return if known { vec![] } else { vec![root] };
    }
    let (left, right) = leaves.split_at(slow_split(leaves.len()));
    let (mut path, sibling) = if old <= left.len() {
        (slow_consistency(hasher, old, left, known), right)
    } else {
        (
            slow_consistency(hasher, old - left.len(), right, false),
            left,
        )
    };
    path.push(slow_root(hasher, sibling));
    path
}

#[test]
fn roots_and_proofs_of_every_old_size_equal_those_of_the_definition() {
    let (hasher, leaves) = (*keys().block(), digests(40));
    let tree = tree_of(hasher, &leaves);
    for size in 0..=leaves.len() {
        let (at, part) = (size as u64, &leaves[..size]);
        assert_eq!(
            tree.root_at(at),
            Ok(slow_root(&hasher, part)),
            "size {size}"
        );
        for index in 0..size {
            let path = tree.prove_inclusion(index as u64, at).unwrap();
            assert_eq!(
                *path,
                *slow_inclusion(&hasher, index, part),
                "{index} of {size}"
            );
        }
        for old in 1..=size {
            let path = tree.prove_consistency(old as u64, at).unwrap();
            assert_eq!(
                *path,
                *slow_consistency(&hasher, old, part, true),
                "{old} to {size}"
            );
        }
    }
}

#[test]
fn every_proof_up_to_size_300_agrees_with_an_independent_rfc_6962_log() {
    let mut oracle = MemoryBackedTree::<sha2_oracle::Sha256, Vec<u8>>::new();
    let mut tree = LogTree::new(Rfc6962);
    let mut roots = vec![tree.sized_root().unwrap()];
    for size in 0..=300_u64 {
        let root = tree.sized_root().unwrap();
        assert_eq!(root.root.0[..], oracle.root().as_bytes()[..], "size {size}");
        for index in 0..size {
            let path = tree.prove_inclusion(index, size).unwrap();
            let proof = oracle.prove_inclusion(index as usize);
            assert_eq!(joined(&path), proof.as_bytes(), "{index} of {size}");
            let leaf = Rfc6962.leaf(&index.to_be_bytes());
            let found = root_by_inclusion(&Rfc6962, index, size, leaf, &path);
            assert_eq!(found, Ok(root.root), "{index} of {size}");
        }
        for old in 1..size {
            let path = tree.prove_consistency(old, size).unwrap();
            let proof = oracle.prove_consistency((size - old) as usize);
            assert_eq!(joined(&path), proof.as_bytes(), "{old} to {size}");
        }
        for old in &roots {
            let path = tree.prove_consistency(old.size, size).unwrap();
            let checked = verify_consistency(&Rfc6962, old, &root, &path);
            assert_eq!(checked, Ok(()), "{} to {size}", old.size);
        }
        let content = size.to_be_bytes();
        tree.append(Rfc6962.leaf(&content));
        oracle.push(content.to_vec());
        roots.push(tree.sized_root().unwrap());
    }
}

fn joined(path: &Path) -> Vec<u8> {
    path.iter().flat_map(|digest| digest.0).collect()
}

/// The leaves of the test tree that RFC 6962 logs share.
fn reference_leaves() -> Vec<Digest> {
    let contents: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"@ABC",
        b"PQRSTUVW",
        b"`abcdefghijklmno",
    ];
    contents.map(|content| Rfc6962.leaf(content)).to_vec()
}

fn hex(text: &str) -> Digest {
    Digest(from_hex(text).unwrap())
}

const REFERENCE_ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const LEAF_1: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const LEAF_4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const NODE_2_4: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const NODE_4_6: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const NODE_4_8: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const NODE_6_8: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";

#[test]
fn the_test_tree_of_rfc_6962_logs_has_its_known_roots() {
    let leaves = reference_leaves();
    for (size, want) in (1..).zip(REFERENCE_ROOTS) {
        let root = tree_of(Rfc6962, &leaves[..size]).root();
        assert_eq!(root, Ok(hex(want)), "size {size}");
    }
}

#[test]
fn the_test_tree_of_rfc_6962_logs_has_its_known_proofs() {
    let leaves = reference_leaves();
    let tree = tree_of(Rfc6962, &leaves);
    let [leaf_0, node_0_2, _, node_0_4, ..] = REFERENCE_ROOTS;
    let inclusions: [(u64, u64, &[&str]); 5] = [
        (0, 1, &[]),
        (0, 8, &[LEAF_1, NODE_2_4, NODE_4_8]),
        (5, 8, &[LEAF_4, NODE_6_8, node_0_4]),
        (2, 3, &[node_0_2]),
        (1, 5, &[leaf_0, NODE_2_4, LEAF_4]),
    ];
    for (index, size, want) in inclusions {
        let path = tree.prove_inclusion(index, size).unwrap();
        assert_eq!(
            *path,
            *want.iter().map(|text| hex(text)).collect::<Vec<_>>()
        );
        let found = root_by_inclusion(&Rfc6962, index, size, leaves[index as usize], &path);
        assert_eq!(found, Ok(hex(REFERENCE_ROOTS[size as usize - 1])));
    }
    let consistencies: [(u64, u64, &[&str]); 4] = [
        (1, 1, &[]),
        (1, 8, &[LEAF_1, NODE_2_4, NODE_4_8]),
        (6, 8, &[NODE_4_6, NODE_6_8, node_0_4]),
        (2, 5, &[NODE_2_4, LEAF_4]),
    ];
    for (old, new, want) in consistencies {
        let path = tree.prove_consistency(old, new).unwrap();
        assert_eq!(
            *path,
            *want.iter().map(|text| hex(text)).collect::<Vec<_>>()
        );
        let sized = |size: u64| SizedRoot {
            root: hex(REFERENCE_ROOTS[size as usize - 1]),
            size,
        };
        assert_eq!(
            verify_consistency(&Rfc6962, &sized(old), &sized(new), &path),
            Ok(())
        );
    }
}

#[test]
fn a_frontier_grows_as_the_whole_tree_does_and_reads_back() {
    let hasher = *keys().log(Map::Key);
    let (mut frontier, mut tree) = (Frontier::new(), LogTree::new(hasher));
    for size in 0..300 {
        assert_eq!(frontier.size(), size);
        assert_eq!(Ok(frontier.root(&hasher)), tree.root(), "size {size}");
        assert_eq!(Ok(&frontier), tree.frontier_at(size).as_ref());
        let bytes = encode(&frontier).unwrap();
        assert_eq!(bytes.len(), 8 + 32 * size.count_ones() as usize);
        assert_eq!(decode(&bytes).as_ref(), Ok(&frontier));
        frontier.append(&hasher, digest(size)).unwrap();
        tree.append(digest(size));
    }
}

#[test]
fn a_frontier_is_encoded_as_size_and_peaks_and_in_no_other_way() {
    let peaks = vec![Digest([1; 32]), Digest([2; 32])];
    let frontier = Frontier::from_peaks(Part::KeyLog, 5, peaks.clone()).unwrap();
    let golden = [&[5, 0, 0, 0, 0, 0, 0, 0][..], &[1; 32], &[2; 32]].concat();
    assert_eq!(encode(&frontier).unwrap(), golden);
    for size in (0..=255).filter(|size: &u8| size.count_ones() != 2) {
        let mut bytes = golden.clone();
        bytes[0] = size;
        assert!(decode::<Frontier>(&bytes).is_err(), "size {size}");
    }
    let error = Frontier::from_peaks(Part::KeyLog, 7, peaks).unwrap_err();
    assert_eq!(error.to_string(), "key log: 2 peaks where 3 were due");
}

#[test]
fn a_full_frontier_refuses_one_more_leaf() {
    let hasher = *keys().log(Map::Key);
    let mut frontier = Frontier::from_peaks(Part::KeyLog, u64::MAX, digests(64)).unwrap();
    let before = frontier.clone();
    let limit = u64::MAX;
    let part = Part::KeyLog;
    assert_eq!(
        frontier.append(&hasher, digest(1)),
        Err(Error::Full { part, limit })
    );
    assert_eq!(frontier, before);
    assert_eq!(decode::<Frontier>(&encode(&before).unwrap()), Ok(before));
}

#[test]
fn no_changed_inclusion_proof_leads_to_the_same_root() {
    let hasher = *keys().block();
    for size in 1..=17 {
        let tree = block_tree(size);
        let root = tree.root().unwrap();
        for index in 0..size {
            let path = tree.prove_inclusion(index, size).unwrap().to_vec();
            let passes = |index, leaf, path: &[Digest]| {
                root_by_inclusion(&hasher, index, size, leaf, path) == Ok(root)
            };
            assert!(passes(index, digest(index), &path));
            for other in (0..size + 2).filter(|other| *other != index) {
                assert!(
                    !passes(other, digest(index), &path),
                    "{index} as {other} of {size}"
                );
                assert!(
                    !passes(index, digest(other), &path),
                    "{other} at {index} of {size}"
                );
            }
            for changed in changes(&path) {
                assert!(!passes(index, digest(index), &changed), "{index} of {size}");
            }
        }
    }
}

#[test]
fn no_changed_consistency_proof_passes() {
    let hasher = *keys().block();
    let tree = block_tree(17);
    let at = |size| SizedRoot {
        root: tree.root_at(size).unwrap(),
        size,
    };
    for new in 0..=17 {
        for old in 0..=new {
            let path = tree.prove_consistency(old, new).unwrap().to_vec();
            let passes = |old: &SizedRoot, new: &SizedRoot, path: &[Digest]| {
                verify_consistency(&hasher, old, new, path).is_ok()
            };
            assert!(passes(&at(old), &at(new), &path), "{old} to {new}");
            for changed in changes(&path) {
                assert!(!passes(&at(old), &at(new), &changed), "{old} to {new}");
            }
            for other in (0..=17).filter(|other| *other != old) {
                let wrong = SizedRoot {
                    size: old,
                    ..at(other)
                };
                assert!(
                    !passes(&wrong, &at(new), &path),
                    "{other} as {old} to {new}"
                );
            }
            // Any log continues the empty one.
            for other in (0..=17).filter(|other| *other != new && (old > 0 || new == 0)) {
                let wrong = SizedRoot {
                    size: new,
                    ..at(other)
                };
                assert!(
                    !passes(&at(old), &wrong, &path),
                    "{old} to {other} as {new}"
                );
            }
        }
    }
}

/// The path with each byte changed, each digest left out or doubled.
pub(super) fn changes(path: &[Digest]) -> Vec<Vec<Digest>> {
    let mut all = vec![
        [path, &[digest(99)]].concat(),
        [&[digest(99)], path].concat(),
    ];
    for at in 0..path.len() {
        let mut shorter = path.to_vec();
        shorter.remove(at);
        let mut longer = path.to_vec();
        longer.insert(at, path[at]);
        all.extend([shorter, longer]);
        for byte in 0..32 {
            let mut changed = path.to_vec();
            changed[at].0[byte] ^= 1;
            all.push(changed);
        }
    }
    all
}

#[test]
fn errors_name_the_log_and_the_two_numbers_that_disagree() {
    let (hasher, tree) = (*keys().block(), block_tree(5));
    let cases = [
        (
            tree.prove_inclusion(5, 5).err(),
            "block tree: index 5 where the size is 5",
        ),
        (
            tree.prove_inclusion(5, 6).err(),
            "block tree: size 6 where at most 5 is possible",
        ),
        (
            tree.prove_consistency(4, 3).err(),
            "block tree: size 4 where at most 3 is possible",
        ),
        (
            tree.frontier_at(6).err(),
            "block tree: size 6 where at most 5 is possible",
        ),
        (
            root_by_inclusion(&hasher, 0, 5, digest(0), &[]).err(),
            "block tree proof: sibling count 0 where 3 was due",
        ),
        (
            root_by_inclusion(&hasher, 0, 0, digest(0), &[]).err(),
            "block tree: index 0 where the size is 0",
        ),
    ];
    for (error, want) in cases {
        assert_eq!(error.unwrap().to_string(), want);
    }
}

proptest! {
    #[test]
    fn proofs_of_great_logs_never_overflow(index: u64, size: u64, old: u64, length in 0_usize..70) {
        let hasher = *keys().block();
        let path = vec![Digest([1; 32]); length];
        let checked = root_by_inclusion(&hasher, index, size, digest(0), &path);
        prop_assert_eq!(checked.is_ok() && index >= size, false);
        let sized = |size| SizedRoot { root: digest(0), size };
        if old != size {
            prop_assert!(verify_consistency(&hasher, &sized(old), &sized(size), &path).is_err());
        }
    }
}
