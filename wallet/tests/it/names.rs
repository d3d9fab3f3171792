//! Registering a name, handing it over, and proving who holds it.

use std::fs;

use primus_wallet::Wallet;
use wallet_proto::test_chain::public;

use crate::cli::{code, json, wallet};
use crate::host::{Host, Manner};
use crate::notary::make;
use crate::{OWNER, chain, home, runtime};

#[test]
fn a_name_is_registered_handed_over_and_its_holder_proven_offline() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let runtime = runtime();
    let host = runtime.block_on(async { Host::start(23, chain(), Manner::Honest) });
    make(path, &host);
    let run = |arguments: &[&str]| wallet(path, &[&["--json"], arguments].concat());
    let free = json(&run(&[
        "name",
        "show",
        "anna",
        "--proof",
        "free.primusproof",
    ]));
    assert!(free["key"].is_null(), "{free}");
    assert!(
        code(
            &run(&["name", "transfer", "anna", &public(51).to_string()]),
            6
        )
        .contains("name.free")
    );
    let (owner, other) = (public(OWNER).to_string(), public(51).to_string());
    let held = json(&run(&[
        "name",
        "register",
        "anna",
        "--proof",
        "held.primusproof",
    ]));
    assert_eq!(
        (held["key"].as_str(), held["height"].as_u64()),
        (Some(owner.as_str()), Some(3))
    );
    let again = code(&run(&["name", "register", "anna"]), 6);
    assert!(
        again.contains("name.held") && again.contains(&owner),
        "{again}"
    );
    let over = json(&run(&["name", "transfer", "anna", &other]));
    assert_eq!(over["key"], other.as_str());
    let late = code(&run(&["name", "transfer", "anna", &owner]), 6);
    assert!(
        late.contains("name.held") && late.contains(&other),
        "{late}"
    );
    for (height, due) in [("2", None), ("3", Some(&owner)), ("4", Some(&other))] {
        let shown = json(&run(&["name", "show", "anna", "--as-of", height]));
        assert_eq!(shown["key"].as_str(), due.map(String::as_str), "{height}");
    }
    let proof = |claim: &str, file: &str| {
        json(&run(&["proof", claim, "-o", file]))["statement"].to_string()
    };
    let all = proof("history:@anna", "all.primusproof");
    assert!(
        all.contains("these are all 2 transactions of name anna"),
        "{all}"
    );
    let now = proof("name:anna", "now.primusproof");
    assert!(
        now.contains(&format!("key {other} holds name anna")),
        "{now}"
    );
    for text in ["Anna", "-anna", "an na", ""] {
        code(&run(&["name", "show", text]), 2);
    }

    // Offline from here on: no home, no host.
    drop((host, runtime));
    fs::remove_dir_all(path.join("home")).unwrap();
    for (file, words) in [
        ("free", "nobody holds name anna"),
        ("held", "holds name anna, since block 3"),
        ("now", "holds name anna, since block 4"),
        ("all", "no more exist"),
    ] {
        let file = format!("{file}.primusproof");
        let valid = json(&run(&["verify", &file, "--genesis", "genesis.bin"]));
        let says = valid["statement"].to_string();
        assert!(says.contains(words), "{says}");
    }
}

#[test]
fn a_registration_that_another_has_beaten_leaves_the_outbox_and_frees_its_coin() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let host = Host::start(24, chain(), Manner::Drops);
        let options = home(folder.path(), OWNER, &host.chain, vec![host.address()]);
        let mut wallet = Wallet::open(&options).unwrap();
        let name = "anna".parse().unwrap();
        wallet.prepare_registration(name, None).await.unwrap();
        let before = wallet.balance().await.unwrap();
        assert_eq!(before.pending.len(), 1);
        {
            let mut chain = host.chain.lock().unwrap();
            let coin = chain.coins(40)[0];
            let rival = chain.name(&coin, "anna", None, 51);
            assert!(chain.settle(&[rival])[0].1.is_applied());
        }
        let after = wallet.balance().await.unwrap();
        assert!(after.pending.is_empty());
        assert_eq!((after.free, after.proven), (after.proven, before.proven));
    });
}
