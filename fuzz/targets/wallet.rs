//! A wallet's request, a host's reply, a proof file from anywhere.
#![no_main]

use wallet_proto::reply::Reply;
use wallet_proto::request::Question;
use wallet_proto::wire;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = wire::from_bytes::<Question>(bytes) {
        assert_eq!(wire::to_bytes(&request).unwrap(), bytes);
    }
    if let Ok(reply) = wire::from_bytes::<Reply>(bytes) {
        assert_eq!(wire::to_bytes(&reply).unwrap(), bytes);
    }
});
