use super::*;
use crate::fsck::tests::{all_rows, genesis, put, sound};

fn verdict(store: &Database) -> Result<Replayed, Error> {
    replay(store, &genesis(), &mut |_, _| {})
}

#[test]
fn every_root_comes_out_again() {
    let replayed = verdict(&sound()).unwrap();
    assert_eq!((replayed.blocks, replayed.transactions), (4, 3));
}

#[test]
fn the_block_that_executes_to_another_root_is_named() {
    let store = sound();
    let rows = all_rows(&store);
    let of = |wanted| rows.iter().find(|(table, ..)| *table == wanted).unwrap();
    // A payload with one transaction fewer is as good a payload, but gives another root.
    let (table, key, row) = of(Table::Payload);
    put(&store, *table, key, None);
    let error = verdict(&store).unwrap_err();
    assert!(
        matches!(error, Error::OtherRoot { height, .. } if height == Height::new(1)),
        "{error}"
    );
    assert_eq!(error.exit(), crate::error::Exit::Failed);
    put(&store, *table, key, Some(row));
    for missing in [Table::Order, Table::Event] {
        let (table, key, row) = of(missing);
        put(&store, *table, key, None);
        let error = verdict(&store).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        put(&store, *table, key, Some(row));
    }
}

#[test]
fn a_row_that_execution_gives_otherwise_is_named() {
    let store = sound();
    let given = |table| !matches!(table, Table::Event | Table::Payload | Table::Chain);
    for (table, key, row) in all_rows(&store) {
        if !given(table) || row.is_empty() {
            continue;
        }
        let mut changed = row.clone();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        put(&store, table, &key, Some(&changed));
        assert!(verdict(&store).is_err(), "{table:?} {key:?}");
        put(&store, table, &key, Some(&row));
    }
    verdict(&store).unwrap();
}
