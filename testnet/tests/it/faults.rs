//! Real processes that are parted, paused and killed.

use primus_testnet::play::kills;
use primus_testnet::sim::plan::{Fault, Lane, Peers, Plan, Trouble};
use serde_json::Value;

use crate::program::{Network, events};

/// Carries a plan out; what the program says of it in the end.
fn play(name: &'static str, plan: &Plan) -> Value {
    let network = Network::new(name);
    let file = network.folder().join("plan.json");
    plan.write(&file).unwrap();
    let played = network.run(&["play", &file.display().to_string()]);
    played.succeeded();
    network.is_down();
    events(&played.stdout).pop().unwrap()
}

#[test]
fn two_halves_settle_nothing_alone_and_everything_once_they_are_joined() {
    let half = |from: [usize; 2], to: [usize; 2]| Fault {
        from_ms: 2_000,
        to_ms: 8_000,
        trouble: Trouble::Cut {
            from: Peers::Only(from.into()),
            to: Peers::Only(to.into()),
        },
    };
    let plan = Plan {
        faults: vec![half([0, 1], [2, 3]), half([2, 3], [0, 1])],
        lane: Lane {
            delay_us: 2_000,
            tail_us: 500,
            ..Lane::NONE
        },
        safety_ms: 9_000,
        ..kills(3, 4, 0)
    };
    let played = play("halves", &plan);
    let halts = played["without_quorum"].as_array().unwrap();
    assert_eq!(halts.len(), 1, "{played}");
    assert_eq!(
        (&halts[0]["blocks"], &halts[0]["settled"]),
        (&0.into(), &0.into())
    );
    assert_eq!(played["open"], 0);
    assert!(played["submitted"].as_u64().unwrap() > 20, "{played}");
}

#[test]
fn peers_killed_at_random_moments_lose_nothing() {
    let played = play("kills", &kills(11, 4, 6));
    assert!(played["kills"].as_u64().unwrap() > 3, "{played}");
    assert_eq!(played["violations"].as_array().unwrap().len(), 0);
}

#[test]
fn links_are_cut_and_mended_and_peers_paused_from_another_terminal() {
    let network = Network::new("links");
    network.run(&["up", "--peers", "4", "--detach"]).succeeded();
    let damaged = |arguments: &[&str]| {
        let ended = network.run(arguments);
        ended.succeeded();
        let said = events(&ended.stdout).pop().unwrap();
        (
            said["cut"].as_u64().unwrap(),
            said["damaged"].as_u64().unwrap(),
        )
    };
    assert_eq!(damaged(&["link", "0", "all", "--delay-ms", "3"]), (0, 3));
    assert_eq!(damaged(&["cut", "0"]), (6, 0));
    assert_eq!(damaged(&["heal"]), (0, 0));
    assert_eq!(damaged(&["cut", "0-1", "--one-way"]), (4, 0));
    let refused = network.run(&["cut", "4"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("4 where the network has 4"),
        "{}",
        refused.stderr
    );
    let wrong = network.run(&["link", "0", "1", "--loss", "1001"]);
    assert_eq!(wrong.code, Some(1), "{}", wrong.stderr);
    assert!(
        wrong.stderr.contains("loss is out of its bounds"),
        "{}",
        wrong.stderr
    );
    assert_eq!(damaged(&["heal"]), (0, 0));
    network.run(&["pause", "3"]).succeeded();
    network.run(&["resume", "3"]).succeeded();
    network.run(&["status"]).succeeded();
    network.run(&["down"]).succeeded();
    network.is_down();
}
