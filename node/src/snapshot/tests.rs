use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU64;

use net::{Endpoint, Limits, Part, PeerAddress, WalletEvent};
use primitives::codec::Bytes;
use replica::{Replica, Setup};
use tempfile::TempDir;
use wallet_proto::reply::{Answer, Body, Code, Refusal, Reply};
use wallet_proto::request::{Question, Request};
use wallet_proto::snapshot::Cutter;
use wallet_proto::wire;

use super::join::{Plan, join};
use super::*;
use crate::export::tests::secrets;
use crate::fsck::tests::{all_rows, blocks, genesis, sound, sound_of};
use crate::home::Secrets;
use crate::prune::prune;

type Rows = Vec<(Table, Vec<u8>, Vec<u8>)>;

fn before(store: &Database, first: u64) -> Rows {
    let kept = KeptFrom {
        epoch: genesis().parameters.epoch_of(Height::new(first)),
        height: Height::new(first),
    };
    let mut found = Vec::new();
    rows_before(store, &genesis(), kept, &mut |table, key, row| {
        found.push((table, key.to_vec(), row));
        Ok(())
    })
    .unwrap();
    found
}

fn stamp() -> Stamp {
    Stamp {
        chain: genesis().chain_id().unwrap(),
        event_key: secrets().event.public(),
    }
}

/// A folder with the snapshot of a store.
fn made(store: &Database, genesis: &Genesis) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.snapshot");
    create(store, genesis, &path, &mut |_| {}).unwrap();
    (folder, path)
}

/// What `primus snapshot verify` does.
fn verify(path: &Path) -> Result<Checked, Error> {
    let genesis = genesis();
    let file = File::open(path)?;
    let sealing = certify(file.manifest(), &genesis, file.handovers())?;
    let mut restorer = Restorer::in_memory(file.manifest().clone());
    for index in 0..file.manifest().chunks.len() {
        let chunk = file.chunk(index)?.unwrap();
        restorer.take(index, &chunk)?;
    }
    restorer.finish(&genesis, &sealing, &mut |_| {})
}

#[test]
fn the_state_before_an_epoch_is_the_same_when_more_blocks_have_come() {
    let mut rows = Rows::new();
    let (store, _) = blocks(&genesis(), 4, |height, store| {
        if height == 2 {
            rows = before(store, 3);
        }
    });
    assert!(before(&store, 3) == rows);
    // But for what made a holder of a name that was handed over since, where that is let go of.
    prune(&store, &genesis(), NonZeroU64::MIN, &mut || {}).unwrap();
    let kept = before(&store, 3);
    assert_eq!(kept.len(), rows.len() - 1);
    let lost = rows.iter().find(|row| !kept.contains(row)).unwrap();
    assert!(lost.1.starts_with(b"named"));
}

#[test]
fn a_store_that_begins_with_a_snapshot_is_sound_and_a_replica_starts_from_it() {
    let origin = sound();
    let (folder, path) = made(&origin, &genesis());
    let file = File::open(&path).unwrap();
    let sealing = certify(file.manifest(), &genesis(), file.handovers()).unwrap();
    assert_eq!(file.manifest().height, Height::new(4));
    let place = folder.path().join("data");
    let begin = || Restorer::begin(file.manifest().clone(), Kind::Redb, &place, &stamp());
    let mut restorer = begin().unwrap();
    let chunk = file.chunk(0).unwrap().unwrap();
    restorer.take(0, &chunk).unwrap();
    restorer.finish(&genesis(), &sealing, &mut |_| {}).unwrap();
    let store = Database::open(Kind::Redb, &place, &stamp()).unwrap();
    let checked = fsck::check(&store, &genesis(), &mut |_| {}).unwrap();
    let whole = fsck::check(&origin, &genesis(), &mut |_| {}).unwrap();
    assert_eq!((checked.outputs, checked.keys), (whole.outputs, whole.keys));
    assert_eq!((checked.first_epoch, checked.first_block), (2, 5));
    let setup = Setup {
        genesis: genesis(),
        signer: Box::new(secrets().event.signer().unwrap()),
        creation: consensus::creation::Parameters::default(),
        watermark: None,
    };
    let (replica, _) = Replica::start(setup, &store).unwrap();
    assert_eq!(replica.ledger().height(), Height::new(4));
    assert_eq!(replica.committee().epoch(), Epoch::new(2));
    // And what it has is what it was made of.
    let again = made(&with_seals(store, &origin), &genesis());
    assert!(std::fs::read(again.1).unwrap() == std::fs::read(&path).unwrap());
    let occupied = begin();
    assert!(matches!(occupied, Err(Error::StoreExists { .. })));
}

/// The store with the certificates that a node asks the others for.
fn with_seals(store: Database, origin: &Database) -> Database {
    let mut batch = Batch::new();
    for (table, key, row) in all_rows(origin) {
        if key.starts_with(b"seal") {
            batch.put(table, key, row);
        }
    }
    store.apply(&batch).unwrap();
    store
}

#[test]
fn no_snapshot_is_made_in_the_first_epoch_or_without_certificates() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.snapshot");
    for (blocks_made, wanted) in [(1, "first epoch"), (4, "seals epoch 0")] {
        let (store, _) = blocks(&genesis(), blocks_made, |_, _| {});
        let refused = create(&store, &genesis(), &path, &mut |_| {}).unwrap_err();
        assert!(matches!(refused, Error::NoSnapshot { .. }));
        assert!(refused.to_string().contains(wanted), "{refused}");
    }
    assert!(!path.exists());
}

#[test]
fn a_file_with_a_flipped_bit_or_a_cut_end_is_refused() {
    let (_folder, path) = made(&sound(), &genesis());
    verify(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    // Every byte of what leads to the chunk, some of the chunk itself, which has one digest.
    let chunk = 20..whole.len() - 2_000;
    for place in 0..whole.len() {
        if chunk.contains(&place) && place % 509 != 0 {
            continue;
        }
        let mut damaged = whole.clone();
        damaged[place] ^= 4;
        std::fs::write(&path, &damaged).unwrap();
        let verified = verify(&path);
        assert!(verified.is_err(), "byte {place}");
        if place % 97 == 0 {
            std::fs::write(&path, &whole[..place]).unwrap();
            assert!(verify(&path).is_err(), "cut after {place}");
        }
    }
}

/// The chunks and manifest that a liar makes of other rows.
fn forged(rows: Rows, honest: &Manifest) -> (Manifest, Vec<Vec<u8>>) {
    let count = rows.len() as u64;
    let mut cutter = Cutter::default();
    let mut chunks = Vec::new();
    for (table, key, row) in rows {
        let row = Row::new(table, key, row).unwrap();
        chunks.extend(cutter.push(row).unwrap());
    }
    chunks.extend(cutter.cut().unwrap());
    let digests = chunks.iter().map(|chunk| chunk_digest(chunk)).collect();
    let manifest = Manifest {
        rows: count,
        bytes: chunks.iter().map(|chunk| chunk.len() as u64).sum(),
        chunks: List::new(digests).unwrap(),
        ..honest.clone()
    };
    (manifest, chunks)
}

#[test]
fn a_row_that_a_liar_changed_adds_or_leaves_out_is_found_by_the_root() {
    let store = sound();
    let (_folder, path) = made(&store, &genesis());
    let file = File::open(&path).unwrap();
    let sealing = certify(file.manifest(), &genesis(), file.handovers()).unwrap();
    let honest = before(&store, 5);
    let accepts = |rows: Rows| {
        let (manifest, chunks) = forged(rows, file.manifest());
        let mut restorer = Restorer::in_memory(manifest);
        for (index, chunk) in chunks.iter().enumerate() {
            restorer.take(index, chunk)?;
        }
        restorer.finish(&genesis(), &sealing, &mut |_| {})
    };
    accepts(honest.clone()).unwrap();
    for (place, (table, key, _)) in honest.iter().enumerate() {
        let mut fewer = honest.clone();
        fewer.remove(place);
        assert!(accepts(fewer).is_err(), "{table:?} {key:?} left out");
        // Which ids were applied stands under no root; only their number does.
        if *table != Table::TransactionIndex {
            let mut other = honest.clone();
            let row = &mut other[place].2;
            let middle = row.len() / 2;
            row[middle] ^= 1;
            assert!(accepts(other).is_err(), "{table:?} {key:?} changed");
        }
    }
    for name in [
        &b"quarantined"[..],
        b"own head",
        b"checkpoint",
        b"kept from",
    ] {
        let mut more = honest.clone();
        more.push((Table::Meta, name.to_vec(), vec![0; 40]));
        assert!(accepts(more).is_err(), "{name:?}");
    }
}

/// A chain of the one peer that has stake and two others, by ascending key, and their secrets.
fn three() -> (Genesis, Vec<Secrets>) {
    let mut all = vec![
        secrets(),
        Secrets::generate().unwrap(),
        Secrets::generate().unwrap(),
    ];
    all.sort_by_key(|one| one.peer.public());
    let peers = all.iter().zip(["anna", "bert", "carl"]);
    let peers = peers.map(|(one, name)| one.genesis_peer(name).unwrap());
    let genesis = Genesis {
        peers: List::new(peers.collect()).unwrap(),
        ..genesis()
    };
    (genesis, all)
}

/// Answers as a peer with this snapshot does, but for chunks, which `chunk` may replace.
fn host(
    genesis: &Genesis,
    secrets: &Secrets,
    file: File,
    manifest: Manifest,
    chunk: impl Fn(u32) -> Option<Vec<u8>> + Send + 'static,
) -> (PeerAddress, Endpoint) {
    let config = net::Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        chain: genesis.chain_id().unwrap(),
        peers: Vec::new(),
        limits: Limits::default(),
        link_faults: false,
    };
    let served = Endpoint::serve(config, secrets.transport.signer().unwrap()).unwrap();
    let (endpoint, mut wallets) = (served.endpoint, served.wallets);
    let answering = endpoint.clone();
    tokio::spawn(async move {
        while let Some(event) = wallets.recv().await {
            let WalletEvent::Request {
                session,
                request,
                bytes,
            } = event
            else {
                continue;
            };
            let question: Question = wire::from_bytes(&bytes).unwrap();
            let reply = if question.request == Request::Manifest {
                Reply::Manifest(Box::new(manifest.clone()))
            } else if let Request::Chunk { index, .. } = question.request {
                let own = || file.chunk(index as usize).unwrap();
                let chunk = chunk(index).or_else(own).unwrap();
                Reply::Chunk(Bytes::new(chunk).unwrap())
            } else if let Request::Committee { epoch } = question.request
                && let Some(handover) = file.handovers().get(epoch.get() as usize - 1)
            {
                Reply::Answer(Box::new(Answer {
                    snapshot: handover.sealing.clone(),
                    body: Body::Committee(handover.members.clone()),
                }))
            } else {
                Reply::Error(Refusal::new(Code::Unknown, ""))
            };
            let bytes = wire::to_bytes(&reply).unwrap();
            let _ = answering.reply(session, request, bytes.into(), Part::Last);
        }
    });
    let address = PeerAddress {
        key: secrets.transport.public(),
        address: endpoint.local_address(),
    };
    (address, endpoint)
}

fn plan(genesis: &Genesis, peers: Vec<PeerAddress>, place: &Path) -> Plan {
    Plan {
        genesis: genesis.clone(),
        peers,
        kind: Kind::Redb,
        data: place.to_owned(),
        stamp: Stamp {
            chain: genesis.chain_id().unwrap(),
            event_key: Secrets::generate().unwrap().event.public(),
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_a_wrong_chunk_is_named_and_left_and_the_others_give_it() {
    let (genesis, secrets) = three();
    let (folder, path) = made(&sound_of(&genesis), &genesis);
    let manifest = File::open(&path).unwrap().manifest().clone();
    let open = || File::open(&path).unwrap();
    let liar = |index: u32| Some(vec![index as u8; 9]);
    let (first, _first) = host(&genesis, &secrets[0], open(), manifest.clone(), liar);
    let place = folder.path().join("data");
    // Alone it gets nowhere, and nothing is left of the attempt.
    let alone = join(&plan(&genesis, vec![first], &place), &mut |_| {}).await;
    let said = alone.unwrap_err();
    assert_eq!(said.exit(), crate::Exit::Unreachable);
    assert!(
        said.to_string()
            .contains("anna: the snapshot is refused: chunk 0"),
        "{said}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let (second, _second) = host(&genesis, &secrets[1], open(), manifest, |_| None);
    let mut said = Vec::new();
    let plan = plan(&genesis, vec![first, second], &place);
    let joined = join(&plan, &mut |line| said.push(line.to_owned()))
        .await
        .unwrap();
    assert_eq!(joined.snapshot.height, 4);
    let sources: BTreeMap<&str, (u64, bool)> = joined
        .sources
        .iter()
        .map(|one| (&one.name[..], (one.chunks, one.left.is_some())))
        .collect();
    assert_eq!(sources["bert"], (1, false));
    assert_eq!(sources["anna"].0, 0);
    let store = Database::open(Kind::Redb, &place, &plan.stamp).unwrap();
    fsck::check(&store, &genesis, &mut |_| {}).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_of_other_rows_or_another_block_is_left_for_one_that_holds() {
    let (genesis, secrets) = three();
    let (folder, path) = made(&sound_of(&genesis), &genesis);
    let open = || File::open(&path).unwrap();
    let honest = open().manifest().clone();
    // Of the right block, but without its last row.
    let mut rows = Rows::new();
    for row in wallet_proto::snapshot::rows(&open().chunk(0).unwrap().unwrap()).unwrap() {
        rows.push(row.into_parts().unwrap());
    }
    rows.remove(7);
    let (short, chunks) = forged(rows, &honest);
    let chunk = chunks[0].clone();
    let other = Manifest {
        height: Height::new(2),
        ..honest.clone()
    };
    let late = Manifest {
        height: Height::new(400),
        ..honest.clone()
    };
    let staked_key = export::tests::secrets().peer.public();
    let by_stake = |one: &&Secrets| one.peer.public() == staked_key;
    let staked = secrets.iter().find(by_stake).unwrap();
    let others: Vec<&Secrets> = secrets.iter().filter(|one| !by_stake(one)).collect();
    let place = folder.path().join("data");
    // Who has all the stake lies about the rows, one of the others about the block.
    let (first, _first) = host(&genesis, staked, open(), short, move |_| {
        Some(chunk.clone())
    });
    for lie in [other, late] {
        let (second, _second) = host(&genesis, others[0], open(), lie, |_| None);
        let (third, _third) = host(&genesis, others[1], open(), honest.clone(), |_| None);
        let plan = plan(&genesis, vec![first, second, third], &place);
        let mut said = Vec::new();
        let joined = join(&plan, &mut |line| said.push(line.to_owned()))
            .await
            .unwrap();
        let left: Vec<bool> = joined
            .sources
            .iter()
            .map(|one| one.left.is_some())
            .collect();
        assert_eq!(
            left.iter().filter(|left| **left).count(),
            2,
            "{:?}",
            joined.sources
        );
        assert_eq!((joined.stake_agreeing, joined.snapshot.height), (0, 4));
        assert!(
            said.iter().any(|line| line.starts_with("WARNING")),
            "{said:?}"
        );
        std::fs::remove_dir_all(&place).unwrap();
    }
}
