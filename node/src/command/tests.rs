use std::fs;
use std::path::Path;

use clap::CommandFactory;
use primitives::units::Stake;
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::status::tests::example;

/// What `primus` with these arguments prints, and how it ends.
fn primus(home: &Path, arguments: &[&str]) -> Result<(Exit, String), Error> {
    let mut all = vec!["primus", "--home", home.to_str().unwrap()];
    all.extend(arguments);
    let mut out = Vec::new();
    let exit = Cli::try_parse_from(all).unwrap().carry_out(&mut out)?;
    Ok((exit, String::from_utf8(out).unwrap()))
}

fn one_object(text: &str) -> Value {
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(text).unwrap()
}

fn dev_home() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let home = folder.path().join("home");
    primus(&home, &["init", "--dev", "--store", "memory"]).unwrap();
    (folder, home)
}

#[test]
fn the_command_line_is_consistent_and_its_help_starts_with_examples() {
    let mut command = Cli::command();
    command.clone().debug_assert();
    let help = command.render_long_help().to_string();
    assert!(help.starts_with("Examples:\n  primus init --dev"), "{help}");
    for name in ["init", "run", "status", "block"] {
        let found = command.find_subcommand_mut(name).unwrap();
        let help = found.render_long_help().to_string();
        let wanted = format!("Example:\n  primus {name}");
        assert!(help.starts_with(&wanted), "{help}");
    }
}

#[test]
fn a_developers_chain_is_made_once_and_says_what_it_made() {
    let folder = TempDir::new().unwrap();
    let home = folder.path().join("home");
    let (exit, text) = primus(&home, &["init", "--dev", "--json"]).unwrap();
    assert_eq!(exit, Exit::Done);
    let object = one_object(&text);
    let keys: Vec<&String> = object.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["chain", "faucet_file", "faucet_key", "home", "peer"]);
    let faucet = object["faucet_file"].as_str().unwrap();
    let (_, shown) = primus(&home, &["key", "show", faucet]).unwrap();
    let wanted = format!("coin {}\n", object["faucet_key"].as_str().unwrap());
    assert_eq!(shown, wanted);
    let again = primus(&home, &["init", "--dev"]).unwrap_err();
    assert_eq!(again.exit(), Exit::Failed);
    assert_eq!(again.code(), "home.exists");
}

#[test]
fn a_key_command_shows_the_public_half_and_never_the_secret() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("e.key");
    let file = file.to_str().unwrap();
    let new = ["key", "new", "--role", "event", file];
    let (_, made) = primus(folder.path(), &new).unwrap();
    let (_, shown) = primus(folder.path(), &["key", "show", file]).unwrap();
    assert_eq!(made, shown);
    let (_, object) = primus(folder.path(), &["key", "show", file, "--json"]).unwrap();
    let object = one_object(&object);
    assert_eq!(object["role"], "event");
    assert_eq!(
        shown,
        format!("event {}\n", object["public"].as_str().unwrap())
    );
    let secret = fs::read_to_string(file).unwrap();
    let secret = secret.lines().nth(1).unwrap();
    assert!(!made.contains(secret) && !object.to_string().contains(secret));
    let again = primus(folder.path(), &new).unwrap_err();
    assert_eq!(again.exit(), Exit::Failed);
}

#[test]
fn settings_are_shown_with_their_origin() {
    let (_folder, home) = dev_home();
    let show = ["config", "show", "--origin", "--log-level", "debug"];
    let (_, text) = primus(&home, &show).unwrap();
    for line in [
        "log.level = \"debug\"  # --log-level".to_owned(),
        "log.format = \"text\"  # default".to_owned(),
        format!("store = \"memory\"  # {}/primus.toml", home.display()),
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
    }
    let (_, object) = primus(&home, &["config", "show", "--json"]).unwrap();
    assert_eq!(one_object(&object)["store"]["value"], "memory");
}

#[test]
fn a_command_without_a_home_or_a_node_ends_with_its_own_code() {
    let folder = TempDir::new().unwrap();
    let error = primus(folder.path(), &["status"]).unwrap_err();
    assert_eq!(error.exit(), Exit::Configuration);
    let (_folder, home) = dev_home();
    // Port 1 is nobody's.
    for arguments in [
        ["status", "--http", "127.0.0.1:1"].as_slice(),
        &["block", "1", "--http", "127.0.0.1:1"],
    ] {
        let error = primus(&home, arguments).unwrap_err();
        assert_eq!(error.exit(), Exit::Unreachable, "{arguments:?}");
        assert_eq!(error.code(), "node.unreachable");
    }
}

#[test]
fn the_status_is_read_in_one_glance() {
    let mut status = example();
    let readiness = Readiness::of(Some(&status));
    let wanted = format!(
        "dev ({})\n\
         chain    {}\n\
         epoch    3\n\
         height   40 executed, 39 certified, 41 heard\n\
         root     {}\n\
         round    50 own, 47 settled\n\
         peers    5 of 6 connected\n\
         stake    100 own, 18446744073709551614 of 18446744073709551615 heard\n\
         pool     7 transactions\n\
         keeps    events from epoch 1, transactions from block 9 on; proves of any block: its \
         header, outputs, keys and their histories\n\
         head     {} of round 6, tentative, support 18446744073709551615\n\
         FORK ALARM: {} backed by 4 against {} backed by 3\n\
         ready\n",
        "01".repeat(32),
        "02".repeat(32),
        "04".repeat(32),
        "05".repeat(32),
        "06".repeat(32),
        "07".repeat(32),
    );
    assert_eq!(status_text(&status, &readiness), wanted);
    status.partition = Some(Stake::new(3));
    let text = status_text(&status, &Readiness::of(Some(&status)));
    assert!(
        text.contains("PARTITION: stake 3 of 18446744073709551615 is heard, nothing settles\n")
            && text.contains("not ready: quorum: stake 3 of"),
        "{text}"
    );
    status.partition = None;
    status.height_heard = 100;
    let text = status_text(&status, &Readiness::of(Some(&status)));
    assert!(
        text.ends_with("not ready: synced: at height 40 where 100 is attested\n"),
        "{text}"
    );
}

#[test]
fn every_exit_code_has_its_number() {
    let codes = [
        (Exit::Done, 0),
        (Exit::Failed, 1),
        (Exit::Usage, 2),
        (Exit::No, 3),
        (Exit::Unreachable, 4),
        (Exit::TimedOut, 5),
        (Exit::Refused, 6),
        (Exit::Elsewhere, 69),
        (Exit::Storage, 74),
        (Exit::Configuration, 78),
    ];
    for (exit, number) in codes {
        assert_eq!(exit.number(), number);
    }
}
