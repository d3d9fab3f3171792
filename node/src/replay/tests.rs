use super::*;
use crate::fsck::tests::{all_rows, genesis, prune, put, sound};

fn verdict(store: &Database) -> Result<Replayed, Error> {
    replay(store, &genesis(), &mut |_, _| {})
}

#[test]
fn every_root_comes_out_again() {
    let replayed = verdict(&sound()).unwrap();
    assert_eq!((replayed.blocks, replayed.transactions), (4, 6));
}

#[test]
fn the_block_that_executes_to_another_root_is_named() {
    let store = sound();
    let rows = all_rows(&store);
    let of = |wanted| rows.iter().find(|(table, ..)| *table == wanted).unwrap();
    // A payload with no transactions is as good a payload, but gives another root.
    let mut heights = Vec::new();
    for (table, key, row) in rows.iter().filter(|(table, ..)| *table == Table::Payload) {
        put(&store, *table, key, None);
        let error = verdict(&store).unwrap_err();
        assert_eq!(error.exit(), crate::error::Exit::Failed);
        let Error::OtherRoot { height, .. } = error else {
            panic!("{error}");
        };
        heights.push(height.get());
        put(&store, *table, key, Some(row));
    }
    heights.sort_unstable();
    assert_eq!(heights, [1, 4]);
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
    for (table, key, row) in all_rows(&store) {
        if !is_given(table, &key) || row.is_empty() {
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

/// Whether execution gives the row.
fn is_given(table: Table, key: &[u8]) -> bool {
    let of_consensus: [&[u8]; 4] = [b"seal", b"certificate", b"checkpoint", b"own head"];
    if table == Table::Meta {
        return !of_consensus.iter().any(|name| key.starts_with(name));
    }
    !matches!(table, Table::Event | Table::Payload | Table::Chain)
}

#[test]
fn a_pruned_store_is_executed_from_where_it_begins_on_the_state_before_rebuilt() {
    let store = sound();
    prune(&store, usize::MAX);
    let replayed = verdict(&store).unwrap();
    assert_eq!((replayed.first_block, replayed.blocks), (3, 2));
    for (table, key, row) in all_rows(&store) {
        if !is_given(table, &key) || is_copied(table, &key) {
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

/// Whether the state before the first block takes the row as it is, and only `fsck` can check it.
fn is_copied(table: Table, key: &[u8]) -> bool {
    let names: [&[u8]; 5] = [b"stake", b"committee", b"holder", b"named", KeptFrom::KEY];
    let is_early = table == Table::Block && key < &3_u64.to_be_bytes()[..];
    let is_named = table == Table::Meta && names.iter().any(|name| key.starts_with(name));
    is_early || is_named || matches!(table, Table::TransactionIndex | Table::KeyLog)
}
