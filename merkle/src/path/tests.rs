use super::*;
use crate::fixture::digests;
use primitives::codec::{Canonical, decode, encode};

#[derive(Debug, PartialEq, Encode, Decode)]
#[bincode(crate = "primitives::codec::bincode")]
struct Whole(Path);

impl Canonical for Whole {
    const BYTES_MAX: usize = 1 + 255 * 32;
}

#[test]
fn a_path_is_a_count_and_its_digests() {
    let path = Path::new(vec![Digest([1; 32]), Digest([2; 32])]).unwrap();
    let bytes = encode(&Whole(path.clone())).unwrap();
    assert_eq!(bytes, [&[2][..], &[1; 32], &[2; 32]].concat());
    assert_eq!(decode(&bytes), Ok(Whole(path)));
}

#[test]
fn a_path_of_64_digests_passes_and_one_of_65_does_not() {
    let path = Path::new(digests(64)).unwrap();
    let bytes = encode(&Whole(path)).unwrap();
    assert_eq!(bytes.len(), Path::BYTES_MAX);
    assert!(decode::<Whole>(&bytes).is_ok());
    assert!(Path::new(digests(65)).is_err());
    let mut longer = vec![65];
    longer.resize(1 + 65 * 32, 0);
    assert!(decode::<Whole>(&longer).is_err());
}
