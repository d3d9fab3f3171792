use primitives::Digest;
use primitives::units::{Epoch, Round};

use super::{epoch, genesis, next, tie};

#[test]
fn seeds_and_ties_have_frozen_values() {
    let one = Digest([1; 32]);
    let values = [
        genesis(&one),
        next(&one, Round::new(2), &[3; 32]),
        epoch(&one, Epoch::new(4)),
        tie(&one, &Digest([5; 32])),
    ];
    // Made with Python's blake3: derive_key_context and the joined bytes of the specification.
    let frozen = [
        "88c53167fb60b70499903c0cf5d13120a507eb9a5e9dfdccc1063956119f1b4d",
        "04691e2539e88deeae5cc497d5b0e865d8898d8b60046a85b33b35155acbdc25",
        "1bc131f8ab60998f636095f2c151f4be831f94fc687ce3922d09aea80c1d88d7",
        "288c0d40784eddb581541f44412905892d3e237bd0fdae22c5ddf5bfc0c6600d",
    ];
    assert_eq!(values.map(|value| value.to_string()), frozen);
}
