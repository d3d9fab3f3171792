use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[test]
fn a_frame_is_its_length_in_four_bytes_little_endian_and_its_bytes() {
    let frames = [
        Bytes::from_static(b"abc"),
        Bytes::new(),
        Bytes::from_static(b"z"),
    ];
    let golden = b"\x03\0\0\0abc\0\0\0\0\x01\0\0\0z";
    assert_eq!(pack(&frames).concat(), golden);
}

#[test]
fn small_frames_become_one_chunk_and_large_ones_are_not_copied() {
    let small = Bytes::from(vec![1; COPY_BYTES_MAX - 1]);
    let large = Bytes::from(vec![2; COPY_BYTES_MAX]);
    assert_eq!(
        pack(&[small.clone(), small.clone(), small.clone()]).len(),
        1
    );
    let chunks = pack(&[small.clone(), large.clone(), small]);
    let lengths: Vec<_> = chunks.iter().map(Bytes::len).collect();
    let around = COPY_BYTES_MAX - 1 + LENGTH_BYTES;
    assert_eq!(lengths, [around + LENGTH_BYTES, large.len(), around]);
    assert_eq!(
        chunks.get(1).map(|chunk| chunk.as_ptr()),
        Some(large.as_ptr())
    );
}

proptest! {
    #[test]
    fn packed_frames_are_the_frames_one_after_another(
        sizes in vec(prop_oneof![0_usize..64, COPY_BYTES_MAX - 2..COPY_BYTES_MAX + 2], 0..12),
    ) {
        let frames: Vec<_> =
            (0..).zip(sizes).map(|(fill, size)| Bytes::from(vec![fill; size])).collect();
        let model: Vec<u8> = frames
            .iter()
            .flat_map(|frame: &Bytes| {
                let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
                [length.as_slice(), frame].concat()
            })
            .collect();
        let chunks = pack(&frames);
        prop_assert!(chunks.iter().all(|chunk| !chunk.is_empty()));
        prop_assert_eq!(chunks.concat(), model);
    }
}
