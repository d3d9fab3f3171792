use super::*;
use proptest::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
struct Sample {
    version: u8,
    number: u64,
    flag: bool,
    maybe: Option<u16>,
    list: List<u32, 4>,
    bytes: Bytes<8>,
}

impl Canonical for Sample {
    const BYTES_MAX: usize = 64;
}

fn sample() -> Sample {
    Sample {
        version: 1,
        number: 0x0102_0304,
        flag: true,
        maybe: Some(7),
        list: List::new(vec![5, 6]).unwrap(),
        bytes: Bytes::new(vec![9, 8]).unwrap(),
    }
}

#[test]
fn the_encoding_is_fixed_width_and_little_endian() {
    let golden = [
        1, 4, 3, 2, 1, 0, 0, 0, 0, 1, 1, 7, 0, 2, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 0, 9, 8,
    ];
    assert_eq!(encode(&sample()).unwrap(), golden);
    assert_eq!(decode::<Sample>(&golden).unwrap(), sample());
}

#[test]
fn every_cut_every_extra_byte_and_every_long_count_is_refused() {
    let bytes = encode(&sample()).unwrap();
    for length in 0..bytes.len() {
        assert!(
            decode::<Sample>(&bytes[..length]).is_err(),
            "cut at {length}"
        );
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(decode::<Sample>(&longer), Err(Error::NotCanonical));
    let mut many = bytes.clone();
    many[13] = 5;
    assert!(matches!(
        decode::<Sample>(&many),
        Err(Error::Undecodable { .. })
    ));
    let mut flag = bytes;
    flag[9] = 2;
    assert!(matches!(
        decode::<Sample>(&flag),
        Err(Error::Undecodable { .. })
    ));
    assert_eq!(
        decode::<Sample>(&[0; 65]),
        Err(Error::TooLong {
            found: 65,
            limit: 64
        })
    );
}

proptest! {
    #[test]
    fn bytes_that_decode_are_the_encoding_of_what_they_decode_to(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = decode::<Sample>(&bytes) {
            prop_assert_eq!(encode(&value).unwrap(), bytes);
        }
    }
}
