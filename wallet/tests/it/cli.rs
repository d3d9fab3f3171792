//! The program itself: exit codes, output, files.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use wallet_proto::test_chain::public;

use crate::host::{Host, Manner};
use crate::{OWNER, chain, runtime};

pub(crate) fn wallet(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_primus-wallet"));
    command
        .arg("--home")
        .arg(folder.join("home"))
        .args(arguments);
    command.current_dir(folder).output().unwrap()
}

pub(crate) fn json(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text} {output:?}");
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn code(output: &Output, code: i32) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text} {output:?}");
    text
}

/// The blocks of the test chain are of 1970: no head of it is too old for this policy.
pub(crate) fn write_policy(folder: &Path, host: &Host) {
    let chain = *host.chain.lock().unwrap().ledger.chain();
    let policy =
        format!("chain = \"{chain}\"\ngenesis = \"genesis.bin\"\ntrust_period_hours = 10000000\n");
    std::fs::write(folder.join("policy.toml"), policy).unwrap();
}

#[test]
fn the_program_makes_a_key_pays_proves_and_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let runtime = runtime();
    let host = runtime.block_on(async { Host::start(21, chain(), Manner::Honest) });
    let genesis = primitives::codec::encode(&host.chain.lock().unwrap().genesis).unwrap();
    std::fs::write(path.join("genesis.bin"), genesis).unwrap();
    write_policy(path, &host);
    std::fs::write(path.join("seed"), format!("{OWNER:02x}").repeat(32)).unwrap();
    let address = host.address().to_string();
    let make = [
        "--json",
        "new",
        "--seed-file",
        "seed",
        "--genesis",
        "genesis.bin",
        "--policy",
        "policy.toml",
    ];
    let made = json(&wallet(path, &[&make[..], &["--host", &address]].concat()));
    assert_eq!(made["key"], public(OWNER).to_string());
    code(&wallet(path, &make), 1);

    let balance = json(&wallet(path, &["--json", "balance"]));
    assert_eq!(balance["proven"], "150");
    let to = public(51).to_string();
    let pay = ["--json", "pay", &to, "120", "--proof", "paid.primusproof"];
    let paid = json(&wallet(path, &pay));
    assert_eq!(
        (&paid["fee"], &paid["remains"]),
        (&"1".into(), &"29".into())
    );
    let id = paid["id"].as_str().unwrap();

    let sent = wallet(path, &["send", "20", &to]);
    let text = String::from_utf8_lossy(&sent.stdout).into_owned();
    code(&sent, 0);
    let grades = [
        "fee ",
        "seen ",
        "endorsed ",
        "official ",
        "final ",
        "proven ",
    ];
    let begins: Vec<_> = text
        .lines()
        .skip(2)
        .map(|line| line.split_at(4).0)
        .collect();
    assert_eq!(begins, grades.map(|grade| grade.split_at(4).0), "{text}");
    let refused = code(&wallet(path, &["send", "20", &to]), 6);
    assert!(refused.contains("payment.insufficient"), "{refused}");

    let history = wallet(path, &["history", "--proof", "all.primusproof"]);
    let text = String::from_utf8_lossy(&history.stdout).into_owned();
    assert!(
        text.contains("PROVEN complete to block 4: these are all 3 transactions"),
        "{text}"
    );
    assert!(text.contains("is signed by 100 % of the stake"), "{text}");
    json(&wallet(
        path,
        &["--json", "proof", id, "-o", "again.primusproof"],
    ));

    let kinds = kinds(&host, id);
    for (place, (arguments, words)) in kinds.iter().enumerate() {
        let file = format!("kind{place}.primusproof");
        let mut all = vec!["--json", "proof", "-o", &file];
        all.extend(arguments.iter().map(String::as_str));
        let proven = json(&wallet(path, &all));
        let statement = proven["statement"].as_str().unwrap();
        assert!(statement.contains(words), "{statement}");
    }
    code(
        &wallet(path, &["proof", "block:1", "--as-of", "1", "-o", "x"]),
        2,
    );
    json(&wallet(
        path,
        &["--json", "policy", "-o", "checkpoint.toml"],
    ));

    // Offline from here on: no home, no host.
    drop((host, runtime));
    std::fs::remove_dir_all(path.join("home")).unwrap();
    for place in 0..kinds.len() {
        let file = format!("kind{place}.primusproof");
        for start in [["--genesis", "genesis.bin"], ["--policy", "policy.toml"]] {
            let verify = [&["--json", "verify", &file][..], &start].concat();
            assert_eq!(json(&wallet(path, &verify))["valid"], true, "{file}");
        }
    }
    let verify = [
        "--json",
        "verify",
        "kind0.primusproof",
        "--policy",
        "checkpoint.toml",
    ];
    assert_eq!(json(&wallet(path, &verify))["valid"], true);
    for file in ["paid.primusproof", "all.primusproof", "again.primusproof"] {
        let verify = ["--json", "verify", file, "--genesis", "genesis.bin"];
        assert_eq!(json(&wallet(path, &verify))["valid"], true, "{file}");
        let mut bytes = std::fs::read(path.join(file)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path.join(file), bytes).unwrap();
        let invalid = wallet(path, &["verify", file, "--genesis", "genesis.bin"]);
        let text = String::from_utf8_lossy(&invalid.stdout).into_owned();
        assert!(text.starts_with("INVALID  "), "{text}");
        code(&invalid, 3);
    }
}

/// The arguments of a proof of each kind, and words of what it says.
fn kinds(host: &Host, id: &str) -> Vec<(Vec<String>, &'static str)> {
    let (owner, stranger) = (public(OWNER), public(99));
    let chain = host.chain.lock().unwrap();
    let root = chain.snapshots[1].header.root().unwrap();
    let coin = chain.coins(OWNER)[0].outpoint;
    let coin = format!("{}:{}", coin.transaction, coin.index);
    let kinds = [
        (id.to_owned(), None, "was applied, in block 3"),
        (coin.clone(), None, "was spent in block 3"),
        (coin, Some("2"), "was unspent as of block 2"),
        (format!("history:{owner}"), None, "these are all 3"),
        (format!("history:{owner}"), Some("3"), "these are all 2"),
        (format!("newest:{owner}:1"), None, "these are the newest 1"),
        (format!("key:{owner}"), None, "has 3 transactions"),
        (format!("key:{stranger}"), None, "no transaction up to"),
        ("block:1".to_owned(), None, "block 1 has the root"),
        (format!("consistency:1:{root}"), None, "continues block 1"),
    ];
    let arguments = |(claim, as_of, words): (String, Option<&str>, _)| {
        let as_of = as_of.map(|height| ["--as-of".to_owned(), height.to_owned()]);
        let arguments = [vec![claim], as_of.into_iter().flatten().collect()].concat();
        (arguments, words)
    };
    kinds.into_iter().map(arguments).collect()
}

#[test]
fn without_a_host_the_program_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = code(&wallet(path, &["balance"]), 1);
    assert!(text.contains("primus-wallet new"), "{text}");
    code(&wallet(path, &["pay", "nonsense", "1"]), 2);
    json(&wallet(path, &["--json", "new"]));
    let text = code(&wallet(path, &["balance"]), 1);
    assert!(text.contains("--genesis"), "{text}");
    let genesis = primitives::codec::encode(&chain().lock().unwrap().genesis).unwrap();
    std::fs::write(path.join("genesis.bin"), genesis).unwrap();
    json(&wallet(
        path,
        &["--json", "new", "--genesis", "genesis.bin"],
    ));
    let text = code(&wallet(path, &["balance"]), 4);
    assert!(text.contains("host.none"), "{text}");
}

#[test]
fn a_payment_that_takes_too_long_stays_in_the_outbox() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let runtime = runtime();
    let host = runtime.block_on(async { Host::start(21, chain(), Manner::Drops) });
    let genesis = primitives::codec::encode(&host.chain.lock().unwrap().genesis).unwrap();
    std::fs::write(path.join("genesis.bin"), genesis).unwrap();
    write_policy(path, &host);
    std::fs::write(path.join("seed"), format!("{OWNER:02x}").repeat(32)).unwrap();
    let address = host.address().to_string();
    let make = [
        "--json",
        "new",
        "--seed-file",
        "seed",
        "--genesis",
        "genesis.bin",
        "--policy",
        "policy.toml",
    ];
    json(&wallet(path, &[&make[..], &["--host", &address]].concat()));
    let to = public(51).to_string();
    let text = code(&wallet(path, &["pay", &to, "20", "--timeout", "0"]), 5);
    assert!(
        text.contains("timed_out") && text.contains("outbox"),
        "{text}"
    );
    let balance = json(&wallet(path, &["--json", "balance"]));
    assert_eq!(
        (&balance["proven"], &balance["free"]),
        (&"150".into(), &"50".into())
    );
    assert_eq!(balance["pending"][0]["spends"], "100");
}
