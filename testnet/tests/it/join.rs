//! A peer that begins with the others' snapshot.

use serde_json::Value;

use crate::program::Network;

#[test]
fn a_peer_without_a_store_begins_with_the_snapshot_of_the_others_and_goes_on_as_they_do() {
    let network = Network::new("join");
    let up = ["up", "--peers", "4", "--lag", "8", "--period", "32"];
    network.run(&[&up[..], &["--detach"]].concat()).succeeded();
    network.run(&["kill", "3"]).succeeded();
    let home = network.path("peer-3");
    std::fs::remove_dir_all(home.join("data")).unwrap();
    let load = ["load", "--kind", "pay", "--rate", "100", "--seconds", "2"];
    let joined: Value = loop {
        network.run(&load).succeeded();
        let output = network.node(&["join", "--json"], "peer-3");
        match output.status.code() {
            Some(0) => break serde_json::from_slice(&output.stdout).unwrap(),
            // Until an epoch has ended and its certificate is there.
            code => assert_eq!(code, Some(4), "{}", String::from_utf8_lossy(&output.stderr)),
        }
    };
    assert!(joined["height"].as_u64().unwrap() >= 39, "{joined}");
    assert!(joined["rows"].as_u64().unwrap() > 100, "{joined}");
    let (code, text) = network.audit("fsck", "peer-3");
    assert_eq!(code, Some(0), "{text}");
    let again = network.node(&["join"], "peer-3");
    assert_eq!(again.status.code(), Some(1), "a store is never replaced");
    network.run(&["restart", "3"]).succeeded();
    network.run(&load).succeeded();
    // The judge asks it for proofs as it asks the others.
    network.run(&["status"]).succeeded();
    network.run(&["down"]).succeeded();
    for command in ["fsck", "replay"] {
        let (code, text) = network.audit(command, "peer-3");
        assert_eq!(code, Some(0), "{command}: {text}");
    }
    // What it has by now can be given on as a file.
    let file = network.path("peer-0.snapshot").display().to_string();
    for (command, peer) in [("create", "peer-0"), ("verify", "peer-3")] {
        let output = network.node(&["snapshot", command, &file, "--json"], peer);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{command}: {said}");
    }
    std::fs::remove_dir_all(home.join("data")).unwrap();
    let output = network.node(&["snapshot", "restore", &file], "peer-3");
    assert_eq!(output.status.code(), Some(0));
    network.is_down();
}
