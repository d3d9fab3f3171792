use super::*;
use crate::test_chain::{check_text, named};
use crate::tx::{Body, Kind};
use primitives::codec;

#[test]
fn names_are_written_in_one_way() {
    let longest = "a".repeat(64);
    for text in ["a", "7", "anna", "a-1", "a--b", longest.as_str()] {
        let name: Name = text.parse().unwrap();
        assert_eq!((name.as_str(), name.to_string().as_str()), (text, text));
    }
    let too_long = "a".repeat(65);
    let others = [
        "",
        "-",
        "-a",
        "a-",
        "Anna",
        "a b",
        "a.b",
        "ann\u{e4}",
        "a\n",
        too_long.as_str(),
    ];
    for text in others {
        assert_eq!(text.parse::<Name>(), Err(Error::Name), "{text:?}");
    }
}

#[test]
fn bytes_that_are_no_name_do_not_decode() {
    let body = |name: &str| {
        Body::of(Kind::Name {
            name: named(name),
            to: PublicKey([1; 32]),
            from: None,
        })
    };
    let bytes = codec::encode(&body("anna")).unwrap();
    assert_eq!(codec::decode::<Body>(&bytes), Ok(body("anna")));
    let place = bytes.windows(4).position(|it| it == b"anna").unwrap();
    for byte in [b'A', b'-', b' ', 0, 0xff] {
        let mut bytes = bytes.clone();
        bytes[place] = byte;
        assert!(codec::decode::<Body>(&bytes).is_err(), "{byte}");
    }
}

#[test]
fn the_position_of_a_name_is_golden() {
    let position = named("anna").position();
    check_text(
        &position.to_string(),
        "5166f781641e53c708ef510f226d238dfb5ea128dfbbdeaa5bdcc6a42180b20d",
    );
}
