//! A peer's bytes: decoding never panics, and what decodes is the encoding of what it decodes to.
#![no_main]

use dag::event::{Evidence, Header, Signed};
use dag::gossip::Message;
use primitives::codec::{Canonical, decode, encode};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    same::<Message>(bytes);
    same::<Signed>(bytes);
    same::<Header>(bytes);
    same::<Evidence>(bytes);
});

fn same<T: Canonical>(bytes: &[u8]) {
    if let Ok(value) = decode::<T>(bytes) {
        assert_eq!(encode(&value).as_deref(), Ok(bytes));
    }
}
