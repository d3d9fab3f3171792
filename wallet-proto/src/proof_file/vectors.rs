//! The vectors of docs/spec/vectors: a proof file of every kind, the same bytes on every machine.
//! `PRIMUS_BLESS=1 cargo test -p primus-wallet-proto vectors` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use ledger::tx::evidence::SignedHeader;
use ledger::tx::{Body, Evidence, Kind, Transaction};
use primitives::digest::{derive, to_hex};
use primitives::domain::Domain;
use primitives::keys::{PublicKey, Role, Signer};
use serde_json::{Value, json};

use super::tests::file;
use super::*;
use crate::deed;
use crate::receipt::tests::{NAMES, notarised, receipt};
use crate::test_chain::{TestChain, genesis, public, secret};

const OWNER: u8 = 50;

/// Six blocks of which the first has a payment, one that loses against it, data, a commit and a name,
/// which the second block hands over; the second epoch begins with block 5.
fn chain() -> TestChain {
    let mut chain = TestChain::new(genesis(OWNER, &[100, 50]));
    let coins = chain.coins(OWNER);
    let payment = chain.payment(OWNER, &coins[..1], public(51), 30);
    let loser = chain.payment(OWNER, &coins, public(60), 20);
    let data = Body::data(7, b"words on record".to_vec()).unwrap();
    let data = ledger::tx::sign(data, &[], chain.ledger.chain()).unwrap();
    let data = codec::encode(&data).unwrap();
    let commit = chain.commit(OWNER, Digest([9; 32]));
    let name = chain.name(&chain.coin_of(&payment, 1), "anna", None, OWNER);
    let over = chain.name(&chain.coin_of(&name, 0), "anna", Some((OWNER, 0)), 51);
    chain.settle(&[payment, loser, data, commit, name]);
    chain.settle(&[over]);
    while chain.ledger.height() < Height::new(6) {
        chain.settle(&[]);
    }
    chain
}

/// One block with evidence against the peer of key 2, whose place in the committee is `creator`. The
/// two headers end behind the fields that are read.
fn chain_with_evidence() -> (TestChain, Claim) {
    let mut chain = TestChain::new(genesis(OWNER, &[100, 50]));
    let (peer, key) = (public(2), secret(12));
    let place = |member: &ledger::committee::Member| member.peer_key == peer;
    let creator = chain.ledger.committee().iter().position(place).unwrap();
    let header = |round: u64| {
        let mut bytes = [&[1], chain.ledger.chain().0.as_slice(), &[0; 8]].concat();
        bytes.extend(u16::try_from(creator).unwrap().to_le_bytes());
        bytes.extend([round.to_le_bytes(), 7_u64.to_le_bytes()].concat());
        let id = derive(Domain::Event, &[&bytes]);
        let signature = key.sign(Role::Event, chain.ledger.chain(), &id);
        SignedHeader::new(bytes, signature).unwrap()
    };
    let evidence = Evidence::new(peer, key.public(), header(3), header(4));
    let body = Body::of(Kind::Evidence(Box::new(evidence)));
    let id = body.id(chain.ledger.chain()).unwrap();
    chain.settle(&[codec::encode(&Transaction::unsigned(body)).unwrap()]);
    (chain, Claim::Transaction { id })
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
    let [anna, bert] = ["anna", "bert"].map(|name| name.parse().unwrap());
    vec![
        ("transaction-applied", Claim::Transaction { id: ids[0] }),
        ("transaction-rejected", Claim::Transaction { id: ids[1] }),
        ("output-unspent", Claim::Output { outpoint: unspent }),
        ("output-spent", Claim::Output { outpoint: spent }),
        (
            "history",
            Claim::History {
                of: Subject::Key(key),
            },
        ),
        (
            "history-absent",
            Claim::History {
                of: Subject::Key(stranger),
            },
        ),
        ("block", Claim::Block { height }),
        ("consistency", Claim::Consistency { height, root }),
        ("committee", Claim::Committee { epoch }),
        (
            "record",
            Claim::Record {
                of: Subject::Key(key),
            },
        ),
        (
            "record-absent",
            Claim::Record {
                of: Subject::Key(stranger),
            },
        ),
        (
            "newest",
            Claim::Newest {
                of: Subject::Key(key),
                count: 1,
            },
        ),
        ("commit", Claim::Commit { key, height }),
        (
            "commit-absent",
            Claim::Commit {
                key,
                height: Height::new(2),
            },
        ),
        (
            "name",
            Claim::Name {
                name: anna,
                height: None,
            },
        ),
        (
            "name-as-of",
            Claim::Name {
                name: anna,
                height: Some(height),
            },
        ),
        (
            "name-absent",
            Claim::Name {
                name: bert,
                height: None,
            },
        ),
        (
            "history-of-name",
            Claim::History {
                of: Subject::Name(anna),
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
                of: Subject::Key(key),
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
    let check_claim = |name: &str, claim, chain: &TestChain| {
        let file = file(claim, chain);
        let statement = verify(&to_bytes(&file).unwrap(), &trust).unwrap();
        check(name, &vector(&file, &statement));
        statement.to_string()
    };
    for (name, claim) in claims(&chain) {
        check_claim(name, claim, &chain);
    }
    let (chain, claim) = chain_with_evidence();
    let says = check_claim("transaction-evidence", claim, &chain);
    let (peer, applied) = (public(2), "was applied, in block 1 at place 0");
    let accuses = format!("it accuses peer {peer} of two events for one place");
    assert!(says.contains(applied) && says.contains(&accuses), "{says}");
}

#[test]
fn a_vector_of_a_receipt_keeps_its_bytes() {
    let (chain, deed) = notarised(&NAMES);
    let trust = Trust::new(&chain.genesis).unwrap();
    let receipt = receipt(&chain, &deed, &["amount", "document"]);
    let bytes = receipt.to_bytes().unwrap();
    let says = crate::receipt::verify(&bytes, &trust).unwrap().to_string();
    let fields = deed.fields.iter().map(|field| {
        json!({
            "salt": to_hex(&field.salt),
            "name": to_hex(&field.name),
            "value": to_hex(&field.value),
            "leaf": field.leaf(&deed.chain).unwrap().to_string(),
        })
    });
    let value = json!({
        "says": says,
        "transaction": deed.transaction.to_string(),
        "fields": fields.collect::<Vec<_>>(),
        "memo": deed::memo(&deed.chain, &deed.fields).unwrap().to_string(),
        "shown": receipt.shown.iter().map(|shown| shown.index).collect::<Vec<_>>(),
        "siblings": receipt.siblings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "receipt": to_hex(&bytes),
    });
    check("receipt", &value);
}
