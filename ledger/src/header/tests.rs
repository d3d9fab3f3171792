use super::*;
use crate::test_chain::{TestChain, bytes, check_golden};
use primitives::codec::decode;

fn header() -> Header {
    let mut header = *TestChain::new().ledger.header();
    header.next_committee = Some(Digest([3; 32]));
    header
}

#[test]
fn the_encoding_and_the_consensus_root_are_golden() {
    check_golden(&header(), "");
    assert_eq!(bytes(&header()).len(), Header::BYTES_MAX);
    assert_eq!(header().root().unwrap().to_string(), "");
}

#[test]
fn every_flipped_byte_of_a_header_changes_its_root() {
    let good = bytes(&header());
    let root = header().root().unwrap();
    for position in 0..good.len() {
        let mut bad = good.clone();
        bad[position] ^= 1;
        if let Ok(changed) = decode::<Header>(&bad) {
            assert_ne!(changed.root().unwrap(), root, "byte {position}");
        }
    }
}
