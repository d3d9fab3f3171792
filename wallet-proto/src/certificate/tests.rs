use super::*;

#[test]
fn a_bitmap_marks_members_from_the_lowest_bit_of_the_first_byte() {
    let bitmap = |bytes: &[u8]| Certificate {
        signers: Bytes::new(bytes.to_vec()).unwrap(),
        ..Certificate::empty(Epoch::ZERO)
    };
    for (bytes, size, signers) in [
        (&[][..], 0, &[][..]),
        (&[0b101], 3, &[0, 2]),
        (&[0x80], 8, &[7]),
        (&[0x80, 0x01], 9, &[7, 8]),
    ] {
        let signers: Vec<_> = signers.iter().map(|index| PeerIndex(*index)).collect();
        assert_eq!(bitmap(bytes).signers(size), Ok(signers), "{bytes:?}");
    }
    for (bytes, size) in [(&[1][..], 0), (&[0b1000], 3), (&[0xff, 2], 9), (&[1], 9)] {
        let found = bytes.len();
        let refused = Err(Error::Bitmap { found, size });
        assert_eq!(bitmap(bytes).signers(size), refused, "{bytes:?}");
    }
}

#[test]
fn the_largest_certificate_has_33_bytes_a_member_where_its_signatures_have_66() {
    let size = 4 + BITMAP_BYTES_MAX + 4 + 32 * limits::PEERS_MAX + 32;
    assert_eq!(size, 32_133);
    assert!(size * 2 < limits::PEERS_MAX * 66);
}
