use dag::test_dag::committee;
use primitives::Digest;
use primitives::codec::{List, decode, encode};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::units::{Epoch, Height, PeerIndex, Round, Time};

use super::{Checkpoint, Ordered};
use crate::error::Error;

fn checkpoint() -> Checkpoint {
    let ordered = |round, byte| Ordered {
        round: Round::new(round),
        id: Digest([byte; 32]),
    };
    Checkpoint {
        version: 1,
        epoch: Epoch::ZERO,
        height: Height::new(5),
        seed: Digest([2; 32]),
        settled: Some(Round::new(9)),
        time: Time::new(1_000),
        ordered: List::new(vec![ordered(8, 7), ordered(9, 1)]).unwrap(),
        forkers: List::new(vec![PeerIndex(1), PeerIndex(3)]).unwrap(),
    }
}

#[test]
fn the_encoding_is_frozen_and_decodes_again() {
    let bytes = encode(&checkpoint()).unwrap();
    assert_eq!(decode(&bytes), Ok(checkpoint()));
    let digest = derive(Domain::TestKey, &[&bytes]);
    assert_eq!(
        digest.to_string(),
        "3c8e964370034a28efbad50f1a43e8436c17cafeb82f1278e256e800cbf6d0c9"
    );
}

#[test]
fn a_checkpoint_of_another_version_or_epoch_or_out_of_order_is_refused() {
    let committee = committee(&[1, 1, 1, 1]);
    assert_eq!(checkpoint().check(&committee), Ok(()));
    let check = |change: fn(&mut Checkpoint), wanted: Error| {
        let mut changed = checkpoint();
        change(&mut changed);
        assert_eq!(changed.check(&committee), Err(wanted));
    };
    check(|changed| changed.version = 2, Error::Version { found: 2 });
    check(
        |changed| changed.epoch = Epoch::new(1),
        Error::OtherEpoch {
            found: Epoch::new(1),
            wanted: Epoch::ZERO,
        },
    );
    check(
        |changed| {
            let mut ordered = changed.ordered.to_vec();
            ordered.reverse();
            changed.ordered = List::new(ordered).unwrap();
        },
        Error::CheckpointOrder,
    );
    check(
        |changed| changed.forkers = List::new(vec![PeerIndex(3), PeerIndex(3)]).unwrap(),
        Error::CheckpointOrder,
    );
}
