//! Notarising a document, showing a part of what was put on record, and checking it offline.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use primus_wallet::error::Error;
use primus_wallet::{Home, Wallet};
use wallet_proto::deed::{Deed, Field, Fields};
use wallet_proto::test_chain::public;

use crate::cli::{code, json, wallet, write_policy};
use crate::host::{Host, Manner};
use crate::{LIMIT, OWNER, chain, home, runtime};

/// A home of the owner in `path` that asks `host`.
pub(crate) fn make(path: &Path, host: &Host) {
    let genesis = primitives::codec::encode(&host.chain.lock().unwrap().genesis).unwrap();
    fs::write(path.join("genesis.bin"), genesis).unwrap();
    write_policy(path, host);
    fs::write(path.join("seed"), format!("{OWNER:02x}").repeat(32)).unwrap();
    let address = host.address().to_string();
    let genesis = ["--genesis", "genesis.bin", "--policy", "policy.toml"];
    let make = [
        &["--json", "new", "--seed-file", "seed", "--host", &address][..],
        &genesis,
    ];
    json(&wallet(path, &make.concat()));
}

#[test]
fn a_document_is_put_on_record_and_a_part_of_it_is_shown_and_verified_offline() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let runtime = runtime();
    let host = runtime.block_on(async { Host::start(21, chain(), Manner::Honest) });
    make(path, &host);
    fs::write(path.join("deal.txt"), "Anna sells her bicycle").unwrap();
    let fields = [
        "--field",
        "buyer=Bert",
        "--field",
        "price=25",
        "--field",
        "seller=Anna",
    ];
    let notarise = [&["notarise", "deal.txt"][..], &fields].concat();
    let done = wallet(path, &notarise);
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    code(&done, 0);
    let begins: Vec<_> = text
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    let due = "deed commits fee seen endorsed official final proven proof NOTARISED";
    assert_eq!(begins.join(" "), due, "{text}");
    assert!(
        text.contains("on record since block 3, time 1003 ms"),
        "{text}"
    );
    let deed = path.join("deal.txt.primusdeed");
    assert_eq!(
        fs::metadata(&deed).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // A second time would lose the salts of the first.
    assert!(code(&wallet(path, &notarise), 1).contains("file.exists"));

    let export = |fields: &str, more: &[&str]| {
        let first = [
            "--json",
            "receipt",
            "export",
            "deal.txt.primusdeed",
            "--fields",
            fields,
        ];
        wallet(
            path,
            &[&first[..], &["-o", "part.primusreceipt"], more].concat(),
        )
    };
    assert!(code(&export("price,colour", &[]), 2).contains("buyer, document, price, seller"));
    json(&export("seller", &[]));
    let shown = json(&export(
        "document,price",
        &["--proof", "deal.txt.primusproof"],
    ));
    assert_eq!((&shown["count"], &shown["height"]), (&4.into(), &3.into()));
    let receipt = fs::read(path.join("part.primusreceipt")).unwrap();
    let hidden: [&[u8]; 2] = [b"Bert", b"Anna"];
    for word in hidden {
        assert!(!receipt.windows(word.len()).any(|part| part == word));
    }

    // Offline from here on: no home, no host.
    drop((host, runtime));
    fs::remove_dir_all(path.join("home")).unwrap();
    let verify = |start: &[&str]| {
        let first = ["--json", "verify", "receipt", "part.primusreceipt"];
        wallet(path, &[&first[..], start].concat())
    };
    let valid = json(&verify(&["--policy", "policy.toml"]));
    assert_eq!(valid["signers"][0], public(OWNER).to_string());
    let genesis = ["--genesis", "genesis.bin", "--document", "deal.txt"];
    let valid = json(&verify(&genesis));
    assert_eq!(valid["fields"][1]["value"], "25");
    fs::write(path.join("deal.txt"), "Anna sells her house").unwrap();
    assert!(code(&verify(&genesis), 3).contains("receipt.document"));
    for place in (0..receipt.len()).step_by(receipt.len() / 16) {
        let mut changed = receipt.clone();
        changed[place] ^= 1;
        fs::write(path.join("part.primusreceipt"), changed).unwrap();
        let invalid = verify(&genesis[..2]);
        assert!(String::from_utf8_lossy(&invalid.stdout).contains("\"valid\":false"));
        code(&invalid, 3);
    }
}

#[test]
fn a_document_is_the_one_word_of_a_key_in_a_block_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let runtime = runtime();
    let host = runtime.block_on(async { Host::start(22, chain(), Manner::Honest) });
    make(path, &host);
    fs::write(path.join("minutes.txt"), "we agreed").unwrap();
    let done = json(&wallet(path, &["--json", "commit", "minutes.txt"]));
    let (key, height) = (public(OWNER).to_string(), done["height"].as_u64().unwrap());
    assert_eq!(done["key"], key.as_str());
    let proof = |height: u64, file: &str| {
        let claim = format!("commit:{key}:{height}");
        json(&wallet(path, &["--json", "proof", &claim, "-o", file]))
    };
    let none = proof(height - 1, "none.primusproof")["statement"].to_string();
    assert!(none.contains("committed to nothing in block"), "{none}");
    let same = proof(height, "again.primusproof")["statement"].to_string();
    let hash = done["hash"].as_str().unwrap();
    let due = format!("in block {height} key {key} committed to {hash}");
    assert!(same.contains(&due), "{same}");
    let hashed = ["--json", "commit", "--hash", hash, "-o", "hash.primusproof"];
    let second = json(&wallet(path, &hashed));
    assert!(second["height"].as_u64().unwrap() > height);

    // Offline from here on: no home, no host.
    drop((host, runtime));
    fs::remove_dir_all(path.join("home")).unwrap();
    let verify = |file: &str| {
        let document = ["--genesis", "genesis.bin", "--document", "minutes.txt"];
        wallet(path, &[&["--json", "verify", file][..], &document].concat())
    };
    for file in [
        "minutes.txt.commit.primusproof",
        "again.primusproof",
        "hash.primusproof",
    ] {
        assert_eq!(json(&verify(file))["valid"], true, "{file}");
    }
    assert!(code(&verify("none.primusproof"), 3).contains("nothing of one"));
    fs::write(path.join("minutes.txt"), "we disagreed").unwrap();
    assert!(code(&verify("again.primusproof"), 3).contains("receipt.document"));
}

#[test]
fn what_cannot_be_notarised_is_told_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let runtime = runtime();
    let host = runtime.block_on(async { Host::start(21, chain(), Manner::Honest) });
    make(path, &host);
    let long = format!("{}=x", "n".repeat(65));
    let twice = ["notarise", "-o", "x", "--field", "a=1", "--field", "a=2"];
    let cases: [(&[&str], i32); 5] = [
        (&["notarise"], 2),
        (&["notarise", "--field", "a=1"], 2),
        (&["notarise", "-o", "x", "--field", "=1"], 2),
        (&["notarise", "-o", "x", "--field", &long], 1),
        (&twice, 2),
    ];
    for (arguments, due) in cases {
        code(&wallet(path, arguments), due);
    }
    assert!(!path.join("x.primusdeed").exists());
    assert_eq!(host.chain.lock().unwrap().ledger.height().get(), 2);
}

#[test]
fn a_deed_that_cannot_be_kept_leaves_nothing_in_the_outbox() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let host = Host::start(21, chain(), Manner::Honest);
        let options = home(folder.path(), OWNER, &host.chain, vec![host.address()]);
        let mut wallet = Wallet::open(&options).unwrap();
        let outbox = Home::new(options.home.clone());
        let full = |_: &Deed| Err(Error::NoRandomness);
        wallet.prepare_deed(fields(), None, full).await.unwrap_err();
        assert!(outbox.outbox().unwrap().is_empty());
        let kept = |_: &Deed| Ok(());
        let prepared = wallet.prepare_deed(fields(), None, kept).await.unwrap();
        assert_eq!(outbox.outbox().unwrap().concat(), prepared.bytes);
        wallet.send(&prepared, LIMIT, &mut |_, _| {}).await.unwrap();
        assert!(wallet.balance().await.unwrap().pending.is_empty());
    });
}

fn fields() -> Fields {
    let field = Field {
        salt: [1; 32],
        name: primitives::codec::Bytes::new(b"name".to_vec()).unwrap(),
        value: primitives::codec::Bytes::default(),
    };
    Fields::new(vec![field]).unwrap()
}
