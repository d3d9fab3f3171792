//! The program against real nodes: four peers on loopback.
//!
//! The node and the wallet are other packages' programs, which cargo does not build for this test:
//! `make test` builds them first. `PRIMUS_BIN` and `PRIMUS_WALLET_BIN` name others.

#![cfg(test)]

mod block;
mod epochs;
mod faults;
mod join;
mod program;

use primitives::keys::Signer;
use primus_testnet::purse::wallet_key;
use program::{Network, events};

#[test]
fn the_demo_ends_with_agreement_and_leaves_no_process() {
    let network = Network::new("demo");
    let file = network.folder().join("small.block");
    std::fs::write(&file, block::small()).unwrap();
    let file = file.display().to_string();
    let fresh = ["--peers", "4", "--lag", "2", "--period", "4"];
    let demo = network.run(&[&["demo", "--replay", &file], &fresh[..]].concat());
    demo.succeeded();
    let events = events(&demo.stdout);
    let names: Vec<&str> = events
        .iter()
        .filter_map(|one| one["event"].as_str())
        .collect();
    for wanted in [
        "met",
        "replayed",
        "everywhere",
        "paid",
        "balance",
        "verified",
        "killed",
        "caught up",
        "double spend",
        "exported",
        "verdict",
    ] {
        assert!(names.contains(&wanted), "{wanted} is missing in {names:?}");
    }
    let verdict = events.last().unwrap();
    assert_eq!(verdict["verdict"], "AGREE");
    assert_eq!(verdict["peers"].as_array().unwrap().len(), 4);
    let recomputed = names.iter().filter(|name| **name == "recomputed").count();
    assert!(
        recomputed > 1,
        "the demo lasts for several epochs: {names:?}"
    );
    network.is_down();
}

#[test]
fn a_detached_network_is_used_broken_healed_and_ended_by_other_invocations() {
    let network = Network::new("detached");
    network.run(&["up", "--peers", "4", "--detach"]).succeeded();
    network.run(&["status"]).succeeded();
    let key = wallet_key("a wallet of this test").public().to_string();
    network.run(&["mint", &key, "77"]).succeeded();
    network.run(&["kill", "3"]).succeeded();
    let status = network.run(&["status"]);
    assert_eq!(status.code, Some(3), "{}", status.stderr);
    network
        .run(&["load", "--kind", "pay", "--rate", "50", "--seconds", "2"])
        .succeeded();
    network.run(&["restart", "3"]).succeeded();
    network
        .run(&["load", "--kind", "data", "--rate", "50", "--seconds", "2"])
        .succeeded();
    let spent = network.run(&["double-spend", "--repeat", "5"]);
    spent.succeeded();
    assert_eq!(events(&spent.stdout).last().unwrap()["pairs"], 5);
    let second = network.run(&["up", "--peers", "4"]);
    assert_eq!(second.code, Some(1), "one network at a time in a folder");
    network.run(&["down"]).succeeded();
    network.is_down();
    // What real peers have stored passes every check, the one killed included.
    for command in ["fsck", "replay"] {
        for peer in ["peer-0", "peer-1", "peer-2", "peer-3"] {
            let (code, text) = network.audit(command, peer);
            assert_eq!(code, Some(0), "{command} {peer}: {text}");
        }
    }
}
