use std::collections::BTreeSet;

use super::*;
use crate::fixture::keys;
use primitives::digest::from_hex;

fn trees(keys: &TreeKeys) -> [(&'static str, &B3); 5] {
    [
        ("block", keys.block()),
        ("tx", keys.transactions()),
        ("klog", keys.log(Map::Key)),
        ("nlog", keys.log(Map::Name)),
        ("outs", keys.outputs()),
    ]
}

/// Every hash of every tree over the same content, by name.
fn all_hashes(keys: &TreeKeys) -> Vec<(String, Digest)> {
    let (left, right) = (Digest([1; 32]), Digest([2; 32]));
    let content = [left.0, right.0].concat();
    let mut hashes = Vec::new();
    for (name, tree) in trees(keys) {
        hashes.push((format!("{name} leaf"), tree.leaf(&content)));
        hashes.push((format!("{name} node"), tree.node(&left, &right)));
        hashes.push((format!("{name} empty"), tree.empty()));
    }
    for (name, map) in [("keymap", Map::Key), ("namemap", Map::Name)] {
        let map = keys.map(map);
        hashes.push((format!("{name} leaf"), map.leaf(&left, &right)));
        hashes.push((format!("{name} empty"), map.empty()));
        let record = keyed(map.record_key(), &[&content]);
        hashes.push((format!("{name} record"), record));
        for bit in 0..=u8::MAX {
            hashes.push((format!("{name} node {bit}"), map.node(bit, &left, &right)));
        }
    }
    let others = [
        ("outs spent", &keys.spent),
        ("top node", &keys.top),
        ("block size", &keys.block_size),
        ("keymap size", &keys.key_size),
        ("namemap size", &keys.name_size),
        ("outs size", &keys.outputs_size),
    ];
    for (name, key) in others {
        hashes.push((name.into(), keyed_pair(key, &left, &right)));
    }
    hashes
}

#[test]
fn hashes_have_golden_values() {
    let hashes = all_hashes(&keys());
    let shown = |name: &String| !name.contains("map node") || name.ends_with(" 0");
    let lines: Vec<String> = hashes
        .iter()
        .filter(|(name, _)| shown(name))
        .map(|(name, hash)| format!("{name} {hash}"))
        .collect();
    assert_eq!(lines.join("\n"), include_str!("golden.txt").trim_end());
    let bytes: Vec<u8> = hashes.iter().flat_map(|(_, hash)| hash.0).collect();
    let everything = derive(Domain::TestKey, &[&bytes]).to_string();
    assert_eq!(
        everything, "f41feae49e7a8012ca890343ecbefd1481f1a6776184a0726781391f3dc5bc64",
        "all hashes with every branch bit"
    );
}

#[test]
fn keys_are_derived_from_the_tag_the_chain_and_the_branch_bit() {
    let chain = Digest([7; 32]);
    let (left, right) = (Digest([1; 32]), Digest([2; 32]));
    let node_key = |bit: u16| {
        let tag = Domain::Tree(Tree::KeyMap, Kind::Node);
        derive(tag, &[&chain.0, &bit.to_le_bytes()])
    };
    for bit in [0, 1, 128, 255] {
        let want = keyed(&node_key(u16::from(bit)), &[&left.0, &right.0]);
        assert_eq!(
            keys().map(Map::Key).node(bit, &left, &right),
            want,
            "bit {bit}"
        );
    }
}

#[test]
fn no_two_hashes_of_one_content_are_equal_except_transaction_nodes_of_two_chains() {
    let (ours, theirs) = (
        all_hashes(&keys()),
        all_hashes(&TreeKeys::new(&Digest([8; 32]))),
    );
    let distinct: BTreeSet<_> = ours.iter().chain(&theirs).map(|(_, hash)| *hash).collect();
    assert_eq!(distinct.len(), ours.len() + theirs.len() - 1);
    let of = |hashes: &[(String, Digest)]| {
        hashes
            .iter()
            .find(|(name, _)| name == "tx node")
            .map(|(_, hash)| *hash)
    };
    assert_eq!(of(&ours), of(&theirs));
}

#[test]
fn the_rfc_6962_instance_gives_the_known_answers() {
    let cases = [
        (
            Rfc6962.empty(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            Rfc6962.leaf(b""),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        ),
    ];
    for (hash, want) in cases {
        assert_eq!(hash.0, from_hex::<32>(want).unwrap());
    }
}
