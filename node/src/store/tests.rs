use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use tempfile::TempDir;

use primitives::Digest;
use primitives::keys::PublicKey;

use super::*;

fn stamp() -> Stamp {
    Stamp {
        chain: Digest([1; 32]),
        event_key: PublicKey([2; 32]),
    }
}

/// Runs `check` with a new store of each backend of this build.
fn on_each_backend(check: impl Fn(Kind, &Path)) {
    for kind in Kind::compiled_in() {
        let folder = TempDir::new().unwrap();
        println!("backend {kind}");
        check(kind, folder.path());
    }
}

fn open(kind: Kind, folder: &Path) -> Database {
    Database::open(kind, folder, &stamp()).unwrap()
}

type Write<'a> = (Table, &'a [u8], Option<&'a [u8]>);

fn batch(writes: &[Write<'_>]) -> Batch {
    let mut batch = Batch::new();
    for (table, key, value) in writes {
        match value {
            Some(value) => batch.put(*table, key.to_vec(), value.to_vec()),
            None => batch.delete(*table, key.to_vec()),
        }
    }
    batch
}

#[test]
fn a_batch_is_visible_at_once_in_the_tables_it_names() {
    on_each_backend(|kind, folder| {
        let store = open(kind, folder);
        let key: &[u8] = b"k";
        let writes = batch(&[
            (Table::Event, key, Some(b"1")),
            (Table::Meta, key, Some(b"")),
        ]);
        store.apply(&writes).unwrap();
        assert_eq!(store.get(Table::Event, key).unwrap(), Some(b"1".to_vec()));
        assert_eq!(store.get(Table::Meta, key).unwrap(), Some(Vec::new()));
        assert_eq!(store.get(Table::Block, key).unwrap(), None);
        store.apply(&batch(&[(Table::Event, key, None)])).unwrap();
        assert_eq!(store.get(Table::Event, key).unwrap(), None);
        store.apply(&Batch::new()).unwrap();
        store.sync().unwrap();
    });
}

#[test]
fn a_range_is_half_open_ordered_and_limited() {
    on_each_backend(|kind, folder| {
        let store = open(kind, folder);
        let keys: [&[u8]; 5] = [b"b", b"a", b"\xff\xff", b"aa", b""];
        for key in keys {
            store
                .apply(&batch(&[(Table::Chain, key, Some(key))]))
                .unwrap();
        }
        let found = |from: &[u8], to: &[u8], limit| -> Vec<Vec<u8>> {
            let rows = store.range(Table::Chain, from, to, limit).unwrap();
            rows.into_iter()
                .map(|(key, value)| {
                    assert_eq!(key, value);
                    key
                })
                .collect()
        };
        assert_eq!(found(b"a", b"b", 9), [b"a".to_vec(), b"aa".to_vec()]);
        assert_eq!(found(b"", b"\xff\xff\xff", 9).len(), 5);
        assert_eq!(found(b"", b"\xff\xff", 9).len(), 4);
        assert_eq!(found(b"a", b"b", 1), [b"a".to_vec()]);
        for (from, to, limit) in [
            (b"b", b"a", 9),
            (b"a", b"a", 9),
            (b"c", b"d", 9),
            (b"a", b"b", 0),
        ] {
            assert!(found(from, to, limit).is_empty(), "{from:?} {to:?} {limit}");
        }
        let other = store.range(Table::Order, b"", b"\xff\xff\xff", 9).unwrap();
        assert!(other.is_empty());
    });
}

#[test]
fn what_was_synced_is_there_after_reopening() {
    on_each_backend(|kind, folder| {
        if kind == Kind::Memory {
            return;
        }
        let big = vec![7; 3 * 1024 * 1024];
        let store = open(kind, folder);
        let writes = batch(&[
            (Table::Payload, b"big", Some(&big)),
            (Table::Payload, b"gone", Some(b"1")),
        ]);
        store.apply(&writes).unwrap();
        store
            .apply(&batch(&[(Table::Payload, b"gone", None)]))
            .unwrap();
        store.sync().unwrap();
        drop(store);
        let store = open(kind, folder);
        assert_eq!(store.get(Table::Payload, b"big").unwrap(), Some(big));
        assert_eq!(store.get(Table::Payload, b"gone").unwrap(), None);
    });
}

#[test]
fn ten_thousand_random_operations_agree_with_a_map() {
    on_each_backend(|kind, folder| {
        let seed = 20;
        let mut random = ChaCha20Rng::seed_from_u64(seed);
        let store = open(kind, folder);
        let mut model = BTreeMap::new();
        for step in 0..2_500 {
            let writes = random_batch(&mut random);
            for (table, key, value) in writes.writes() {
                match value {
                    Some(value) => model.insert((table, key.to_vec()), value.to_vec()),
                    None => model.remove(&(table, key.to_vec())),
                };
            }
            store.apply(&writes).unwrap();
            let (table, from, to) = (
                random_table(&mut random),
                random_key(&mut random),
                random_key(&mut random),
            );
            let limit = usize::try_from(random.next_u32() % 40).unwrap();
            let wanted: Vec<Row> = model
                .iter()
                .filter(|((other, key), _)| *other == table && *key >= from && *key < to)
                .take(limit)
                .map(|((_, key), value)| (key.clone(), value.clone()))
                .collect();
            let found = store.range(table, &from, &to, limit).unwrap();
            assert_eq!(found, wanted, "{kind} seed {seed} step {step}");
            let wanted = model.get(&(table, to.clone())).cloned();
            let found = store.get(table, &to).unwrap();
            assert_eq!(found, wanted, "{kind} seed {seed} step {step}");
        }
    });
}

fn random_batch(random: &mut ChaCha20Rng) -> Batch {
    let mut batch = Batch::new();
    for _ in 0..4 {
        let (table, key) = (random_table(random), random_key(random));
        match random.next_u32() % 3 {
            0 => batch.delete(table, key),
            _ => {
                let length = usize::try_from(random.next_u32() % 200).unwrap();
                let mut value = vec![0; length];
                random.fill_bytes(&mut value);
                batch.put(table, key, value);
            }
        }
    }
    batch
}

fn random_table(random: &mut ChaCha20Rng) -> Table {
    Table::ALL[usize::try_from(random.next_u32() % 16).unwrap()]
}

fn random_key(random: &mut ChaCha20Rng) -> Vec<u8> {
    let length = usize::try_from(random.next_u32() % 3).unwrap();
    let mut key = vec![0; length];
    random.fill_bytes(&mut key);
    for byte in &mut key {
        *byte &= 0x1f;
    }
    key
}

#[test]
fn a_second_opening_of_a_folder_is_refused_until_the_first_is_closed() {
    on_each_backend(|kind, folder| {
        if kind == Kind::Memory {
            return;
        }
        let first = open(kind, folder);
        let refused = Database::open(kind, folder, &stamp()).unwrap_err();
        assert!(matches!(refused, Error::StoreInUse { .. }), "{refused}");
        assert_eq!(refused.exit(), crate::error::Exit::Elsewhere);
        let refused = Database::open_offline(folder).unwrap_err();
        assert!(matches!(refused, Error::StoreInUse { .. }), "{refused}");
        drop(first);
        let (_, found) = Database::open_offline(folder).unwrap();
        assert_eq!(found, stamp());
    });
}

#[test]
fn a_folder_of_another_chain_key_backend_or_form_is_refused() {
    let folder = TempDir::new().unwrap();
    let Some(kind) = Kind::compiled_in()
        .into_iter()
        .find(|kind| *kind != Kind::Memory)
    else {
        return;
    };
    drop(open(kind, folder.path()));
    let (mut chain, mut event_key) = (stamp(), stamp());
    chain.chain = Digest([9; 32]);
    event_key.event_key = PublicKey([9; 32]);
    let check = |kind, stamp: &Stamp, wanted| match Database::open(kind, folder.path(), stamp) {
        Err(Error::OtherStore { field, .. }) => assert_eq!(field, wanted),
        other => panic!("{wanted}: {other:?}"),
    };
    check(kind, &chain, "chain");
    check(kind, &event_key, "event_key");
    let other = match kind {
        Kind::Rocksdb => Kind::Redb,
        Kind::Redb | Kind::Memory => Kind::Rocksdb,
    };
    check(other, &stamp(), "backend");
    let path = folder.path().join("stamp");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("form 1", "form 2")).unwrap();
    check(kind, &stamp(), "form");
    fs::write(&path, "").unwrap();
    check(kind, &stamp(), "form");
}

#[test]
fn a_store_that_is_not_compiled_in_names_those_that_are() {
    let folder = TempDir::new().unwrap();
    for kind in [Kind::Rocksdb, Kind::Redb] {
        let opened = Database::open(kind, &folder.path().join(kind.name()), &stamp());
        if Kind::compiled_in().contains(&kind) {
            opened.unwrap();
            continue;
        }
        let refused = opened.unwrap_err().to_string();
        assert!(
            refused.contains(kind.name()) && refused.contains("memory"),
            "{refused}"
        );
    }
}

/// A disk whose first sync fails.
#[derive(Debug)]
struct Failing {
    fails: AtomicBool,
}

impl Store for Failing {
    fn get(&self, _: Table, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn range(&self, _: Table, _: &[u8], _: &[u8], _: usize) -> Result<Vec<Row>, StoreError> {
        Ok(Vec::new())
    }
}

impl Backend for Failing {
    fn apply(&self, _: &Batch) -> Result<(), StoreError> {
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        // Fails once, then would succeed: what a disk does after a failed fdatasync.
        if self.fails.swap(false, Ordering::AcqRel) {
            return Err(failure("input/output error"));
        }
        Ok(())
    }
}

#[test]
fn after_a_failed_sync_nothing_is_read_or_written() {
    let fails = AtomicBool::new(true);
    let store = Database::of(Box::new(Failing { fails }), None);
    store.apply(&Batch::new()).unwrap();
    assert_eq!(store.get(Table::Meta, b"").unwrap(), None);
    store.sync().unwrap_err();
    store.sync().unwrap_err();
    store.apply(&Batch::new()).unwrap_err();
    store.get(Table::Meta, b"").unwrap_err();
    store.range(Table::Meta, b"", b"z", 1).unwrap_err();
}

const CHILD_FOLDER: &str = "PRIMUS_TEST_CHILD_FOLDER";
const CHILD_STORE: &str = "PRIMUS_TEST_CHILD_STORE";
const SYNCED: u64 = 50;

/// The test's own program is the child: it writes, syncs, says so, and goes on writing without sync
/// until it is killed.
#[test]
fn what_was_synced_survives_a_kill_and_the_rest_is_whole_batches() {
    if let (Ok(folder), Ok(kind)) = (env::var(CHILD_FOLDER), env::var(CHILD_STORE)) {
        write_until_killed(kind.parse().unwrap(), Path::new(&folder));
    }
    on_each_backend(|kind, folder| {
        if kind == Kind::Memory {
            return;
        }
        let name = "store::tests::what_was_synced_survives_a_kill_and_the_rest_is_whole_batches";
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD_FOLDER, folder)
            .env(CHILD_STORE, kind.name())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let synced = lines
            .map_while(Result::ok)
            .any(|line| line.ends_with("synced"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(synced, "{kind}: the child ended early");
        check_after_kill(&open(kind, folder));
    });
}

fn write_until_killed(kind: Kind, folder: &Path) -> ! {
    let store = open(kind, folder);
    let mut number = 0_u64;
    loop {
        let key = number.to_be_bytes();
        let writes = batch(&[
            (Table::Block, &key, Some(&[1; 500])),
            (Table::Order, &key, Some(&[2; 500])),
        ]);
        store.apply(&writes).unwrap();
        number += 1;
        if number == SYNCED {
            store.sync().unwrap();
            println!("synced");
        }
    }
}

fn check_after_kill(store: &Database) {
    let mut number = 0_u64;
    loop {
        let key = number.to_be_bytes();
        let block = store.get(Table::Block, &key).unwrap();
        let order = store.get(Table::Order, &key).unwrap();
        assert_eq!(block.is_some(), order.is_some(), "half of batch {number}");
        if block.is_none() {
            break;
        }
        number += 1;
    }
    assert!(number >= SYNCED, "{number} of {SYNCED} synced batches");
    let last = store
        .range(Table::Block, &number.to_be_bytes(), &[0xff; 9], 1)
        .unwrap();
    assert!(last.is_empty(), "a batch after lost batch {number}");
}
