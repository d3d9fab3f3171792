//! The program as a process: start, pages, export beside it, refusal of a second one, stop.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use dag::event::Evidence;
use primitives::codec;
use primitives::store::{Batch, Table};
use primitives::units::{Epoch, PeerIndex};
use primus_node::home::read_genesis;
use primus_node::keyfile::Secret;
use primus_node::store::{Backend, Database, Kind, Stamp};
use replica::rows::evidence_key;
use serde_json::Value;
use tempfile::TempDir;

use crate::root;

/// A node that is killed if the test fails before it is stopped.
struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        // Already gone after a successful test.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn primus(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_primus"));
    command.arg("--home").arg(home).args(arguments);
    command
}

fn output(home: &Path, arguments: &[&str]) -> Output {
    primus(home, arguments).output().unwrap()
}

fn object(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Starts a node and returns once its driver has begun.
fn start(home: &Path) -> Node {
    let mut child = primus(home, &["run"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let node = Node(child);
    let started = lines.any(|line| line.unwrap().contains("node starts"));
    assert!(started, "the node ended early");
    // Whatever it says later must not block it.
    std::thread::spawn(move || lines.for_each(drop));
    node
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn a_developers_node_starts_answers_refuses_a_second_one_and_stops() {
    for kind in Kind::compiled_in() {
        if kind != Kind::Memory {
            check(kind);
        }
    }
}

fn check(kind: Kind) {
    let folder = TempDir::new().unwrap();
    let home = folder.path().join("home");
    let http = free_address();
    let arguments = [
        "init",
        "--dev",
        "--json",
        "--store",
        kind.name(),
        "--http",
        &http,
        "--listen",
        "127.0.0.1:0",
    ];
    let made = object(&output(&home, &arguments));
    let down = output(&home, &["status"]);
    assert_eq!(down.status.code(), Some(4), "{down:?}");
    let mut node = start(&home);
    let status = loop {
        // The line comes just before the driver's first status.
        let status = output(&home, &["status", "--json"]);
        if status.status.code() != Some(6) {
            break object(&status);
        }
    };
    assert_eq!(status["chain"], made["chain"]);
    assert_eq!(status["peer"], made["peer"]);
    let genesis = object(&output(&home, &["block", "0", "--json"]));
    assert_eq!(genesis["height"], 0);
    assert_eq!(genesis["grade"], "final");
    let absent = output(&home, &["block", "999999"]);
    assert_eq!(absent.status.code(), Some(3), "{absent:?}");
    let second = output(&home, &["run", "--http", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(69), "{second:?}");
    let online = object(&output(&home, &["dag", "export", "--epoch", "0"]));
    assert_eq!(online["chain_id"], made["chain"]);
    let none = object(&output(&home, &["evidence", "list", "--json"]));
    assert_eq!(none["evidence"], serde_json::json!([]));
    let id = node.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(node.0.wait().unwrap().code(), Some(0));
    let offline = object(&output(&home, &["dag", "export", "--epoch", "0"]));
    assert_eq!(offline["committee"], online["committee"]);
    let later = output(&home, &["dag", "export", "--epoch", "9"]);
    assert_eq!(later.status.code(), Some(3), "{later:?}");
}

/// Writes two events of round 0 by the peer of `home` into its store.
fn fork(home: &Path) {
    let key = |name: &str| Secret::read_any(&home.join(name)).unwrap().1;
    let genesis = read_genesis(&home.join("genesis.bin")).unwrap();
    let chain = genesis.chain_id().unwrap();
    let (peer, secret) = (key("peer.key").public(), key("event.key"));
    let event = |time| root(chain, PeerIndex(0), time, &secret);
    let mut batch = Batch::default();
    let row = codec::encode(&Evidence::new(&event(1), &event(2))).unwrap();
    batch.put(Table::Evidence, evidence_key(Epoch::ZERO, &peer), row);
    let event_key = secret.public();
    let stamp = Stamp { chain, event_key };
    let store = Database::open(Kind::Redb, &home.join("data"), &stamp).unwrap();
    store.apply(&batch).unwrap();
}

#[test]
fn evidence_is_exported_by_a_running_node_and_checked_by_anyone_who_has_the_genesis() {
    let folder = TempDir::new().unwrap();
    let home = folder.path().join("home");
    let http = free_address();
    let arguments = [
        "init", "--dev", "--json", "--store", "redb", "--http", &http,
    ];
    let listen = ["--listen", "127.0.0.1:0"];
    let made = object(&output(&home, &[arguments.as_slice(), &listen].concat()));
    fork(&home);
    let peer = made["peer"].as_str().unwrap();
    let export = ["evidence", "export", "--epoch", "0", peer];
    let offline = output(&home, &export);
    let node = start(&home);
    let list = object(&output(&home, &["evidence", "list", "--json"]));
    assert_eq!(list["evidence"][0]["peer"], peer);
    let online = output(&home, &export);
    assert_eq!(online.stdout, offline.stdout, "{online:?}");
    let absent = output(&home, &["evidence", "export", "--epoch", "1", peer]);
    assert_eq!(absent.status.code(), Some(3), "{absent:?}");
    drop(node);
    let file = folder.path().join("pair.json");
    let file = file.to_str().unwrap();
    std::fs::write(file, &online.stdout).unwrap();
    let genesis = home.join("genesis.bin");
    let elsewhere = folder.path().join("elsewhere");
    let alone = ["--genesis", genesis.to_str().unwrap()];
    let verify = ["evidence", "verify", file, "--json"];
    let alone = object(&output(&elsewhere, &[&verify[..], &alone].concat()));
    assert_eq!(alone, list["evidence"][0]);
    assert_eq!(object(&output(&home, &verify)), alone);
    let changed = String::from_utf8(online.stdout)
        .unwrap()
        .replace(peer, made["chain"].as_str().unwrap());
    std::fs::write(file, changed).unwrap();
    let refused = output(&home, &verify);
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    std::fs::write(file, vec![b' '; 2_000_000]).unwrap();
    // Neither a long file nor one that never ends is read into memory.
    for file in [file, "/dev/zero"] {
        let refused = output(&home, &["evidence", "verify", file]);
        assert_eq!(refused.status.code(), Some(3), "{file}: {refused:?}");
    }
}

#[test]
fn a_wrong_configuration_ends_with_78_and_says_why_on_standard_error() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("primus.toml"), "lisen = \"x\"\n").unwrap();
    let refused = output(folder.path(), &["run"]);
    assert_eq!(refused.status.code(), Some(78));
    assert!(refused.stdout.is_empty());
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("the nearest known key is `listen`"), "{text}");
    assert!(text.ends_with("[config.unknown_key]\n"), "{text}");
    let usage = output(folder.path(), &["rnu"]);
    assert_eq!(usage.status.code(), Some(2));
}
