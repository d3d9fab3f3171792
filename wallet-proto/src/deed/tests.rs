use primitives::Digest;

use super::*;

pub(crate) fn field(salt: u8, name: &str, value: &[u8]) -> Field {
    Field {
        salt: [salt; 32],
        name: Bytes::new(name.as_bytes().to_vec()).unwrap(),
        value: Bytes::new(value.to_vec()).unwrap(),
    }
}

pub(crate) fn fields(names: &[&str]) -> Fields {
    let field = |(salt, name): (u8, &&str)| field(salt, name, name.as_bytes());
    List::new((1..).zip(names).map(field).collect()).unwrap()
}

const CHAIN: Digest = Digest([9; 32]);

#[test]
fn a_memo_keeps_its_bytes() {
    let memo = memo(&CHAIN, &fields(&["amount", "buyer", "seller"])).unwrap();
    let golden = "6931ef5f3863af11555aa5c792e5e476184124f9ffee0e171966900a966af9c7";
    assert_eq!(memo.to_string(), golden);
}

#[test]
fn every_part_of_a_field_its_number_and_the_chain_change_the_memo() {
    let whole = fields(&["amount", "buyer", "seller"]);
    let due = memo(&CHAIN, &whole).unwrap();
    let changes: [fn(&mut Field); 3] = [
        |field| field.salt[31] ^= 1,
        |field| field.name = Bytes::new(b"bywer".to_vec()).unwrap(),
        |field| field.value = Bytes::new(b"buyer ".to_vec()).unwrap(),
    ];
    for change in changes {
        let mut changed = whole.to_vec();
        change(&mut changed[1]);
        assert_ne!(memo(&CHAIN, &List::new(changed).unwrap()).unwrap(), due);
    }
    let fewer = List::new(whole[..2].to_vec()).unwrap();
    assert_ne!(memo(&CHAIN, &fewer).unwrap(), due);
    assert_ne!(memo(&Digest([8; 32]), &whole).unwrap(), due);
}

#[test]
fn names_that_do_not_ascend_strictly_are_refused() {
    let out_of_order = [
        &["a", "a"][..],
        &["b", "a"],
        &["a", "c", "b"],
        &["a", "b", "b"],
    ];
    for names in out_of_order {
        let index = names.len() - 1;
        let refused = memo(&CHAIN, &fields(names));
        assert_eq!(refused, Err(Error::FieldOrder { index }), "{names:?}");
    }
    assert_eq!(
        memo(&CHAIN, &fields(&[])),
        Err(Error::FieldOrder { index: 0 })
    );
}

#[test]
fn a_deed_is_read_back_and_tells_no_salt_by_accident() {
    let deed = Deed {
        chain: CHAIN,
        transaction: Digest([7; 32]),
        fields: fields(&["a", "b"]),
    };
    let bytes = deed.to_bytes().unwrap();
    assert_eq!(Deed::from_bytes(&bytes).unwrap(), deed);
    assert!(!format!("{deed:?}").contains("[1, 1"), "{deed:?}");
    let turned = Deed {
        fields: fields(&["b", "a"]),
        ..deed
    };
    let refused = Deed::from_bytes(&turned.to_bytes().unwrap());
    assert_eq!(refused, Err(Error::FieldOrder { index: 1 }));
}
