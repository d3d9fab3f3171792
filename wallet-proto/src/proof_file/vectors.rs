//! The vectors of docs/spec/vectors: a proof file of every kind, the same bytes on every machine.
//! `PRIMUS_BLESS=1 cargo test -p primus-wallet-proto vectors` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use ledger::tx::Body;
use primitives::digest::to_hex;
use primitives::keys::PublicKey;
use serde_json::{Value, json};

use super::tests::file;
use super::*;
use crate::test_chain::{TestChain, genesis, public};

const OWNER: u8 = 50;

/// Six blocks of which the first has a payment, one that loses against it, data and a commit; the
/// second epoch begins with block 5.
fn chain() -> TestChain {
    let mut chain = TestChain::new(genesis(OWNER, &[100, 50]));
    let coins = chain.coins(OWNER);
    let payment = chain.payment(OWNER, &coins[..1], public(51), 30);
    let loser = chain.payment(OWNER, &coins, public(60), 20);
    let data = Body::data(7, b"words on record".to_vec()).unwrap();
    let data = ledger::tx::sign(data, &[], chain.ledger.chain()).unwrap();
    let data = codec::encode(&data).unwrap();
    let commit = chain.commit(OWNER, Digest([9; 32]));
    chain.settle(&[payment, loser, data, commit]);
    while chain.ledger.height() < Height::new(6) {
        chain.settle(&[]);
    }
    chain
}

fn claims(chain: &TestChain) -> Vec<(&'static str, Claim)> {
    let coins = chain.coins(OWNER);
    let ids: Vec<Digest> = {
        let payment = chain.payment(OWNER, &coins[..1], public(51), 30);
        let loser = chain.payment(OWNER, &coins, public(60), 20);
        [payment, loser]
            .iter()
            .map(|bytes| chain.id(bytes))
            .collect()
    };
    let key = public(OWNER);
    let stranger = PublicKey(public(99).0);
    let height = Height::new(1);
    let (spent, unspent) = (coins[0].outpoint, coins[1].outpoint);
    let root = chain.snapshots[1].header.root().unwrap();
    let epoch = Epoch::new(1);
    let before = Height::ZERO;
    vec![
        ("transaction-applied", Claim::Transaction { id: ids[0] }),
        ("transaction-rejected", Claim::Transaction { id: ids[1] }),
        ("output-unspent", Claim::Output { outpoint: unspent }),
        ("output-spent", Claim::Output { outpoint: spent }),
        ("history", Claim::History { key }),
        ("history-absent", Claim::History { key: stranger }),
        ("block", Claim::Block { height }),
        ("consistency", Claim::Consistency { height, root }),
        ("committee", Claim::Committee { epoch }),
        ("record", Claim::Record { key }),
        ("record-absent", Claim::Record { key: stranger }),
        ("newest", Claim::Newest { key, count: 1 }),
        ("commit", Claim::Commit { key, height }),
        (
            "commit-absent",
            Claim::Commit {
                key,
                height: Height::new(2),
            },
        ),
        (
            "output-as-of",
            Claim::OutputAt {
                outpoint: spent,
                height: before,
            },
        ),
        (
            "history-as-of",
            Claim::HistoryAt {
                key,
                height: before,
            },
        ),
    ]
}

/// A file and the bytes of its parts, in their order.
fn vector(file: &ProofFile, statement: &Statement) -> Value {
    let hex = |bytes: &[u8]| Value::String(to_hex(bytes));
    let encoded = |part: Vec<u8>| hex(&part);
    let snapshot = &file.answer.snapshot;
    let certificate = &snapshot.certificate;
    let handovers = file.handovers.iter().map(|handover| {
        json!({
            "sealing_header": encoded(codec::encode(&handover.sealing.header).unwrap()),
            "members": encoded(codec::encode(&handover.members).unwrap()),
        })
    });
    json!({
        "says": statement.to_string(),
        "chain": file.chain.to_string(),
        "claim": encoded(codec::encode(&file.claim).unwrap()),
        "seal": file.seal.to_string(),
        "handovers": handovers.collect::<Vec<_>>(),
        "header": encoded(codec::encode(&snapshot.header).unwrap()),
        "consensus_root": snapshot.header.root().unwrap().to_string(),
        "state_root": snapshot.header.state.to_string(),
        "certificate": {
            "epoch": certificate.epoch.get(),
            "signers": hex(&certificate.signers),
            "nonces": certificate.aggregate.nonces.iter().map(ToString::to_string)
                .collect::<Vec<_>>(),
            "sum": certificate.aggregate.sum.to_string(),
        },
        "file": encoded(to_bytes(file).unwrap()),
    })
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/spec/vectors")
}

/// Compares with the file on disk, or writes it where that was asked for.
fn check(name: &str, value: &Value) {
    let path = folder().join(format!("{name}.json"));
    let text = format!("{value:#}\n");
    if std::env::var_os("PRIMUS_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{name}: the bytes drifted from docs/spec/vectors; if that is meant, change docs/spec with \
         them and run: PRIMUS_BLESS=1 cargo test -p primus-wallet-proto vectors"
    );
}

#[test]
fn a_vector_of_every_kind_of_proof_keeps_its_bytes() {
    let chain = chain();
    let trust = Trust::new(&chain.genesis).unwrap();
    let genesis = json!({
        "genesis": to_hex(&codec::encode(&chain.genesis).unwrap()),
        "chain": trust.chain().to_string(),
        "genesis_root": trust.start().root.to_string(),
        "committee": trust.members().iter().map(|member| json!({
            "peer": member.peer_key.to_string(),
            "event": member.event_key.to_string(),
            "stake": member.stake.get(),
        })).collect::<Vec<_>>(),
    });
    check("genesis", &genesis);
    for (name, claim) in claims(&chain) {
        let file = file(claim, &chain);
        let statement = verify(&to_bytes(&file).unwrap(), &trust).unwrap();
        check(name, &vector(&file, &statement));
    }
}
