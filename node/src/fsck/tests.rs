use std::num::NonZeroU64;

use consensus::checkpoint::Checkpoint;
use consensus::seed;
use dag::event::{self, Kind, attestation_digest};
use dag::gossip::Cursor;
use ledger::tx::draft::{Coin, TransferDraft};
use ledger::tx::{
    self, Body, Holder, Outpoint, Output, Payload, check_payload, genesis_transaction,
};
use ledger::{Block, OrderedEvent};
use primitives::codec::{self, List};
use primitives::keys::{Role, Signer};
use primitives::store::Batch;
use primitives::units::{Amount, PeerIndex, Round, Seq, Time};
use replica::rows::{
    CERTIFICATE, CHECKPOINT, CertificateRow, OWN_HEAD, QUARANTINED, chain_key, seal_key,
};

use super::*;
use crate::export::tests::secrets;
use crate::store::{Backend, Database};

/// One peer, whose payout key has two coins; an epoch is two blocks.
pub(crate) fn genesis() -> Genesis {
    let genesis = export::tests::genesis();
    let coin = Output::new(secrets().payout.public(), Amount::new(1_000));
    let outputs = [&genesis.outputs[..], &[coin]].concat();
    Genesis {
        outputs: List::new(outputs).unwrap(),
        ..genesis
    }
}

/// In block 1 a payment of the second coin, one that wants the same coin, data and two names; in block
/// 4 one of the names is handed over.
fn payload(chain: &Digest, height: u64) -> Vec<u8> {
    let mut transactions = transactions(chain);
    let last = transactions.split_off(5);
    let due = match height {
        1 => transactions,
        4 => last,
        _ => Vec::new(),
    };
    let bytes = |transaction| codec::encode(transaction).unwrap();
    Payload::bytes(due.iter().map(bytes).collect()).unwrap()
}

fn transactions(chain: &Digest) -> Vec<tx::Transaction> {
    let payer = secrets().payout.signer().unwrap();
    let coin = Coin {
        outpoint: Outpoint {
            transaction: genesis_transaction(chain),
            index: 1,
        },
        output: genesis().outputs[1],
    };
    let pay = |amount| {
        let draft = TransferDraft {
            inputs: vec![coin],
            outputs: vec![
                Output::new(payer.public(), Amount::new(amount)),
                Output::new(secrets().peer.public(), Amount::new(999 - amount)),
            ],
            ..TransferDraft::default()
        };
        draft.sign(&[&payer as &dyn Signer], chain).unwrap()
    };
    let data = Body::data(7, b"words on record".to_vec()).unwrap();
    let data = tx::sign(data, &[], chain).unwrap();
    let mut paid = pay(3);
    let mut all = vec![paid.clone(), pay(4), data];
    let (own, other) = (payer.public(), secrets().peer.public());
    let number = 0;
    let handed = Some(Holder { key: own, number });
    // Each pays its fee with what the one before left.
    for (name, to, from) in [
        ("anna", own, None),
        ("bert", own, None),
        ("anna", other, handed),
    ] {
        let name = name.parse().unwrap();
        let (transaction, index) = (paid.id(chain).unwrap(), 0);
        let left = paid.body.outputs[0].amount.minus(Amount::new(1)).unwrap();
        let body = Body {
            inputs: List::new(vec![Outpoint { transaction, index }]).unwrap(),
            outputs: List::new(vec![Output::new(own, left)]).unwrap(),
            ..Body::of(tx::Kind::Name { name, to, from })
        };
        paid = tx::sign(body, &[&payer], chain).unwrap();
        all.push(paid.clone());
    }
    all
}

/// A root of round 0 of `epoch` with this payload; the time makes each another one.
pub(crate) fn event(chain: &Digest, epoch: Epoch, height: u64, payload: &[u8]) -> Event {
    let signer = secrets().event.signer().unwrap();
    let header = event::Header {
        version: 1,
        chain: *chain,
        epoch,
        creator: PeerIndex(0),
        round: Round::new(0),
        seq: Seq::new(0),
        kind: Kind::Root,
        self_parent: None,
        sealing: (epoch > Epoch::ZERO).then_some(Digest([6; 32])),
        votes: List::empty(),
        parents: List::empty(),
        time: Time::new(1_000 + height),
        payload: payload_digest(payload),
        payload_bytes: u32::try_from(payload.len()).unwrap(),
        beacon: Some(signer.beacon(chain, epoch, Round::new(0))),
        attestations: List::empty(),
    };
    Event::sign(header, &signer).unwrap()
}

/// Four blocks over two epochs, of which the first has transactions; nothing is damaged.
pub(crate) fn sound() -> Database {
    sound_of(&genesis())
}

/// The same on a chain with more peers, none of which has stake.
pub(crate) fn sound_of(genesis: &Genesis) -> Database {
    let (store, ledger) = blocks(genesis, 4, |_, _| {});
    store.apply(&consensus_rows(&store, &ledger)).unwrap();
    store
}

/// The first of these blocks; `each` sees the store after each.
pub(crate) fn blocks(
    genesis: &Genesis,
    last: u64,
    mut each: impl FnMut(u64, &Database),
) -> (Database, Ledger) {
    let store = Database::in_memory();
    let (mut ledger, batch) = Ledger::genesis(genesis).unwrap();
    store.apply(&batch).unwrap();
    let chain = *ledger.chain();
    for height in 1..=last {
        let epoch = ledger.epoch();
        let payload = payload(&chain, height);
        let event = event(&chain, epoch, height, &payload);
        let block = Block {
            height: Height::new(height),
            epoch,
            round: Round::new(0),
            leader: *event.id(),
            time: Time::new(1_000),
            seed: Digest([8; 32]),
            events: vec![OrderedEvent {
                creator: secrets().peer.public(),
                transactions: check_payload(&payload, &chain),
            }],
        };
        let mut batch = ledger.execute(block, &store).unwrap().batch;
        let id = event.id().0.to_vec();
        batch.put(Table::Order, height.to_be_bytes().to_vec(), id.clone());
        let at = Cursor {
            round: Round::new(0),
            admission: height,
        };
        batch.put(Table::Chain, chain_key(epoch, at), id.clone());
        batch.put(Table::Event, id.clone(), event.signed().bytes().clone());
        if !payload.is_empty() {
            batch.put(Table::Payload, id, payload);
        }
        store.apply(&batch).unwrap();
        each(height, &store);
    }
    (store, ledger)
}

/// What consensus keeps beside blocks and events: two sealed epochs, and where it goes on.
fn consensus_rows(store: &Database, ledger: &Ledger) -> Batch {
    let (mut batch, chain) = (Batch::new(), ledger.chain());
    let certificate = |height: u64| {
        let header = export::header(store, Height::new(height)).unwrap().unwrap();
        let (height, root) = (header.height, header.root().unwrap());
        let digest = attestation_digest(header.epoch, height, &root);
        let signer = secrets().event.signer().unwrap();
        let signature = signer.sign(Role::Attestation, chain, &digest);
        let signatures = List::new(vec![(PeerIndex(0), signature)]).unwrap();
        let row = CertificateRow {
            height,
            root,
            signatures,
        };
        codec::encode(&row).unwrap()
    };
    for (epoch, sealing) in [(0, 2), (1, 4)] {
        let key = seal_key(Epoch::new(epoch));
        batch.put(Table::Meta, key, certificate(sealing));
    }
    batch.put(Table::Meta, CERTIFICATE.to_vec(), certificate(4));
    let checkpoint = Checkpoint {
        version: 1,
        epoch: ledger.epoch(),
        height: ledger.height(),
        seed: seed::epoch(&ledger.header().seed, ledger.epoch()),
        settled: None,
        time: ledger.header().time,
        ordered: List::empty(),
        forkers: List::empty(),
    };
    let row = codec::encode(&checkpoint).unwrap();
    batch.put(Table::Meta, CHECKPOINT.to_vec(), row);
    let own_head = [&[0; 8][..], &ledger.header().leader.0].concat();
    batch.put(Table::Meta, OWN_HEAD.to_vec(), own_head);
    batch
}

/// Every row there is.
pub(crate) fn all_rows(store: &Database) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    for table in Table::ALL {
        raw_rows(store, table, |key, row| {
            all.push((table, key.to_vec(), row.to_vec()));
            Ok(())
        })
        .unwrap();
    }
    all
}

/// Writes or deletes one row.
pub(crate) fn put(store: &Database, table: Table, key: &[u8], row: Option<&[u8]>) {
    let mut batch = Batch::new();
    match row {
        Some(row) => batch.put(table, key.to_vec(), row),
        None => batch.delete(table, key.to_vec()),
    }
    store.apply(&batch).unwrap();
}

fn verdict(store: &Database) -> Result<Checked, Error> {
    check(store, &genesis(), &mut |_| {})
}

/// Rows without which a store is sound: others give certificates again, and a peer need not have
/// made an event.
fn may_be_missing(key: &[u8]) -> bool {
    let names: [&[u8]; 4] = [b"seal", CERTIFICATE, OWN_HEAD, QUARANTINED];
    names.iter().any(|name| key.starts_with(name))
}

#[test]
fn a_sound_store_is_sound() {
    let checked = verdict(&sound()).unwrap();
    let (events, blocks, transactions) = (4, 5, 6);
    assert_eq!(checked.events, events);
    assert_eq!(
        (checked.blocks, checked.transactions),
        (blocks, transactions)
    );
    assert!(checked.outputs > 2 && checked.keys > 1 && checked.entries > 2);
}

#[test]
fn every_row_that_is_changed_or_missing_is_found() {
    let store = sound();
    let tables: std::collections::BTreeSet<_> =
        all_rows(&store).iter().map(|(table, ..)| *table).collect();
    assert_eq!(tables.len(), 14, "{tables:?}");
    for (table, key, row) in all_rows(&store) {
        let mut damages = Vec::new();
        if table != Table::Meta || !may_be_missing(&key) {
            damages.push(None);
        }
        for at in (0..row.len()).step_by(1 + row.len() / 16) {
            let mut changed = row.clone();
            changed[at] ^= 1 << (at % 8);
            damages.push(Some(changed));
        }
        for damage in damages {
            put(&store, table, &key, damage.as_deref());
            let found = verdict(&store);
            assert!(found.is_err(), "{table:?} {key:?} {damage:?}");
            put(&store, table, &key, Some(&row));
        }
    }
    verdict(&store).unwrap();
}

#[test]
fn the_bad_row_is_named_and_the_program_fails() {
    let store = sound();
    let rows = all_rows(&store);
    for wanted in [Table::Output, Table::KeyLog, Table::Payload, Table::Order] {
        let (table, key, row) = rows.iter().rfind(|(table, ..)| *table == wanted).unwrap();
        let mut changed = row.clone();
        let last = changed.len() - 1;
        changed[last] ^= 4;
        put(&store, *table, key, Some(&changed));
        let error = verdict(&store).unwrap_err();
        assert!(error.to_string().starts_with(table.name()), "{error}");
        assert_eq!(error.exit(), crate::error::Exit::Failed);
        put(&store, *table, key, Some(row));
    }
}

#[test]
fn a_row_too_many_is_found() {
    let store = sound();
    for table in [
        Table::Output,
        Table::Outpoint,
        Table::KeyLog,
        Table::NameLog,
        Table::Payload,
        Table::Order,
    ] {
        put(&store, table, &[9; 36], Some(&[0; 40]));
        assert!(verdict(&store).is_err(), "{table:?}");
        put(&store, table, &[9; 36], None);
    }
    let names: [&[u8]; 7] = [
        b"stake",
        b"committee",
        b"conviction",
        b"leaves",
        b"rejected",
        b"seal",
        b"anything",
    ];
    for name in names {
        let key = [name, &[9; 8]].concat();
        put(&store, Table::Meta, &key, Some(&[0; 12]));
        assert!(verdict(&store).is_err(), "{name:?}");
        put(&store, Table::Meta, &key, None);
    }
    put(&store, Table::Attestation, &[9; 10], Some(&[]));
    assert!(verdict(&store).is_err());
}

/// Prunes to the newest sealed epoch, or stops after some steps.
pub(crate) fn prune(store: &Database, steps: usize) {
    let head = Height::new(4);
    let parameters = genesis().parameters;
    for _ in 0..steps {
        let step = replica::prune::step(store, &parameters, head, NonZeroU64::MIN);
        let Some(batch) = step.unwrap() else {
            return;
        };
        store.apply(&batch).unwrap();
    }
}

#[test]
fn a_pruned_store_is_sound_and_says_what_was_not_checked() {
    let whole = verdict(&sound()).unwrap();
    for steps in 0..8 {
        let store = sound();
        prune(&store, steps);
        let checked = verdict(&store).unwrap();
        assert_eq!((checked.outputs, checked.keys), (whole.outputs, whole.keys));
        let first = if steps == 0 { 0 } else { 3 };
        assert_eq!(checked.first_block, first, "{steps} steps");
        // Half way the mark stands, and idle rows are left.
        assert_eq!(
            checked.idle > 0,
            (1..4).contains(&steps),
            "{steps}: {checked:?}"
        );
    }
    let store = sound();
    prune(&store, usize::MAX);
    let checked = verdict(&store).unwrap();
    assert_eq!((checked.events, checked.transactions), (2, 1));
    let before = all_rows(&sound()).len();
    assert!(all_rows(&store).len() + 10 < before, "{before} rows before");
}

#[test]
fn damage_in_a_pruned_store_is_found() {
    let store = sound();
    prune(&store, usize::MAX);
    for (table, key, row) in all_rows(&store) {
        // Of what is pruned only the number of ids is known.
        if table == Table::TransactionIndex || (table, &key[..]) == (Table::Meta, KeptFrom::KEY) {
            put(&store, table, &key, None);
            assert!(verdict(&store).is_err(), "{table:?} {key:?}");
            put(&store, table, &key, Some(&row));
            continue;
        }
        let mut changed = row.clone();
        changed[row.len() / 2] ^= 1;
        put(&store, table, &key, Some(&changed));
        assert!(verdict(&store).is_err(), "{table:?} {key:?}");
        put(&store, table, &key, Some(&row));
    }
    verdict(&store).unwrap();
}
