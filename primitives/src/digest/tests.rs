use super::*;

#[test]
fn hashes_have_golden_values() {
    let cases = [
        (
            derive(Domain::Event, &[b"abc"]),
            blake3::derive_key("primus v1 event", b"abc"),
        ),
        (
            derive(Domain::Event, &[b"a", b"bc"]),
            blake3::derive_key("primus v1 event", b"abc"),
        ),
        (
            keyed(&Digest([7; 32]), &[b"abc"]),
            *blake3::keyed_hash(&[7; 32], b"abc").as_bytes(),
        ),
    ];
    for (got, want) in cases {
        assert_eq!(got, Digest(want));
    }
}

#[test]
fn a_pair_hashes_as_its_64_bytes() {
    let mut key = keyed(&Digest::ZERO, &[]);
    for _ in 0..1_000 {
        let (left, right) = (keyed(&key, &[b"left"]), keyed(&key, &[b"right"]));
        let want = keyed(&key, &[&left.0, &right.0]);
        assert_eq!(keyed_pair(&key, &left, &right), want);
        key = want;
    }
}

#[test]
fn many_nodes_hash_as_one_by_one() {
    let key = Digest([3; 32]);
    let node = |number: u8| [Digest([number; 32]), Digest([!number; 32])];
    for count in 0..=70 {
        let nodes: Vec<_> = (0..count).map(node).collect();
        let want: Vec<_> = nodes
            .iter()
            .map(|[left, right]| keyed_pair(&key, left, right))
            .collect();
        assert_eq!(keyed_pairs(&key, &nodes), want, "{count} nodes");
    }
}

#[test]
fn hexadecimal_reads_back_and_refuses_everything_else() {
    let digest = Digest([0xa5; 32]);
    assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
    for text in [
        "",
        "a5",
        &"g5".repeat(32),
        &"+5".repeat(32),
        &"é".repeat(32),
    ] {
        assert!(text.parse::<Digest>().is_err(), "{text}");
    }
}
