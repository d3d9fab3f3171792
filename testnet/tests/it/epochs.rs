//! Real processes over many short epochs.

use primitives::keys::Signer;
use serde_json::Value;

use crate::program::{Network, events};

/// How many epochs the chain runs through.
const EPOCHS: u64 = 7;

/// The epoch in force at a peer that runs, by its pages.
fn epoch(network: &Network, peer: usize) -> u64 {
    let text = std::fs::read_to_string(network.path("run.json")).unwrap();
    let run: Value = serde_json::from_str(&text).unwrap();
    let http = run["peers"][peer]["http"].as_str().unwrap();
    let http = http.parse().unwrap();
    let status: Value = node::http::client::json(http, "/v1/status").unwrap();
    status["epoch"].as_u64().unwrap()
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
    load_until(&network, 0, 3);
    network.run(&["status"]).succeeded();
    network.run(&["kill", "1"]).succeeded();
    load_until(&network, 0, EPOCHS - 1);
    network.run(&["restart", "1"]).succeeded();
    load_until(&network, 1, EPOCHS);
    // The judge starts at the genesis and follows the handovers that each peer serves.
    network.run(&["status"]).succeeded();
    network.run(&["down"]).succeeded();
    network.is_down();
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
