//! Real processes over many short epochs.

use primitives::keys::Signer;
use serde_json::Value;

use crate::program::{Network, events};

/// How many epochs the chain runs through.
const EPOCHS: u64 = 7;

/// What a peer that runs says of itself, by its pages.
fn status(network: &Network, peer: usize) -> Value {
    let text = std::fs::read_to_string(network.path("run.json")).unwrap();
    let run: Value = serde_json::from_str(&text).unwrap();
    let http = run["peers"][peer]["http"].as_str().unwrap();
    let http = http.parse().unwrap();
    node::http::client::json(http, "/v1/status").unwrap()
}

/// The epoch in force there.
fn epoch(network: &Network, peer: usize) -> u64 {
    status(network, peer)["epoch"].as_u64().unwrap()
}

/// Sends transactions until `peer` is in the epoch `wanted`.
fn load_until(network: &Network, peer: usize, wanted: u64) {
    let load = ["load", "--kind", "pay", "--rate", "40", "--seconds", "1"];
    for _ in 0..60 {
        if epoch(network, peer) >= wanted {
            return;
        }
        network.run(&load).succeeded();
    }
    assert!(epoch(network, peer) >= wanted, "epochs do not end");
}

#[test]
fn real_peers_run_over_many_epochs_and_one_joins_and_one_stays_away_meanwhile() {
    let network = Network::new("epochs");
    let up = [
        "up",
        "--peers",
        "5",
        "--observers",
        "1",
        "--lag",
        "4",
        "--period",
        "16",
    ];
    network.run(&[&up[..], &["--detach"]].concat()).succeeded();
    let key = primus_testnet::purse::wallet_key("a guest").public();
    let mint = ["mint", &key.to_string(), "900000000", "--host", "peer-4"];
    network.run(&mint).succeeded();
    let old = notarised(&network);
    load_until(&network, 0, 3);
    network.run(&["status"]).succeeded();
    network.run(&["kill", "1"]).succeeded();
    keep_one_epoch(&network, 2);
    load_until(&network, 0, EPOCHS - 1);
    network.run(&["restart", "1"]).succeeded();
    load_until(&network, 1, EPOCHS);
    // The judge starts at the genesis and follows the handovers that each peer serves.
    network.run(&["status"]).succeeded();
    assert_pruned_for_wallets(&network, 2, &old);
    network.run(&["down"]).succeeded();
    network.is_down();
    audit_pruned(&network);
    for peer in ["peer-0", "peer-1", "peer-4"] {
        for command in ["fsck", "replay"] {
            let (code, text) = network.audit(command, peer);
            assert_eq!(code, Some(0), "{command} {peer}: {text}");
        }
    }
    let mut members = Vec::new();
    for epoch in 0..=EPOCHS {
        let export = network.export("peer-1", epoch);
        let file = network.path(&format!("epoch-{epoch}.json"));
        std::fs::write(&file, &export).unwrap();
        let found = network.run(&["recompute", &file.display().to_string()]);
        found.succeeded();
        assert_eq!(events(&found.stdout).last().unwrap()["event"], "recomputed");
        let export: Value = serde_json::from_str(&export).unwrap();
        members.push(export["committee"].as_array().unwrap().len());
    }
    assert_eq!((members[0], members.last()), (4, Some(&5)), "{members:?}");
}

/// Puts a document on record through peer 0; returns the transaction.
fn notarised(network: &Network) -> String {
    let genesis = network.path("genesis.bin").display().to_string();
    let new = [
        "new",
        "--json",
        "--genesis",
        &genesis,
        "--host",
        &network.host(0),
    ];
    let key = object(&network.wallet(&new))["key"]
        .as_str()
        .unwrap()
        .to_owned();
    network.run(&["mint", &key, "77"]).succeeded();
    std::fs::write(network.folder().join("deal.txt"), "a deal").unwrap();
    let field = ["--field", "price=25", "--field", "seller=Anna"];
    let done = network.wallet(&[&["notarise", "deal.txt", "--json"], &field[..]].concat());
    let export = [
        "receipt",
        "export",
        "deal.txt.primusdeed",
        "--fields",
        "document,price",
    ];
    let offline = [
        "--proof",
        "deal.txt.primusproof",
        "-o",
        "deal.primusreceipt",
        "--json",
    ];
    object(&network.wallet(&[export, offline].concat()));
    let verify = [
        "verify",
        "receipt",
        "deal.primusreceipt",
        "--document",
        "deal.txt",
    ];
    let valid =
        object(&network.wallet(&[&verify[..], &["--genesis", &genesis, "--json"]].concat()));
    assert_eq!(
        (&valid["valid"], &valid["count"]),
        (&true.into(), &3.into())
    );
    object(&done)["id"].as_str().unwrap().to_owned()
}

fn object(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Starts a peer again as one that keeps one sealed epoch.
fn keep_one_epoch(network: &Network, peer: usize) {
    let number = peer.to_string();
    network.run(&["kill", &number]).succeeded();
    let file = network.path(&format!("peer-{peer}/primus.toml"));
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("keep_epochs = 1\n{settings}")).unwrap();
    network.run(&["restart", &number]).succeeded();
}

/// The peer says what it keeps, refuses what it has let go, and proves the rest.
fn assert_pruned_for_wallets(network: &Network, peer: usize, old: &str) {
    let status = status(network, peer);
    assert!(status["first_epoch"].as_u64().unwrap() >= 3, "{status}");
    let ask = |peer: usize, claim: &str| {
        object(&network.wallet(&["new", "--json", "--host", &network.host(peer)]));
        network.wallet(&["proof", claim, "-o", "asked.primusproof"])
    };
    let refused = ask(peer, old);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(6), "{text}");
    assert!(
        text.contains("pruned") && text.contains("archive"),
        "{text}"
    );
    for (peer, claim) in [(0, old), (peer, "block:3")] {
        let answered = ask(peer, claim);
        assert_eq!(answered.status.code(), Some(0), "{claim}: {answered:?}");
    }
}

/// Stores that were pruned while the peer ran, and offline.
fn audit_pruned(network: &Network) {
    let (code, text) = network.audit("prune", "peer-3");
    assert_eq!(code, Some(2), "an archive needs a number: {text}");
    let pruned = network.node(&["prune", "--keep-epochs", "2", "--json"], "peer-3");
    let first = object(&pruned)["first_block"].as_u64().unwrap();
    assert!(first > 0);
    for peer in ["peer-2", "peer-3"] {
        let fsck = object(&network.node(&["fsck", "--json"], peer));
        assert_eq!(
            (&fsck["sound"], &fsck["idle"]),
            (&true.into(), &0.into()),
            "{fsck}"
        );
        let replay = object(&network.node(&["replay", "--json"], peer));
        assert_eq!(replay["first_block"], fsck["first_block"]);
        let export = network.node(&["dag", "export", "--epoch", "0"], peer);
        assert_eq!(export.status.code(), Some(3), "{export:?}");
    }
}
