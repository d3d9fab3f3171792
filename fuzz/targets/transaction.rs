//! A wallet's transaction or a peer's payload: the first phase finds a fault or none, and never fails.
#![no_main]

use ledger::tx::{check_alone, check_batch, check_payload};
use primitives::Digest;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let chain = Digest([7; 32]);
    let alone = check_alone(bytes.to_vec(), &chain);
    let batch = check_batch(vec![bytes.to_vec()], &chain);
    assert_eq!(batch, [alone]);
    let _ = check_payload(bytes, &chain);
});
