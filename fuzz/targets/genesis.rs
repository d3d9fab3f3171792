//! A genesis file: decoded and checked without a panic.
#![no_main]

use ledger::Genesis;
use primitives::codec::decode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(genesis) = decode::<Genesis>(bytes) {
        let _ = genesis.check();
    }
});
