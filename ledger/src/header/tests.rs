use super::*;
use crate::test_chain::{TestChain, bytes, check_golden, check_text};
use primitives::codec::decode;

fn header() -> Header {
    let mut header = *TestChain::new().ledger.header();
    header.next_committee = Some(Digest([3; 32]));
    header
}

#[test]
fn the_encoding_and_the_consensus_root_are_golden() {
    check_golden(&header(), "310 bytes 93cd684a");
    assert_eq!(bytes(&header()).len(), Header::BYTES_MAX);
    check_text(
        &header().root().unwrap().to_string(),
        "b4698bc7d8c682aa3d61915ac6fd2a764a5bca92ff11da804914f57c71ac06b7",
    );
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
