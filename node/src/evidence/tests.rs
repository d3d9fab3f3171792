use primitives::Digest;
use primitives::store::Batch;

use super::*;
use crate::export::tests::secrets;
use crate::fsck::tests::{event, genesis, sound};
use crate::store::{Backend, Database};

/// A sound store with one more pair, of `epoch`.
fn with_pair(epoch: u64) -> (Database, Genesis, File) {
    let (store, genesis) = (sound(), genesis());
    let chain = genesis.chain_id().unwrap();
    let [one, other] = [1, 2].map(|time| event(&chain, Epoch::new(epoch), time, &[]));
    let row = codec::encode(&Evidence::new(&one, &other)).unwrap();
    let mut batch = Batch::default();
    let peer = secrets().peer.public();
    batch.put(Table::Evidence, evidence_key(Epoch::new(epoch), &peer), row);
    store.apply(&batch).unwrap();
    let file = export(&store, &genesis, Epoch::new(epoch), &peer).unwrap();
    (store, genesis, file)
}

fn check(file: &File, store: &Database, genesis: &Genesis) -> Result<Shown, Error> {
    verify(&serde_json::to_vec(file).unwrap(), store, genesis)
}

fn assert_nothing(result: Result<Shown, Error>, what: &str) {
    match result {
        Err(Error::ShowsNothing { .. } | Error::NotFound { .. }) => {}
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn a_pair_is_listed_exported_and_checked_by_whoever_knows_the_genesis() {
    let (store, genesis, file) = with_pair(0);
    let shown = check(&file, &Database::in_memory(), &genesis).unwrap();
    assert_eq!(shown.peer, secrets().peer.public().to_string());
    assert_eq!((shown.epoch, shown.seq), (0, 0));
    assert_eq!(list(&store, &genesis).unwrap().evidence, [shown]);
    let other = secrets().event.public();
    let absent = export(&store, &genesis, Epoch::ZERO, &other);
    assert!(matches!(absent, Err(Error::NotFound { .. })), "{absent:?}");
}

#[test]
fn a_later_epochs_pair_needs_a_store_that_knows_its_committee() {
    let (store, genesis, file) = with_pair(1);
    assert_eq!(check(&file, &store, &genesis).unwrap(), file.shows);
    let unknown = check(&file, &Database::in_memory(), &genesis);
    assert!(
        matches!(unknown, Err(Error::NotFound { .. })),
        "{unknown:?}"
    );
}

#[test]
fn no_byte_of_a_pair_and_no_word_beside_it_can_be_changed() {
    let (store, genesis, file) = with_pair(0);
    let bytes = unhex(&file.pair).unwrap();
    for position in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[position] ^= 1;
        let pair = to_hex(&bytes);
        let changed = File {
            pair,
            ..file.clone()
        };
        assert_nothing(
            check(&changed, &store, &genesis),
            &format!("byte {position}"),
        );
    }
    let document = serde_json::to_value(&file).unwrap();
    for field in ["chain", "epoch", "seq", "peer", "first", "second"] {
        let mut document = document.clone();
        document["shows"][field] = match document["shows"][field].is_number() {
            true => 7.into(),
            false => Digest([7; 32]).to_string().into(),
        };
        let text = document.to_string();
        assert_nothing(verify(text.as_bytes(), &store, &genesis), field);
    }
    for text in ["", "{}", "[]", r#"{"shows":1,"pair":""}"#] {
        assert_nothing(verify(text.as_bytes(), &store, &genesis), text);
    }
    let odd = File {
        pair: format!("{}f", file.pair),
        ..file
    };
    assert_nothing(check(&odd, &store, &genesis), "odd digits");
}

#[test]
fn a_row_that_shows_nothing_is_damage() {
    let (store, genesis, _) = with_pair(0);
    let chain = genesis.chain_id().unwrap();
    let [one, other] = [0, 1].map(|epoch| event(&chain, Epoch::new(epoch), 1, &[]));
    let mut batch = Batch::default();
    let key = evidence_key(Epoch::ZERO, &secrets().peer.public());
    let row = codec::encode(&Evidence::new(&one, &other)).unwrap();
    batch.put(Table::Evidence, key, row);
    store.apply(&batch).unwrap();
    let damaged = list(&store, &genesis);
    assert!(matches!(damaged, Err(Error::Damaged { .. })), "{damaged:?}");
}
